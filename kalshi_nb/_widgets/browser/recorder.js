// How a recorder is doing: a line a fact.
const recorder = (() => {
  function mount(body, { make, write }) {
    const list = make(body, "recorder-facts", "", "dl");
    const lines = [];

    function paint(picture) {
      const facts = picture.facts ?? [];
      while (lines.length > facts.length) for (const node of lines.pop()) node.remove();
      facts.forEach(([name, words], i) => {
        const [term, said] = (lines[i] ??= [make(list, "", "", "dt"), make(list, "", "", "dd")]);
        write(term, text.clean(name));
        write(said, text.clean(words));
      });
    }
    const sentence = (picture) => (picture.facts ?? []).map((each) => each.map(text.clean).join(": ")).join("; ");
    return { paint, label: (name) => `Recorder of ${name}`, sentence };
  }

  return { kind: "recorder", controls: [], mount };
})();
