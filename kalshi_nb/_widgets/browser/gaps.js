// Where data is missing: the last hour to scale, a lane a channel, and a table of the newest gaps.
const gaps = (() => {
  const HOUR = 3600;
  const STEP = 600; // seconds between two words on the axis
  const LETTER = 6.5; // pixels, about: a stretch that has not as many for its words has none

  function mount(body, tools) {
    const { make, write, writeWords, put } = tools;
    const line = make(body, "gaps-line");
    const state = feed.state(line, tools);
    const summary = make(line, "gaps-summary", "", "span");
    state.hold(line);
    const strip = make(body, "gaps-strip", "img");
    const lanes = make(strip, "gaps-lanes");
    const scale = make(strip, "gaps-scale");
    const zone = make(scale, "gaps-name", "", "span");
    const axis = make(scale, "gaps-axis");
    const area = make(body, "gaps-table");
    const table = make(area, "", "", "div");
    const paintTable = feed.gaps(table, tools, "Gaps, newest first");
    const empty = make(area, "gaps-empty", "", "p");
    const older = make(body, "gaps-older", "", "p");
    let shown = [];

    function clock(at, zone) { return text.time(at, zone).slice(0, 5); }

    function makeLane() {
      const lane = make(lanes, "gaps-lane");
      const name = make(lane, "gaps-name", "", "span");
      const room = make(lane, "gaps-room");
      const before = make(room, "gaps-before");
      before.title = "before this feed";
      make(before, "", "", "span").textContent = before.title;
      return { lane, name, room, before, spans: [] };
    }

    // Places and widths alone: it runs each second, since the hour goes on.
    function move(picture, look) {
      const now = feed.moment(picture, look);
      const begins = now - HOUR;
      const place = (at) => Math.min(100, Math.max(0, ((at - begins) / HOUR) * 100));
      const width = lanes.firstChild?.lastChild.offsetWidth ?? 0;
      for (const { before, spans } of shown) {
        before.style.width = `${place(picture.began ?? 0)}%`;
        before.firstChild.hidden = (place(picture.began ?? 0) / 100) * width < LETTER * before.title.length;
        for (const { node, words, span } of spans) {
          const [from, to, count, lasted] = span;
          const end = to ?? now;
          const [left, right] = [place(from), place(end)];
          node.hidden = end < begins;
          node.style.left = `${left}%`;
          node.style.width = `${right - left}%`;
          const long = to == null ? text.age(now - from) : lasted;
          const several = count > 1 ? `${count} gaps, ` : "";
          const pixels = ((right - left) / 100) * width;
          // Of several the whole length is that of none.
          const told = to == null ? `open ${long}` : count > 1 ? `${count} gaps` : long;
          write(words, pixels > told.length * LETTER + 8 ? told : "");
          put(node, "title", `${several}${to == null ? `open for ${long}` : long}, from ${text.time(from, look.settings.timezone)}`);
        }
      }
      const first = Math.ceil(begins / STEP) * STEP;
      write(zone, look.settings.timezone === "local" ? "local time" : "UTC");
      for (let i = 0; i < HOUR / STEP; i++) {
        const mark = axis.children[i] ?? make(axis, "", "", "span");
        const at = first + i * STEP;
        mark.style.left = `${place(at)}%`;
        write(mark, clock(at, look.settings.timezone));
        mark.hidden = place(at) < 5 || place(at) > 95;
      }
    }

    function paintLanes(picture) {
      const given = picture.lanes ?? [];
      while (shown.length > given.length) shown.pop().lane.remove();
      given.forEach(([channel, spans], i) => {
        const made = (shown[i] ??= makeLane());
        write(made.name, text.clean(channel));
        made.name.title = text.clean(channel);
        while (made.spans.length > spans.length) made.spans.pop().node.remove();
        spans.forEach((span, k) => {
          if (!made.spans[k]) {
            const node = make(made.room, "gaps-span");
            made.spans[k] = { node, words: make(node, "", "", "span") };
          }
          made.spans[k].span = span;
          made.spans[k].node.classList.toggle("gaps-open", span[1] == null);
        });
      });
    }

    function paint(picture, look) {
      const rows = picture.gaps ?? [];
      area.style.setProperty("--rows", picture.rows ?? 8);
      const isWaiting = look.body === "waiting" && !rows.length;
      writeWords(summary, rows.length ? (picture.summary ?? "").replace(/ since [^,]*/, "|$&|") : "the last hour");
      paintLanes(picture);
      strip.hidden = !shown.length;
      table.hidden = !rows.length;
      empty.hidden = !!rows.length;
      write(empty, isWaiting ? "waiting for the first connection" : picture.summary ?? "");
      const left = (picture.gap_count ?? 0) - rows.length;
      write(older, left > 0 ? `${text.count(100 * left)} older ${left === 1 ? "one is" : "ones are"} in feed.gaps` : "");
      const open = rows.filter((each) => !each[4]).map((each) => each[1]);
      put(strip, "aria-label", `The last hour: ${picture.summary ?? ""}${open.length ? `; open in ${[...new Set(open)].map(text.clean).join(", ")}` : ""}`);
      tick(picture, look);
    }

    function tick(picture, look) {
      state.say(picture, look);
      move(picture, look);
      paintTable(picture, look);
    }

    return { label: () => "Gaps in the data of the feed", paint, tick, spoken: state.say, sentence: (picture, look) => `${state.say(picture, look)}, ${picture.summary ?? ""}` };
  }

  return { kind: "gaps", isBare: true, controls: [], mount };
})();
