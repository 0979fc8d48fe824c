import pytest

from kalshi_nb._engine.transport import TRANSPORTS
from tests.feed.conftest import (  # noqa: F401  # the same fixtures, over the same real socket
    _no_credentials,
    _no_thread_is_left,
    exchange,
    feed,
)


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param
