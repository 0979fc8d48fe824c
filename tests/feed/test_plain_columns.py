"""Plain columns: text is String, every row has its time, and spread and mid are exact beside every bid and ask."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from kalshi_nb._rows.channels import ROWS
from tests.feed.test_odd_fields import MESSAGES, say

CLOSED_PAIRS = {("yes", "no"), ("bid", "ask")}
KINDS = [(channel, kind) for channel, kinds in MESSAGES.items() for kind in kinds if "list" not in kind]
TIMES = ("ts", "ts_ms", "time", "created_ts", "deleted_ts", "accepted_ts", "executed_ts", "updated_ts", "received_at")
ORDER_TIMES = ("created_ts_ms", "created_time", "last_updated_ts_ms", "last_update_time")


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("channel", ROWS)
def test_text_is_string_in_every_frame_and_enums_are_closed_pairs(feed, channel, exact):
    for dtype in feed.frame(
        channel, "KXA-1" if channel in ("orderbook_delta", "quotes") else None, exact=exact
    ).schema.values():
        assert not isinstance(dtype, pl.Categorical)
        if isinstance(dtype, pl.Enum):
            assert tuple(dtype.categories) in CLOSED_PAIRS


def test_gaps_and_books_join_with_frames_by_their_markets(feed, exchange):
    one, other = exchange.market_tickers[:2]
    books, tickers, trades = feed.books([one, other]), feed.tickers([one, other]), feed.trades()
    exchange.advance(60)
    joined = books.df.join(tickers.latest(), on="market_ticker")
    assert sorted(joined["market_ticker"]) == sorted([one, other])
    mine = pl.DataFrame({"market_ticker": [one], "position": [5.0]})
    assert trades.df.join(mine, on="market_ticker", how="semi")["market_ticker"].unique().to_list() == [one]
    assert trades.df.filter(pl.col("market_ticker").str.starts_with(one)).height
    pl.concat([feed.gaps.select("market_ticker"), trades.df.select("market_ticker"), mine.select("market_ticker")])


@pytest.mark.usefixtures("nothing_before")
@pytest.mark.parametrize(("channel", "kind"), KINDS)
def test_a_row_without_a_time_of_the_exchange_has_that_of_its_arrival(feed, exchange, channel, kind):
    frame, seen = feed.frame(channel), []
    feed.on(channel)(seen.append)
    exchange.faults.set_era("captures")
    say(exchange, channel, kind, **dict.fromkeys({*TIMES, *ORDER_TIMES} & set(MESSAGES[channel][kind]), ...))
    (row,) = frame.df.to_dicts()
    assert row["ts"] is not None
    assert row["ts"] == seen[0].ts
    assert abs(row["ts"] - row["received_at"]) < dt.timedelta(seconds=1)


def test_quotes_have_a_time_in_every_row_and_so_can_be_grouped_by_it(feed, exchange):
    ticker = exchange.market_tickers[0]
    quotes = feed.quotes(ticker)
    feed.book(ticker).wait()
    exchange.advance(120)
    exchange.faults.drop_connections()
    exchange.advance(60)
    assert {"live", "stale"} <= set(quotes.df["status"])
    assert quotes.df["ts"].null_count() == 0
    bars = quotes.df.sort("ts").group_by_dynamic("ts", every="10s").agg(pl.col("mid").last())
    assert bars.height > 2


def test_a_spread_of_two_cents_is_two_cents(feed, exchange):
    tickers, exact, seen = feed.tickers("KXA-1"), feed.tickers("KXA-1", exact=True), []
    feed.on("ticker", "KXA-1")(seen.append)
    for bid in range(100, 9700, 100):
        ask = bid + 200
        bids = {"yes_bid_dollars": f"{bid / 10_000:.4f}", "yes_ask_dollars": f"{ask / 10_000:.4f}"}
        say(exchange, "ticker", "ticker", **bids)
    df = tickers.df
    assert (df["spread"] == 0.02).all()
    assert not (df["yes_ask"] - df["yes_bid"] == 0.02).all()  # which is why there is a column
    assert (df["mid"] == pl.Series([(bid + 100) / 10_000 for bid in range(100, 9700, 100)])).all()
    assert exact.df["spread"].to_list() == [Decimal("0.02")] * df.height
    assert exact.df.schema["mid"] == pl.Decimal(18, 5)
    assert [(each.spread, each.mid) for each in seen] == df.select("spread", "mid").rows()


def test_no_spread_where_a_side_is_empty(feed, exchange):
    tickers = feed.tickers("KXA-1")
    say(exchange, "ticker", "ticker", yes_bid_dollars="0.0000", yes_bid_size_fp="0.00")
    say(exchange, "ticker", "ticker", yes_ask_dollars="1.0000", yes_ask_size_fp="0.00")
    assert tickers.df.select("spread", "mid").rows() == [(None, None)] * 2


def test_books_have_exact_spreads_and_mids_beside_their_bids_and_asks(feed, exchange):
    books = feed.books(exchange.market_tickers[:5]).wait()
    exchange.advance(30)
    for row in books.df.iter_rows(named=True):
        book = books[row["market_ticker"]]
        assert (row["spread"], row["mid"]) == (book.spread, book.mid)
        depth = book.depth(20)
        for level in depth.iter_rows(named=True):
            if level["bid"] is None or level["ask"] is None:
                assert level["spread"] is level["mid"] is None
                continue
            bid, ask = round(level["bid"] * 10_000), round(level["ask"] * 10_000)
            assert (level["spread"], level["mid"]) == ((ask - bid) / 10_000, (ask + bid) / 20_000)
        assert depth["spread"][0] == row["spread"]


def test_deltas_and_tickers_have_the_columns_of_the_specification(feed, exchange):
    ticker = exchange.market_tickers[0]
    deltas, tickers = feed.deltas(ticker), feed.tickers("KXA-1")
    feed.book(ticker).wait()
    body = {"market_ticker": ticker, "clock": 7, "price_dollars": "0.0100", "delta_fp": "5.00", "side": "yes"}
    exchange.publish("orderbook_delta", "orderbook_delta", {**body, "client_order_id": "mine", "subaccount": 3})
    say(exchange, "ticker", "ticker")
    assert deltas.df.select("client_order_id", "subaccount", "clock").rows() == [("mine", 3, 7)]
    assert tickers.df["market_id"].to_list() == [MESSAGES["ticker"]["ticker"]["market_id"]]


def test_events_and_their_fees_are_rows_of_the_lifecycle_frame(feed, exchange):
    lifecycle, of_one, seen = feed.lifecycle(), feed.lifecycle("KXA-1"), []
    feed.on("market_lifecycle_v2")(seen.append)
    for kind in MESSAGES["market_lifecycle_v2"]:
        say(exchange, "market_lifecycle_v2", kind)
    assert lifecycle.df["event_type"].to_list() == ["created", "event_lifecycle", "event_fee_update"]
    assert lifecycle.df["event_ticker"].to_list() == ["KXA"] * 3
    assert lifecycle.df["market_ticker"].to_list() == ["KXA-1", None, None]
    event = lifecycle.df.row(1, named=True)
    assert (event["series_ticker"], event["title"], event["strike_period"]) == ("KX", "A?", "hourly")
    assert event["strike_date"] == dt.datetime(2026, 9, 21, 14, 18, 20, tzinfo=dt.UTC)
    fee = lifecycle.df.row(2, named=True)
    assert (fee["fee_type_override"], fee["fee_multiplier_override"]) == ("flat", 0.5)
    assert [type(each).__name__ for each in seen] == ["MarketLifecycle", "EventLifecycle", "EventFeeUpdate"]
    assert of_one.df["event_type"].to_list() == ["created"]
    assert lifecycle.latest()["market_ticker"].to_list() == ["KXA-1"]
