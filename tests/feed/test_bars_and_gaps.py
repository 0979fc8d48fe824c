"""Bars say how far they can be trusted: against a list of what happened, and against an exchange that loses frames."""

import datetime as dt
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kalshi_nb as kn
from tests.daily import some
from tests.feed.conftest import following, until
from tests.feed.list_engine import ListEngine
from tests.feed.test_another_engine import opened

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EVERY = 10_000_000
SECOND = 1_000_000
KEY = ("market_ticker", "start")


def us(moment):
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def said(bars):
    """Key to complete."""
    return {(row["market_ticker"], us(row["start"])): row["complete"] for row in bars.df.iter_rows(named=True)}


class Story:
    """What happened on an engine, and what bars ought to say of it."""

    def __init__(self, engine):
        self.engine = engine
        self.began = engine.clock.us
        self.trades = []  # (ts, market, received)
        self.gaps = []  # [market, before, opened, closed, gap]

    def trade(self, market, late_us):
        now = self.engine.clock.us
        ts = now - late_us
        self.trades.append((ts, market, now))
        self.engine.play("trade", (ts, market, 4_700, 100, "yes", "bid", 5_300, False, "id", now, 1))

    def open_gap(self, market):
        before = self.trades[-1][0] if self.trades else self.began
        gap = self.engine.open_gap("trade", market)
        self.gaps.append([market, min(before, gap.opened_at), gap])

    def close_gaps(self):
        for _, _, gap in self.gaps:
            if gap.closed_at is None:
                self.engine.close_gap(gap)

    def expected(self):
        found, now = {}, self.engine.clock.us
        for ts, market, _ in self.trades:
            start = ts - ts % EVERY
            end = start + EVERY
            whole = end <= now and start >= self.began
            for named, before, gap in self.gaps:
                until = now if gap.closed_at is None else gap.closed_at
                if named in (None, market) and before < end and until >= start:
                    whole = False
            found[market, start] = whole
        return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.sampled_from("AB"), st.integers(0, 2 * SECOND)),
        st.tuples(st.just("wait"), st.integers(1, 12 * SECOND)),
        st.tuples(st.just("gap"), st.sampled_from(["A", "B", None])),
        st.tuples(st.just("close")),
        st.tuples(st.just("flush")),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, EVERY - 1))
def test_a_bar_is_complete_exactly_where_no_gap_can_have_taken_a_trade_of_it_and_its_interval_is_over(steps, into):
    engine = ListEngine()
    engine.clock.us += into
    with opened(engine) as feed:
        bars = feed.stream("trade").bars("10s").rolling_frame()
        story = Story(engine)
        for step, *more in steps:
            engine.clock.us += 1  # no two things at one time
            if step == "trade":
                story.trade(*more)
            elif step == "wait":
                engine.clock.us += more[0]
            elif step == "gap":
                story.open_gap(*more)
            elif step == "close":
                story.close_gaps()
            else:
                feed.flush()
                assert said(bars) == story.expected()
        feed.flush()
        assert said(bars) == story.expected()


@pytest.fixture
def engine():
    engine = ListEngine()
    engine.clock.us -= engine.clock.us % EVERY
    return engine


def test_a_bar_that_was_complete_is_said_again_when_a_gap_reaches_back_into_it(engine):
    with opened(engine) as feed:
        seen = []
        bars = feed.stream("trade").bars("10s")
        bars.sink(seen.append)
        story = Story(engine)
        story.trade("A", 0)
        engine.clock.us += EVERY
        feed.flush()
        assert [each["complete"].to_list() for each in seen][-1] == [True]
        engine.clock.us += EVERY
        # What it lost was after the last trade, which nobody knows to have been the last one of its interval.
        story.open_gap(None)
        feed.flush()
        assert [each["complete"].to_list() for each in seen][-1] == [False]
        assert seen[-1]["trades"].to_list() == [1]


def test_a_gap_is_told_although_nobody_asks_and_nothing_comes(engine):
    with opened(engine) as feed:
        bars = feed.stream("trade").bars("10s").rolling_frame()
        story = Story(engine)
        story.trade("A", 0)
        engine.clock.us += EVERY
        feed.flush()
        assert list(said(bars).values()) == [True]
        story.open_gap(None)
        until(lambda: list(said(bars).values()) == [False], "the bar that the gap reaches into")


def test_an_interval_is_over_although_nothing_comes_any_more():
    """By the computer's clock nobody asks for a turn: the node has itself woken."""
    with kn.connect("sim") as feed:
        bars = feed.stream("trade").bars(0.25).rolling_frame()
        until(lambda: bars.df.filter("complete").height, "a bar that is complete")
        feed.exchange.faults.stall()
        last = bars.df.filter(pl.col("start") == pl.col("start").max())
        assert last.height
        until(lambda: feed.now() >= last["end"][0], "the end of the last interval")
        until(
            lambda: not bars.df.filter(~pl.col("complete"), pl.col("start") > bars.df["start"][0]).height, "all over"
        )
        feed.exchange.faults.resume()


def test_rows_that_the_pipeline_itself_lost_make_their_bars_incomplete(engine):
    with opened(engine) as feed:
        source = feed.stream("trade")

        def careful(df):
            if df["market_ticker"][0] == "BAD":
                raise ValueError("no")
            return df

        bars = source.map(careful).bars("10s").rolling_frame()
        story = Story(engine)
        for market in ("A", "BAD", "A"):
            engine.clock.us += 1
            story.trade(market, 0)
            feed.flush()
        engine.clock.us += 2 * EVERY
        story.trade("A", 0)
        engine.clock.us += EVERY
        feed.flush()
        start = engine.clock.us - 3 * EVERY
        start -= start % EVERY
        assert said(bars) == {("A", start): False, ("A", start + 2 * EVERY): True}


def test_what_raises_behind_the_bars_takes_nothing_from_them(engine):
    with opened(engine) as feed:
        node = feed.stream("trade").bars("10s")
        bars = node.rolling_frame()
        bars.sink(lambda df: 1 / 0)
        story = Story(engine)
        for _ in range(3):
            engine.clock.us += 1
            story.trade("A", 0)
            feed.flush()
        engine.clock.us += EVERY
        feed.flush()
        assert list(said(bars).values()) == [True]
        with pytest.warns(kn.errors.PipelineWarning):
            _ = feed.pipelines


def test_a_reset_begins_anew(engine):
    with opened(engine) as feed:
        node = feed.stream("trade").bars("10s")
        bars = node.rolling_frame()
        story = Story(engine)
        story.trade("A", 0)
        feed.flush()
        engine.reset()
        feed.flush()
        assert bars.df.height == 0
        engine.clock.us += 1
        story.trade("A", 0)
        feed.flush()
        assert bars.df["trades"].to_list() == [1]


# With the simulated exchange ----------------------------------------------------------------------------


def made_of(trades):
    """Key to what a bar of all these trades is, gone through one by one."""
    found = {}
    for row in trades.iter_rows(named=True):
        start = us(row["ts"]) - us(row["ts"]) % EVERY
        found.setdefault((row["market_ticker"], start), []).append(row)
    return {
        key: (
            rows[0]["yes_price"],
            max(each["yes_price"] for each in rows),
            min(each["yes_price"] for each in rows),
            rows[-1]["yes_price"],
            round(sum(each["count"] for each in rows), 2),
            len(rows),
        )
        for key, rows in found.items()
    }


def bars_as_made(df):
    return {
        (row["market_ticker"], us(row["start"])): tuple(
            row[each] for each in ("open", "high", "low", "close", "volume", "trades")
        )
        for row in df.iter_rows(named=True)
    }


def truth_of(seed, seconds):
    """All trades that the exchange made, from a twin whose line is whole."""
    with kn.sim.Exchange(seed=seed, clock="manual") as exchange, following(exchange) as feed:
        trades = feed.trades()
        exchange.advance(seconds)
        return trades.df


def mended(feed, reconnects):
    until(lambda: feed.health().reconnects == reconnects and feed.state == "connected", "connected again")
    until(
        lambda: all(each.sid is not None for each in feed._engine.links[0].session.subscriptions.values()),
        "subscribed",
    )


@pytest.mark.parametrize("seed", some([3, 11], 1))
def test_every_complete_bar_is_that_of_all_trades_and_only_bars_near_a_gap_are_not_complete(seed):
    chance = random.Random(seed)
    with kn.sim.Exchange(seed=seed, clock="manual") as exchange, following(exchange) as feed:
        received = feed.trades()
        bars = feed.stream("trade").bars("10s").rolling_frame()
        passed = 0
        while passed < 300:
            step = chance.choice([0.5, 3, 7.75, 20])
            mishap = chance.choice(["none", "none", "none", "skip", "drop"])
            if mishap == "skip":
                exchange.faults.skip_frames("trade", chance.randint(1, 3))
            elif mishap == "drop":
                before = feed.health().reconnects
                exchange.faults.drop_connections()
                mended(feed, before + 1)
            exchange.advance(step)
            passed += step
        df, gaps, rows, now = bars.df, feed.gaps, received.df, feed.now()
    truth = made_of(truth_of(seed, passed))
    expected = made_of(rows)
    assert bars_as_made(df) == expected
    assert gaps.height > 3
    complete = df.filter("complete")
    assert 0 < complete.height < df.height
    for key, bar in bars_as_made(complete).items():
        assert truth[key] == bar
    # Some that were lost were of a bar: without the gaps, some bars that lack trades would be called complete.
    assert any(truth[key] != bar for key, bar in bars_as_made(df).items())
    for row in df.filter(~pl.col("complete"), pl.col("end") <= now).iter_rows(named=True):
        near = False
        for gap in gaps.filter(pl.col("channel") == "trade").iter_rows(named=True):
            before = rows.filter(pl.col("received_at") < gap["opened_at"])["ts"]
            begins = before[-1] if before.len() else gap["opened_at"]
            near = near or (begins < row["end"] and (gap["closed_at"] is None or gap["closed_at"] >= row["start"]))
        assert near, row


def test_the_last_rows_and_quotes_of_a_simulated_market_are_what_its_own_frames_say(feed, exchange):
    markets = exchange.market_tickers[:4]
    tickers, quotes, trades = feed.tickers(), feed.quotes(markets), feed.trades(markets)
    last = feed.stream("ticker").latest_by("market_ticker")
    tables = []
    last.sink(tables.append)
    joined = feed.stream("trade", markets).join_asof(quotes).rolling_frame()
    streamed = feed.stream("trade", markets).join_asof(feed.stream("quotes", markets)).rolling_frame()
    for _ in range(6):
        exchange.advance(10)
        assert tables[-1].equals(tickers.latest(), null_equal=True)
    assert trades.total == joined.total > 20
    assert joined.df.equals(streamed.df, null_equal=True)
    rows = list(quotes.df.iter_rows(named=True))
    for row in joined.df.iter_rows(named=True):
        stood = [each for each in rows if each["market_ticker"] == row["market_ticker"] and each["ts"] < row["ts"]]
        found = stood[-1] if stood else None
        assert row["quote_ts"] == (found and found["ts"])
        assert (row["bid"], row["ask"]) == ((found["bid"], found["ask"]) if found else (None, None))
    # Who takes meets the other side: the law that tells a quote before a trade from the one after it.
    taken = joined.df.filter(pl.col("bid").is_not_null() & pl.col("ask").is_not_null())
    at_quote = taken.filter((pl.col("yes_price") >= pl.col("ask")) | (pl.col("yes_price") <= pl.col("bid")))
    assert at_quote.height > 0.9 * taken.height
