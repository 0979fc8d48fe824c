// A chart on a canvas: uPlot, and what it leaves to us: colours that follow the theme, hours of 24, gaps as bands, a
// cursor for the keyboard, words and numbers for who does not see it. A view gives it data and says what they are.
const plot = (() => {
  const SAY_MS = 10000; // between two summaries
  const ROWS = 20;
  const FONT = "11px system-ui, sans-serif";
  const { two } = text;

  // A column as it travels: 64-bit floats, little-endian. Of the numbers that are none, NaN is a hole, where a line
  // breaks, and infinity says that there is no sample here, which a line passes over. uPlot would draw through NaN.
  function column(bytes) {
    if (!bytes) return [];
    const from = bytes.buffer ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new DataView(bytes);
    return Array.from({ length: from.byteLength >> 3 }, (_, i) => {
      const value = from.getFloat64(8 * i, true);
      return Number.isNaN(value) ? null : value === Infinity ? undefined : value;
    });
  }

  // Texts of a row of ticks in time: no finer than the step needs, and the day where a new one begins.
  function hours(moments, step) {
    let day;
    return moments.map((at) => {
      const text = step >= 86400 ? "" : `${two(at.getHours())}:${two(at.getMinutes())}${step < 60 ? `:${two(at.getSeconds())}` : ""}`;
      const [was, date] = [day, `${two(at.getMonth() + 1)}-${two(at.getDate())}`];
      day = date;
      return !text || (was !== undefined && was !== date) ? date : text;
    });
  }

  // given: height, where there is no other room(); options(paper), what uPlot is to draw; summary(), a sentence; rows(), { heads, lines } of the newest
  // points; read(index), the words of one point; and where there are any, holes(), [from, to, words] in x; zone();
  // zoom(from, to), what a person drew a frame around, and reset().
  function make(body, tools, given) {
    const { make: node, makeButton, onKeys, write, writeWords, put, keep } = tools;
    const box = node(body, "plot");
    const words = node(box, "read");
    const rest = node(box, "rest"); // what is read while nothing is pointed at
    const frame = node(box, "frame", "img");
    const face = node(frame, "face");
    const empty = node(frame, "empty");
    const data = node(box, "data");
    const button = makeButton(data, "", "Show data", turn);
    const shelf = node(data, "shelf unseen");
    const table = node(shelf, "", "", "table");
    const style = getComputedStyle(box);
    let chart = null;
    let values = [[]];
    let scales = {};
    let isNear = false;
    let spoken = -Infinity;
    let high = given.height;
    frame.tabIndex = 0;
    frame.style.height = `${given.height}px`;
    put(face, "aria-hidden", true);
    put(button, "aria-expanded", false);

    const paper = {
      box,
      foot: data, // beside its button there is room for others
      colour: (name) => style.getPropertyValue(`--k-${name}`).trim() || "#888",
      // A colour of the card's, let through: a share from 0 to 1.
      fade: (name, share) => `${paper.colour(name)}${two(Math.round(share * 255).toString(16))}`,
      get isDark() { return style.colorScheme === "dark"; },
      get chart() { return chart; },
      hatch,
      draw(next, ranges) {
        values = next;
        scales = ranges;
        update();
        speak();
      },
      // Words around a point of the canvas, on ground of their own; none that begins before `taken`. Returns where they end.
      label({ ctx, bbox }, words, x, y, colour, taken = -Infinity) {
        const dot = devicePixelRatio;
        ctx.font = `${11 * dot}px system-ui, sans-serif`;
        const wide = ctx.measureText(words).width + 6 * dot;
        const left = Math.max(bbox.left, Math.min(bbox.left + bbox.width - wide, x - wide / 2));
        if (left < taken) return taken;
        ctx.fillStyle = paper.colour("bg");
        ctx.fillRect(left, y - 7 * dot, wide, 14 * dot);
        ctx.fillStyle = paper.colour(colour);
        ctx.textAlign = "left";
        ctx.textBaseline = "middle";
        ctx.fillText(words, left + 3 * dot, y);
        return left + wide;
      },
      // A line upright or across, from edge to edge.
      line({ ctx, bbox }, at, isAcross, colour, dash) {
        ctx.strokeStyle = paper.colour(colour);
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash(dash.map((each) => each * devicePixelRatio));
        ctx.beginPath();
        ctx.moveTo(isAcross ? bbox.left : at, isAcross ? at : bbox.top);
        ctx.lineTo(isAcross ? bbox.left + bbox.width : at, isAcross ? at : bbox.top + bbox.height);
        ctx.stroke();
      },
      redraw() { chart?.redraw(false, false); },
      // What stands in the middle of a chart that has nothing to draw.
      say(text) { write(empty, text); empty.hidden = !text; frame.classList.toggle("bare", !!text); },
      // What stands above it while nothing is pointed at: words, or signs of what is drawn, [sign, colour, words].
      rest(told) {
        if (typeof told === "string") {
          rest.title = told.replaceAll("|", "");
          return writeWords(rest, told);
        }
        told.forEach(([sign, colour, words], i) => {
          const each = rest.children[i] ?? node(rest, "", "", "span");
          if (!each.firstChild) for (const tag of ["b", "span"]) node(each, "", "", tag);
          write(each.firstChild, sign);
          each.firstChild.style.color = `var(--k-${colour})`;
          writeWords(each.lastChild, words);
        });
      },
      close() {
        for (const stop of stops) stop();
        chart?.destroy();
        chart = null;
      },
    };

    // Stripes at 45 degrees in a rectangle of the canvas, the same wherever it begins.
    function hatch(context, x, y, width, height, colour, step = 6) {
      const dot = devicePixelRatio;
      context.save();
      context.beginPath();
      context.rect(x, y, width, height);
      context.clip();
      context.beginPath();
      const far = step * dot;
      for (let at = Math.floor((x + y) / far) * far; at < x + width + y + height; at += far) {
        context.moveTo(at - y, y);
        context.lineTo(at - y - height, y + height);
      }
      context.strokeStyle = colour;
      context.lineWidth = dot;
      context.setLineDash([]); // a line that was drawn before may have left its own
      context.stroke();
      context.restore();
    }

    function drawHoles(self) {
      const { ctx, bbox } = self;
      const dot = devicePixelRatio;
      let taken = -Infinity;
      ctx.save();
      for (const [from, to, text] of given.holes?.() ?? []) {
        const [low, high] = [from, to].map((x) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, self.valToPos(x, "x", true))));
        if (to < self.scales.x.min || from > self.scales.x.max) continue;
        const width = Math.max(2 * dot, high - low);
        ctx.fillStyle = paper.fade("warn", paper.isDark ? 0.15 : 0.11);
        ctx.fillRect(low, bbox.top, width, bbox.height);
        hatch(ctx, low, bbox.top, width, bbox.height, paper.fade("warn", 0.35));
        taken = paper.label(self, text, low + width / 2, bbox.top + 10 * dot, "warn", taken);
      }
      ctx.restore();
    }

    const zoned = (at) => (given.zone?.() === "local" ? new Date(at * 1000) : uPlot.tzDate(new Date(at * 1000), "Etc/UTC"));
    function axis(own, isTime, isAcross) {
      return {
        font: FONT,
        gap: 4,
        stroke: () => paper.colour("dim"),
        // As wide as any of its texts may be: an axis that breathes would move the whole chart.
        ...(isAcross ? { size: 24, space: 64 } : { size: 48 }),
        ...(isTime ? { values: (self, splits, index, space, step) => hours(splits.map(zoned), step) } : {}),
        ...own,
        grid: { stroke: () => paper.colour("line"), width: 1, ...own.grid },
        ticks: { stroke: () => paper.colour("rule"), width: 1, size: 4, ...own.ticks },
      };
    }

    function open(width) {
      const own = given.options(paper);
      const isTime = own.scales?.x?.time ?? false;
      const hooks = { ...own.hooks };
      hooks.drawClear = [drawHoles, ...(hooks.drawClear ?? [])];
      hooks.setCursor = [(self) => read(self.cursor.idx), ...(hooks.setCursor ?? [])];
      hooks.setSelect = [(self) => {
        const { left, width: wide } = self.select;
        if (wide > 4) given.zoom?.(self.posToVal(left, "x"), self.posToVal(left + wide, "x"));
        self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }];
      const ranges = Object.fromEntries(Object.entries({ x: {}, y: {}, ...own.scales }).map(([name, each]) => [name, { time: false, auto: false, ...each }]));
      chart = new uPlot({
        width,
        height: high,
        pxAlign: 1,
        ...own,
        tzDate: zoned,
        hooks,
        scales: ranges,
        legend: { show: false },
        axes: (own.axes ?? [{}, {}]).map((each, i) => axis(each, isTime && i === 0, i === 0)),
        cursor: {
          y: false,
          points: { size: 6, fill: (self, i) => self.series[i].stroke(self, i) },
          ...own.cursor,
          drag: { x: Boolean(given.zoom), y: false, setScale: false, dist: 4 },
          bind: { dblclick: () => () => { given.reset?.(); return null; } },
        },
      }, values, face);
      chart.over.addEventListener("wheel", wheel, { passive: false });
      apply();
    }

    // A page must scroll: only with Ctrl does the wheel zoom, around what it stands over.
    function wheel(event) {
      if (!event.ctrlKey || !given.zoom) return;
      event.preventDefault();
      const { min, max } = chart.scales.x;
      const at = chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x");
      const by = event.deltaY < 0 ? 0.8 : 1.25;
      given.zoom(at - (at - min) * by, at + (max - at) * by);
    }

    function apply() {
      chart.batch(() => {
        chart.setData(values, false);
        for (const [name, [min, max]] of Object.entries(scales)) chart.setScale(name, { min, max });
      });
      const { idx } = chart.cursor;
      if (idx != null) read(idx);
    }

    // Made when it is first seen and has a width: a canvas of no width stays empty. The height is ours, so that the
    // chart never pushes the box that it is measured by.
    function update() {
      const width = Math.floor(frame.clientWidth);
      if (width < 40) return;
      const room = given.room();
      high = room ? Math.max(120, room - words.offsetHeight - button.offsetHeight - 3) : given.height;
      frame.style.height = `${high}px`;
      if (chart) {
        if (chart.width !== width || chart.height !== high) chart.setSize({ width, height: high });
        apply();
      } else if (isNear && scales.x) open(width);
    }

    function read(index) {
      write(words, index == null ? "" : given.read(index) ?? "");
      put(words, "aria-live", document.activeElement && frame.matches(":focus") ? "polite" : "off");
    }

    function step(by) {
      if (!chart) return;
      const xs = values[0];
      const { min, max } = chart.scales.x;
      const seen = (i) => xs[i] >= min && xs[i] <= max && given.read(i) !== undefined;
      let at = chart.cursor.idx == null || chart.cursor.left < 0 ? (by < 0 ? xs.length : -1) : chart.cursor.idx;
      do at += by; while (at >= 0 && at < xs.length && !seen(at));
      if (at < 0 || at >= xs.length) return;
      chart.setCursor({ left: chart.valToPos(xs[at], "x"), top: 10 });
    }

    onKeys(frame, (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) step(by);
      return by;
    });
    frame.addEventListener("blur", () => chart?.setCursor({ left: -10, top: -10 }));

    const isShown = () => !shelf.classList.contains("unseen");
    function turn() {
      const on = !isShown();
      shelf.classList.toggle("unseen", !on);
      put(button, "aria-expanded", on);
      write(button, on ? "Hide data" : "Show data");
      spoken = -Infinity;
      speak();
    }

    // What it says in words, and in numbers, changes no faster than somebody reads.
    function speak() {
      const now = performance.now();
      if (now - spoken < (isShown() ? 1000 : SAY_MS)) return;
      spoken = now;
      put(frame, "aria-label", given.summary());
      const { heads, lines } = given.rows();
      const rows = [heads, ...lines.slice(-ROWS)];
      while (table.rows.length > rows.length) table.deleteRow(-1);
      rows.forEach((cells, i) => {
        const row = table.rows[i] ?? table.insertRow();
        cells.forEach((text, j) => {
          const cell = row.children[j] ?? node(row, "", "", i && j ? "td" : "th");
          if (cell.tagName === "TH") put(cell, "scope", i ? "row" : "col");
          write(cell, text);
        });
        keep(row, cells.length);
      });
    }

    const watch = new ResizeObserver(update);
    watch.observe(frame);
    const stops = [
      () => watch.disconnect(),
      // After the card has decided which theme it is.
      page.themes(() => page.frames.paint(paper.redraw)),
      // Some hosts lose what was on a canvas that was out of sight.
      page.sight(frame, (near) => { isNear = near; if (near) update(); }),
      () => page.frames.forget(paper.redraw),
    ];
    paper.say("");
    return paper;
  }

  return { make, column };
})();
