// A table of any number of rows, of which only those in sight are nodes. Rows are known by a key, and are written by
// whoever has them; here is where they stand, which one is looked at, and that none moves under a pointer.
const grid = (() => {
  const REST_MS = 600; // between two flashes of one cell
  let made = 0;

  // columns: { name, head, title, sort, width }. on: sort(name), pick(key, more), free() when nobody is at a row any more.
  // A pointer anywhere in the body counts: it may be on its way to a row, or from one to a button that lets it go.
  function mount(body, { make, makeButton, onKeys, put, seat, write }, label, on) {
    const name = `g${(made += 1)}`;
    const box = make(body, "g-grid", "grid");
    const head = make(make(box, "g-heads", "rowgroup"), "g-row", "row");
    const space = make(box, "g-space", "rowgroup");
    let columns = [];
    let heads = [];
    let rows = []; // nodes, by place modulo their number
    let shown = { keys: [], fill() {}, picked: new Set() };
    let active = null;
    let isInside = false;
    let asked = "";
    let flashes = [];
    box.tabIndex = 0;
    put(box, "aria-label", label);
    put(head, "aria-rowindex", 1);

    // As high as there is room for below what stands above it.
    function fit(room) {
      box.style.setProperty("--g-height", room ? `${Math.max(120, room - (box.previousElementSibling?.offsetHeight ?? 0))}px` : "");
    }
    const isHeld = () => isInside || (active !== null && box.matches(":focus"));
    const height = () => parseFloat(getComputedStyle(box).getPropertyValue("--g-row")) || 28;

    function setColumns(next) {
      const wanted = JSON.stringify(next);
      if (wanted === asked) return;
      asked = wanted;
      columns = next;
      head.textContent = space.textContent = "";
      rows = [];
      heads = columns.map((column) => {
        const cell = make(head, `g-cell g-${column.name}`, "columnheader");
        if (column.width) cell.style.flex = `0 0 ${column.width}`;
        cell.title = column.title ?? "";
        if (!column.sort) return write(cell, column.head), { cell };
        return { cell, button: makeButton(cell, "g-sort", "", () => on.sort(column.name)) };
      });
      put(box, "aria-colcount", columns.length);
    }

    function makeRow() {
      const row = make(space, "g-row", "row");
      const cells = columns.map((column, i) => {
        const cell = make(row, `g-cell g-${column.name}`, i ? "gridcell" : "rowheader");
        if (column.width) cell.style.flex = `0 0 ${column.width}`;
        return cell;
      });
      const node = { row, cells, parts: {}, flashed: new Map(), key: null };
      row.addEventListener("click", (event) => { active = node.key; on.pick?.(node.key, event.ctrlKey || event.metaKey); draw(); });
      return node;
    }

    // keys in order; fill(node, key, isSame) writes a row, which had the same key before or did not.
    function draw(next) {
      if (next) shown = next;
      const { keys, fill, picked, sort } = shown;
      columns.forEach((column, i) => {
        if (!heads[i].button) return;
        const by = sort?.name === column.name && (sort.down ? "descending" : "ascending");
        write(heads[i].button, `${column.name === sort?.name ? (sort.down ? "▼ " : "▲ ") : ""}${shown.heads?.[column.name] ?? column.head}`);
        put(heads[i].cell, "aria-sort", by || "none");
        heads[i].button.tabIndex = by || (!sort && !i) ? 0 : -1;
      });
      const tall = height();
      const total = keys.length;
      put(box, "aria-rowcount", total + 1);
      space.style.height = `${tall * total}px`;
      const first = Math.max(0, Math.min(total, Math.floor(box.scrollTop / tall)) - 1);
      const count = Math.min(total - first, Math.ceil(box.clientHeight / tall) + 3);
      while (rows.length < count) rows.push(makeRow());
      const at = active === null ? -1 : keys.indexOf(active);
      let seen = "";
      const order = [];
      for (let i = first; i < first + count; i += 1) {
        const node = rows[i % rows.length];
        const key = keys[i];
        const isSame = node.key === key;
        if (!isSame) node.flashed.clear();
        node.key = key;
        node.row.id = `${name}-${i}`;
        if (i === at) seen = node.row.id;
        put(node.row, "aria-rowindex", i + 2);
        put(node.row, "aria-selected", picked?.has(key) ?? false);
        node.row.classList.toggle("g-at", i === at);
        node.row.style.transform = `translateY(${tall * i}px)`;
        fill(node, key, isSame);
        order.push(node);
      }
      for (const node of rows) if (!order.includes(node)) { node.row.remove(); node.key = null; }
      // What came anew, or nearly so, says nothing by flashing.
      if (new Set(flashes.map(([node]) => node)).size <= order.length / 2) for (const each of flashes) shine(...each);
      flashes = [];
      order.forEach(({ row }, i) => seat(space, row, i));
      if (seen) put(box, "aria-activedescendant", seen); else box.removeAttribute("aria-activedescendant");
    }

    function go(to) {
      const { keys } = shown;
      if (!keys.length) return;
      const i = Math.max(0, Math.min(keys.length - 1, to));
      active = keys[i];
      const [tall, top] = [height(), box.clientHeight - head.offsetHeight];
      if (tall * i < box.scrollTop) box.scrollTop = tall * i;
      else if (tall * (i + 1) > box.scrollTop + top) box.scrollTop = tall * (i + 1) - top;
      draw();
    }
    onKeys(box, (event) => {
      const at = shown.keys.indexOf(active);
      const column = heads.findIndex((each) => each.button && each.button === event.target);
      if (column >= 0) {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        let next = column + by;
        while (heads[next] && !(heads[next].button && heads[next].button.checkVisibility())) next += by;
        if (by) heads[next]?.button.focus();
        return by;
      } else {
        const page = Math.max(1, Math.floor(box.clientHeight / height()) - 2);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.max(0, at) + page, PageUp: at - page, Home: 0, End: Infinity }[event.key];
        if (to !== undefined) go(to);
        else if ((event.key === "Enter" || event.key === " ") && at >= 0) { on.pick?.(active, event.key === " "); draw(); }
        else return false;
        return true;
      }
    });
    box.addEventListener("scroll", () => draw(), { passive: true });
    body.addEventListener("pointerenter", () => { isInside = true; });
    body.addEventListener("pointerleave", () => { isInside = false; if (!isHeld()) on.free?.(); });
    box.addEventListener("blur", () => { active = null; on.free?.(); draw(); });
    new ResizeObserver(() => draw()).observe(box);

    // A number went up or down: its own cell says so, and no other.
    const flash = (...given) => { flashes.push(given); };
    function shine(node, i, up, reduced) {
      const now = document.timeline.currentTime;
      if (now - (node.flashed.get(i) ?? -Infinity) < REST_MS) return;
      node.flashed.set(i, now);
      const cell = node.cells[i];
      if (reduced) cell.dataset.new = "";
      else cell.animate({ backgroundColor: [`color-mix(in srgb, var(${up ? "--k-bid" : "--k-ask"}) 36%, transparent)`, "transparent"] }, { duration: REST_MS, easing: "ease-out" });
    }
    // A second later none is new.
    function tick() {
      const now = document.timeline.currentTime;
      for (const node of rows) for (const [i, at] of node.flashed) if (now - at > 1000) delete node.cells[i].dataset.new;
    }

    return { node: box, setColumns, draw, flash, tick, isHeld, fit, top() { box.scrollTop = 0; } };
  }

  return { mount };
})();
