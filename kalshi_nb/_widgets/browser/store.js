// What came from the kernel for one model, kept once however many views show it. A clock learned from what came: the
// browser's own may be wrong by minutes, and only its differences are used.
const store = (() => {
  const SAVED_AFTER = 6;
  const HEAD = ["seq", "sent", "clock", "status", "age", "note", "market"]; // what a delta may say of the whole
  const states = new Map();
  const tick = () => performance.now() / 1000;

  function make(model, views, key) {
    const calls = new Set();
    const watching = new Map();
    const self = { model, key, picture: {}, held: 0, received: tick(), isSaved: false, series: null, isBroken: false };
    let offset = -Infinity;
    let voice = null;
    let token;
    const member = { id: undefined, seq: 0, visible: false, send: (words) => model.send(words) };

    const view = () => views[self.picture.kind] ?? {};
    function meet() {
      const { kernel, model: id, seq } = self.picture;
      Object.assign(member, { id: id ?? model.model_id ?? "", seq });
      if (kernel === token || kernel === undefined || self.isSaved) return;
      voice?.leave();
      token = kernel;
      voice = page.voice(kernel, member);
      if (member.visible) voice.changed();
    }
    // What a kind makes of all that came, in the place of what did: a new record each time, so that a pause can keep one.
    function tell() { if (view().told) self.picture = { ...self.picture, ...view().told(self.series) }; }
    function take() {
      const picture = model.get("picture");
      if (!picture || picture.seq === undefined) return false;
      self.picture = picture;
      self.seq = picture.seq;
      self.isBroken = false;
      self.series = view().begin?.(picture, views) ?? null;
      tell();
      return true;
    }
    function arrived() {
      const learned = (self.picture.clock ?? self.picture.sent) - tick();
      // The newest news that came fastest; a clock that was moved is followed.
      if (learned > offset || offset - learned > 2) offset = learned;
      self.received = tick();
      self.isSaved = false;
      meet();
      for (const call of [...calls]) call();
    }
    function onPicture() { if (take()) arrived(); }
    function onDelta() {
      const delta = model.get("delta");
      if (!delta || !(delta.seq > self.seq)) return;
      // Something between is missing: what is there ends here, until the whole comes again. A kind that tells
      // what stands knows itself what of it still does.
      const isMissing = delta.seq > self.seq + 1;
      if (isMissing && self.series) try { model.send({ asked: { whole: true } }); } catch (error) { /* it comes by itself */ }
      if (isMissing) self.isBroken = true;
      if (!self.isBroken || view().told) view().extend?.(self.series, delta, self.picture, isMissing);
      self.seq = member.seq = delta.seq;
      self.picture = { ...self.picture };
      for (const name of HEAD) if (name in delta) self.picture[name] = delta[name];
      tell();
      arrived();
    }

    if (take()) {
      // What a saved page or a reopened notebook holds is old, and stays so until the kernel speaks.
      self.isSaved = Math.abs(Date.now() / 1000 - self.picture.sent) > SAVED_AFTER;
      offset = (self.picture.clock ?? self.picture.sent) - tick();
      meet();
    }
    model.on("change:picture", onPicture);
    model.on("change:delta", onDelta);

    return Object.assign(self, {
      now: () => tick() + offset,
      silence: () => tick() - self.received,
      listen(call) { calls.add(call); return () => calls.delete(call); },
      see(who, isVisible) {
        isVisible ? watching.set(who, true) : watching.delete(who);
        if (member.visible === watching.size > 0) return;
        member.visible = watching.size > 0;
        voice?.changed();
      },
      release() {
        if (--self.held > 0) return;
        model.off("change:picture", onPicture);
        model.off("change:delta", onDelta);
        voice?.leave();
        states.delete(key);
      },
    });
  }

  function hold(model, views) {
    const key = model.get("picture")?.model ?? model.model_id ?? {};
    if (!states.has(key)) states.set(key, make(model, views, key));
    const state = states.get(key);
    state.held += 1;
    return state;
  }

  return { hold };
})();
