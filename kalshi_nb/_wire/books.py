"""Books: deltas and snapshots.

Their rows are made by whoever keeps the ladders, since a delta means something to a book only.
"""

from __future__ import annotations

from typing import ClassVar, Final

from kalshi_nb._fixed_point import COUNTS, DOLLAR, LARGEST, FixedPoint
from kalshi_nb._rows.rows import Row
from kalshi_nb._wire.family import Body, Family, Frame
from kalshi_nb._wire.field_types import Integer, Levels, Name, Outcome, ShortText
from kalshi_nb._wire.field_values import AHEAD, FIRST, sent_at
from kalshi_nb.errors import WireError

__all__ = ["FAMILY", "LEVEL_PRICES", "DeltaFrame", "SnapshotFrame", "delta_row", "levels"]


class Delta(Body, gc=False):
    """One level's signed change."""

    market_ticker: Name
    price_dollars: str
    delta_fp: str
    side: Outcome
    ts_ms: Integer | None = None
    ts: str | Integer | None = None
    client_order_id: ShortText | None = None
    subaccount: Integer | None = None
    clock: Integer | None = None


class DeltaFrame(Frame, tag="orderbook_delta", gc=False):
    """``orderbook_delta``."""

    sid: Integer
    seq: Integer
    msg: Delta


class Snapshot(Body, gc=False):
    """A whole book; a side without levels is absent on the wire."""

    firm: ClassVar[frozenset[str]] = frozenset({"yes_dollars_fp", "no_dollars_fp"})

    market_ticker: Name
    market_id: ShortText | None = None
    yes_dollars_fp: Levels | None = None
    no_dollars_fp: Levels | None = None


class SnapshotFrame(Frame, tag="orderbook_snapshot", gc=False):
    """``orderbook_snapshot``; carries an ``id`` when it answers ``get_snapshot``."""

    sid: Integer
    seq: Integer
    msg: Snapshot
    id: Integer | None = None


class _LevelPrices(FixedPoint):
    """Prices of levels in 1/10000 dollar; real ones lie strictly between 0 and 1 dollar, and no other is taken."""

    def __missing__(self, text: str) -> int:
        price = super().__missing__(text)
        if not 0 < price < DOLLAR:
            self.pop(text, None)
            raise WireError(f"a level at {text!r} dollars")
        return price


LEVEL_PRICES: Final = _LevelPrices(4)
"""Strings of levels' prices to 1/10000 dollar; looking one up that is not between 0 and 1 dollar is refused."""


def levels(side: Levels | None) -> dict[int, int]:
    """Return a snapshot's side as price to size; a missing side is an empty side."""
    found: dict[int, int] = {}
    for price, size in side or ():
        count = COUNTS[size]
        if count < 0:
            raise WireError(f"a level of {size!r} contracts")
        if count:
            key = LEVEL_PRICES[price]
            found[key] = found.get(key, 0) + count
            if found[key] > LARGEST:
                raise WireError(f"more contracts at {price!r} dollars than can be counted")
    return found


def delta_row(msg: Delta, price: int, delta: int, received_at: int, seq: int) -> Row:
    """Return the row of an ``orderbook_delta`` whose numbers the ladder already needed."""
    ms = msg.ts_ms
    return (
        ms * 1000 if ms is not None and FIRST <= ms * 1000 < received_at + AHEAD else sent_at(ms, msg.ts, received_at),
        msg.market_ticker,
        msg.side,
        price,
        delta,
        msg.client_order_id,
        msg.subaccount,
        msg.clock,
        received_at,
        seq,
    )


FAMILY: Final = Family(others=(DeltaFrame, SnapshotFrame))
