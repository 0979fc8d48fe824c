"""``open_recording()``: the frames of the feed that was recorded, from its file."""

import datetime as dt
import shutil

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, RecordingError, UnknownChannelError


@pytest.fixture
def recording(night):
    return kn.open_recording(night.folder)


def test_frames_are_those_of_the_feed(night, recording):
    for channel in ("trade", "ticker", "orderbook_delta"):
        found = recording.frame(channel).collect()
        assert_frame_equal(found, night.frames[channel].tail(found.height))
        assert found.height > 20
    quotes = recording.quotes().collect()
    assert_frame_equal(quotes.tail(50), night.frames["quotes"].tail(50))


def test_methods_are_frames_of_their_channel(recording):
    assert_frame_equal(recording.trades().collect(), recording.frame("trade").collect())
    assert_frame_equal(recording.tickers().collect(), recording.frame("ticker").collect())
    assert_frame_equal(recording.deltas().collect(), recording.frame("orderbook_delta").collect())
    assert recording.fills().collect().is_empty()
    assert recording.orders().collect().schema == recording.frame("user_orders").collect_schema()
    assert recording.positions().collect().is_empty()
    assert recording.lifecycle().collect().is_empty()


def test_some_markets_and_some_time(night, recording):
    market = night.markets[2]
    trades = night.frames["trade"]
    middle = trades["received_at"][trades.height // 2]
    some = recording.trades(market, start=middle).collect()
    assert_frame_equal(some, trades.filter((pl.col("market_ticker") == market) & (pl.col("received_at") >= middle)))
    assert some.height > 0
    until = recording.trades(end=middle).collect()
    assert_frame_equal(until, trades.filter(pl.col("received_at") <= middle))
    both = recording.trades([market, night.markets[1]], start=middle, end=middle + dt.timedelta(seconds=20)).collect()
    assert set(both["market_ticker"]) <= {market, night.markets[1]}


def test_a_query_reads_no_more_than_it_wants(recording):
    assert recording.trades().head(3).collect().height == 3
    assert recording.trades().select("yes_price").collect().columns == ["yes_price"]
    assert recording.trades().filter(pl.col("count") > 1e9).collect().is_empty()
    counted = recording.trades().select(pl.len()).collect().item()
    assert counted == recording.trades().collect().height


def test_books_stand_as_they_stood(night, recording):
    end = recording.info().end
    depth = recording.depth(at=end, levels=1).collect()
    assert {
        row["market_ticker"]: (row["bid"], row["bid_size"], row["ask"], row["ask_size"])
        for row in depth.iter_rows(named=True)
    } == {ticker: tuple(top) for ticker, top in night.tops.items()}
    deep = recording.depth(night.markets[1], at=end, levels=100).collect()
    yes, no = night.levels[night.markets[1]]
    assert deep.drop_nulls("bid").select("bid", "bid_size").rows() == yes
    assert deep["ask_size"].drop_nulls().to_list() == [size for _, size in no]


def test_nobody_knows_how_books_went_on_after_the_end(recording):
    end = recording.info().end
    assert recording.depth(at=end).collect().height > 0
    assert recording.depth(at=end + dt.timedelta(microseconds=1)).collect().height == 0


def test_a_bit_costs_what_info_says_and_is_a_gap_wherever_it_is(night, tmp_path):
    folder = tmp_path / "night"
    shutil.copytree(night.folder, folder)
    whole = kn.open_recording(folder).info()
    (segment,) = folder.rglob("*.zst")
    content = segment.read_bytes()
    for place in (60, 400, 2_500, len(content) // 2):
        broken = bytearray(content)
        broken[place] ^= 4
        segment.write_bytes(broken)
        damaged = kn.open_recording(folder)
        info = damaged.info()
        left = damaged.trades().collect()
        assert left.height == info.messages.get("trade", 0)
        assert left.height + info.unreadable.get("trade", 0) == whole.messages["trade"]
        assert info.damages
        assert {"trade", "ticker", "orderbook_delta"} <= {*damaged.gaps().collect()["channel"]}
        with kn.replay(folder, speed="max") as feed:
            trades = feed.trades()
            feed.replaying.resume()
            feed.replaying.wait(30)
            assert trades.total == left.height
            assert feed.gaps.height > 0
    assert left.height > 0


def test_books_every_interval_are_those_of_its_end(night, recording):
    every = recording.depth(night.markets[1], every="30s", levels=3).collect()
    times = every["at"].unique().sort().to_list()
    assert len(times) >= 3
    for at in times[:3]:
        one = recording.depth(night.markets[1], at=at, levels=3).collect()
        assert_frame_equal(every.filter(pl.col("at") == at), one)


def test_candles_add_up_to_the_trades(night, recording):
    candles = recording.candles("30s").collect()
    trades = recording.trades().collect()
    assert candles["volume"].sum() == pytest.approx(trades["count"].sum())
    assert candles["trades"].sum() == trades.height
    bars = candles.filter(pl.col("trades") > 0)
    assert (bars["low"] <= bars["open"]).all()
    assert (bars["high"] >= bars["close"]).all()
    quoted = candles.filter(pl.col("market_ticker").is_in(night.markets)).drop_nulls("yes_bid_close")
    assert quoted.height > 5
    assert (quoted["yes_bid_close"] <= quoted["yes_ask_close"]).all()
    first, *_, last = candles["start"].unique().sort().to_list()
    whole = candles.filter((pl.col("start") > first) & (pl.col("start") < last))
    assert whole["complete"].all()


def test_what_was_wanted_and_never_came_is_said(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        there = exchange.market_tickers[1]
        with feed.record(tmp_path / "night", ["trade"], [there, "KXNOPE-1"]):
            exchange.advance(60)
    info = kn.open_recording(tmp_path / "night").info()
    assert info.wanted == {"trade": sorted([there, "KXNOPE-1"])}
    assert info.missing == {"trade": ["KXNOPE-1"]}


def test_what_the_line_lost_is_in_gaps_and_in_candles(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        trades, books = feed.trades(), feed.books(list(exchange.market_tickers)[:3])
        with feed.record(tmp_path / "night"):
            exchange.advance(30)
            exchange.faults.skip_frames("trade", 2)
            exchange.advance(60)
        expected = feed.gaps.filter(pl.col("channel") == "trade")
        assert trades.df.height > 0
        assert books
    recording = kn.open_recording(tmp_path / "night")
    gaps = recording.gaps().collect()
    assert_frame_equal(gaps.filter(pl.col("channel") == "trade"), expected)
    (opened,) = gaps["opened_at"]
    doubtful = recording.candles("10s").filter(~pl.col("complete")).collect()
    assert doubtful.filter((pl.col("start") <= opened) & (pl.col("end") > opened)).height > 0


def test_a_torn_tail_costs_what_it_says_and_gives_no_wrong_row(night, tmp_path):
    (segment,) = night.folder.rglob("*.zst")
    torn = tmp_path / f"{segment.name}.part"
    data = segment.read_bytes()
    torn.write_bytes(data[: len(data) * 2 // 3])
    recording = kn.open_recording(torn)
    found = recording.trades().collect()
    whole = kn.open_recording(night.folder).trades().collect()
    assert 0 < found.height < whole.height
    assert_frame_equal(found, whole.head(found.height))
    info = recording.info()
    assert info.damages
    assert "torn" in info.damages[0]
    assert "torn" in recording.gaps().collect()["reason"].to_list()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda r: r.frame("trades"), UnknownChannelError, "trade"),
        (lambda r: r.frame(None), UnknownChannelError, "no such channel"),
        (lambda r: r.trades(start="yesterday"), ConfigurationError, "2026-11-28T06:30:00Z"),
        (lambda r: r.trades(start="2026-11-23", end="2026-11-22"), ConfigurationError, "later than"),
        (lambda r: r.trades(5), ConfigurationError, "market ticker"),
        (lambda r: r.trades([""]), ConfigurationError, "market ticker"),
        (lambda r: r.depth(), ConfigurationError, "every"),
        (lambda r: r.depth(at=0, every="1s"), ConfigurationError, "either"),
        (lambda r: r.depth(at=0, levels=0), ConfigurationError, "levels"),
        (lambda r: r.candles("soon"), ConfigurationError, "interval"),
        (lambda r: kn.open_recording("/no/such/folder"), RecordingError, "no/such"),
    ],
)
def test_bad_questions_are_one_typed_error(recording, call, error, words):
    with pytest.raises(error, match=words):
        call(recording)


def test_it_says_what_it_is(night, recording):
    text = repr(recording)
    assert str(night.folder) in text
    assert "messages" in text
    assert "trade" in text
