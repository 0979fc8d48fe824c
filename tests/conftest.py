import pytest

from tests import recordings


def pytest_collection_modifyitems(items):
    if recordings.folder() is None:
        unset = pytest.mark.skip(reason=f"{recordings.VARIABLE} names no folder of recorded frames")
        for item in items:
            if item.get_closest_marker("recordings"):
                item.add_marker(unset)


@pytest.fixture
def nothing_before(monkeypatch):
    """Frames of one's own account begin empty, for laws about what comes."""
    monkeypatch.setattr("kalshi_nb._feed.account.ACCOUNT", ())
