// What all views of a page share, whichever copy of this script made them: one frame, one timer, one observer, one
// watch of the theme, one voice back to each kernel. The "1" is the version of what is shared; change it with that.
const page = (() => {
  const ACK_MS = 5000;
  const SETTLE_MS = 250;

  function safely(calls) {
    for (const call of calls) {
      try { call(); } catch (error) { console.error("kalshi_nb:", error); }
    }
  }

  function makeFrames() {
    const dirty = new Set();
    let frame = 0;
    const run = () => {
      frame = 0;
      const now = [...dirty];
      dirty.clear();
      safely(now);
    };
    return {
      paint(call) { dirty.add(call); frame ||= requestAnimationFrame(run); },
      forget(call) { dirty.delete(call); },
    };
  }

  // A set of callbacks, and what is started with the first of them and stopped with the last.
  function makeBell(start) {
    const calls = new Set();
    let stop;
    return (call) => {
      calls.add(call);
      stop ??= start(() => safely([...calls]));
      return () => {
        calls.delete(call);
        if (!calls.size) { stop?.(); stop = undefined; }
      };
    };
  }

  const makeSeconds = () => makeBell((ring) => {
    const timer = setInterval(ring, 1000);
    return () => clearInterval(timer);
  });

  const makeThemes = () => makeBell((ring) => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const attributes = new MutationObserver(ring);
    for (const node of [document.documentElement, document.body]) attributes.observe(node, { attributes: true });
    query.addEventListener("change", ring);
    return () => { attributes.disconnect(); query.removeEventListener("change", ring); };
  });

  function makeSight() {
    const seen = new Map();
    const tell = (node) => seen.get(node)?.call(seen.get(node).near && !document.hidden);
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!seen.has(target)) continue;
        seen.get(target).near = isIntersecting;
        tell(target);
      }
    }, { rootMargin: "200px", threshold: 0 });
    document.addEventListener("visibilitychange", () => { for (const node of seen.keys()) tell(node); });
    return (node, call) => {
      seen.set(node, { call, near: false });
      observer.observe(node);
      return () => { observer.unobserve(node); seen.delete(node); };
    };
  }

  // One elected model answers for all of its kernel: each message of a page makes that kernel say busy and idle.
  function makeVoice(seconds) {
    const kernels = new Map();
    function report(kernel) {
      const members = [...kernel.members];
      const visible = members.filter((each) => each.visible);
      const ack = Object.fromEntries(members.map((each) => [each.id, each.seq]));
      kernel.next = performance.now() + ACK_MS;
      clearTimeout(kernel.settling);
      kernel.settling = 0;
      for (const each of new Set([...visible, ...members])) {
        try {
          each.send({ ack, visible: visible.map((other) => other.id) });
          return;
        } catch (error) { /* its kernel is gone, or the host cannot send: the next one may */ }
      }
    }
    function join(token, member) {
      if (!kernels.has(token)) {
        const kernel = { members: new Set(), settling: 0, next: performance.now() + ACK_MS };
        kernel.stop = seconds(() => { if (performance.now() >= kernel.next) report(kernel); });
        kernels.set(token, kernel);
      }
      const kernel = kernels.get(token);
      const changed = () => { kernel.settling ||= setTimeout(report, SETTLE_MS, kernel); };
      kernel.members.add(member);
      return {
        changed,
        leave() {
          kernel.members.delete(member);
          if (member.visible && kernel.members.size) changed();
          if (kernel.members.size) return;
          kernel.stop();
          clearTimeout(kernel.settling);
          kernels.delete(token);
        },
      };
    }
    return join;
  }

  // One constructed sheet a text, adopted by every root that asks for it; a style element where that is not to be had.
  function makeDress() {
    const sheets = new Map();
    return (root, css) => {
      try {
        if (!sheets.has(css)) {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(css);
          sheets.set(css, sheet);
        }
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheets.get(css)];
      } catch (error) {
        root.appendChild(document.createElement("style")).textContent = css;
      }
    };
  }

  function make() {
    const seconds = makeSeconds();
    return { frames: makeFrames(), seconds, themes: makeThemes(), sight: makeSight(), voice: makeVoice(seconds), dress: makeDress() };
  }
  return (globalThis[Symbol.for("kalshi_nb/1")] ??= make());
})();
