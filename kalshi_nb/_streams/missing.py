"""Between which of the exchange's times rows of one pipeline may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._streams.losses import Loss
    from kalshi_nb._streams.user_delivery import KnownGaps, StreamDelivery

__all__ = ["NOTHING", "Missing", "Passed"]


class Passed(NamedTuple):
    """When the rows of an element were received, and the earliest that each can have been, in their order.

    Attributes
    ----------
    received : sequence of int
        Microseconds of the feed's clock.
    ts : sequence of int
        Microseconds of the exchange's.
    """

    received: Sequence[int] = ()
    ts: Sequence[int] = ()


NOTHING: Final = Passed()


class _Span(NamedTuple):
    """Rows of a market, or of any, may be missing from one time to another, None while that goes on."""

    market_ticker: str | None
    begins: int
    until: int | None
    settled: bool


class Missing:
    """The gaps and losses that concern one node, as spans of the exchange's time.

    A gap is seen when the next message comes, or when the link is found dead; what it lost was after the last row
    before it. So a span begins with that row, and ends where the gap did, or later by as much as the exchange's clock
    is seen to be ahead of the feed's. Until a row has come from behind the gap, a later row may yet turn out to be the
    last one before it: the span is then made shorter.

    An element that a node in front raised at is missing, too, and nobody knows what was in it: that is a span from the
    last row to now.

    Parameters
    ----------
    delivery : StreamDelivery
        Brings the rows.
    known_gaps : KnownGaps
        The feed's gaps that concern them.

    Attributes
    ----------
    began : int
        From when on rows came, in microseconds of the feed's clock.
    """

    def __init__(self, delivery: StreamDelivery, known_gaps: KnownGaps) -> None:
        self._losses = delivery.losses
        self._pipeline = delivery.pipeline
        self._clock = delivery.clock
        self._gaps = known_gaps
        self._errors = self._pipeline.errors
        self._below = 0
        self.begin()

    def begin(self) -> None:
        """Begin anew: nobody will ask about what was before."""
        self._looked = self._gaps.now()
        self._last: tuple[int, int] | None = None
        self._ahead = 0
        self._spans: dict[int, tuple[object, _Span]] = {}
        self._unnamed: list[_Span] = []
        self.began = self._clock.now_us()

    def raised_below(self) -> None:
        """Take note that a node below raised: what it got is not missing here."""
        self._below += 1

    def look(self, passed: Passed = NOTHING) -> int | None:
        """Find out what is missing by now; return from when on that is not what was known, None where it is.

        Parameters
        ----------
        passed : Passed
            The rows that came since the last look.
        """
        steady = self._gaps.now()
        gaps: list[Gap | Loss] = [*self._gaps.known(), *self._losses.snapshot()]
        changed = [self._unnamed_since(self._looked), *(self._note(each, passed) for each in gaps)]
        if self._gaps.forgot_since(self._looked):
            changed.append(self._note_unnamed())
        self._looked = steady
        if passed.received:
            received, ts = passed.received[-1], passed.ts[-1]
            self._last = received, min(received, ts)
            self._ahead = max(0, ts - received)
        return min((each for each in changed if each is not None), default=None)

    def between(self, market_ticker: str, start: int, end: int) -> bool:
        """Tell whether rows of a market from `start` to before `end` may be missing."""
        return start < self.began + self._ahead or any(
            span.begins < end
            and (span.until is None or span.until >= start)
            and (span.market_ticker is None or span.market_ticker == market_ticker)
            for span in self._all()
        )

    def forget_before(self, moment: int) -> None:
        """Forget what is about times before a moment, of which nobody will ask."""
        self._unnamed = [each for each in self._unnamed if each.until is None or each.until >= moment]
        self._spans = {
            key: (gap, span) for key, (gap, span) in self._spans.items() if span.until is None or span.until >= moment
        }

    def _all(self) -> list[_Span]:
        return [*(span for _, span in self._spans.values()), *self._unnamed]

    def _note(self, gap: Gap | Loss, passed: Passed) -> int | None:
        """Work out the span of a gap anew; return from when on that changes anything."""
        _, before = self._spans.get(id(gap), (None, None))
        if before is not None and before.settled and before.until is not None:
            return None
        closed = gap.closed_at
        if before is None and closed is not None and closed < self.began:
            return None  # it was over before there was anything that it could be missing from
        until = None if closed is None else closed + self._ahead
        if before is not None and before.settled:
            begins, settled = before.begins, True
        else:
            begins, settled = self._beginning(gap.opened_at, passed)
        span = _Span(getattr(gap, "market_ticker", None), begins, until, settled)
        # The gap is kept beside its span: its id is its own as long as it is there.
        self._spans[id(gap)] = (gap, span)
        if before is None or begins != before.begins:
            return begins if before is None else min(begins, before.begins)
        return None

    def _beginning(self, opened_at: int, passed: Passed) -> tuple[int, bool]:
        """Return the time of the last row before a gap, and whether no later one can turn out to be that."""
        low = self.began if self._last is None else self._last[1]
        for received, ts in zip(passed.received, passed.ts, strict=True):
            if received >= opened_at:
                return min(low, opened_at), True
            low = min(received, ts)
        return min(low, opened_at), False

    def _unnamed_since(self, moment: int) -> int | None:
        """Note elements that something in front raised at, and losses that are no longer listed."""
        above = self._pipeline.errors - self._below
        raised, self._errors = above > self._errors, above
        return self._note_unnamed() if raised or self._losses.forgot_since(moment) else None

    def _note_unnamed(self) -> int:
        begins = self.began if self._last is None else self._last[1]
        self._unnamed.append(_Span(None, begins, self._clock.now_us() + self._ahead, settled=True))
        return begins
