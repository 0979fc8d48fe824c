"""One branch: what one call of ``stream()``, ``messages()`` or ``on()`` gave, and how it is doing."""

from __future__ import annotations

import datetime as dt
import time
import traceback
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._streams.beginning import Beginning
from kalshi_nb._streams.graph import destroy_below, refuse_loop
from kalshi_nb.errors import PipelineError
from kalshi_nb.messages import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import polars as pl
    from streamz import Stream

    from kalshi_nb._clock import Clock
    from kalshi_nb._frames.batch import Batch
    from kalshi_nb._frames.pending import PlainRows
    from kalshi_nb._streams.nodes import FeedFrameNode
    from kalshi_nb._streams.schedule import Schedule
    from kalshi_nb._streams.source import BranchSource
    from kalshi_nb.messages import Message

__all__ = ["ERRORS_IN_A_ROW", "Failure", "Kind", "Pipeline", "State"]

Kind = Literal["frames", "messages", "callback"]
State = Literal["running", "detached", "closed"]

ERRORS_IN_A_ROW: Final = 10
"""After so many errors without one success between them a user's pipeline is detached."""

_FEW_ROWS: Final = 256
"""Fewer rows than this cost more to be made a frame at once than what sharing that frame spares."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was raised on one of the feed's threads.

    Attributes
    ----------
    pipeline
        The name of the pipeline it was raised in.
    channel
        What that pipeline listens to.
    error
        The exception, without its traceback, which would keep the pipeline alive.
    traceback
        That traceback as text.
    at
        When, in UTC.
    text
        All of it in a sentence.
    noticed
        When, on the computer's monotonic clock, in seconds.
    """

    pipeline: str
    channel: str
    error: BaseException
    traceback: str
    at: dt.datetime
    text: str
    noticed: float

    @classmethod
    def of(cls, error: BaseException, *, pipeline: str, channel: str, now_us: int) -> Failure:
        """Keep an exception, and nothing that hangs on it."""
        text = "".join(traceback.format_exception(error))
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is not None and id(each) not in seen:
                seen.add(id(each))
                each.__traceback__ = None
                waiting += [each.__cause__, each.__context__]
        at = _EPOCH + dt.timedelta(microseconds=now_us)
        told = f"{pipeline!r} on {channel} raised {type(error).__name__}: {_said(error)}"
        return cls(pipeline, channel, error, text, at, told, time.monotonic())

    def __str__(self) -> str:
        return self.text


def _said(error: BaseException) -> str:
    """Return an exception's own words; a user's class may raise when asked for them."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  whatever it is, it must not hurt anybody else
        return "(its text cannot be had)"


class Pipeline:
    """A branch of the feed: one channel, some or all of its markets, and what is built on it.

    Made by the feed's ``stream()``, ``messages()`` and ``on()``. It lives as long as a node of it is in
    somebody's hands, a sink hangs on it, or, for ``on()``, until it is closed.

    Parameters
    ----------
    channel
        Kalshi's name of the channel.
    market_tickers
        The markets whose rows it wants; None for all.
    kind
        Whether it emits polars frames, lists of messages, or calls `function` with each message.
    name
        What to call it.
    exact
        Prices and counts of frames as Decimals.
    function
        For kind ``"callback"``.
    kit
        One of the feed's own, which is never detached.
    gaps
        Whether its frames say which rows follow a hole.
    clock
        For the times of errors and the windows of frames.
    schedule
        Later calls on the thread that delivers.
    report
        Called with each failure of a node or callback.
    kit_failed
        Called with what goes wrong before the rows reach one.
    on_close
        Called once, when it is closed.
    """

    def __init__(
        self,
        channel: str,
        market_tickers: frozenset[str] | None,
        kind: Kind,
        name: str,
        *,
        clock: Clock,
        schedule: Schedule,
        report: Callable[[Pipeline, Failure], None],
        kit_failed: Callable[[BaseException], None],
        on_close: Callable[[Pipeline], None],
        exact: bool = False,
        function: Callable[[Message], Any] | None = None,
        kit: bool = False,
        gaps: bool = False,
    ) -> None:
        self.channel = channel
        self.market_tickers = market_tickers
        self.kind: Kind = kind
        self.name = name
        self.exact = exact
        self.kit = kit
        self.gaps = gaps
        self.clock = clock
        self.schedule = schedule
        self.batches = 0
        """How many batches had rows for it."""
        self.rows = 0
        """How many rows or messages those had in all."""
        self.errors = 0
        """How many times it raised."""
        self.last_error: Failure | None = None
        self._function = function
        self._report = report
        self._kit_failed = kit_failed
        self._on_close = on_close
        self._beginning = Beginning() if channel == QUOTES else None
        self._in_a_row = 0
        self._state: State = "running"
        self._source: weakref.ref[BranchSource] | None = None
        self._frame: FeedFrameNode | None = None

    def begin_with(self, source: BranchSource, frame: FeedFrameNode | None = None) -> None:
        """Deliver to `source`, which owns this pipeline and is not kept alive by it.

        A frame of the feed's own holds the graph above it: nobody else does.
        """
        self._source = weakref.ref(source)
        self._frame = frame

    def settle(self) -> None:
        """Make columns of what waits in the feed's own frame."""
        frame = self._frame
        if frame is not None:
            frame.store.settle()

    @property
    def state(self) -> State:
        """``"running"``, ``"detached"`` after too many errors in a row, or ``"closed"``."""
        return self._state

    @property
    def source(self) -> BranchSource | None:
        """The node that batches enter by, None for callbacks and once nobody holds it."""
        return None if self._source is None else self._source()

    def admit(self, node: Stream) -> None:
        """Refuse a new node that could not work.

        Raises
        ------
        PipelineError
            When the node has an event loop, or the pipeline is detached or closed.
        """
        refuse_loop(node)
        if self._state != "running":
            raise PipelineError(
                f"Pipeline {self.name!r} is {self._state}: nothing comes through it any more. "
                "Ask the feed for a new one, with stream() or messages()."
            )

    # ---- delivering, on the thread that runs this pipeline

    def deliver(self, batch: Batch) -> None:
        """Send the rows of `batch` that are wanted down the graph; whatever is raised is counted."""
        if self._state != "running":
            return
        try:
            element = self._wanted(batch)
        except Exception as error:  # noqa: BLE001  rows that make no frame are the kit's fault, not the user's
            self._kit_failed(error)
            return
        count = 0 if element is None else _count(element)
        if element is None or not count:
            return
        self.batches += 1
        if self.kind == "callback":
            self._call_with_each(element)
        else:
            self.rows += count
            source = self.source
            if source is not None:
                self._guarded(source.push, element)

    def run(self, call: Callable[[], None]) -> None:
        """Make a later call of one of the nodes, under the same care as `deliver`."""
        if self._state == "running":
            self._guarded(call)

    def _wanted(self, batch: Batch) -> pl.DataFrame | PlainRows | list[Message] | None:
        if self._beginning is not None:
            batch = self._beginning.of(batch)
        if self.kind != "frames":
            return from_rows(self.channel, batch.rows_for(self.market_tickers))
        if self.kit and len(batch) < _FEW_ROWS and not batch.is_built(exact=self.exact):
            return batch.plain(self.market_tickers, self.exact, gaps=self.gaps)
        frame = batch.select(self.market_tickers, self.exact, gaps=self.gaps)
        # A node may change its frame in place; nobody else is to notice.
        return frame if frame is None or self.kit else frame.clone()

    def _call_with_each(self, messages: Iterable[Any]) -> None:
        for message in messages:
            function = self._function
            if function is None or self._state != "running":
                return
            self.rows += 1
            self._guarded(function, message)

    def _guarded(self, call: Callable[..., Any], *arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as error:  # noqa: BLE001  not even SystemExit of a user's node ends the feed's thread
            self._failed(error)
        else:
            self._in_a_row = 0

    def _failed(self, error: BaseException) -> None:
        self._in_a_row += 1
        if self._in_a_row >= ERRORS_IN_A_ROW and not self.kit and self._state == "running":
            self._state = "detached"
        failure = Failure.of(error, pipeline=self.name, channel=self.channel, now_us=self.clock.now_us())
        # In this order, so that whoever sees the count finds the error.
        self.last_error = failure
        self.errors += 1
        self._report(self, failure)

    @property
    def is_first_error(self) -> bool:
        """Whether the last error came after a success, or was the first of all."""
        return self._in_a_row == 1

    # ---- the end

    def close(self) -> None:
        """Stop it and take its graph apart, sinks included. Frames that it filled stay readable."""
        if self._state == "closed":
            return
        source = self.source
        self._state = "closed"
        if source is not None:
            destroy_below(source)
        self._frame = None
        self._function = None
        self._on_close(self)

    def described(self) -> str:
        """Return its name, channel and markets in a few words."""
        return f"{self.name!r} on {self.channel}, {_markets(self.market_tickers)}"

    def __repr__(self) -> str:
        parts = [self._state, f"{self.batches:,} batches", f"{self.rows:,} rows"]
        if self.errors:
            parts.append(f"{self.errors:,} errors")
        return f"<Pipeline {self.described()}: {', '.join(parts)}>"


def _count(element: pl.DataFrame | PlainRows | list[Message]) -> int:
    return len(element) if isinstance(element, list) else element.height


def _markets(market_tickers: frozenset[str] | None) -> str:
    if market_tickers is None:
        return "whatever markets the feed receives"
    if len(market_tickers) == 1:
        return next(iter(market_tickers))
    return f"{len(market_tickers)} markets"
