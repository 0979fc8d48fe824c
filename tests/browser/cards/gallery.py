"""Draw every state of a view, light and dark, wide and narrow: ``python -m tests.browser.cards.gallery FOLDER``."""

import itertools
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.cards.conftest import HostPage
from tests.browser.cards.pictures import states
from tests.browser.conftest import CHROMIUM_FLAGS

STYLE = """<style>
body {{ margin: 8px; background: {paper}; color: #888; font: 11px sans-serif }}
main {{ display: flex; flex-wrap: wrap; gap: 10px }}
.cell {{ width: {width}px }}
</style>"""


def draw(chromium, folder, theme, width, a_sheet):
    """Draw sheets of some states each."""
    named = iter(states().items())
    for number, sheet in enumerate(iter(lambda: dict(itertools.islice(named, a_sheet)), {})):
        context = chromium.new_context(viewport={"width": 1240, "height": 640})
        host = HostPage(context.new_page())
        cells = "".join(f'<div>{name}<div class="cell" id="s-{name}"></div></div>' for name in sheet)
        paper = {"light": "#fff", "dark": "#111"}[theme]
        host.open(head=STYLE.format(paper=paper, width=width), body=f"<main>{cells}</main>")
        for name, picture in sheet.items():
            host.show({**picture, "model": name}, {"theme": theme}, at=f"#s-{name}")
        host.page.screenshot(path=str(folder / f"ladder-{theme}-{width}-{number}.png"), full_page=True)
        context.close()


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    executable = os.environ.get("KALSHI_NB_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS)
        for theme in ("light", "dark"):
            for width, a_sheet in ((400, 6), (300, 8)):
                draw(chromium, folder, theme, width, a_sheet)
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
