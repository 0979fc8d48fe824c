"""What one pipeline never had, although it came: counted, with when and why."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from kalshi_nb._messages.gaps import Gap
from kalshi_nb._moments import datetime_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._clock import Clock

__all__ = ["Loss", "LossReason", "Losses"]

_MOST: Final = 1_000

LossReason = Literal["rested", "dropped"]
"""The pipeline rested after errors, or so many rows waited for it that the oldest went."""


@dataclass(slots=True)
class Loss:
    """Rows that went together.

    Attributes
    ----------
    opened_at, closed_at : int and int or None
        From when to when, in microseconds of the market's time; None while more may go.
    reason : str
        See :data:`LossReason`.
    rows : int
        How many.
    closed : int or None
        When it ended on the timeline that never goes back.
    """

    opened_at: int
    reason: LossReason
    rows: int
    closed_at: int | None = None
    closed: int | None = None


class Losses:
    """The losses of one pipeline, the newest 1,000 of them.

    Whoever delivers writes, and so do whoever closes the pipeline and whoever drops rows before it; any thread reads.
    The lock is held to count and to copy, never while anything else is done.

    Rows that are dropped before a slow pipeline are counted at once, on the thread that drops them, since the pipeline
    itself may be stuck for hours; it is told of them when it comes to their place.

    Parameters
    ----------
    channel : str
        What the pipeline listens to.
    market_tickers : frozenset of str or None
        The markets whose rows it wants; None for all.
    clock : Clock
        The market's time.
    steady : callable
        The present on a timeline that never goes back, in microseconds.

    Attributes
    ----------
    rows : int
        Rows that went in all.
    """

    def __init__(
        self, channel: str, market_tickers: frozenset[str] | None, clock: Clock, steady: Callable[[], int]
    ) -> None:
        self._channel = channel
        self._market_tickers = market_tickers
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._losses: deque[Loss] = deque(maxlen=_MOST)
        self._forgotten: int | None = None
        self._raised: int | None = None
        self._open: Loss | None = None
        self._untold: dict[int, Loss] = {}
        self.rows = 0

    def add(self, rows: int, reason: LossReason, opened_at: int | None = None) -> Gap:
        """Count rows that went until now, and return what to tell of them in band.

        Parameters
        ----------
        rows : int
            How many.
        reason : str
            Why.
        opened_at : int, optional
            Since when, in microseconds of the market's time.
        """
        now = self._clock.now_us()
        loss = Loss(now if opened_at is None else opened_at, reason, rows, now, self._steady())
        with self._lock:
            self._keep(loss)
            self.rows += rows
        return self._gap(loss)

    def grow(self, rows: int, reason: LossReason) -> None:
        """Count rows that went, more of which may go before `close`."""
        with self._lock:
            if self._open is None:
                self._open = Loss(self._clock.now_us(), reason, 0)
                self._keep(self._open)
            self._open.rows += rows
            self.rows += rows

    def drop(self, rows: int, number: int, opened_at: int | None = None) -> None:
        """Count rows that went before the pipeline came to them, more of which may go until `told`.

        Parameters
        ----------
        rows : int
            How many.
        number : int
            What they are told by: those of one number together.
        opened_at : int, optional
            Since when, in microseconds of the market's time.
        """
        with self._lock:
            loss = self._untold.get(number)
            if loss is None:
                loss = Loss(self._clock.now_us() if opened_at is None else opened_at, "dropped", 0)
                self._untold[number] = loss
                self._keep(loss)
            loss.rows += rows
            self.rows += rows

    def told(self, number: int) -> Gap | None:
        """Say that the pipeline came to where rows of a number went; return what to tell it, None where none did."""
        with self._lock:
            loss = self._untold.pop(number, None)
            if loss is None:
                return None
            self._end(loss)
        return self._gap(loss)

    def close(self) -> Gap | None:
        """Say that no more go by a rest; return what to tell of those that went, None where none did."""
        with self._lock:
            loss, self._open = self._open, None
            if loss is None:
                return None
            self._end(loss)
        return self._gap(loss)

    def end(self) -> None:
        """Say that no more go at all, since the pipeline is closed."""
        with self._lock:
            for loss in (self._open, *self._untold.values()):
                if loss is not None:
                    self._end(loss)
            self._open = None

    def raised(self) -> None:
        """Take note that the pipeline raised: what that element would have been further down is missing there."""
        self._raised = self._steady()

    def since(self, moment: int) -> bool:
        """Tell whether anything may be missing since a moment of the timeline that never goes back."""
        marks = (self._raised, self._forgotten)
        if any(each is not None and each >= moment for each in marks):
            return True
        return any(each.closed is None or each.closed >= moment for each in self.snapshot())

    def forgot_since(self, moment: int) -> bool:
        """Tell whether a loss was forgotten, for there were too many, that may have lasted until then or later."""
        return self._forgotten is not None and self._forgotten >= moment

    def snapshot(self) -> list[Loss]:
        """Return the losses of this moment, oldest first."""
        with self._lock:
            return list(self._losses)

    def frame(self) -> pl.DataFrame:
        """Return one row a loss, oldest first."""
        import polars as pl  # noqa: PLC0415  # polars loads when it is needed

        losses, time = self.snapshot(), pl.Datetime("us", "UTC")
        return pl.DataFrame(
            {
                "opened_at": pl.Series([each.opened_at for each in losses], dtype=time),
                "closed_at": pl.Series([each.closed_at for each in losses], dtype=time),
                "reason": pl.Series([each.reason for each in losses], dtype=pl.String()),
                "rows": pl.Series([each.rows for each in losses], dtype=pl.Int64()),
            }
        )

    def _end(self, loss: Loss) -> None:
        if loss.closed is None:
            # Read without the lock by `since`: the last to be written is what says that it is over.
            loss.closed_at, loss.closed = self._clock.now_us(), self._steady()

    def _keep(self, loss: Loss) -> None:
        if len(self._losses) == _MOST:
            oldest = self._losses[0].closed
            self._forgotten = self._steady() if oldest is None else oldest
        self._losses.append(loss)

    def _gap(self, loss: Loss) -> Gap:
        markets = self._market_tickers
        market = next(iter(markets)) if markets is not None and len(markets) == 1 else None
        opened_at = datetime_of(loss.opened_at)
        return Gap(self._channel, market, opened_at, loss.reason, loss.rows)
