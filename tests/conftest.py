import gc
import signal

import pytest
from hypothesis import settings
from xdist.scheduler import LoadGroupScheduling

from tests import recordings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what runs in the background, and all that is started from there: a program that tests press
    # Ctrl-C on would never hear of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# An example may take as long as the machine needs for it; Hypothesis would give each a fifth of a second.
settings.register_profile("however slow", parent=settings(), deadline=None)
settings.load_profile("however slow")

_TOGETHER = {
    "tests/benchmarks/test_they_work.py": "benchmarks",
    "tests/cli/test_recordings.py": "a recording of some 20 s",
    "tests/notebook/test_cells.py": "a kernel",
    "tests/notebook/test_marimo.py": "marimo",
    "tests/recording/test_dask.py": "a cluster",
    "tests/recording/test_places.py": "recordings in places",
    "tests/recording/test_serving.py": "a recording that is served",
    "tests/streams/test_scattering.py": "a cluster",
}
"""Modules whose tests share what takes seconds to make: one worker has them, and it is made once."""


class _Scheduling(LoadGroupScheduling):
    # The mark that xdist has for this goes by ids which pytest does not let it change any more.
    def _split_scope(self, nodeid):
        return _TOGETHER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return _Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items):
    if recordings.folder() is None:
        unset = pytest.mark.skip(reason=f"{recordings.VARIABLE} names no folder of recorded frames")
        for item in items:
            if item.get_closest_marker("recordings"):
                item.add_marker(unset)


def pytest_collection_finish():
    # Thousands of tests and what they import stay to the end; a collection need not look at them each time.
    gc.collect()
    gc.freeze()


@pytest.fixture
def closed_behind():
    """Close the feeds and exchanges that examples leave open, as readers may: other tests look for what is left."""
    from kalshi_nb._feed.registry import registry
    from kalshi_nb.sim._running import _still_running

    kept = [*registry.feeds(), *(each for _, each in _still_running())]
    yield
    for each in (*registry.feeds(), *(each for _, each in _still_running())):
        if not any(each is other for other in kept):
            each.close()
    gc.collect()


@pytest.fixture
def nothing_before(monkeypatch):
    """Frames of one's own account begin empty, for laws about what comes."""
    monkeypatch.setattr("kalshi_nb._feed.account.ACCOUNT", ())
