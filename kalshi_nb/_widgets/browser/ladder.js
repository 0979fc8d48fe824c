// A book as a ladder: the price in the middle, bids left and below, asks right and above, levels where they are in
// price. All is worked out for the YES leg; the NO leg is its mirror, made when it is written.
const ladder = (() => {
  const MARKED_SECONDS = 5;
  const REST_MS = 600; // between two flashes of one level
  const DOLLAR = 10000;

  // Ticks strictly between two prices: how many, and the lowest.
  function between(low, high, ticks) {
    let found = 0;
    let first = null;
    ticks.forEach(([start, end, step], i) => {
      const stop = Math.min(high - 1, i === ticks.length - 1 ? end : end - 1);
      const begin = start + Math.max(0, Math.floor((low - start) / step) + 1) * step;
      if (begin > stop) return;
      first ??= begin;
      found += Math.floor((stop - begin) / step) + 1;
    });
    return { found, first };
  }

  // From the touch outwards: levels, a single empty tick as a row of its own, more of them as one line.
  function lay(levels, marked, ticks, away, rows) {
    const sizes = new Map(levels);
    if (!sizes.size) return [];
    const best = levels[0][0];
    const prices = [...new Set([...sizes.keys(), ...marked.filter((p) => (p - best) * away > 0)])].sort((a, b) => (a - b) * away);
    const lines = [];
    let total = 0;
    let cost = 0;
    prices.forEach((p, i) => {
      if (lines.length >= rows) return;
      const { found, first } = i ? between(Math.min(p, prices[i - 1]), Math.max(p, prices[i - 1]), ticks) : { found: 0 };
      if (found === 1) lines.push({ key: `${first}`, price: first });
      else if (found) lines.push({ key: `${prices[i - 1]}…`, hole: found });
      total += sizes.get(p) ?? 0;
      cost += (p * (sizes.get(p) ?? 0)) / 1e6;
      lines.push({ key: `${p}`, price: p, size: sizes.get(p), total, cost, best: i === 0 });
    });
    while (lines.length > rows || lines.at(-1)?.hole) lines.pop();
    return lines;
  }

  function mount(body, { make, write, writeWords, put }) {
    const table = make(body, "table", "table");
    const result = make(body, "result");
    const columns = make(table, "columns", "row");
    const heads = ["bid", "price", "ask"].map((name) => make(columns, name, "columnheader"));
    const asks = makeSide("asks");
    const middle = makeMiddle();
    const bids = makeSide("bids");
    let decimals = 0;
    let fractional = false;
    let mark = null;

    function makeSide(name) {
      const group = make(table, `side ${name}`, "rowgroup");
      return { name, group, rows: new Map(), spare: [], sizes: new Map() };
    }
    function makeMiddle() {
      const band = make(make(table, "", "rowgroup"), "middle", "row");
      return ["mid", "spread", "imbalance", "words"].map((name) => make(band, name, "cell", "span"));
    }
    function makeRow({ group, name }) {
      const row = make(group, "row", "row");
      const cells = [make(row, "cell", "cell"), make(row, "price", "cell"), make(row, "cell", "cell")];
      const cell = cells[name === "bids" ? 0 : 2];
      const own = make(cell, "mark", "", "span");
      const parts = name === "bids" ? ["size", "lane"] : ["lane", "size"];
      const made = Object.fromEntries(parts.map((each) => [each, make(cell, each)]));
      const bar = make(made.lane, "bar");
      const taken = make(cells[1], "taken", "", "span");
      const note = make(row, "", "cell", "span");
      return { row, cells, own, ...made, bar, fill: make(bar, "fill"), taken, price: make(cells[1], "", "", "span"), note, flashed: -Infinity };
    }

    // The leg that is shown: a NO bid is a YES ask at what is left of the dollar.
    const mirrored = (look) => look.side === "no";
    const leg = (p, look) => (mirrored(look) ? DOLLAR - p : p);
    const shown = (p, look) => text.money(leg(p, look), look.unit, decimals);

    function tip(line, side, look) {
      const [isBid, name] = [side.name === "bids", mirrored(look) ? "NO" : "YES"];
      const other = text.money(DOLLAR - leg(line.price, look), look.unit, decimals);
      const same = isBid ? "" : ` = ${name === "YES" ? "NO" : "YES"} bid at ${other}`;
      const dollars = mirrored(look) ? line.total / 100 - line.cost : line.cost;
      const sweep = line.size ? `; ${text.count(line.total, fractional)} to here, $${dollars.toFixed(2)}` : "; no order";
      return `${shown(line.price, look)} ${name} ${isBid ? "bid" : "ask"}${same}${sweep}`;
    }

    function paintLine(made, line, side, look, share) {
      const { row, own, size, bar, price, cells, note } = made;
      const name = `row${line.best ? " best" : ""}${line.hole ? " hole" : line.size ? "" : " bare"}`;
      if (row.className !== name) {
        row.className = name;
        // Words of another weight, moved with their row, would count as a shift of the layout; new words do not.
        size.textContent = price.textContent = "";
      }
      cells.forEach((cell) => { cell.hidden = !!line.hole; });
      note.hidden = !line.hole;
      if (line.hole) {
        write(note, `${line.hole} ticks empty`);
        row.title = "no order at these prices";
        return;
      }
      write(price, shown(line.price, look));
      write(size, line.size ? text.count(line.size, fractional) : "");
      const part = line.size ? share(line.size) : 0;
      bar.style.transform = `translateX(${(side.name === "bids" ? 1 : -1) * 100 * (1 - part)}%)`;
      const orders = line.orders ?? 0;
      write(own, orders ? `▸${text.compact(orders)}` : line.fills ? `◆${text.compact(line.fills)}` : "");
      own.classList.toggle("done", !orders);
      put(own, "title", orders ? `own order, ${text.count(orders, true)} remaining` : "own fills at this price");
      row.title = tip(line, side, look);
    }

    // Rows are kept by price and moved, never rewritten by rank; nothing else on the page moves with them.
    function place(side, lines, look, share, calm) {
      const next = new Map();
      const freed = [...side.rows].filter(([key]) => !lines.some((line) => line.key === key)).map(([, made]) => made);
      side.spare.push(...freed);
      for (const line of lines) {
        const made = side.rows.get(line.key) ?? side.spare.pop() ?? makeRow(side);
        if (!side.rows.has(line.key)) made.flashed = -Infinity;
        next.set(line.key, made);
        paintLine(made, line, side, look, share);
      }
      for (const made of side.spare) made.row.remove();
      side.rows = next;
      const upwards = side.name === "asks";
      const ordered = upwards ? [...lines].reverse() : lines;
      const above = upwards ? look.rows - lines.length : 0;
      ordered.forEach((line, i) => {
        const { row } = next.get(line.key);
        if (side.group.children[i] !== row) side.group.insertBefore(row, side.group.children[i] ?? null);
        row.style.transform = `translateY(${22 * (above + i)}px)`;
      });
      const sizes = new Map(lines.filter((line) => line.size).map((line) => [line.key, line.size]));
      const fresh = [...sizes].filter(([key, size]) => side.sizes.get(key) !== size).map(([key]) => key);
      side.sizes = sizes;
      return calm ? [] : fresh.map((key) => next.get(key));
    }

    function flash(changed, all, look) {
      // A book that came anew, or nearly so, says nothing by flashing.
      if (changed.length > all / 2) return;
      const now = performance.now();
      for (const made of changed.filter((each) => now - each.flashed >= REST_MS)) {
        made.flashed = now;
        const rest = getComputedStyle(made.fill).opacity;
        if (look.reduced) made.row.dataset.new = "";
        else made.fill.animate({ opacity: [rest, 0.36, rest] }, { duration: REST_MS, easing: "ease-out" });
      }
    }

    function say(side, words) {
      side.missing ??= make(make(make(side.group, "", "row"), "missing", "cell"), "", "", "span");
      const row = side.missing.closest("[role=row]");
      row.hidden = !words;
      side.group.append(row);
      write(side.missing, words);
    }

    function read(picture) {
      const levels = (rows) => (rows ?? []).map(([price, size]) => [text.price(price), text.size(size)]);
      return { bids: levels(picture.bids), asks: levels(picture.asks) };
    }

    function marks(picture, isBid) {
      const on = (rows) => (rows ?? []).filter(([outcome]) => (outcome === "yes") === isBid).map(([, price, size]) => [text.price(price), text.size(size)]);
      const sum = (rows) => rows.reduce((all, [price, size]) => all.set(price, (all.get(price) ?? 0) + size), new Map());
      return { orders: sum(on(picture.orders)), fills: sum(on(picture.fills)) };
    }

    function paintMiddle(book, look) {
      const [mid, spread, imbalance, words] = middle;
      const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
      const isBoth = bid !== undefined && ask !== undefined;
      const isNone = bid === undefined && ask === undefined;
      for (const cell of [mid, spread, imbalance]) cell.hidden = isNone;
      words.hidden = !isNone;
      if (isNone) return write(words, look.body === "waiting" ? "waiting for the snapshot" : look.body === "nothing" ? "no such market" : "no resting orders");
      const sum = (rows) => rows.slice(0, look.rows).reduce((all, [, size]) => all + size, 0);
      let [up, down] = [sum(book.bids), sum(book.asks)];
      if (mirrored(look)) [up, down] = [down, up];
      write(mid, isBoth ? `mid ${text.middle(leg(bid, look), leg(ask, look), look.unit, decimals)}` : "no mid");
      write(spread, isBoth ? `${ask < bid ? "crossed by" : "spread"} ${text.money(Math.abs(ask - bid), look.unit, decimals)}` : "no spread");
      const part = Math.round((100 * (up - down)) / (up + down));
      writeWords(imbalance, `imb|alance| ${isBoth ? `${part < 0 ? "\u2212" : part ? "+" : ""}${Math.abs(part)}\u202f%` : "–"}`);
      put(imbalance, "title", "bids less asks, of both, of the levels shown");
    }

    function paintResult(picture, look) {
      const [name, , pays] = status.outcome(picture.market);
      const then = { determined: "determined, not settled yet", finalized: look.words.replace("|", "") }[look.phase];
      if (!result.firstChild) for (const tag of ["b", "p", "p"]) make(result, "", "", tag);
      [`${look.glyph} ${name}`, pays, then ?? `the result is ${look.phase}`].forEach((words, i) => write(result.children[i], words));
    }

    function paint(picture, given, calm) {
      const look = { ...given, rows: given.settings.levels ?? 10 };
      body.style.setProperty("--rows", look.rows);
      table.hidden = look.body === "result";
      result.hidden = !table.hidden;
      if (look.body === "result") return paintResult(picture, look);
      const book = look.body === "nothing" ? { bids: [], asks: [] } : read(picture);
      const both = [...book.bids, ...book.asks];
      decimals = Math.max(decimals, picture.decimals ?? 0, ...both.map(([price]) => text.needed(price)));
      fractional ||= both.some(([, size]) => !text.isWhole(size));
      const step = 10 ** (2 - decimals);
      const ticks = picture.ticks?.length ? picture.ticks : [[0, DOLLAR, step]];
      const laid = { bids: null, asks: null };
      for (const [name, away] of [["bids", -1], ["asks", 1]]) {
        const { orders, fills } = marks(picture, name === "bids");
        laid[name] = lay(book[name], [...orders.keys(), ...fills.keys()], ticks, away, look.rows);
        for (const line of laid[name]) Object.assign(line, { orders: orders.get(line.price), fills: fills.get(line.price) });
      }
      const lines = [...laid.bids, ...laid.asks];
      table.classList.toggle("owned", lines.some((line) => line.orders || line.fills));
      // The square root, and a full bar for what is far above the median: one giant level leaves the others visible.
      const sizes = lines.map((line) => line.size).filter(Boolean).sort((a, b) => a - b);
      const full = Math.max(1, Math.min(sizes.at(-1) ?? 0, 12 * (sizes[sizes.length >> 1] ?? 0)));
      const share = (size) => Math.min(1, Math.sqrt(size / full));
      const [below, over] = mirrored(look) ? [laid.asks, laid.bids] : [laid.bids, laid.asks];
      const changed = [...place(bids, below, look, share, calm), ...place(asks, over, look, share, calm)];
      flash(changed, sizes.length, look);
      const isSilent = look.body === "waiting" || look.body === "nothing";
      say(asks, isSilent || over.length ? "" : "no asks");
      say(bids, isSilent || below.length ? "" : "no bids");
      paintMiddle(book, look);
      writeWords(heads[0], "bid| contracts");
      write(heads[1], mirrored(look) ? "NO price" : "YES price");
      writeWords(heads[2], "ask| contracts");
      put(table, "aria-label", `Levels of the ${mirrored(look) ? "NO" : "YES"} leg, asks above bids`);
    }

    const arrow = (last) => (last.taker === "yes" ? "▲" : "▼");
    function tick(picture, look) {
      for (const side of [bids, asks]) for (const made of side.rows.values()) if (performance.now() - made.flashed > 1000) delete made.row.dataset.new;
      const { last } = picture;
      const key = last && look.now - last.at < MARKED_SECONDS ? `${text.price(last.price)}` : null;
      const made = key && (bids.rows.get(key) ?? asks.rows.get(key));
      if (mark && mark !== made?.taken) write(mark, "");
      mark = made?.taken ?? null;
      if (mark) write(mark, arrow(last));
    }

    function note(picture, look) {
      const { last } = picture;
      if (!last) return "";
      const size = text.size(last.size);
      return `last ${shown(text.price(last.price), look)} × ${text.count(size, !text.isWhole(size))} ${last.taker === "yes" ? "YES" : "NO"} ${arrow(last)} ${text.age(look.now - last.at)} ago`;
    }

    function aside(picture) {
      const [bid, ask] = [picture.bids?.length, picture.asks?.length];
      return bid && ask ? "" : bid || ask ? "|, one-sided" : "|, empty";
    }

    function sentence(picture, look) {
      const book = read(picture);
      if (mirrored(look)) [book.bids, book.asks] = [book.asks, book.bids];
      const name = mirrored(look) ? "NO" : "YES";
      const spoken = (p) => (look.unit === "probability" ? `${text.cents(p)} percent` : `${text.cents(p)} cents`);
      const best = ([level], word) => (level ? `${word} ${spoken(leg(level[0], look))} for ${text.count(level[1], !text.isWhole(level[1]))}` : `no ${word}`);
      const [bid, ask] = [book.bids[0], book.asks[0]];
      const spread = bid && ask ? `, spread ${spoken(Math.abs(ask[0] - bid[0]))}` : "";
      return `${name} ${best(book.bids, "bid")}, ${best(book.asks, "ask")}${spread}`;
    }

    return { label: (ticker) => `Order book of ${ticker}`, paint, tick, note, aside, sentence };
  }

  return { kind: "ladder", mount, between, lay };
})();
