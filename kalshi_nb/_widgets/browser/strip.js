// How a feed is doing, in a line that opens: a row a channel, the newest gaps, and what somebody should look at.
const strip = (() => {
  const COLUMNS = [["channel", "name"], ["markets", "markets"], ["last| message", "age"], ["msg/s", "rate"], ["seq", "seq"], ["gaps", "gaps"]];

  function mount(body, tools) {
    const { make, makeButton, label, write, writeWords, put } = tools;
    const line = make(body, "strip");
    const state = feed.state(line, tools);
    const said = make(line, "strip-said", "", "span");
    state.hold(line);
    const opener = makeButton(line, "strip-open", "");
    put(opener, "aria-expanded", false);
    const views = make(body, "strip-views");
    const more = make(body, "strip-more");
    more.hidden = true;
    const channels = make(more, "strip-channels", "", "table");
    put(channels, "aria-label", "Channels of the feed");
    const heads = make(make(channels, "", "", "thead"), "", "", "tr");
    for (const [words, name] of COLUMNS) {
      const head = make(heads, `c-${name}`, "", "th");
      head.scope = "col";
      writeWords(head, words);
    }
    const rows = make(channels, "", "", "tbody");
    const none = make(more, "strip-none", "", "p");
    const notes = make(more, "strip-notes", "", "ul");
    const caption = make(more, "strip-caption", "", "p");
    const gaps = make(more, "", "", "div");
    const paintGaps = feed.gaps(gaps, tools, "The newest gaps");
    let widths = [];

    function open(on) {
      more.hidden = !on;
      put(opener, "aria-expanded", on);
      name();
    }
    function name() {
      const words = more.hidden ? "More about this feed" : "Less about this feed";
      write(opener, more.hidden ? "▾" : "▴");
      label(opener, words);
    }
    line.addEventListener("click", () => { if (!String(getSelection())) open(more.hidden); });
    name();

    function paintPieces(picture, look) {
      const pieces = picture.pieces ?? [];
      while (said.children.length > pieces.length) { said.lastChild.remove(); widths.length = pieces.length; }
      pieces.forEach(([name, words, tone, at], i) => {
        const piece = said.children[i] ?? make(said, "", "", "span");
        const when = at == null ? "" : ` ${text.time(at, look.settings.timezone).replace(/:\d\d /, " ")}`;
        const whole = `${text.clean(words)}${when}`;
        if (piece.dataset.name !== name) widths[i] = 0;
        piece.dataset.name = name;
        piece.className = `strip-piece piece-${name}`;
        put(piece, "data-tone", tone);
        if (name === "course") put(piece, "aria-hidden", true);
        write(piece, name === "course" ? whole.padStart(12, "·") : whole);
        // What was once as wide stays so, so that what follows a number does not move with it.
        if (whole.length > (widths[i] ?? 0)) { widths[i] = whole.length; piece.style.minWidth = ""; }
        else if (!piece.style.minWidth && piece.offsetWidth) piece.style.minWidth = `${piece.offsetWidth}px`;
      });
    }

    function paintChannels(picture) {
      const lines = picture.channels ?? [];
      channels.hidden = !lines.length;
      none.hidden = !!lines.length;
      write(none, "no channel is wanted yet");
      while (rows.children.length > lines.length) rows.lastChild.remove();
      lines.forEach((words, i) => {
        const row = rows.children[i] ?? make(rows, "", "", "tr");
        words.forEach((each, k) => {
          const cell = row.children[k] ?? make(row, `c-${COLUMNS[k][1]}`, "", k ? "td" : "th");
          if (!k) cell.scope = "row";
          write(cell, text.clean(each));
          put(cell, "title", text.clean(each));
        });
      });
    }

    function paintNotes(picture) {
      const said = (picture.warnings ?? []).map((each) => ["▲", each, "warn"]);
      if (picture.last_error) said.push(["✕", `last error: ${picture.last_error}`, "bad"]);
      notes.hidden = !said.length;
      while (notes.children.length > said.length) notes.lastChild.remove();
      said.forEach(([glyph, words, tone], i) => {
        const note = notes.children[i] ?? make(notes, "", "", "li");
        put(note, "data-tone", tone);
        write(note, `${glyph} ${text.clean(words)}`);
      });
    }

    function paint(picture, look) {
      state.say(picture, look);
      paintPieces(picture, look);
      write(views, text.clean(picture.views));
      views.title = views.textContent;
      paintChannels(picture);
      paintNotes(picture);
      const listed = picture.gaps ?? [];
      const older = (picture.gap_count ?? 0) - listed.length;
      write(caption, !listed.length ? "no gaps" : older ? `newest gaps; ${older.toLocaleString("en-US")} older ones are in feed.gaps` : "gaps, newest first");
      gaps.hidden = !listed.length;
      paintGaps(picture, look);
    }

    function tick(picture, look) {
      state.say(picture, look);
      if (!more.hidden) paintGaps(picture, look);
    }

    function sentence(picture, look) {
      return [state.say(picture, look), ...(picture.pieces ?? []).filter(([name]) => name !== "course").map(([, words]) => words)].join(", ");
    }

    return { label: () => "Status of the feed", paint, tick, note: () => "", aside: () => "", spoken: state.say, sentence };
  }

  return { kind: "status", isBare: true, controls: [], mount };
})();
