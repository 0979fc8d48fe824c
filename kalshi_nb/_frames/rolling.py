"""A frame that grows at one end and is cut at the other, written by one thread and read by all."""

from __future__ import annotations

import datetime as dt
import threading
import time
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kalshi_nb._durations import Duration
from kalshi_nb._durations import seconds as positive_seconds
from kalshi_nb._frames.blocks import Blocks
from kalshi_nb._frames.clock_steps import ClockSteps
from kalshi_nb._frames.columns import Columns
from kalshi_nb._frames.joining import without_first
from kalshi_nb._frames.last_rows import DEFAULT_KEYS, LastRows, Law, moments
from kalshi_nb._frames.pending import Part, PlainRows, joined, nbytes_of
from kalshi_nb._frames.schema import MARKET, RECEIVED
from kalshi_nb._rows.channels import position
from kalshi_nb._usage import whole
from kalshi_nb._wakeup import Waiters
from kalshi_nb.errors import ConfigurationError, PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kalshi_nb._clock import Clock

__all__ = ["DEFAULT_ROWS", "LONGEST_SECONDS", "RollingFrame", "View", "Window", "most_keys", "window"]

DEFAULT_ROWS: Final = 100_000
LONGEST_SECONDS: Final = 100 * 366 * 86_400
_FEW_ROWS: Final = 1_024
"""So many rows do not wait any longer: whoever reads has to make columns of fewer."""
_SMALL_PART: Final = 256
"""Nor does a part of so many rows, which cost more to be joined to others once more than to be taken in."""
_FEW_PARTS: Final = 64
"""Nor do so many parts, however small: frames cost by the frame where they are joined."""
_MOST_READ: Final = 16
"""So many parts that were read one by one are joined by the next reader."""
_ENOUGH: Final = 256
"""So many rows that wait are taken in by whoever reads, so that the writer need not. Beside a cell that computes, each
step of polars costs another thread 5 ms, for it has to ask for the interpreter anew, and no row comes meanwhile."""
_MANY: Final = 100
"""So many rows at once are worth the call that makes columns of them before anybody reads."""
_LATELY: Final = 1.0
"""Whoever read the frame less than so many seconds ago is likely to read it again."""
_NEXT: Final = 1_000
"""Whoever waits for a row that so many are to come before can wait for them all."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Window(NamedTuple):
    """How much a rolling frame keeps: so many rows, so many seconds, or whichever is less."""

    rows: int | None
    seconds: float | None

    def __str__(self) -> str:
        parts = []
        if self.rows is not None:
            parts.append(f"{self.rows:,} rows")
        if self.seconds is not None:
            parts.append(f"{self.seconds:g} s")
        return "keeps " + " and ".join(parts) if parts else "keeps everything"


def window(rows: int | None = None, seconds: Duration | None = None) -> Window:
    """Return a checked window, 100,000 rows where nothing is given.

    Raises
    ------
    ConfigurationError
        For anything but a positive whole number of rows and a length of time above zero.
    """
    if rows is not None:
        rows = whole("rows", rows, "give a positive whole number, for example rows=100_000")
    if seconds is not None:
        advice = 'give a length of time, such as seconds=600 or seconds="10m"'
        seconds = positive_seconds("seconds", seconds, advice, most=LONGEST_SECONDS)
    if rows is None and seconds is None:
        rows = DEFAULT_ROWS
    return Window(rows, seconds)


def most_keys(latest_keys: int | None) -> int:
    """Return a checked number of keys that ``latest()`` keeps beside the window, 100,000 where none is given.

    Raises
    ------
    ConfigurationError
        For anything but a positive whole number.
    """
    if latest_keys is None:
        return DEFAULT_KEYS
    return whole("latest_keys", latest_keys, "give a positive whole number, for example latest_keys=1_000_000")


def _without(rows: PlainRows, name: str, known: pl.Series) -> PlainRows:
    """Return those rows that have a value in a column which is not among the known ones, each once."""
    at = position(rows.channel, name)
    seen = set(known.to_list())
    new: list[bool] = []
    for row in rows.rows:
        new.append(row[at] not in seen)
        seen.add(row[at])
    marks = None if rows.marks is None else list(compress(rows.marks, new))
    return rows._replace(rows=list(compress(rows.rows, new)), marks=marks)


def _raise(error: BaseException) -> None:
    raise error


class View(NamedTuple):
    """The rows of the window, their blocks, what left it, and its clock: replaced whole, never changed."""

    df: pl.DataFrame
    blocks: Blocks
    folded: LastRows
    steps: ClockSteps


class _State(NamedTuple):
    """All there is at one moment: replaced whole, never changed, so that no reader meets half a batch."""

    view: View
    pending: tuple[Part, ...]
    """Newer rows that are not in the view yet."""
    seen: View
    """The view with the first of these."""
    parts: int
    """So many of the pending parts are in `seen`."""
    waiting: int
    """Rows of the pending parts."""


class RollingFrame:
    """The newest rows of a stream of frames, as one frame at any moment.

    One thread appends; any thread reads, without waiting for the writer. Rows that come in small parts wait
    to become columns until somebody reads or enough of them are there: whoever reads makes columns of fewer
    than 1,024 rows at most, once, and otherwise pays for an attribute and, for windows in seconds, one slice.

    All that readers see hangs on one attribute, `_state`, a tuple of tuples that nobody changes: whoever reads
    it once has one moment, whatever happens meanwhile. Writers make the next state from the last one, one
    writer at a time, under `_writing`. A reader may replace the state too: it puts what it joined in the
    place of the parts, which are the same rows, so that the next one need not. Only for that assignment, and
    the writer's, both hold `_replacing`, and each looks whether the state is still the one that it began
    with: the reader gives way, the writer reads the parts again. So no reader ever waits for a writer's work.

    Parameters
    ----------
    schema : polars.Schema or None
        Names and dtypes of the columns; None to take them from the first batch.
    rows : int, optional
        Keep at most so many rows; None for no such bound.
    seconds : float, optional
        Keep rows that were received at most so long ago; None for no such bound. The clock decides at the
        moment of reading, so a window empties although nothing arrives.
    clock : Clock
        What time it is now, for `seconds`.
    key : tuple of str
        The columns that `latest` goes by.
    latest_keys : int
        How many rows `latest` keeps beside the window; see `Law`.
    ended : tuple of str and frozenset of str, or None
        Which of them are the first to go; see `Law`.
    on_lost : callable
        Called with the error when rows of `append_rows` cannot become columns. They are left out, and count no
        more.

    Raises
    ------
    ConfigurationError
        When `seconds` is given and `schema` has no time column ``received_at``.
    """

    def __init__(
        self,
        schema: pl.Schema | None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        clock: Clock,
        key: tuple[str, ...] = (MARKET,),
        latest_keys: int = DEFAULT_KEYS,
        ended: tuple[str, frozenset[str]] | None = None,
        on_lost: Callable[[BaseException], None] = _raise,
    ) -> None:
        self.window = Window(rows, seconds)
        self._span_us = None if seconds is None else round(seconds * 1_000_000)
        self._clock = clock
        self._columns = None if schema is None else Columns(schema)
        self._key = key
        self._on_lost = on_lost
        self.on_reset: Callable[[], None] = lambda: None
        """Called by each reset, on the thread that writes."""
        self.on_awaited: Callable[[], None] = lambda: None
        """Called when somebody begins to wait, or reads after nobody did for a while."""
        self._read_at = -_LATELY
        self._writing = threading.Lock()
        self._replacing = threading.Lock()  # held for an assignment; whoever reads may have to wait for it
        self._total = 0
        self._waiters = Waiters()
        first = pl.DataFrame(schema=schema) if schema is not None else pl.DataFrame()
        if schema is not None:
            problem = self._misses_time(schema)
            if problem is not None:
                raise ConfigurationError(problem)
        view = View(first, Blocks(), LastRows(Law(key, latest_keys, ended)), ClockSteps())
        self._state = _State(view, (), view, 0, 0)
        self._latest: tuple[View, pl.DataFrame] | None = None

    def _misses_time(self, schema: pl.Schema) -> str | None:
        if self._span_us is None or isinstance(schema.get(RECEIVED), pl.Datetime):
            return None
        return (
            f"A window of seconds goes by the column {RECEIVED!r}, a Datetime, and there is none among "
            f"{', '.join(schema) or 'no columns'}. Keep that column, or give rows= instead of seconds=."
        )

    # Writing ------------------------------------------------------------------------------------------

    def append(self, df: pl.DataFrame) -> None:
        """Add rows at the end and let go of those that fall out of the window.

        Raises
        ------
        PipelineError
            When the columns are not those of the frame. Nothing is changed then.
        """
        with self._writing:
            df = self._fitting(df)
            if df.height == 0:
                return
            self._add(df)
        self._come(df.height)

    def append_rows(self, rows: PlainRows) -> None:
        """Add rows of the channel whose columns the frame has; see `append`."""
        with self._writing:
            self._add(rows)
        self._come(rows.height)

    def _come(self, rows: int) -> None:
        """Have ready what the next reader is to find, where one is likely, and wake who waits."""
        # It is the same work on either thread, but beside a loop that takes in 100,000 rows a second a reader waits
        # for the interpreter after each step of it. What comes one by one is left to readers: most is read at once.
        if rows >= _MANY and time.monotonic() - self._read_at < _LATELY:
            state = self._state
            if state.parts < len(state.pending):
                self._seen(state, _FEW_ROWS)
        self._waiters.tell(self._total)  # nobody is woken for rows that are not yet those that were waited for

    def settle(self) -> None:
        """Make columns of all that waits, which shows whether it can be done; changes nothing for readers."""
        with self._writing:
            self._take_in()

    def reset(self) -> None:
        """Forget all rows, also those that `latest` knows of; `total` goes on counting."""
        with self._writing:
            self._take_in()  # what cannot become columns is to count for nothing
            view = self._state.view
            steps = ClockSteps(gone_until=self._clock.now_us())
            self._show(View(view.df.clear(), Blocks(), view.folded.cleared(), steps))
            self.on_reset()

    def step(self, by: int) -> None:
        """Take note that the clock was set: the rows that are there are no younger or older by that.

        Parameters
        ----------
        by : int
            How far, in microseconds; negative where it was set back.
        """
        with self._writing:
            not_set = self._clock.now_us() - by
            view, pending, *_ = self._state
            for df in self._frames_of(pending):
                view = self._grown(view, df, not_set)
            self._show(view._replace(steps=view.steps.stepped(view.blocks.height, by)))

    def insert(self, rows: PlainRows, *, unless: str | None = None) -> int:
        """Put rows in where their ``ts`` belongs, behind rows of the same ``ts``; see `append_rows`.

        They count like all others. Where the window is full, those that are older than all in it are not to be
        seen, and `latest` goes by ``ts`` from now on.

        Parameters
        ----------
        rows : PlainRows
            The rows.
        unless : str, optional
            The column by which it is known which of them are there already; those are left out.

        Returns
        -------
        int
            How many were put in.
        """
        with self._writing:
            self._take_in()
            if unless is not None:
                rows = _without(rows, unless, self._state.view.df[unless])
            if not rows.height:
                return 0
            self._total += rows.height
            for late in self._without_lost((rows,)):
                self._show(self._with_late(self._state.view, late))
        self._waiters.tell(self._total)  # nobody is woken for rows that are not yet those that were waited for
        return rows.height

    def insert_frame(self, df: pl.DataFrame) -> None:
        """Put the rows of a frame in where their ``ts`` belongs, as `insert` does.

        Raises
        ------
        PipelineError
            When the columns are not those of the frame. Nothing is changed then.
        """
        with self._writing:
            df = self._fitting(df)
            if df.height == 0:
                return
            self._take_in()
            self._total += df.height
            self._show(self._with_late(self._state.view, df))
        self._waiters.tell(self._total)  # nobody is woken for rows that are not yet those that were waited for

    def _with_late(self, view: View, late: pl.DataFrame) -> View:
        late = late.sort(moments(), maintain_order=True)
        start = self._start(view.blocks, view.steps)
        # The rows that are there stay in their order, although not all of them came in the order of ts.
        peaks = view.df.slice(start - view.blocks.skip).select(moments().to_physical().cum_max()).to_series()
        places = (
            peaks.fill_null(strategy="forward")
            .fill_null(0)
            .search_sorted(late.select(moments().to_physical()).to_series(), side="right")
        )
        at = [start + place for place in places]
        blocks = view.blocks.with_rows_at(late, at, timed=self._span_us is not None)
        folded = view.folded if self._keyless(late.columns) else view.folded.by_time()
        return self._cut(blocks, folded, view.steps.with_rows_at(at), late)

    def _cut(self, blocks: Blocks, folded: LastRows, steps: ClockSteps, columns_of: pl.DataFrame) -> View:
        kept, dropped = blocks.cut(self._start(blocks, steps))
        steps = steps.without(blocks.height - kept.height)
        return View(kept.frame(columns_of), kept, folded.with_frames(dropped), steps)

    def _show(self, view: View) -> None:
        """Let readers have `view`, in which nothing waits."""
        with self._replacing:
            self._state = _State(view, (), view, 0, 0)

    def _add(self, part: Part) -> None:
        state = self._state
        few = part.height < _SMALL_PART and state.waiting + part.height < _FEW_ROWS
        if few and len(state.pending) + 1 < _FEW_PARTS:
            with self._replacing:
                # Read again: a reader may have joined the parts that were there, or taken them in.
                view, pending, seen, parts, waiting = self._state
                self._state = _State(view, (*pending, part), seen, parts, waiting + part.height)
        else:
            self._take_in(part)
        self._total += part.height

    def _take_in(self, *more: Part) -> None:
        """Bring all that waits, and more, into the blocks; on the writer's side, the lock for writing held.

        All of it goes by the state as it is now. A reader that takes the same in meanwhile has the same rows, and what
        is shown here comes in the place of his.
        """
        view, pending, *_ = self._state
        if not pending and not more:
            return
        for df in self._frames_of((*pending, *more)):
            view = self._grown(view, df)
        self._show(view)

    def _frames_of(self, parts: tuple[Part, ...]) -> list[pl.DataFrame]:
        try:
            return [joined(parts)] if parts else []
        except Exception:  # noqa: BLE001  # one part's fault is not the others': each is tried alone
            return self._without_lost(parts)

    def _without_lost(self, parts: tuple[Part, ...]) -> list[pl.DataFrame]:
        frames = []
        for part in parts:
            try:
                frames.append(joined([part]))
            except Exception as error:  # noqa: BLE001  # whatever it is, whoever made the rows has to know
                self._on_lost(error)
                self._total -= part.height
        return frames

    def _grown(self, view: View, df: pl.DataFrame, now_us: int | None = None) -> View:
        blocks = view.blocks.with_block(df, timed=self._span_us is not None)
        start = self._start(blocks, view.steps, now_us)
        kept, dropped = blocks.cut(start)
        # Where nothing was merged the frame that readers have goes on, which is cheaper than joining anew.
        goes_on = blocks.ends_with(df)
        frame = without_first(view.df.vstack(df), start - view.blocks.skip) if goes_on else kept.frame(df)
        folded = view.folded if self._keyless(df.columns) else view.folded.with_frames(dropped)
        return View(frame, kept, folded, view.steps.without(blocks.height - kept.height))

    def _keyless(self, columns: Iterable[str]) -> list[str]:
        """Return the columns of the key that are not there."""
        return [each for each in self._key if each not in columns]

    def _fitting(self, df: pl.DataFrame) -> pl.DataFrame:
        columns = self._columns
        if columns is None:
            problem = self._misses_time(df.schema)
            if problem is not None:
                raise PipelineError(problem)
            self._columns = Columns(df.schema)
            view = self._state.view._replace(df=df.clear())
            self._state = _State(view, (), view, 0, 0)
        elif not columns.fit(df):
            if dict(df.schema) != dict(columns.schema):
                raise PipelineError(columns.difference(df.schema))
            df = df.select(columns.schema.names())
        # A user may still change the frame that was passed on, in place; a clone stays as it is.
        return df.rechunk() if df.n_chunks() > 1 else df.clone()

    def _start(self, blocks: Blocks, steps: ClockSteps, now_us: int | None = None) -> int:
        """Return how many rows at the front of `blocks` are out of the window at a time, now unless given."""
        start = blocks.skip
        if self.window.rows is not None:
            start = max(start, blocks.height - self.window.rows)
        if self._span_us is not None:
            since = (self._clock.now_us() if now_us is None else now_us) - self._span_us
            if steps:
                return steps.first_since(blocks, since, self._since_tick, start)
            start = blocks.first_since(self._since_tick(since), start)
        return start

    def _since_tick(self, since_us: int) -> int:
        """Return a time in the unit of received_at, rounded up."""
        dtype = None if self.schema is None else self.schema.get(RECEIVED)
        if isinstance(dtype, pl.Datetime) and dtype.time_unit != "us":
            return since_us * 1_000 if dtype.time_unit == "ns" else -(-since_us // 1_000)
        return since_us

    # Reading ------------------------------------------------------------------------------------------

    def _now(self) -> View:
        """Return all rows that have come, whatever the writer does meanwhile."""
        state = self._state
        return state.seen if state.parts == len(state.pending) else self._seen(state)

    def _seen(self, state: _State, enough: int = _ENOUGH) -> View:
        # What was read before is not made anew, only followed by what is new; now and then all that waits is joined,
        # since every part is one more chunk of every column.
        is_enough = state.waiting >= enough
        view, seen = (state.view, 0) if is_enough or state.parts >= _MOST_READ else (state.seen, state.parts)
        try:
            df = joined(state.pending[seen:])
        except Exception:  # noqa: BLE001  # the writer's side leaves out what cannot be, and reports it
            self.settle()
            return self._now()
        if is_enough:
            return self._put_in_place(state, _State(taken := self._grown(view, df), (), taken, 0, 0))
        blocks = view.blocks.followed_by(df, timed=self._span_us is not None)
        start = self._start(blocks, view.steps)
        grown = without_first(view.df.vstack(df), start - view.blocks.skip)
        view = view._replace(df=grown, blocks=blocks.skipping(start))
        pending = (*state.pending[:seen], df)
        return self._put_in_place(state, _State(state.view, pending, view, len(pending), state.waiting))

    def _put_in_place(self, state: _State, same: _State) -> View:
        """Have one state in the place of another, which is the same to readers, if that still is there."""
        with self._replacing:
            if self._state is state:
                self._state = same
        return same.seen

    @property
    def schema(self) -> pl.Schema | None:
        """Names and dtypes, None before the first batch where none were given."""
        return None if self._columns is None else self._columns.schema

    @property
    def subject(self) -> str:
        """The column that says which market a row is about, or whatever else the rows are about."""
        return MARKET if self.schema is None or MARKET in self.schema else self._key[0]

    @property
    def total(self) -> int:
        """How many rows ever came, those that left the window counted."""
        return self._total

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds: the window, what waits to be columns, and what `latest` knows beside it."""
        view, pending, *_ = self._state
        blocks = sum(each.estimated_size() for each in view.blocks.frames)
        return int(blocks) + view.folded.nbytes + sum(map(nbytes_of, pending))

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for one of the next rows, or read them a moment ago."""
        return self._waiters.any_before(self._total + _NEXT) or time.monotonic() - self._read_at < _LATELY

    def _await(self) -> None:
        """Take note that somebody reads."""
        before, self._read_at = self._read_at, time.monotonic()
        if self._read_at - before >= _LATELY:
            self.on_awaited()

    @property
    def df(self) -> pl.DataFrame:
        """The rows in the window now: a frame of the caller's own, which nothing changes later."""
        self._await()
        return self.glimpse()

    def glimpse(self) -> pl.DataFrame:
        """Return the same for who looks a few times a second and is content with what is there: no hurry is made."""
        view = self._now()
        if self._span_us is not None:
            start = self._start(view.blocks, view.steps) - view.blocks.skip
            if start:
                return view.df.slice(start)
        return view.df.clone()

    @property
    def dropped_keys(self) -> int:
        """How many rows went that `latest` kept beside the window, because there were too many."""
        return self._state.view.folded.dropped

    def whole_since_us(self) -> int | None:
        """Return since when all rows that were received are in the window; None for always.

        In microseconds of the clock as it is set now: where it was set meanwhile, that is not what the rows of
        that time bear as their ``received_at``.
        """
        view = self._now()
        start = self._start(view.blocks, view.steps)
        edges = [view.steps.gone_until]
        if self._span_us is not None:
            edges.append(self._clock.now_us() - self._span_us)
        if self.window.rows is not None and view.blocks.height - start >= self.window.rows:
            edges.append(self._received_us(view, start))
        known = [each for each in edges if each is not None]
        return max(known) if known else None

    def _received_us(self, view: View, row: int) -> int | None:
        """Return when a row of the blocks was received, by the clock as it is set now."""
        df = view.df
        if not isinstance(df.schema.get(RECEIVED), pl.Datetime):
            return None
        moment: dt.datetime | None = df[RECEIVED][row - view.blocks.skip]
        if moment is None and isinstance(df.schema.get("ts"), pl.Datetime):
            moment = df["ts"][row - view.blocks.skip]  # one that was fetched
        if moment is None:
            return None
        return (moment - _EPOCH) // dt.timedelta(microseconds=1) + view.steps.off(row)

    def now_us(self) -> int:
        """Return the time that windows go by, in microseconds."""
        return self._clock.now_us()

    def since(self, span_us: int) -> tuple[pl.DataFrame, int | None]:
        """Return the rows received in the last `span_us`, and how far the window reaches back where rows of it left.

        Rows without a time of receipt go by their ``ts``. The second is in microseconds, None where all are there.
        """
        self._await()
        view, now_us = self._now(), self._clock.now_us()
        start = self._start(view.blocks, view.steps, now_us)
        df = view.df.slice(start - view.blocks.skip)
        times = [pl.col(each).dt.cast_time_unit("us").to_physical() for each in (RECEIVED, "ts") if each in df.columns]
        ticks = df.select(pl.coalesce(times)).to_series()
        if view.steps:
            ticks = ticks + pl.Series([view.steps.off(row) for row in range(start, start + df.height)], dtype=pl.Int64)
        reaches = self._reach_us(ticks, now_us) if self._total > df.height else None
        return df.filter(ticks >= now_us - span_us), reaches if reaches is not None and reaches < span_us else None

    def _reach_us(self, ticks: pl.Series, now_us: int) -> int | None:
        """Return how long ago the oldest moment is of which no row has left; None where no bound was reached."""
        bounds = [] if self._span_us is None else [self._span_us]
        if self.window.rows is not None and ticks.len() >= self.window.rows:
            bounds.append(max(0, now_us - ticks[0]))
        return min(bounds) if bounds else None

    @property
    def height(self) -> int:
        """How many rows are in the window now."""
        view = self._now()
        return view.blocks.height - self._start(view.blocks, view.steps)

    def latest(self, *, hurry: bool = True) -> pl.DataFrame:
        """Return the last row of every market (order, index …) that ever came, the most recently changed last.

        Parameters
        ----------
        hurry : bool
            Whether who reads is to have the next rows soon; see `glimpse`.

        Raises
        ------
        PipelineError
            When the frame lacks a column of its key.
        """
        if hurry:
            self._await()
        view, ready = self._now(), self._latest
        if ready is None or ready[0] is not view:
            schema = self.schema
            missing = [] if schema is None else self._keyless(schema)
            if schema is not None and missing:
                raise PipelineError(
                    f"latest() gives the last row of each {' and '.join(self._key)}, and this frame has no such "
                    f"column: it has {', '.join(schema)}. Keep {' and '.join(missing)} in the node before, "
                    "or use .df."
                )
            ready = self._latest = (view, view.folded.latest(view.blocks.frames, empty=view.df.clear()))
        return ready[1].clone()

    def wait(self, rows: int, timeout: float | None) -> bool:
        """Block until `rows` rows have come in all; return whether they have within `timeout` seconds."""
        if self._total < rows <= self._total + _NEXT:
            self.on_awaited()
        return self._waiters.wait_for(lambda: self._total >= rows, timeout, mark=rows)
