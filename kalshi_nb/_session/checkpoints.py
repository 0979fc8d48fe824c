"""How a session stands, as plain data, and one that is put there again."""

from __future__ import annotations

from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.heard import BookState, SubscriptionState
from kalshi_nb._session.state import SessionState

__all__ = ["books_of", "subscriptions_of"]


def subscriptions_of(state: SessionState) -> list[SubscriptionState]:
    """Return what the exchange sends, or was asked for."""
    return [
        SubscriptionState(
            state.connection,
            channel,
            each.sid,
            each.seq,
            None if each.all_markets else tuple(sorted(each.market_tickers)),
        )
        for channel, each in state.subscriptions.items()
        if each.sid is not None
    ]


def books_of(state: SessionState) -> list[BookState]:
    """Return the books that are kept."""
    if BOOKS not in state.subscriptions:
        return []
    return [
        BookState(state.connection, ticker, each.status, each.reason, each.changed_at, *each.levels())
        for ticker, each in state.ladders.items()
    ]
