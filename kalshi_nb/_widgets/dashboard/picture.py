"""What a dashboard shows of one moment: its head, and the picture of each of its panels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from kalshi_nb._widgets.ladder.picture import LadderPicture

__all__ = ["DashboardPicture", "Head", "Minute", "Part"]


class Minute(NamedTuple):
    """What happened to a market in the last minute: trades, contracts, prices in YES dollars, gaps in the data.

    `first` is the price before it, or of its first trade where none is known from before; `since` is when the feed
    began to have these trades, epoch seconds, where that is no minute ago.
    """

    trades: int
    contracts: float
    first: float | None
    last: float | None
    gaps: int
    since: float | None = None


class Head(NamedTuple):
    """What stands above the panels.

    Attributes
    ----------
    title : str
        The market's ticker, or that none was chosen.
    status : str
        What may be trusted.
    note : str
        Why it may not be, where there is something to say.
    clock : float
        When it was taken, epoch seconds by the feed's own clock.
    book : LadderPicture or None
        The best prices of the market.
    minute : Minute or None
        Its last minute.
    origin : str
        In a word, what is to be said of the data: ``"simulated"``, ``"demo"``; of real data nothing.
    """

    title: str
    status: str
    note: str
    clock: float
    book: LadderPicture | None = None
    minute: Minute | None = None
    origin: str = ""

    @property
    def version(self) -> Hashable:
        """Differs whenever what is shown does; deeper levels are not."""
        book = self.book
        told = (self.title, self.status, self.note, self.minute)
        if book is None:
            return told
        changed = None if book.changed_at is None else int(book.changed_at)
        return (*told, book.market, book.bids, book.asks, book.last, book.decimals, changed)

    def body(self) -> dict[str, Any]:
        """Return it as the browser is sent it."""
        if self.book is None:
            told = {"title": self.title, "clock": self.clock, "note": self.note, "minute": None}
            return told | {"origin": self.origin}
        names = ("market", "clock", "age", "note", "decimals", "bids", "asks", "last", "changed")
        book = self.book.body()
        minute = None if self.minute is None else self.minute._asdict()
        return {name: book[name] for name in names} | {"minute": minute, "origin": self.origin}


class Part(NamedTuple):
    """One panel at one moment.

    Attributes
    ----------
    version : hashable
        As of any picture.
    of : int
        Which scene made it: panels are made anew for another market.
    picture : object
        The picture; None where none could be made.
    note : str
        Why there is none.
    """

    version: Hashable
    of: int
    picture: Any
    note: str = ""


class DashboardPicture(NamedTuple):
    """All that a dashboard shows, of one moment and never changed afterwards.

    Attributes
    ----------
    head : Head
        What stands above the panels.
    parts : mapping of str to Part
        The panels by name.
    chosen : int
        Counts what was chosen (markets, and which panels there are), and how often a page that missed something asked
        for all of it: where this differs from before, the whole is sent.
    """

    head: Head
    parts: Mapping[str, Part]
    chosen: int = 0

    @property
    def version(self) -> Hashable:
        """Differs whenever anything that is shown does."""
        return (self.chosen, self.head.version, *((part.of, part.version) for part in self.parts.values()))

    @property
    def status(self) -> str:
        """What may be trusted of the market."""
        return self.head.status

    @property
    def changes(self) -> int:
        """Counts changes of the book or, where there is none, of the panels."""
        if self.head.book is not None:
            return self.head.book.changes
        return sum(getattr(part.picture, "changes", 0) for part in self.parts.values())
