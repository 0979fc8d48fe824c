"""Which of rows that were fetched later a frame does not have already.

What came live wins: it has all that the exchange tells. A fill is the same by its names. Of an order or a position it
is told how it stands, so of these a fetched row is news only where nothing newer was told, and nothing that says the
same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._frames.schema import empty, frame_of
from kalshi_nb._rows.channels import position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.rows import Row

__all__ = ["lacking"]

_NAMES: Final[dict[str, tuple[str, ...]]] = {"fill": ("trade_id", "order_id")}
"""What names a row, where each is told of once."""

_STATES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "user_orders": (("order_id",), ("status", "remaining_count", "fill_count", "yes_price")),
    "market_positions": (("market_ticker", "subaccount"), ("position", "position_cost", "realized_pnl", "fees_paid")),
}
"""What names the thing that a row tells the state of, and what that is."""


def lacking(store: RollingFrame, channel: str, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that are news to a frame, in the order of their time; called by whoever writes to it.

    Parameters
    ----------
    store : RollingFrame
        The frame; its columns are those of the channel, and may be more.
    channel : str
        The channel.
    rows : sequence of tuple
        What was fetched, one row a fill, an order or a position. Of any other channel all is news.
    """
    if channel in _NAMES:
        rows = _unnamed(store.glimpse(), channel, rows)
    elif channel in _STATES:
        rows = _changed(store.latest(hurry=False), channel, rows)
    at = position(channel, "ts")
    return sorted(rows, key=lambda row: row[at])


def _unnamed(df: pl.DataFrame, channel: str, rows: Sequence[Row]) -> list[Row]:
    names = _NAMES[channel]
    places = [position(channel, each) for each in names]
    known = set(df.select(names).rows())
    return [row for row in rows if tuple([row[at] for at in places]) not in known]


def _changed(df: pl.DataFrame, channel: str, rows: Sequence[Row]) -> list[Row]:
    key, state = _STATES[channel]
    at = position(channel, "ts")
    # As a frame they are compared with the frame, whatever its numbers are.
    exact = any(isinstance(dtype, pl.Decimal) for dtype in df.dtypes)
    fetched = frame_of(channel, rows, exact) if rows else empty(channel, exact)
    known = {each[0]: each[1:] for each in _told(df, key, state)}
    found = []
    for row, (name, _, told) in zip(rows, _told(fetched, key, state), strict=True):
        since, before = known.get(name, (None, None))
        if since is None or (row[at] > since and told != before):
            found.append(row)
    return found


def _told(df: pl.DataFrame, key: tuple[str, ...], state: tuple[str, ...]) -> list[tuple[Any, int, Any]]:
    """Return of each row what it is about, when it was told, in microseconds, and what."""
    times = df["ts"].dt.epoch("us").to_list()
    return list(zip(df.select(key).rows(), times, df.select(state).rows(), strict=True))
