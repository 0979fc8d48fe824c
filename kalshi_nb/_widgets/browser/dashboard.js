// Several views in one card, each in a panel of its own: where each stands at which width, which are folded, and that one
// that fails takes no other along. A panel's view is given what a card would give it, and knows of no dashboard.
const dashboard = (() => {
  const KEPT = "kalshi_nb.folded";
  const HEAD = ["status", "clock", "age", "note", "market"]; // what a panel's delta may say of the whole
  const TOLD = ["bids", "asks", "last", "minute", "decimals", "changed"]; // of the head, what comes with every delta

  function safely(call, otherwise) {
    try { return call(); } catch (error) { console.error("kalshi_nb:", error); otherwise?.(); }
    return undefined;
  }

  // What is folded on this page, kept while the page is: also over a reload, where the browser lets it.
  const folded = (() => {
    const names = (globalThis[Symbol.for("kalshi_nb/folded/1")] ??= new Set(read()));
    function read() { try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? []; } catch (error) { return []; } }
    return {
      has: (name) => names.has(name),
      turn(name) {
        names.has(name) ? names.delete(name) : names.add(name);
        try { sessionStorage.setItem(KEPT, JSON.stringify([...names])); } catch (error) { /* until the page goes */ }
      },
    };
  })();

  // Rows of names, each repeated over its columns: what the grid is told. What is not there leaves its room to others.
  function plan(names, width) {
    const has = (name) => names.includes(name);
    const row = (...cells) => `"${cells.filter(([name]) => name).map(([name, n]) => Array(n).fill(name).join(" ")).join(" ")}"`;
    const rows = [];
    const add = (...cells) => {
      const there = cells.filter(has);
      const each = 24 / there.length;
      if (there.length) rows.push(row(...there.map((name) => [name, each])));
    };
    add("status");
    if (width === "narrow") ["ladder", "chart", "depth", "tape"].forEach((name) => add(name));
    else if (!has("ladder")) { add("chart"); add("depth", "tape"); }
    else {
      const side = width === "wide" ? 9 : 12; // a ladder with its bars beside its numbers has room in it
      const right = 24 - side;
      const below = ["depth", "tape"].filter(has);
      if (width === "wide") {
        if (has("chart")) rows.push(row(["ladder", side], ["chart", right]));
        if (below.length) rows.push(row(["ladder", side], ...below.map((name, i) => [name, below.length === 1 ? right : 8 - i])));
        if (!has("chart") && !below.length) add("ladder");
      } else {
        add("chart");
        for (const name of below) rows.push(row(["ladder", side], [name, right]));
        if (!below.length) add("ladder");
      }
    }
    const rest = names.filter((name) => !["status", "ladder", "chart", "depth", "tape"].includes(name));
    if (width === "wide" && has("event") && has("gaps")) {
      rest.splice(rest.indexOf("event"), 1);
      rest.splice(rest.indexOf("gaps"), 1);
      rows.push(row(["event", 15], ["gaps", 9]));
    }
    rest.forEach((name) => add(name));
    return rows.join(" ");
  }

  // What came, panel by panel, as the store keeps it; `pictures` are never changed, so that a pause can keep some.
  function begin(picture, views) {
    const panels = new Map();
    for (const [name, part] of Object.entries(picture.panels ?? {})) panels.set(name, hold(part, picture, views));
    return { views, panels, head: {} };
  }
  const told = (all) => (all ? { ...all.head, panels: Object.fromEntries([...all.panels].map(([name, part]) => [name, part.picture])) } : {});
  function hold(part, { market, clock, sent, seq }, views) {
    const isShared = part.market === true; // the same as the dashboard's
    const picture = { clock, sent, seq, ...part, ...(isShared ? { market } : null) };
    let series = null;
    safely(() => { if (part.status !== "error") series = views[part.kind]?.begin?.(picture) ?? null; });
    return { picture, series, isShared, isBroken: false };
  }
  // With `isMissing` something before this was lost: what is whole stands again, what only adds to it does not.
  function extend(all, delta, picture, isMissing) {
    if (!all) return;
    for (const name of TOLD) if (name in delta) all.head[name] = delta[name];
    if (isMissing) for (const part of all.panels.values()) part.isBroken = part.series !== null;
    const whole = { ...picture, ...delta };
    const { clock, sent, seq, market } = whole;
    for (const [name, change] of Object.entries(delta.panels ?? {})) {
      const was = all.panels.get(name);
      if (!was) continue;
      if (change.delta) {
        if (was.isBroken) continue;
        safely(() => all.views[was.picture.kind]?.extend?.(was.series, change.delta));
        was.picture = { ...was.picture, clock, sent, seq, ...(was.isShared ? { market } : null) };
        for (const each of HEAD) if (each in change.delta) was.picture[each] = change.delta[each];
      } else all.panels.set(name, hold({ heading: was.picture.heading, settings: was.picture.settings, ...change }, whole, all.views));
    }
  }

  function mount(body, tools) {
    const { make, makeButton, write, writeWords, put, state, views } = tools;
    const top = makeTop();
    const empty = make(body, "d-empty", "", "p");
    const grid = make(body, "d-grid");
    const panels = new Map();
    let planned = "";

    function makeTop() {
      const node = make(body, "d-top");
      // Three lines each: what it is, the number, and what belongs to it.
      const [chance, yes, no, minute] = ["chance", "yes", "no", "minute"].map((name) => {
        const tile = make(node, `d-tile d-${name}`);
        return { what: make(tile, "", "", "span"), number: make(tile, "", "", "b"), more: make(tile, "", "", "span") };
      });
      write(yes.what, "Buy YES");
      write(no.what, "Buy NO");
      return { node, chance, legs: [yes, no], minute };
    }

    // What a card is to its view, for one panel: its own state, its own way to the kernel, and the head's market.
    function makePanel(name, heading) {
      const node = make(grid, `d-panel of-${name}`, "", "section");
      node.style.gridArea = name;
      const head = make(node, "d-head");
      const title = make(head, "d-title", "heading");
      title.setAttribute("aria-level", "4");
      const fold = makeButton(title, "d-fold", "", () => { folded.turn(name); showFold(panel); panel.painted = {}; tools.redraw(); });
      write(make(fold, "d-mark", "", "span"), "");
      write(make(fold, "", "", "span"), heading);
      node.classList.toggle("d-bare", !heading);
      const said = make(head, "d-said", "", "span");
      const chip = make(head, "d-chip", "", "span");
      const inside = make(node, "d-inside");
      const failed = make(node, "d-failed", "", "p");
      write(failed, "this panel failed");
      failed.hidden = true;
      const panel = { name, node, head, fold, said, chip, inside, failed, drawn: null, of: null, painted: {}, hasFailed: false };
      put(node, "aria-label", heading || name);
      showFold(panel);
      return panel;
    }

    const isShut = (panel) => folded.has(panel.name) && !panel.node.classList.contains("d-bare");
    function showFold(panel) {
      const isFolded = isShut(panel);
      panel.inside.hidden = isFolded || panel.hasFailed;
      panel.failed.hidden = isFolded || !panel.hasFailed;
      panel.node.classList.toggle("d-folded", isFolded);
      write(panel.fold.firstChild, isFolded ? "▸" : "▾");
      put(panel.fold, "aria-expanded", !isFolded);
    }

    function facade(name) {
      const own = Object.create(state);
      const part = () => state.series?.panels.get(name);
      Object.defineProperties(own, {
        picture: { get: () => part()?.picture ?? {} },
        series: { get: () => part()?.series ?? null },
        isBroken: { get: () => part()?.isBroken ?? false },
      });
      return own;
    }

    const end = (panel) => safely(() => panel.drawn?.close?.());

    function fill(panel, picture) {
      end(panel);
      panel.inside.textContent = "";
      Object.assign(panel, { of: picture.of, painted: {}, hasFailed: false, drawn: null });
      const view = views[picture.kind];
      const ask = (asked) => tools.ask({ panel: panel.name, asked });
      const redraw = () => { panel.painted = {}; tools.redraw(); };
      attempt(panel, () => {
        if (!view) throw new Error(`no view of ${picture.kind}`);
        panel.drawn = view.mount(panel.inside, { ...tools, ask, redraw, rest: null, state: facade(panel.name) });
      });
      showFold(panel);
    }

    // One that fails says so in its place, once, and is left alone until it is made anew.
    function attempt(panel, call) {
      if (panel.hasFailed) return undefined;
      const failed = () => { panel.hasFailed = true; showFold(panel); };
      return safely(call, failed);
    }

    function lookOf(panel, picture, look) {
      const own = status.of(state, picture, look.pause, look.settings.timezone, look.isBack);
      return { ...look, ...own, room: undefined, settings: { ...look.settings, ...picture.settings } };
    }

    function paintPanel(panel, picture, look, calm) {
      if (panel.of !== picture.of) fill(panel, picture);
      const mine = lookOf(panel, picture, look);
      put(panel.node, "data-body", mine.body);
      panel.inside.classList.toggle("aged", mine.body === "grey");
      const isApart = mine.word !== look.word && mine.word !== "live" && look.word !== "paused";
      const isBroken = state.series?.panels.get(panel.name)?.isBroken;
      writeWords(panel.chip, isApart ? `${mine.glyph} ${mine.words}` : isBroken ? "▲ a message was lost|, asking for all" : "");
      put(panel.chip, "data-tone", isApart ? mine.tone : "warn");
      panel.chip.title = isApart ? mine.note : panel.chip.textContent;
      if (picture.status === "error") return fail(panel, picture);
      if (panel.wasError) { panel.wasError = panel.hasFailed = false; showFold(panel); }
      const was = panel.painted;
      const moved = was.picture !== picture || was.word !== mine.word || was.body !== mine.body;
      const isNew = moved || was.side !== mine.side || was.unit !== mine.unit;
      if (isNew && !isShut(panel)) {
        const still = calm || !was.picture || was.word !== mine.word || was.side !== mine.side;
        attempt(panel, () => panel.drawn.paint(picture, mine, still));
        panel.painted = { picture, word: mine.word, body: mine.body, side: mine.side, unit: mine.unit };
      }
      panel.look = mine;
      panel.picture = picture;
    }

    function fail(panel, picture) {
      write(panel.failed, text.clean(picture.note) || "this panel failed");
      panel.wasError = panel.hasFailed = true;
      panel.painted = {};
      showFold(panel);
    }

    function arrange(parts) {
      const names = Object.keys(parts);
      const key = names.join(" ");
      if (key === planned) return;
      planned = key;
      for (const [name, panel] of panels) if (!names.includes(name)) { end(panel); panel.node.remove(); panels.delete(name); }
      for (const name of names) if (!panels.has(name)) panels.set(name, makePanel(name, parts[name].heading ?? ""));
      for (const name of names) grid.append(panels.get(name).node);
      for (const width of ["wide", "middle", "narrow"]) grid.style.setProperty(`--${width}`, plan(names, width));
    }

    function paint(picture, look, calm) {
      const parts = picture.panels ?? {};
      arrange(parts);
      top.node.hidden = empty.hidden = true;
      if (picture.market) paintTop(picture, look);
      else {
        empty.hidden = false;
        write(empty, "No market is chosen: pick one above, or name it: feed.dashboard(\"…\").");
      }
      const given = { ...look, ticker: picture.market?.ticker }; // for a panel of several markets
      for (const [name, panel] of panels) paintPanel(panel, parts[name], given, calm);
    }

    // What a contract costs: the leg's best ask, which for NO is what is left of the best YES bid.
    function paintTop(picture, look) {
      top.node.hidden = look.body === "result" || look.body === "nothing";
      if (top.node.hidden) return;
      const [bid, ask] = [picture.bids, picture.asks].map((side) => (side?.length ? [text.price(side[0][0]), text.size(side[0][1])] : null));
      const last = picture.last ? text.price(picture.last.price) : undefined;
      const isNo = look.side === "no";
      const leg = (p) => (p === undefined ? undefined : isNo ? 10000 - p : p);
      const [low, high] = isNo ? [ask, bid] : [bid, ask];
      const chance = text.probability(leg(low?.[0]), leg(high?.[0]), leg(last), isNo);
      const isOld = look.body === "grey";
      write(top.chance.what, `${chance.label === "last" ? "Last price" : "Chance"} of ${look.leg}`);
      write(top.chance.number, chance.text);
      put(top.node, "data-body", look.body);
      write(top.chance.more, isOld ? `as it was last${look.word === "stale" ? `, ${look.words.replace("|", "")}` : ""}` : { mid: "between bid and ask", last: "there is no tight market" }[chance.label] ?? "no price supports one");
      const decimals = picture.decimals ?? 0;
      const money = (p) => text.money(p, look.unit, decimals);
      const offers = [[ask?.[0], ask?.[1], bid?.[0]], [bid && 10000 - bid[0], bid?.[1], ask && 10000 - ask[0]]];
      top.legs.forEach(({ number, more }, i) => {
        const [costs, size, sells] = offers[i];
        write(number, costs === undefined || costs === null ? "no offers" : money(costs));
        writeWords(more, `${size ? `${text.compact(size)} offered` : "nothing offered"}|, ${sells === undefined || sells === null ? "nobody buys" : `sell for ${money(sells)}`}`);
      });
      paintMinute(picture.minute, leg, money, look.settings.timezone);
    }

    function paintMinute(minute, leg, money, zone) {
      write(top.minute.what, minute?.since == null ? "Last minute" : `Since ${text.time(minute.since, zone)}`);
      const { trades = 0, contracts = 0, first = null, last = null, gaps = 0 } = minute ?? {};
      const [from, to] = [first, last].map((each) => (each === null ? null : leg(text.price(each))));
      const moved = from !== null && to !== null ? to - from : 0;
      const size = text.size(contracts);
      write(top.minute.number, trades ? text.many(trades, "trade") : "no trades");
      const way = moved > 0 ? "▲ " : moved < 0 ? "▼ " : "";
      const price = to === null ? "price unchanged" : moved ? `${way}${money(from)} → ${money(to)}` : `price still ${money(to)}`;
      writeWords(top.minute.more, `${gaps ? `${text.many(gaps, "gap")} · ` : ""}${price}${trades ? ` · ${text.compact(size)}| ${size === 100 ? "contract" : "contracts"}` : ""}`);
      put(top.minute.more, "data-tone", gaps ? "warn" : "");
      top.minute.more.title = top.minute.more.textContent;
    }

    function tick(picture, look) {
      for (const panel of panels.values()) {
        if (isShut(panel) || !panel.drawn || panel.hasFailed || !panel.picture) continue;
        const mine = lookOf(panel, panel.picture, look);
        attempt(panel, () => panel.drawn.tick?.(panel.picture, mine));
        const said = attempt(panel, () => panel.drawn.note?.(panel.picture, mine));
        write(panel.said, said ?? "");
        panel.said.title = panel.said.textContent;
      }
    }

    const first = () => [...panels.values()].find((panel) => panel.drawn && !panel.hasFailed && panel.name === "ladder");
    return {
      label: (ticker) => `Dashboard of ${ticker}`,
      paint,
      tick,
      isOther: (was, now) => was.chosen !== now.chosen,
      close: () => panels.forEach(end),
      aside: (picture) => (picture.market ? status.lacks(picture) : ""),
      sentence(picture, look) {
        const panel = first();
        return panel?.picture ? panel.drawn.sentence(panel.picture, panel.look) : `${look.words}`;
      },
    };
  }

  return { kind: "dashboard", hasParts: true, controls: ["side", "unit"], begin, extend, told, mount };
})();
