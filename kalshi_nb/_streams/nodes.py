"""The kit's own streamz nodes, which need no event loop and lose nothing.

Importing this module adds ``rolling_frame``, ``throttle``, ``bars``, ``latest_by`` and ``join_asof`` to every
``streamz.Stream`` of the process, and has ``scatter`` know the streams of feeds.
"""

from __future__ import annotations

import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl
from streamz import Stream

from kalshi_nb._clock import WallClock
from kalshi_nb._durations import Duration
from kalshi_nb._durations import seconds as positive_seconds
from kalshi_nb._foreign_names import corrected
from kalshi_nb._frames.columns import checked_schema
from kalshi_nb._frames.files import require
from kalshi_nb._frames.keyed import KeyedFrame, key_columns
from kalshi_nb._frames.marks import is_backfilled
from kalshi_nb._frames.reading import FrameReading
from kalshi_nb._frames.rolling import LONGEST_SECONDS, RollingFrame, most_keys, window
from kalshi_nb._frames.schema import MARKET, RECEIVED
from kalshi_nb._frames.schema import schema as schema_of
from kalshi_nb._logging import log
from kalshi_nb._rows.channels import traits_of
from kalshi_nb._rows.tickers import about, hints
from kalshi_nb._streams.bars import BarsNode
from kalshi_nb._streams.graph import refuse_awaitables
from kalshi_nb._streams.joins import JoinAsofNode, LatestByNode
from kalshi_nb._streams.source import Care, Source, deliveries_above, delivery_above
from kalshi_nb._streams.troubles import keys_dropped
from kalshi_nb._usage import Closing
from kalshi_nb._waiting import FORKED
from kalshi_nb.errors import (
    ForkedError,
    HandleClosedError,
    NoSuchAttributeError,
    PipelineError,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._streams.user_delivery import Covered, KnownGaps, StreamDelivery
    from kalshi_nb._waiting import Standing
    from kalshi_nb.errors import KalshiError

__all__ = ["RollingFrameNode", "ThrottleNode", "register"]

_MADE_WITH: Final = frozenset({"rows", "seconds", "latest_keys"})


class RollingFrameNode(FrameReading, Closing, Stream):  # type: ignore[misc]  # streamz ships no types
    """``stream.rolling_frame()``: keeps the newest rows of the frames that pass, and passes them on.

    Keep the node in a variable: it is the handle to read, with ``.df``, ``.wait()``, ``.latest()`` and
    all that a frame of the feed has, and a graph that nobody holds goes away.

    Parameters
    ----------
    upstream : streamz.Stream
        A stream of polars DataFrames, all with the same columns.
    rows : int, optional
        Keep at most so many rows; 100,000 where neither `rows` nor `seconds` is given.
    seconds : str, timedelta or float, optional
        Keep rows that were received at most so long ago, by the column ``received_at``.
    latest_keys : int, optional
        How many last rows ``.latest()`` keeps beside the window; 100,000 where it is left out.
    schema : mapping of str to polars dtype, optional
        Names and dtypes of the columns. Without it, directly on ``feed.stream()`` they are the channel's,
        and further down those of the first batch.
    name : str, optional
        What to call it in reprs and messages.
    by : str or sequence of str, optional
        Columns in which a row is like an earlier one: it takes the place of that, and `rows` and ``.total`` count what
        differs in them. Directly on ``bars()`` it is ``market_ticker`` and ``start``; elsewhere every row is one more.

    Raises
    ------
    ConfigurationError
        When `rows`, `seconds` or `latest_keys` is not a positive number, no ``received_at`` is there to go by, `by`
        names no columns, or `schema` is none.
    PipelineError
        Directly on ``feed.messages()``, which sends lists.
    """

    _kind = "rolling_frame"

    shown_by: ClassVar[Callable[[FrameReading], Any] | None] = None
    """Returns the live view of a frame; set by the room above that has views."""

    def __init__(
        self,
        upstream: Stream,
        rows: int | None = None,
        seconds: Duration | None = None,
        schema: Mapping[str, Any] | None = None,
        name: str | None = None,
        latest_keys: int | None = None,
        by: str | Sequence[str] | None = None,
    ) -> None:
        kept = window(rows, seconds)
        keys = most_keys(latest_keys)
        places = key_columns(by) or getattr(upstream, "keyed_by", None)
        delivery = delivery_above(upstream)
        # Kept, since a pipeline that is closed is taken apart, and its frame is to know whether the feed was, too.
        self._stands = None if delivery is None else delivery.standing
        columns = None if schema is None else checked_schema(schema)
        if isinstance(upstream, BarsNode):
            columns = columns or upstream.schema
        if isinstance(upstream, Source):
            pipeline = upstream.pipeline
            if pipeline.kind != "frames":
                raise PipelineError(
                    "rolling_frame() takes polars DataFrames, and messages() sends lists of messages. "
                    f"Use feed.stream({pipeline.channel!r}).rolling_frame(), or make frames in a map() before."
                )
            columns = columns or schema_of(pipeline.channel, pipeline.exact, late=pipeline.backfill)
        make = RollingFrame if places is None else partial(KeyedFrame, by=places)
        self._store = make(
            columns,
            rows=kept.rows,
            seconds=kept.seconds,
            clock=WallClock() if delivery is None else delivery.clock,
            key=_key(delivery, columns),
            latest_keys=keys,
            ended=None if delivery is None else traits_of(delivery.label.channel).ended,
        )
        self._lies_by_time = places is None
        self._all_keys = True
        self._fed: list[StreamDelivery] = []
        self._covered: list[Covered | None] = []
        self._gaps: list[KnownGaps] = []
        Stream.__init__(self, upstream, stream_name=name)
        for each in deliveries_above(upstream):
            self._fed_by(each)

    def _fed_by(self, delivery: StreamDelivery) -> None:
        """Take note of a stream that leads here, whose gaps are the frame's from now on."""
        if any(each is delivery for each in self._fed):
            return
        self._fed.append(delivery)
        self._covered.append(delivery.covered(self._store))
        if delivery.known_gaps is not None:
            self._gaps.append(delivery.known_gaps())

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to set what it was made with; streamz sets what it likes."""
        if name in _MADE_WITH or hasattr(FrameReading, name):
            raise NoSuchAttributeError(
                f"{self._kind}() has no {name!r} to be set: make another, with other arguments, such as "
                "rolling_frame(rows=1_000)."
            )
        super().__setattr__(name, value)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Keep the rows of a frame and pass it on."""
        if not isinstance(x, pl.DataFrame):
            hint = " Call .collect() there." if isinstance(x, pl.LazyFrame) else ""
            raise PipelineError(
                f"rolling_frame() got {type(x).__name__}: the node before it must return a polars "
                f"DataFrame for every batch.{hint}"
            )
        if self._lies_by_time and is_backfilled(x) and {"ts", RECEIVED} <= set(x.columns):
            self._store.insert_frame(x)
        else:
            self._store.append(x)
        if self._all_keys and self._store.dropped_keys:
            self._all_keys = False
            log(logging.WARNING, keys_dropped(self._title(), self._store.dropped_keys))
        return self._emit(x, metadata=metadata)

    def _standing(self) -> Standing | None:
        return self._stands

    def _ended(self) -> KalshiError | None:
        ended = super()._ended()
        delivery = delivery_above(self)
        if ended is None and (delivery is None or delivery.pipeline.state == "closed"):
            return HandleClosedError("Its pipeline is closed: ask the feed for a new one, and build on that.")
        return ended

    def _trouble(self) -> str:
        if self._stands is not None and isinstance(self._stands.ended(), ForkedError):
            return FORKED
        delivery = delivery_above(self)
        if delivery is None or delivery.pipeline.state == "closed":
            return "its pipeline is closed"
        return ""

    def _remark(self) -> str:
        return "; ".join(filter(None, (each.remark() for each in deliveries_above(self))))

    def _caption(self, df: pl.DataFrame) -> str:
        lost = sum(each.losses.rows for each in deliveries_above(self))
        return f"{super()._caption(df)}, {lost:,} rows were dropped before it" if lost else super()._caption(df)

    def complete(self, since: dt.datetime | dt.timedelta | str | None = None) -> bool:
        """Tell whether no gap is known in the rows that came by the feed from `since` to now.

        As :meth:`kalshi_nb.Frame.complete`, for the channel and markets of the stream that this is built on; below
        ``union()`` and the like, of each of them. Rows that a rest of the pipeline dropped are missing, those that
        were dropped because it was too slow, and those of a batch that a node of it raised at. A gap that was repaired
        over REST counts no more on a stream with ``backfill=True``, which has what was fetched, and stays a gap on any
        other.

        Parameters
        ----------
        since : datetime, str or timedelta, optional
            How long ago, as ``"1m"``; or a moment with a time zone, compared with ``received_at``; None for
            the whole window.

        Returns
        -------
        bool
            False, too, on a stream that no feed fills, since nobody knows.

        Raises
        ------
        ConfigurationError
            When `since` is no length of time and no datetime with a time zone.
        """
        return bool(self._covered) and all(each is not None and each.complete(since) for each in self._covered)

    def _known_gaps(self) -> list[Gap]:
        found = {id(gap): gap for each in self._gaps for gap in each.known()}
        return sorted(found.values(), key=lambda gap: gap.opened)

    def _whole_since(self) -> int | None:
        began = [each.began_at() for each in self._gaps]
        return max([*began, self._store.whole_since_us() or 0]) if began else None

    def _about(self) -> str:
        labels = [each.label for each in deliveries_above(self)]
        return " and ".join(dict.fromkeys(about(each.channel, each.market_tickers) for each in labels))

    def _hint(self) -> str:
        above = deliveries_above(self)
        if any(each.pipeline.rows for each in above):
            return ""  # where rows came, it is a node in front that lets none pass
        return " ".join(filter(None, (hints(each.label.channel, each.label.market_tickers) for each in above)))

    def close(self) -> None:
        """Take no more rows; those that are there stay readable."""
        for each in self._covered:
            if each is not None:
                each.close()
        self.destroy()

    __str__ = FrameReading.__repr__

    # What shows it ------------------------------------------------------------------------------------

    def _view(self) -> Any:
        shown_by = type(self).shown_by
        return None if shown_by is None else shown_by(self)

    def _ipython_display_(self) -> None:
        """Show the live table, where the front end can; else a still one, else text."""
        view = self._view()
        if view is None:
            raise NotImplementedError  # by which IPython knows to look for another form
        view._ipython_display_()

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, Any]:
        view = self._view()
        return {} if view is None else dict(view.mimebundle())

    def _display_(self) -> object:
        """Return what marimo shows."""
        view = self._view()
        return self.df if view is None else view._display_()


def _key(delivery: StreamDelivery | None, columns: pl.Schema | None) -> tuple[str, ...]:
    """Return the columns that ``latest()`` goes by: the channel's, unless the frame is known to lack them."""
    key = (MARKET,) if delivery is None else traits_of(delivery.label.channel).key
    return key if columns is None or set(key) <= set(columns) else (MARKET,)


class ThrottleNode(Stream):  # type: ignore[misc]  # streamz ships no types
    """``stream.throttle(interval)``: at most one element every `interval` seconds, and always the last.

    The first element passes at once. Of those that arrive too early only the newest is held, and it passes
    when it is due, although nothing else arrives.

    Parameters
    ----------
    upstream : streamz.Stream
        A node of a feed's pipeline, whose thread delivers what was held.
    interval : str, timedelta or float
        ``"500ms"``, a timedelta, or seconds.

    Raises
    ------
    ConfigurationError
        When `interval` is no length of time.
    PipelineError
        On a stream that no feed fills.
    """

    _ipython_display_ = None

    def __init__(self, upstream: Stream, interval: Duration) -> None:
        advice = 'give a length of time, such as 0.5, for seconds, or "500ms"'
        interval = positive_seconds("interval", interval, advice, most=LONGEST_SECONDS)
        delivery = delivery_above(upstream)
        if delivery is None:
            raise PipelineError(
                "throttle() works on a feed's pipeline, whose thread delivers the value that was held: "
                "begin with feed.stream() or feed.messages()."
            )
        self.interval = interval
        self._schedule = delivery.schedule
        self._care = Care(self)
        self._next_at = 0.0
        self._held: list[tuple[Any, Any]] = []
        Stream.__init__(self, upstream)

    def update(self, x: Any, who: Any = None, metadata: Any = None) -> Any:  # noqa: ARG002  # streamz's signature
        """Pass an element on, or hold it until it is due."""
        if self._held:
            self._held[0] = (x, metadata)
            return []
        now = self._schedule.now()
        if now >= self._next_at:
            self._next_at = now + self.interval
            return self._emit(x, metadata=metadata)
        self._held.append((x, metadata))
        self._schedule.call_at(self._next_at, self._care, self._deliver_held)
        return []

    @property
    def held(self) -> Any:
        """What passes when it is due; None where nothing is held."""
        return self._held[0][0] if self._held else None

    def _deliver_held(self) -> None:
        if self._held:
            x, metadata = self._held.pop()
            self._next_at = self._schedule.now() + self.interval
            refuse_awaitables(self._emit(x, metadata=metadata))

    def __repr__(self) -> str:
        return f"<throttle: {self.interval:g} s>"

    __str__ = __repr__


def _scatter(upstream: Stream, *arguments: Any, **options: Any) -> Stream:
    """Hand on what passes to the workers of a Dask client; see `kalshi_nb._streams.scattering.ScatterNode`."""
    require("distributed", doing="scatter()", extra="dask")
    from kalshi_nb._streams.scattering import scatter  # noqa: PLC0415  # a third of a second, and optional

    return scatter(upstream, *arguments, **options)


def _making(name: str, kind: type[Stream]) -> Callable[..., Stream]:
    """Return the method of a stream that makes a node, and says in the kit's words which argument is meant."""

    def make(self: Stream, *given: Any, **named: Any) -> Stream:
        return kind(self, *given, **named)

    first, *others = inspect.signature(kind).parameters.values()
    make.__name__, make.__qualname__, make.__doc__ = name, f"Stream.{name}", kind.__doc__
    make.__signature__ = inspect.Signature([first.replace(name="self"), *others])  # type: ignore[attr-defined]
    return corrected(make)


def register() -> None:
    """Make the nodes methods of ``streamz.Stream``; any number of times is as good as once."""
    for name, kind in _KINDS.items():
        Stream.register_api(attribute_name=name)(_making(name, kind))
    Stream.register_api(attribute_name="scatter")(_scatter)


_KINDS: Final = {
    "rolling_frame": RollingFrameNode,
    "throttle": ThrottleNode,
    "bars": BarsNode,
    "latest_by": LatestByNode,
    "join_asof": JoinAsofNode,
}

register()
