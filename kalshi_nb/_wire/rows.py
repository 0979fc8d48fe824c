"""How one message lies in a row: names, order and meaning, with integers inside.

A row is a plain tuple, one value a column, made once by the session on the reader's thread and never
changed. Units of the integers, by kind:

========  =====================================================================
kind      value
========  =====================================================================
time      microseconds since 1970-01-01 UTC
price     1/10000 dollar
count     1/100 contract
dollars   whole dollars
integer   as it is
market    a market ticker, str
outcome   "yes" or "no"
book      "bid" or "ask"
flag      bool
text      str
========  =====================================================================

Every value may be None, which is "none", as the exchange writes a missing bid, ask or last price.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

__all__ = [
    "CHANNELS",
    "LAYOUTS",
    "Column",
    "EventRow",
    "FeeUpdateRow",
    "Kind",
    "Row",
    "SnapshotRow",
    "position",
]

Kind = Literal["time", "price", "count", "dollars", "integer", "market", "outcome", "book", "flag", "text"]
Row = tuple[Any, ...]


class Column(NamedTuple):
    """One column's name, as Kalshi names the field less its wire suffix, and its kind."""

    name: str
    kind: Kind


def _layout(**columns: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in columns.items())


LAYOUTS: Final[dict[str, tuple[Column, ...]]] = {
    "trade": _layout(
        ts="time",
        market_ticker="market",
        yes_price="price",
        count="count",
        taker_outcome_side="outcome",
        taker_book_side="book",
        no_price="price",
        is_block_trade="flag",
        trade_id="text",
        received_at="time",
        seq="integer",
    ),
    "ticker": _layout(
        ts="time",
        market_ticker="market",
        price="price",
        yes_bid="price",
        yes_ask="price",
        volume="count",
        open_interest="count",
        yes_bid_size="count",
        yes_ask_size="count",
        last_trade_size="count",
        dollar_volume="dollars",
        dollar_open_interest="dollars",
        received_at="time",
    ),
    "orderbook_delta": _layout(
        ts="time",
        market_ticker="market",
        side="outcome",
        price="price",
        delta="count",
        client_order_id="text",
        received_at="time",
        seq="integer",
    ),
    "market_lifecycle_v2": _layout(
        ts="time",
        market_ticker="market",
        event_type="text",
        result="text",
        settlement_value="price",
        close_ts="time",
        is_deactivated="flag",
        event_ticker="text",
        open_ts="time",
        determination_ts="time",
        settled_ts="time",
        price_level_structure="text",
        metadata="text",
        received_at="time",
        seq="integer",
    ),
}
"""One layout a channel. The first eight columns are what people look at."""

CHANNELS: Final[tuple[str, ...]] = tuple(LAYOUTS)
"""The channels this version knows, by Kalshi's names."""


class SnapshotRow(NamedTuple):
    """A whole book, on ``orderbook_delta`` among the deltas.

    `yes` and `no` are the resting bids of each side as pairs of price and count, best (highest) first;
    those of `no` in NO prices.
    """

    received_at: int
    seq: int | None
    market_ticker: str
    yes: tuple[tuple[int, int], ...]
    no: tuple[tuple[int, int], ...]


class EventRow(NamedTuple):
    """``event_lifecycle``, on ``market_lifecycle_v2``; `strike_date` is a time like all others."""

    event_ticker: str
    series_ticker: str | None
    title: str | None
    subtitle: str | None
    collateral_return_type: str | None
    strike_date: int | None
    strike_period: str | None
    received_at: int
    seq: int | None


class FeeUpdateRow(NamedTuple):
    """``event_fee_update``, on ``market_lifecycle_v2``; None is an override that was cleared."""

    event_ticker: str
    fee_type_override: str | None
    fee_multiplier_override: float | None
    received_at: int
    seq: int | None


def position(channel: str, column: str) -> int:
    """Return where `column` stands in a row of `channel`."""
    return [each.name for each in LAYOUTS[channel]].index(column)
