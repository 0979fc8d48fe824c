"""An engine that is told again what another one heard has the same rows, books and gaps."""

import pytest

import kalshi_nb as kn
from kalshi_nb._engine.offline import OfflineEngine, Recorded
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.heard import Checkpoint, Event, Read, Sent
from kalshi_nb._rows.quotes import PresentQuoteRow
from kalshi_nb._rows.wanted import ALL
from kalshi_nb.errors import FeedClosedError, SubscriptionError
from tests.engine.conftest import wait_until

BOOKS = "orderbook_delta"
CHANNELS = ("trade", "ticker", BOOKS, "quotes")


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        yield exchange


@pytest.fixture
def some(exchange):
    return list(exchange.market_tickers)[:6]


def connected(exchange, **options):
    return kn.connect(exchange, new=True, **options)


def want_all(feed, some):
    return [feed.trades(), feed.tickers(), feed.deltas(some), feed.quotes(some), feed.books(some)]


def offline(some, *, connections=1, homes=()):
    recorded = Recorded("a list", {"trade": ALL, "ticker": ALL, BOOKS: frozenset(some)}, dict(homes), connections)
    engine = OfflineEngine(recorded)
    engine.start(1, lambda _: True)
    for channel in ("trade", "ticker"):
        engine.want(channel, [ALL], timeout=1, rows=channel)
    for rows in (BOOKS, "quotes"):
        engine.want(BOOKS, [frozenset(some)], timeout=1, rows=rows)
    return engine


def told(engine, heard):
    for each in heard:
        engine.hear(each)
    return engine


def frames_of(engine):
    return {channel: [row for row in engine.take(channel) if type(row) is tuple] for channel in CHANNELS}


def books_of(engine, some):
    return {
        ticker: (ladder.status, ladder.reason, ladder.levels())
        for ticker in some
        if (ladder := engine.ladder(ticker)) is not None
    }


def gaps_of(engine):
    return [
        (each.channel, each.market_ticker, each.reason, each.seq_from, each.seq_to, each.closed_at is None)
        for each in engine.gaps.snapshot()
    ]


def homes_of(feed, some):
    return {
        ticker: link.number
        for link in feed._engine.links
        for ticker in some
        if link.session.ladder(ticker) is not None
    }


@pytest.mark.parametrize("when", ["from the beginning", "in the midst"])
@pytest.mark.parametrize("connections", [1, 3])
def test_it_has_the_rows_books_and_gaps_of_the_one_that_heard_them(exchange, some, when, connections):
    heard, before = [], {}
    with connected(exchange, connections=connections) as feed:
        if when == "from the beginning":
            feed._engine.tap(heard.append)
        frames = want_all(feed, some)[:4]
        exchange.advance(20)
        if when == "in the midst":
            before = {index: len(frame) for index, frame in enumerate(frames)}
            feed._engine.tap(heard.append)
        exchange.advance(60)
        homes = homes_of(feed, some)
        engine = told(offline(some, connections=connections, homes=homes), heard)
        made = frames_of(engine)
        for index, (channel, frame) in enumerate(zip(CHANNELS, frames, strict=True)):
            count = len(frame) - before.get(index, 0)
            if channel == "quotes" and when == "in the midst":
                count += len(some)  # whoever begins to listen is told how the books stand
            assert len(made[channel]) == count > 20, channel
        assert books_of(engine, some) == books_of(feed._engine, some)
        assert gaps_of(engine) == gaps_of(feed._engine) == []
        statuses = {ticker: status for ticker, (status, _, _) in books_of(engine, some).items()}
        assert statuses == dict.fromkeys(some, "live")


def test_what_the_line_lost_is_lost_here_too_and_repaired_by_the_same(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(5)
        exchange.faults.plan(seed=3, drop=0.02, duplicate=0.02, reorder=0.01, truncate=0.01)
        for _ in range(60):
            exchange.advance(1)
        exchange.faults.clear()
        wait_until(lambda: all(book.status == "live" for book in feed.books(some).values()))
        exchange.advance(5)
        engine = told(offline(some), heard)
        assert len(gaps_of(engine)) > 20
        assert gaps_of(engine) == gaps_of(feed._engine)
        assert books_of(engine, some) == books_of(feed._engine, some)
        assert engine.status().duplicates == feed._engine.status().duplicates > 5
        assert engine.status().rejected == feed._engine.status().rejected > 5


def test_a_connection_that_was_lost_is_lost_here_too(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(5)
        exchange.faults.drop_connections()
        wait_until(lambda: feed.health().reconnects == 1 and feed.state == "connected")
        wait_until(lambda: all(book.status == "live" for book in feed.books(some).values()))
        exchange.advance(5)
        engine = told(offline(some), heard)
        assert gaps_of(engine) == gaps_of(feed._engine)
        assert {each[2] for each in gaps_of(engine)} == {"connection_lost"}
        assert books_of(engine, some) == books_of(feed._engine, some)
        assert len(frames_of(engine)["trade"]) == len(feed.trades())


def test_a_channel_let_go_and_wanted_again_is_no_gap_and_another_filter_is_one(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        feed.trades(some[0])
        with feed.tickers():
            exchange.advance(5)
        exchange.advance(2)
        feed.tickers()
        feed.trades()  # from some to all: the subscription is made anew
        exchange.advance(5)
        engine = told(offline(some), heard)
        assert gaps_of(engine) == gaps_of(feed._engine)
        assert [each[2] for each in gaps_of(engine)] == ["resubscribed"]


def test_what_was_not_kept_makes_books_stale_until_a_checkpoint_says_how_they_stand(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(20)
        first = list(heard)
        exchange.advance(20)
        heard.clear()
        feed._engine.checkpoint()
        wait_until(lambda: any(isinstance(each, Checkpoint) for each in heard))
        exchange.advance(20)
        at = first[-1].at
        engine = told(offline(some), first)
        engine.hear(Event(at, 0, "dropped", "1,234 messages"))
        assert {status for status, _, _ in books_of(engine, some).values()} == {"stale"}
        assert all(type(engine.take(channel)[-1]) is GapRow for channel in ("trade", "ticker", BOOKS))
        told(engine, heard)
        assert books_of(engine, some) == books_of(feed._engine, some)
        assert sorted(each[:3] for each in gaps_of(engine)) == [
            (channel, None, "dropped") for channel in (BOOKS, "ticker", "trade")
        ]
        assert not any(is_open for *_, is_open in gaps_of(engine))
        (repaired,) = [each.repaired_by for each in engine.gaps.snapshot() if each.channel == BOOKS]
        assert repaired == "checkpoint"


def test_a_recording_that_goes_on_with_another_run_has_a_gap_between_them(exchange, some):
    runs = []
    for _ in range(2):
        heard = []
        with connected(exchange) as feed:
            feed.trades()
            books = feed.books(some)
            exchange.advance(20)
            remove = feed._engine.tap(heard.append)
            exchange.advance(10)
            remove()
            heard.append(Event(heard[-1].at, 0, "stopped"))
            expected = {ticker: ("live", "", book._ladder.levels()) for ticker, book in books.items()}
        # That there is more is known to whoever reads both.
        runs += [Event(runs[-1].at, 0, "not_recorded"), *heard] if runs else heard
    engine = told(offline(some), runs)
    assert books_of(engine, some) == expected
    assert sorted(each[:3] for each in gaps_of(engine)) == [
        (BOOKS, None, "not_recorded"),
        ("trade", None, "not_recorded"),
    ]
    assert not any(is_open for *_, is_open in gaps_of(engine))


def test_a_checkpoint_in_the_midst_changes_nothing(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        for _ in range(5):
            exchange.advance(5)
            feed._engine.checkpoint()
        wait_until(lambda: sum(isinstance(each, Checkpoint) for each in heard) == 6)
        with_them = told(offline(some), heard)
        first = next(index for index, each in enumerate(heard) if isinstance(each, Checkpoint))
        without = [each for index, each in enumerate(heard) if index == first or not isinstance(each, Checkpoint)]
        without_them = told(offline(some), without)
        assert frames_of(with_them) == frames_of(without_them)
        assert books_of(with_them, some) == books_of(without_them, some)
        assert gaps_of(with_them) == []


def test_it_is_sent_nothing_and_told_the_same_twice_it_is_the_same(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(30)
    assert {type(each) for each in heard} == {Checkpoint, Sent, Read, Event}
    once, again = told(offline(some), heard), told(offline(some), heard)
    assert frames_of(once) == frames_of(again)
    assert not any(each.outgoing for each in once._sessions.values())


def test_after_a_reset_it_stands_where_a_checkpoint_says(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(20)
        feed._engine.checkpoint()
        wait_until(lambda: sum(isinstance(each, Checkpoint) for each in heard) == 2)
        (index,) = [place for place, each in enumerate(heard) if place and isinstance(each, Checkpoint)]
        exchange.advance(20)
        engine = told(offline(some), heard)
        held = engine.ladder(some[0])
        expected, rows = books_of(engine, some), frames_of(engine)
        engine.reset()
        told(engine, heard[index:])
        assert engine.ladder(some[0]) is held
        assert books_of(engine, some) == expected
        again = frames_of(engine)
        assert 0 < len(again["trade"]) < len(rows["trade"])
        assert again["trade"] == rows["trade"][-len(again["trade"]) :]


@pytest.mark.parametrize(
    ("channel", "wanted", "words"),
    [
        ("fill", ALL, ["fill", "not recorded", "orderbook_delta, ticker, trade"]),
        (BOOKS, frozenset({"KXNOPE-1"}), ["KXNOPE-1", "not recorded", "KXHIGHNY"]),
    ],
)
def test_what_was_not_recorded_is_refused_with_what_was(some, channel, wanted, words):
    engine = offline(some)
    with pytest.raises(SubscriptionError) as caught:
        engine.want(channel, [wanted], timeout=1)
    assert all(each in str(caught.value) for each in words)


def test_a_closed_one_is_asked_for_nothing(some):
    engine = offline(some)
    engine.close()
    engine.close()
    with pytest.raises(FeedClosedError, match="replay is closed"):
        engine.want("trade", [ALL], timeout=1)
    assert engine.status().state == "closed"


def test_quotes_that_are_said_again_are_no_rows_of_their_own(exchange, some):
    heard = []
    with connected(exchange) as feed:
        feed._engine.tap(heard.append)
        want_all(feed, some)
        exchange.advance(10)
    engine = told(offline(some), heard)
    engine.take("quotes")
    engine.want(BOOKS, [frozenset(some)], timeout=1, rows="quotes")
    assert {type(each) for each in engine.take("quotes")} <= {PresentQuoteRow}
