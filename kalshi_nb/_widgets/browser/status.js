// How far what is shown can be trusted, and where the market stands: one glyph, words, one tone. The worst wins.
// What stands behind a bar is left out where there is no room.
const status = (() => {
  const SILENT_AFTER = 6; // seconds: three heartbeats
  const WORDS = {
    connecting: ["○", "connecting", "dim"],
    live: ["●", "live", "live"],
    stale: ["▲", "stale", "warn"],
    silent: ["◌", "silent", "warn"],
    catching: ["○", "catching up", "dim"],
    paused: ["❚❚", "paused", "dim"],
    unknown: ["✕", "no such market", "bad"],
    closed: ["■", "ended|, no more updates", "dim"],
    error: ["✕", "error", "bad"],
  };
  const OVER = ["determined", "disputed", "amended", "finalized"];

  function phaseOf(market, now) {
    const { phase, close_time: close } = market;
    if (OVER.includes(phase) || phase === "closed") return phase;
    // The exchange sends nothing at the moment of closing: the clock says it.
    if (close != null && now >= close) return "closed";
    return phase ?? "active";
  }

  // The leg that won, what is paid in few words, and in all.
  function outcome({ result, settlement }) {
    const value = { yes: 1, no: 0 }[result] ?? settlement;
    const leg = result === "yes" || result === "no" ? result.toUpperCase() : (result ?? "result");
    if (value == null) return [leg, "not known yet", "not known yet"];
    const [yes, no] = [value, 1 - value].map((each) => `$${each.toFixed(value % 1 ? 4 : 2)}`);
    return [leg, result === "yes" ? `pays ${yes}` : `YES pays ${yes}`, `YES pays ${yes}, NO pays ${no}`];
  }

  function ofPhase(phase, market, now, zone) {
    const [leg, pays] = outcome(market);
    if (phase === "finalized") return ["✓", `settled${market.result ? ` ${leg}` : ""}${market.settled_at ? `| ${text.time(market.settled_at, zone)}` : ""}`, "live"];
    if (phase === "determined") return ["◆", `${leg}| · ${pays}`, "live"];
    if (phase === "disputed" || phase === "amended") return ["✕", `result ${phase}`, "warn"];
    if (phase === "closed") return ["■", "closed|, awaiting result", "dim"];
    if (phase === "inactive") return ["⊘", "halted| by the exchange", "warn"];
    if (phase === "initialized") return ["○", market.open_time > now ? `not open|, opens in ${text.countdown(market.open_time - now)}` : "not open|, no time known", "dim"];
    return WORDS.live;
  }

  // pause: null, or { at, changes } of a person who looks at a moment. isBack: the view has just come into sight, and
  // its kernel, which may send nothing to what is out of sight, is being told so.
  function of(state, picture, pause, zone, isBack) {
    const market = picture.market ?? {};
    const now = state.now();
    const phase = phaseOf(market, now);
    const isOver = OVER.includes(phase);
    const isFinal = isOver || ["closed", "unknown"].includes(picture.status);
    const silence = state.silence();
    let word = picture.status ?? "connecting";
    if (word === "paused" || pause) word = "paused";
    else if (!isFinal && (state.isSaved || silence > SILENT_AFTER)) word = isBack && !state.isSaved ? "catching" : "silent";
    let [glyph, words, tone] = WORDS[word] ?? ["?", word, "dim"];
    let note = text.clean(picture.note);
    let body = "normal";
    if (word === "silent") {
      words = state.isSaved ? "saved| picture" : `no news for ${text.age(silence)}`;
      note = state.isSaved ? `of ${text.date(picture.sent)}; run the cell anew` : "kernel busy, stopped or gone";
      body = "grey";
    } else if (word === "paused") {
      words = pause ? `paused| ${text.time(pause.at, zone)}` : "paused";
      if (pause) note = `${text.many(pause.changes, "update")} since`;
    } else if (word === "stale") {
      words = picture.age == null ? "stale" : `stale ${text.age(picture.age + silence)}`;
      note ||= "messages were lost, asking again";
      body = "grey";
    } else if (word === "connecting") {
      body = "waiting";
    } else if (word === "unknown") {
      body = "nothing";
    } else if (word === "closed") {
      body = "grey";
    }
    // What the market is at wins over a feed that is well; a result stands whatever the feed does.
    if (isOver || (word === "live" && phase !== "active")) {
      [glyph, words, tone] = ofPhase(phase, market, now, zone);
      if (phase === "initialized" && market.open_time != null) note ||= `opens ${text.date(market.open_time)}`;
      body = isOver ? "result" : phase === "initialized" ? "normal" : "grey";
    }
    return { word, phase, glyph, words, tone, note, body, isOver, now };
  }

  function closing(look, market) {
    const { close_time: close } = market;
    if (close == null || look.phase === "closed" || look.isOver || ["silent", "unknown", "closed"].includes(look.word)) return ["", "dim"];
    const left = close - look.now;
    return [`closes in ${text.countdown(left)}`, left <= 60 ? "warn" : "dim"];
  }

  // What a live book lacks.
  function lacks({ bids, asks }) {
    const [bid, ask] = [bids?.length, asks?.length];
    return bid && ask ? "" : bid || ask ? "|, one-sided" : "|, empty";
  }

  return { of, closing, outcome, lacks };
})();
