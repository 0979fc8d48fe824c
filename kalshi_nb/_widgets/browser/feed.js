// What the views of a feed itself share: its state in words, a button that holds them, and gaps as a table.
const feed = (() => {
  const OWN = ["silent", "catching", "paused", "closed"]; // what is so of the view wins over what it says
  const HEADS = ["seen", "channel", "market", "reason", "lasted", "missing seq", "repaired by"];
  const NAMES = ["seen", "channel", "market", "reason", "lasted", "seq", "repair"];

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

  function gaps(parent, { make, write, put }, label) {
    const table = make(parent, "feed-gaps", "", "table");
    put(table, "aria-label", label);
    const heads = make(make(table, "", "", "thead"), "", "", "tr");
    HEADS.forEach((words, i) => {
      const head = make(heads, `g-${NAMES[i]}`, "", "th");
      head.scope = "col";
      write(head, words);
    });
    const seen = heads.firstChild;
    const rows = make(table, "", "", "tbody");

    // Rows of [at, channel, market, reason, lasted, missing, repaired]; one that lasts still has no word for it.
    return (picture, look) => {
      const given = picture.gaps ?? [];
      const zone = look.settings.timezone;
      write(seen, `seen (${zone === "local" ? "local" : "UTC"})`);
      while (rows.children.length > given.length) rows.lastChild.remove();
      given.forEach(([at, ...words], i) => {
        const row = rows.children[i] ?? make(rows, "", "", "tr");
        const isOpen = !words[3];
        const cells = [text.time(at, zone).slice(0, 8), ...words.map(text.clean)];
        if (isOpen) cells[4] = `▨ open ${text.age(moment(picture, look) - at)}`;
        put(row, "data-tone", isOpen ? "warn" : "");
        cells.forEach((each, k) => {
          const cell = row.children[k] ?? make(row, `g-${NAMES[k]}`, "", "td");
          write(cell, each);
          put(cell, "title", k ? each : text.date(at));
        });
      });
    };
  }

  return { kind: "feed", moment, state, gaps };
})();
