"""What one call of ``stream()``, ``messages()`` or ``on()`` attached, as its user sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Self

from kalshi_nb._threads import forks
from kalshi_nb._usage import not_copied, not_made

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._streams.failures import Failure

__all__ = ["Kind", "Label", "Pipeline", "Progress", "State"]

Kind = Literal["frames", "messages", "callback"]
State = Literal["running", "detached", "closed", "forked"]


class Label(NamedTuple):
    """What a pipeline is called and what it listens to.

    Attributes
    ----------
    name : str
        What to call it in reprs and messages.
    channel : str
        Kalshi's name of the channel, or ``quotes``.
    market_tickers : frozenset of str or None
        The markets whose rows it wants; None for all.
    """

    name: str
    channel: str
    market_tickers: frozenset[str] | None

    def __str__(self) -> str:
        return f"{self.name!r} on {self.channel}, {_markets(self.market_tickers)}"


@dataclass(slots=True)
class Progress:
    """How a pipeline is doing: written by the thread that delivers to it, read by all.

    Attributes
    ----------
    state : str
        See `Pipeline`.
    batches, rows, errors : int
        See `Pipeline`.
    last_error : Failure or None
        See `Pipeline`.
    errors_in_a_row : int
        Errors without one success between them.
    """

    state: State = "running"
    batches: int = 0
    rows: int = 0
    errors: int = 0
    last_error: Failure | None = None
    errors_in_a_row: int = 0


class Pipeline:
    """One channel, some or all of its markets, and what is built on it.

    Made by the feed's ``stream()``, ``messages()`` and ``on()``. It lives as long as a node of it is in
    somebody's hands, a sink hangs on it, or, for ``on()``, until it is closed.

    Parameters
    ----------
    label : Label
        Its name, channel and markets.
    kind : str
        Whether it emits polars ``"frames"``, lists of ``"messages"``, or makes a ``"callback"`` for each message.
    progress : Progress
        What the thread that delivers writes into.
    on_close : callable
        Called once, when it is closed.
    exact : bool
        Prices and counts of its frames as Decimals.
    """

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        """Refuse to be made by hand."""
        if not arguments:
            raise not_made(cls, "feed.stream('trade'), feed.messages('trade') or feed.on('trade')")
        return super().__new__(cls)

    def __init__(
        self, label: Label, kind: Kind, progress: Progress, on_close: Callable[[], None], *, exact: bool = False
    ) -> None:
        self.name = label.name
        self.channel = label.channel
        self.market_tickers = label.market_tickers
        self.kind: Kind = kind
        self.exact = exact
        self._label = label
        self._progress = progress
        self._on_close = on_close
        self._is_taken_apart = False
        self._born = forks()

    @property
    def state(self) -> State:
        """``"running"``, ``"detached"`` after too many errors in a row, ``"closed"``, or ``"forked"``.

        ``"forked"``: its thread stayed with the process that this one was forked from.
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
        """What it raised last: ``.error``, ``.traceback``, ``.at``; None where it never did."""
        return self._progress.last_error

    def close(self) -> None:
        """Stop it and take its graph apart, sinks included. Frames that it filled stay readable."""
        forked = self.state == "forked"
        self._progress.state = "closed"
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
        return f"<Pipeline {self._label}: {', '.join(parts)}>"


def _markets(market_tickers: frozenset[str] | None) -> str:
    if market_tickers is None:
        return "whatever markets the feed receives"
    if len(market_tickers) == 1:
        return next(iter(market_tickers))
    return f"{len(market_tickers)} markets"
