"""What a page's layout moved by itself: the entries ``layout-shift`` of a real Chromium."""

WATCH = """() => {
  window.shifts = [];
  // No name of a node in a shadow tree is told: so each is looked for by the place that it has now.
  const below = (root) => [...root.querySelectorAll("*")]
    .flatMap((node) => [node, ...(node.shadowRoot ? below(node.shadowRoot) : [])]);
  const words = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  const named = (place) => below(document)
    .filter((node) => words(node.getBoundingClientRect()) === place)
    .map((node) => `${node.parentNode?.className || node.parentNode?.nodeName} > ${node.className || node.nodeName}`);
  const told = ({ previousRect, currentRect }) =>
    `${words(previousRect)} to ${words(currentRect)}: ${named(words(currentRect)).join(" or ")}`;
  new PerformanceObserver((list) => {
    for (const { value, startTime, sources } of list.getEntries()) {
      shifts.push({ value, at: startTime, moved: sources.map(told) });
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""


def begin(host, after=1000):
    """Watch a page, and return the moment from which on nothing is to move: what stands has a second to settle."""
    host.page.evaluate(WATCH)
    host.page.wait_for_timeout(after)
    return host.page.evaluate("performance.now()")


def since(host, began):
    """Return what has moved since, each with what it was of."""
    host.settle()
    return [each for each in host.page.evaluate("shifts") if each["at"] > began]
