// A book as a ladder: the price in the middle, bids left and below, asks right and above, levels where they are in
// price. All is worked out for the YES leg; the NO leg is its mirror, made when it is written.
const ladder = (() => {
  const MARKED_SECONDS = 5;
  const REST_MS = 600; // between two flashes of one level
  const DOLLAR = 10000;
  const GRID_ROWS = 21;
  const KEYS = { t: "running totals", c: "centre the grid" };
  const SIGNS = { "▸": "own order, contracts that remain", "◆": "own fill", "▲ ▼": "trade: its taker bought YES, or NO" };

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

  // Every price of a grid, lowest first, and those that are taken beside it.
  function every(ticks, taken) {
    const all = new Set(taken);
    for (const [start, end, step] of ticks) for (let p = start; p <= end; p += step) if (p > 0 && p < DOLLAR) all.add(p);
    return [...all].sort((a, b) => a - b);
  }

  // Each of some prices as a row of its own: bids up to the best bid, all that is above it with the asks. Of a crossed
  // book a price may be both.
  function layGrid({ bids, asks }, prices, turned) {
    const cut = bids[0]?.[0] ?? (asks[0]?.[0] ?? prices[prices.length >> 1]) - 1;
    const side = (levels, isHere, outwards) => {
      const sizes = new Map(levels);
      let [total, cost] = [0, 0];
      const lines = [];
      for (const p of outwards(prices.filter((each) => isHere(each) || sizes.has(each)))) {
        const [size, i] = [sizes.get(p), prices.indexOf(p)];
        total += size ?? 0;
        cost += (p * (size ?? 0)) / 1e6;
        lines.push({ key: `${p}`, price: p, at: turned ? i : prices.length - 1 - i, size, total, cost, best: p === levels[0]?.[0], twin: levels === asks && p <= cut });
      }
      return lines;
    };
    return { bids: side(bids, (p) => p <= cut, (all) => all.reverse()), asks: side(asks, (p) => p > cut, (all) => all) };
  }

  function mount(body, { make, makeButton, label, write, writeWords, put, seat, redraw }) {
    const table = make(body, "table", "table");
    const result = make(body, "result");
    const columns = make(table, "columns", "row");
    const heads = ["bid", "price", "ask"].map((name) => {
      const head = make(columns, name, "columnheader");
      const words = make(head, "", "", "span");
      if (name !== "price") makeSum(make(head, "sum")).forEach((each, i) => {
        write(each, i ? "total $" : "total");
        each.title = `${i ? "Dollars, before fees," : "Contracts"} from the best price to here`;
      });
      return words;
    });
    const own = make(body, "own", "group");
    const centre = makeButton(own, "", "◎", () => { held.key = null; redraw(); }, "Centre the grid");
    const sums = makeButton(own, "", "", () => { isSummed = !isSummed; redraw(); }, "Running totals");
    const asks = makeSide("asks");
    const middle = makeMiddle();
    const bids = makeSide("bids");
    let decimals = 0;
    let fractional = false;
    let mark = null;
    let isSummed = false;
    let told; // what was asked for; a person may have chosen otherwise since
    let held = { key: null, prices: [] }; // the ticks in sight, which stay where they are while the touch is among them
    put(own, "aria-label", "Controls of the levels");

    function makeSum(box) {
      return ["adds", "dollars"].map((name) => make(box, name, "", "span"));
    }
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
      const own = make(cell, "mark", "img", "span");
      const parts = name === "bids" ? ["sum", "size", "lane"] : ["lane", "size", "sum"];
      const made = Object.fromEntries(parts.map((each) => [each, make(cell, each)]));
      const sum = makeSum(made.sum);
      const bar = make(made.lane, "bar");
      const taken = make(cells[1], "taken", "", "span");
      const note = make(row, "", "cell", "span");
      return { row, cells, own, ...made, sum, bar, fill: make(bar, "fill"), taken, price: make(cells[1], "", "", "span"), note, flashed: -Infinity };
    }

    // The leg that is shown: a NO bid is a YES ask at what is left of the dollar.
    const mirrored = (look) => look.side === "no";
    const leg = (p, look) => (mirrored(look) ? DOLLAR - p : p);
    const shown = (p, look) => text.money(leg(p, look), look.unit, decimals);

    const swept = (line, look) => (mirrored(look) ? line.total / 100 - line.cost : line.cost);
    function tip(line, side, look) {
      const [isBid, name] = [side.name === "bids", look.leg];
      const other = text.money(DOLLAR - leg(line.price, look), look.unit, decimals);
      const same = isBid ? "" : ` = ${name === "YES" ? "NO" : "YES"} bid at ${other}`;
      const sweep = line.size ? `; ${text.count(line.total, fractional)} to here, ${text.dollars(swept(line, look))} before fees` : "; no order";
      return `${shown(line.price, look)} ${name} ${isBid ? "bid" : "ask"}${same}${sweep}`;
    }

    function paintLine(made, line, side, look, share) {
      const { row, own, size, sum, bar, price, cells, note } = made;
      const name = `row${line.best ? " best" : ""}${line.twin ? " twin" : ""}${line.hole ? " hole" : line.size ? "" : " bare"}`;
      if (row.className !== name) {
        row.className = name;
        // Words of another weight, moved with their row, would count as a shift of the layout; new words do not.
        size.textContent = price.textContent = "";
      }
      cells.forEach((cell) => { cell.hidden = !!line.hole; });
      note.hidden = !line.hole;
      if (line.hole) {
        write(note, `⋯ ${String(line.hole).padStart(2, "\u2007")} ticks empty ⋯`);
        row.title = "no orders";
        return;
      }
      write(price, shown(line.price, look));
      const written = line.size ? text.count(line.size, fractional) : "";
      write(size, isSummed && written.length > 6 ? text.compact(line.size) : written);
      const brief = (size) => text.compact(size < 10000 ? size : Math.round(size / 100) * 100); // all of it is in the title
      const adds = isSummed && line.size;
      write(sum[0], adds ? brief(line.total) : "");
      const dollars = swept(line, look);
      write(sum[1], adds ? `$${text.compact(Math.round(dollars < 100 ? 100 * dollars : dollars) * (dollars < 100 ? 1 : 100))}` : "");
      const part = line.size ? share(line.size) : 0;
      bar.style.transform = `translateX(${(side.name === "bids" ? 1 : -1) * 100 * (1 - part)}%)`;
      const orders = line.orders ?? 0;
      write(own, orders ? `▸${brief(orders)}` : line.fills ? `◆${brief(line.fills)}` : "");
      own.classList.toggle("done", !orders);
      const said = [orders && `own order, ${text.count(orders, true)} remaining`, line.fills && `own fills, ${text.count(line.fills, true)}`];
      label(own, said.filter(Boolean).join("; "));
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
        seat(side.group, row, i);
        row.style.transform = `translateY(${22 * (line.at ?? above + i)}px)`;
      });
      const sizes = new Map(lines.filter((line) => line.size).map((line) => [line.key, line.size]));
      const fresh = [...sizes].filter(([key, size]) => side.sizes.get(key) !== size).map(([key]) => key);
      side.sizes = sizes;
      return calm ? [] : fresh.map((key) => next.get(key));
    }

    function flash(changed, all, look) {
      // A book that came anew, or nearly so, says nothing by flashing.
      if (changed.length > all / 2) return;
      const now = document.timeline.currentTime; // of the frame, from which an animation counts
      for (const made of changed.filter((each) => now - each.flashed >= REST_MS)) {
        made.flashed = now;
        if (look.reduced) made.row.dataset.new = "";
        else made.fill.animate({ opacity: [0.36], offset: [0.5] }, { duration: REST_MS, easing: "ease-out" }); // and back
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
      const book = { bids: levels(picture.bids), asks: levels(picture.asks) };
      // Of levels that were merged the best is not the best price.
      const touch = picture.touch?.map((level) => level && levels([level])[0]) ?? [book.bids[0], book.asks[0]];
      return { ...book, touch };
    }

    function marks(picture, isBid) {
      const on = (rows) => (rows ?? []).filter(([outcome]) => (outcome === "yes") === isBid).map(([, price, size]) => [text.price(price), text.size(size)]);
      const sum = (rows) => rows.reduce((all, [price, size]) => all.set(price, (all.get(price) ?? 0) + size), new Map());
      return { orders: sum(on(picture.orders)), fills: sum(on(picture.fills)) };
    }

    function paintMiddle(book, look) {
      const [mid, spread, imbalance, words] = middle;
      const [bid, ask] = book.touch.map((level) => level?.[0]);
      const isBoth = bid !== undefined && ask !== undefined;
      const isNone = bid === undefined && ask === undefined;
      for (const cell of [mid, spread, imbalance]) cell.hidden = isNone;
      words.hidden = !isNone;
      if (isNone) return write(words, look.body === "waiting" ? "waiting for the snapshot" : look.body === "nothing" ? "no such market" : "no resting orders");
      let [up, down] = book.touch.map((level) => level?.[1]);
      if (mirrored(look)) [up, down] = [down, up];
      write(mid, isBoth ? `mid ${text.middle(leg(bid, look), leg(ask, look), look.unit, decimals)}` : "no mid");
      write(spread, isBoth ? `${ask < bid ? "crossed by" : "spread"} ${text.money(Math.abs(ask - bid), look.unit, decimals)}` : "no spread");
      const part = Math.round((100 * (up - down)) / (up + down));
      writeWords(imbalance, `imb|alance| ${isBoth && up && down ? `${part < 0 ? "\u2212" : part ? "+" : ""}${Math.abs(part)}\u202f%` : "–"}`);
      put(imbalance, "title", "Contracts bid less contracts asked at the best prices, of both together: book.imbalance");
    }

    function paintResult(picture, look) {
      const [name, , pays] = status.outcome(picture.market);
      const then = { determined: "determined, not settled yet", finalized: look.words.replace("|", "") }[look.phase];
      if (!result.firstChild) for (const tag of ["b", "p", "p"]) make(result, "", "", tag);
      [`${look.glyph} ${name}`, pays, then ?? `the result is ${look.phase}`].forEach((words, i) => write(result.children[i], words));
    }

    // So many rows a side, or in all where each tick has one; no more than there is room for.
    function rowsOf({ grid, levels = 10 }, room) {
      const fit = room === undefined ? Infinity : Math.floor((room - 54) / 22);
      return grid ? Math.max(3, Math.min(GRID_ROWS, fit)) : Math.max(1, Math.min(levels, fit >> 1 || levels));
    }

    function reach(book, ticks, rows, picture) {
      const key = JSON.stringify([ticks, rows]);
      const taken = [...book.bids, ...book.asks].map(([p]) => p);
      const all = every(ticks, taken);
      let touch = [book.bids[0], book.asks[0]].filter(Boolean).map(([p]) => p);
      // A spread wider than the window: it stands at the bid.
      if (touch.length > 1 && Math.abs(all.indexOf(touch[0]) - all.indexOf(touch[1])) >= rows) touch = touch.slice(0, 1);
      if (held.key !== key || touch.some((p) => !held.prices.includes(p))) {
        const wanted = touch.length ? touch.reduce((sum, p) => sum + p, 0) / touch.length : text.price(picture.last?.price ?? 0.5);
        const at = all.findIndex((p) => p >= wanted);
        const from = Math.max(0, Math.min((at < 0 ? all.length : at) - (rows >> 1), all.length - rows));
        held = { key, prices: all.slice(from, from + rows) };
      }
      return held.prices;
    }

    function paint(picture, given, calm) {
      const { settings, room } = given;
      const isGrid = settings.grid === true;
      const look = { ...given, rows: rowsOf(settings, room) };
      if (told !== settings.total) [told, isSummed] = [settings.total, settings.total === true];
      body.style.setProperty("--rows", look.rows);
      body.style.setProperty("--all", isGrid ? look.rows : 2 * look.rows);
      table.classList.toggle("grid", isGrid);
      table.classList.toggle("summed", isSummed);
      put(sums, "aria-pressed", isSummed);
      writeWords(sums, isSummed || isGrid ? "Σ" : "Σ|totals");
      own.hidden = look.body === "result";
      centre.hidden = !isGrid;
      table.hidden = look.body === "result";
      result.hidden = !table.hidden;
      if (look.body === "result") return paintResult(picture, look);
      const book = look.body === "nothing" ? { bids: [], asks: [], touch: [] } : read(picture);
      const both = [...book.bids, ...book.asks];
      decimals = Math.max(decimals, picture.decimals ?? 0, ...both.map(([price]) => text.needed(price)));
      fractional ||= both.some(([, size]) => !text.isWhole(size));
      const step = 10 ** (2 - decimals);
      const ticks = picture.ticks?.length ? picture.ticks : [[0, DOLLAR, step]];
      const isSilent = look.body === "waiting" || look.body === "nothing";
      if (isGrid) look.prices = isSilent ? [] : reach(book, ticks, look.rows, picture);
      const laid = isGrid ? layGrid(book, look.prices, mirrored(look)) : {};
      for (const [name, away] of [["bids", -1], ["asks", 1]]) {
        const { orders, fills } = marks(picture, name === "bids");
        laid[name] ??= lay(book[name], [...orders.keys(), ...fills.keys()], ticks, away, look.rows);
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
      const [far, near] = mirrored(look) ? [book.bids, book.asks] : [book.asks, book.bids];
      for (const [side, name, levels, lines] of [[asks, "asks", far, over], [bids, "bids", near, below]]) {
        const isThere = lines.some((line) => line.size);
        say(side, isSilent || isThere ? "" : levels.length ? `${name} from ${shown(levels[0][0], look)}` : `no ${name}`);
      }
      paintMiddle(book, look);
      writeWords(heads[0], "bid| contracts");
      write(heads[1], `${look.leg} price`);
      writeWords(heads[2], "ask| contracts");
      put(table, "aria-label", `Levels of the ${look.leg} leg, asks above bids`);
    }

    const arrow = (last) => (last.taker === "yes" ? "▲" : "▼");
    function tick(picture, look) {
      for (const side of [bids, asks]) for (const made of side.rows.values()) if (document.timeline.currentTime - made.flashed > 1000) delete made.row.dataset.new;
      const { last } = picture;
      const width = text.size(look.settings.group ?? 0.01);
      const found = (side, round) => side.rows.get(`${round(text.price(last.price) / width) * width}`);
      const isNew = last && look.now - last.at < MARKED_SECONDS;
      const [down, up] = mirrored(look) ? [asks, bids] : [bids, asks];
      const made = isNew && (found(down, Math.floor) ?? found(up, Math.ceil));
      if (mark && mark !== made?.taken) write(mark, "");
      mark = made ? made.taken : null;
      if (mark) write(mark, arrow(last));
    }

    function note(picture, look) {
      const { last } = picture;
      if (!last) return "";
      const size = text.size(last.size);
      return `last ${shown(text.price(last.price), look)} × ${text.count(size)} ${last.taker === "yes" ? "YES" : "NO"} ${arrow(last)} ${text.age(look.now - last.at)} ago`;
    }

    function sentence(picture, look) {
      const [bid, ask] = mirrored(look) ? read(picture).touch.reverse() : read(picture).touch;
      const spoken = (p) => (look.unit === "probability" ? `${text.cents(p)} percent` : `${text.cents(p)} cents`);
      const best = (level, word) => (level ? `${word} ${spoken(leg(level[0], look))} for ${text.count(level[1])}` : `no ${word}`);
      const spread = bid && ask ? `, spread ${spoken(Math.abs(ask[0] - bid[0]))}` : "";
      return `${look.leg} ${best(bid, "bid")}, ${best(ask, "ask")}${spread}`;
    }

    function press(key) {
      if (key === "t") sums.click();
      if (key === "c") centre.click();
    }

    return { press, label: (ticker) => `Order book of ${ticker}`, paint, tick, note, aside: status.lacks, sentence };
  }

  return { kind: "ladder", keys: KEYS, signs: SIGNS, mount };
})();
