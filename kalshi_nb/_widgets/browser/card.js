// The card that a view stands in: its root, head, controls, keys and voice; when it paints, and when it must not.
const card = (() => {
  const SAY_EVERY = 10; // seconds between two sentences that nobody asked for
  const BACK_MS = 1500;
  const KEYS = { s: "YES or NO leg", u: "unit of prices", p: "pause, go on", r: "read aloud", "?": "these words", Esc: "back to the card" };

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

  // A node at its place among its parent's, and no more of these than so many.
  function seat(parent, node, i) {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  }
  function keep(parent, most) {
    while (parent.children.length > most) parent.lastChild.remove();
  }

  function label(node, words) {
    put(node, "aria-label", words);
    put(node, "title", words);
  }
  function makeButton(parent, className, words, press, name = "") {
    const node = make(parent, className, "", "button");
    node.type = "button";
    write(node, words);
    if (name) label(node, name);
    if (press) node.addEventListener("click", press);
    return node;
  }

  // Keys without others held: `press` returns whether it took one, which then is nobody else's.
  function onKeys(node, press) {
    node.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !press(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
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
      node: head,
      title,
      parts: [make(title, "", "", "span"), make(title, "", "", "span")],
      second,
      ticker: make(second, "ticker", "", "code"),
      close: make(second, "close"),
      chip: make(third, "chip"),
      tools: make(third, "tools", "toolbar"),
    };
  }

  // One tab stop for all buttons; the arrows go between them.
  function makeTools(tools, groups, name = "Controls of this view") {
    const buttons = [];
    const named = {};
    tools.setAttribute("aria-label", name);
    for (const group of groups) {
      const box = make(tools, "", "", "span");
      for (const { name, words, label, press } of group) {
        const button = makeButton(box, "", words, press, label);
        button.tabIndex = buttons.length ? -1 : 0;
        buttons.push(button);
        named[name] = button;
      }
    }
    function go(to) {
      for (const each of buttons) each.tabIndex = each === to ? 0 : -1;
      to.focus();
    }
    onKeys(tools, (event) => {
      const at = buttons.indexOf(event.target);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined || at < 0) return false;
      go(buttons.at(to % buttons.length));
      return true;
    });
    tools.addEventListener("focusin", (event) => {
      for (const each of buttons) each.tabIndex = each === event.target ? 0 : -1;
    });
    return named;
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

  function makeKeys(box, controls, own, signs) {
    const node = make(box, "keys", "dialog");
    node.hidden = true;
    node.tabIndex = -1;
    node.setAttribute("aria-label", "Keys and signs of this view");
    for (const [key, does] of Object.entries({ ...own, ...KEYS, ...signs })) {
      if ({ s: !controls.includes("side"), u: !controls.includes("unit") }[key]) continue;
      const line = make(node, "", "", "p");
      write(make(line, "", "", "b"), key);
      make(line, "", "", "span").textContent = does;
    }
    return node;
  }

  function render({ model, el, signal }, views, css) {
    const state = store.hold(model, views);
    const view = views[state.picture.kind] ?? Object.values(views).at(-1);
    const host = make(el, "kalshi-nb");
    Object.assign(host.dataset, { kind: view.kind, lmSuppressShortcuts: "true" });
    const controls = view.controls ?? ["side", "unit"]; // what a person can choose beside pausing
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
    const keys = makeKeys(box, controls, view.keys, Object.assign({}, ...Object.values(views).map((each) => each.signs)));
    const ask = (asked) => { try { model.send({ asked }); } catch (error) { /* it is as it is here */ } };
    const redraw = () => { painted = {}; paint(); };
    const drawn = view.mount(body, { make, makeTools, makeButton, onKeys, label, write, writeWords, put, seat, keep, ask, redraw, state, views, rest: () => togglePause() });
    const reduced = matchMedia("(prefers-reduced-motion: reduce)");

    const chosen = {}; // by a person, here; what Python sets later stands again
    let settings = {};
    let pause = null;
    let isSeen = false;
    let backUntil = 0;
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
      put(tools.help, "aria-expanded", on);
      if (on) keys.focus();
    }
    const leg = [
        { name: "yes", words: "YES", label: "Show the YES leg", press: () => choose("side", "yes") },
        { name: "no", words: "NO", label: "Show the NO leg", press: () => choose("side", "no") },
    ];
    const units = [
        { name: "cents", words: "¢", label: "Prices in cents", press: () => choose("unit", plain()) },
        { name: "percent", words: "%", label: "Prices in per cent", press: () => choose("unit", "probability") },
    ];
    const tools = makeTools(head.tools, [
      ...(controls.includes("side") ? [leg] : []),
      ...(controls.includes("unit") ? [units] : []),
      [{ name: "rest", words: "❚❚", label: "Pause", press: togglePause }],
      [{ name: "help", words: "?", label: "Keys and signs", press: () => showKeys(keys.hidden) }],
    ]);
    head.node.hidden = view.isBare === true;

    function sight() {
      const picture = pause?.picture ?? state.picture;
      return { picture, look: { ...status.of(state, picture, pause, settings.timezone, performance.now() < backUntil), side: side(), leg: side() === "no" ? "NO" : "YES", unit: unit(), settings, reduced: reduced.matches, pause, isBack: performance.now() < backUntil, room: (settings.height && body.clientHeight) || undefined } };
    }

    function paint() {
      const { picture, look } = sight();
      const market = picture.market ?? {};
      const ticker = text.clean(market.ticker ?? picture.title) || "this market";
      const [title, subtitle] = [market.title, market.subtitle].map(text.clean);
      const moved = painted.picture !== picture || painted.word !== look.word || painted.body !== look.body;
      const redraw = moved || painted.side !== look.side || painted.unit !== look.unit || painted.room !== look.room;
      if (redraw) drawn.paint(picture, look, isCalm || painted.word !== look.word || painted.side !== look.side);
      drawn.tick?.(picture, look);
      isCalm = false;
      painted = { picture, word: look.word, body: look.body, side: look.side, unit: look.unit, room: look.room };

      // Of several parts each is old by itself: a feed that is live beside a book that is not.
      body.classList.toggle("aged", look.body === "grey" && !view.hasParts);
      put(box, "aria-label", drawn.label(ticker));
      write(head.parts[0], title || ticker);
      write(head.parts[1], subtitle);
      head.title.title = title || ticker;
      head.second.hidden = !picture.market;
      write(head.ticker, title ? ticker : "");
      put(head.chip, "data-tone", look.tone);
      const aside = look.word === "live" && look.phase === "active" ? drawn.aside?.(picture) ?? "" : "";
      const origin = picture.origin ? `${look.words.split("|").length % 2 ? "" : "|"} · ${text.clean(picture.origin)}` : "";
      writeWords(head.chip, `${look.glyph} ${look.words}${origin}${aside}`);
      head.chip.title = head.chip.textContent;
      const [closes, tone] = status.closing(look, market);
      write(head.close, closes);
      head.close.title = closes && text.date(market.close_time);
      put(head.close, "data-tone", tone);
      const [words, when] = [look.note || (drawn.note?.(picture, look) ?? ""), picture.changed == null || look.note ? "" : `|changed |${text.time(picture.changed, settings.timezone)}`];
      write(note, words);
      note.title = words;
      put(note, "data-tone", look.note ? (look.tone === "live" ? "warn" : look.tone) : "");
      writeWords(changed, when);

      const pressed = { yes: look.side === "yes", no: look.side === "no", cents: look.unit !== "probability", percent: look.unit === "probability", rest: look.word === "paused" };
      for (const [name, on] of Object.entries(pressed)) if (tools[name]) put(tools[name], "aria-pressed", on);
      if (tools.cents) write(tools.cents, plain() === "dollars" ? "$" : "¢");
      write(tools.rest, pressed.rest ? "▶\ufe0e" : "❚❚");
      label(tools.rest, pressed.rest ? "Go on" : "Pause");
      voice.tell(`${ticker}: ${(drawn.spoken?.(picture, look) ?? look.words).replace(/[|\d].*/, "")}`);
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
      box.classList.toggle("fixed", !!settings.height);
      box.style.height = settings.height ? `${settings.height}px` : "";
      body.tabIndex = settings.height ? 0 : -1; // what may have to scroll can be reached by keys
      painted = {};
      paint();
    }
    const due = () => { if (isSeen) page.frames.paint(paint); };

    onKeys(box, (event) => {
      if (event.target.matches?.("input, select, textarea")) return false;
      const calls = {
        p: togglePause,
        s: () => choose("side", side() === "yes" ? "no" : "yes"),
        u: () => choose("unit", unit() === "probability" ? plain() : "probability"),
        r: () => { const { picture, look } = sight(); voice.say(`${text.clean(picture.market?.ticker ?? picture.title)}: ${drawn.sentence(picture, look)}, ${look.words.replace("|", "")}`); },
        "?": () => showKeys(keys.hidden),
        Escape: () => { showKeys(false); box.focus(); },
      };
      const call = calls[event.key] ?? (view.keys?.[event.key] && (() => drawn.press(event.key)));
      const choice = { s: "side", u: "unit" }[event.key];
      if (!call || (choice && !controls.includes(choice))) return false;
      call();
      return true;
    });

    onSettings();
    model.on("change:settings", onSettings);
    const stops = [
      state.listen(() => {
        // Who chooses something else wants to see it.
        if (pause && drawn.isOther?.(pause.picture, state.picture)) setPause(false);
        else if (pause) pause.changes += 1;
        else due();
      }),
      page.seconds(due),
      page.themes(dye),
      page.sight(host, (isNear) => {
        if (isNear && !isSeen) { isCalm = true; backUntil = performance.now() + BACK_MS; dye(); }
        isSeen = isNear;
        state.see(host, isNear);
        due();
      }),
      () => page.frames.forget(paint),
      () => drawn.close?.(),
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
  function entry(parts, css) {
    const views = Object.fromEntries(Object.values(parts).map((each) => [each.kind, each])); // by kind: a part may be called otherwise
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
