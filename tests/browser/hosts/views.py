"""The views on a page, in whatever host, found through any shadow roots: what they say and how they stand."""

import json

VIEWS = ("ladder", "dashboard", "board")
FIND = """
const everywhere = (words, root = document) => [...root.querySelectorAll('*')].flatMap(
  (each) => [...(each.matches(words) ? [each] : []), ...(each.shadowRoot ? everywhere(words, each.shadowRoot) : [])]);
const view = (kind) => everywhere(`.kalshi-nb[data-kind='${kind}']`)[0];
const say = (kind) => {
  const root = view(kind)?.shadowRoot;
  if (!root) return null;
  const ladder = { ladder: root, dashboard: root.querySelector('.of-ladder') }[kind];
  const rows = ladder
    ? [...ladder.querySelectorAll('.row:not(.bare):not(.hole)')].filter((row) => row.querySelector('.size'))
    : [...root.querySelectorAll('.g-space > .g-row')];
  const words = ladder ? ['.price > :not(.taken)', '.size'] : ['.b-ticker', '.g-bid', '.g-ask'];
  return rows.filter((row) => row.checkVisibility())
    .sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
    .map((row) => words.map((each) => row.querySelector(each).innerText.trim()));
};
"""
"""`say` has the rows of a view: price and size of a book's levels; ticker, bid and ask of a board's markets."""


class Views:
    """The three views on a page.

    Parameters
    ----------
    page : playwright.sync_api.Page
        Where they are.
    """

    def __init__(self, page):
        self.page = page

    def ask(self, script):
        """Return what a script is worth that may call `view`, `say` and `everywhere`."""
        return self.page.evaluate(f"() => {{ {FIND} return {script}; }}")

    def wait_for(self, condition, what=None):
        """Wait until a condition holds on the page."""
        script = f"(what) => {{ {FIND} return {condition}; }}"
        try:
            self.page.wait_for_function(script, arg=what, polling=100)
        except Exception as error:
            error.add_note(f"the views on this page: {self!r}")
            raise

    def wait_for_all(self, status, kinds=VIEWS):
        """Wait until each of the views has a status."""
        self.wait_for(f"what.every((kind) => view(kind)?.dataset.status === {status!r})", kinds)

    def rows(self, kind):
        """Return the numbers that a view shows, row by row, from the top down."""
        return self.ask(f"say({kind!r})")

    def wait_until_they_move(self, kinds=VIEWS):
        """Wait until each of the views, brought into sight, shows other numbers, by messages that came since."""
        for kind in kinds:
            self.ask(f"view({kind!r}).scrollIntoView({{ block: 'nearest' }})")
            first = self.ask(f"[view({kind!r}).dataset.seq, JSON.stringify(say({kind!r}))]")
            moved = f"+view({kind!r})?.dataset.seq > +what[0] && JSON.stringify(say({kind!r})) !== what[1]"
            self.wait_for(moved, first)

    def count(self):
        """Return how many live views are on the page."""
        return self.ask("everywhere('.kalshi-nb').length")

    def __repr__(self):
        return json.dumps(
            self.ask("[document.visibilityState, everywhere('.kalshi-nb').map((each) => ({...each.dataset}))]")
        )
