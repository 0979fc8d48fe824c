"""What one call of ``stream()``, ``messages()`` or ``on()`` attached, as its user sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from kalshi_nb._rows.tickers import about, hints
from kalshi_nb._streams.troubles import resting
from kalshi_nb._threads import forks
from kalshi_nb._usage import Closing, Made, NotAwaited, not_copied, setter

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._streams.failures import Failed, Failure
    from kalshi_nb._streams.progress import Progress, State

__all__ = ["Kind", "Label", "Pipeline"]

Kind = Literal["frames", "messages", "callback", "listen"]


class Label(NamedTuple):
    """What a pipeline is called and what it listens to.

    Attributes
    ----------
    name : str
        What to call it in reprs and messages.
    channel : str
        Kalshi's name of the channel, or ``quotes``.
    market_tickers : frozenset of str or None
        The markets whose rows it wants; None for all of them, or, of what is made from books, for the books that the
        feed keeps.
    backfill : bool
        It wants rows, too, that a gap took and that were fetched.
    """

    name: str
    channel: str
    market_tickers: frozenset[str] | None
    backfill: bool = False

    def __str__(self) -> str:
        return f"{self.name!r} on {self.channel}, {about(self.channel, self.market_tickers)}"


class Pipeline(Made, Closing, NotAwaited):
    """One channel, some or all of its markets, and what is built on it.

    Made by the feed's ``stream()``, ``messages()``, ``on()`` and ``listen()``. It lives as long as a node of it is in
    somebody's hands, a sink hangs on it, or, for ``on()``, until it is closed, which the end of a ``with`` does.

    One that raises goes on. After ten errors in a row it rests for a second, and is then tried with what comes next:
    it goes on where that works, and rests twice as long, up to 30 s, where it does not. What comes meanwhile is
    dropped, counted, and stands in :attr:`gaps`; but fills, orders and positions wait, up to 100,000 of them.

    Parameters
    ----------
    label : Label
        Its name, channel and markets.
    kind : str
        Whether it emits polars ``"frames"``, lists of ``"messages"``, makes a ``"callback"`` for each message, or
        puts them where code that awaits will ``"listen"``.
    progress : Progress
        What the thread that delivers writes into.
    on_close : callable
        Called once, when it is closed.
    exact : bool
        Prices and counts of its frames as Decimals.

    Attributes
    ----------
    backfill : bool
        Whether trades come through it, too, that a gap took and that were fetched over REST.
    origin : str
        Where it was attached, such as ``"In [3], line 2"``; empty where nobody wrote that down.
    """

    __setattr__ = setter(
        "name",
        "channel",
        "market_tickers",
        "kind",
        "exact",
        "backfill",
        "origin",
        instead="attach another, with other arguments, such as feed.stream('trade', name='mine')",
    )

    _made_of = ("channel", "_fields")
    _asked_by = "feed.stream('trade'), feed.messages('trade') or feed.on('trade')"

    def __init__(
        self, label: Label, kind: Kind, progress: Progress, on_close: Callable[[], None], *, exact: bool = False
    ) -> None:
        self.name = label.name
        self.channel = label.channel
        self.market_tickers = label.market_tickers
        self.kind: Kind = kind
        self.exact = exact
        self.backfill = label.backfill
        self.origin = ""
        self._label = label
        self._progress = progress
        self._on_close = on_close
        self._is_taken_apart = False
        self._born = forks()

    @property
    def state(self) -> State:
        """``"running"``, ``"resting"``, ``"closed"``, or ``"forked"``.

        ``"resting"``: after ten errors in a row, until it is tried again. ``"forked"``: its thread stayed with the
        process that this one was forked from.
        """
        state = self._progress.state
        return state if state == "closed" or self._born == forks() else "forked"

    @property
    def batches(self) -> int:
        """How many batches had rows for it."""
        return self._progress.batches

    @property
    def rows(self) -> int:
        """How many rows or messages those had in all."""
        return self._progress.rows

    @property
    def errors(self) -> int:
        """How many times it raised."""
        return self._progress.errors

    @property
    def last_error(self) -> Failure | None:
        """What it raised last: ``.error``, ``.traceback``, ``.where``, ``.at``; None where it never did."""
        return self._progress.last_error

    @property
    def failed(self) -> list[Failed]:
        """What it raised at, the newest 1,000: ``.element``, a message, list or frame, and its ``.failure``.

        None of these is delivered again. Of large frames fewer are kept: 100,000 rows in all.
        """
        return list(self._progress.failed)

    @property
    def dropped(self) -> int:
        """How many rows never reached it, because it rested or was too slow."""
        return self._progress.losses.rows

    @property
    def waiting(self) -> int:
        """How many rows of fills, orders or positions wait until it is tried again."""
        return 0 if self._progress.closed else self._progress.waiting

    @property
    def gaps(self) -> pl.DataFrame:
        """When rows never reached it: ``opened_at``, ``closed_at`` (null while it lasts), ``reason``, ``rows``.

        ``reason`` is "rested", or "dropped" where so many waited for it that the oldest went. What never reached the
        feed is in ``feed.gaps``.
        """
        return self._progress.losses.frame()

    def close(self) -> None:
        """Stop it and take its graph apart, sinks included. Frames that it filled stay readable."""
        forked = self.state == "forked"
        self._progress.closed = True
        if forked:
            return  # nothing comes here, and whose locks the parent held at that moment nobody knows
        if not self._is_taken_apart:
            self._on_close()  # broken off by Ctrl-C, it is called again by the next close
            self._is_taken_apart = True

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "attach it anew where it is wanted")

    def __repr__(self) -> str:
        parts = [self.state, f"{self.batches:,} batches", f"{self.rows:,} rows"]
        if self.errors:
            parts.append(f"{self.errors:,} errors")
        if self.dropped:
            parts.append(f"{self.dropped:,} rows dropped")
        if self.waiting:
            parts.append(f"{self.waiting:,} rows wait{', and no more can' if self._progress.full else ''}")
        if self.state == "resting":
            parts.append(resting(self._progress))
        if not self.rows and (hint := hints(self.channel, self.market_tickers)):
            parts.append(hint.rstrip("."))
        origin = f", attached in {self.origin}" if self.origin else ""
        return f"<Pipeline {self._label}{origin}: {', '.join(parts)}>"


def know_gaps(pipeline: Pipeline, since: int) -> None:
    """Have a pipeline know of no gap whose mark is below `since`."""
    pipeline._progress.gaps_since = since  # noqa: SLF001  # nothing that a user is to set
