// Trades, newest first, and the gaps among them. Prices come of the YES leg; the NO leg is its mirror.
const tape = (() => {
  const DOLLAR = 10000;
  const GAP = 1;

  function mount(body, tools) {
    const { make, write, writeWords, put, state } = tools;
    const moment = list.makeMoment(state);
    const decimals = {};
    let [most, fractional, isSeveral, least] = [0, false, false, 0];
    let now = { lines: [] };
    let named = "";
    let seen = {};
    const grid = list.mount(body, tools, { columns: ["time", "market", "taker", "price", "count"], passes, fill, words, tip, nothing });

    make(grid.filter, "", "", "span").textContent = "≥";
    const field = make(grid.filter, "", "", "input");
    Object.assign(field, { type: "number", min: 0, step: "any", placeholder: "0" });
    put(field, "aria-label", "Trades of at least so many contracts");
    make(grid.filter, "", "", "span").textContent = "contracts";
    field.addEventListener("input", () => { least = text.size(Math.max(0, +field.value || 0)); grid.toTop(); paint(seen.picture, seen.look, true); });

    function passes(line) { return line[1] === GAP || text.size(line[4]) >= least; }
    const of = (line) => line[8] ?? seen.picture?.market?.ticker;
    const isLarge = (line) => now.large != null && line[4] >= now.large;

    // Parts of a cell, so that one of them can be left out where there is no room.
    function writeParts(cell, parts) {
      if (!cell.firstChild) for (const name of Object.keys(parts)) make(cell, name, "", "span");
      Object.values(parts).forEach((words, i) => write(cell.children[i], words));
    }

    function money(line, look) {
      const p = text.price(line[3]);
      const own = Math.max(decimals[of(line)] ?? 0, text.needed(p));
      // Without the decimals that others have, a price keeps their room, so that points stand below each other.
      const pad = look.unit === "dollars" || own === most ? "" : `${own ? "" : "\u2008"}${"\u2007".repeat(most - own)}`;
      return text.money(look.side === "no" ? DOLLAR - p : p, look.unit, own) + pad;
    }

    function fill(cells, line, look) {
      const [, , at, , count, taker, isBlock, isLate, ticker] = line;
      const size = text.size(count);
      const written = list.time(at, look.settings.timezone);
      writeParts(cells.time, { hours: written.slice(0, 5), rest: written.slice(5) });
      if (isSeveral) list.writeEnds(cells.market, text.clean(ticker), "-", make);
      writeParts(cells.taker, { leg: { yes: "YES", no: "NO" }[taker] ?? "–", glyph: { yes: "▲", no: "▼" }[taker] ?? "" });
      write(cells.price, money(line, look));
      const marks = `${isLarge(line) ? "★ " : ""}${isLate ? "↺ " : ""}${isBlock ? "block " : ""}`;
      writeParts(cells.count, { marks, full: text.count(size, fractional), brief: size < 100000 ? text.count(size, fractional) : text.compact(size) });
      return `${taker ?? ""}${isLarge(line) ? " large" : ""}`;
    }

    function tip(line) {
      if (line[1] === GAP) return `${line[6]}, from ${text.date(line[2])}${line[3] == null ? "" : ` to ${text.date(line[3])}`}`;
      const told = `${isLarge(line) ? ", large" : ""}${line[7] ? ", fetched later" : ""}${line[6] ? ", a block trade" : ""}`;
      return `${text.date(line[2])}: taker bought ${line[5]?.toUpperCase() ?? "a side not told"}, ${text.count(text.size(line[4]), fractional)} contracts${told}`;
    }

    function words(line, look) {
      if (line[1] !== GAP) return undefined;
      const [, , opened, closed, came, lost] = line;
      const seconds = Math.max(0, (closed ?? look.now ?? opened) - opened);
      const isTold = seconds >= 1 || !(lost || closed == null);
      const parts = isTold ? [closed == null ? text.age(seconds) : text.lasted(seconds)] : [];
      if (lost) parts.push(`${text.many(lost, "message")} lost`);
      else if (came != null) parts.push(`${text.many(came, "trade")} seen`);
      return `gap ${parts.join(", ")}${closed == null ? " so far" : ""}`;
    }

    function nothing(look, unfiltered) {
      if (unfiltered) return `none of ${text.count(least)} contracts or more`;
      return look.body === "waiting" ? "waiting for the exchange" : look.word === "closed" ? "no trades came" : "no trades yet";
    }

    function paint(picture, look, calm) {
      seen = { picture, look };
      now = moment(picture, look);
      named = picture.market ? "" : text.clean(picture.title);
      isSeveral = !picture.market;
      for (const [ticker, each] of Object.entries(now.decimals ?? {})) decimals[ticker] = Math.max(each, decimals[ticker] ?? 0);
      most = Math.max(most, ...now.lines.filter((line) => line[1] === 0).map((line) => Math.max(decimals[of(line)] ?? 0, text.needed(text.price(line[3])))));
      fractional ||= now.lines.some((line) => line[1] === 0 && !text.isWhole(text.size(line[4])));
      grid.table.classList.toggle("several", isSeveral);
      body.style.setProperty("--price", `${look.unit === "dollars" ? 7.5 : most + 5}ch`);
      writeWords(grid.heads.time, list.zoned(look.settings.timezone));
      write(grid.heads.market, "market");
      write(grid.heads.taker, "taker");
      writeWords(grid.heads.price, `${look.leg}| price`);
      write(grid.heads.count, "contracts");
      grid.heads.market.hidden = !isSeveral;
      field.placeholder = String(look.settings.min_size || 0);
      put(grid.table, "aria-label", `${named || "Trades"}, newest first`);
      grid.paint(now.lines, look, calm);
    }

    function note(picture, look) {
      const all = now.total ?? 0;
      const [least, shown] = [look.settings.min_size, now.lines.filter((line) => line[1] === 0).length];
      const of = all > shown ? `last ${text.count(shown * 100)} of ${text.count(all * 100)}` : text.count(all * 100);
      const large = now.large == null ? "" : ` · ★ ≥ ${text.count(text.size(now.large))}`;
      return `${of} trade${all === 1 ? "" : "s"}${least ? ` ≥ ${text.count(text.size(least))}` : ""}${large}`;
    }

    function sentence(picture, look) {
      const line = now.lines.find((each) => each[1] === 0);
      if (!line) return "no trades";
      const p = text.price(line[3]);
      const price = text.cents(look.side === "no" ? DOLLAR - p : p);
      const where = isSeveral ? ` in ${text.clean(line[8])}` : "";
      const taker = line[5] ? `, taker bought ${line[5].toUpperCase()}` : "";
      return `last trade${where}: ${look.leg} ${price} cents for ${text.count(text.size(line[4]), fractional)}${taker}, at ${text.time(line[2], look.settings.timezone)}`;
    }

    return {
      label: (ticker) => (named || `Trades of ${ticker}`),
      paint,
      tick: (picture, look) => grid.tick(look),
      note,
      aside: () => (now.lines.length ? "" : "|, no trades yet"),
      sentence,
    };
  }

  return { kind: "tape", signs: { "▲ ▼": "trade: its taker bought YES, or NO", "★": "large trade", "↺": "fetched after a gap" }, mount, begin: list.begin, extend: list.extend };
})();
