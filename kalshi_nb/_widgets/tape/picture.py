"""What a tape is handed: the newest trades at one moment, in dollars and contracts, and the gaps among them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kalshi_nb._widgets.gaps.words import lasted, lasts

if TYPE_CHECKING:
    from kalshi_nb._widgets.ladder.picture import Market

__all__ = ["Hole", "TapePicture", "Trade", "hole_words"]


class Trade(NamedTuple):
    """One trade.

    Attributes
    ----------
    key : str
        What it is known by: its ``trade_id``.
    is_gap : int
        0, which tells it from a gap where both travel as lists.
    at : float
        When it was made: the exchange's time, epoch seconds.
    price : float
        YES dollars.
    size : float
        Contracts.
    taker : str or None
        What its taker bought: ``"yes"`` or ``"no"``.
    is_block, is_backfilled : int
        1 for a block trade; 1 for one that was fetched later.
    market_ticker : str
        Where it was made.
    """

    key: str
    is_gap: int
    at: float
    price: float
    size: float
    taker: str | None
    is_block: int
    is_backfilled: int
    market_ticker: str


class Hole(NamedTuple):
    """A gap of the channel, which stands among the trades where it was seen.

    Attributes
    ----------
    key : str
        What it is known by.
    is_gap : int
        1.
    opened, closed : float and float or None
        From when to when, epoch seconds; None while it is open.
    seen : int or None
        Trades that came meanwhile all the same; None where not all trades are looked at.
    lost : int or None
        Messages that are missing, where their numbers tell.
    why : str
        The reason, in words.
    """

    key: str
    is_gap: int
    opened: float
    closed: float | None
    seen: int | None
    lost: int | None
    why: str


class TapePicture(NamedTuple):
    """All that a tape shows, of one moment and never changed afterwards.

    Attributes
    ----------
    version : hashable
        Differs whenever anything that is shown does, but for ages.
    status : str
        ``"connecting"``, ``"live"``, ``"stale"`` or ``"closed"``.
    clock : float
        When it was taken by the feed's clock, epoch seconds.
    title : str
        What it is of: a market's ticker, or words.
    market : Market or None
        The market, where it is of one.
    lines : tuple of Trade or Hole
        Newest first.
    changes : int
        Trades that ever came, of those that it shows.
    large : float or None
        From how many contracts on a trade is large; None where none is.
    decimals : mapping of str to int
        Decimals of a cent that the prices of each market have.
    age : float
        Seconds that data is missing for.
    note : str
        What is the matter; may be empty.
    """

    version: Hashable
    status: str
    clock: float
    title: str
    market: Market | None
    lines: tuple[Trade | Hole, ...]
    changes: int
    large: float | None
    decimals: Mapping[str, int]
    age: float = 0.0
    note: str = ""

    def head(self) -> dict[str, Any]:
        """Return what the browser is sent of it in any case."""
        return {
            "clock": self.clock,
            "age": self.age,
            "note": self.note,
            "total": self.changes,
            "large": self.large,
        }


def hole_words(hole: Hole, now: float) -> str:
    """Say how long a gap is, or was, and what came meanwhile."""
    seconds = max(0.0, (now if hole.closed is None else hole.closed) - hole.opened)
    # How short it was says nothing of messages that are missing between two others.
    is_told = seconds >= 1 or not (hole.lost or hole.closed is None)
    words = [lasts(seconds) if hole.closed is None else lasted(seconds)] if is_told else []
    if hole.lost:
        words.append(f"{hole.lost:,} message{'' if hole.lost == 1 else 's'} lost")
    elif hole.seen is not None:
        words.append(f"{hole.seen:,} trade{'' if hole.seen == 1 else 's'} seen")
    return f"gap {', '.join(words)}{' so far' if hole.closed is None else ''}".strip()
