"""``feed.record()``: what is kept, whose wish it is, and what is said of it."""

import json
import shutil
import subprocess
import sys
import warnings

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb.errors import (
    ConfigurationError,
    MarketTickerError,
    NoSuchAttributeError,
    RecordingError,
    RecordingInUseError,
    RecordingWarning,
    SubscriptionError,
    UnknownChannelError,
)
from tests.engine.conftest import wait_until


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        yield exchange


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange, new=True) as feed:
        yield feed


def channels_in(path):
    return set(kn.open_recording(path).info().messages) - {"subscribed", "ok"}


def test_nothing_named_records_what_the_feed_wants_now_and_later_but_not_the_account(exchange, feed, tmp_path):
    feed.trades()
    feed.fills()
    feed.orders()
    with feed.record(tmp_path / "night") as recorder:
        exchange.advance(30)
        feed.tickers()
        exchange.advance(120)
    assert recorder.status.state == "closed"
    assert len(feed.fills()) > 0
    assert channels_in(tmp_path / "night") == {"trade", "ticker"}


def test_nothing_named_and_nothing_wanted_is_an_error_that_says_what_to_do(feed, tmp_path):
    with pytest.raises(ConfigurationError, match="name channels and markets"):
        feed.record(tmp_path / "night")
    feed.fills()
    with pytest.raises(ConfigurationError, match="only where they are named"):
        feed.record(tmp_path / "night")
    assert not (tmp_path / "night").exists()


def test_what_is_named_is_wanted_by_the_recorder_itself_until_it_is_closed(exchange, feed, tmp_path):
    market = exchange.market_tickers[1]
    recorder = feed.record(tmp_path / "night", ["trade", "orderbook_delta"], [market])
    exchange.advance(60)
    assert set(feed.health().markets) == {"trade", "orderbook_delta"}
    assert recorder.close()
    exchange.advance(1)
    wait_until(lambda: not feed.health().markets)
    recording = kn.open_recording(tmp_path / "night")
    assert recording.trades().collect()["market_ticker"].unique().to_list() == [market]
    assert recording.deltas().collect().height > 20


def test_each_recorder_of_a_feed_says_what_it_was_asked_for_itself(exchange, feed, tmp_path):
    markets = list(exchange.market_tickers)
    feed.deltas(markets[5])
    asked = {
        "one": (["trade"], [markets[0]]),
        "none": (["trade"], ["NOPE"]),
        "two": (["trade", "ticker"], [markets[3]]),
        "all": (["trade"], None),
    }
    recorders = [feed.record(tmp_path / name, *each) for name, each in asked.items()]
    exchange.advance(60)
    for each in recorders:
        each.close()
    for name, (channels, some) in asked.items():
        for path in (tmp_path / name, *(tmp_path / name).glob("*/*.zst")):
            info = kn.open_recording(path).info()
            assert info.wanted == dict.fromkeys(sorted(channels), some)
            assert info.missing == ({"trade": ["NOPE"]} if name == "none" else {})


def test_what_a_recorder_keeps_that_names_nothing_is_what_its_feed_asked_for(exchange, feed, tmp_path):
    markets = list(exchange.market_tickers)
    feed.trades(["NOPE", markets[0]])
    feed.fills()
    with feed.record(tmp_path / "night"):
        exchange.advance(30)
        feed.book(markets[1]).wait()
    info = kn.open_recording(tmp_path / "night").info()
    assert info.wanted == {"orderbook_delta": [markets[1]], "trade": sorted(["NOPE", markets[0]])}
    assert info.missing == {"trade": ["NOPE"]}


def test_each_run_into_a_folder_says_what_it_was_asked_for(exchange, feed, tmp_path):
    markets = list(exchange.market_tickers)
    for asked in (["trade", markets[0]], ["orderbook_delta", markets[1]], ["trade", "NOPE"]):
        with feed.record(tmp_path / "night", *asked):
            feed.tickers(markets[2]).wait()  # which is none of the recorder's
            exchange.advance(30)
            feed.tickers(markets[2]).close()
    info = kn.open_recording(tmp_path / "night").info()
    assert info.wanted == {"orderbook_delta": [markets[1]], "trade": sorted([markets[0], "NOPE"])}
    assert info.missing == {"trade": ["NOPE"]}
    of_each = [kn.open_recording(each).info().wanted for each in sorted((tmp_path / "night").glob("*/*.zst"))]
    assert of_each == [{"trade": [markets[0]]}, {"orderbook_delta": [markets[1]]}, {"trade": ["NOPE"]}]


def test_what_the_feed_received_and_the_recorder_did_not_keep_was_not_recorded(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "trade"):
        tickers = feed.tickers()
        exchange.advance(30)
    recording = kn.open_recording(tmp_path / "night")
    assert len(tickers) > 0
    assert repr(recording).endswith(" UTC, trade>")
    assert list(recording.export(tmp_path / "tables").rows) == ["trade"]
    with (
        kn.replay(tmp_path / "night", "max") as played,
        pytest.raises(SubscriptionError, match="What it has: trade"),
    ):
        played.tickers()


def test_quotes_are_recorded_as_the_books_that_they_are_made_from(exchange, feed, tmp_path):
    ticker = next(iter(exchange.market_tickers))
    feed.book(ticker).wait()  # the recorder asks for nothing that is not there
    with feed.record(tmp_path / "night", ["quotes", "orderbook_delta"], ticker) as recorder:
        exchange.advance(60)
        assert recorder.channels == ("orderbook_delta",)
    recording = kn.open_recording(tmp_path / "night")
    assert recording.info().wanted == {"orderbook_delta": [ticker]}
    assert recording.quotes().collect().height > 0


def test_what_cannot_be_wanted_leaves_nothing_behind_but_what_was_there(exchange, feed, tmp_path):
    place = tmp_path / "night"
    wanted = ["trade", "orderbook_delta"]  # there is no channel of all books
    with pytest.raises(MarketTickerError, match="Name the markets"):
        feed.record(place, wanted)
    assert not place.exists()
    assert feed.health().recordings == ()
    with feed.record(place, "trade"):
        exchange.advance(60)
    before = kn.open_recording(place).trades().collect()
    with pytest.raises(MarketTickerError, match="Name the markets"):
        feed.record(place, wanted)
    assert before.height > 0
    assert kn.open_recording(place).trades().collect().equals(before)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("night/2026-11-29", "lies in the recording"),
        ("night", "what is recorded goes on, never back"),
        ("tables", "exported tables"),
    ],
    ids=["in another", "later", "an export"],
)
def test_a_folder_whose_recording_could_not_be_read_any_more_is_refused(tmp_path, place, words):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        exchange.advance(120)
        with feed.record(tmp_path / "night", "trade"):
            exchange.advance(20)
        kn.open_recording(tmp_path / "night").export(tmp_path / "tables")
    before = sorted(tmp_path.rglob("*"))
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        with pytest.raises(RecordingError, match=words):
            feed.record(tmp_path / place, "trade")
        assert feed.health().recordings == ()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_channel_of_the_account_is_recorded_where_it_is_named(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", "fill"):
        fills = feed.fills()
        exchange.advance(120)
        expected = fills.df.filter(~pl.col("backfilled")).drop("backfilled")  # what was fetched is not recorded
    assert expected.height > 0
    assert kn.open_recording(tmp_path / "night").fills().collect().equals(expected)


def test_no_rows_pile_up_for_a_recorder_which_takes_none(exchange, feed, tmp_path):
    with feed.record(tmp_path / "night", ["trade", "ticker"]):
        exchange.advance(120)
        assert not feed._engine.pending()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((), ConfigurationError, "folder"),
        (("s3://bucket/night",), ConfigurationError, "folder of this computer"),
        (("file://elsewhere/night",), ConfigurationError, "the computer 'elsewhere'"),
        ((" ",), ConfigurationError, "is no path: give the folder to record into"),
        (("a\0b", "trade"), ConfigurationError, "a zero byte.*: give the folder to record into"),
        (("\ud800", "trade"), ConfigurationError, "half a character.*: give the folder to record into"),
        (("x" * 300, "trade"), RecordingError, "cannot be recorded into: File name too long"),
        (("/proc/x", "trade"), RecordingError, "^/proc/x cannot be recorded into: no folder can be made there"),
        (("night", []), ConfigurationError, "empty"),
        (("night", 5), UnknownChannelError, "^channels=5: name a channel as text, or a list of them, of trade"),
        (("night", True), UnknownChannelError, "^channels=True: name a channel as text"),
        (("night", len), UnknownChannelError, "^channels=.*: name a channel as text"),
        (("night", b"trade"), UnknownChannelError, "^channels=a bytes: name a channel as text"),
        (("night", [b"trade"]), UnknownChannelError, "^channels=a list: name a channel as text"),
        (("night", "orderbook_delta"), MarketTickerError, r"record\(path, \['orderbook_delta'\], \['KX.*record those"),
        (("night", ["trade", "quotes"]), MarketTickerError, r"record\(path, \['trade', 'quotes'\], \['KX"),
        (("night", "trades"), UnknownChannelError, "trade"),
        (("night", ["trade", None]), UnknownChannelError, "None"),
        (("night", "trade", []), kn.errors.MarketTickerError, "empty"),
        (("night", "trade", 5), kn.errors.MarketTickerError, "int"),
    ],
)
def test_bad_arguments_are_one_typed_error_and_nothing_is_wanted_after_it(feed, tmp_path, arguments, error, words):
    path, *rest = arguments or (b"",)
    place = tmp_path / path if path == "night" else path
    with pytest.raises(error, match=words):
        feed.record(place, *rest)
    assert not feed.health().markets
    assert list(tmp_path.iterdir()) == []


def test_one_folder_has_one_recorder(feed, tmp_path):
    feed.trades()
    with feed.record(tmp_path / "night"):
        with pytest.raises(RecordingInUseError, match="by this process"):
            feed.record(tmp_path / "night", "ticker")
        wait_until(lambda: set(feed.health().markets) == {"trade"})
    with feed.record(tmp_path / "night"):
        pass


def test_it_can_be_read_while_it_goes_on(exchange, feed, tmp_path):
    trades = feed.trades()
    with feed.record(tmp_path / "night") as recorder:
        exchange.advance(60)
        first = recorder.open().trades().collect()
        assert first.equals(trades.df)
        assert first.height > 0
        exchange.advance(60)
        assert recorder.open().trades().collect().equals(trades.df)
        assert trades.df.height > first.height
        assert recorder.durable_until is not None
        (line,) = feed.health().recordings
        assert "messages" in line
        assert "free" in line
        assert "recording" in repr(recorder)
    assert feed.health().recordings == ()


def test_closing_the_feed_seals_the_recording_and_is_no_loss(exchange, tmp_path):
    with kn.connect(exchange, new=True) as feed:
        feed.trades()
        recorder = feed.record(tmp_path / "night")
        exchange.advance(30)
    info = kn.open_recording(tmp_path / "night").info()
    assert (info.segments, info.sealed, info.damages, info.losses) == (1, 1, [], [])
    assert kn.open_recording(tmp_path / "night").gaps().collect().height == 0
    assert recorder.close()


def test_a_folder_that_goes_away_is_told_and_the_feed_goes_on(exchange, feed, tmp_path):
    trades = feed.trades()
    recorder = feed.record(tmp_path / "night")
    exchange.advance(10)
    recorder.flush()
    shutil.rmtree(tmp_path / "night")
    exchange.advance(10)

    def is_told():
        exchange.advance(1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            told = feed.health().warnings
        found.extend(caught)
        return any("recording into" in each for each in told)

    found = []
    wait_until(is_told, 20)
    exchange.advance(10)
    assert len(trades) > 0
    assert feed.state == "connected"
    feed.health()
    assert any(issubclass(each.category, RecordingWarning) for each in found) or recorder.status.trouble
    with pytest.warns(RecordingWarning, match="closed with [1-9][0-9,]* messages that are not in it; nothing"):
        assert not recorder.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not recorder.close()  # and that is said once


def test_a_segment_that_is_removed_is_told_as_that_and_the_recording_goes_on(exchange, feed, tmp_path):
    trades = feed.trades()
    with feed.record(tmp_path / "night", "trade") as recorder:
        exchange.advance(30)
        assert recorder.flush()
        (part,) = (tmp_path / "night").rglob("*.part")
        part.unlink()
        troubles = []

        def is_told():
            exchange.advance(1)
            troubles.append(recorder.status.trouble)
            return troubles[-1] is not None

        wait_until(is_told)
        assert "what was written into is not there any more" in troubles[-1]
        assert "Leave the files of a recording where they are; the recording goes on by itself then" in troubles[-1]
        wait_until(lambda: recorder.status.trouble is None)
        known = trades.total
        exchange.advance(60)
    assert kn.open_recording(tmp_path / "night").trades().collect().height >= trades.total - known > 0


def test_a_recorder_is_not_set_and_is_closed_twice(feed, tmp_path):
    feed.trades()
    recorder = feed.record(tmp_path / "night")
    with pytest.raises(NoSuchAttributeError):
        recorder.channels = ["trade"]
    assert recorder.close()
    assert recorder.close()


def test_no_key_is_written(exchange, feed, tmp_path):
    feed.trades()
    with feed.record(tmp_path / "night"):
        exchange.advance(5)
    texts = [each.read_bytes() for each in (tmp_path / "night").rglob("*") if each.is_file()]
    assert not any(exchange.key_id.encode() in each for each in texts)
    about = json.loads((tmp_path / "night" / "recording.json").read_text())
    assert exchange.key_id not in str(about)


def test_a_process_that_is_killed_has_lost_nothing_that_was_acknowledged(tmp_path):
    script = """
import sys, kalshi_nb as kn
exchange = kn.sim.Exchange(seed=7, clock="manual")
feed = kn.connect(exchange)
trades = feed.trades()
recorder = feed.record(sys.argv[1])
while True:
    exchange.advance(5)
    recorder.flush()
    print(len(trades), flush=True)
"""
    folder = tmp_path / "night"
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        acknowledged = 0
        for _ in range(5):
            acknowledged = int(process.stdout.readline())
        process.kill()
    recording = kn.open_recording(folder)
    assert recording.trades().collect().height >= acknowledged > 0
    info = recording.info()
    assert (info.segments, info.sealed) == (1, 0)
