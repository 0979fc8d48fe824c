"""A gap as it comes among messages, for whoever asked for that."""

from __future__ import annotations

import datetime as dt

from kalshi_nb._messages.message import TypedMessage

__all__ = ["Gap"]


class Gap(TypedMessage, frozen=True, gc=False):
    """Here messages may be missing; it comes between them with ``gaps=True``.

    `market_ticker` is None where the gap is about every market that was asked for. `opened_at` is when it was seen,
    or, where messages were dropped, when the first of them was. `reason` is that of ``feed.gaps``; ``"rested"`` where
    your pipeline rested after errors, and ``"dropped"`` where so many messages waited for it that the oldest went.
    `rows` says how many went then; None where nobody can know.
    """

    channel: str
    market_ticker: str | None
    opened_at: dt.datetime
    reason: str
    rows: int | None = None
