"""One channel's rows of one flush, turned into a frame at most once and shared by every pipeline."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._frames.marks import GAP, GapMarks
from kalshi_nb._frames.pending import PlainRows
from kalshi_nb._frames.schema import MARKET, RECEIVED, empty, frame_of
from kalshi_nb._rows.channels import position, traits_of
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.steering import STEERING, ClockStepRow, DroppedRows, LateRows, ResetRow, SteeringRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Batch"]

_OWN_ONLY: Final = frozenset({tuple})
_NO_MESSAGES: Final = STEERING | {GapRow}


class Batch:
    """Rows of one channel in the order of their time.

    Nothing is built before somebody asks, and everything is built once. Two threads that ask at the same
    moment may both build the same frame, which costs time and nothing else.

    Parameters
    ----------
    channel : str
        The channel whose layout the rows have.
    rows : sequence of tuple
        Plain tuples are the channel's own rows. Named tuples are its other messages: frames leave them
        out, ``messages()`` passes them on. A :class:`GapRow` stands where a gap is, and what
        ``kalshi_nb._rows.steering`` defines where frames have something to do.
    late : bool
        All of them were fetched after their time.
    """

    __slots__ = ("_frames", "_kinds", "_market_tickers", "_marks", "_parts", "_rows", "_subject", "channel", "late")

    def __init__(self, channel: str, rows: Sequence[Row], *, late: bool = False) -> None:
        self.channel = channel
        self.late = late
        self._rows = rows
        self._subject = traits_of(channel).subject
        self._frames: dict[bool, pl.DataFrame] = {}
        self._market_tickers: frozenset[str] | None = None
        self._marks: list[int] | None = None
        self._kinds: frozenset[type] | None = None
        self._parts: tuple[Batch | SteeringRow, ...] | None = None

    @classmethod
    def merge(cls, batches: Sequence[Batch]) -> Batch:
        """Return one batch with the rows of several of the same channel, oldest first.

        Frames that were already built for all of them are joined, not built again.
        """
        if len(batches) == 1:
            return batches[0]
        merged = cls(batches[0].channel, [row for batch in batches for row in batch.rows])
        merged._kinds = frozenset().union(*(batch.kinds for batch in batches))
        for exact in (False, True):
            if all(batch.is_built(exact=exact) for batch in batches):
                merged._frames[exact] = pl.concat([batch.df(exact) for batch in batches], rechunk=True)
        return merged

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<Batch {self.channel}: {len(self)} rows>"

    @property
    def rows(self) -> Sequence[Row]:
        """Every row, those of other messages included."""
        return self._rows

    @property
    def kinds(self) -> frozenset[type]:
        """The types that there are among the rows."""
        if self._kinds is None:
            self._kinds = frozenset(map(type, self._rows))
        return self._kinds

    @property
    def parts(self) -> Sequence[Batch | SteeringRow]:
        """The batch itself, or, where there are steering rows, these and the batches between them, in order."""
        if self.kinds.isdisjoint(STEERING):
            return (self,)
        if self._parts is None:
            self._parts = tuple(self._split())
        return self._parts

    def _split(self) -> Iterator[Batch | SteeringRow]:
        rows: list[Row] = []
        for row in self._rows:
            if isinstance(row, SteeringRow):
                if rows:
                    yield Batch(self.channel, rows)
                    rows = []
                yield row
            else:
                rows.append(row)
        if rows:
            yield Batch(self.channel, rows)

    @property
    def steering(self) -> list[Batch]:
        """What has to be done although the other rows are dropped, as a batch; nothing for most."""
        if self.kinds.isdisjoint(STEERING):
            return []
        rows = [row for row in self._rows if isinstance(row, (ResetRow, ClockStepRow))]
        return [Batch(self.channel, rows)] if rows else []

    @property
    def gaps(self) -> list[GapRow]:
        """The gaps among the rows."""
        return [] if GapRow not in self.kinds else [row for row in self._rows if isinstance(row, GapRow)]

    def dropped(self, before: DroppedRows | None) -> DroppedRows:
        """Return how many rows there are to be missed if this goes, and what went `before` it."""
        at, received = self.subject_at, position(self.channel, RECEIVED)
        own = self._own()
        rows = Counter({None: len(own)} if at is None else map(itemgetter(at), own))
        others = Counter(
            None if at is None else self._market_of(row, at)
            for row in ([] if self.kinds == _OWN_ONLY else self._rows)
            if type(row) is not tuple and type(row) not in _NO_MESSAGES
        )
        late = Counter(
            None if at is None else self._market_of(row, at)
            for each in self._rows
            if isinstance(each, LateRows)
            for row in each.rows
        )
        return DroppedRows(own[0][received] if own else None, rows, others, late=late).behind(before)

    @property
    def market_tickers(self) -> frozenset[str]:
        """The markets that the rows are about; on reference feeds the indices or underlyings."""
        if self._market_tickers is None:
            at = self.subject_at
            markets = set() if at is None else {self._market_of(row, at) for row in self._rows}
            self._market_tickers = frozenset(each for each in markets if each is not None)
        return self._market_tickers

    def mark(self, marks: GapMarks) -> None:
        """Find out which rows follow a gap; batches are marked in their order, each once."""
        if self.kinds.isdisjoint(STEERING):
            self._marks = marks.of(self._rows, self.subject_at)
            return
        for part in self.parts:
            if isinstance(part, Batch):
                part.mark(marks)
            elif isinstance(part, ResetRow):
                marks.forget()

    @property
    def subject_at(self) -> int | None:
        """Where a plain row says what it is about; None where rows are about nothing that has a name."""
        return None if self._subject is None else position(self.channel, self._subject)

    def _market_of(self, row: Row, at: int) -> str | None:
        """Return the market a row is about, None for a message about an event."""
        ticker: str | None = row[at] if type(row) is tuple else getattr(row, self._subject or MARKET, None)
        return ticker

    def is_built(self, *, exact: bool) -> bool:
        """Return whether `df` has its answer ready."""
        return exact in self._frames

    def df(self, exact: bool = False) -> pl.DataFrame:
        """Return the channel's own rows as a frame; see ``kalshi_nb._frames.schema``.

        The same object every time: whoever passes it to a user passes a ``clone()``.
        """
        frame = self._frames.get(exact)
        if frame is None:
            frame = self._frames[exact] = self._build(exact=exact)
        return frame

    def _build(self, *, exact: bool) -> pl.DataFrame:
        own = self._own()
        return frame_of(self.channel, own, exact) if own else empty(self.channel, exact)

    def _own(self) -> Sequence[Row]:
        if self.kinds == _OWN_ONLY:
            return self._rows
        return [row for row in self._rows if type(row) is tuple]

    def without(self, market_tickers: frozenset[str]) -> Batch:
        """Return it without what it says of some markets, gaps of theirs included; itself where it says nothing."""
        at = self.subject_at
        if at is None or market_tickers.isdisjoint(self.market_tickers):
            return self
        kept = [self._market_of(row, at) not in market_tickers for row in self._rows]
        left = Batch(self.channel, list(compress(self._rows, kept)))
        if self._marks is not None:
            own = [stays for row, stays in zip(self._rows, kept, strict=True) if type(row) is tuple]
            left._marks = list(compress(self._marks, own))
        return left

    def _flags(self, since: int) -> list[bool] | None:
        return None if self._marks is None else [mark >= since and mark > 0 for mark in self._marks]

    def plain(
        self, market_tickers: frozenset[str] | None, exact: bool = False, *, gaps: bool = False, since: int = 0
    ) -> PlainRows | None:
        """Return what `select` returns, not made into a frame yet, None where there is no row."""
        own, marks = self._own(), self._flags(since) if gaps else None
        if market_tickers is not None:
            at = self.subject_at
            wanted = [False if at is None else row[at] in market_tickers for row in own]
            own = list(compress(own, wanted))
            marks = None if marks is None else list(compress(marks, wanted))
        return PlainRows(self.channel, own, exact, marks) if own else None

    def select(
        self, market_tickers: frozenset[str] | None, exact: bool = False, *, gaps: bool = False, since: int = 0
    ) -> pl.DataFrame | None:
        """Return the frame's rows of some markets, None where there is none.

        Parameters
        ----------
        market_tickers : frozenset of str or None
            The markets wanted; None for all.
        exact : bool
            See `df`.
        gaps : bool
            With a last column that says which rows follow a gap; of a batch that was marked.
        since : int
            Gaps with marks below that were before the frame began.
        """
        if market_tickers is not None and market_tickers.isdisjoint(self.market_tickers):
            return None
        frame = self.df(exact)
        if gaps:
            frame = frame.with_columns(pl.Series(GAP, self._flags(since), dtype=pl.Boolean()))
        if market_tickers is not None and not market_tickers >= self.market_tickers:
            wanted = market_tickers & self.market_tickers
            frame = frame.filter(pl.col(self._subject or MARKET).is_in(sorted(wanted)))
        return frame if frame.height else None

    def rows_for(self, market_tickers: Iterable[str] | None, *, gaps: bool = False) -> Sequence[Row]:
        """Return the rows of some markets, other messages included; None for all.

        A message about an event names no market, so it is only among all. Steering rows are no messages, nor are gaps,
        which come only with `gaps`: those that name one of the markets, or none.
        """
        left_out = STEERING if gaps else _NO_MESSAGES
        if market_tickers is None:
            if self.kinds.isdisjoint(left_out):
                return self._rows
            return [row for row in self._rows if type(row) not in left_out]
        wanted: frozenset[str | None] = frozenset(market_tickers)
        if gaps and GapRow in self.kinds:
            wanted |= {None}
            return [row for row in self._rows if type(row) not in left_out and self._concerns(row, wanted)]
        at = self.subject_at
        if at is None or wanted.isdisjoint(self.market_tickers):
            return []
        return [row for row in self._rows if self._market_of(row, at) in wanted and type(row) not in left_out]

    def _concerns(self, row: Row, wanted: frozenset[str | None]) -> bool:
        if isinstance(row, GapRow):
            return row.market_ticker in wanted
        at = self.subject_at
        market = None if at is None else self._market_of(row, at)
        return market is not None and market in wanted
