"""What somebody wants of a channel, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from kalshi_nb._rows.wanted import Wanted

__all__ = ["CATALOG", "Command", "Outcome", "Request"]

CATALOG: Final = "catalog"
"""What a request names in place of rows when it asks a reference feed which indices or underlyings there are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended.

    Attributes
    ----------
    code : int or None
        None when it was acknowledged, the exchange's error code when it was refused; 0 where there is none.
    text : str
        The exchange's words, or why it was not asked.
    market_tickers : tuple of str
        The tickers that were refused, empty for the whole request.
    said_by : str
        Who says so: the ``exchange``; ``nobody``, since no answer came; or the ``kit``, which could not ask.
    """

    code: int | None = None
    text: str = ""
    market_tickers: tuple[str, ...] = ()
    said_by: Literal["exchange", "nobody", "kit"] = "exchange"


@dataclass(eq=False, slots=True)
class Request:
    """What somebody wants of one channel: a set of tickers, or all markets.

    Attributes
    ----------
    channel : str
        The channel.
    wanted : frozenset of str, or ALL
        What is asked for; an empty set takes what the channel receives for others, and wants nothing of its own.
    listens : str or None
        Whose rows its owner takes: the channel's own, quotes (of books), or none; or :data:`CATALOG`.
    outcome : Outcome or None
        None while the exchange has not answered.
    put_off : Outcome or None
        The newest refusal after which it was to be asked again, where there was one.
    catalog : tuple of str or None
        What a reference feed has, where that was asked for and answered.
    since : float
        Since when it stands, on the session's own clock, in seconds.
    """

    channel: str
    wanted: Wanted
    listens: str | None = None
    outcome: Outcome | None = None
    put_off: Outcome | None = None
    catalog: tuple[str, ...] | None = None
    since: float = 0.0


@dataclass(slots=True)
class Command:
    """A command under way.

    Attributes
    ----------
    number : int
        Its ``id``, echoed by the answer.
    kind : str
        What it does. A ``look`` is a ``get_snapshot`` that repairs nothing.
    market_tickers : tuple of str or None
        The tickers it names, None for all markets.
    sent_at : float
        When, on the session's own clock, in seconds.
    sids : frozenset of int
        The subscriptions there were then: only of these can a list say that they are gone.
    """

    number: int
    kind: Literal[
        "subscribe", "add_markets", "delete_markets", "unsubscribe", "get_snapshot", "look", "list", "catalog"
    ]
    market_tickers: tuple[str, ...] | None
    sent_at: float
    sids: frozenset[int]
