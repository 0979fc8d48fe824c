"""Trades that were missed in a gap are fetched, and the gap is repaired when they are proven to be all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError
from tests.feed.conftest import until

TICKER = "KXHIGHNY-26NOV22-B52.5"


@pytest.fixture
def quick(monkeypatch):
    """Trades are looked for sooner than on the real exchange, where they are seen up to 20 s late."""
    monkeypatch.setattr("kalshi_nb._feed.backfill.TRIES", (0.2, 1.0, 5.0))


@pytest.fixture
def running():
    with kn.sim.Exchange(seed=7, speed=20) as exchange:
        yield exchange


def of_trades(feed):
    return feed.gaps.filter(channel="trade")


def repaired(feed, count):
    found = of_trades(feed)
    return found.height >= count and found["repaired_by"].to_list() == ["rest"] * found.height


def missing(exchange, df):
    """Trades that the exchange made between the first and the last of a frame, and that are not in it."""
    first, last = (int(df["ts"].dt.epoch("us")[at]) for at in (0, -1))
    made = exchange._programme.venue.ledger.dealt()
    known = set(df["trade_id"])
    return [each for each in made if first <= each.time_us < last - 1_000 and each.trade_id not in known]


@pytest.mark.usefixtures("quick")
def test_trades_of_an_outage_are_fetched_and_the_frame_is_that_of_the_exchange(running):
    with kn.connect(running, new=True) as feed:
        trades, bare = feed.trades(), feed.trades(TICKER)
        until(lambda: trades.df.height > 50, "no trades")
        running.faults.refuse_handshakes(503, count=3)
        running.faults.drop_connections()
        until(lambda: repaired(feed, 1), "the gap was not repaired", 60)
        running.faults.drop_connections()
        until(lambda: repaired(feed, 2), "the gap was not repaired", 60)
        feed.flush()
        found = trades.df
        assert missing(running, found) == []
        assert found["trade_id"].n_unique() == found.height
        assert found["ts"].is_sorted()
        late = found.filter(pl.col("received_at").is_null())
        assert late.height > 5
        assert late["seq"].is_null().all()
        assert set(late.filter(market_ticker=TICKER)["trade_id"]) <= set(bare.df["trade_id"])
        assert trades.complete()
        assert feed._parts.backfill.fetched == late.height


@pytest.mark.usefixtures("quick")
def test_callbacks_and_streams_do_not_have_what_was_fetched(running):
    with kn.connect(running, new=True) as feed:
        trades, heard = feed.trades(), []
        feed.on("trade")(heard.append)
        until(lambda: len(heard) > 50, "no trades")
        running.faults.refuse_handshakes(503, count=2)
        running.faults.drop_connections()
        until(lambda: repaired(feed, 1), "the gap was not repaired", 60)
        feed.flush()
        fetched = trades.df.filter(pl.col("received_at").is_null())["trade_id"]
        assert fetched.len() > 0
        assert not {each.trade_id for each in heard} & set(fetched)


@contextlib.contextmanager
def listening(feed, **options):
    """What a coroutine on a thread of its own hears."""
    heard = []

    async def listen():
        async for message in feed.listen("trade", **options):
            heard.append(message)

    thread = threading.Thread(target=lambda: asyncio.run(listen()), name="listens")
    thread.start()
    until(lambda: any(each.kind == "listen" for each in feed.pipelines), "nobody listens")
    try:
        yield heard
    finally:
        feed.close()
        thread.join(20)
        assert not thread.is_alive()


def whole_and_once(exchange, trades):
    """Tell whether some trades, pairs of time and id, are those of the exchange's ledger, each once."""
    made = {each.trade_id for each in exchange._programme.venue.ledger.dealt() if each.time_us >= trades[0][0]}
    ids = [trade_id for _, trade_id in trades]
    return len(ids) == len(set(ids)) and set(ids) == made


@pytest.mark.usefixtures("quick")
def test_pipelines_that_ask_for_them_have_each_trade_of_the_ledger_once_and_others_what_came(exchange):
    with kn.connect(exchange, new=True, backfill=True) as feed, listening(feed, backfill=True) as heard:
        frames, plain_frames, lists, plain = [], [], [], []
        called, plain_called, bare = [], [], feed.trades()
        feed.stream("trade", backfill=True).sink(frames.append)
        feed.stream("trade").sink(plain_frames.append)
        feed.messages("trade", backfill=True).sink(lists.append)
        feed.messages("trade").sink(plain.extend)
        feed.on("trade", backfill=True)(called.append)
        feed.on("trade")(plain_called.append)
        kept, lacking = feed.stream("trade", backfill=True).rolling_frame(), feed.stream("trade").rolling_frame()
        exchange.advance(10)
        for number in (1, 2):
            exchange.faults.drop_connections()
            exchange.advance(10)
            exchange.advance(10)
            until(lambda number=number: repaired(feed, number), "the gap was not repaired", 60)
        exchange.advance(0)
        feed.flush()
        until(lambda: len(heard) == len(called), "a listener lacks some")
        late = set(bare.df.filter(pl.col("received_at").is_null())["trade_id"])
        assert len(late) > 1
        streamed = pl.concat(frames)
        for found in (called, heard, [each for batch in lists for each in batch], streamed.rows(named=True)):
            trades = [
                each if isinstance(each, dict) else {n: getattr(each, n) for n in streamed.columns} for each in found
            ]
            times = [round(each["ts"].timestamp() * 1e6) for each in trades]
            assert whole_and_once(exchange, list(zip(times, [each["trade_id"] for each in trades], strict=True)))
            assert {each["trade_id"] for each in trades if each["backfilled"]} == late
            assert all((each["received_at"] is None) is each["backfilled"] for each in trades)
        assert all(len({each.backfilled for each in batch}) == 1 for batch in lists)
        assert all(each["backfilled"].n_unique() == 1 for each in frames)
        came = set(bare.df["trade_id"]) - late
        for ids in (
            [each.trade_id for each in plain],
            [each.trade_id for each in plain_called],
            pl.concat(plain_frames)["trade_id"].to_list(),
        ):
            assert len(ids) == len(came)
            assert set(ids) == came
        assert kept.df["trade_id"].to_list() == bare.df["trade_id"].to_list()
        assert kept.complete()
        assert bare.complete()
        assert not lacking.complete()
        assert feed._pipelines.errors == feed._pipelines.kit_errors == 0


def test_trades_that_left_the_newest_before_a_gap_was_looked_into_are_not_fetched_twice(running, monkeypatch):
    monkeypatch.setattr("kalshi_nb._markets.recent_trades.MOST_RECENT", 60)
    monkeypatch.setattr("kalshi_nb._markets.recent_trades._TOGETHER", 20)
    monkeypatch.setattr("kalshi_nb._feed.backfill.TRIES", (3.0, 4.0, 5.0))  # some 80 trades a second
    heard = []
    with kn.connect(running, new=True) as feed:
        trades = feed.trades()
        feed.on("trade", backfill=True)(heard.append)
        until(lambda: trades.df.height > 50, "no trades")
        running.faults.skip_frames("trade")
        until(lambda: repaired(feed, 1), "the gap was not repaired", 60)
        feed.flush()
        until(lambda: any(each.backfilled for each in heard), "nothing was heard")
        names = [each.trade_id for each in heard]
        assert len(names) == len(set(names))
        assert feed._parts.backfill.fetched == sum(each.backfilled for each in heard) == 1


def test_where_rows_cannot_be_fetched_for_pipelines_asking_for_them_is_refused(feed):
    for call in (feed.stream, feed.messages, feed.listen, lambda *a, **o: feed.on(*a, **o)(print)):
        with pytest.raises(ConfigurationError, match="only trades that a gap took are fetched for pipelines"):
            call("fill", backfill=True)
    assert feed.pipelines == []


@pytest.mark.usefixtures("quick")
def test_without_a_trade_on_both_sides_nothing_is_called_repaired(running):
    with kn.connect(running, new=True) as feed:
        trades = feed.trades()
        until(lambda: trades.df.height > 50, "no trades")
        running.faults.rest(late=3_600)
        running.faults.drop_connections()
        until(lambda: of_trades(feed).height == 1 and feed._parts.backfill._thread is not None, "no gap", 20)
        until(lambda: feed._parts.backfill.pending == 0, "it goes on for ever", 60)
        assert of_trades(feed)["repaired_by"].to_list() == [None]
        assert not trades.complete()


def test_where_the_clock_is_moved_by_hand_nothing_is_fetched_unless_it_is_asked_for(exchange):
    with kn.connect(exchange, new=True) as feed:
        feed.trades()
        exchange.advance(10)
        exchange.faults.drop_connections()
        exchange.advance(10)
        time.sleep(0.6)
        assert not [each for each in threading.enumerate() if each.name == "kalshi-rest"]
        assert of_trades(feed)["repaired_by"].to_list() == [None]


@pytest.mark.usefixtures("quick")
def test_it_can_be_asked_for_and_declined(exchange, running):
    with kn.connect(exchange, new=True, backfill=True) as feed:
        trades = feed.trades()
        exchange.advance(10)
        exchange.faults.drop_connections()
        exchange.advance(10)
        exchange.advance(10)
        until(lambda: repaired(feed, 1), "the gap was not repaired", 30)
        exchange.advance(0)
        assert missing(exchange, trades.df) == []
    with kn.connect(running, new=True, backfill=False) as feed:
        trades = feed.trades()
        until(lambda: trades.df.height > 20, "no trades")
        running.faults.drop_connections()
        until(lambda: of_trades(feed)["closed_at"].drop_nulls().len() == 1, "no gap", 20)
        time.sleep(1.5)
        assert of_trades(feed)["repaired_by"].to_list() == [None]
    with pytest.raises(ConfigurationError, match="backfill"):
        kn.connect(exchange, new=True, backfill="yes")


@pytest.mark.usefixtures("quick")
def test_an_exchange_that_does_not_answer_is_told_and_harms_nothing(running, monkeypatch, caplog):
    monkeypatch.setattr("kalshi_nb._rest.client.RestClient.get.__kwdefaults__", {"tries": 1, "timeout": 5.0})
    monkeypatch.setattr("kalshi_nb._feed.backfill._AGAIN", 0.1)
    monkeypatch.setattr("kalshi_nb._feed.backfill.TRIES", (0.1, 0.2))
    with kn.connect(running, new=True) as feed:
        trades = feed.trades()
        until(lambda: trades.df.height > 20, "no trades")
        running.faults.rest(refuse=1_000, refusal="gateway")
        running.faults.drop_connections()
        until(lambda: feed._parts.backfill.last_error, "nothing was said", 30)
        until(lambda: "could not be fetched" in caplog.text, "nothing was logged")  # by a thread of its own
        assert [each for each in feed.health().warnings if "could not be fetched" in each]
        seen = trades.total
        until(lambda: trades.total > seen, "the feed stands still")
        asked = running._server.rest.trouble.requests
        until(lambda: running._server.rest.trouble.requests > asked + 4, "it gave up", 30)
        running.faults.rest()
        until(lambda: repaired(feed, 1), "an outage of REST that ended left a gap for ever", 30)
        assert feed._parts.backfill.told() == ()


def test_the_thread_ends_with_the_feed(running):
    with kn.connect(running, new=True) as feed:
        trades = feed.trades()
        until(lambda: trades.df.height > 20, "no trades")
        running.faults.drop_connections()
        until(lambda: [each for each in threading.enumerate() if each.name == "kalshi-rest"], "no thread", 20)
    assert not [each for each in threading.enumerate() if each.name == "kalshi-rest"]
