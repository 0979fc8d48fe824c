"""The column ``gap`` of every channel's frame: the same meaning wherever rows may be missing."""

import polars as pl
import pytest

from kalshi_nb._rows.channels import traits_of
from tests.channel_frames import MESSAGES
from tests.feed.conftest import until
from tests.feed.test_channels import FRAMES

pytestmark = pytest.mark.usefixtures("nothing_before")

EVERY = {**FRAMES, "pyth_value": lambda feed, **more: feed.frame("pyth_value", **more)}
MOVED = {"market_lifecycle_v2": {"market_lifecycle_v2": {"market_ticker": "A", "event_type": "moved"}}}
NUMBERED = [channel for channel in EVERY if traits_of(channel).sequenced]


def about(channel):
    """The field by which a message of the channel says what it is about, None where it is about nothing."""
    return "ticker" if channel == "user_orders" else traits_of(channel).subject


def said(exchange, channel, *names, wait=True):
    """Send one message about each of `names`."""
    kind, message = next(iter({**MESSAGES, **MOVED}[channel].items()))
    field = about(channel)
    for name in names:
        assert exchange.publish(channel, kind, message if field is None else {**message, field: name}) == 1
    if wait:
        exchange.advance(0)


def back(feed):
    until(lambda: feed.health().reconnects == 1 and feed.state == "connected", "connected again")
    until(
        lambda: all(each.sid is not None for each in feed._engine.links[0].session.subscriptions.values()),
        "subscribed",
    )


@pytest.mark.parametrize("channel", EVERY)
def test_every_method_has_the_column_on_request_and_not_otherwise(feed, exchange, channel):
    plain, marked = EVERY[channel](feed), EVERY[channel](feed, gaps=True)
    assert marked.df.columns == [*plain.df.columns, "gap"]
    assert marked.schema["gap"] == pl.Boolean()
    assert marked is EVERY[channel](feed, gaps=True)
    assert marked is feed.frame(channel, gaps=True)
    said(exchange, channel, "A", "B")
    assert marked.df["gap"].to_list() == [False, False]
    assert plain.df.columns == marked.df.columns[:-1]


@pytest.mark.parametrize("channel", EVERY)
def test_after_a_lost_connection_the_first_row_about_each_thing_is_marked(feed, exchange, channel):
    marked = EVERY[channel](feed, gaps=True)
    said(exchange, channel, "A", "B")
    exchange.faults.drop_connections()
    back(feed)
    said(exchange, channel, "B", "B", "A", "A")
    expected = [True, False, False, False] if about(channel) is None else [True, False, True, False]
    assert marked.df["gap"].to_list() == [False, False, *expected]


@pytest.mark.parametrize("channel", NUMBERED)
def test_after_a_lost_message_of_a_numbered_channel_the_next_row_is_marked(feed, exchange, channel):
    marked = EVERY[channel](feed, gaps=True)
    said(exchange, channel, "A", "A")
    exchange.faults.skip_frames(channel, 1)
    said(exchange, channel, "A", "A", "A", wait=False)  # one of them never comes
    until(lambda: marked.total == 4, "the two that were not lost")
    assert marked.df["gap"].to_list() == [False, False, True, False]
