"""Draw every state of a view, light and dark, wide and narrow: ``python -m tests.browser.cards.gallery FOLDER``."""

import itertools
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.cards.account_pictures import account_states
from tests.browser.cards.board_pictures import states as board_states
from tests.browser.cards.board_pictures import table_states
from tests.browser.cards.books_pictures import states as books_states
from tests.browser.cards.conftest import HostPage
from tests.browser.cards.depth_pictures import depth_states
from tests.browser.cards.event_pictures import event_states
from tests.browser.cards.pictures import states
from tests.browser.cards.status_pictures import gaps_states, strip_states
from tests.browser.cards.tape_pictures import lifecycles, tapes
from tests.browser.conftest import CHROMIUM_FLAGS

STYLE = """<style>
body {{ margin: 8px; background: {paper}; color: #888; font: 11px sans-serif }}
main {{ display: flex; flex-wrap: wrap; gap: 10px }}
.cell {{ width: {width}px }}
</style>"""

VIEWS = {
    "ladder": (states, ((400, 6), (300, 8))),
    "books": (books_states, ((1040, 1), (320, 2))),
    "status": (strip_states, ((1040, 10), (640, 10), (320, 12))),
    "gaps": (gaps_states, ((1040, 4), (640, 4), (320, 6))),
    "account": (account_states, ((1040, 4), (640, 4), (320, 6))),
    "tape": (tapes, ((400, 6), (300, 8))),
    "lifecycle": (lifecycles, ((600, 4), (300, 8))),
    "board": (board_states, ((1040, 3), (640, 4), (320, 6))),
    "table": (table_states, ((1040, 3), (320, 6))),
    "depth": (depth_states, ((640, 6), (320, 9))),
    "event": (event_states, ((640, 6), (320, 9))),
}
"""By kind: what makes its pictures, and how wide they are drawn, so many a sheet."""


def draw(chromium, folder, kind, theme, width, a_sheet):
    """Draw sheets of some states each."""
    named = iter(VIEWS[kind][0]().items())
    for number, sheet in enumerate(iter(lambda: dict(itertools.islice(named, a_sheet)), {})):
        context = chromium.new_context(viewport={"width": 1240, "height": 640})
        host = HostPage(context.new_page())
        cells = "".join(f'<div>{name}<div class="cell" id="s-{name}"></div></div>' for name in sheet)
        paper = {"light": "#fff", "dark": "#111"}[theme]
        host.open(head=STYLE.format(paper=paper, width=width), body=f"<main>{cells}</main>")
        for name, picture in sheet.items():
            host.show({**picture, "model": name}, {"theme": theme}, at=f"#s-{name}", kind=kind)
        host.page.screenshot(path=str(folder / f"{kind}-{theme}-{width}-{number}.png"), full_page=True)
        context.close()


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    executable = os.environ.get("KALSHI_NB_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS)
        for theme in ("light", "dark"):
            for kind, (_, sheets) in VIEWS.items():
                for width, a_sheet in sheets:
                    draw(chromium, folder, kind, theme, width, a_sheet)
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
