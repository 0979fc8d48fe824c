// A list that grows at its top and is kept by keys. Only the rows in sight have nodes, and these are used again; whoever
// has scrolled down is left in peace, and told how many rows came meanwhile.
const list = (() => {
  const EXTRA = 3; // rows drawn beyond either edge
  const FADE_MS = 400;

  // A line is an array: its key, and what its view knows of it. [key, "…", words] is a line of words of the list's own.
  const begin = (picture) => ({ ...picture, lines: picture.lines ?? [] });
  function extend(series, delta) {
    const news = new Map(delta.lines.map((line) => [line[0], line]));
    const kept = series.lines.map((line) => {
      const now = news.get(line[0]);
      news.delete(line[0]);
      return now ?? line;
    });
    const more = delta.more ? [[`more ${delta.total}`, "…", `+${text.count(delta.more * 100)} more`, delta.more]] : [];
    // Another array, so that whoever has kept the one before has that moment.
    Object.assign(series, delta, { lines: [...news.values(), ...more, ...kept].slice(0, delta.length) });
  }

  // Of a view: its columns, what a line passes, what stands in a row's cells, in one of words and in its tip, and in an empty list.
  function mount(body, { make, makeButton, write, put, seat, state }, { columns, passes, fill, words, tip, nothing }) {
    const bar = make(body, "bar");
    const filter = make(bar, "filter", "", "label");
    const chip = makeButton(bar, "fresh", "", () => { table.scrollTop = 0; table.focus(); onScroll(); });
    const table = make(body, "list", "table");
    table.tabIndex = 0;
    const heads = make(make(table, "heads", "rowgroup"), "entry", "row");
    const named = Object.fromEntries(columns.map((name) => [name, make(heads, name, "columnheader")]));
    const rows = make(table, "rows", "rowgroup");
    let shown = []; // of this moment, or of that in which somebody scrolled down
    let isHeld = false;
    let all = [];
    let drawn = new Map();
    let spare = [];
    let look = { settings: {} };
    let high = 24;
    chip.hidden = true;
    table.addEventListener("scroll", onScroll);
    new ResizeObserver(() => draw()).observe(table);

    function makeRow() {
      const row = make(rows, "entry", "row");
      const cells = Object.fromEntries(columns.map((name) => [name, make(row, name, "cell")]));
      const line = make(row, "words", "cell");
      put(line, "aria-colspan", columns.length);
      return { row, cells, line };
    }
    const wordsOf = (line) => (line[1] === "…" ? line[2] : words(line, look));
    function paintRow({ row, cells, line: place }, line) {
      const said = wordsOf(line);
      const isWords = said !== undefined;
      for (const cell of Object.values(cells)) cell.hidden = isWords;
      place.hidden = !isWords;
      if (isWords) write(place, said);
      const kind = !isWords ? fill(cells, line, look) : line[1] === "…" ? "" : "hole";
      row.className = `entry ${kind}`.trim();
      row.title = isWords && line[1] === "…" ? said : tip(line, look);
    }

    function draw(fresh = new Set()) {
      high = parseFloat(getComputedStyle(table).getPropertyValue("--high")) || 24;
      const room = table.clientHeight || 312;
      const from = Math.max(0, Math.floor(table.scrollTop / high) - EXTRA);
      const seen = shown.slice(from, Math.ceil((table.scrollTop + room) / high) + EXTRA);
      rows.style.height = `${high * shown.length}px`;
      put(table, "aria-rowcount", shown.length + 1);
      const keys = new Set(seen.map((line) => line[0]));
      for (const [key, made] of drawn) if (!keys.has(key)) spare.push(made);
      const next = new Map();
      seen.forEach((line, i) => {
        const made = drawn.get(line[0]) ?? spare.pop() ?? makeRow();
        next.set(line[0], made);
        made.is = line;
        paintRow(made, line);
        put(made.row, "aria-rowindex", from + i + 2);
        made.row.style.transform = `translateY(${high * (from + i)}px)`;
        seat(rows, made.row, i);
        if (fresh.has(line[0])) made.row.animate({ opacity: ["var(--k-fill)", 0] }, { duration: FADE_MS, pseudoElement: "::before" });
      });
      for (const made of spare) made.row.remove();
      spare = spare.slice(0, 30);
      drawn = next;
      tellNew();
    }

    function tellNew() {
      const first = shown[0]?.[0];
      const at = isHeld ? all.findIndex((line) => line[0] === first) : 0;
      const came = (at < 0 ? all : all.slice(0, at)).reduce((sum, line) => sum + (line[1] === "…" ? line[3] ?? 0 : 1), 0);
      chip.hidden = !came;
      write(chip, `↑ ${text.count(came * 100)}${at < 0 ? "+" : ""} new`);
      chip.title = "Show the newest rows";
    }

    function onScroll() {
      const isAway = table.scrollTop > high / 2;
      if (isHeld && !isAway) { isHeld = false; shown = all; }
      else if (isAway) isHeld = true;
      draw();
    }

    // Lines of a picture; `calm` where nothing is to be said to be new.
    function paint(given, given_look, calm) {
      look = given_look;
      body.style.setProperty("--list", look.room ? `${Math.max(72, look.room - bar.offsetHeight)}px` : "");
      const before = new Set(all.map((line) => line[0]));
      all = given.filter((line) => line[1] === "…" || passes(line));
      if (state.isBroken) all = [["lost", "…", "lines were lost on the way here; all come again soon", 0], ...all];
      if (!all.length) all = [["nothing", "…", nothing(look, given.length), 0]];
      const now = new Map(all.map((line) => [line[0], line]));
      shown = isHeld ? shown.map((line) => now.get(line[0]) ?? line) : all;
      const fresh = all.filter((line) => !before.has(line[0]) && line[1] !== "…").map((line) => line[0]);
      const isQuiet = calm || look.reduced || isHeld || fresh.length > (table.clientHeight || 312) / high / 2;
      draw(new Set(isQuiet ? [] : fresh));
    }

    // What grows by the second.
    function tick(given_look) {
      look = given_look;
      for (const made of drawn.values()) if (!made.line.hidden) write(made.line, wordsOf(made.is));
    }
    function toTop() { isHeld = false; table.scrollTop = 0; }

    return { filter, table, heads: named, paint, tick, toTop };
  }

  // What of a picture is to be shown: of one at which a person has stopped, what was there then.
  function makeMoment(state) {
    let kept;
    return (picture, look) => {
      if (look.word !== "paused" || picture.status === "paused" || !kept) kept = { ...(state.series ?? begin(picture)) };
      return kept;
    };
  }

  const time = (at, zone) => text.time(at, zone).slice(0, 8);
  const zoned = (zone) => `time| (${zone === "local" ? "local" : "UTC"})`;

  // Names differ at their ends, behind the last mark, which stay where there is no room for all of one.
  function writeEnds(cell, words, mark, make) {
    if (cell.dataset.of === words) return;
    const end = words.lastIndexOf(mark);
    const cut = end < 1 ? words.length : end;
    Object.assign(cell, { title: words, textContent: "" });
    cell.dataset.of = words;
    cell.style.setProperty("--end", Math.min(words.length - cut, 12));
    make(cell, "start", "", "span").textContent = words.slice(0, cut);
    make(cell, "end", "", "span").textContent = words.slice(cut);
  }

  return { begin, extend, mount, makeMoment, time, zoned, writeEnds };
})();
