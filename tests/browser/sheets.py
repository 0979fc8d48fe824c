"""Draw every view for the documentation: ``python -m tests.browser.sheets FOLDER``.

A sheet a view and theme, of every state that it has, wide and narrow, and of the table that stands still in a saved
notebook, as it is and as a site shows it that takes away all style. And the dashboard alone, as it is on one page.
"""

import base64
import os
import re
import shutil
import sys
from pathlib import Path

from kalshi_nb._widgets.assets import bundle
from tests.browser.cards.conftest import HostPage
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.palette import with_a_palette
from tests.browser.shots import shots

WIDTHS = {
    "ladder": (420, 300),
    "ladder-grid": (420, 300),
    "tape": (420, 300),
    "depth": (640, 320),
    "event": (640, 320),
    "lifecycle": (900, 320),
    "recorder": (520, 320),
    "dashboard": (1100, 320),
}
OTHERS = (1040, 320)
INK = {"light": ("#fff", "#24292f"), "dark": ("#111", "#d0d7de")}
STYLE = """<style>
body {{ margin: 12px; background: {paper}; color: {ink}; color-scheme: {theme}; font: 13px sans-serif }}
main, section {{ display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start }}
main {{ gap: 24px }} section {{ flex: none; max-width: 100% }}
h2 {{ flex: 1 0 100%; margin: 0; font: 600 15px sans-serif }}
.still {{ max-width: 960px }}
</style>"""
TO_BYTES = """(state) => {
  const revived = (value) => {
    if (value?.bytes !== undefined) {
      return new DataView(Uint8Array.from(atob(value.bytes), (each) => each.charCodeAt(0)).buffer);
    }
    if (Array.isArray(value)) return value.map(revived);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revived(each)]));
    }
    return value;
  };
  return revived(state);
}"""
OPEN = f"""async ([text, state, at]) => {{
  await hosting.open(text, ({TO_BYTES})(state), document.querySelector(at));
}}"""
PAGE = 1460
SENT = 1_795_000_000.0
"""What the page takes for now: all that is shown came just then, whatever the market's own time."""
STYLED = re.compile(r"<style>.*?</style>|<svg.*?</svg>| (?:class|style)=\"[^\"]*\"", re.DOTALL)


def without_style(html):
    """Return markup as GitHub shows it: no style, no class, no drawing."""
    return STYLED.sub("", html)


def travelling(value):
    """Return what a message holds as JSON can carry it."""
    if isinstance(value, memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: travelling(each) for name, each in value.items()}
    return [travelling(each) for each in value] if isinstance(value, (list, tuple)) else value


class Studio:
    """Where pictures are drawn: a page a sheet, at the time of what it shows."""

    def __init__(self, chromium):
        self._chromium = chromium
        self._table = chromium.new_page()

    def draw(self, path, shown, body, theme, *, scale=1, width=PAGE):
        """Draw a page with some views, ``{place: shot}``, and store it."""
        context = self._chromium.new_context(viewport={"width": width, "height": 800}, device_scale_factor=scale)
        page = context.new_page()
        page.clock.set_fixed_time(SENT)
        page.add_init_script("performance.now = () => 1000")  # nothing grows older while it is drawn
        host = HostPage(page)
        paper, ink = INK[theme]
        host.open(head=STYLE.format(paper=paper, ink=ink, theme=theme), body=f"<main>{body}</main>")
        for place, shot in shown.items():
            picture = shot.picture | {"model": place, "sent": SENT}
            state = {"picture": picture, "delta": {}, "settings": {**shot.settings, "theme": theme}}
            page.evaluate(OPEN, [bundle(shot.kind).text, travelling(state), f"#{place}"])
        host.settle(1)
        # Views draw what is in sight: so all of the page has to be.
        page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
        host.settle(3)
        path.write_bytes(with_a_palette(self._table, page.screenshot(full_page=True)))
        if host.errors:
            raise RuntimeError(f"{path.name}: {host.errors}")
        context.close()

    def sheet(self, path, name, taken, theme):
        """Draw a view in each state, wide and narrow, and its still table.

        On a dark page only the live one is wide: what is there is the same, and only its colours are others.
        """
        wide, narrow = WIDTHS.get(name, OTHERS)
        shown, blocks = {}, []
        for shot in taken:
            cells = ""
            for width in (wide, narrow) if theme == "light" or shot.state == "live" else (narrow,):
                place = f"v-{shot.state}-{width}"
                shown[place] = shot
                cells += f'<div style="width:{width}px" id="{place}"></div>'
            blocks.append(f"<section><h2>{shot.state}</h2>{cells}</section>")
        if theme == "light":
            still = next(each.still for each in taken if each.state == "live")
            for title, html in (("saved in a notebook", still), ("on GitHub", without_style(still))):
                blocks.append(f"<section><h2>{title}</h2><div class='still'>{html}</div></section>")
        self.draw(path, shown, "".join(blocks), theme)


def main(folder):
    """Draw them all."""
    from playwright.sync_api import sync_playwright

    (folder / "views").mkdir(parents=True, exist_ok=True)
    taken = shots()
    executable = os.environ.get("KALSHI_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS)
        studio = Studio(chromium)
        for theme in INK:
            for name, some in taken.items():
                studio.sheet(folder / "views" / f"{name}-{theme}.png", name, some, theme)
            live = next(each for each in taken["dashboard"] if each.state == "live")
            studio.draw(
                folder / f"dashboard-{theme}.png",
                {"dashboard": live},
                '<div id="dashboard" style="width:1100px"></div>',
                theme,
                scale=1.5,
                width=1124,
            )
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
