"""How a gap is told: why, how long, what is missing, and what brought it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._widgets import numbers

if TYPE_CHECKING:
    from kalshi_nb._rows.gaps import Gap, GapReason, RepairedBy
from kalshi_nb._moments import datetime_of

__all__ = ["GapLine", "clock_time", "gap_line", "lasted", "lasts"]

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_LONGEST: Final = 80
"""Characters of a name that are shown: it may be what a message that means nothing said."""

_REASONS: Final[dict[GapReason, str]] = {
    "sequence": "messages never arrived",
    "rejected": "a message could not be read",
    "negative_level": "a level fell below zero",
    "no_book": "a change before its book",
    "error_10": "the exchange ended the subscription",
    "error_25": "the exchange dropped a slow reader",
    "unsubscribed": "the exchange ended the subscription",
    "resubscribed": "subscribed anew",
    "connection_lost": "connection lost",
    "differs": "the book was another over REST",
}

_REPAIRS: Final[dict[RepairedBy, str]] = {
    "get_snapshot": "a new snapshot",
    "resubscribe": "a new subscription",
    "reconnect": "a new connection",
    "rest": "fetched over REST",
}


class GapLine(NamedTuple):
    """A gap in words.

    Attributes
    ----------
    at : float
        When it was seen, epoch seconds by the feed's clock.
    channel, market : str
        Whose it is; "all markets" where it is of no one market.
    reason : str
        Why.
    lasted : str
        How long it lasted; empty while it is open.
    missing : str
        The sequence numbers that are missing; a dash where nobody knows.
    repaired : str
        What made it right again.
    """

    at: float
    channel: str
    market: str
    reason: str
    lasted: str
    missing: str
    repaired: str

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return not self.lasted


def gap_line(gap: Gap) -> GapLine:
    """Return a gap in words, as it stands now."""
    is_open = gap.closed_at is None  # asked first: it is written last
    closed = gap.opened if gap.closed is None else gap.closed
    repaired = "" if is_open else _REPAIRS[gap.repaired_by] if gap.repaired_by else "nothing; data went on"
    return GapLine(
        at=gap.opened_at / 1e6,
        channel=numbers.clean(gap.channel)[:_LONGEST],
        market="all markets" if gap.market_ticker is None else numbers.clean(gap.market_ticker)[:_LONGEST],
        reason=_REASONS.get(gap.reason, numbers.clean(str(gap.reason))),
        lasted="" if is_open else lasted((closed - gap.opened) / 1e6),
        missing=_missing(gap),
        repaired=repaired,
    )


def lasted(seconds: float) -> str:
    """Return a length of time in two units at most, as exact as one wants to know it: ``"3 min 20 s"``."""
    if seconds < 1:
        return f"{max(0.0, seconds) * 1e3:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def lasts(seconds: float) -> str:
    """Return a length of time that goes on: whole seconds, and no more than that, so that it changes seldom."""
    if seconds < _MINUTE:
        return f"{int(max(0.0, seconds))} s"
    return f"{int(seconds) // _MINUTE} min" if seconds < _HOUR else lasted(int(seconds))


def clock_time(at: float, now: float) -> str:
    """Return hour and minute in UTC, with the day where that is not today's."""
    moment = datetime_of(round(at * 1e6))
    is_today = moment.date() == datetime_of(round(now * 1e6)).date()
    return f"{moment:%H:%M} UTC" if is_today else f"{moment:%b %d %H:%M} UTC"


def _missing(gap: Gap) -> str:
    first, last = gap.seq_from, gap.seq_to
    if first is None:
        return "\N{EN DASH}"
    if last is None:
        return f"{first:,} and on"
    return f"{first:,}" if first == last else f"{first:,} to {last:,} ({last - first + 1:,})"
