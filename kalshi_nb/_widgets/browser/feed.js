// What the views of a feed itself share: its state in words, a button that holds them, and gaps as a table.
const feed = (() => {
  const OWN = ["silent", "catching", "paused", "closed"]; // what is so of the view wins over what it says
  const HEADS = ["seen", "channel", "market", "reason", "lasted", "missing seq", "repaired by"];

  // What no longer moves grows no older: then the moment is that of its picture.
  const moment = (picture, look) => (OWN.includes(look.word) ? picture.clock ?? look.now : look.now);

  // In the place of a head, which these views have none of: what is worst, and the button.
  function state(parent, { make, makeButton, label, write, put, rest }) {
    const node = make(parent, "feed-state", "", "span");
    let button = null;
    return {
      hold(at) {
        if (!rest) return; // where there is a head, the button is there
        button = makeButton(at, "feed-rest", "", (event) => { event.stopPropagation(); rest(); });
      },
      // Returns the words, for whoever reads them aloud.
      say(picture, look) {
        const [glyph, words, tone] = OWN.includes(look.word) ? [look.glyph, look.words.replaceAll("|", ""), look.tone] : picture.state ?? ["○", "connecting", "dim"];
        write(node, `${glyph} ${text.clean(words)}`);
        put(node, "data-tone", tone);
        node.title = look.note || node.textContent;
        if (button) {
          const isHeld = look.word === "paused";
          write(button, isHeld ? "▶\ufe0e" : "❚❚");
          put(button, "aria-pressed", isHeld);
          label(button, isHeld ? "Go on" : "Pause");
        }
        return text.clean(words);
      },
    };
  }

  // A table of named columns, [class, words]; `paint` is told its rows, each [texts, tone, title of the first].
  function table(parent, { make, write, writeWords, put, keep }, className, label, columns, isNamed) {
    const node = make(parent, className, "", "table");
    put(node, "aria-label", label);
    const heads = make(make(node, "", "", "thead"), "", "", "tr");
    for (const [name, words] of columns) {
      const head = make(heads, name, "", "th");
      head.scope = "col";
      writeWords(head, words);
    }
    const rows = make(node, "", "", "tbody");
    function paint(lines) {
      keep(rows, lines.length);
      lines.forEach(([texts, tone = "", title], i) => {
        const row = rows.children[i] ?? make(rows, "", "", "tr");
        put(row, "data-tone", tone);
        texts.forEach((each, k) => {
          const cell = row.children[k] ?? make(row, columns[k][0], "", k || !isNamed ? "td" : "th");
          if (cell.tagName === "TH") cell.scope = "row";
          write(cell, each);
          put(cell, "title", k ? each : title ?? each);
        });
      });
    }
    return { node, heads: heads.children, paint };
  }

  // Of gaps [at, channel, market, reason, lasted, missing, repaired]; one that lasts still has no word for it.
  function gaps(parent, tools, label) {
    const { heads, paint } = table(parent, tools, "feed-gaps", label, HEADS.map((words) => [`g-${words.split(" ")[0]}`, words]));
    return (picture, look) => {
      const zone = look.settings.timezone;
      tools.writeWords(heads[0], `seen (${zone === "local" ? "local" : "UTC"})`);
      paint((picture.gaps ?? []).map(([at, ...words]) => {
        const texts = [text.time(at, zone).slice(0, 8), ...words.map(text.clean)];
        if (!words[3]) texts[4] = `▨ open ${text.age(moment(picture, look) - at)}`;
        return [texts, words[3] ? "" : "warn", text.date(at)];
      }));
    };
  }

  return { kind: "feed", moment, state, table, gaps };
})();
