// Prices over time: trades as steps or candles, bid and ask as a band, gaps to scale. Prices are whole hundredths of a
// cent of the leg that is shown, moments epoch seconds.
const chart = (() => {
  const DOLLAR = 10000;
  const HEIGHT = 220;
  const SPANS = [60, 300, 900, 3600, 21600, 86400]; // seconds
  const WINDOWS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "6h": 21600, all: null };
  const LEAST = 500; // hundredths of a cent that the axis spans at least
  const GAP = ["▨", "warn", "gap"];
  const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4], [4, 2, 1, 2]]; // of several markets
  const numbers = (column) => (Array.isArray(column) ? column : plot.column(column));
  const rowsOf = (columns) => {
    const [first, ...others] = (columns ?? []).map(numbers);
    return (first ?? []).map((each, i) => [each, ...others.map((column) => column[i])]);
  };

  // All that came, in rows. A change has rows that come first, how many old ones go, how many stay, and rows behind.
  const ROWS = ["trades", "candles", "quotes"];
  function begin(picture) {
    const rows = Object.fromEntries(ROWS.map((name) => [name, rowsOf(picture[name])]));
    const lines = (picture.lines ?? []).map(([ticker, words, isMid, columns]) => ({ ticker, words: text.clean(words), isMid, points: rowsOf(columns) }));
    return { ...picture, ...rows, lines };
  }
  const changed = (rows, change) => (change ? [...rowsOf(change[0]), ...rows.slice(change[1], change[1] + change[2]), ...rowsOf(change[3])] : rows);
  function extend(series, delta) {
    const rows = Object.fromEntries(ROWS.map((name) => [name, changed(series[name], delta[name])]));
    const lines = series.lines.map((line, i) => ({ ...line, points: changed(line.points, delta.lines?.[i]) }));
    Object.assign(series, delta, rows, { lines });
  }

  // Rows for uPlot, by time, of groups of [moment, value …], each with the number of values and whether these stand until
  // the next: null breaks a line, undefined is passed over. A gap breaks all lines where it begins; one that is broken
  // stays so until it has something to say, and what stood did so until there.
  function merge(groups, gaps) {
    const width = groups.reduce((all, [, n]) => all + n, 1);
    const stands = [];
    const last = [];
    const rows = groups.flatMap(([points, n, isStanding]) => {
      const at = stands.length + 1;
      for (let i = 0; i < n; i++) stands.push(isStanding);
      return points.map((point) => {
        const row = [point[0]];
        for (let i = 0; i < n; i++) row[at + i] = point[1 + i];
        return row;
      });
    });
    const holes = new Set(gaps.map(([since]) => [since]));
    rows.push(...holes);
    rows.sort((a, b) => a[0] - b[0]);
    const all = rows.flatMap((row) => {
      const [end, own] = [[row[0]], [row[0]]];
      for (let i = 1; i < width; i++) {
        const isOver = holes.has(row) || row[i] === null || (last[i] === null && row[i] === undefined);
        if (isOver && stands[i - 1] && last[i] != null) end[i] = last[i];
        last[i] = isOver ? null : row[i] ?? last[i];
        own[i] = isOver ? null : row[i];
      }
      return end.length > 1 ? [end, own] : [own];
    });
    return Array.from({ length: width }, (_, i) => all.map((row) => row[i]));
  }

  // The prices that the axis reaches from and to: whole cents, and room below, for what was traded.
  function reach(prices, isFull, below = 0.25) {
    let [low, high] = isFull || !prices.length ? [0, DOLLAR] : [Math.min(...prices), Math.max(...prices)];
    const short = LEAST - (high - low);
    if (short > 0) { low -= short / 2; high += short / 2; }
    if (low < 0) { high -= low; low = 0; }
    if (high > DOLLAR) { low = Math.max(0, low - (high - DOLLAR)); high = DOLLAR; }
    [low, high] = [Math.floor(low / 100) * 100, Math.ceil(high / 100) * 100];
    return [low - (high - low) * below, high + (high - low) * 0.04];
  }

  function mount(body, tools) {
    const { make, makeButton, makeTools, write, put, ask, redraw, state } = tools;
    let windows = {};
    let chosen; // seconds, until the kernel sends so much of the past
    let paper = null;
    let live = null;
    let look = {};
    let picture = {}; // what came, as it was when a person stopped here
    let zoomed = null;
    let seen = { trades: [], candles: [], quotes: [], gaps: [], lines: [] };
    let values = [[]];
    let decimals = 0;
    let fractional = false;

    const isNo = () => look.side === "no";
    const money = (p, least = decimals) => text.money(Math.round(p), look.unit, least);
    const count = (n) => text.count(n, fractional);
    const isCandles = () => look.settings.bars != null;
    const isSeveral = () => seen.lines.length > 0;
    const leg = (dollars) => (dollars == null ? null : isNo() ? DOLLAR - text.price(dollars) : text.price(dollars));

    function take() {
      const swap = isNo();
      const trades = picture.trades.map(([at, price, size]) => [at, leg(price), text.size(size)]);
      const quotes = picture.quotes.map(([at, bid, ask]) => [at, ...(swap ? [leg(ask), leg(bid)] : [leg(bid), leg(ask)])]);
      const candles = picture.candles.map(([at, open, high, low, close, size, whole]) => ({
        at, open: leg(open), high: leg(swap ? low : high), low: leg(swap ? high : low), close: leg(close), size: text.size(size), whole: whole === 1,
      }));
      fractional ||= [...trades.map((each) => each[2]), ...candles.map((each) => each.size)].some((size) => !text.isWhole(size));
      const lines = picture.lines.map((line) => ({ ...line, points: line.points.map(([at, price]) => [at, leg(price)]) }));
      const gaps = [...(picture.gaps ?? []), ...(state.isBroken ? [[picture.clock, null]] : [])];
      seen = { trades, quotes, candles, gaps, lines };
    }

    function options(sheet) {
      const line = (label, name, own) => ({ label, stroke: () => sheet.colour(name), width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, ...own });
      return {
        scales: { x: { time: true } },
        axes: [{}, { values: (self, splits) => splits.map((each) => (each < 0 || each > 100 ? "" : text.money(Math.round(each * 100), look.unit, 0))), space: 30, size: 56 }],
        padding: [null, isSeveral() ? (self) => Math.min(130, self.width * 0.3) : null, null, null],
        series: isSeveral() ? [{}, ...seen.lines.map(({ words }, i) => line(words, `m${i}`, { dash: DASHES[i], width: 2 }))] : [
          {},
          line("price", "ink", isCandles() ? { paths: () => null } : { width: 2, points: { show: (self, i, from, to) => to - from < 150, size: 4 } }),
          line("bid", "bid"),
          line("ask", "ask", { dash: [6, 3] }),
        ],
        bands: isSeveral() ? [] : [{ series: [3, 2], fill: () => sheet.fade("ink", 0.06) }],
        hooks: { draw: isSeveral() ? [drawNames] : [drawTraded, drawCandles, drawResult, drawMarks] },
      };
    }

    const place = (self, at, cents) => [self.valToPos(at, "x", true), self.valToPos(cents, "y", true)];
    function clipped(self, draw) {
      const { ctx, bbox } = self;
      ctx.save();
      ctx.setLineDash([]); // what was drawn before may have left its own
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      draw(ctx, bbox, devicePixelRatio);
      ctx.restore();
    }
    // What a line is called stands at its end, and none over another.
    function drawNames(self) {
      const { ctx, bbox } = self;
      const dot = devicePixelRatio;
      const ends = seen.lines.map(({ words, points }, i) => [words, i, points.filter(([at, p]) => p != null && at <= self.scales.x.max).at(-1)]).filter((each) => each[2]);
      const x = bbox.left + bbox.width + 5 * dot;
      let least = bbox.top + 6 * dot;
      ctx.save();
      ctx.font = `${11 * dot}px system-ui, sans-serif`;
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      for (const [words, i, y] of ends.map(([words, i, [, p]]) => [words, i, self.valToPos(p / 100, "y", true)]).sort((a, b) => a[2] - b[2])) {
        const at = Math.max(least, y);
        let told = words;
        while (told && ctx.measureText(told).width > ctx.canvas.width - x) told = `${told.slice(0, -2)}…`;
        ctx.fillStyle = paper.colour(`m${i}`);
        ctx.fillText(told, x, at);
        least = at + 13 * dot;
      }
      ctx.restore();
    }
    const inSight = (self) => seen.candles.filter(({ at }) => at + picture.every >= self.scales.x.min && at <= self.scales.x.max);

    function drawTraded(self) {
      clipped(self, (ctx, bbox, dot) => {
        const shown = inSight(self);
        const most = Math.max(1, ...shown.map((each) => each.size));
        ctx.fillStyle = paper.fade("rule", 0.7);
        for (const { at, size } of shown) {
          const [left, right] = [at, at + picture.every].map((x) => self.valToPos(x, "x", true));
          const high = Math.max(dot, (size / most) * bbox.height * 0.18);
          ctx.fillRect(left + dot / 2, bbox.top + bbox.height - high, Math.max(dot, right - left - dot), high);
        }
      });
    }

    // Hollow where the price rose, filled where it fell, striped where trades may be missing.
    function drawCandles(self) {
      if (!isCandles()) return;
      clipped(self, (ctx, bbox, dot) => {
        for (const each of inSight(self)) {
          const rose = each.close >= each.open;
          const [middle, high] = place(self, each.at + picture.every / 2, each.high / 100);
          const [right, low] = place(self, each.at + picture.every, each.low / 100);
          const [top, foot] = [Math.max(each.open, each.close), Math.min(each.open, each.close)].map((p) => self.valToPos(p / 100, "y", true));
          const half = Math.max(dot, Math.min(8 * dot, (right - middle) * 0.7));
          const tall = Math.max(dot, foot - top);
          ctx.strokeStyle = ctx.fillStyle = paper.colour(rose ? "bid" : "ask");
          ctx.lineWidth = dot;
          ctx.beginPath();
          for (const [from, to] of [[high, top], [foot, low]]) { ctx.moveTo(middle, from); ctx.lineTo(middle, to); }
          ctx.stroke();
          if (!each.whole) paper.hatch(ctx, middle - half, top, 2 * half, tall, ctx.strokeStyle, 3);
          else if (!rose) ctx.fillRect(middle - half, top, 2 * half, tall);
          ctx.strokeRect(middle - half, top, 2 * half, tall);
        }
      });
    }

    function drawResult(self) {
      const { result, settlement } = picture.market ?? {};
      const paid = { yes: 1, no: 0 }[result] ?? settlement;
      if (paid == null) return;
      clipped(self, () => {
        paper.line(self, place(self, 0, leg(paid) / 100)[1], true, "live", [2, 3]);
      });
    }

    // What happened to the market, and one's own fills: a line upright, and words that stand over no others.
    const fillWords = ([outcome, , size]) => `◆ ${text.count(text.size(size))} ${outcome === "no" ? "NO" : "YES"}`;
    const marks = () => [
      ...(picture.marks ?? []).map(([at, word]) => [at, word]),
      ...(picture.fills ?? []).map((fill) => [fill[3], fillWords(fill), leg(fill[1])]),
    ];
    function drawMarks(self) {
      clipped(self, (ctx, bbox, dot) => {
        const taken = [-Infinity, -Infinity];
        for (const [at, words, p] of marks().sort((a, b) => a[0] - b[0])) {
          const isOwn = p !== undefined;
          const [x, y] = place(self, at, isOwn ? p / 100 : 0);
          const colour = isOwn ? "ink" : "dim";
          paper.line(self, x, false, colour, isOwn ? [1, 3] : [4, 2]);
          taken[+isOwn] = paper.label(self, words.replace("◆ ", ""), x, bbox.top + bbox.height - (isOwn ? 24 : 9) * dot, colour, taken[+isOwn]);
          if (!isOwn) continue;
          ctx.fillStyle = paper.colour(colour);
          ctx.textAlign = "center";
          ctx.textBaseline = "middle";
          ctx.fillText("◆", x, y);
        }
      });
    }
    const written = (p) => (p == null ? "–" : money(p));
    const moment = (at) => text.time(at, look.settings.timezone);
    function told(index) {
      const at = values[0][index];
      if (at === undefined || (isSeveral() ? values.slice(1) : values.slice(1, 2)).every((column) => column[index] === null)) return undefined;
      if (isSeveral()) return [moment(at), ...seen.lines.map(({ words, points }) => `${words} ${written(points.filter((row) => row[0] <= at).at(-1)?.[1])}`)].join(" · ");
      const before = (rows) => rows.filter((row) => row[0] <= at).at(-1);
      const [trade, quote] = [before(seen.trades), before(seen.quotes)];
      const candle = isCandles() && seen.candles.find((each) => each.at <= at && at < each.at + picture.every);
      const words = [moment(at)];
      if (candle) words.push(`open ${money(candle.open)}, high ${money(candle.high)}, low ${money(candle.low)}, close ${money(candle.close)}, ${count(candle.size)} contracts${candle.whole ? "" : ", not complete"}`);
      else if (trade) words.push(`${money(trade[1])} × ${count(trade[2])}${trade[0] === at ? "" : ` at ${moment(trade[0])}`}`);
      if (quote) words.push(`bid ${written(quote[1])}, ask ${written(quote[2])}`);
      const near = (values[0].at(-1) - values[0][0]) / 100;
      words.push(...marks().filter((each) => Math.abs(each[0] - at) <= near).map((each) => each[1]));
      return words.join(" · ");
    }

    function summary() {
      const name = look.leg;
      const gaps = seen.gaps.length ? `, ${text.many(seen.gaps.length, "gap")}` : "";
      if (isSeveral()) return `Prices of ${name}: ${seen.lines.map(({ words, points }) => `${words} ${written(points.at(-1)?.[1])}`).join(", ")}${gaps}`;
      const prices = seen.trades.map((each) => each[1]);
      if (!prices.length) return `Price of ${name}: no trades in this time`;
      return `Price of ${name}: last ${money(prices.at(-1))}, from ${money(Math.min(...prices))} to ${money(Math.max(...prices))}, ${count(text.size(picture.traded ?? 0))} contracts${gaps}${marks().map((each) => `, ${each[1]} at ${moment(each[0])}`).join("")}`;
    }

    function rows() {
      if (isSeveral()) {
        const lines = seen.lines.flatMap(({ words, points }) => points.map(([at, p]) => [at, words, written(p)]));
        return { heads: ["time", "market", "price"], lines: lines.sort((a, b) => a[0] - b[0]).map(([at, ...cells]) => [moment(at), ...cells]) };
      }
      if (!isCandles()) return { heads: ["time", "price", "contracts"], lines: seen.trades.map(([at, price, size]) => [moment(at), money(price), count(size)]) };
      const heads = ["from", "open", "high", "low", "close", "contracts"];
      return { heads, lines: seen.candles.map((each) => [moment(each.at), ...[each.open, each.high, each.low, each.close].map((p) => money(p)), count(each.size)]) };
    }

    function wordsOf() {
      if (look.body === "waiting") return "waiting for trades";
      return [seen.trades, seen.quotes, ...seen.lines.map((each) => each.points)].some((each) => each.length) ? "" : isSeveral() ? "no prices in this time" : "no trades in this time";
    }

    function span(now) {
      const first = Math.min(now - 60, ...[seen.trades, seen.quotes, ...seen.lines.map((each) => each.points)].flatMap((each) => each.slice(0, 1).map((row) => row[0])));
      // While there is little, as much of the past as has something: an hour of nothing says nothing.
      const least = SPANS.find((each) => each >= now - first) ?? now - first;
      return [now - Math.min(seconds() ?? Infinity, least), now];
    }
    const seconds = () => (chosen === undefined ? picture.seconds : chosen);
    const edge = () => (look.word === "live" ? look.now : picture.clock ?? look.now);
    function choose(name) {
      chosen = WINDOWS[name];
      ask({ window: name });
      zoomed = null;
      redraw();
    }

    function refresh(now) {
      const { trades, quotes, gaps, candles, lines } = seen;
      // What stands now stood until now; where data is missing nobody knows.
      const isNow = look.word === "live" && !gaps.some(([, to]) => to == null);
      const standing = (rows) => (isNow && rows.length ? [...rows, [Math.max(now, rows.at(-1)[0]), ...rows.at(-1).slice(1)]] : rows);
      const points = isCandles() ? candles.map((each) => [each.at + picture.every / 2, each.close]) : trades;
      const groups = isSeveral() ? lines.map((each) => [each.isMid ? standing(each.points) : each.points, 1, each.isMid]) : [[points, 1], [standing(quotes), 2, true]];
      const [from, to] = zoomed ?? span(now);
      const inside = (at) => at >= from && at <= to;
      const prices = [
        ...(isSeveral() ? [] : trades.filter(([at]) => inside(at)).map((each) => each[1])),
        ...(isCandles() ? candles.filter(({ at }) => inside(at)).flatMap((each) => [each.low, each.high]) : []),
        ...groups.slice(isSeveral() ? 0 : 1).flatMap(([rows]) => rows.filter(([at]) => inside(at)).flatMap((each) => each.slice(1))).filter((each) => each != null),
      ];
      values = merge(groups, gaps);
      const cents = values.map((column, i) => (i ? column.map((each) => (each == null ? each : each / 100)) : column));
      paper.draw(cents, { x: [from, to], y: reach(prices, look.settings.y === "full", isSeveral() ? 0.04 : undefined).map((each) => each / 100) });
      paper.say(wordsOf());
      const most = Math.max(0, ...candles.filter((each) => inside(each.at)).map((each) => each.size));
      paper.rest(isSeveral() ? [GAP] : [
        ...(isCandles() ? [["▯", "bid", "rose"], ["▮", "ask", "fell"]] : [["━", "ink", "trades"]]),
        ["─", "bid", "bid"], ["┄", "ask", "ask"], ["◆", "ink", "|own |fill"], GAP,
        ["▮", "rule", `volume${most ? `|, ${text.compact(most)} at most in ${text.age(picture.every)}` : ""}`],
      ]);
      live.hidden = !zoomed;
      for (const [name, button] of Object.entries(windows)) put(button, "aria-pressed", (seconds() ?? null) === WINDOWS[name]);
    }

    function open() {
      const made = plot.make(body, tools, {
        height: HEIGHT,
        room: () => look.room,
        options,
        summary,
        rows,
        read: told,
        zone: () => look.settings.timezone,
        holes: () => seen.gaps.map(([since, to]) => [since, to ?? look.now, `gap ${to == null ? text.age(look.now - since) : text.lasted(to - since)}`]),
        zoom: (from, to) => { zoomed = [from, to]; refresh(edge()); },
        reset: back,
      });
      live = makeButton(made.box, "back", "● back to live", back);
      const groups = [Object.keys(WINDOWS).map((name) => ({ name, words: name, label: `${name} of the past`, press: () => choose(name) }))];
      windows = makeTools(make(made.foot, "windows", "toolbar"), groups, "How much of the past");
      return made;
    }
    function back() {
      zoomed = null;
      refresh(edge());
    }
    function press() {
      const names = Object.keys(WINDOWS);
      choose(names[(names.findIndex((name) => WINDOWS[name] === (seconds() ?? null)) + 1) % names.length]);
    }

    function paint(next, given) {
      look = given;
      if (look.word !== "paused" || next.status === "paused" || !picture.clock) picture = { ...begin({}), ...state.series, market: next.market };
      decimals = Math.max(decimals, picture.decimals ?? 0);
      if (chosen === picture.seconds) chosen = undefined;
      take();
      paper ??= open();
      refresh(edge());
    }

    function tick(next, given) {
      look = given;
      if (paper && look.word === "live") refresh(look.now);
    }

    function note() {
      const last = seen.trades.at(-1);
      if (chosen !== undefined && picture.seconds && !(chosen && chosen < picture.seconds)) return "asking for more of the past";
      if (isSeveral()) return seen.lines.every((each) => each.isMid) ? "mids of books with a spread of 10¢ at most" : "";
      return last ? `last ${money(last[1])} × ${count(last[2])}, ${text.age(look.now - last[0])} ago` : "";
    }

    return { label: (ticker) => `Price of ${ticker}`, paint, tick, press, note, sentence: summary, close: () => paper?.close() };
  }

  return { kind: "chart", keys: { w: "how much of the past" }, mount, begin, extend };
})();
