"""The two ways a session works, for tests whose laws hold over both."""

import pytest

from kalshi_nb._session.extension import BUILT

needs_the_compiled_part = pytest.mark.skipif(
    not BUILT, reason="the compiled part was not built: reinstall with a C compiler at hand, pip install -e ."
)

WAYS = [pytest.param(False, id="plain"), pytest.param(True, id="compiled", marks=needs_the_compiled_part)]
"""Values of `compiled`."""
