"""How rows get from a batch to one pipeline: one class for each kind of pipeline, and what all have in common."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.reading import FrameReading, store_of
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.steering import ClockStepRow, ResetRow
from kalshi_nb._streams.beginning import Beginning
from kalshi_nb._streams.graph import destroy_below, reachable, refuse_loop, send
from kalshi_nb._streams.notices import ERRORS_IN_A_ROW
from kalshi_nb._streams.pipeline import Pipeline, Progress
from kalshi_nb.errors import PipelineError
from kalshi_nb.messages import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from streamz import Stream

    from kalshi_nb._clock import Clock
    from kalshi_nb._frames.pending import PlainRows
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.steering import SteeringRow
    from kalshi_nb._streams.notices import Notices
    from kalshi_nb._streams.pipeline import Kind, Label
    from kalshi_nb._streams.schedule import Schedule
    from kalshi_nb._waiting import Standing
    from kalshi_nb.messages import Message

    Element = pl.DataFrame | PlainRows | list[Message]

__all__ = [
    "CallbackDelivery",
    "Delivery",
    "FrameDelivery",
    "MessageDelivery",
    "Opening",
    "StreamDelivery",
]


class Opening(NamedTuple):
    """What every pipeline is opened with.

    Attributes
    ----------
    label : Label
        Its name, channel and markets.
    exact : bool
        Prices and counts of its frames as Decimals.
    notices : Notices
        Where its failures go.
    discard : callable
        Called with the delivery when the pipeline is closed.
    on_close : callable or None
        Called after that.
    standing : Standing or None
        How the feed stands, for those who wait for rows.
    """

    label: Label
    exact: bool
    notices: Notices
    discard: Callable[[Any], None]
    on_close: Callable[[], Any] | None
    standing: Standing | None = None


class Delivery(ABC):
    """Brings rows to one pipeline; whatever is raised there is counted, and goes no further.

    One thread delivers: `kalshi-pipeline` to the feed's own frames, `kalshi-user` to all else. Any other may
    close the pipeline at any moment, also a node or callback in the middle of a delivery. So the state is
    looked at before each batch, each message and each later call, and nowhere is it assumed that it still is
    what it was; whoever closes takes the graph apart while a batch may yet be in it, which streamz's nodes and
    the node sets of `graph` bear. The counts have one writer, so they need no lock.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    """

    kind: ClassVar[Kind]

    def __init__(self, opening: Opening) -> None:
        self.label = opening.label
        self.standing = opening.standing
        self._progress = Progress()
        self._notices = opening.notices
        self._beginning = Beginning() if opening.label.channel == QUOTES else None
        ending = _ending(weakref.ref(self), opening)
        self.pipeline = Pipeline(opening.label, self.kind, self._progress, ending, exact=opening.exact)

    def deliver(self, batch: Batch) -> None:
        """Bring the rows of `batch` that are wanted to the pipeline, and do as steering rows among them say."""
        for part in batch.parts:
            if self._progress.state != "running":
                return
            if isinstance(part, Batch):
                self._deliver_rows(part)
            else:
                self._follow(part)

    def run(self, call: Callable[[], None]) -> None:
        """Make a later call of one of the nodes, under the same care as `deliver`."""
        if self._progress.state == "running":
            self._guarded(call)

    @abstractmethod
    def end(self) -> None:
        """Let go of what was built on the pipeline, which is closed."""

    @abstractmethod
    def _wanted(self, batch: Batch) -> Element | None:
        """Return the rows that the pipeline wants, in its kind."""

    @abstractmethod
    def _hand_over(self, element: Any) -> None:
        """Hand over what `_wanted` returned, where there is a row in it."""

    @abstractmethod
    def frames(self) -> list[RollingFrame]:
        """Return the rolling frames that this pipeline fills."""

    def _deliver_rows(self, batch: Batch) -> None:
        try:
            element = self._wanted(batch if self._beginning is None else self._beginning.of(batch))
        except Exception as error:  # noqa: BLE001  # rows that make no frame are the kit's fault, not the user's
            self._notices.kit_failed(error)
            return
        if element is not None and _count(element):
            self._progress.batches += 1
            self._hand_over(element)

    def _follow(self, row: SteeringRow) -> None:
        try:
            self._apply(row)
        except Exception as error:  # noqa: BLE001  # as for rows that make no frame, and the next ones are to come
            self._notices.kit_failed(error)

    def _apply(self, row: SteeringRow) -> None:
        if isinstance(row, ResetRow):
            if self._beginning is not None:
                self._beginning.again()
            for frame in self.frames():
                frame.reset()
        elif isinstance(row, ClockStepRow):
            for frame in self.frames():
                frame.step(row.by)

    def _guarded(self, call: Callable[..., Any], *arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as error:  # noqa: BLE001  # not even SystemExit of a user's node ends the feed's thread
            self._progress.errors_in_a_row += 1
            self._failed(error)
        else:
            self._progress.errors_in_a_row = 0

    def _failed(self, error: BaseException) -> None:
        progress = self._progress
        detached = progress.errors_in_a_row >= ERRORS_IN_A_ROW and progress.state == "running"
        if detached:
            progress.state = "detached"
        failure = self._notices.failure(error, self.pipeline)
        # In this order, so that whoever sees the count finds the error.
        progress.last_error = failure
        progress.errors += 1
        self._notices.of_pipeline(failure, detached=detached, first=progress.errors_in_a_row == 1)


class CallbackDelivery(Delivery):
    """Calls a function with each message.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    function : callable
        The user's.
    """

    kind = "callback"

    def __init__(self, opening: Opening, function: Callable[[Message], Any]) -> None:
        super().__init__(opening)
        self._function: Callable[[Message], Any] | None = function

    def end(self) -> None:
        """Let go of the function."""
        self._function = None

    def _wanted(self, batch: Batch) -> list[Message]:
        return from_rows(self.label.channel, batch.rows_for(self.label.market_tickers))

    def _hand_over(self, element: list[Message]) -> None:
        for message in element:
            function = self._function
            if function is None or self._progress.state != "running":
                return
            self._progress.rows += 1
            self._guarded(function, message)

    def frames(self) -> list[RollingFrame]:
        """Return none."""
        return []


class StreamDelivery(Delivery):
    """Sends rows down a streamz graph, whose source is held weakly: it lives as long as its users want.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    clock : Clock
        For windows in seconds of the frames in the graph.
    schedule : Schedule
        For later calls on the thread that delivers.
    """

    def __init__(self, opening: Opening, clock: Clock, schedule: Schedule) -> None:
        super().__init__(opening)
        self.clock = clock
        self.schedule = schedule
        self._source: weakref.ref[Stream] | None = None

    def begin_with(self, source: Stream) -> None:
        """Send to `source` from now on."""
        self._source = weakref.ref(source)

    def admit(self, node: Stream) -> None:
        """Refuse a new node that could not work.

        Raises
        ------
        PipelineError
            When the node has an event loop, or the pipeline is detached or closed.
        """
        refuse_loop(node)
        if self._progress.state != "running":
            raise PipelineError(
                f"Pipeline {self.label.name!r} is {self._progress.state}: nothing comes through it any more. "
                "Ask the feed for a new one, with stream() or messages()."
            )

    def end(self) -> None:
        """Take the graph apart."""
        source = self._begun()
        if source is not None:
            destroy_below(source)

    def _begun(self) -> Stream | None:
        return None if self._source is None else self._source()

    def _hand_over(self, element: Element) -> None:
        self._progress.rows += _count(element)
        source = self._begun()
        if source is not None:
            self._guarded(send, source, element)

    def frames(self) -> list[RollingFrame]:
        """Return those that users put into the graph."""
        source = self._begun()
        below = [] if source is None else reachable(source)
        return [store_of(node) for node in below if isinstance(node, FrameReading)]


class FrameDelivery(StreamDelivery):
    """Sends one polars DataFrame a batch to what a user built on ``stream()``."""

    kind = "frames"

    def _wanted(self, batch: Batch) -> pl.DataFrame | None:
        frame = batch.select(self.label.market_tickers, self.pipeline.exact)
        # A node may change its frame in place; nobody else is to notice.
        return None if frame is None else frame.clone()


class MessageDelivery(StreamDelivery):
    """Sends one list of messages a batch to what a user built on ``messages()``."""

    kind = "messages"

    def _wanted(self, batch: Batch) -> list[Message]:
        return from_rows(self.label.channel, batch.rows_for(self.label.market_tickers))


def _ending(reference: weakref.ref[Delivery], opening: Opening) -> Callable[[], None]:
    """Return what closing a pipeline does; a pipeline in somebody's hands keeps its delivery no more alive."""

    def end() -> None:
        delivery = reference()
        if delivery is not None:
            delivery.end()
            opening.discard(delivery)
        if opening.on_close is not None:
            opening.on_close()

    return end


def _count(element: Element) -> int:
    return len(element) if isinstance(element, list) else element.height
