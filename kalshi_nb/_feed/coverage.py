"""What is known to be missing from a frame: the feed's gaps, seen from one frame's channel and markets."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._clock import Clock
    from kalshi_nb._rows.gaps import Gap, GapLog

__all__ = ["Coverage", "microseconds"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def microseconds(moment: object) -> int:
    """Return microseconds since 1970-01-01 UTC.

    Raises
    ------
    ConfigurationError
        When `moment` is not a datetime with a time zone: the frames' times are in UTC, and a time without a
        zone might be meant otherwise.
    """
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise ConfigurationError(
            f"since={moment!r}: pass a datetime with a time zone, such as datetime.now(UTC) - timedelta(minutes=5), "
            "or a time taken from a frame's own columns."
        )
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


class Coverage:
    """The holes that concern one frame, from its beginning to its end.

    Parameters
    ----------
    gaps : GapLog
        Every hole of the feed.
    channel : str
        The channel that the rows come from.
    market_tickers : frozenset of str or None
        The markets whose rows the frame has; None for all.
    connections : frozenset of int
        The numbers of the connections that these come over.
    clock : Clock
        The market's time.

    Attributes
    ----------
    began_at : int
        Since when rows are kept, microseconds.
    """

    def __init__(
        self,
        gaps: GapLog,
        channel: str,
        market_tickers: frozenset[str] | None,
        clock: Clock,
        *,
        connections: frozenset[int] = frozenset({1}),
    ) -> None:
        self._gaps = gaps
        self._channel = channel
        self._market_tickers = market_tickers
        self._connections = connections
        self._ended: tuple[list[Gap], int] | None = None
        self.began_at = clock.now_us()

    def end(self) -> None:
        """Take no note of later holes: the frame gets no rows any more."""
        if self._ended is None:
            self._ended = self._known()

    def has_hole(self, since: int) -> bool:
        """Tell whether rows received from `since` (microseconds) on may be missing.

        A hole that was over before `since` is none. Where the log has dropped holes that may reach so far,
        the answer is yes.
        """
        gaps, dropped = self._known() if self._ended is None else self._ended
        if dropped and (not gaps or since <= gaps[0].opened_at):
            return True
        return any(self._concerns(gap) and (gap.closed_at is None or gap.closed_at >= since) for gap in gaps)

    def _known(self) -> tuple[list[Gap], int]:
        dropped = self._gaps.dropped  # read first: a hole dropped in between is still among those below
        return self._gaps.snapshot(), dropped

    def _concerns(self, gap: Gap) -> bool:
        if gap.channel != self._channel or gap.connection not in self._connections:
            return False
        return gap.market_ticker is None or self._market_tickers is None or gap.market_ticker in self._market_tickers
