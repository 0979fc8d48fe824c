// One's own positions, orders and fills: a table each, of what somebody on the feed hears of. Prices and sides are of
// what was bought: a NO at 40 cents, not a YES sold at 60.
const account = (() => {
  const DASH = "–";
  const DOTS = "•••";
  const LEAST = 2; // lines that a table has room for; it gets no smaller again, and scrolls within itself beyond the most
  const MOST = 8;
  const SECTIONS = {
    positions: [["market", "market"], ["size", "contracts"], ["average", "average"], ["mark", "mark"], ["gain", "unrealized"], ["won", "realized"], ["fees", "fees"]],
    orders: [["market", "market"], ["side", "side"], ["price", "price"], ["left", "remaining"], ["state", "status"], ["when", "age"]],
    fills: [["market", "market"], ["when", "time"], ["side", "side"], ["price", "price"], ["size", "contracts"], ["role", "as"], ["fees", "fee"]],
  };

  // What has no room in its column is written in few digits, and all of it on demand.
  function dollars(value, most = 100000) {
    const all = Math.abs(Math.round(value * 100));
    return all < most * 100 ? text.dollars(all / 100) : `$${text.compact(all)}`;
  }
  function gain(value) {
    const cents = Math.round(value * 100);
    return cents ? `${cents > 0 ? "+" : "\u2212"}${dollars(value)} ${cents > 0 ? "▲" : "▼"}` : dollars(0);
  }

  function mount(body, { make, write, put }) {
    const parts = {};
    for (const [name, columns] of Object.entries(SECTIONS)) parts[name] = makePart(name, columns);
    let fractional = false;
    let decimals = 0;

    function makeRow(box, columns, role) {
      const row = make(box, "row", "row");
      return { row, cells: Object.fromEntries(columns.map(([key]) => [key, make(row, key, role)])) };
    }
    function makePart(name, columns) {
      const box = make(body, `part ${name}`);
      box.hidden = true;
      const head = make(box, "name", "heading");
      head.setAttribute("aria-level", "4");
      const table = make(box, "", "table");
      table.setAttribute("aria-label", `Own ${name}`);
      const heads = makeRow(make(table, "heads", "rowgroup"), columns, "columnheader");
      for (const [key, words] of columns) write(heads.cells[key], words);
      const rows = make(table, "rows", "rowgroup");
      rows.tabIndex = 0;
      rows.setAttribute("aria-label", `Rows of own ${name}`);
      const total = name === "positions" ? makeRow(make(table, "total", "rowgroup"), columns, "cell") : null;
      const missing = make(box, "missing");
      return { box, head, table, rows, total, missing, columns, made: [], lines: LEAST };
    }

    function paintMarket(cell, ticker, [title, subtitle] = []) {
      if (!cell.firstChild) for (const name of ["question", "strike"]) make(cell, name, "", "span");
      const [question, strike] = cell.children;
      const [known, which] = [text.clean(title), text.clean(subtitle)];
      write(question, known || text.clean(ticker));
      write(strike, known ? which : "");
      put(cell, "title", [text.clean(ticker), known, which].filter(Boolean).join(" · "));
    }
    function paintSide(cell, side) {
      write(cell, side ? side.toUpperCase() : DASH);
      put(cell, "data-side", side ?? "");
    }
    function paintGain(cell, value, blank) {
      write(cell, value == null ? blank : gain(value));
      put(cell, "title", value == null ? "" : `${value < 0 ? "\u2212" : ""}${text.dollars(Math.abs(value))}`);
      put(cell, "data-side", value == null || !Math.round(value * 100) ? "" : value > 0 ? "yes" : "no");
    }
    const price = (value, look, blank = DASH) => (value == null ? blank : text.money(text.price(value), look.unit, decimals));
    const whole = (value, blank) => (value == null ? blank : text.count(text.size(value), fractional));
    const count = (value, blank, most = 100000) => (Math.abs(value) < most ? whole(value, blank) : `${value < 0 ? "\u2212" : ""}${text.compact(text.size(Math.abs(value)))}`);
    function paintFee(cell, value, blank) {
      write(cell, value == null ? blank : dollars(value, 10000));
      put(cell, "title", value == null ? "" : `$${value.toFixed(4)}`);
    }

    const PAINT = {
      positions({ cells }, row, look, blank) {
        const size = row.size == null ? blank : count(Math.abs(row.size));
        write(cells.size, row.side === "flat" ? "flat" : `${size} ${row.side.toUpperCase()}`);
        put(cells.size, "data-side", row.side);
        put(cells.size, "title", row.size == null ? blank : `${whole(Math.abs(row.size))} ${row.side.toUpperCase()} held`);
        // Of several fills an average is on no grid: a tenth of a cent is what is read, and all of it on demand.
        write(cells.average, row.average == null ? (row.side === "flat" ? DASH : blank) : text.money(look.unit === "dollars" ? text.price(row.average) : Math.round(row.average * 1000) * 10, look.unit, 1));
        put(cells.average, "title", row.average == null ? "" : `$${row.average.toFixed(6)} each`);
        write(cells.mark, row.mark == null ? DASH : `${price(row.mark, look)} ${row.by}`);
        put(cells.mark, "title", { bid: `best bid for ${row.side.toUpperCase()}`, last: "newest trade: the feed keeps no live book of this market" }[row.by] ?? (row.side === "flat" ? "" : "no bid, and no trade seen"));
        paintGain(cells.gain, row.unrealized, row.side === "flat" || !look.isHidden ? DASH : blank);
        paintGain(cells.won, row.realized, blank);
        paintFee(cells.fees, row.fees, blank);
      },
      orders(made, row, look, blank) {
        const { cells } = made;
        paintSide(cells.side, row.side);
        write(cells.price, price(row.price, look));
        made.words ??= make(cells.left, "", "", "span");
        made.bar ??= make(make(cells.left, "lane"), "bar");
        write(made.words, row.is_over ? text.clean(row.status) : `${row.is_doubtful ? "? " : ""}${row.left == null ? blank : `${count(row.left, "", 10000)} of ${count(row.initial, "", 10000)}`}`);
        put(cells.left, "title", `${row.left == null ? "" : `${whole(row.left)} of ${whole(row.initial)} remaining`}${row.is_doubtful ? "; heard of before a gap: its end may have been missed" : ""}`);
        made.bar.style.transform = `scaleX(${row.initial ? Math.min(1, Math.max(0, row.left / row.initial)) : 0})`;
        put(made.bar, "data-side", row.side ?? "");
        write(cells.state, text.clean(row.status));
        made.row.classList.toggle("over", row.is_over);
        made.since = row.at;
        paintAge(made, look);
      },
      fills({ cells }, row, look, blank) {
        write(cells.when, text.time(row.at, look.settings.timezone).replace(/ .*/, ""));
        put(cells.when, "title", text.date(row.at));
        paintSide(cells.side, row.side);
        write(cells.price, price(row.price, look));
        write(cells.size, count(row.size, blank));
        write(cells.role, row.is_taker == null ? DASH : row.is_taker ? "taker" : "maker");
        paintFee(cells.fees, row.fee, blank);
      },
    };
    function paintAge(made, look) {
      write(made.cells.when, text.age(look.now - made.since));
    }

    function paintTotal({ cells }, total, blank) {
      const isPart = total && total.marked < total.held;
      write(cells.market, isPart ? `total, ${total.marked} of ${total.held} marked` : "total");
      put(cells.market, "title", isPart ? "unrealized of those that have a mark" : "");
      paintGain(cells.gain, total?.unrealized, blank);
      paintGain(cells.won, total?.realized, blank);
      paintFee(cells.fees, total?.fees, blank);
    }

    function paint(picture, given) {
      const look = { ...given, isHidden: picture.hidden };
      const blank = picture.hidden ? DOTS : DASH;
      const all = Object.values(picture.sections ?? {}).flatMap((each) => each.rows);
      fractional ||= all.some((row) => [row.size, row.left, row.initial].some((each) => each != null && !text.isWhole(text.size(each))));
      decimals = Math.max(decimals, ...all.flatMap((row) => [row.price, row.mark]).map((each) => (each == null ? 0 : text.needed(text.price(each)))));
      for (const [name, part] of Object.entries(parts)) {
        const section = picture.sections?.[name];
        part.box.hidden = !section;
        if (!section) continue;
        const { rows, more } = section;
        while (part.made.length > rows.length) part.made.pop().row.remove();
        rows.forEach((row, i) => {
          const made = (part.made[i] ??= makeRow(part.rows, part.columns, "cell"));
          paintMarket(made.cells.market, row.market, picture.markets[row.market]);
          PAINT[name](made, row, look, blank);
        });
        part.lines = Math.max(part.lines, Math.min(MOST, rows.length));
        part.rows.style.setProperty("--lines", part.lines);
        if (part.total) {
          paintTotal(part.total, picture.total, blank);
          part.total.row.parentNode.style.visibility = rows.length ? "" : "hidden"; // its place is kept
        }
        const below = rows.length > MOST ? `, ${MOST} at a time: scroll` : "";
        const number = picture.masked ? "" : ` ${rows.length + more}${more ? `, ${more} not shown` : ""}${below}`;
        write(part.head, `${name}${number}`);
        const hidden = look.word === "silent" ? "left out of what a notebook stores" : "not shown until this page has answered";
        write(part.missing, picture.masked ? hidden : rows.length ? "" : look.body === "waiting" ? "waiting for the first" : "none heard of yet");
      }
    }

    function tick(_, look) {
      for (const made of parts.orders.made) paintAge(made, look);
    }

    function sentence(picture) {
      if (picture.masked) return "not shown yet";
      const words = Object.entries(picture.sections ?? {}).map(([name, { rows, more }]) => `${rows.length + more} ${name}`);
      const { unrealized } = picture.total ?? {};
      if (unrealized != null) words.push(`unrealized ${unrealized < 0 ? "minus" : "plus"} ${dollars(unrealized)}`);
      return words.join(", ");
    }

    const note = (picture) => (picture.hidden ? "amounts are masked" : "");
    return { label: (ticker) => `Own account: ${ticker}`, paint, tick, note, sentence };
  }

  return { kind: "account", signs: { "+ ▲, − ▼": "gain, loss", "? of": "may be over: heard of before a gap" }, mount, controls: ["unit"] };
})();
