"""A rolling frame of the feed: what ``feed.trades()`` and its like give."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._feed.coverage import microseconds, span_of
from kalshi_nb._feed.holders import Holders, Shared
from kalshi_nb._foreign_names import corrected_methods, elsewhere
from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._usage import Made, setter
from kalshi_nb._waiting import FORKED
from kalshi_nb._widgets.showing import Views, displayed
from kalshi_nb.errors import HandleClosedError, NoSuchAttributeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kalshi_nb._feed.coverage import Coverage
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._widgets.sources import FrameSource
    from kalshi_nb._widgets.view import LiveView, ViewWidget
    from kalshi_nb.errors import KalshiError

__all__ = ["Frame"]

_VIEWS: Final[dict[str, tuple[str, ...]]] = {
    "fill": ("account",),
    "market_positions": ("account",),
    "user_orders": ("account",),
    "trade": ("tape", "chart"),
    "quotes": ("table", "chart"),
    "market_lifecycle_v2": ("lifecycle",),
    "multivariate_market_lifecycle": ("lifecycle",),
    "ticker": ("board",),
}
"""The kinds of views that show the frame of a channel; the first does where no other is asked for."""

_CHARTED: Final = frozenset(channel for channel, kinds in _VIEWS.items() if "chart" in kinds)
"""Channels whose frames can be lines of one chart."""

_OTHER_VIEWS: Final[tuple[str, ...]] = ("table",)
"""The same for any other channel."""


@displayed
@corrected_methods
class Frame(Made, Shared, FrameReading):
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
    source : FrameSource, optional
        What its views are made of.
    """

    __setattr__ = setter(
        "name", instead="ask for another frame, by a call with other arguments, such as feed.trades(rows=1_000)"
    )

    _made_of = ("whole_since_us",)
    _asked_by = "feed.trades(), feed.tickers() …"

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
        source: FrameSource | None = None,
    ) -> None:
        self._store = store
        self.name: str = name
        self._channel = channel
        self._holders = Holders()
        self._on_close = on_close
        self._is_closed = False
        self._coverage = coverage
        self._said = (about, hint)
        self._stands = standing
        self._unknown = unknown
        self._source = source
        self._views = Views(
            _VIEWS.get(channel, _OTHER_VIEWS), errors=None if standing is None else standing.view_errors
        )
        self._views_with: dict[tuple[FrameSource, ...], Views] = {}
        if source is not None:
            source.tell_of(self)
        if coverage is not None:
            store.on_reset = coverage.begin

    def _standing(self) -> FeedStanding | None:
        return self._stands

    def _ended(self) -> KalshiError | None:
        ended = super()._ended()
        if ended is None and self._is_closed:
            ended = HandleClosedError("The frame is closed: ask the feed for it again, with the same call.")
        return self._unknown() if ended is None else ended

    def _trouble(self) -> str:
        if self._is_closed:
            return "it is closed"
        return FORKED if self._is_forked else ""

    @property
    def _is_forked(self) -> bool:
        return self._stands is not None and self._stands.word == "forked"

    def _caption(self, df: pl.DataFrame) -> str:
        caption = super()._caption(df)
        if self._stands is None or self._trouble():
            return caption
        if link := self._stands.link_word():
            return f"{caption}, {link}"
        # Who asks for .df at once sees an empty table, which can say nothing by itself.
        return caption if self.total or self._hint() else f"{caption}, none came yet: wait(rows=1) waits for one"

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

    def _called(self) -> str:
        return f"The frame {self._title()}"

    def __getattr__(self, name: str) -> Any:
        from streamz import Stream  # noqa: PLC0415  # only where somebody took a frame for a stream

        if instead := elsewhere("Frame", name):
            raise NoSuchAttributeError(f"{self._title()} has no {name!r}: {instead}.")
        if not name.startswith("_") and hasattr(Stream, name) and not hasattr(pl.DataFrame, name):
            raise NoSuchAttributeError(
                f"{self._title()} keeps rows and has no {name!r}; a stream has, of what comes: "
                f"feed.stream({self._channel!r}).{name}(…)."
            )
        return super().__getattr__(name)

    def complete(self, since: dt.datetime | dt.timedelta | str | None = None) -> bool:
        """Tell whether no gap is known in the rows received from `since` to now.

        Parameters
        ----------
        since : datetime, str or timedelta, optional
            How long ago: ``"1m"`` or a timedelta. Or a moment with a time zone, to the microsecond,
            compared with ``received_at``. None for the whole window: from the moment the frame was asked for, or,
            once rows have left the window, from the oldest row in it.

        Returns
        -------
        bool
            False when a row of ``feed.gaps`` on the frame's channel (of all its markets, or of one of the
            frame's) is open or was closed at `since` or later, when the list of gaps has dropped some that may
            reach so far, or when `since` lies before the frame or its oldest row; in a pipeline's frame also
            when rows went or raised on their way to it. A gap is over when
            data goes on, so the answer is about the past: a line that died a moment ago is not known yet.
            A gap of trades that were fetched (``repaired_by`` "rest") counts no more, where the frame has them.
            A subscription that was made anew (``resubscribed``) before this frame had it is no gap of the frame's.
            After ``close()`` of the frame or the feed it is about the time until then. In a process that was forked
            from the feed's own it is always False.

        Raises
        ------
        ConfigurationError
            When `since` is no length of time and no datetime with a time zone, or is still to come.

        Notes
        -----
        The channels ``trade`` and ``orderbook_delta`` count their messages, so one lost message is a gap.
        ``ticker`` does not: there only lost connections and subscriptions are, and rows that could not be read.
        """
        span_us = span_of(since)
        wanted = None if since is None or span_us is not None else microseconds(since)
        coverage = self._coverage
        if coverage is None or self._is_forked:
            return False
        if span_us is not None:
            wanted = coverage.ago(span_us)
        if wanted is not None:
            coverage.refuse_future(wanted)
        begins = coverage.edge(self._store.whole_since_us())
        moment = begins if wanted is None else coverage.moment(wanted)
        return moment >= begins and not coverage.has_gap(moment)

    def close(self) -> None:
        """Stop filling the frame; the rows that are there stay readable."""
        forked = self._is_forked
        self._is_closed = True
        if self._source is not None:
            self._source.end()
        if forked:
            return  # nothing fills it here, and whose locks the parent held at that moment nobody knows
        if self._coverage is not None:
            self._coverage.end()
        if self._on_close is not None:
            self._on_close()  # broken off by Ctrl-C, it is called again by the next close
            self._on_close = None
        for views in (self._views, *self._views_with.values()):
            views.close()

    # What shows it ------------------------------------------------------------------------------------

    def widget(self, **options: Any) -> ViewWidget:
        """Return the live view of the frame as a widget, to be put together with others.

        Parameters
        ----------
        **options
            ``view``, the kind, where a frame has several, and all else that :func:`kalshi_nb.show` takes.

        Returns
        -------
        anywidget.AnyWidget
            The same one for the same options, until it is closed; it moves until the frame is closed.

        Raises
        ------
        HandleClosedError
            When the frame is closed.
        UsageError
            When there is no such option; the nearest is named.
        ConfigurationError
            When a value will not do.
        """
        if self._source is None or self._source.status == "closed":
            raise HandleClosedError("The frame is closed, and nothing moves a widget of it; its rows are in .df.")
        return self._live_view(**options).widget

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options, a still one of a frame that nothing fills any more."""
        if self._source is None:
            raise UsageError(f"There is no view of {self._title()}: no feed fills it.")
        if self._is_closed or self._is_forked:
            return Views(self._views.kinds).get(self._source, options | {"renderer": "html"})
        return self._views.get(self._source, options)

    def _view_with(self, others: Sequence[object], options: dict[str, Any]) -> LiveView:
        """Return the chart of this frame's markets and of other frames'; it ends with this frame."""
        frames = (self, *(each for each in others if isinstance(each, Frame)))
        sources = tuple(each._source for each in frames if each._source is not None)  # noqa: SLF001  # its own kind
        is_all = len(sources) > len(others) and all(each.channel in _CHARTED for each in sources)
        if not is_all or len({id(each.feed) for each in sources}) > 1:
            raise UsageError(
                "Of a list kn.show() shows frames of trades or quotes of one feed, as one chart; of several books "
                "feed.books([…]) is one view."
            )
        views = self._views_with.setdefault(sources, Views(("chart",), errors=self._views.errors))
        return views.get(sources, options | ({"renderer": "html"} if self._is_closed or self._is_forked else {}))
