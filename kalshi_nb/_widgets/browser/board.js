// Many markets, a row each: those that the kernel chose, sorted and filtered here, so that it goes on amid a busy cell.
const board = (() => {
  const NUMBERS = ["bid", "ask", "last", "volume", "open_interest", "closes", "state"];
  const STATES = ["", "○ not open", "⊘ halted", "■ closed", "◆ decided", "✕ disputed", "✕ amended", "✓ settled", "▲ stale"];
  const MINUTES = 60;
  const NONE = 0xffff;
  const ASK_MS = 400;
  const LINE = "<svg viewBox='0 0 60 16' width=60 height=16 aria-hidden=true><path></svg>";
  const HEADS = { market: "market", prob: "chance", bid: "bid", ask: "ask", spread: "spread", last: "last", volume: "vol", open_interest: "OI", change: "Δ1h", trend: "1 h", closes: "closes" };
  const NAMES = { prob: "chance", open_interest: "open interest", change: "change", trend: "change", closes: "time of closing", market: "ticker" };

  // Numbers as they came: eight bytes each from a kernel, a list from elsewhere.
  function doubles(given) {
    if (Array.isArray(given)) return Float64Array.from(given, (each) => each ?? NaN);
    const { buffer, byteOffset, byteLength } = given;
    return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
  }
  function shorts(given, count) {
    if (!given?.buffer) return Array.isArray(given) ? Uint16Array.from(given) : new Uint16Array(count).fill(NONE);
    return new Uint16Array(given.buffer.slice(given.byteOffset, given.byteOffset + given.byteLength));
  }

  function begin(picture) {
    if (!picture.tickers) return null;
    const { tickers, titles, subtitles, order, total, minute } = picture;
    const values = Object.fromEntries(NUMBERS.map((name) => [name, doubles(picture.columns[name])]));
    const words = tickers.map((ticker, i) => `${ticker} ${titles[i]} ${subtitles[i]}`.toLowerCase());
    const rows = new Map(tickers.map((ticker, i) => [ticker, i]));
    return { tickers, titles, subtitles, order, total, minute, values, words, rows, mine: picture.mine && new Set(picture.mine), sparks: shorts(picture.sparks, MINUTES * tickers.length) };
  }
  // Where the rows are others by now the whole is under way.
  function extend(series, delta) {
    if (!series || delta.order !== series.order) return;
    series.total = delta.total;
    if ("mine" in delta) series.mine = delta.mine && new Set(delta.mine);
    turn(series, delta.clock);
    if (!delta.rows) return;
    const [rows, columns] = [doubles(delta.rows), NUMBERS.map((name) => doubles(delta.columns[name]))];
    rows.forEach((row, at) => NUMBERS.forEach((name, i) => { series.values[name][row] = columns[i][at]; }));
  }
  // As a minute ends its last price is noted, as the kernel does.
  function turn(series, clock) {
    const gone = Math.min(MINUTES, Math.floor(clock / 60) - series.minute);
    if (!(gone > 0)) return;
    series.minute += gone;
    series.tickers.forEach((_, row) => {
      const own = series.sparks.subarray(MINUTES * row, MINUTES * (row + 1));
      own.copyWithin(0, gone);
      own.fill(parts(chance(series, row)) ?? NONE, MINUTES - gone);
    });
  }
  const copy = (series) => ({ ...series, sparks: series.sparks.slice(), values: Object.fromEntries(NUMBERS.map((name) => [name, series.values[name].slice()])) });

  const parts = (dollars) => (Number.isNaN(dollars) ? undefined : text.price(dollars));
  // What YES is held to be worth: the mid of a tight book, else the last trade where the book does not deny it.
  function chance({ values }, row) {
    const [bid, ask, last] = [values.bid[row], values.ask[row], values.last[row]];
    return ask - bid >= 0 && ask - bid <= 0.1 + 1e-9 ? (bid + ask) / 2 : last < bid || last > ask ? NaN : last;
  }
  const isDecided = ({ values }, row) => values.state[row] > 3 && values.state[row] < 8;
  const told = (series, row) => (isDecided(series, row) ? text.probability() : text.probability(...["bid", "ask", "last"].map((name) => parts(series.values[name][row]))));
  function hour(series, row) {
    const own = series.sparks.subarray(MINUTES * row, MINUTES * (row + 1));
    const first = own.findIndex((each) => each !== NONE);
    return { own, first, minutes: first < 0 ? 0 : MINUTES - first };
  }
  function change(series, row) {
    const { own, first } = hour(series, row);
    const now = parts(chance(series, row));
    return first < 0 || now === undefined ? NaN : now - own[first];
  }
  function worth(series, name, row) {
    if (name === "market") return series.tickers[row];
    if (name === "prob") return isDecided(series, row) ? NaN : chance(series, row);
    if (name === "spread") return series.values.ask[row] - series.values.bid[row];
    return name === "change" || name === "trend" ? change(series, row) : series.values[name][row];
  }

  function sorted(series, { name, down }, words, isMine) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = series.tickers.map((_, row) => row).filter((row) => (!isMine || series.mine?.has(series.tickers[row])) && wanted.every((each) => series.words[row].includes(each)));
    const keys = new Map(rows.map((row) => [row, worth(series, name, row)]));
    const sign = down ? -1 : 1;
    rows.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      const [noX, noY] = [Number.isNaN(x), Number.isNaN(y)];
      if (noX || noY) return noX - noY || a - b;
      return x === y ? a - b : (x < y ? -1 : 1) * sign;
    });
    return rows.map((row) => series.tickers[row]);
  }

  const order = (sort) => ({ name: String(sort).replace("-", ""), down: String(sort).startsWith("-") });

  function mount(body, tools) {
    const { make, makeButton, write, put, ask, redraw, state } = tools;
    const root = make(body, "b-board");
    const bar = make(root, "g-bar");
    const field = make(bar, "b-filter", "", "input");
    Object.assign(field, { type: "search", placeholder: "filter", spellcheck: false, maxLength: 200 });
    field.setAttribute("aria-label", "Only markets with these words");
    const own = makeButton(bar, "b-mine", "my markets", () => { isMine = !isMine; held = null; table.top(); if (isPart()) request(); redraw(); });
    own.title = "Only markets in which you hold a position or have resting orders";
    const words = make(bar, "", "", "span");
    const chip = makeButton(bar, "b-chip", "", () => { held = null; redraw(); });
    const table = grid.mount(root, tools, "Markets", { sort: choose, pick, free: redraw });
    const none = make(root, "g-none");
    chip.hidden = true;
    let sort = null; // what a person chose, else what the kernel goes by
    let picked = null;
    let held = null; // tickers in the order in which they stay while somebody looks at one
    let pending = null;
    let frozen = null;
    let latest = null;
    let waiting = 0;
    let decimals = 0;
    let isFirst = true;
    let isMine = false;
    let seen = null; // how it is looked at

    function request() {
      pending = { sort: `${sort.down ? "-" : ""}${sort.name}`, filter: field.value.trim(), mine: isMine };
      ask(pending);
    }
    function choose(name) {
      sort = { name, down: sort.name === name ? !sort.down : !["market", "closes", "spread"].includes(name) };
      held = null;
      table.top();
      // Of what the kernel has and did not send it alone can tell which come first.
      if (isPart() && name !== "change" && name !== "trend") request();
      redraw();
    }
    const isPart = () => (latest ? latest.total > latest.tickers.length || !!state.picture.filter || !!state.picture.is_mine : false);
    field.addEventListener("input", () => {
      held = null;
      table.top();
      clearTimeout(waiting);
      if (isPart()) waiting = setTimeout(() => { if (field.isConnected) { request(); redraw(); } }, ASK_MS);
      redraw();
    });
    function pick(ticker, more) {
      const was = picked.has(ticker);
      if (!more) picked.clear();
      if (more && was) picked.delete(ticker); else picked.add(ticker);
      ask({ select: [...picked] });
    }

    function number(dollars, look) {
      if (Number.isNaN(dollars)) return "–";
      const p = text.price(dollars);
      return look.unit === "dollars" ? text.money(p, "dollars").replace("$", "") : text.cents(p, decimals);
    }
    // Of two mids, which are finer than prices; no finer than a tenth of a cent, or than prices are here.
    function signed(p, look) {
      const [step, shown] = decimals > 1 ? [1, 2] : [10, 1];
      const round = Math.round(p / step) * step;
      const said = look.unit === "dollars" ? text.money(round, "dollars").replace("$", "") : text.cents(round, shown);
      return round > 0 ? `+${said}` : said;
    }
    function spoken(state, closes, now) {
      const code = !(state > 2) && closes <= now ? 3 : state;
      return STATES[code] || (Number.isNaN(closes) ? "–" : text.countdown(closes - now));
    }
    function path(series, row) {
      const { own, first } = hour(series, row);
      const now = parts(chance(series, row));
      const points = [...own, now ?? NONE].slice(1);
      const known = points.filter((each) => each !== NONE);
      if (first < 0 && now === undefined) return ["", ""];
      const [low, high] = [Math.min(...known), Math.max(...known)];
      const y = (p) => (high === low ? 8 : 15 - (14 * (p - low)) / (high - low)).toFixed(1);
      let d = "";
      points.forEach((p, i) => { if (p !== NONE) d += `${d && points[i - 1] !== NONE ? "L" : "M"}${i} ${y(p)}`; });
      // A lone point is a dash, or it would not be seen.
      return [known.length === 1 ? `${d}h1` : d, `lowest ${text.cents(low)}¢, highest ${text.cents(high)}¢`];
    }

    function fill(node, ticker, isSame, names, calm) {
      const [series, look] = [latest, seen];
      const row = series.rows.get(ticker);
      const { values } = series;
      const gone = spoken(values.state[row], values.closes[row], look.now);
      const isOld = STATES.includes(gone) && gone !== STATES[1] && gone !== "";
      node.row.classList.toggle("b-old", isOld);
      const [title, strike] = [text.clean(series.titles[row]), text.clean(series.subtitles[row])];
      names.forEach((name, i) => {
        const cell = node.cells[i];
        if (name === "market") {
          node.parts.market ??= [make(cell, "b-ticker", "", "span"), make(cell, "b-strike", "", "span")];
          write(node.parts.market[0], text.clean(ticker));
          write(node.parts.market[1], [strike, title].filter(Boolean).join(" · "));
          put(cell, "title", [text.clean(ticker), title, strike].filter(Boolean).join(" · "));
          return;
        }
        if (name === "trend") {
          if (!node.parts.line) {
            cell.append(new DOMParser().parseFromString(LINE, "text/html").body.firstChild); // of no words but these
            node.parts.line = cell.firstChild.firstChild;
          }
          const [d, tip] = path(series, row);
          put(node.parts.line, "d", d);
          put(cell, "title", tip);
          put(cell, "aria-label", tip || "not known");
          return;
        }
        const value = worth(series, name, row);
        const before = isSame ? node.parts[name] : undefined;
        node.parts[name] = value;
        let said;
        if (name === "prob") {
          const found = told(series, row);
          said = `${found.label === "last" ? "last " : ""}${found.text}`;
          put(cell, "data-by", found.label);
          put(cell, "title", { last: "the last trade: there is no tight market", mid: "between bid and ask" }[found.label] ?? (isDecided(series, row) ? "decided" : "no price supports one"));
        } else if (name === "closes") {
          said = gone;
          put(cell, "title", Number.isNaN(value) ? "" : text.date(value));
          put(cell, "data-tone", !STATES.includes(gone) && value - look.now <= 60 ? "warn" : "");
        } else if (name === "volume" || name === "open_interest") {
          said = Number.isNaN(value) ? "–" : text.compact(text.size(value));
          put(cell, "title", Number.isNaN(value) ? "" : `${text.count(text.size(value), true)} contracts`);
        } else if (name === "change") {
          const { minutes } = hour(series, row);
          said = Number.isNaN(value) ? "–" : signed(value, look);
          put(cell, "title", minutes ? `since ${minutes} min ago` : "");
        } else said = number(value, look);
        const moved = before !== undefined && value !== before && !Number.isNaN(value) && !Number.isNaN(before);
        if (name === "last" && moved) node.parts.arrow = value > before ? "▲" : "▼";
        if (name === "last" && !isSame) node.parts.arrow = "";
        write(cell, name === "last" && node.parts.arrow ? `${node.parts.arrow}${said}` : said);
        if (moved && !calm && name !== "closes" && name !== "change") table.flash(node, i, value > before, look.reduced);
      });
    }

    function paint(picture, look, calm) {
      if (look.word !== "paused") frozen = null;
      else frozen ??= state.series && copy(state.series);
      const series = frozen ?? state.series;
      const isEmpty = !series?.tickers.length;
      none.hidden = !isEmpty;
      write(none, look.word === "connecting" ? "waiting for the first ticker" : picture.is_mine ? "no market of yours" : picture.filter ? "no market with these words" : "no market");
      const names = look.settings.columns ?? Object.keys(HEADS);
      table.setColumns(names.filter((name) => name in HEADS).map((name) => ({ name, head: HEADS[name], title: NAMES[name] ?? name, sort: true })));
      table.fit(look.room);
      if (!series) return;
      if (isFirst) { field.value = picture.filter ?? ""; isMine = !!picture.is_mine; isFirst = false; }
      own.hidden = !series.mine && !isMine;
      put(own, "aria-pressed", isMine);
      sort ??= order(picture.sort);
      picked ??= new Set(picture.selected ?? []);
      if (pending && pending.sort === picture.sort && pending.filter === picture.filter && pending.mine === !!picture.is_mine) pending = null;
      const fresh = latest !== series;
      [latest, seen] = [series, look];
      const { bid, ask: asks, last } = series.values;
      for (const column of [bid, asks, last]) for (const each of column) if (decimals < 2 && !Number.isNaN(each)) decimals = Math.max(decimals, text.needed(text.price(each)));
      const now = sorted(series, sort, field.value, isMine);
      let moved = 0;
      if (table.isHeld() && held) {
        const there = new Set(now);
        held = held.filter((each) => there.has(each));
        const had = new Set(held);
        held.push(...now.filter((each) => !had.has(each)));
        moved = held.reduce((all, each, i) => all + (each !== now[i]), 0);
      } else held = now;
      chip.hidden = !moved;
      write(chip, `${moved} moved, resume order`);
      write(words, pending ? "re-sorting…" : moved ? "" : `by ${NAMES[sort.name] ?? sort.name} ${sort.down ? "▼" : "▲"}`);
      const minutes = series.tickers.reduce((most, _, row) => (most >= MINUTES ? most : Math.max(most, hour(series, row).minutes)), 0);
      const heads = minutes && minutes < MINUTES - 1 ? { change: `Δ${minutes}m`, trend: `${minutes} min` } : {};
      table.draw({ keys: held, picked, sort, heads, fill: (node, key, isSame) => fill(node, key, isSame, names, calm || fresh) });
    }

    function tick(picture, look) {
      table.tick();
      if (look.word === "paused" || !latest) return;
      turn(state.series, look.now);
      if (seen === look) return; // it was painted just now
      seen = look;
      table.draw();
    }
    function note(picture) {
      if (!latest?.tickers.length) return "";
      const [shown, total] = [latest.tickers.length, latest.total];
      const count = (n) => text.count(100 * n);
      const by = order(picture.sort).name;
      return shown < total ? `${count(shown)} of ${count(total)} open markets, by ${NAMES[by] ?? by}` : `${count(shown)} market${shown === 1 ? "" : "s"}`;
    }
    function sentence() {
      if (!held?.length) return "no market";
      const row = latest.rows.get(held[0]);
      return `${note(state.picture)}; first ${held[0]}, ${told(latest, row).text}`;
    }
    return { label: (title) => `Board of ${title}`, paint, tick, note, sentence };
  }

  return { kind: "board", controls: ["unit"], mount, begin, extend };
})();
