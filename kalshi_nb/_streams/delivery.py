"""How rows get from a batch to one pipeline: what all kinds of pipelines have in common."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec.structs import replace

from kalshi_nb._frames.batch import Batch
from kalshi_nb._messages.gaps import Gap
from kalshi_nb._moments import datetime_of
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.steering import ClockStepRow, DroppedRows, ResetRow
from kalshi_nb._streams.beginning import Beginning
from kalshi_nb._streams.fetched import Fetched
from kalshi_nb._streams.losses import Losses
from kalshi_nb._streams.pipeline import Pipeline
from kalshi_nb._streams.progress import Progress
from kalshi_nb._streams.rest import Rest
from kalshi_nb._streams.troubles import keys_dropped
from kalshi_nb.messages import from_row, from_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from kalshi_nb._clock import Clock
    from kalshi_nb._frames.pending import PlainRows
    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.steering import SteeringRow
    from kalshi_nb._streams.notices import Notices
    from kalshi_nb._streams.pipeline import Kind, Label
    from kalshi_nb._waiting import Standing
    from kalshi_nb.messages import Message

    Element = pl.DataFrame | PlainRows | list[Message | Gap]

__all__ = ["Delivery", "Element", "Opening", "messages_of", "size_of"]


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
    clock : Clock
        The market's time.
    steady : callable
        The present on a timeline that never goes back, in microseconds; see `Rest`.
    discard : callable
        Called with the delivery when the pipeline is closed.
    on_close : callable or None
        Called after that.
    gaps : bool
        Gaps come in band, among its messages.
    standing : Standing or None
        How the feed stands, for those who wait for rows.
    made : callable
        Called with the CPU seconds that a frame for users took, and its rows.
    """

    label: Label
    exact: bool
    notices: Notices
    clock: Clock
    steady: Callable[[], int]
    discard: Callable[[Any], None]
    on_close: Callable[[], Any] | None
    gaps: bool = False
    standing: Standing | None = None
    made: Callable[[float, int], None] = lambda _seconds, _rows: None


class Delivery(ABC):
    """Brings rows to one pipeline; whatever is raised there is counted, and goes no further.

    One thread at a time delivers: whoever makes the turn (see `Turns`) to the feed's own frames and to those who
    listen, `kalshi-user` to all else. Any other may close the pipeline at any moment, also a node or callback in the
    middle of a delivery. So the state is looked at before each batch, each message and each later call, and nowhere is
    it assumed that it still is what it was; whoever closes takes the graph apart while a batch may yet be in it, which
    streamz's nodes and the node sets of `graph` bear. The counts have one writer at a time, so they need no lock; what
    was lost is counted by whoever closes or drops, too, and so under a lock of its own.

    To make a kind of pipeline takes what its rows are (`_wanted`) and what is done with them (`_hand_over`), which
    calls code of the user's only by `_guarded`. With `Opening.gaps` the lists of `messages_of` have a `Gap` wherever
    one is known; what a kind loses by itself it counts by ``self._lost``, which tells of it in band as well.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    """

    kind: ClassVar[Kind]

    def __init__(self, opening: Opening) -> None:
        self.label = opening.label
        self.standing = opening.standing
        self.losses = Losses(opening.label.channel, opening.label.market_tickers, opening.clock, opening.steady)
        self._clock = opening.clock
        self._gaps = opening.gaps
        self._due: list[Message | Gap] = []
        self._progress = Progress(self.losses, Rest(opening.steady))
        self._notices = opening.notices
        self._fetched = Fetched(opening.label) if opening.label.backfill else None
        self._beginning = Beginning() if opening.label.channel == QUOTES else None
        ending = _ending(weakref.ref(self), opening)
        self.pipeline = Pipeline(opening.label, self.kind, self._progress, ending, exact=opening.exact)

    @property
    def is_closed(self) -> bool:
        """Whether the pipeline was closed."""
        return self._progress.closed

    def deliver(self, batch: Batch) -> None:
        """Bring the rows of `batch` that are wanted to the pipeline, and do as steering rows among them say."""
        for part in self._parts_of(batch):
            if self._progress.closed:
                return
            if isinstance(part, Batch):
                self._deliver_rows(part)
            else:
                self._follow(part)
        self._deliver_due()

    def run(self, call: Callable[[], None]) -> None:
        """Make a later call of one of the nodes, under the same care as `deliver`."""
        if not self._progress.closed:
            self._guarded(None, call)

    def troubles(self, pending_rows: int) -> Iterator[str]:  # noqa: ARG002  # whoever may be slow asks
        """Say what somebody should look at, a sentence each."""
        for frame in self.frames():
            if frame.dropped_keys:
                yield keys_dropped(self.label.name, frame.dropped_keys)

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

    def _messages_of(self, batch: Batch, *, gaps: bool) -> list[Message | Gap]:
        """Return the messages of the pipeline's markets, and with `gaps` the gaps that are the pipeline's own."""
        return messages_of(batch, self.label.market_tickers, gaps=gaps, since=self._progress.gaps_since)

    def _parts_of(self, batch: Batch) -> Sequence[Batch | SteeringRow]:
        """Return the parts of a batch, each brought once; rows that were fetched are batches where they are wanted."""
        return batch.parts if self._fetched is None else self._fetched.parts_of(batch)

    def _deliver_rows(self, batch: Batch) -> None:
        try:
            element = self._wanted(batch if self._beginning is None else self._beginning.of(batch))
        except Exception as error:  # noqa: BLE001  # rows that make no frame are the kit's fault, not the user's
            self._notices.kit_failed(error)
            return
        if element is not None and size_of(element):
            self._accept(element)

    def _deliver_due(self) -> None:
        """Tell of the gaps that no message came after."""
        if self._due and not self._progress.closed:
            self._accept([])

    def _accept(self, element: Element) -> None:
        self._progress.batches += 1
        self._pass_on(element)

    def _pass_on(self, element: Element) -> None:
        if self._due:
            assert isinstance(element, list)  # frames are told of no gaps in band
            element, self._due = [*self._due, *element], []
        self._hand_over(element)

    def count(self, row: DroppedRows) -> None:
        """Count what went before the pipeline, which may be stuck, and is told of it when it comes to its place."""
        rows = self.missed(row)
        if rows and row.number is not None:
            self.losses.drop(rows, row.number, row.opened_at)

    def missed(self, row: DroppedRows) -> int:
        """Return how many of the rows that went were for the pipeline."""
        label = self.label
        return row.about(label.market_tickers, others=self.kind != "frames", late=label.backfill)

    def _lost(self, rows: int, opened_at: int | None = None) -> None:
        """Count rows that went before the pipeline, and tell of it before the next message."""
        self._tell(self.losses.add(rows, "dropped", opened_at))

    def _tell(self, gap: Gap | None) -> None:
        """Tell of rows that went before the next message, where gaps are wanted."""
        if gap is not None and self._gaps:
            self._due.append(gap)

    def _follow(self, row: SteeringRow) -> None:
        try:
            self._apply(row)
        except Exception as error:  # noqa: BLE001  # as for rows that make no frame, and the next ones are to come
            self._notices.kit_failed(error)

    def _apply(self, row: SteeringRow) -> None:
        if isinstance(row, ResetRow):
            self._progress.gaps_since = 0
            if self._beginning is not None:
                self._beginning.again()
            for frame in self.frames():
                frame.reset()
        elif isinstance(row, ClockStepRow):
            for frame in self.frames():
                frame.step(row.by)
        elif isinstance(row, DroppedRows):
            if row.number is None:
                rows = self.missed(row)
                if rows:
                    self._lost(rows, row.opened_at)
            else:
                self._tell(self.losses.told(row.number))

    def _guarded(self, element: object, call: Callable[..., Any], *arguments: Any) -> None:
        """Make a call that the user may have had a hand in; `element` is what it is about."""
        try:
            call(*arguments)
        except BaseException as error:  # noqa: BLE001  # not even SystemExit of a user's node ends the feed's thread
            self._raised(error, element)
        else:
            self._succeeded(element)

    def _raised(self, error: BaseException, element: object) -> None:
        self._progress.errors_in_a_row += 1
        self._failed(error, element)

    def _succeeded(self, element: object) -> None:  # noqa: ARG002  # whoever rests asks what it was
        self._progress.errors_in_a_row = 0

    @abstractmethod
    def _failed(self, error: BaseException, element: object) -> None:
        """Count what was raised; it goes no further."""


def messages_of(
    batch: Batch, market_tickers: frozenset[str] | None, *, gaps: bool, since: int = 0
) -> list[Message | Gap]:
    """Return the messages of some markets, and with `gaps` whatever gaps concern these, at their places.

    Gaps with marks below `since` are left out.
    """
    rows = batch.rows_for(market_tickers, gaps=gaps)
    if batch.late:
        return [replace(each, backfilled=True) for each in from_rows(batch.channel, rows)]
    if not gaps or GapRow not in batch.kinds:
        return [*from_rows(batch.channel, rows)]
    found: list[Message | Gap] = []
    for row in rows:
        if isinstance(row, GapRow):
            if row.mark < since:
                continue
            opened_at = datetime_of(row.opened_at)
            found.append(Gap(batch.channel, row.market_ticker, opened_at, row.reason))
        else:
            found.append(from_row(batch.channel, row))
    return found


def size_of(element: Element) -> int:
    """Return how much there is to hand over: rows or messages, gaps among these counted."""
    return len(element) if isinstance(element, list) else element.height


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
