// The last rows of any frame, newest first, as they came: the kernel writes the cells.
const table = (() => {
  function mount(body, tools) {
    const { make, write } = tools;
    const root = make(body, "t-table");
    const rows = grid.mount(root, tools, "Rows", { free: tools.redraw });
    const none = make(root, "g-none");
    let held = null; // what stays while somebody looks at a row

    function paint(picture, look) {
      const isHeld = held && rows.isHeld() && String(held.columns) === String(picture.columns);
      if (!isHeld) held = picture;
      const { columns = [], rows: cells = [] } = held;
      const widths = columns.map(([head], i) => Math.min(40, Math.max(text.clean(head).length, ...cells.map((row) => text.clean(row[i]).length))) + 2);
      // A column only grows, or its neighbours would jump.
      const kept = root.dataset.columns === String(columns) ? root.widths : [];
      root.dataset.columns = String(columns);
      root.widths = widths.map((width, i) => Math.max(width, kept[i] ?? 0));
      rows.setColumns(columns.map(([head], i) => ({ name: `c${i}`, head: text.clean(head), title: text.clean(head), width: `${root.widths[i]}ch` })));
      rows.node.style.setProperty("--g-wide", `calc(${root.widths.reduce((all, each) => all + each, 0)}ch + ${7 * columns.length + 12}px)`);
      rows.fit(look.room);
      none.hidden = cells.length > 0;
      write(none, look.word === "connecting" ? "waiting for the first row" : "no rows");
      const first = held.total - cells.length; // rows are known by how many came before
      const at = new Map(cells.map((row, i) => [first + i, row]));
      const fill = (node, key) => node.cells.forEach((cell, i) => {
        const words = text.clean(at.get(key)[i]);
        write(cell, words);
        cell.title = words;
        cell.classList.toggle("t-left", columns[i][1] !== "right");
      });
      rows.draw({ keys: [...at.keys()].reverse(), fill, picked: new Set() });
      rows.node.querySelectorAll("[role=columnheader]").forEach((cell, i) => cell.classList.toggle("t-left", columns[i]?.[1] !== "right"));
    }

    const count = (n) => text.count(100 * n);
    function note(picture) {
      if (!held?.rows?.length) return "";
      const came = picture.total - held.total;
      const more = came > 0 ? `, ${count(came)} new while you look` : "";
      return `newest ${count(held.rows.length)} of ${count(picture.total)} rows, newest first${more}`;
    }
    const sentence = (picture) => {
      const newest = picture.rows?.at(-1);
      return newest ? `${note(picture)}: ${picture.columns.map(([head], i) => `${head} ${newest[i]}`).slice(0, 6).join(", ")}` : "no rows";
    };
    return { label: (title) => `Rows of ${title}`, paint, note, sentence };
  }

  return { kind: "table", controls: [], mount };
})();
