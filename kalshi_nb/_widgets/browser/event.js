// The markets of one event below each other, as they are: raw prices, what they add up to, and what is amiss with each.
const event = (() => {
  const ROW = 26; // pixels
  const ABOVE = 70; // pixels of sums and heads
  const MOST = 16; // rows in sight; more of them scroll
  const MARKS = { stale: "▲", connecting: "○", unknown: "✕", inactive: "⊘", closed: "■", initialized: "○", disputed: "✕", amended: "✕", finalized: "✓", determined: "◆" };
  const WORDS = { connecting: "waiting", unknown: "no such market", inactive: "halted", closed: "closed", initialized: "not open" };

  function mount(body, { make, makeButton, write, writeWords, put, seat, redraw, ask }) {
    const top = make(body, "sums");
    const relation = make(top, "relation");
    const totals = ["mid", "bid", "ask"].map((name) => {
      const box = make(top, `total ${name}`);
      return { name, box, label: make(box, "", "", "span"), value: make(box, "", "", "b") };
    });
    const table = make(body, "markets", "table");
    const heads = make(make(table, "", "rowgroup"), "leg heads", "row");
    const columns = ["words", "lane", "chance", "prices", "share"].map((name) => make(heads, name, "columnheader"));
    const buttons = [["strike", "Sort by strike"], ["probability", "Sort by chance"]].map(([name, label], i) => {
      const button = makeButton(columns[i * 2], "", "", () => { chosen = name; order = []; redraw(); });
      button.title = label;
      return button;
    });
    write(columns[1], `0 to 100\u202f%`);
    writeWords(columns[3], "bid / ask");
    writeWords(columns[4], "norm|alised");
    columns[4].title = "mid ÷ sum of mids";
    const list = make(table, "legs", "rowgroup");
    const rows = new Map();
    let chosen = null;
    let asked = null;
    let order = [];
    let decimals = 0;
    let isHeld = false;
    // What a person points at stays where it is.
    list.addEventListener("pointerenter", () => { isHeld = true; });
    list.addEventListener("pointerleave", () => { isHeld = false; redraw(); });

    // A row is chosen by a click anywhere in it, or by the button that its name is.
    function makeRow(ticker) {
      const row = make(list, "leg", "row");
      const words = make(row, "words", "rowheader");
      const made = { row, mark: make(words, "mark", "", "span"), words: make(words, "pick", "", "button") };
      made.words.type = "button";
      row.addEventListener("click", () => ask({ select: [ticker] }));
      const lane = make(row, "lane", "cell");
      for (const name of ["fill", "span", "tick", "say"]) made[name] = make(lane, name, "", "span");
      const chance = make(row, "chance", "cell");
      made.kind = make(chance, "kind", "", "span");
      made.chance = make(chance, "", "", "span");
      const prices = make(row, "prices", "cell");
      for (const name of ["bid", "ask"]) made[name] = make(prices, name, "", "span");
      made.share = make(row, "share", "cell");
      return made;
    }

    const price = (dollars, look) => (dollars === undefined ? "–" : text.money(text.price(dollars), look.unit, decimals));
    const count = (contracts) => text.count(text.size(contracts));
    const percent = (share) => `${(share * 100).toFixed(1)}\u202f%`;
    function chanceOf({ chance }) {
      if (!chance) return ["–", ""];
      const p = text.price(chance[0]);
      return [text.probability(p, p).text, chance[1] === "last" ? "last" : ""];
    }

    // Those that are decided are at the end already.
    function inOrder(legs, sort) {
      const next = sort === "probability"
        ? [...legs].sort((a, b) => !!a.over - !!b.over || !a.chance - !b.chance || (b.chance?.[0] ?? 0) - (a.chance?.[0] ?? 0))
        : legs;
      const tickers = next.map((leg) => leg.ticker);
      const isSame = order.length === tickers.length && tickers.every((each) => order.includes(each));
      if (!isHeld || !isSame) order = tickers;
      const named = new Map(next.map((leg) => [leg.ticker, leg]));
      return order.map((ticker) => named.get(ticker));
    }

    function wordsOf(leg, picture, look) {
      if (leg.over) {
        const [won, pays] = status.outcome(leg);
        const done = { disputed: "disputed: ", amended: "amended: ", finalized: "settled: " }[leg.phase] ?? "";
        return `${done}${won} · ${pays}`;
      }
      if (leg.status === "stale") return look.body === "grey" ? "" : `stale ${text.age(leg.age + Math.max(0, look.now - picture.clock))}`;
      if (WORDS[leg.status] && leg.status !== "closed") return WORDS[leg.status];
      if (WORDS[leg.phase]) return WORDS[leg.phase];
      if (leg.bid === undefined || leg.ask === undefined) return leg.bid === leg.ask ? "no orders" : leg.bid === undefined ? "no bids" : "no asks";
      return "";
    }

    function markOf(leg) {
      if (leg.over) return MARKS[leg.phase];
      return (leg.status !== "closed" && MARKS[leg.status]) || MARKS[leg.phase] || "";
    }

    function tip(leg, look) {
      const side = (name) => (leg[name] === undefined ? `no ${name}s` : `${name} ${price(leg[name], look)} × ${count(leg[`${name}_size`])}`);
      return `${text.clean(leg.ticker)}: ${leg.over ? "decided" : `${side("bid")}, ${side("ask")}`}`;
    }

    function paintLeg(made, leg, look) {
      const name = `leg${leg.over ? ` over${leg.result === "yes" ? " won" : ""}` : leg.status === "stale" ? " old" : ""}`;
      if (made.row.className !== name) made.row.className = name;
      put(made.row, "aria-current", leg.ticker === look.ticker);
      write(made.mark, markOf(leg));
      write(made.words, text.clean(leg.words));
      made.row.title = `${text.clean(leg.words)} · ${tip(leg, look)}`;
      const [chance, kind] = leg.over ? ["", ""] : chanceOf(leg);
      write(made.chance, chance);
      write(made.kind, kind && `${kind} `);
      write(made.bid, leg.over ? "" : price(leg.bid, look));
      write(made.ask, leg.over ? "" : price(leg.ask, look));
      write(made.share, leg.over ? "" : leg.share === undefined ? "–" : percent(leg.share));
      const [low, high] = leg.over ? [0, 0] : [leg.bid ?? 0, leg.ask ?? leg.bid ?? 0];
      made.fill.style.width = `${low * 100}%`;
      // From bid to ask nobody knows; a crossed book has no such stretch.
      made.span.hidden = leg.over || leg.ask === undefined || high <= low;
      // Moved by transforms: what gets another place would count as a shift of the layout.
      made.span.style.transform = `translateX(${low * 100}%)`;
      made.span.style.setProperty("--wide", `${Math.max(0, high - low) * 100}%`);
      made.tick.hidden = kind !== "last";
      if (kind) made.tick.style.transform = `translateX(${leg.chance[0] * 100}%)`;
    }

    function paintSums(picture, look) {
      const { sums } = picture;
      const told = picture.exclusive ? "mutually exclusive" : picture.exclusive === false ? "not mutually exclusive: no sum" : "not known to be mutually exclusive: no sum";
      write(relation, told);
      top.classList.toggle("none", !sums);
      for (const { name, box, label, value } of totals) {
        box.hidden = !sums;
        if (!sums) continue;
        const [dollars, some] = sums[name];
        write(label, `sum of ${some < sums.markets ? `${some} ` : ""}${name}s`);
        // A mid has one decimal more than prices have, and so has its sum.
        write(value, !some ? "–" : name === "mid" ? `${(dollars * 100).toFixed(decimals + 1)}\u202f%` : price(dollars, look));
        box.title = `what the ${name}s of ${some} of ${sums.markets} markets add up to`;
      }
    }

    function paint(picture, look) {
      const { settings } = look;
      if (asked !== settings.sort) { asked = settings.sort; chosen = null; order = []; }
      const sort = chosen ?? asked ?? "strike";
      const legs = picture.legs ?? [];
      decimals = Math.max(decimals, picture.decimals ?? 0);
      table.classList.toggle("shared", picture.unnormalised != null);
      columns[4].hidden = picture.unnormalised == null;
      paintSums(picture, look);
      buttons.forEach((button, i) => {
        const isBy = sort === ["strike", "probability"][i];
        writeWords(button, `${i ? "chance" : "market"}${isBy ? `${i ? "" : "|"}|${i ? " ▼" : " ▲"}` : ""}`);
        put(button.parentNode, "aria-sort", isBy ? (i ? "descending" : "ascending") : "none");
      });
      const ordered = inOrder(legs, sort);
      for (const [ticker, made] of rows) if (!order.includes(ticker)) { made.row.remove(); rows.delete(ticker); }
      ordered.forEach((leg, i) => {
        if (!rows.has(leg.ticker)) rows.set(leg.ticker, makeRow(leg.ticker));
        const made = rows.get(leg.ticker);
        made.share.hidden = picture.unnormalised == null;
        paintLeg(made, leg, look);
        seat(list, made.row, i);
        made.row.style.transform = `translateY(${ROW * i}px)`;
      });
      const most = look.room ? Math.max(3, Math.floor((look.room - ABOVE) / ROW)) : MOST;
      list.style.height = `${ROW * Math.min(most, legs.length)}px`;
      list.tabIndex = legs.length > most ? 0 : -1;
      list.style.setProperty("--end", `${ROW * legs.length}px`);
      put(table, "aria-label", `Markets of the event, ${legs.length}`);
    }

    function tick(picture, look) {
      for (const leg of picture.legs ?? []) {
        const made = rows.get(leg.ticker);
        if (made) write(made.say, wordsOf(leg, picture, look));
      }
    }

    function note(picture) {
      const legs = picture.legs ?? [];
      const over = legs.filter((leg) => leg.over).length;
      return picture.unnormalised || `${text.many(legs.length, "market")}${over ? `, ${over} decided` : ""}`;
    }

    function aside(picture) {
      const old = (picture.legs ?? []).filter((leg) => !leg.over && leg.status === "stale").length;
      return old ? `|, ${old} stale` : "";
    }

    function sentence(picture) {
      const legs = [...(picture.legs ?? [])].filter((leg) => !leg.over && leg.chance).sort((a, b) => b.chance[0] - a.chance[0]);
      const told = legs.slice(0, 3).map((leg) => `${text.clean(leg.words)} ${chanceOf(leg).join(" ").trim()}`);
      const sum = picture.sums?.mid[1] ? `, mids add up to ${(picture.sums.mid[0] * 100).toFixed(decimals + 1)} percent` : "";
      return `${note({ legs: picture.legs })}: ${told.join(", ") || "no prices"}${sum}`;
    }

    return { label: (ticker) => `Markets of ${ticker}`, paint, tick, note, aside, sentence };
  }

  return { kind: "event", signs: { "▬": "up to the bid", "┅": "from bid to ask", "┃": "last trade" }, controls: ["unit"], mount };
})();
