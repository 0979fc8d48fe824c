"""``open_recording()``: the frames of the feed that was recorded, from its file."""

import datetime as dt
import shutil

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kalshi_nb as kn
from kalshi_nb.errors import ConfigurationError, MarketTickerError, RecordingError, UnknownChannelError


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
    for each in (recording.fills, recording.orders, recording.positions, recording.lifecycle):
        with pytest.raises(ConfigurationError, match="not recorded in"):
            each()


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


NEVER = {
    "frame": lambda r: r.frame("fill"),
    "fills": lambda r: r.fills(),
    "some fills": lambda r: r.fills("KXHIGHNY-26NOV22-B52.5"),
    "export": lambda r: r.export("out", channels="fill"),
}


@pytest.mark.parametrize("call", NEVER.values(), ids=NEVER)
def test_a_channel_that_was_never_recorded_is_the_error_of_an_export(recording, call):
    with pytest.raises(ConfigurationError, match=r"^fill: not recorded in .*: orderbook_delta, ticker, trade\."):
        call(recording)


NOBODYS = {
    "deltas": lambda r: r.deltas(["NOPE-1"]),
    "quotes": lambda r: r.quotes("NOPE-1"),
    "depth at": lambda r: r.depth("NOPE-1", at=r.info().end),
    "depth every": lambda r: r.depth("NOPE-1", every="1s"),
    "one of two": lambda r: r.deltas(["KXHIGHNY-26NOV22-B52.5", "NOPE-1"]),
    "export": lambda r: r.export("out", channels="quotes", market_tickers="NOPE-1"),
}


@pytest.mark.parametrize("call", NOBODYS.values(), ids=NOBODYS)
def test_a_market_that_was_not_asked_for_is_the_error_of_an_export(night, recording, call):
    with pytest.raises(ConfigurationError, match=r"^NOPE-1: not recorded in .*KXHIGHNY"):
        call(recording)


def test_where_all_markets_were_wanted_nobody_knows_which_there_are(recording):
    assert recording.trades("NOPE-1").collect().is_empty()
    assert recording.candles("1m", "NOPE-1").collect().is_empty()


def test_what_was_asked_for_and_did_not_come_is_an_empty_frame(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        market = exchange.market_tickers[0]
        with feed.record(tmp_path / "night", ["trade", "market_lifecycle_v2"], market):
            exchange.advance(0)
    recording = kn.open_recording(tmp_path / "night")
    assert recording.trades().collect().is_empty()
    assert recording.trades(market).collect().is_empty()
    assert recording.lifecycle(market).collect().is_empty()
    with pytest.raises(ConfigurationError, match="NOPE-1: not recorded in"):
        recording.trades("NOPE-1")
    with pytest.raises(ConfigurationError, match="NOPE-1: not recorded in"):
        recording.candles("1m", "NOPE-1")
    with pytest.raises(ConfigurationError, match="orderbook_delta: not recorded in"):
        recording.depth(every="1s")
    assert recording.candles("1m").collect().is_empty()


def test_candles_want_one_of_their_channels(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        feed.record(tmp_path / "night", "ticker")
        exchange.advance(1)
    with pytest.raises(ConfigurationError, match=r"trade, quotes: not recorded in"):
        kn.open_recording(tmp_path / "night").candles("1m")


def test_a_segment_has_empty_frames_of_what_was_recorded_in_another(tmp_path):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        for channel in ("trade", "ticker"):
            with kn.connect(exchange, new=True) as feed, feed.record(tmp_path / "night", channel):
                exchange.advance(20)
    recording = kn.open_recording(tmp_path / "night")
    heights = recording.map_segments(lambda each: (each.trades().collect().height, each.tickers().collect().height))
    assert [(bool(trades), bool(tickers)) for trades, tickers in heights] == [(True, False), (False, True)]


NO_TICKERS = {
    "an empty list": [],
    "an empty set": set(),
    "None": [None],
    "None among others": ["KXHIGHNY-26NOV22-B52.5", None],
    "blanks": "  ",
    "a number": [5],
}


@pytest.mark.parametrize("tickers", NO_TICKERS.values(), ids=NO_TICKERS)
def test_what_are_no_tickers_is_the_error_of_live_frames(recording, tickers, tmp_path):
    asked = {
        "trades": lambda: recording.trades(tickers),
        "quotes": lambda: recording.quotes(tickers),
        "depth": lambda: recording.depth(tickers, every="1s"),
        "candles": lambda: recording.candles("1m", tickers),
        "export": lambda: recording.export(tmp_path / "out", market_tickers=tickers),
    }
    for each in asked.values():
        with pytest.raises(MarketTickerError, match=r"market_tickers is empty|is no market ticker"):
            each()
    with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        live = feed.trades
        with pytest.raises(MarketTickerError):
            live(tickers)


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
