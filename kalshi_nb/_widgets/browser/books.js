// Several books side by side: a small ladder each, with what its market is called and how far it may be trusted.
const books = (() => {
  const LEVELS = 5;

  function mount(body, tools) {
    const { make, write, writeWords, put, state } = tools;
    const shelf = make(body, "b-shelf");
    const made = [];

    function makeOne() {
      const node = make(shelf, "b-one", "group");
      const first = make(node, "line title");
      const title = [make(first, "", "", "span"), make(first, "", "", "span")];
      const second = make(node, "line");
      const [ticker, chip] = [make(second, "ticker", "", "code"), make(second, "chip")];
      const inside = make(node, "b-inside");
      return { node, first, title, ticker, chip, inside, drawn: ladder.mount(inside, tools), picture: {}, look: {}, word: "" };
    }

    // What it is at by itself; a pause or a silence is the whole view's.
    function own(book, look, sent) {
      const mine = status.of(state, { ...book, sent }, null, look.settings.timezone, look.isBack);
      const settings = { ...look.settings, levels: look.settings.levels ?? LEVELS };
      return { ...look, ...mine, settings, room: undefined };
    }

    function paintOne(one, book, look, calm, sent) {
      const mine = own(book, look, sent);
      const market = book.market ?? {};
      const ticker = text.clean(market.ticker);
      const title = text.clean(market.title);
      put(one.node, "aria-label", one.drawn.label(ticker));
      put(one.node, "data-body", mine.body);
      one.inside.classList.toggle("aged", mine.body === "grey");
      write(one.title[0], title || ticker);
      write(one.title[1], text.clean(market.subtitle));
      one.first.title = title || ticker;
      write(one.ticker, title ? ticker : "");
      put(one.chip, "data-tone", mine.tone);
      writeWords(one.chip, `${mine.glyph} ${mine.words}${mine.word === "live" && mine.phase === "active" ? one.drawn.aside(book) : ""}`);
      one.chip.title = [one.chip.textContent, mine.note].filter(Boolean).join(": ");
      one.drawn.paint(book, mine, calm || one.word !== mine.word || one.picture.market?.ticker !== market.ticker);
      Object.assign(one, { picture: book, look: mine, word: mine.word });
    }

    function paint(picture, look, calm) {
      const all = picture.books ?? [];
      while (made.length < all.length) made.push(makeOne());
      while (made.length > all.length) made.pop().node.remove();
      all.forEach((book, i) => paintOne(made[i], book, look, calm, picture.sent));
    }

    // Ages go on though nothing comes, and a market closes by the clock.
    function tick(picture, look) {
      for (const one of made) {
        const mine = own(one.picture, look, picture.sent);
        if (mine.word !== one.word || mine.body !== one.look.body || mine.words !== one.look.words) paintOne(one, one.picture, look, true, picture.sent);
        one.drawn.tick(one.picture, mine);
      }
    }

    function aside() {
      const amiss = made.filter((one) => one.word !== "live").length;
      return amiss ? `, ${amiss} of ${made.length} not` : "";
    }
    const sentence = () => made.map((one) => `${text.clean(one.picture.market?.ticker)}: ${one.drawn.sentence(one.picture, one.look)}, ${one.look.words.replace("|", "")}`).join(". ");
    const note = (picture) => text.clean(picture.more);

    return { label: (title) => `Order books: ${title}`, paint, tick, note, aside, sentence, press: (key) => { for (const one of made) one.drawn.press(key); } };
  }

  return { kind: "books", hasParts: true, keys: { t: ladder.keys.t }, signs: ladder.signs, mount };
})();
