import pytest

from tests import recordings


def pytest_collection_modifyitems(items):
    if recordings.folder() is None:
        unset = pytest.mark.skip(reason=f"{recordings.VARIABLE} names no folder of recorded frames")
        for item in items:
            if item.get_closest_marker("recordings"):
                item.add_marker(unset)
