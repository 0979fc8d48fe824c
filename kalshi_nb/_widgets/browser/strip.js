// How a feed is doing, in a line that opens: a row a channel, the newest gaps, and what somebody should look at.
const strip = (() => {
  const COLUMNS = [["c-name", "channel"], ["c-markets", "markets"], ["c-age", "last| message"], ["c-rate", "msg/s"], ["c-seq", "seq"], ["c-gaps", "gaps"]];

  function mount(body, tools) {
    const { make, makeButton, label, write, put, keep } = tools;
    const line = make(body, "strip");
    const state = feed.state(line, tools);
    const said = make(line, "strip-said", "", "span");
    state.hold(line);
    const opener = makeButton(line, "strip-open", "");
    put(opener, "aria-expanded", false);
    const views = make(body, "strip-views");
    const more = make(body, "strip-more");
    more.hidden = true;
    const channels = feed.table(more, tools, "strip-channels", "Channels of the feed", COLUMNS, true);
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

    // A time of day says when only of what is not long past.
    const moment = (at, look) => (look.now - at < 43200 ? text.time(at, look.settings.timezone).replace(/:\d\d /, " ") : text.date(at));
    function paintPieces(picture, look) {
      const pieces = picture.pieces ?? [];
      keep(said, pieces.length);
      widths.length = pieces.length;
      pieces.forEach(([name, words, tone, at], i) => {
        const piece = said.children[i] ?? make(said, "", "", "span");
        const when = at == null ? "" : ` ${moment(at, look)}`;
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
      channels.node.hidden = !lines.length;
      none.hidden = !!lines.length;
      write(none, "no channel is wanted yet");
      channels.paint(lines.map((words) => [words.map(text.clean)]));
    }

    function paintNotes(picture, look) {
      const said = (picture.warnings ?? []).map((each) => ["▲", each, "warn"]);
      const { last_error: error, last_error_at: at } = picture;
      if (error) said.push(["✕", `last error${at == null ? "" : `, ${moment(at, look)}`}: ${error}`, "bad"]);
      notes.hidden = !said.length;
      keep(notes, said.length);
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
      paintNotes(picture, look);
      const listed = picture.gaps ?? [];
      const older = (picture.gap_count ?? 0) - listed.length;
      write(caption, !listed.length ? "no gaps" : older ? `newest gaps; ${text.count(100 * older)} older ones are in feed.gaps` : "gaps, newest first");
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

    return { label: () => "Status of the feed", paint, tick, spoken: state.say, sentence };
  }

  return { kind: "status", isBare: true, controls: [], mount };
})();
