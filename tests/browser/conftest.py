"""A real JupyterLab (others are in `hosts`), a real kernel and a real Chromium.

Skipped with a reason where Chromium or playwright is missing, except in continuous integration (the
environment variable CI is set), where that is a failure. Screenshots go into a temporary folder, or into the
one that KALSHI_NB_SCREENSHOTS names. KALSHI_NB_CHROMIUM names another Chromium than the one on the path.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.hosts.host import STEP_MILLISECONDS, Host
from tests.browser.hosts.jupyter import Lab
from tests.browser.page_account import Diary, sections

CHROMIUM_FLAGS = [
    "--no-sandbox",  # root has none, nor has anybody where there are no namespaces; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
DIARY = pytest.StashKey[Diary]()
HOST = pytest.StashKey[Host]()


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Let no test pass in whose notebook a cell has failed."""
    result = yield
    if DIARY in item.stash:
        assert item.stash[HOST].failed_cells(item.funcargs["page"]) == []
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let a failure tell what the page, the kernel and the host looked like."""
    report = yield
    if report.when == "call" and report.failed and DIARY in item.stash:
        report.sections += sections(item.funcargs["page"], item.stash[DIARY], item.stash[HOST])
    return report


def missing(reason):
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (the variable CI is set, so this is a failure)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install 'kalshi-nb[dev]'")
    executable = os.environ.get("KALSHI_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing("no chromium on the path: install it, or name one in KALSHI_NB_CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    running = Lab(tmp_path_factory.mktemp("lab"))
    shutil.copy(Path(__file__).with_name("moving_ladder.py"), running.root)
    running.start()
    try:
        yield running
        running.end_sessions()
    finally:
        running.stop()


@pytest.fixture
def page(browser, lab, request):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    context.set_default_timeout(STEP_MILLISECONDS)
    opened = context.new_page()
    request.node.stash[DIARY], request.node.stash[HOST] = Diary(opened), lab
    yield opened
    context.close()
    lab.end_sessions()


@pytest.fixture
def screenshot(tmp_path):
    folder = Path(os.environ.get("KALSHI_NB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(target, name):
        path = folder / f"{name}.png"
        target.screenshot(path=str(path))
        return path

    return take
