"""A rolling frame of the feed: what ``feed.trades()`` and its like give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kalshi_nb._feed.coverage import microseconds
from kalshi_nb._frames.reading import FrameReading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from kalshi_nb._feed.coverage import Coverage
    from kalshi_nb._frames.rolling import RollingFrame

__all__ = ["Frame"]


class Frame(FrameReading):
    """A rolling frame of the feed: the newest rows of a channel, growing while you read.

    Parameters
    ----------
    store : RollingFrame
        The rows.
    name : str
        What to call it in reprs and messages.
    on_close : callable, optional
        Called by `close`, until it has returned once.
    coverage : Coverage, optional
        Tells which rows are missing.
    """

    def __init__(
        self,
        store: RollingFrame,
        *,
        name: str,
        on_close: Callable[[], Any] | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        self._store = store
        self.name: str = name
        self._on_close = on_close
        self._closed = False
        self._coverage = coverage
        if coverage is not None:
            store.on_reset = coverage.begin

    def _trouble(self) -> str:
        return "it is closed" if self._closed else ""

    def complete(self, since: dt.datetime | None = None) -> bool:
        """Tell whether no gap is known in the rows received from `since` to now.

        Parameters
        ----------
        since : datetime, optional
            With a time zone, to the microsecond, compared with ``received_at``; None for the whole window: from
            the moment the frame was asked for, or, once rows have left the window, from the oldest row in it.

        Returns
        -------
        bool
            False when a row of ``feed.gaps`` on the frame's channel (of all its markets, or of one of the
            frame's) is open or was closed at `since` or later, when the list of gaps has dropped some that may
            reach so far, or when `since` lies before the frame or its oldest row. A gap is over when
            data goes on, so the answer is about the past: a line that died a moment ago is not known yet.
            After ``close()`` of the frame or the feed it is about the time until then.

        Raises
        ------
        ConfigurationError
            When `since` is not a datetime with a time zone.

        Notes
        -----
        The channels ``trade`` and ``orderbook_delta`` count their messages, so one lost message is a gap.
        ``ticker`` does not: there only lost connections and subscriptions are, and rows that could not be read.
        """
        wanted = None if since is None else microseconds(since)
        coverage = self._coverage
        if coverage is None:
            return False
        begins = coverage.edge(self._store.whole_since_us())
        moment = begins if wanted is None else coverage.moment(wanted)
        return moment >= begins and not coverage.has_gap(moment)

    def close(self) -> None:
        """Stop filling the frame; the rows that are there stay readable."""
        self._closed = True
        if self._coverage is not None:
            self._coverage.end()
        if self._on_close is not None:
            self._on_close()  # broken off by Ctrl-C, it is called again by the next close
            self._on_close = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
