"""How rows get to what users build, and what happens when that raises."""

from __future__ import annotations

import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.marks import BACKFILLED
from kalshi_nb._frames.reading import FrameReading, store_of
from kalshi_nb._messages.gaps import Gap
from kalshi_nb._rows.channels import NEVER_DROPPED
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.steering import ResetRow, SteeringRow
from kalshi_nb._streams.delivery import Delivery, size_of
from kalshi_nb._streams.failures import Failed
from kalshi_nb._streams.functions import refuse_unstarted, refuse_unusable
from kalshi_nb._streams.graph import destroy_below, reachable, refuse_loop, send
from kalshi_nb._streams.notices import ERRORS_IN_A_ROW
from kalshi_nb._streams.troubles import remark_on, troubles_of
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from streamz import Stream

    from kalshi_nb._frames.rolling import RollingFrame
    from kalshi_nb._rows.gaps import Gap as KnownGap
    from kalshi_nb._streams.delivery import Element, Opening
    from kalshi_nb._streams.schedule import Schedule
    from kalshi_nb.messages import Message

    class Covered(Protocol):
        """Knows whether a frame lacks rows."""

        def complete(self, since: dt.datetime | dt.timedelta | str | None = None) -> bool:
            """Tell whether no gap is known since a moment."""
            ...

        def close(self) -> None:
            """Take no note of later gaps."""
            ...

    class KnownGaps(Protocol):
        """Knows the gaps that concern a pipeline, since it was made."""

        def known(self) -> list[KnownGap]:
            """Return those that the feed has not forgotten, oldest first."""
            ...

        def began_at(self) -> int:
            """Return when that was, in microseconds of the market's time."""
            ...

        def forgot_since(self, moment: int) -> bool:
            """Tell whether some may be forgotten that were open at a moment of the steady timeline, or later."""
            ...

        def now(self) -> int:
            """Return the present on the steady timeline."""
            ...

    class Watcher(Protocol):
        """A node that has something to say although no element comes."""

        def news(self) -> pl.DataFrame | None:
            """Return what it has to say now."""
            ...

        def pass_on(self, news: pl.DataFrame) -> None:
            """Say that to the nodes below."""
            ...

        def forget(self) -> None:
            """Begin anew."""
            ...

    Cover = Callable[[RollingFrame, Callable[[int], bool]], Covered]


__all__ = ["MOST_WAITING", "CallbackDelivery", "FrameDelivery", "MessageDelivery", "StreamDelivery", "UserDelivery"]

MOST_WAITING: Final = 100_000
"""So many rows of one's own account wait for a pipeline that rests."""

_MOST_FAILED: Final = 1_000
_MOST_FAILED_ROWS: Final = 100_000
_MOMENT: Final = 0.002  # seconds by which two clocks may part
_BUILDING: Final = 0.05
"""Seconds after its beginning until which a graph may be in the making, so that what comes for it waits."""

_UNTOUCHED: Final = 2.0
"""The same where nothing hangs on it yet: a busy machine may hold up a cell between its first node and the next."""

_LOOK: Final = 0.25  # seconds between two looks whether a rest is over
_LULL: Final = 30.0  # seconds after which it is news again that rows are dropped


class UserDelivery(Delivery):
    """Brings rows to what a user built, which may raise; then it rests for a while.

    All that comes goes through one line, first in, first out, which is empty between two batches unless the pipeline
    rests and its channel is about one's own account: then what came meanwhile waits in it. On all other channels what
    comes during a rest is counted and forgotten. When the rest is over the first element is a probe: where it raises,
    the next rest begins, and what is behind it stays in the line, or goes.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    schedule : Schedule
        For later calls on the thread that delivers.
    """

    def __init__(self, opening: Opening, schedule: Schedule) -> None:
        super().__init__(opening)
        self.schedule = schedule
        self._rest = self._progress.rest
        self._made = opening.made
        self._line: deque[Batch | SteeringRow | list[Message | Gap]] = deque()
        self._waits = opening.label.channel in NEVER_DROPPED
        self._lost_before = 0
        self._lost_at = -_LULL
        self._failed_rows = 0

    def deliver(self, batch: Batch) -> None:
        """Bring the rows of `batch` that are wanted to the pipeline, behind those that wait."""
        self._progress.began = began = time.monotonic()
        parts = self._parts_of(batch)
        if len(parts) == 1 and not self._line and not self._rest.active and not self._waits:
            # Nothing stands in the line, so nothing has to stand behind it; what raises may begin one.
            self._bring(parts[0])
            if self._line or self._due:
                self.go_on()
        else:
            self._line.extend(parts)
            self.go_on()
        self._progress.took = time.monotonic() - began
        self._progress.began = None

    @property
    def is_due(self) -> bool:
        """Whether something waits that can be brought now."""
        return bool(self._line) and not self._rest.lasts()

    def built(self) -> None:
        """Take note that whoever builds on the pipeline has what he wants."""

    def look(self) -> None:
        """Have nodes say what became so by itself; the thread that delivers calls this now and then."""

    def go_on(self) -> None:
        """Bring what waits to the pipeline, unless it rests; the thread that delivers calls this now and then."""
        while self._line and not self._progress.closed:
            if self._rest.lasts():
                self._set_aside()
                break
            self._bring(self._line.popleft())
        if self._progress.closed:
            self._line.clear()
            return
        if not self._rest.active:
            self._deliver_due()
        if self._waits:
            self._progress.waiting = sum(map(self._number, self._line))
            self._progress.full = self._progress.full and self._progress.waiting >= MOST_WAITING

    def run(self, call: Callable[[], None]) -> None:
        """Make a later call of one of the nodes; where the pipeline rests, after that."""
        if call == self._wake:
            return
        if self._rest.active:
            self.schedule.call_at(self.schedule.now() + max(_LOOK, self._rest.seconds_left()), self, call)
        elif not self._progress.closed:
            self._guarded(getattr(getattr(call, "__self__", None), "held", None), call)

    def remark(self) -> str:
        """Say why nothing comes through the pipeline just now, in a few words; nothing while something can."""
        return remark_on(self._progress)

    def troubles(self, pending_rows: int) -> Iterator[str]:
        """Say what somebody should look at; see `troubles_of`."""
        yield from super().troubles(pending_rows)
        yield from troubles_of(self.label.name, self.label.channel, self._progress, pending_rows)

    def end(self) -> None:
        """Let go of what was built on the pipeline, which is closed, and count what waited for it as lost.

        The line itself is the delivering thread's, which may be in the middle of it.
        """
        if self._progress.waiting:
            self.losses.grow(self._progress.waiting, "dropped")
        self.losses.end()

    def _bring(self, part: Batch | SteeringRow | list[Message | Gap]) -> None:
        if isinstance(part, Batch):
            self._deliver_rows(part)
        elif isinstance(part, list):
            self._pass_on(part)
        else:
            self._follow(part)

    def _pass_on(self, element: Element) -> None:
        if self._rest.active:  # this is the probe
            gap = self.losses.close()
            if gap is not None and self._gaps:
                self._due.append(gap)
        super()._pass_on(element)

    def _tell(self, gap: Gap | None) -> None:
        super()._tell(gap)
        if gap is None:
            return
        now = time.monotonic()
        if now - self._lost_at > _LULL:
            self._notices.dropped(self.pipeline, gap.rows or 0)
        self._lost_at = now

    # Rests --------------------------------------------------------------------------------------------

    def _set_aside(self) -> None:
        """Do with what came during a rest as is right for its channel."""
        if self._waits:
            self._keep_newest()
            return
        rows = 0
        while self._line:
            part = self._line.popleft()
            if isinstance(part, SteeringRow):
                self._follow(part)
                continue
            rows += self._number(part)
            if self._gaps:
                self._due += self._gaps_in(part)
        if rows:
            self.losses.grow(rows, "rested")

    def _keep_newest(self) -> None:
        """Let the oldest of what waits go, where more waits than may."""
        self._line = deque(self._own(part) for part in self._line)
        waiting, lost = sum(map(self._number, self._line)), 0
        while waiting > MOST_WAITING or len(self._line) > MOST_WAITING:
            part = self._line.popleft()
            if isinstance(part, SteeringRow):
                self._follow(part)
                continue
            rows = self._number(part)
            gone = min(rows, max(0, waiting - MOST_WAITING))
            if gone < rows:
                self._line.appendleft(self._behind(part, gone))
            waiting, lost = waiting - gone, lost + gone
        if lost:
            if not self._progress.full:
                self._notices.filled(self.pipeline, MOST_WAITING)
            self._progress.full = True
            self.losses.grow(lost, "dropped")

    def _behind(self, part: Batch | list[Message | Gap], rows: int) -> Batch | list[Message | Gap]:
        """Return `part` without its first rows, and without the gaps in it: one more is told of."""
        if isinstance(part, Batch):
            return Batch(part.channel, part.rows_for(self.label.market_tickers)[rows:])
        messages: list[Message | Gap] = [each for each in part if not isinstance(each, Gap)]
        return messages[rows:]

    def _own(self, part: Batch | SteeringRow | list[Message | Gap]) -> Batch | SteeringRow | list[Message | Gap]:
        """Return `part` with the rows of the pipeline's markets alone, which is all that is to wait."""
        if isinstance(part, Batch) and part.market_tickers - (self.label.market_tickers or part.market_tickers):
            return Batch(part.channel, part.rows_for(self.label.market_tickers, gaps=True))
        return part

    def _number(self, part: Batch | SteeringRow | list[Message | Gap]) -> int:
        """Return how many rows, or messages, `part` has for the pipeline."""
        if isinstance(part, list):
            return _messages_in(part)
        if not isinstance(part, Batch):
            return 0
        rows = part.rows_for(self.label.market_tickers)
        return sum(type(row) is tuple for row in rows) if self.kind == "frames" else len(rows)

    def _gaps_in(self, part: Batch | list[Message | Gap]) -> list[Message | Gap]:
        if isinstance(part, list):
            return [each for each in part if isinstance(each, Gap)]
        return self._messages_of(Batch(part.channel, part.gaps), gaps=True)

    def _failed(self, error: BaseException, element: object) -> None:
        progress = self._progress
        failure = self._notices.failure(error, self.pipeline, self._calls())
        rests = progress.errors_in_a_row >= ERRORS_IN_A_ROW
        first = rests and not self._rest.active
        self._remember(Failed(element, failure))
        self.losses.raised()
        # In this order, so that whoever sees the rest, or the count, finds the error.
        progress.last_error = failure
        if rests:
            if first:
                self._lost_before = self.losses.rows
            self._rest.begin()
            if self._waits:
                # The thread wakes when it is over: no other row may come for hours.
                self.schedule.call_at(self.schedule.now() + self._rest.seconds + _MOMENT, self, self._wake)
        progress.errors += 1
        seconds = self._rest.seconds if first else 0.0
        self._notices.of_pipeline(failure, rests=seconds, first=progress.errors_in_a_row == 1)

    def _remember(self, failed: Failed) -> None:
        kept = self._progress.failed
        kept.append(failed)
        self._failed_rows += failed.rows
        while len(kept) > 1 and (len(kept) > _MOST_FAILED or self._failed_rows > _MOST_FAILED_ROWS):
            self._failed_rows -= kept.popleft().rows

    def _succeeded(self, element: object) -> None:
        if isinstance(element, Gap):
            return  # a callback that leaves gaps alone is not well by that
        super()._succeeded(element)
        if self._rest.active:
            self._rest.end()
            self._notices.recovered(self.pipeline, self.losses.rows - self._lost_before)

    def _calls(self) -> Callable[..., Any] | None:
        """Return the user's function, where there is one alone."""
        return None

    def _wake(self) -> None:
        """Do nothing: that the thread is awake is enough."""


class CallbackDelivery(UserDelivery):
    """Calls a function with each message.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    schedule : Schedule
        For later calls on the thread that delivers.
    function : callable
        The user's.
    """

    kind = "callback"

    def __init__(self, opening: Opening, schedule: Schedule, function: Callable[[Message | Gap], Any]) -> None:
        super().__init__(opening, schedule)
        self._function: Callable[[Message | Gap], Any] | None = function

    def end(self) -> None:
        """Let go of the function."""
        super().end()
        self._function = None

    def _wanted(self, batch: Batch) -> list[Message | Gap]:
        return self._messages_of(batch, gaps=self._gaps)

    def _hand_over(self, element: list[Message | Gap]) -> None:
        # Each message comes through here, so what is asked for each is little, and what `_guarded` does stands here.
        progress, rest = self._progress, self._rest
        for at, message in enumerate(element):
            function = self._function
            if function is None or progress.closed:
                return
            if rest.active and rest.lasts():
                self._line.appendleft(element[at:])
                return
            if type(message) is not Gap:
                progress.rows += 1
            try:
                result = function(message)
                if result is not None:
                    refuse_unstarted(result, self.label.channel)
            except BaseException as error:  # noqa: BLE001  # as in `_guarded`
                if type(message) is Gap:
                    self._failed_at_gap(error, message)
                else:
                    self._raised(error, message)
            else:
                if progress.errors_in_a_row and type(message) is not Gap:
                    self._succeeded(message)

    def _failed_at_gap(self, error: BaseException, gap: Gap) -> None:
        """Count what was raised at a gap, without a rest: each rest makes a gap, and would never be the last."""
        failure = self._notices.failure(error, self.pipeline, self._calls())
        self._remember(Failed(gap, failure))
        self._progress.last_error = failure
        self._progress.errors += 1
        self._notices.of_pipeline(failure, rests=0.0, first=True)

    def _calls(self) -> Callable[..., Any] | None:
        return self._function

    def frames(self) -> list[RollingFrame]:
        return []


class StreamDelivery(UserDelivery):
    """Sends rows down a streamz graph, whose source is held weakly: it lives as long as its users want.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    schedule : Schedule
        For later calls on the thread that delivers.
    """

    def __init__(self, opening: Opening, schedule: Schedule) -> None:
        super().__init__(opening, schedule)
        self.clock = opening.clock
        self.cover: Cover | None = None
        """Makes what knows whether a frame in the graph lacks rows; None where nobody can know."""
        self.known_gaps: Callable[[], KnownGaps] | None = None
        """Makes what knows the gaps that concern a node, from then on; None where nobody can know."""
        self._covered: weakref.WeakSet[Covered] = weakref.WeakSet()
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
        self._building_until = self._untouched_until = 0.0
        self._source: weakref.ref[Stream] | None = None

    def covered(self, store: RollingFrame) -> Covered | None:
        """Return what knows from now on whether a frame in the graph lacks rows, until the pipeline is closed."""
        if self.cover is None:
            return None
        made = self.cover(store, self.losses.since)
        self._covered.add(made)
        return made

    def begin_with(self, source: Stream) -> None:
        """Send to `source` from now on."""
        self._source = weakref.ref(source)
        now = self.schedule.now()
        self._building_until, self._untouched_until = now + _BUILDING, now + _UNTOUCHED

    @property
    def is_due(self) -> bool:
        """Whether something waits that can be brought now."""
        return super().is_due and not self._is_in_the_making()

    def _keep(self, batch: Batch) -> None:
        """Have a batch wait while a cell may still be building: the first quotes come before the second node does."""
        self._line.extend(self._parts_of(batch))
        # A first node that is just being admitted saw no line: it is looked for once more before the last moment.
        for moment in (max(self._building_until, self.schedule.now() + _BUILDING), self._untouched_until):
            self.schedule.call_at(moment, self, self._wake)

    def _is_in_the_making(self) -> bool:
        now = self.schedule.now()
        if now < self._building_until:
            return True
        source = self._begun()
        return now < self._untouched_until and source is not None and not source.downstreams

    def built(self) -> None:
        """Take note that whoever builds on the pipeline has what he wants."""
        self._building_until = self._untouched_until = 0.0

    def deliver(self, batch: Batch) -> None:
        """Bring the rows of `batch` to the graph once that is there, and have its nodes look where a gap is seen."""
        if self._is_in_the_making():
            self._keep(batch)
            return
        super().deliver(batch)
        if GapRow in batch.kinds:
            self.look()

    def watch(self, node: Watcher) -> None:
        """Have a node asked for news: after each gap, at moments that it asks for, and when somebody waits for all."""
        self._watchers.add(node)

    def look_at(self, moment: int) -> None:
        """Have the nodes asked for news at a microsecond of the market's time, or soon after.

        Where that time is moved by hand, whoever moves it waits for a turn, and they are asked in it.
        """
        left = max(0, moment - self.clock.now_us()) / 1_000_000
        self.schedule.call_at(self.schedule.now() + left + _MOMENT, self, self._wake)

    def look(self) -> None:
        """Have nodes say what became so by itself, unless the pipeline rests."""
        if self._rest.active:
            return
        for node in list(self._watchers):
            if self._progress.closed:
                return
            try:
                news = node.news()
            except Exception as error:  # noqa: BLE001  # the user has no hand in it, and the other nodes have news, too
                self._notices.kit_failed(error)
                continue
            if news is not None:
                self._guarded(news, node.pass_on, news)

    def _apply(self, row: SteeringRow) -> None:
        super()._apply(row)
        if isinstance(row, ResetRow):
            for node in list(self._watchers):
                node.forget()

    def admit(self, node: Stream) -> None:
        """Refuse a new node that could not work.

        Raises
        ------
        PipelineError
            When the node has an event loop, its function is none or never runs, or the pipeline is closed; behind
            ``scatter()`` when it would not know what to do with what passes there.
        """
        # Behind scatter() nodes have a loop, which they do not use, and those above say who may stand there.
        ways = [getattr(above, "_admits", None) for above in node.upstreams]
        (next(filter(None, ways), None) or refuse_loop)(node)
        refuse_unusable(node, self.label.channel)
        if self._progress.closed:
            raise PipelineError(
                f"Pipeline {self.label.name!r} is closed: nothing comes through it any more. "
                "Ask the feed for a new one, with stream() or messages()."
            )
        if self._line and (now := self.schedule.now()) < self._untouched_until:
            # What waits for this node waits for those that the same cell puts beside it or below, too.
            self._building_until = now + _BUILDING
            self.schedule.call_at(self._building_until, self, self._wake)

    def end(self) -> None:
        """Take the graph apart."""
        super().end()
        for each in list(self._covered):
            each.close()
        source = self._begun()
        if source is not None:
            destroy_below(source)

    def _begun(self) -> Stream | None:
        return None if self._source is None else self._source()

    def _hand_over(self, element: Element) -> None:
        self._progress.rows += _messages_in(element) if isinstance(element, list) else size_of(element)
        source = self._begun()
        if source is not None:
            self._guarded(element, send, source, element)

    def frames(self) -> list[RollingFrame]:
        source = self._begun()
        below = [] if source is None else reachable(source)
        return [store_of(node) for node in below if isinstance(node, FrameReading)]


class FrameDelivery(StreamDelivery):
    """Sends one polars DataFrame a batch to what a user built on ``stream()``."""

    kind = "frames"

    def _wanted(self, batch: Batch) -> pl.DataFrame | None:
        began = time.thread_time()
        frame = batch.select(self.label.market_tickers, self.pipeline.exact)
        if frame is None:
            return None
        if self.label.backfill:
            frame = frame.with_columns(pl.lit(batch.late).alias(BACKFILLED))
        self._made(time.thread_time() - began, frame.height)
        # A node may change its frame in place; nobody else is to notice.
        return frame.clone()


class MessageDelivery(StreamDelivery):
    """Sends one list of messages a batch to what a user built on ``messages()``."""

    kind = "messages"

    def _wanted(self, batch: Batch) -> list[Message | Gap]:
        return self._messages_of(batch, gaps=self._gaps)


def _messages_in(element: list[Message | Gap]) -> int:
    return sum(not isinstance(each, Gap) for each in element)
