import sys

import pytest

from tests import recordings


def pytest_collection_modifyitems(items):
    if recordings.folder() is None:
        unset = pytest.mark.skip(reason=f"{recordings.VARIABLE} names no folder of recorded frames")
        for item in items:
            if item.get_closest_marker("recordings"):
                item.add_marker(unset)


@pytest.fixture(autouse=True)
def _no_errors_of_views_are_left():
    """The process has one display thread, and every feed's `health()` tells of its errors."""
    yield
    module = sys.modules.get("kalshi_nb._widgets.display")
    if module is not None:
        module.display.errors, module.display.last_error = 0, None
