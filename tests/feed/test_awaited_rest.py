"""The questions of a feed that go over REST, awaited."""

import asyncio
import inspect
import threading

import pytest

import kalshi_nb as kn
from kalshi_nb._feed.rest import Rest
from kalshi_nb.errors import ConfigurationError, RestNotFoundError

MARKET = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def feed():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        yield feed


def test_each_question_is_the_feeds_own(feed):
    async def answers():
        return await asyncio.gather(
            feed.rest.series(),
            feed.rest.events("KXHIGHNY"),
            feed.rest.markets("KXHIGHNY"),
            feed.rest.market(MARKET),
            feed.rest.search("high temp new york"),
            feed.rest.candles(MARKET, "1h", since="3h"),
        )

    found = asyncio.run(answers())
    assert [each.columns for each in found] == [
        feed.series().columns,
        feed.events("KXHIGHNY").columns,
        feed.markets("KXHIGHNY").columns,
        feed.market(MARKET).columns,
        feed.search("high temp new york").columns,
        feed.candles(MARKET, "1h", since="3h").columns,
    ]
    for name in Rest.__slots__:
        assert inspect.signature(getattr(feed.rest, name)) == inspect.signature(getattr(feed, name))
    assert "search" in repr(feed.rest)


def test_books_are_verified_and_errors_raised_where_they_are_awaited(feed):
    feed.book(MARKET).wait()

    async def asked():
        verdicts = await feed.rest.verify_books()
        with pytest.raises(RestNotFoundError):
            await feed.rest.market("KXNONE-1-A")
        with pytest.raises(ConfigurationError, match="status"):
            await feed.rest.markets(status="opne")
        return verdicts

    assert asyncio.run(asked())["verdict"].to_list() == ["same"]


def test_the_loop_goes_on_while_the_exchange_is_slow(feed):
    feed.exchange.faults.rest(delay=0.3)
    turns = []

    async def counting():
        while True:
            turns.append(1)
            await asyncio.sleep(0.01)

    async def both():
        other = asyncio.create_task(counting())
        await feed.rest.market(MARKET)
        other.cancel()

    asyncio.run(both())
    assert len(turns) > 5


@pytest.mark.parametrize("name", ["markets", "events", "candles"])
def test_what_cannot_be_told_of_progress_is_refused_as_the_feed_does(feed, name):
    words = (MARKET, "1h") if name == "candles" else ()
    with pytest.raises(ConfigurationError, match="progress=5: pass a function of the rows so far"):
        getattr(feed, name)(*words, progress=5)
    with pytest.raises(ConfigurationError, match="progress=5: pass a function of the rows so far"):
        asyncio.run(getattr(feed.rest, name)(*words, progress=5))


def test_a_walk_that_nobody_awaits_any_more_ends_at_its_next_page(feed):
    feed.exchange.faults.rest(combos=6_000)
    pages, first = [], threading.Event()

    def progress(rows, reached):
        pages.append(rows)
        first.set()

    async def cancelled():
        task = asyncio.create_task(feed.rest.markets(multivariate=True, progress=progress))
        assert await asyncio.to_thread(first.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    threads = [each for each in threading.enumerate() if each.name == "kalshi-asking"]
    for each in threads:
        each.join(20)
        assert not each.is_alive()
    assert len(pages) < 6
