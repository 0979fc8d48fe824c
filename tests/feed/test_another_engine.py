"""A feed on an engine that is no line to an exchange: all of the port is used, and nothing else is needed."""

import datetime as dt
import inspect
import threading
from random import Random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kalshi_nb import Feed
from kalshi_nb._engine.port import ClockStep, Engine
from kalshi_nb._feed.options import Options
from kalshi_nb._rows.gaps import GapLog
from kalshi_nb._rows.rejects import Reject
from kalshi_nb._rows.wanted import ALL
from kalshi_nb.errors import ConfigurationError, FeedClosedError, SubscriptionError
from kalshi_nb.messages import Trade
from tests.feed.list_engine import BASE_US, ListEngine, ListLadder

SECOND = 1_000_000


def trade(number, market="KXA-1", *, at=None, price=4_700, count=100):
    at = BASE_US + number * SECOND if at is None else at
    return (at, market, price, count, "yes", "bid", 10_000 - price, False, f"id-{number}", at, number)


def opened(engine, **options):
    feed = Feed(engine, **options)
    feed._open(5.0)  # as connect() does
    return feed


@pytest.fixture
def engine():
    return ListEngine(
        ladders=[ListLadder("KXA-1", {4_700: 1_000, 4_600: 250}, {5_100: 300})],
        catalog=["BRTI", "ETHUSD_RTI"],
        rejects=[Reject(BASE_US, "no type", b"{}")],
    )


@pytest.fixture
def feed(engine):
    with opened(engine) as feed:
        yield feed


def test_the_test_s_engine_has_the_port_and_nothing_of_it_is_missing():
    for name, member in vars(Engine).items():
        if name.startswith("_"):
            continue
        assert hasattr(ListEngine(), name), name
        if inspect.isfunction(member):
            theirs, ours = inspect.signature(member), inspect.signature(getattr(ListEngine, name))
            assert list(theirs.parameters) == list(ours.parameters), name


def test_rows_come_as_frames_streams_messages_and_callbacks(engine, feed):
    trades = feed.trades()
    frames = feed.stream("trade").rolling_frame()
    lists = []
    sink = feed.messages("trade", "KXB-1").sink(lists.extend)
    called = []
    feed.on("trade")(called.append)
    engine.play("trade", trade(1), trade(2, "KXB-1", price=1_000))
    feed.flush()
    assert trades.df["trade_id"].to_list() == ["id-1", "id-2"]
    assert trades.df["yes_price"].to_list() == [0.47, 0.1]
    assert_frame_equal(frames.df, trades.df)
    assert [each.market_ticker for each in lists] == ["KXB-1"]
    assert [type(each) for each in called] == [Trade, Trade]
    assert sink is not None
    assert {each.channel for each in engine.wanted} == {"trade"}
    trades.close()
    for each in feed.pipelines:
        each.close()
    assert engine.wanted == []


def test_ladders_come_as_books_and_as_what_a_cell_shows(engine, feed):
    book = feed.book("KXA-1")
    assert book.wait() is book
    assert book.top == (0.47, 10.0, 0.49, 3.0)
    assert book.depth(2)["bid"].to_list() == [0.47, 0.46]
    assert feed.books(["KXA-1"])["KXA-1"] is book
    assert "KXA-1" in repr(book)
    assert "ask 49¢ x 3" in repr(book)
    book.close()
    assert engine.wanted == []


def test_gaps_are_data_and_make_frames_incomplete(engine, feed):
    trades, marked = feed.trades(), feed.trades(gaps=True)
    engine.play("trade", trade(1))
    feed.flush()
    assert trades.complete()
    engine.clock.us += SECOND
    gap = engine.open_gap("trade")
    engine.clock.us += SECOND
    engine.close_gap(gap)
    engine.play("trade", trade(4))
    feed.flush()
    assert not trades.complete()
    assert marked.df["gap"].to_list() == [False, True]
    assert feed.gaps.select("channel", "reason", "seq_from", "seq_to").rows() == [("trade", "sequence", 2, 3)]
    engine.clock.us += SECOND
    assert trades.complete(since=dt.datetime.fromtimestamp(engine.clock.us / 1e6, dt.UTC))


def test_health_says_what_the_engine_says(engine, feed):
    feed.trades()
    health = feed.health()
    assert (health.state, health.url) == ("connected", "list:")
    assert (health.messages_per_second, health.lag_p50, health.lag_p99) == (12.5, 0.25, 0.5)
    assert health.markets == {"trade": None}
    assert health.rejects == 1
    assert health.last_error == "a page is missing"
    assert [each.reason for each in feed.rejects] == ["no type"]
    assert feed.index_ids() == ["BRTI", "ETHUSD_RTI"]
    assert feed.state == "connected"


def test_windows_of_seconds_go_by_the_engine_s_clock(engine, feed):
    trades = feed.trades(seconds=10)
    engine.play("trade", trade(0), trade(5))
    feed.flush()
    engine.clock.us += 5 * SECOND
    assert len(trades) == 2
    engine.clock.us += 8 * SECOND
    assert trades.df["trade_id"].to_list() == ["id-5"]
    engine.clock.us += 80 * SECOND
    assert len(trades) == 0


def test_an_engine_that_waits_for_room_loses_nothing_before_a_slow_pipeline(engine):
    with opened(engine, options=Options(max_pending_rows=50, flush_interval=0.001)) as feed:
        slow, seen = threading.Event(), []

        def remember(message):
            slow.wait(0.001)
            seen.append(message.seq)

        feed.on("trade")(remember)
        for number in range(0, 600, 10):
            assert engine.wait_for_room(10.0)
            engine.play("trade", *(trade(each) for each in range(number, number + 10)))
            feed.flush()  # a batch at a time, so that what waits for the pipeline is many small ones
        feed.flush()
        assert seen == list(range(600))
        assert feed.health().dropped_rows == 0


def test_a_reset_empties_frames_and_what_is_kept_beside_them(engine, feed):
    trades, short = feed.trades(), feed.trades(rows=1)
    below = feed.stream("trade").rolling_frame()
    engine.play("trade", trade(1), trade(2, "KXB-1"))
    feed.flush()
    assert (len(trades), len(short.latest()), len(below)) == (2, 2, 2)
    gap = engine.open_gap("trade")
    engine.close_gap(gap)
    engine.clock.us += SECOND
    engine.reset()
    engine.play("trade", trade(9))
    feed.flush()
    assert trades.df["trade_id"].to_list() == ["id-9"]
    assert short.latest()["trade_id"].to_list() == ["id-9"]
    assert below.df["trade_id"].to_list() == ["id-9"]
    assert trades.total == 3
    assert trades.complete()
    # A replay may seek back, with a new log of gaps: what is missing then is missing, though the frame is older.
    engine.clock.us -= 3_600 * SECOND
    engine.gaps = GapLog()
    engine.reset()
    engine.play("trade", trade(10, at=engine.clock.us))
    feed.flush()
    engine.clock.us += SECOND
    assert trades.complete()
    engine.close_gap(engine.open_gap("trade"))
    feed.flush()
    assert not trades.complete()


def test_rows_put_in_later_stand_at_their_place_in_frames_and_nowhere_else(engine, feed):
    trades = feed.trades()
    called = []
    feed.on("trade")(called.append)
    engine.play("trade", trade(1), trade(5))
    feed.flush()
    engine.put("trade", [trade(2), trade(3)])
    feed.flush()
    assert trades.df["trade_id"].to_list() == ["id-1", "id-2", "id-3", "id-5"]
    assert trades.total == 4
    assert trades.latest()["trade_id"].to_list() == ["id-5"]
    assert [each.trade_id for each in called] == ["id-1", "id-5"]


def test_a_clock_that_is_set_back_hides_no_gap_and_keeps_no_window_from_emptying(engine, feed):
    trades, minute = feed.trades(), feed.trades(seconds=60)
    engine.play("trade", trade(0, at=engine.clock.us))
    feed.flush()
    engine.clock.us += SECOND
    engine.set_clock(-3600 * SECOND)
    engine.steps = (ClockStep(engine.clock.us, -3600 * SECOND),)
    gap = engine.open_gap("trade")
    engine.clock.us += SECOND
    engine.close_gap(gap)
    engine.play("trade", trade(4, at=engine.clock.us))
    feed.flush()
    assert gap.closed_at < trades.df["received_at"].cast(pl.Int64)[0]
    assert not trades.complete()
    assert len(minute) == 2
    engine.clock.us += 59 * SECOND
    assert minute.df["trade_id"].to_list() == ["id-4"]
    engine.clock.us += 59 * SECOND
    assert len(minute) == 0
    assert any("clock" in each for each in feed.health().warnings)


class Exchange:
    """What a feed asks of a simulated exchange: to wait for it."""

    def __init__(self):
        self.followers = []

    def attach(self, follower):
        self.followers.append(follower)

    def detach(self, follower):
        self.followers.remove(follower)


def test_a_clock_moved_by_hand_waits_until_all_is_in(engine):
    exchange = Exchange()
    with opened(engine, exchange=exchange) as feed:
        (follower,) = exchange.followers
        trades = feed.trades()
        engine.taken_in = {5_001: 3}
        assert follower.has_applied({5_001: 3, 7_000: 9})
        assert not follower.has_applied({5_001: 4})
        engine.play("trade", trade(1))
        follower.flush(5.0)
        assert len(trades) == 1
    assert exchange.followers == []


def test_a_tap_hears_everything_until_it_is_taken_off(engine, feed):
    heard = []

    remove = engine.tap(heard.append)
    engine.play("trade", trade(1), trade(2))
    remove()
    engine.play("trade", trade(3))
    (read,) = heard
    assert (read.at, read.connection, len(read.messages)) == (BASE_US, 1, 2)


def test_a_closed_feed_asks_its_engine_for_nothing(engine, feed):
    trades = feed.trades()
    engine.play("trade", trade(1))
    feed.close()
    assert engine.state == "closed"
    assert len(trades) == 1
    with pytest.raises(FeedClosedError):
        feed.trades("KXA-1")


@pytest.mark.parametrize("seed", range(25))
def test_a_frame_is_complete_exactly_where_no_gap_reaches_into_its_window_however_the_clock_is_set(seed):
    random, engine = Random(seed), ListEngine()
    seconds = random.choice([None, 5, 20])
    rows = random.choice([None, 3, 6]) if seconds else random.choice([3, 6])
    with opened(engine) as feed:
        trades = feed.trades(rows=rows, seconds=seconds)
        began, received, gaps = engine.steady(), [], []
        for number in range(50):
            event = random.choice(["row", "row", "row", "time", "clock", "gap"])
            engine.clock.us += 1
            if event == "row":
                engine.play("trade", trade(number, at=engine.clock.us))
                received.append(engine.steady())
            elif event == "time":
                engine.clock.us += random.randint(1, 4 * SECOND)
            elif event == "clock":
                feed.flush()
                by = random.choice([-1, 1]) * random.choice([1, 30, 3600]) * SECOND
                engine.set_clock(by)
                engine.steps = (*engine.steps, ClockStep(engine.clock.us, by))
            else:
                gap = engine.open_gap("trade")
                engine.clock.us += random.randint(1, SECOND)
                engine.close_gap(gap)
                gaps.append(gap.closed)
                engine.clock.us += 1
            feed.flush()
            oldest = began if seconds is None else max(began, engine.steady() - seconds * SECOND)
            inside = [each for each in received if each >= oldest]
            if rows is not None and len(inside) >= rows:
                oldest = inside[-rows]
            assert len(trades) == min(len(inside), rows or len(inside))
            assert trades.complete() == (not any(closed >= oldest for closed in gaps))


def test_what_an_engine_has_no_ladder_of_is_an_error_and_not_wanted_any_more(engine, feed):
    with pytest.raises(LookupError, match="KXNONE-1"):
        feed.book("KXNONE-1")
    assert engine.wanted == []


def test_a_frame_that_is_opened_while_its_feed_is_closed_is_closed_too(engine):
    asked, go_on = threading.Event(), threading.Event()
    want = engine.want

    def slow(*arguments, **options):
        asked.set()
        assert go_on.wait(60)
        return want(*arguments, **options)

    feed = opened(engine)
    engine.want = slow
    ended = []

    def ask():
        try:
            ended.append(feed.trades())
        except FeedClosedError as refusal:
            ended.append(refusal)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(60)
    close, engine.close = engine.close, lambda: None  # an engine that still answers
    feed.close()
    go_on.set()
    thread.join(60)
    close()
    assert [type(each) for each in ended] == [FeedClosedError]
    assert engine.wanted == []


def test_a_name_that_is_refused_is_nobody_s(engine, feed):
    asked, go_on = threading.Event(), threading.Event()
    want = engine.want

    def refusing(channel, wanted, **options):
        if wanted == [frozenset({"KXBAD-1"})]:
            asked.set()
            assert go_on.wait(60)
            raise SubscriptionError("There is no such market.", channel=channel, code=28)
        return want(channel, wanted, **options)

    engine.want = refusing

    def ask():
        with pytest.raises(SubscriptionError):
            feed.trades("KXBAD-1")

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(60)
    feed.trades()
    go_on.set()
    thread.join(60)
    assert [each.wanted for each in engine.wanted] == [ALL]


def test_parameters_that_are_asked_for_are_the_channel_s_before_the_exchange_has_answered(engine, feed):
    asked, go_on = threading.Event(), threading.Event()
    want = engine.want

    def slow(*arguments, **options):
        asked.set()
        assert go_on.wait(60)
        return want(*arguments, **options)

    engine.want = slow
    thread = threading.Thread(target=lambda: feed.rfqs(user_filter="self"))
    thread.start()
    assert asked.wait(60)
    with pytest.raises(ConfigurationError, match="user_filter='self'"):
        feed.rfqs(shard_factor=2)
    go_on.set()
    thread.join(60)
    assert [each.wanted.params for each in engine.wanted] == [(("user_filter", "self"),)]
