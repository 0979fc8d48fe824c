"""``replay()``: a feed on a recording, with the frames and books of the feed that was recorded."""

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb._recording.reading import Segments
from kalshi_nb._recording.segment import LIMITS
from kalshi_nb._recording.writer import Writer
from kalshi_nb._rows.heard import Checkpoint, Read
from kalshi_nb.errors import ConfigurationError, RecordingError, SubscriptionError, UsageError, WaitTimeoutError
from tests.engine.conftest import wait_until
from tests.recording.conftest import frames_of, levels_of


@pytest.fixture
def feeds(night):
    opened = []

    def play(*arguments, **options):
        opened.append(kn.replay(night.folder, *arguments, **options))
        return opened[-1]

    yield play
    for each in opened:
        each.close()


def test_at_full_speed_frames_and_books_are_those_that_stood_when_it_was_made(night, feeds):
    feed = feeds("max")
    frames, books = frames_of(feed, night.markets), feed.books(night.markets)
    assert feed.replaying.paused
    feed.replaying.resume()
    feed.replaying.wait(60)
    assert feed.replaying.finished
    for channel, expected in night.frames.items():
        found = frames[channel].df
        tail = min(found.height, expected.height) - len(night.markets)
        assert tail > 20
        assert_frame_equal(found.tail(tail), expected.tail(tail))
    assert {ticker: levels_of(book) for ticker, book in books.items()} == night.levels
    assert all(book.status == "live" for book in books.values())
    assert feed.health().dropped_rows == 0
    assert feed.gaps.is_empty()


def test_at_full_speed_nothing_is_dropped_before_a_slow_pipeline(night, feeds):
    feed = feeds("max")
    count = []
    stream = feed.stream("trade")
    stream.sink(lambda df: count.append(df.height))
    feed.replaying.resume()
    feed.replaying.wait(60)
    feed.flush(30)
    assert sum(count) == night.frames["trade"].height
    assert feed.health().dropped_rows == 0


def hashed(feed, frames, books):
    digest = hashlib.sha256()
    for frame in frames.values():
        digest.update(repr(frame.df.rows()).encode())
    for _, book in sorted(books.items()):
        digest.update(repr(levels_of(book)).encode())
    digest.update(repr(feed.now()).encode())
    return digest.hexdigest()


def test_by_hand_it_is_the_same_byte_for_byte(night, feeds):
    seen, batches = [], []
    for _ in range(2):
        feed = feeds(clock="manual")
        frames, books = frames_of(feed, night.markets), feed.books(night.markets)
        sizes = []
        stream = feed.stream("trade")
        stream.sink(lambda df, sizes=sizes: sizes.append(df.height))
        for _ in range(8):
            feed.replaying.advance(17)
        seen.append(hashed(feed, frames, books))
        batches.append(sizes)
        assert frames["trade"].df["received_at"].max() <= feed.now()
    assert seen[0] == seen[1]
    assert batches[0] == batches[1]
    assert sum(batches[0]) == night.frames["trade"].height


def test_by_hand_books_stand_at_each_moment_as_the_recording_says(night, feeds):
    feed, recording = feeds(clock="manual"), kn.open_recording(night.folder)
    books = feed.books(night.markets)
    for _ in range(4):
        feed.replaying.advance(25)
        depth = recording.depth(at=feed.replaying.time, levels=1).collect()
        tops = {row[1]: (row[4], row[3], row[5], row[6]) for row in depth.rows()}
        assert {ticker: tuple(book.top) for ticker, book in books.items()} == tops


def test_steps_are_messages(feeds):
    feed = feeds(clock="manual")
    trades, tickers = feed.trades(), feed.tickers()
    before = feed.health().messages
    assert feed.replaying.step(100) == 100
    assert feed.health().messages - before == 100
    assert feed.replaying.step() == 1
    assert len(trades) + len(tickers) > 0


def test_seeking_goes_back_and_ahead_and_empties_frames(night, feeds):
    feed, recording = feeds(clock="manual"), kn.open_recording(night.folder)
    trades, book = feed.trades(), feed.book(night.markets[1])
    feed.replaying.advance(1_000)
    assert levels_of(book) == night.levels[night.markets[1]]
    all_trades = trades.df
    middle = all_trades["received_at"][all_trades.height // 2]
    feed.replaying.seek(middle)
    assert trades.df.is_empty()
    assert feed.replaying.time == middle
    expected = recording.depth(night.markets[1], at=middle, levels=1).collect()
    assert (book.top.bid, book.top.ask) == expected.select("bid", "ask").row(0)
    feed.replaying.advance(1_000)
    assert_frame_equal(trades.df, all_trades.filter(pl.col("received_at") >= middle))
    assert levels_of(book) == night.levels[night.markets[1]]
    feed.replaying.seek("2000-01-01")
    assert feed.replaying.time == feed.replaying.start


def test_who_begins_at_the_microsecond_of_a_checkpoint_has_the_rows_that_came_in_it_before(night, tmp_path):
    heard = list(Segments(night.folder).items())
    (place,) = [at for at, each in enumerate(heard) if isinstance(each, Checkpoint) and at][-1:]
    read = max(at for at in range(place) if isinstance(heard[at], Read) and b'"trade"' in b"".join(heard[at].messages))
    # What it says is so after that read as well, if it is the last before.
    at = heard[read].at
    first = next(place for place, each in enumerate(heard) if each.at == at)
    for some in (heard[:first], [*heard[first : read + 1], replace(heard[place], at=at), *heard[place + 1 :]]):
        writer = Writer(tmp_path / "again", lambda: None, {}, LIMITS)
        for each in some:
            writer.keep(each)
        assert writer.close()
    recording = kn.open_recording(tmp_path / "again")
    moment = pl.select(pl.lit(at).cast(pl.Datetime("us", "UTC"))).item()
    expected = recording.trades().collect().filter(pl.col("received_at") >= moment)
    assert expected["received_at"][0] == moment
    assert_frame_equal(recording.trades(start=moment).collect(), expected)


def test_a_span_is_played_with_books_as_they_stood_at_its_beginning(night, feeds):
    recording = kn.open_recording(night.folder)
    times = recording.trades().collect()["received_at"]
    start, end = times[len(times) // 3], times[len(times) * 2 // 3]
    feed = feeds("max", start=start, end=end)
    book, trades = feed.book(night.markets[1]), feed.trades()
    at_start = recording.depth(night.markets[1], at=start, levels=1).collect()
    assert (book.top.bid, book.top.ask) == at_start.select("bid", "ask").row(0)
    feed.replaying.resume()
    feed.replaying.wait(60)
    found = trades.df["received_at"]
    assert start <= found.min() <= found.max() <= end


def test_by_the_wall_it_keeps_the_pace_and_can_be_paused_and_hurried(feeds):
    feed = feeds(50, paused=True)
    trades = feed.trades()
    began = feed.replaying.time
    assert "paused" in repr(feed.replaying)
    feed.replaying.resume()
    trades.wait(rows=5, timeout=20)
    feed.replaying.pause()
    stands = feed.replaying.time
    assert began < stands < feed.replaying.end
    count = len(trades)
    feed.replaying.speed = "max"
    assert len(trades) == count
    feed.replaying.resume()
    feed.replaying.wait(30)
    assert feed.replaying.time == feed.replaying.end


def test_views_and_callbacks_are_those_of_any_feed(night, feeds):
    feed = feeds("max")
    heard = []
    feed.on("trade")(lambda trade: heard.append(trade.trade_id))
    book = feed.book(night.markets[0])
    assert book.widget() is not None
    feed.replaying.resume()
    feed.replaying.wait(60)
    feed.flush(30)
    assert heard == night.frames["trade"]["trade_id"].to_list()


def test_recorded_gaps_are_gaps(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        trades = feed.trades()
        with feed.record(tmp_path / "night"):
            exchange.advance(20)
            exchange.faults.skip_frames("trade", 3)
            exchange.advance(20)
            exchange.faults.drop_connections()
            wait_until(lambda: feed.state == "connected" and feed.health().reconnects == 1)
            exchange.advance(20)
        gaps, frame = feed.gaps, trades.df
    feed = kn.replay(tmp_path / "night", "max")
    again = feed.trades()
    feed.replaying.resume()
    feed.replaying.wait(30)
    assert_frame_equal(feed.gaps, gaps)
    assert sorted(feed.gaps["reason"]) == ["connection_lost", "sequence"]
    assert_frame_equal(again.df, frame)
    feed.close()


def test_four_connections_replay_right(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True, connections=4) as feed:
        markets = list(exchange.market_tickers)[:8]
        books, trades = feed.books(markets), feed.trades()
        with feed.record(tmp_path / "night"):
            exchange.advance(60)
        expected, frame = {ticker: levels_of(book) for ticker, book in books.items()}, trades.df
    feed = kn.replay(tmp_path / "night", "max")
    books, trades = feed.books(markets), feed.trades()
    feed.replaying.resume()
    feed.replaying.wait(30)
    assert {ticker: levels_of(book) for ticker, book in books.items()} == expected
    assert_frame_equal(trades.df, frame)
    assert feed.health().connections == 4
    feed.close()


def test_a_replay_can_be_recorded_again(night, feeds, tmp_path):
    feed = feeds("max")
    feed.trades()
    recorder = feed.record(tmp_path / "again")
    feed.replaying.resume()
    feed.replaying.wait(60)
    assert recorder.close()
    assert_frame_equal(
        kn.open_recording(tmp_path / "again").trades().collect(), kn.open_recording(night.folder).trades().collect()
    )


@pytest.mark.parametrize("named", ["folder", "link", "relative", "segment"])
def test_a_replay_is_not_recorded_into_what_it_plays(night, tmp_path, monkeypatch, named):
    """Each of its messages would stand there twice."""
    folder = tmp_path / "night"
    shutil.copytree(night.folder, folder)
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    played = {"relative": "night", "segment": next(folder.rglob("*.zst"))}.get(named, folder)
    into = {"link": tmp_path / "link", "relative": folder}.get(named, Path("night"))
    with kn.replay(played, "max") as feed:
        feed.replaying.resume()
        feed.replaying.wait(60)  # at its end, from where on a recording might go on
        with pytest.raises(RecordingError, match="is what this feed plays, and each of its messages would"):
            feed.record(into, ["trade"])
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"speed": 0}, "stand still"),
        ({"speed": -1}, "speed"),
        ({"speed": "fast"}, "max"),
        ({"speed": True}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"clock": "wrist"}, "manual"),
        ({"paused": 1}, "True or False"),
        ({"start": "never"}, "2026-11-28T06:30:00Z"),
        ({"start": "2030-01-01"}, "nothing between"),
    ],
)
def test_what_cannot_be_played_is_refused(night, options, words):
    with pytest.raises(ConfigurationError, match=words):
        kn.replay(night.folder, **options)


def test_what_stands_is_not_waited_for_and_what_plays_is_not_advanced(feeds):
    feed = feeds("max")
    with pytest.raises(UsageError, match="would never end"):
        feed.replaying.wait()
    by_hand = feeds(clock="manual")
    with pytest.raises(UsageError, match="advance"):
        by_hand.replaying.resume()
    slow = feeds(1)
    with pytest.raises(UsageError, match="pause"):
        slow.replaying.advance(1)
    with pytest.raises(WaitTimeoutError, match="did not end"):
        slow.replaying.wait(0.05)
    with pytest.raises(kn.errors.NoSuchAttributeError):
        slow.replaying.time = 5


def test_what_was_not_recorded_cannot_be_asked_for(feeds):
    feed = feeds("max")
    with pytest.raises(SubscriptionError, match="not recorded"):
        feed.fills()
    with pytest.raises(SubscriptionError, match="not recorded"):
        feed.book("KXNOPE-1")


# A replay that stands --------------------------------------------------------------------------------------------

WAITS = {
    "trades": lambda feed, night: feed.trades().wait(rows=1, timeout=0.05),
    "new trades": lambda feed, night: feed.trades().wait(new=1, timeout=0.05),
    "quotes": lambda feed, night: feed.quotes(night.markets).wait(rows=10**6, timeout=0.05),
    "a rolling frame": lambda feed, night: feed.stream("ticker").rolling_frame().wait(rows=1, timeout=0.05),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_who_waits_for_a_replay_that_is_paused_is_told_what_plays_it_on(night, feeds, wait):
    with pytest.raises(WaitTimeoutError, match=r"The replay is paused: feed\.replaying\.resume\(\) plays on\.$"):
        wait(feeds("max"), night)


def test_of_a_replay_that_stands_each_says_how(night, feeds):
    by_hand = feeds(clock="manual")
    with pytest.raises(WaitTimeoutError, match=r"feed\.replaying\.advance\(seconds\) or step\(n\) plays on\.$"):
        by_hand.trades().wait(rows=1, timeout=0.05)
    played = feeds("max")
    trades = played.trades()
    played.replaying.resume()
    played.replaying.wait(60)
    with pytest.raises(WaitTimeoutError, match=r"The replay is at its end: feed\.replaying\.seek"):
        trades.wait(new=1, timeout=0.05)


def test_who_waits_for_a_book_of_a_paused_replay_is_told_what_plays_it_on(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        first, second = exchange.market_tickers[:2]
        with feed.record(tmp_path / "night", "orderbook_delta", first):
            exchange.advance(2)
            feed.books([second]).wait()
            exchange.advance(2)
    with kn.replay(tmp_path / "night", "max") as feed:
        for wait in (feed.book(second).wait, feed.books([second]).wait):
            with pytest.raises(WaitTimeoutError, match=r"feed\.replaying\.resume\(\) plays on\.$"):
                wait(timeout=0.05)


def test_who_waits_for_an_account_of_a_paused_replay_is_told_what_plays_it_on(tmp_path):
    channels = ["fill", "user_orders", "market_positions"]
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        feed.record(tmp_path / "night", channels)
        exchange.advance(5)
    with kn.replay(tmp_path / "night", "max") as feed:
        for frame in (feed.fills(), feed.orders(), feed.positions()):
            with pytest.raises(WaitTimeoutError, match=r"feed\.replaying\.resume\(\) plays on"):
                frame.wait(rows=1, timeout=0.05)


def test_a_feed_whose_replay_is_paused_says_so_until_it_plays(night, feeds):
    feed = feeds("max")
    trades = feed.trades()
    assert "paused: feed.replaying.resume() plays on" in repr(feed)
    assert "the replay is paused" in repr(trades)
    assert feed.health().warnings == ("the replay is paused: feed.replaying.resume() plays on",)
    assert feed.state == "connected"
    feed.replaying.resume()
    feed.replaying.wait(60)
    assert "paused" not in repr(feed) + repr(trades)
    assert feed.health().warnings == ()
    for each in (feeds(clock="manual"), feeds(1)):
        assert "paused" not in repr(each)
        assert each.health().warnings == ()


def test_lengths_of_time_that_are_none_move_no_replay(feeds):
    feed = feeds(clock="manual")
    began = feed.replaying.time
    for odd in (float("inf"), float("-inf"), float("nan"), -1, 0, "soon", None, "1y", 10**400, True):
        with pytest.raises(ConfigurationError, match="give a length of time of the recording"):
            feed.replaying.advance(odd)
        if odd not in (0, None):
            with pytest.raises(ConfigurationError, match=r"give a moment|looks like"):
                feed.replaying.seek(odd if odd != 10**400 else float("inf"))
        with pytest.raises(ConfigurationError, match="give how many messages"):
            feed.replaying.step(odd if odd not in (True, 10**400) else 0)
    assert feed.replaying.time == began
    feed.replaying.advance(1e299)
    assert feed.replaying.finished


# Arguments -------------------------------------------------------------------------------------------------------

NOT_TAKEN = {
    "strat": "Did you mean 'start'?",
    "begin": "Did you mean 'start'?",
    "until": "Did you mean 'end'?",
    "Speed": "Did you mean 'speed'?",
    "market_tickers": "It takes path, speed, start, end, paused, clock",
    "key": "It takes path, speed, start, end, paused, clock",
}


@pytest.mark.parametrize(("name", "words"), NOT_TAKEN.items())
def test_an_argument_that_a_replay_does_not_have_is_refused(night, name, words):
    with pytest.raises(UsageError, match=re.escape(f"replay() has no argument {name!r}.")) as caught:
        kn.replay(night.folder, "max", **{name: "2026-11-22T15:01"})
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["strat", "begin", "ends", "market_ticker", "Speed", "channel", "pause"])
def test_of_an_address_only_options_of_a_store_are_taken(name):
    with pytest.raises(UsageError, match=re.escape(f"replay() has no argument {name!r}.")):
        kn.replay("memory://nowhere/night", **{name: "2026-11-22T15:01"})
    with pytest.raises(UsageError, match=re.escape(f"open_recording() has no argument {name!r}.")):
        kn.open_recording("memory://nowhere/night", **{name: "2026-11-22T15:01"})
    with pytest.raises(UsageError, match=re.escape(f"open_export() has no argument {name!r}.")):
        kn.open_export("memory://nowhere/night", **{name: "2026-11-22T15:01"})


@pytest.mark.parametrize(
    "name", ["key", "secret", "anon", "token", "user", "username", "password", "host", "client_kwargs", "endpoint_url"]
)
def test_options_of_stores_go_to_the_store(name):
    with pytest.raises(RecordingError, match="There is no recording at memory://nowhere/night"):
        kn.open_recording("memory://nowhere/night", **{name: "mine"})
