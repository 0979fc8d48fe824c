"""What an engine hears and says, as it was on the line: what a recorder is handed, and an offline engine is fed.

One after the other these tell all that one needs to be where the engine was: with the beginning of a recording comes a
:class:`Checkpoint`, and after it every read, every command and every event, in the order in which the engine's thread
met them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from kalshi_nb._rows.ladders import Levels, Status

__all__ = ["LOSSES", "BookState", "Checkpoint", "Event", "EventKind", "Heard", "Read", "Sent", "SubscriptionState"]

EventKind = Literal[
    "connected", "lost", "released", "clock", "dropped", "torn", "unreadable", "stopped", "not_recorded"
]
"""What `Event.kind` may be: a connection was made or lost; nobody wants anything any more of the channel that `text`
names; the computer's clock was set; a recorder could not keep what came, because it was too much or there was no room
(``dropped``); a recording breaks off here (``torn``), or cannot be read for a while (``unreadable``); it was ended
(``stopped``), and goes on later, which whoever reads it says at its place (``not_recorded``)."""

LOSSES: Final = frozenset({"dropped", "torn", "unreadable", "not_recorded"})
"""After these something that was on the line is missing."""


class Read(NamedTuple):
    """What one read of a connection brought.

    Attributes
    ----------
    at : int
        The microsecond of the read, by the market's clock.
    connection : int
        Which of the feed's connections, from 1.
    messages : sequence of bytes
        Whole messages, as they came.
    """

    at: int
    connection: int
    messages: Sequence[bytes]


class Sent(NamedTuple):
    """A command of the kit's, as it was sent.

    Attributes
    ----------
    at : int
        When, in microseconds.
    connection : int
        Over which connection.
    command : bytes
        One JSON text. It names channels and markets, and no credentials.
    """

    at: int
    connection: int
    command: bytes


class Event(NamedTuple):
    """Something that happened to a connection, or to the recording.

    Attributes
    ----------
    at : int
        When, in microseconds.
    connection : int
        Which connection; 0 for all.
    kind : str
        What; see :data:`EventKind`.
    text : str
        More about it, for people.
    """

    at: int
    connection: int
    kind: EventKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """How one subscription of one connection stands.

    Attributes
    ----------
    connection : int
        Over which connection.
    channel : str
        The channel.
    sid, seq : int or None
        The exchange's number for it, and the last number of its messages; None where there is none.
    market_tickers : tuple of str or None
        What the exchange has acknowledged; None for all.
    """

    connection: int
    channel: str
    sid: int | None
    seq: int | None
    market_tickers: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class BookState:
    """One kept book.

    Attributes
    ----------
    connection : int
        Over which connection it is kept.
    market_ticker : str
        The market.
    status, reason : str
        What it may be trusted for, and why it is stale where it is.
    changed_at : int
        When its newest change was received, microseconds; 0 before the first.
    yes, no : list of (int, int)
        All YES bids and all NO bids, best first: prices in 1/10000 dollar, sizes in 1/100 contract.
    """

    connection: int
    market_ticker: str
    status: Status
    reason: str
    changed_at: int
    yes: Levels
    no: Levels


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that has to be known of what was before it.

    Attributes
    ----------
    at : int
        When, in microseconds.
    connected : tuple of int
        The connections that there are now.
    subscriptions : tuple of SubscriptionState
        Of all connections.
    books : tuple of BookState
        Likewise.
    """

    at: int
    connected: tuple[int, ...] = ()
    subscriptions: tuple[SubscriptionState, ...] = ()
    books: tuple[BookState, ...] = ()


Heard = Read | Sent | Event | Checkpoint
"""Anything of it."""
