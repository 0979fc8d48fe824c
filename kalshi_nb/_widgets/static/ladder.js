// The ladder in the browser. Data reaches the page as text only (textContent, attributes), never as markup.
const SILENT_AFTER = 6; // seconds; the kernel sends a heartbeat every 2
const WORDS = { unknown: "no such market", silent: "not updating" };
const whole = new Intl.NumberFormat("en-US");
const fractional = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const isWhole = (size) => Math.round(size * 100) % 100 === 0;
const contracts = (size) => (isWhole(size) ? whole.format(Math.round(size)) : fractional.format(size));
const trimmed = (number, decimals) => number.toFixed(decimals).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
const ageText = (s) => (s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`);
const clock = (epoch) => `${new Date(epoch * 1000).toISOString().slice(11, 19)} UTC`;

function unseen({ status, changed_at }) {
  return status === "connecting" ? " yet" : status === "closed" && changed_at === null ? " came" : "";
}

function make(parent, className, role, tag = "div") {
  const node = parent.appendChild(document.createElement(tag));
  node.className = className;
  if (role) node.setAttribute("role", role);
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function makeRow(parent) {
  const row = make(parent, "row", "row");
  const bar = make(row, "bar");
  return { row, bar, price: make(row, "price", "cell"), size: make(row, "", "cell"), total: make(row, "total", "cell") };
}

// One side. `rows` are best first; on the page the best ask is the lowest. Rows are kept when levels go, so that the
// ladder grows to its height and never jumps.
function makeSide(table, side) {
  return { box: make(table, `side ${side}`, "rowgroup"), rows: [], sizes: null, missing: `no ${side}s` };
}

function paintSide(side, levels, picture, share, padded, calm) {
  while (side.rows.length < Math.max(1, levels.length)) {
    const made = makeRow(side.box);
    if (side.missing === "no asks") side.box.prepend(made.row);
    side.rows.push(made);
  }
  let total = 0;
  const sizes = new Map(levels);
  side.rows.forEach(({ row, bar, price, size, total: sum }, i) => {
    const level = levels[i];
    const isMessage = i === 0 && !level;
    row.classList.toggle("blank", !level && !isMessage);
    row.classList.toggle("message", isMessage);
    if (!level) {
      write(price, isMessage ? side.missing + unseen(picture) : "");
      write(size, "");
      write(sum, "");
      bar.style.width = "0";
      return;
    }
    total += level[1];
    write(price, level[0].toFixed(picture.price_decimals));
    write(size, contracts(level[1]));
    write(sum, contracts(total));
    size.classList.toggle("whole", padded && isWhole(level[1]));
    sum.classList.toggle("whole", padded && isWhole(total));
    bar.style.width = `${(100 * share(level[1])).toFixed(1)}%`;
    if (!calm && side.sizes && side.sizes.get(level[0]) !== level[1]) {
      bar.animate({ opacity: [0.36, 0.14] }, { duration: 700, easing: "ease-out" });
    }
  });
  side.sizes = sizes;
}

function read(model) {
  const picture = model.get("picture");
  const { decimals, changed, age, sent } = picture;
  return { ...picture, price_decimals: decimals + 2, changed_at: changed, status_since: sent - age };
}

function render({ model, el }) {
  const ticker = read(model).market.ticker;
  const root = make(el, "kalshi-ladder", "group");
  root.setAttribute("aria-label", `Order book of ${ticker}`);
  const head = make(root, "head");
  const name = make(head, "ticker", "", "code");
  name.textContent = name.title = ticker;
  const badge = make(head, "badge");
  const word = make(badge, "word", "status", "span");
  const age = make(badge, "age", "", "span");
  const table = make(root, "table", "table");
  table.setAttribute("aria-label", `Levels of ${ticker}, asks above bids`);
  const columns = make(table, "row columns", "row");
  for (const title of ["price (YES, $)", "contracts", "total"]) write(make(columns, "", "columnheader"), title);
  const asks = makeSide(table, "ask");
  const middle = make(table, "middle", "row");
  const mid = make(middle, "mid", "cell", "span");
  const spread = make(middle, "", "cell", "span");
  const bids = makeSide(table, "bid");
  const foot = make(root, "foot");
  const note = make(foot, "note", "", "span");
  const changed = make(foot, "changed", "", "span");

  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let picture = read(model);
  // A page that was saved, or is reopened, holds an old picture: silent until the kernel sends one.
  const isOld = Math.abs(Date.now() / 1000 - picture.sent) > SILENT_AFTER;
  let received = performance.now() - (isOld ? 1000 * (SILENT_AFTER + 1) : 0);
  let painted = null;
  let paints = 0;
  let frame = 0;

  function paintLevels() {
    const levels = [...picture.asks, ...picture.bids];
    const sizes = levels.map((level) => level[1]).sort((a, b) => a - b);
    // The square root, and a full bar for what is far above the median: one giant level leaves the others visible.
    const full = Math.max(1e-9, Math.min(sizes.at(-1) ?? 0, 12 * (sizes[sizes.length >> 1] ?? 0)));
    const share = (size) => Math.min(1, Math.sqrt(size / full));
    const padded = !sizes.every(isWhole);
    paintSide(asks, picture.asks, picture, share, padded, reduced.matches);
    paintSide(bids, picture.bids, picture, share, padded, reduced.matches);
    const [ask, bid] = [picture.asks[0], picture.bids[0]];
    const decimals = picture.price_decimals;
    write(mid, ask && bid ? `${((ask[0] + bid[0]) / 2).toFixed(decimals + 1).replace(/0$/, "")} mid` : "no mid");
    write(spread, ask && bid ? `spread ${trimmed(100 * (ask[0] - bid[0]), decimals - 2)}¢` : "no spread");
  }

  function paint() {
    frame = 0;
    if (painted !== picture.version) paintLevels();
    painted = picture.version;
    const silence = (performance.now() - received) / 1000;
    const isSilent = silence > SILENT_AFTER && picture.status !== "closed";
    const status = isSilent ? "silent" : picture.status;
    const seconds = Math.max(0, Math.floor(isSilent ? silence : picture.sent - picture.status_since + silence));
    write(word, WORDS[status] ?? status);
    write(age, status === "stale" ? ageText(seconds) : "");
    write(note, isSilent ? "not updating (kernel stopped or closed?)" : picture.note);
    note.title = note.textContent;
    write(changed, note.textContent || picture.changed_at === null ? "" : `changed ${clock(picture.changed_at)}`);
    Object.assign(root.dataset, { version: picture.version, status, age: seconds, paints: ++paints });
  }

  const schedule = () => (frame ||= requestAnimationFrame(paint));
  const onPicture = () => {
    picture = read(model);
    received = performance.now();
    schedule();
  };
  model.on("change:picture", onPicture);
  const timer = setInterval(schedule, 1000);
  const answer = () => model.send({ ack: { [picture.model]: picture.seq }, visible: [picture.model] });
  const answers = setInterval(answer, 5000);
  answer();
  paint();
  return () => {
    model.off("change:picture", onPicture);
    clearInterval(timer);
    clearInterval(answers);
    cancelAnimationFrame(frame);
  };
}

export default { render };
