import pytest

from tests.session import session_rig
from tests.session.ways import WAYS


# Of a module, since a test of many examples may not have a fixture of its own for all of them.
@pytest.fixture(scope="module", autouse=True, params=WAYS)
def way(request):
    """Have every test run twice: with sessions and ladders in Python alone, and with the compiled part."""
    before = session_rig.compiled_here
    session_rig.compiled_here = request.param
    yield
    session_rig.compiled_here = before
