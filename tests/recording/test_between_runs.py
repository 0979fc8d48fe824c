"""What nobody recorded, or what is not there any more, is said where it is missing, and all that is there is read."""

import shutil
import time

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._recording.files import find
from kalshi_nb._recording.layout import began

SECOND = 1_000_000


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as made:
        yield made


@pytest.fixture
def two_runs(exchange, feed, tmp_path):
    """75 s of a market, 115 s that nobody records, and a minute more into the same folder; trades, books, tickers."""
    market = exchange.market_tickers[0]
    for seconds, unrecorded in ((75, 115), (60, 0)):
        with feed.record(tmp_path / "night", ["trade", "orderbook_delta", "ticker"], market):
            exchange.advance(seconds)
        exchange.advance(unrecorded)
    return tmp_path / "night"


@pytest.fixture
def moments(two_runs):
    """When the first run ended and the second began."""
    begins = began(min(two_runs.rglob("*.zst")).name)
    return begins + 75 * SECOND, begins + 190 * SECOND


def at(us):
    return pl.select(pl.lit(us).cast(pl.Datetime("us", "UTC"))).item()


def pieces(folder):
    return sorted(folder.rglob("*.zst"))


def test_the_gap_between_two_runs_is_as_long_as_nobody_recorded(two_runs, moments):
    ended, begun = moments
    gaps = kn.open_recording(two_runs).gaps().collect()
    assert set(gaps["channel"]) == {"trade", "orderbook_delta", "ticker"}
    assert set(gaps["reason"]) == {"not_recorded"}
    assert set(gaps["opened_at"]) == {at(ended)}
    assert all(begun <= each < begun + SECOND for each in gaps["closed_at"].dt.epoch("us"))
    kn.open_recording(two_runs).export(two_runs.parent / "tables")
    exported = kn.open_export(two_runs.parent / "tables").gaps().collect()
    assert exported.select(gaps.columns).sort(gaps.columns).equals(gaps.sort(gaps.columns))


def test_books_are_stale_from_the_end_of_the_first_run_on_in_what_is_exported_too(two_runs, moments):
    recording, place = kn.open_recording(two_runs), two_runs.parent / "tables"
    recording.export(place, channels=["quotes"])
    quotes = recording.quotes().collect()
    assert kn.open_export(place).frame("quotes").collect().select(quotes.columns).equals(quotes)
    (stale,) = quotes.filter(status="stale")["received_at"].dt.epoch("us")
    assert stale == moments[0]


def test_no_minute_in_which_nobody_recorded_is_complete(two_runs):
    candles = kn.open_recording(two_runs).candles("1m").collect()
    assert candles["complete"].to_list()[:3] == [True, False, False]


def test_there_is_no_book_at_a_moment_that_nobody_recorded(two_runs, moments):
    ended, begun = moments
    recording = kn.open_recording(two_runs)
    for us, is_there in (
        (ended - SECOND, True),
        (ended + SECOND, False),
        (begun - SECOND, False),
        (begun + SECOND, True),
    ):
        assert bool(recording.depth(at=at(us)).collect().height) == is_there
    every = recording.depth(every="10s", levels=1).collect()
    assert every.filter(pl.col("at").is_between(at(ended), at(begun), closed="none")).is_empty()


def test_a_replayed_book_is_stale_where_nobody_recorded(two_runs, exchange):
    with kn.replay(two_runs, speed="max", clock="manual") as replay:
        book = replay.book(exchange.market_tickers[0])
        replay.replaying.advance(74)
        assert (book.status, len(replay.gaps)) == ("live", 0)
        replay.replaying.advance(60)
        assert (book.status, len(replay.gaps)) == ("stale", 3)
        replay.replaying.advance(60)
        assert book.status == "live"


def test_at_the_end_of_the_last_run_nothing_is_missing(two_runs):
    pieces(two_runs)[1].unlink()
    recording = kn.open_recording(two_runs)
    assert recording.gaps().collect().is_empty()
    assert recording.info().damages == []


def test_what_is_left_of_a_recording_is_read_and_what_was_before_it_is_said_to_be_missing(two_runs):
    first, second = pieces(two_runs)
    rows = kn.open_recording(second).trades().collect()
    assert rows.height
    first.unlink()
    recording = kn.open_recording(two_runs)
    assert recording.trades().collect().equals(rows)
    (damage,) = recording.info().damages
    assert damage.endswith("segment 1 is missing before this one")
    assert set(recording.gaps().collect()["reason"]) == {"unreadable"}


def test_one_segment_alone_that_begins_with_all_it_needs_is_whole(two_runs):
    recording = kn.open_recording(pieces(two_runs)[1])
    assert recording.info().damages == []
    assert recording.gaps().collect().is_empty()


def test_a_recording_whose_folder_went_away_for_a_while_has_all_that_came_after(exchange, feed, tmp_path):
    place, live = tmp_path / "night", feed.trades()
    recorder = feed.record(place, "trade")
    exchange.advance(10)
    recorder.flush()
    before = live.df.height
    shutil.rmtree(place)
    exchange.advance(20)
    until(lambda: recorder.status.state == "waiting")
    place.mkdir()
    until(lambda: recorder.status.state == "recording")
    exchange.advance(20)
    assert recorder.close()
    recording, rows = kn.open_recording(place), live.df
    assert recording.trades().collect()["trade_id"].to_list() == rows["trade_id"].to_list()[before:]
    assert recording.gaps().collect().height
    report = recording.export(tmp_path / "tables")
    assert report.rows["trade"] == rows.height - before
    with kn.replay(place, speed="max", paused=True) as replay:
        replayed = replay.trades()
        replay.replaying.resume()
        replay.replaying.wait(30)
        assert replayed.df.height == rows.height - before


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("what", ["another segment", "garbage"])
def test_what_stands_behind_the_end_of_a_segment_is_said(two_runs, what):
    first, second = pieces(two_runs)
    rows = kn.open_recording(first).trades().collect().height
    first.write_bytes(first.read_bytes() + (second.read_bytes() if what == "another segment" else b"garbage"))
    size = second.stat().st_size if what == "another segment" else len("garbage")
    second.unlink()
    recording = kn.open_recording(two_runs)
    (damage,) = recording.info().damages
    assert f"{size:,} bytes behind its end" in damage
    assert recording.trades().collect().height == rows
    assert set(recording.gaps().collect()["reason"]) == {"unreadable"}


def test_a_damaged_index_is_nothing_behind_the_end(two_runs):
    first, second = pieces(two_runs)
    second.unlink()
    whole = first.read_bytes()
    for data in (whole[:-3], whole[:-1] + bytes([whole[-1] ^ 1])):
        first.write_bytes(data)
        assert kn.open_recording(two_runs).info().damages == []


def test_a_gap_where_nothing_of_the_first_segment_can_be_read_begins_when_that_did(two_runs):
    first, _ = pieces(two_runs)
    first.write_bytes(bytes(first.stat().st_size))
    gaps = kn.open_recording(two_runs).gaps().collect()
    assert set(gaps["opened_at"]) == {at(began(first.name))}


def test_a_segment_that_was_sealed_since_somebody_looked_is_read(exchange, feed, tmp_path):
    recorder = feed.record(tmp_path / "night", "trade")
    exchange.advance(10)
    recorder.flush()
    (found,) = find(tmp_path / "night")
    assert found.path.endswith(".part")
    assert recorder.close()
    with found.opened() as source:
        assert source.size
