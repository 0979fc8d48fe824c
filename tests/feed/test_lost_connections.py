"""A connection that is lost: what health() says of it, when it comes back, and how to hurry."""

import re

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import until


def test_a_connection_that_is_lost_stands_among_the_warnings_with_its_next_attempt(exchange, feed):
    assert feed.health().warnings == ()
    assert feed.reconnect() == 0
    assert feed.state == "connected"
    exchange.faults.refuse_handshakes(503, retry_after=3600)
    exchange.faults.drop_connections()
    until(lambda: any("503" in each for each in feed.health().warnings), "the warning")
    (warning,) = feed.health().warnings
    seconds = re.search(r"connection 1 of 1 is lost; tried again in ([0-9]+) s", warning)[1]
    assert 280 < int(seconds) <= 300
    assert "feed.reconnect()" in warning
    assert feed.reconnect() == 1
    until(lambda: feed.state == "connected", "connected again")
    assert feed.health().warnings == ()


def test_refused_credentials_stand_among_the_warnings_with_the_next_attempt(exchange, feed):
    exchange.faults.refuse_handshakes(401, count=50)
    exchange.faults.drop_connections()
    until(lambda: feed.state == "refused", "refused", timeout=30)
    (warning,) = feed.health().warnings
    assert re.search(
        r"connection 1 of 1: the exchange refuses the credentials; tried again (now|in [0-9]+ s)", warning
    )
    assert "Check key id" in warning


def test_a_feed_that_is_closed_cannot_be_hurried(feed):
    feed.close()
    with pytest.raises(errors.FeedClosedError, match="connect"):
        feed.reconnect()


def test_two_feeds_of_one_key_where_one_connection_is_allowed_say_so(exchange, feed):
    exchange.faults.limit_connections(1)
    with pytest.raises(errors.HandshakeError, match="every kernel that connects with this key counts"):
        kn.connect(exchange, new=True)
    assert feed.state == "connected"
    exchange.faults.close_connections(1008, "connection limit exceeded")
    until(lambda: feed.health().reconnects == 1, "connected again")
    assert "connection limit exceeded" in feed.health().last_error
    assert "Kalshi counts the connections of a user" in feed.health().last_error
    exchange.faults.limit_connections(None)
    with kn.connect(exchange, new=True) as other:
        assert other.state == "connected"


def test_a_reason_too_long_for_a_close_frame_is_refused(exchange):
    with pytest.raises(errors.SimulationError, match="say it shorter"):
        exchange.faults.close_connections(1008, "x" * 124)
