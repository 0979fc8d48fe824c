"""Trades, tickers and books."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from kalshi_nb._messages.message import TypedMessage

__all__ = ["OrderbookDelta", "OrderbookSnapshot", "Ticker", "Trade"]


class Trade(TypedMessage, frozen=True, gc=False):
    """One public trade.

    `backfilled` is true of one that a gap took and that was fetched over REST (see ``backfill`` of
    :meth:`kalshi_nb.Feed.on`): it has no `received_at` and no `seq`.
    """

    ts: dt.datetime
    market_ticker: str
    yes_price: float
    count: float
    taker_outcome_side: Literal["yes", "no"] | None
    taker_book_side: Literal["bid", "ask"] | None
    no_price: float
    is_block_trade: bool | None
    trade_id: str
    received_at: dt.datetime | None
    seq: int | None
    backfilled: bool = False


class Ticker(TypedMessage, frozen=True, gc=False):
    """One market's last price, best bid and ask, volume and open interest.

    `spread` is the ask less the bid, `mid` is halfway between; None where a side is empty. `dollar_volume` and
    `dollar_open_interest` are whole dollars.
    """

    ts: dt.datetime
    market_ticker: str
    price: float | None
    yes_bid: float | None
    yes_ask: float | None
    volume: float | None
    open_interest: float | None
    spread: float | None
    mid: float | None
    yes_bid_size: float | None
    yes_ask_size: float | None
    last_trade_size: float | None
    dollar_volume: int | None
    dollar_open_interest: int | None
    market_id: str | None
    received_at: dt.datetime


class OrderbookDelta(TypedMessage, frozen=True, gc=False):
    """A change of one level: `delta` contracts more, or fewer where it is negative.

    `price` is a price of `side`: a NO price where `side` is ``"no"``. `client_order_id` and `subaccount` are there
    where an order of yours made it; `clock` is the exchange's own count of what made it, the same on every connection.
    """

    ts: dt.datetime
    market_ticker: str
    side: Literal["yes", "no"]
    price: float
    delta: float
    client_order_id: str | None
    subaccount: int | None
    clock: int | None
    received_at: dt.datetime
    seq: int | None


class OrderbookSnapshot(TypedMessage, frozen=True):
    """A whole book: the resting bids of each side as pairs of price and count, best first.

    Those of `no` are in NO prices.
    """

    received_at: dt.datetime
    seq: int | None
    market_ticker: str
    yes: tuple[tuple[float, float], ...]
    no: tuple[tuple[float, float], ...]


MarketMessage = Trade | Ticker | OrderbookDelta | OrderbookSnapshot
