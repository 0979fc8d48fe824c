"""A rolling frame of the feed: what ``feed.trades()`` and its like give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from kalshi_nb._feed.coverage import microseconds
from kalshi_nb._feed.holders import Holders
from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._usage import not_made, setter
from kalshi_nb._waiting import FORKED
from kalshi_nb.errors import HandleClosedError, NoSuchAttributeError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Self

    from kalshi_nb._feed.coverage import Coverage
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb.errors import KalshiError

__all__ = ["Frame"]


class Frame(FrameReading):
    """A rolling frame of the feed: the newest rows of a channel, growing while you read.

    At the end of a ``with`` or ``async with`` it is closed. One that was asked for elsewhere, too, stays open, and a
    :class:`kalshi_nb.errors.HandleWarning` says so.

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
    about : str
        Which markets its rows are about, in a few words.
    hint : str
        What may be wrong with these.
    standing : FeedStanding, optional
        Tells how the feed stands.
    unknown : callable, optional
        Returns the error that says that the exchange knows none of its markets, where that is so.
    channel : str
        The channel that its rows come from.
    """

    __setattr__ = setter(
        "name", instead="ask for another frame, by a call with other arguments, such as feed.trades(rows=1_000)"
    )

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        """Refuse to be made by hand."""
        if not arguments:
            raise not_made(cls, "feed.trades(), feed.tickers() …")
        return super().__new__(cls)

    def __init__(
        self,
        store: RollingFrame,
        *,
        name: str,
        on_close: Callable[[], Any] | None = None,
        coverage: Coverage | None = None,
        about: str = "",
        hint: str = "",
        standing: FeedStanding | None = None,
        unknown: Callable[[], KalshiError | None] = lambda: None,
        channel: str = "",
    ) -> None:
        self._store = store
        self.name: str = name
        self._channel = channel
        self._holders = Holders()
        self._on_close = on_close
        self._closed = False
        self._coverage = coverage
        self._said = (about, hint)
        self._stands = standing
        self._unknown = unknown
        if coverage is not None:
            store.on_reset = coverage.begin

    def _standing(self) -> FeedStanding | None:
        return self._stands

    def _ended(self) -> KalshiError | None:
        ended = super()._ended()
        if ended is None and self._closed:
            ended = HandleClosedError("The frame is closed: ask the feed for it again, with the same call.")
        return self._unknown() if ended is None else ended

    def _trouble(self) -> str:
        if self._closed:
            return "it is closed"
        return FORKED if self._is_forked else ""

    @property
    def _is_forked(self) -> bool:
        return self._stands is not None and self._stands.word == "forked"

    def _caption(self, df: pl.DataFrame) -> str:
        caption = super()._caption(df)
        link = "" if self._stands is None or self._trouble() else self._stands.link_word()
        return f"{caption}, {link}" if link else caption

    def _known_gaps(self) -> list[Gap]:
        return [] if self._coverage is None else self._coverage.known()

    def _whole_since(self) -> int | None:
        if self._coverage is None:
            return None
        return max(self._coverage.began_at(), self._store.whole_since_us() or 0)

    def _about(self) -> str:
        return self._said[0]

    def _hint(self) -> str:
        return self._said[1]

    def held(self) -> None:
        """Take note that somebody asked for the frame, which is the same for all who ask the same."""
        self._holders.add()

    def __getattr__(self, name: str) -> Any:
        from streamz import Stream  # noqa: PLC0415  # only where somebody took a frame for a stream

        if not name.startswith("_") and hasattr(Stream, name) and not hasattr(pl.DataFrame, name):
            raise NoSuchAttributeError(
                f"{self._title()} keeps rows and has no {name!r}; a stream has, of what comes: "
                f"feed.stream({self._channel!r}).{name}(…)."
            )
        return super().__getattr__(name)

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
            A subscription that was made anew (``resubscribed``) before this frame had it is no gap of the frame's.
            After ``close()`` of the frame or the feed it is about the time until then. In a process that was forked
            from the feed's own it is always False.

        Raises
        ------
        ConfigurationError
            When `since` is not a datetime with a time zone, or is still to come.

        Notes
        -----
        The channels ``trade`` and ``orderbook_delta`` count their messages, so one lost message is a gap.
        ``ticker`` does not: there only lost connections and subscriptions are, and rows that could not be read.
        """
        wanted = None if since is None else microseconds(since)
        coverage = self._coverage
        if coverage is None or self._is_forked:
            return False
        if wanted is not None:
            coverage.refuse_future(wanted)
        begins = coverage.edge(self._store.whole_since_us())
        moment = begins if wanted is None else coverage.moment(wanted)
        return moment >= begins and not coverage.has_gap(moment)

    def close(self) -> None:
        """Stop filling the frame; the rows that are there stay readable."""
        forked = self._is_forked
        self._closed = True
        if forked:
            return  # nothing fills it here, and whose locks the parent held at that moment nobody knows
        if self._coverage is not None:
            self._coverage.end()
        if self._on_close is not None:
            self._on_close()  # broken off by Ctrl-C, it is called again by the next close
            self._on_close = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._closed or self._holders.leave(f"The frame {self._title()}"):
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        self.__exit__()
