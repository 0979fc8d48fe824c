// The host's side of a widget: a model with the interface that anywidget documents, and what a notebook does with it.
class HostModel {
  constructor(state) { this.state = state; this.sent = []; this.calls = new Map(); }
  get(name) { return this.state[name]; }
  set(name, value) { this.state[name] = value; }
  save_changes() {}
  on(name, call) { (this.calls.get(name) ?? this.calls.set(name, new Set()).get(name)).add(call); }
  off(name, call) { this.calls.get(name)?.delete(call); }
  send(content) { this.sent.push({ at: performance.now(), ...content }); }
  // What the kernel sends: a trait's new value.
  arrive(name, value) {
    this.state[name] = value;
    for (const call of [...(this.calls.get(`change:${name}`) ?? [])]) call();
  }
  get listeners() { return [...this.calls.values()].reduce((all, each) => all + each.size, 0); }
}

window.hosting = {
  models: [],
  ends: [],
  passed: 0, // seconds, on a clock that stands
  // What a view reckons ages by stands; timers and frames go on. The date is that of the picture just shown, if it was
  // made in this test: a machine that takes seconds to put it on a page makes no saved picture of it.
  stop_clock() {
    const [now, date] = [performance.now(), Date.now];
    performance.now = () => now + this.passed * 1000;
    const shown = () => (Math.abs(date() - this.made * 1000) < 100_000 ? this.made * 1000 : date());
    Date.now = () => shown() + this.passed * 1000;
  },
  async open(text, state, el) {
    this.made = state.picture?.sent;
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const module = (await import(url)).default;
    URL.revokeObjectURL(url);
    const model = new HostModel(state);
    const end = new AbortController();
    const release = module.initialize({ model, signal: end.signal });
    const close = module.render({ model, el, signal: end.signal });
    this.models.push(model);
    this.ends.push(() => { close?.(); release?.(); end.abort(); });
    model.module = module;
    return model;
  },
};
