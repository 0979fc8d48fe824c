// A book as its depth: both sides added up from the touch outwards, in steps; bids left and solid, asks right and dashed.
// Prices are whole hundredths of a cent of the leg that is shown, sizes whole hundredths of a contract.
const depth = (() => {
  const DOLLAR = 10000;
  const AROUND = [500, 1000, 2000]; // how far from the touch, as far as most of the contracts lie
  const MOST = 0.95;
  const NEAR = [100, 200, 500, 1000, 2000];
  const AT_REST = 500;
  const HEIGHT = 180;

  // Each level with all that lies between it and the best, and what taking it all moves, in 1/1000000 dollar.
  function addUp(levels) {
    let [total, cost] = [0, 0];
    return levels.map(([p, size]) => {
      total += size;
      cost += p * size;
      return { p, total, cost };
    });
  }
  // What lies no further than a distance from the touch.
  const within = (steps, far) => steps.filter((each) => Math.abs(each.p - steps[0].p) <= far).at(-1);

  // The narrowest window that has most of either side.
  function around(sides) {
    const has = (steps, far) => within(steps, far).total >= MOST * steps.at(-1).total;
    const far = AROUND.find((each) => sides.every((steps) => has(steps, each))) ?? AROUND.at(-1);
    const touch = sides.map((steps) => steps[0].p);
    return [Math.min(...touch) - far, Math.max(...touch) + far];
  }

  // The next round number.
  function nice(n) {
    const unit = 10 ** Math.floor(Math.log10(Math.max(1, n)));
    return unit * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * unit >= n);
  }

  // Columns for the chart: prices in cents, and the contracts of bids and asks at each.
  function columns({ bids, asks }, [low, high], isLog) {
    const inside = [...bids, ...asks].map((each) => each.p).filter((p) => p > low && p < high);
    const prices = [...new Set([low, ...inside, high])].sort((a, b) => a - b);
    const [bid, ask] = [bids[0]?.p, asks[0]?.p];
    const isApart = bid < ask; // only then can both stand on the ground between the two
    const ground = isLog ? null : 0;
    const at = (steps, p, isBid) => {
      if (!steps.length) return null;
      const sign = isBid ? 1 : -1;
      if ((p - steps[0].p) * sign > 0) return isApart && p === (isBid ? ask : bid) ? ground : null;
      return steps.filter((each) => (each.p - p) * sign >= 0).at(-1).total / 100;
    };
    return [prices.map((p) => p / 100), prices.map((p) => at(bids, p, true)), prices.map((p) => at(asks, p, false))];
  }

  function mount(body, tools) {
    const { make, write } = tools;
    let paper = null;
    let missing = null;
    let look = {};
    let book = { bids: [], asks: [] };
    let prices = [];
    let decimals = 0;
    let fractional = false;
    let shown = null; // the window, which moves only where the touch has moved far in it
    let full = 0;

    const isNo = () => look.side === "no";
    const money = (p, least = decimals) => text.money(p, look.unit, least);
    const count = (n) => text.count(n, fractional);
    const average = ({ cost, total }) => {
      const grain = decimals > 1 ? 1 : 10; // no finer than what is written
      return money(Math.round(cost / total / grain) * grain, Math.max(1, decimals));
    };

    function read(picture) {
      const levels = (rows, isMirrored) => (rows ?? []).map(([p, size]) => [isMirrored ? DOLLAR - text.price(p) : text.price(p), text.size(size)]);
      const [bids, asks] = [levels(picture.bids, isNo()), levels(picture.asks, isNo())];
      return isNo() ? { bids: asks, asks: bids } : { bids, asks };
    }

    function options(sheet) {
      const steps = (align) => uPlot.paths.stepped({ align });
      const side = (label, name, align, dash) => ({
        label,
        paths: steps(align),
        stroke: () => sheet.colour(name),
        fill: () => sheet.fade(name, 0.18),
        width: 2,
        dash,
        points: { show: false },
      });
      return {
        scales: { x: { time: false }, y: look.settings.scale === "log" ? { distr: 3, log: 10 } : {} },
        axes: [
          { values: (self, splits) => splits.map((each) => text.money(Math.round(each * 100), look.unit, 0)) },
          { values: (self, splits) => splits.map((each) => (each === null || (look.settings.scale === "log" && !/^10*$/.test(String(each))) ? "" : text.compact(Math.round(each * 100)))), space: 34 },
        ],
        series: [{}, side("bids", "bid", -1), side("asks", "ask", 1, [6, 3])],
        hooks: { draw: [drawMiddle] },
      };
    }

    function drawMiddle(self) {
      const [bid, ask] = [book.bids[0]?.p, book.asks[0]?.p];
      if (bid === undefined || ask === undefined) return;
      const { ctx, bbox } = self;
      const x = Math.round(self.valToPos((bid + ask) / 200, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.save();
      paper.line(self, x, false, "rule", [2, 3]);
      paper.label(self, `mid ${text.middle(bid, ask, look.unit, decimals)}`, x, bbox.top + 5 * devicePixelRatio, "dim");
      ctx.restore();
    }

    // Both sides at once, as far from the touch as what is pointed at.
    function told(index) {
      const p = Math.round((prices[index] ?? NaN) * 100);
      const { bids, asks } = book;
      if (Number.isNaN(p) || !(bids.length || asks.length)) return undefined;
      return both(Math.max(0, bids.length ? bids[0].p - p : 0, asks.length ? p - asks[0].p : 0)).replaceAll("|", "");
    }
    function both(far) {
      const { bids, asks } = book;
      const words = (steps, verb, way, none) => {
        if (!steps.length) return none;
        const found = within(steps, far);
        return `${verb} ${count(found.total)} ${way} ${money(found.p)}: |average |${average(found)}, ${text.dollars(found.cost / 1e6)}| before fees|`;
      };
      return `${words(bids, "sell", "down to", "no bids to sell to")}\n${words(asks, "buy", "up to", "no asks to buy from")}`;
    }

    function summary() {
      const { bids, asks } = book;
      const words = (steps, name) => (steps.length ? `${count(steps.at(-1).total)} contracts ${name} from ${money(steps[0].p)} to ${money(steps.at(-1).p)}` : `no ${name}`);
      return `Depth of the ${look.leg} leg: ${words(bids, "bid")}, ${words(asks, "asked")}`;
    }

    function rows() {
      const heads = ["within", "bids", "sold at", "asks", "bought at"];
      const cells = (steps, far, none) => (steps.length ? [count(within(steps, far).total), average(within(steps, far))] : [none, "–"]);
      return { heads, lines: NEAR.map((far) => [`${far / 100}¢`, ...cells(book.bids, far, "no bids"), ...cells(book.asks, far, "no asks")]) };
    }

    // A window, and a height, that moved with each change would make the chart unreadable.
    function settle(sides) {
      if (!sides.length) { shown ??= [0, DOLLAR]; return; }
      const [low, high] = around(sides);
      const slack = 200;
      const isFar = !shown || Math.abs(shown[0] - Math.max(0, low)) > slack || Math.abs(shown[1] - Math.min(DOLLAR, high)) > slack;
      if (isFar) shown = [Math.max(0, Math.floor(low / 100) * 100), Math.min(DOLLAR, Math.ceil(high / 100) * 100)];
    }
    function measure(values, isLog) {
      const all = values.slice(1).flat().filter(Boolean);
      if (!all.length) return isLog ? [1, 100] : [0, full || 100];
      const most = Math.max(1, ...all);
      if (isLog) return [10 ** Math.floor(Math.log10(Math.min(most, ...all))), 10 ** Math.ceil(Math.log10(most * 1.05))];
      // Room above for the word at the middle.
      const wanted = nice(most * 1.12);
      if (most > full || wanted < full / 2) full = wanted;
      return [0, full];
    }

    function wordsOf(picture) {
      if (look.body === "result") { const [leg, pays] = status.outcome(picture.market); return `${look.glyph} ${leg} · ${pays}`; }
      if (look.body === "waiting") return "waiting for the snapshot";
      if (look.body === "nothing") return "no such market";
      return book.bids.length || book.asks.length ? "" : "no resting orders";
    }

    function paint(picture, given) {
      if (look.side !== given.side) { shown = null; full = 0; }
      look = given;
      paper ??= open();
      const levels = ["result", "nothing"].includes(look.body) ? { bids: [], asks: [] } : read(picture);
      const all = [...levels.bids, ...levels.asks];
      decimals = Math.max(decimals, picture.decimals ?? 0, ...all.map(([p]) => text.needed(p)));
      fractional ||= all.some(([, size]) => !text.isWhole(size));
      book = { bids: addUp(levels.bids), asks: addUp(levels.asks) };
      const sides = [book.bids, book.asks].filter((each) => each.length);
      settle(sides);
      const isLog = look.settings.scale === "log";
      const values = columns(book, shown, isLog);
      [prices] = values;
      write(missing, sides.length === 1 ? (book.bids.length ? "no asks" : "no bids") : "");
      missing.className = `missing ${book.bids.length ? "right" : "left"}`;
      paper.draw(values, { x: shown.map((p) => p / 100), y: measure(values, isLog) });
      paper.say(wordsOf(picture));
      paper.rest(sides.length ? both(AT_REST) : "");
    }

    function open() {
      const made = plot.make(body, tools, { height: HEIGHT, room: () => look.room, options, summary, rows, read: told });
      missing = make(made.box, "missing");
      return made;
    }

    function note() {
      const [bid, ask] = [book.bids[0]?.p, book.asks[0]?.p];
      if (bid === undefined || ask === undefined) return "";
      const beyond = [book.bids.at(-1).p < shown[0] && `below ${money(shown[0])}`, book.asks.at(-1).p > shown[1] && `above ${money(shown[1])}`].filter(Boolean);
      const more = beyond.length ? `, more ${beyond.join(" and ")}` : "";
      return `${look.leg} mid ${text.middle(bid, ask, look.unit, decimals)}, ${ask < bid ? "crossed by" : "spread"} ${money(Math.abs(ask - bid))}${more}`;
    }

    return { label: (ticker) => `Depth of ${ticker}`, paint, note, aside: status.lacks, sentence: summary, close: () => paper?.close() };
  }

  return { kind: "depth", mount, addUp, columns };
})();
