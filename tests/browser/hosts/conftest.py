"""Each host once for all of its tests, as it is asked for."""

import pytest

from tests.browser.conftest import DIARY, HOST
from tests.browser.hosts.host import STEP_MILLISECONDS
from tests.browser.hosts.jupyter import Lab, Notebook
from tests.browser.hosts.marimo import MarimoEdit, MarimoRun
from tests.browser.hosts.voila import Voila
from tests.browser.page_account import Diary

HOSTS = {each.name: each for each in (Lab, Notebook, Voila, MarimoEdit, MarimoRun)}


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """The hosts that were started, by name."""
    hosts = {}
    yield hosts
    for each in hosts.values():
        if each.is_running:
            each.end_sessions()
            each.stop()


@pytest.fixture
def host(request, browser, running, tmp_path_factory):
    """The host that the test names, started unless it runs."""
    name = request.param
    if name not in running:
        running[name] = HOSTS[name](tmp_path_factory.mktemp(name.replace(" ", "-").lower()))
    if not running[name].is_running:
        running[name].start()
    return running[name]


@pytest.fixture
def make_page(browser, host):
    """Makes pages that see all three views at once, each with cookies and storage of its own."""
    contexts = []

    def make():
        # What is out of sight is neither painted nor sent.
        context = browser.new_context(viewport={"width": 1280, "height": 3000})
        context.set_default_timeout(2 * STEP_MILLISECONDS)  # three views that move, and all in sight
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    if host.is_running:
        host.end_sessions()


@pytest.fixture
def page(make_page, host, request):
    opened = make_page()
    request.node.stash[DIARY], request.node.stash[HOST] = Diary(opened), host
    return opened
