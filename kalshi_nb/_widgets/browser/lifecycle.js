// What happens to markets and events, one line each, newest first.
const lifecycle = (() => {
  function mount(body, tools) {
    const { make, write, writeWords, put, state } = tools;
    const moment = list.makeMoment(state);
    const types = new Set();
    let now = { lines: [] };
    let seen = {};
    const tip = (line) => [text.date(line[1]), ...[line[4], line[5], line[6]].map(text.clean)].filter(Boolean).join(" · ");
    const grid = list.mount(body, tools, { columns: ["time", "event", "market"], passes, fill, words: () => undefined, tip, nothing });
    const spoken = (type) => text.clean(type).replaceAll("_", " ").slice(0, 40);

    make(grid.filter, "", "", "span").textContent = "show";
    const choice = make(grid.filter, "", "", "select");
    put(choice, "aria-label", "Which changes");
    addType("", "all changes");
    choice.addEventListener("change", () => { grid.toTop(); paint(seen.picture, seen.look, true); });
    function addType(type, words) {
      types.add(type);
      const option = make(choice, "", "", "option");
      option.value = type;
      option.textContent = words;
    }

    function passes(line) { return !choice.value || line[2] === choice.value; }
    function fill(cells, line, look) {
      const [, at, , glyph, words, name, ticker, times] = line;
      write(cells.time, list.time(at, look.settings.timezone));
      if (!cells.event.firstChild) { make(cells.event, "glyph", "", "span"); cells.event.append(" "); make(cells.event, "", "", "span"); }
      write(cells.event.children[0], text.clean(glyph).slice(0, 2));
      write(cells.event.children[1], text.clean(words));
      if (!cells.market.firstChild) { make(cells.market, "name", "", "span"); make(cells.market, "", "", "code"); }
      cells.market.children[0].hidden = !name;
      list.writeEnds(cells.market.children[0], text.clean(name), " · ", make);
      list.writeEnds(cells.market.children[1], times > 1 ? "" : text.clean(ticker), "-", make);
      return "";
    }
    function nothing(look, unfiltered) {
      if (unfiltered) return `no change of this kind among the last ${text.count(unfiltered * 100)}`;
      return look.body === "waiting" ? "waiting for the exchange" : look.word === "closed" ? "nothing happened" : "nothing has happened yet";
    }

    function paint(picture, look, calm) {
      seen = { picture, look };
      now = moment(picture, look);
      for (const line of now.lines) if (line[1] !== "…" && types.size < 40 && !types.has(line[2])) addType(line[2], spoken(line[2]));
      writeWords(grid.heads.time, list.zoned(look.settings.timezone));
      write(grid.heads.event, "what happened");
      write(grid.heads.market, "market");
      put(grid.table, "aria-label", "What happened to markets, newest first");
      grid.paint(now.lines, look, calm);
    }
    function sentence() {
      const line = now.lines.find((each) => each[1] !== "…");
      return line ? `last: ${[line[4], line[5] || (line[7] > 1 ? "" : line[6])].filter(Boolean).map(text.clean).join(", ")}` : "nothing has happened yet";
    }
    const note = () => text.many(now.total ?? 0, "change");

    return { label: (title) => title, paint, tick: (picture, look) => grid.tick(look), note, sentence };
  }

  return { kind: "lifecycle", controls: [], mount, begin: list.begin, extend: list.extend };
})();
