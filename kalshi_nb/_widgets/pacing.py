"""How often a view may send: what the browser was heard to say last, and whether it could have been heard since.

A browser that is gone is told from its silence. But a kernel hears nothing of it while a cell runs, unless its version
takes messages on a thread beside; and a view that stopped for want of an acknowledgement would stand still until the
cell is over. So what was heard is held against when there was anybody to hear it. Nothing here looks at a clock, a
thread or a host: all of that is told, in seconds of one steady clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["HEARD_SECONDS", "ROUND_SECONDS", "Hearing", "Pace", "Timetable"]

ROUND_SECONDS: Final = 0.1
"""Seconds between two rounds of the display thread: a view sends at most ten messages a second."""

HEARD_SECONDS: Final = 12.0
"""A page says every 5 s that it is there; two of these may be late."""

_PATIENT: Final = 300.0
_VERY_PATIENT: Final = 3600.0
_PAGE_IS_GONE: Final = 3600.0
_MOST_PAGES: Final = 1_000


class Pace(NamedTuple):
    """How a view may send now.

    Attributes
    ----------
    seconds : float
        Between two messages; infinite for none at all.
    whole : bool
        Whether each has to be understood without those before it.
    """

    seconds: float
    whole: bool = False


class Hearing:
    """What the browsers of this process were heard to say, and since when nothing can be heard.

    `acknowledged` and `asked` may be called from any thread; each only puts down when. All else belongs to one thread,
    or to whoever tells of the beginnings and ends of cells.
    """

    def __init__(self) -> None:
        # By page: when it was heard last, and which models it showed then.
        self._pages: dict[str, tuple[float, frozenset[str]]] = {}
        self._asked: dict[str, float] = {}
        self._open: set[str] = set()
        self._met: set[str] = set()
        self._ever = False
        self._heard_beside = -math.inf
        self._tells_of_cells = False
        self._cells = 0
        self._cell_began = 0.0

    # What comes from the host ----------------------------------------------------------------------------------

    def tell_of_cells(self) -> None:
        """Take up that from now on this host says when a cell begins and ends; others count as deaf for ever."""
        self._tells_of_cells = True

    def cell_began(self, now: float, *, inside: bool = False) -> None:
        """Take up that a cell runs; `inside` another, or with none around it, whatever was told before."""
        if not inside:
            self._cells = 0
            self._cell_began = now
        self._cells += 1

    def cell_ended(self) -> None:
        """Take up that a cell is over."""
        self._cells = max(0, self._cells - 1)

    # What comes from the browser -------------------------------------------------------------------------------

    def acknowledged(self, page: str, visible: Iterable[str], now: float, *, beside: bool = False) -> None:
        """Take up that a page is there, and which models can be seen on it.

        Parameters
        ----------
        page : str
            Which of the pages of this kernel; two pages may show the same model.
        visible : iterable of str
            Ids of models.
        now : float
            When.
        beside : bool
            Whether this was heard on a thread beside the one that runs cells.
        """
        self._pages.pop(page, None)
        self._pages[page] = (now, frozenset(self._open.intersection(visible)))
        while len(self._pages) > _MOST_PAGES:  # the one that was heard longest ago goes
            self._pages.pop(next(iter(self._pages)), None)
        self._ever = True
        if beside:
            self._heard_beside = now

    def opened(self, model: str) -> None:
        """Take up that there is a model, which pages may hold."""
        self._open.add(model)

    def met(self, models: Iterable[str]) -> None:
        """Take up that a page holds these models, as it has said itself; what is no model of here is left out."""
        self._met.update(self._open.intersection(models))

    def has_met(self, model: str) -> bool:
        """Whether a page ever said that it holds a model: there is a person's browser, and no mere writer of files."""
        return model in self._met

    def asked(self, model: str, now: float) -> None:
        """Take up that somebody asked for all of a model: a page that was reloaded, or came late."""
        self._asked[model] = now

    def forget(self, model: str) -> None:
        """Drop what is known of a model that is closed."""
        self._asked.pop(model, None)
        self._open.discard(model)
        self._met.discard(model)

    # What follows ----------------------------------------------------------------------------------------------

    def is_deaf(self, now: float) -> bool:
        """Whether a page that spoke now would not be heard.

        It would while no cell runs. In a cell it would only if one was, lately, on a thread beside: a kernel may send
        the next message to the cell's own thread again, and then silence says nothing.
        """
        if not self._tells_of_cells:
            return True
        return self._cells > 0 and now - self._heard_beside >= HEARD_SECONDS

    def pace(self, model: str, opened: float, now: float, fastest: float) -> Pace:
        """Return how a view may send.

        Parameters
        ----------
        model : str
            Its id.
        opened : float
            When it was opened: until it could have been acknowledged it counts as seen.
        now : float
            By the same clock.
        fastest : float
            Seconds between two messages while somebody looks.
        """
        pages = list(self._pages.items())
        asked = self._asked.get(model, -math.inf)
        deaf = self.is_deaf(now)
        if not self._ever:
            return self._unheard(opened, max(opened, asked), now, fastest, deaf=deaf)
        moment, silence = now, 0.0
        if deaf:
            # What stood when the last sound could come through, and how long that is ago.
            last = max([asked, opened, *(at for _, (at, _) in pages)])
            moment = max(last, self._cell_began) if self._tells_of_cells else last
            silence = now - moment
        there = [shown for _, (at, shown) in pages if moment - at < HEARD_SECONDS]
        if any(model in shown for shown in there) or moment - max(opened, asked) < HEARD_SECONDS:
            return Pace(self._seen(deaf=deaf, silence=silence, fastest=fastest))
        if there:
            return Pace(2.0 if deaf else math.inf)
        self._drop_old_pages(pages, now)
        return Pace((2.0 if silence < _PATIENT else 10.0) if deaf else math.inf)

    def _unheard(self, opened: float, last: float, now: float, fastest: float, *, deaf: bool) -> Pace:
        """Return the pace where no page has ever said anything: nobody looks, or who looks could not say so yet."""
        if deaf and self._tells_of_cells and opened >= self._cell_began:
            return Pace(self._seen(deaf=True, silence=now - opened, fastest=fastest))
        return Pace(fastest) if now - last < HEARD_SECONDS else Pace(5.0, whole=True)

    @staticmethod
    def _seen(*, deaf: bool, silence: float, fastest: float) -> float:
        if not deaf or silence < _PATIENT:
            return fastest
        return max(fastest, 1.0 if silence < _VERY_PATIENT else 10.0)

    def _drop_old_pages(self, pages: list[tuple[str, tuple[float, frozenset[str]]]], now: float) -> None:
        for page, (at, _) in pages:
            if now - at > _PAGE_IS_GONE:
                self._pages.pop(page, None)


class Timetable:
    """When one view may send next; a fixed rate over time, whatever the rounds it is asked in.

    Parameters
    ----------
    fastest : float
        Seconds between two messages.
    """

    def __init__(self, fastest: float) -> None:
        self.fastest = fastest
        self._next = -math.inf
        self._sent = -math.inf

    def is_due(self, pace: Pace, now: float) -> bool:
        """Whether a message may go now."""
        if pace.seconds > self.fastest:
            return not math.isinf(pace.seconds) and now - self._sent >= pace.seconds
        return now >= self._next

    def sent(self, now: float) -> None:
        """Take up that one went."""
        # Rounds come when they come: a message that was late by less than a round makes the next one no later.
        self._next = max(self._next + self.fastest, now + self.fastest - ROUND_SECONDS)
        self._sent = now
