"""What is known to be missing from a frame: the feed's gaps, seen from one frame's channel and markets."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from kalshi_nb._durations import seconds
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import shown
from kalshi_nb._rows.gaps import mark_of
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kalshi_nb._engine.port import ClockStep, Engine
    from kalshi_nb._rows.gaps import Gap

__all__ = ["ASKING", "Coverage", "earliest", "first_mark", "microseconds", "span_of"]

_AHEAD: Final = 15_000_000
"""Microseconds by which the exchange's clock may be ahead of this computer's, so that it still takes signatures."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_SINCE: Final = (
    "pass a length of time, such as '5m', a datetime with a time zone, or a time taken from a frame's own columns"
)


def span_of(since: object) -> int | None:
    """Return how many microseconds ago is meant; None where it is said otherwise.

    Raises
    ------
    ConfigurationError
        When `since` is a text, or a timedelta, that is no length of time.
    """
    is_span = isinstance(since, str | dt.timedelta)
    return round(seconds("since", since, _SINCE) * 1_000_000) if is_span else None


def microseconds(moment: object) -> int:
    """Return microseconds since 1970-01-01 UTC.

    Raises
    ------
    ConfigurationError
        When `moment` is not a datetime with a time zone: the frames' times are in UTC, and a time without a
        zone might be meant otherwise.
    """
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise ConfigurationError(f"since={shown(moment)}: {_SINCE}.")
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def earliest(moment: int, stepped: int, steps: Sequence[ClockStep]) -> int:
    """Return when the clock showed a moment, or a later one, for the first time, on the timeline that never goes back.

    Parameters
    ----------
    moment : int
        A microsecond of the clock; where the clock was set back, it may have shown it twice.
    stepped : int
        The sum of all steps until now: what that timeline is behind the clock.
    steps : sequence of ClockStep
        The newest of them, oldest first.
    """
    found = []
    ends: int | None = None  # the epoch after the last step lasts
    for step in reversed(steps):
        begins = step.at - stepped
        found.append((max(begins, moment - stepped), ends))
        stepped, ends = stepped - step.by, begins
    found.append((moment - stepped, ends))
    return min(at for at, end in found if end is None or at < end)


ASKING: Final = 2**63
"""Above the marks of all gaps: whose rows are asked for just now has none yet that could be missing."""


def first_mark(engine: Engine, channel: str) -> int:
    """Return from which mark on gaps concern whoever begins now: those to come, and those that are not over yet."""
    open_now = [
        mark_of(gap.opened, "resubscribed")  # the lowest of that moment
        for gap in engine.gaps.snapshot()
        if gap.closed is None and gap.channel == channel and gap.reason != "resubscribed"
    ]
    return min([mark_of(engine.steady()), *open_now])


class Coverage:
    """The gaps that concern one frame, from its beginning to its end.

    All moments here lie on the engine's steady timeline: what was before what must not depend on a clock that people
    and programs set.

    Parameters
    ----------
    engine : Engine
        Has the gaps, and the time.
    channel : str
        The channel that the rows come from.
    market_tickers : frozenset of str or None
        The markets whose rows the frame has; None for all.
    connections : frozenset of int
        The numbers of the connections that these come over.
    lost_since : callable, optional
        Tells whether rows that did come over them were lost later, since a moment.
    has_fetched : bool
        Rows that a gap took and that were fetched are in the frame, too.

    Attributes
    ----------
    began : int
        Since when rows are kept, microseconds.
    """

    def __init__(
        self,
        engine: Engine,
        channel: str,
        market_tickers: frozenset[str] | None,
        connections: frozenset[int],
        lost_since: Callable[[int], bool] = lambda _: False,
        *,
        has_fetched: bool = True,
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._market_tickers = market_tickers
        self._connections = connections
        self._lost_since = lost_since
        self._has_fetched = has_fetched
        self._ended: tuple[list[Gap], dict[int, int]] | None = None
        self.began = self.now()
        self._reaches: int | None = None

    def now(self) -> int:
        """Return the present moment."""
        return self._engine.steady()

    def began_at(self) -> int:
        """Return since when rows are kept, in microseconds of the clock as it is set now."""
        now = self._engine.clock.now_us()
        return self.edge(None) + now - self._engine.steady(now)

    def edge(self, at: int | None) -> int:
        """Return the moment of a time by the clock as it is set now, or since when rows are kept if that is later."""
        began = self.began if self._reaches is None else min(self.began, self._reaches)
        return began if at is None else max(began, self._engine.steady(at))

    def reach_back(self, at: int) -> None:
        """Take note that what was before is there, too, from a moment of the clock on."""
        self._reaches = self._engine.steady(at)

    def moment(self, at: int) -> int:
        """Return the first moment at which the clock showed `at`, or later."""
        now = self._engine.clock.now_us()
        return earliest(at, now - self._engine.steady(now), self._engine.status().clock_steps)

    def ago(self, span_us: int) -> int:
        """Return the time of the clock, as it is set now, so many microseconds ago."""
        return self._engine.clock.now_us() - span_us

    def refuse_future(self, at: int) -> None:
        """Refuse a moment that the clock never showed, but for what the clocks of two computers may differ by.

        Raises
        ------
        ConfigurationError
            Nothing came since then, so there is no answer.
        """
        now = self._engine.clock.now_us()
        latest = max((step.at - step.by for step in self._engine.status().clock_steps), default=now)
        if at > max(now, latest) + _AHEAD:
            here = datetime_of(now)
            raise ConfigurationError(
                f"since lies ahead: the feed's clock shows {here:%Y-%m-%d %H:%M:%S} UTC. Pass a moment that is over, "
                "such as a time of the frame's own column received_at."
            )

    def begin(self) -> None:
        """Begin anew: what was before is no longer in the frame."""
        self.began = self.now()
        self._reaches = None

    def end(self) -> None:
        """Take no note of later gaps: the frame gets no rows any more."""
        if self._ended is None:
            self._ended = self._known()

    def has_gap(self, since: int) -> bool:
        """Tell whether rows received from a moment on may be missing.

        A gap that was over before `since` is none. Where the log has dropped gaps that may reach so far, the answer
        is yes.
        """
        if self._lost_since(since):
            return True
        gaps, dropped = self._known() if self._ended is None else self._ended
        if self._may_lack(gaps, dropped, since):
            return True
        return any(
            self._concerns(gap) and not self._is_mended(gap) and (gap.closed is None or gap.closed >= since)
            for gap in gaps
        )

    def _is_mended(self, gap: Gap) -> bool:
        return self._has_fetched and gap.repaired_by == "rest"

    def known(self) -> list[Gap]:
        """Return the gaps that concern the frame and that the log still has, oldest first."""
        gaps, _ = self._known() if self._ended is None else self._ended
        return [gap for gap in gaps if self._concerns(gap)]

    def forgot_since(self, moment: int) -> bool:
        """Tell whether the log has dropped gaps that may have been open at a moment, or later; ask after `known`."""
        return self._may_lack(*(self._known() if self._ended is None else self._ended), moment)

    def _known(self) -> tuple[list[Gap], dict[int, int]]:
        # Read first: one dropped in between is still among those below.
        dropped = self._engine.gaps.dropped_of(self._channel, self._connections)
        return self._engine.gaps.snapshot(), dropped

    def _concerns(self, gap: Gap) -> bool:
        if gap.reason == "resubscribed" and gap.opened <= self.began:
            return False  # the subscription that took its place is the one that this frame was answered by
        if gap.channel != self._channel or gap.connection not in self._connections:
            return False
        return gap.market_ticker is None or self._market_tickers is None or gap.market_ticker in self._market_tickers

    def _may_lack(self, gaps: Sequence[Gap], dropped: Iterable[int], moment: int) -> bool:
        """Tell whether gaps that the log dropped, of these connections, may have been open at a moment, or later."""
        for connection in dropped:
            kept = (each for each in gaps if each.channel == self._channel and each.connection == connection)
            oldest = next(kept, None)
            if oldest is None or moment <= oldest.opened:
                return True
        return False
