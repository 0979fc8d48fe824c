"""The pictures that people see first: there, named, one of each kind of view, and together not too heavy."""

import pathlib
import re

import pytest

from kalshi_nb._widgets.kinds import KINDS
from tests.browser.sheets import INK
from tests.browser.shots import FRAMES

ROOT = pathlib.Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST_BYTES = 3_500_000


def named_in(page):
    """Return the pictures of ours that a page shows, as paths."""
    found = re.findall(r'(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)', page.read_text())
    named = {one or other for one, other in found}
    return {(page.parent / each).resolve() for each in named if not each.startswith("https://")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_that_a_page_shows_is_there(page):
    assert [each for each in named_in(page) if not each.is_file()] == []


def test_every_picture_that_is_there_is_shown_on_some_page():
    shown = set().union(*map(named_in, PAGES))
    assert [each for each in IMAGES.rglob("*") if each.is_file() and each not in shown] == []


def test_every_kind_of_view_has_a_sheet_for_light_and_dark_pages():
    assert {frame.kind for frame in FRAMES} == set(KINDS)
    sheets = {each.name for each in (IMAGES / "views").glob("*.png")}
    assert sheets == {f"{frame.name}-{theme}.png" for frame in FRAMES for theme in INK}


def test_the_first_screen_of_the_readme_shows_the_dashboard():
    readme = PAGES[0].read_text()
    assert readme.index("docs/images/dashboard-light.png") < readme.index("```")
    assert "docs/images/dashboard-dark.png" in readme


def test_all_of_them_together_are_not_heavy():
    assert sum(each.stat().st_size for each in IMAGES.rglob("*.png")) < MOST_BYTES
