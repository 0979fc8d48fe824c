// Light or dark, by what is really behind the view.
const theme = (() => {
  let pencil;

  // Any colour that a browser knows, as [red, green, blue, opacity] from 0 to 1.
  function parse(colour) {
    pencil ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    pencil.clearRect(0, 0, 1, 1);
    pencil.fillStyle = colour;
    pencil.fillRect(0, 0, 1, 1);
    return [...pencil.getImageData(0, 0, 1, 1).data].map((each) => each / 255);
  }

  function luminance(colour) {
    const [r, g, b] = parse(colour).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function background(node) {
    for (let at = node; at; at = at.assignedSlot ?? at.parentElement ?? at.getRootNode().host) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour && colour !== "rgba(0, 0, 0, 0)" && parse(colour)[3] > 0.5) return colour;
    }
    return null;
  }

  function byHost() {
    const { body, documentElement: html } = document;
    if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
    const has = (name) => body.classList.contains(name);
    if (has("vscode-light") || has("vscode-high-contrast-light")) return "light";
    if (has("vscode-dark") || has("vscode-high-contrast")) return "dark";
    const colab = html.getAttribute("theme");
    return colab === "dark" || colab === "light" ? colab : null;
  }

  function decide(host, option) {
    if (option === "light" || option === "dark") return option;
    const named = byHost();
    if (named) return named;
    const colour = background(host.parentElement ?? host.getRootNode().host);
    if (colour) return luminance(colour) < 0.18 ? "dark" : "light";
    // Nothing is painted behind it but the page's own canvas, which is dark only where the page says that it can be;
    // in a frame it may be the outer page that shows through, and what the person prefers is the best guess.
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    const dark = window !== window.parent || scheme.includes("light") ? matchMedia("(prefers-color-scheme: dark)").matches : scheme.includes("dark");
    return dark ? "dark" : "light";
  }

  return { decide };
})();
