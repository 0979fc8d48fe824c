"""Rows of one channel that come over several connections, as one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kalshi_nb._engine.link import Link
from kalshi_nb._rows.channels import BOOKS, QUOTES, position
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.quotes import PresentQuoteRow
from kalshi_nb._rows.rows import Row, SnapshotRow

__all__ = ["MERGED", "merged"]

MERGED: Final = {channel: position(channel, "received_at") for channel in (BOOKS, QUOTES)}
"""What is spread over the connections, and where its rows say when they were received."""


def merged(channel: str, links: Sequence[Link]) -> list[Row]:
    """Take all rows of `channel` that are pending on any of the links, in the order they were received."""
    rows: list[Row] = []
    for each in links:
        rows += _with_holes_named(each.take(channel), each)
    at = MERGED[channel]
    return sorted(rows, key=lambda row: row[at] if type(row) is tuple else _received_at(row))


def _received_at(row: Row) -> int:
    """Return when a row was received that is no plain one: a hole, a snapshot, or a quote said again."""
    if isinstance(row, PresentQuoteRow):
        return int(row.row[MERGED[QUOTES]])
    assert isinstance(row, GapRow | SnapshotRow)
    return row.opened_at if isinstance(row, GapRow) else row.received_at


def _with_holes_named(rows: list[Row], link: Link) -> list[Row]:
    """Replace a hole of all markets of one connection by one a market: those of the others have none."""
    if not any(isinstance(row, GapRow) and row.market_ticker is None for row in rows):
        return rows
    wanted = link.session.subscriptions[BOOKS].wanted
    tickers = sorted(wanted) if isinstance(wanted, frozenset) else []
    named: list[Row] = []
    for row in rows:
        if isinstance(row, GapRow) and row.market_ticker is None:
            named += [row._replace(market_ticker=each) for each in tickers]
        else:
            named.append(row)
    return named
