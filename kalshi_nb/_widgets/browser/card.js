// The card that a view stands in: its root, head, controls, keys and voice; when it paints, and when it must not.
const card = (() => {
  const SAY_EVERY = 10; // seconds between two sentences that nobody asked for
  const KEYS = { s: "YES or NO leg", u: "unit of prices", p: "pause, go on", r: "read aloud", "?": "these keys", Esc: "back to the card" };

  function make(parent, className = "", role = "", tag = "div") {
    const node = parent.appendChild(document.createElement(tag));
    if (className) node.className = className;
    if (role) node.setAttribute("role", role);
    return node;
  }
  function write(node, words) {
    if (node.textContent !== words) node.textContent = words;
  }
  function put(node, name, value) {
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }

  // Words of which those between bars, or behind one, are left out where there is no room.
  function writeWords(node, words) {
    if (node.dataset.words === words) return;
    node.dataset.words = words;
    node.textContent = "";
    words.split("|").forEach((each, i) => {
      if (each) make(node, i % 2 ? "more" : "", "", "span").textContent = each;
    });
  }

  function makeHead(box) {
    const head = make(box, "head");
    const title = make(head, "line title", "heading");
    title.setAttribute("aria-level", "3");
    const [second, third] = [make(head, "line"), make(head, "line")];
    return {
      title,
      parts: [make(title, "", "", "span"), make(title, "", "", "span")],
      ticker: make(second, "ticker", "", "code"),
      close: make(second, "close"),
      chip: make(third, "chip"),
      tools: make(third, "tools", "toolbar"),
    };
  }

  // One tab stop for all buttons; the arrows go between them.
  function makeTools(tools, groups) {
    const buttons = [];
    tools.setAttribute("aria-label", "Controls of this view");
    for (const group of groups) {
      const box = make(tools, "", "", "span");
      for (const { words, label, press } of group) {
        const button = make(box, "", "", "button");
        button.type = "button";
        button.tabIndex = buttons.length ? -1 : 0;
        write(button, words);
        button.title = label;
        button.setAttribute("aria-label", label);
        button.addEventListener("click", press);
        buttons.push(button);
      }
    }
    function go(to) {
      for (const each of buttons) each.tabIndex = each === to ? 0 : -1;
      to.focus();
    }
    tools.addEventListener("keydown", (event) => {
      const at = buttons.indexOf(event.target);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined || at < 0) return;
      event.preventDefault();
      event.stopPropagation();
      go(buttons.at(to % buttons.length));
    });
    tools.addEventListener("focusin", (event) => {
      for (const each of buttons) each.tabIndex = each === event.target ? 0 : -1;
    });
    return buttons;
  }

  function makeVoice(box) {
    const node = make(box, "unseen", "status");
    node.setAttribute("aria-live", "polite");
    let said = "";
    let at = -Infinity;
    return {
      say(words) { write(node, ""); node.textContent = words; at = performance.now() / 1000; },
      // What changed since, told once it may be told.
      tell(words) {
        if (words === said || performance.now() / 1000 - at < SAY_EVERY) return;
        if (said) this.say(words);
        said = words;
      },
    };
  }

  function makeKeys(box) {
    const node = make(box, "keys", "dialog");
    node.hidden = true;
    node.tabIndex = -1;
    node.setAttribute("aria-label", "Keys of this view");
    for (const [key, does] of Object.entries(KEYS)) {
      const line = make(node, "", "", "p");
      write(make(line, "", "", "b"), key);
      make(line, "", "", "span").textContent = does;
    }
    return node;
  }

  function render({ model, el, signal }, views, css) {
    const state = store.hold(model, views);
    const view = views[state.picture.kind] ?? Object.values(views)[0];
    const host = make(el, "kalshi-nb");
    Object.assign(host.dataset, { kind: view.kind, lmSuppressShortcuts: "true" });
    const root = host.attachShadow({ mode: "open" });
    page.dress(root, css);
    const box = make(root, "card", "group");
    box.tabIndex = 0;
    const head = makeHead(box);
    const body = make(box, "body");
    const foot = make(box, "foot");
    const note = make(foot, "note", "", "span");
    const changed = make(foot, "", "", "span");
    const voice = makeVoice(box);
    const keys = makeKeys(box);
    const drawn = view.mount(body, { make, write, writeWords, put });
    const reduced = matchMedia("(prefers-reduced-motion: reduce)");

    const chosen = {}; // by a person, here; what Python sets later stands again
    let settings = {};
    let pause = null;
    let isSeen = false;
    let isCalm = true;
    let paints = 0;
    let painted = {};

    const unit = () => chosen.unit ?? settings.unit ?? "cents";
    const side = () => chosen.side ?? settings.side ?? "yes";
    const plain = () => (settings.unit === "dollars" ? "dollars" : "cents");
    function choose(name, value) { chosen[name] = value; paint(); }
    function setPause(on) {
      pause = on ? { at: state.now(), changes: 0, picture: state.picture } : null;
      isCalm = true;
      try { model.send({ paused: on }); } catch (error) { /* it rests here all the same */ }
      paint();
    }
    const togglePause = () => setPause(!pause && state.picture.status !== "paused");
    function showKeys(on) {
      keys.hidden = !on;
      put(help, "aria-expanded", on);
      if (on) keys.focus();
    }
    const [yes, no, cents, percent, rest, help] = makeTools(head.tools, [
      [
        { words: "YES", label: "Show the YES leg", press: () => choose("side", "yes") },
        { words: "NO", label: "Show the NO leg", press: () => choose("side", "no") },
      ],
      [
        { words: "¢", label: "Prices in cents", press: () => choose("unit", plain()) },
        { words: "%", label: "Prices as probability", press: () => choose("unit", "probability") },
      ],
      [{ words: "❚❚", label: "Pause", press: togglePause }],
      [{ words: "?", label: "Keys", press: () => showKeys(keys.hidden) }],
    ]);

    function sight() {
      const picture = pause?.picture ?? state.picture;
      return { picture, look: { ...status.of(state, picture, pause, settings.timezone), side: side(), unit: unit(), settings, reduced: reduced.matches } };
    }

    function paint() {
      const { picture, look } = sight();
      const market = picture.market ?? {};
      const ticker = text.clean(market.ticker) || "this market";
      const [title, subtitle] = [market.title, market.subtitle].map(text.clean);
      const moved = painted.picture !== picture || painted.word !== look.word || painted.body !== look.body;
      const redraw = moved || painted.side !== look.side || painted.unit !== look.unit;
      if (redraw) drawn.paint(picture, look, isCalm || painted.word !== look.word || painted.side !== look.side);
      drawn.tick?.(picture, look);
      isCalm = false;
      painted = { picture, word: look.word, body: look.body, side: look.side, unit: look.unit };

      put(box, "aria-label", drawn.label(ticker));
      write(head.parts[0], title || ticker);
      write(head.parts[1], subtitle);
      head.title.title = title || ticker;
      write(head.ticker, title ? ticker : "");
      put(head.chip, "data-tone", look.tone);
      const aside = look.word === "live" && look.phase === "active" ? drawn.aside(picture) : "";
      writeWords(head.chip, `${look.glyph} ${look.words}${aside}`);
      head.chip.title = head.chip.textContent;
      const [closes, tone] = status.closing(look, market);
      write(head.close, closes);
      head.close.title = closes && `closes ${text.date(market.close_time)}`;
      put(head.close, "data-tone", tone);
      const [words, when] = [look.note || drawn.note(picture, look), picture.changed == null || look.note ? "" : `|changed |${text.time(picture.changed, settings.timezone)}`];
      write(note, words);
      note.title = words;
      put(note, "data-tone", look.note ? (look.tone === "live" ? "warn" : look.tone) : "");
      writeWords(changed, when);

      put(yes, "aria-pressed", look.side === "yes");
      put(no, "aria-pressed", look.side === "no");
      put(cents, "aria-pressed", look.unit !== "probability");
      put(percent, "aria-pressed", look.unit === "probability");
      write(cents, plain() === "dollars" ? "$" : "¢");
      write(rest, look.word === "paused" ? "▶\ufe0e" : "❚❚");
      put(rest, "aria-pressed", look.word === "paused");
      put(rest, "aria-label", look.word === "paused" ? "Go on" : "Pause");
      rest.title = rest.getAttribute("aria-label");
      voice.tell(`${ticker}: ${look.words.replace(/[|\d].*/, "")}`);
      Object.assign(host.dataset, { status: look.word, phase: look.phase, body: look.body, seq: picture.seq ?? 0, paints: ++paints });
    }

    const dye = () => {
      host.dataset.theme = theme.decide(host, settings.theme);
      host.dataset.palette = settings.palette ?? "default";
    };
    function onSettings() {
      const was = settings;
      settings = model.get("settings") ?? {};
      for (const name of ["side", "unit"]) if (was[name] !== settings[name]) delete chosen[name];
      dye();
      painted = {};
      paint();
    }
    const due = () => { if (isSeen) page.frames.paint(paint); };

    box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, select, textarea")) return;
      const calls = {
        p: togglePause,
        s: () => choose("side", side() === "yes" ? "no" : "yes"),
        u: () => choose("unit", unit() === "probability" ? plain() : "probability"),
        r: () => { const { picture, look } = sight(); voice.say(`${text.clean(picture.market?.ticker)}: ${drawn.sentence(picture, look)}, ${look.words.replace("|", "")}`); },
        "?": () => showKeys(keys.hidden),
        Escape: () => { showKeys(false); box.focus(); },
      };
      const call = calls[event.key];
      if (!call) return;
      event.preventDefault();
      event.stopPropagation();
      call();
    });

    onSettings();
    model.on("change:settings", onSettings);
    const stops = [
      state.listen(() => { if (pause) pause.changes += 1; else due(); }),
      page.seconds(due),
      page.themes(dye),
      page.sight(host, (isNear) => {
        if (isNear && !isSeen) { isCalm = true; dye(); }
        isSeen = isNear;
        state.see(host, isNear);
        due();
      }),
      () => page.frames.forget(paint),
      () => model.off("change:settings", onSettings),
      () => state.see(host, false),
      () => state.release(),
      () => host.remove(),
    ];
    let isOver = false;
    function close() {
      if (isOver) return;
      isOver = true;
      for (const stop of stops) stop();
    }
    signal?.addEventListener("abort", close);
    return close;
  }

  // What the host asks for: a state that lives as long as the model, and a view as often as it is shown.
  function entry(views, css) {
    return {
      initialize({ model, signal }) {
        const state = store.hold(model, views);
        let isHeld = true;
        const release = () => { if (isHeld) state.release(); isHeld = false; };
        signal?.addEventListener("abort", release);
        return release;
      },
      render: (given) => render(given, views, css),
    };
  }

  return { entry };
})();
