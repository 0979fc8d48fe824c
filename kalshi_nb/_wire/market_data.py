"""Trades and tickers."""

from __future__ import annotations

from typing import Final

from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Body, Conversion, Family, Frame
from kalshi_nb._wire.field_types import BookSideOrNone, Integer, Name, OutcomeOrNone, ShortText
from kalshi_nb._wire.field_values import AHEAD, CONTRACT_PRICES, FIRST, MATCHED_COUNTS, QUOTED_COUNTS, sent_at

__all__ = ["FAMILY", "TickerFrame", "TradeFrame", "ticker_row", "trade_row"]


class Ticker(Body, gc=False):
    """One market's whole ticker row; it stands by its prices, and can do without any size or total."""

    market_ticker: Name
    price_dollars: str
    yes_bid_dollars: str
    yes_ask_dollars: str
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    yes_bid_size_fp: str | None = None
    yes_ask_size_fp: str | None = None
    last_trade_size_fp: str | None = None
    dollar_volume: Integer | None = None
    dollar_open_interest: Integer | None = None
    market_id: ShortText | None = None
    ts_ms: Integer | None = None
    ts: Integer | str | None = None


class TickerFrame(Frame, tag="ticker", gc=False):
    """``ticker``; has no sequence number."""

    sid: Integer
    msg: Ticker


class Trade(Body, gc=False):
    """One match."""

    trade_id: Name
    market_ticker: Name
    yes_price_dollars: str
    no_price_dollars: str
    count_fp: str
    taker_outcome_side: OutcomeOrNone | None = None
    taker_book_side: BookSideOrNone | None = None
    taker_side: OutcomeOrNone | None = None
    is_block_trade: bool | None = None
    ts_ms: Integer | None = None
    ts: Integer | str | None = None


class TradeFrame(Frame, tag="trade", gc=False):
    """``trade``."""

    sid: Integer
    msg: Trade
    seq: Integer | None = None


def trade_row(frame: TradeFrame, received_at: int) -> Row:
    """Return the row of a ``trade``; sides missing from older frames follow from ``taker_side``."""
    msg = frame.msg
    outcome = msg.taker_outcome_side or msg.taker_side or None
    book = msg.taker_book_side or None
    if book is None and outcome is not None:
        book = "bid" if outcome == "yes" else "ask"
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and FIRST <= ms * 1000 < received_at + AHEAD else sent_at(ms, msg.ts, received_at),
        msg.market_ticker,
        CONTRACT_PRICES[msg.yes_price_dollars],
        MATCHED_COUNTS[msg.count_fp],
        outcome,
        book,
        CONTRACT_PRICES[msg.no_price_dollars],
        msg.is_block_trade,
        msg.trade_id,
        received_at,
        frame.seq,
    )


def ticker_row(frame: TickerFrame, received_at: int) -> Row:
    """Return the row of a ``ticker``.

    No bid is written ``"0.0000"``, no ask ``"1.0000"``, both with size ``"0.00"``, and a market that never
    traded has the price ``"0.0000"``: all of them are None here.
    """
    msg = frame.msg
    # Conditions stand here instead of calls: a ticker has nine numbers, and one message in ten is a ticker.
    price = CONTRACT_PRICES[msg.price_dollars] if msg.price_dollars else None
    bid = CONTRACT_PRICES[msg.yes_bid_dollars] if msg.yes_bid_dollars else None
    ask = CONTRACT_PRICES[msg.yes_ask_dollars] if msg.yes_ask_dollars else None
    bid_size = QUOTED_COUNTS[msg.yes_bid_size_fp] if msg.yes_bid_size_fp else None
    ask_size = QUOTED_COUNTS[msg.yes_ask_size_fp] if msg.yes_ask_size_fp else None
    if not bid and not bid_size:
        bid = bid_size = None
    if (ask is None or ask >= DOLLAR) and not ask_size:
        ask = ask_size = None
    spread = mid = None
    if bid is not None and ask is not None:
        spread, mid = ask - bid, ask + bid
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and FIRST <= ms * 1000 < received_at + AHEAD else sent_at(ms, msg.ts, received_at),
        msg.market_ticker,
        price or None,
        bid,
        ask,
        QUOTED_COUNTS[msg.volume_fp] if msg.volume_fp else None,
        QUOTED_COUNTS[msg.open_interest_fp] if msg.open_interest_fp else None,
        spread,
        mid,
        bid_size,
        ask_size,
        QUOTED_COUNTS[msg.last_trade_size_fp] if msg.last_trade_size_fp else None,
        msg.dollar_volume,
        msg.dollar_open_interest,
        msg.market_id,
        received_at,
    )


FAMILY: Final = Family(
    {
        TickerFrame: Conversion(frozenset({"ticker"}), ticker_row, stamped=True),
        TradeFrame: Conversion(frozenset({"trade"}), trade_row, stamped=True),
    }
)
