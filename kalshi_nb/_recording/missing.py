"""Which trades a recording lacks: between which of those that it has, and of which markets."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kalshi_nb._markets.recent_trades import MOST_RECENT, Anchor
from kalshi_nb._recording.backfilled import GapName, name_of_gap
from kalshi_nb._rest.missed_trades import MS, UNKNOWN
from kalshi_nb._rows.channels import position
from kalshi_nb._rows.gaps import Gap, GapReason, GapRow
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import Wanted

__all__ = ["Missing", "missing_trades"]

_CHANNEL: Final = "trade"
_TIME: Final = position(_CHANNEL, "ts")
_ID: Final = position(_CHANNEL, "trade_id")
_RECEIVED: Final = position(_CHANNEL, "received_at")


@dataclass(eq=False)
class Missing:
    """What may be missing between two trades that follow one another in a recording.

    Attributes
    ----------
    before, after : Anchor or None
        The two; `before` is None where the recording has none before, `after` where it has none behind.
    since : int
        From when on something may be missing, in microseconds.
    wanted : frozenset of str or None
        Of which markets the exchange sent trades then; None for all.
    gaps : list of GapName
        The gaps between the two.
    beside : list of (str or None)
        The ids of the trades behind which else something may be missing by these gaps: what one read brought has
        one time, and only by that is it known which gap is where.
    known : set of str
        The ids of trades of that time which the recording has.
    """

    before: Anchor | None
    since: int
    wanted: frozenset[str] | None
    after: Anchor | None = None
    gaps: list[GapName] = field(default_factory=list)
    beside: list[str | None] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    places: list[GapRow] = field(default_factory=list)

    @property
    def until(self) -> int:
        """Until when, without; in microseconds."""
        return 0 if self.after is None else max(self.since, self.after.at) + MS


def missing_trades(
    told: Iterable[tuple[Iterable[Row], Wanted | None]], gaps: list[Gap], wanted: Wanted | None, begin: int
) -> tuple[list[Missing], list[Gap]]:
    """Return where trades may be missing in a recording, in its order, and the gaps that say so.

    Parameters
    ----------
    told : iterable
        All trades of it, with the gaps at their places, and of which markets the exchange sent them, as
        :func:`~kalshi_nb._recording.telling.rows_of` yields them.
    gaps : list of Gap
        Has the gaps once `told` has ended.
    wanted : Wanted or None
        Of which markets they were asked for, where nobody knows which the exchange sent.
    begin : int
        The earliest time of the recording, in microseconds.
    """
    found = list(_between(told, wanted, begin))
    of_trades = [each for each in gaps if each.channel == _CHANNEL]
    named: defaultdict[tuple[str | None, int, GapReason], list[Gap]] = defaultdict(list)
    for gap in of_trades:
        named[gap.market_ticker, gap.opened_at, gap.reason].append(gap)
    for each in found:
        places = dict.fromkeys((row.market_ticker, row.opened_at, row.reason) for row in each.places)
        each.gaps = [name_of_gap(gap) for place in places for gap in named[place]]
    _tell_of_each_other(found)
    return [each for each in found if each.gaps], of_trades


def _between(
    told: Iterable[tuple[Iterable[Row], Wanted | None]], wanted: Wanted | None, begin: int
) -> Iterator[Missing]:
    # A trade may come out of the order in which it was made, so the ids of those around a gap are looked at on either
    # side: of those before it the newest, of those behind it all.
    recent: deque[Row] = deque(maxlen=MOST_RECENT)
    current: Missing | None = None
    done: list[Missing] = []
    until = 0
    for rows, sent in told:
        for row in rows:
            if type(row) is tuple:
                if current is not None:
                    current.after = _anchor(row)
                    done.append(current)
                    until, current = max(until, current.until), None
                if row[_TIME] < until:
                    _note(done, row)
                recent.append(row)
            elif isinstance(row, GapRow):
                if current is None:
                    current = _begun(recent, row, wanted if sent is None else sent, begin)
                current.places.append(row)
    yield from done
    if current is not None:
        yield current


def _begun(recent: deque[Row], place: GapRow, wanted: Wanted | None, begin: int) -> Missing:
    before = _anchor(recent[-1]) if recent else None
    since = max(begin, place.opened_at - UNKNOWN) if before is None else before.at
    found = Missing(before, since, wanted if isinstance(wanted, frozenset) else None)
    found.known = {row[_ID] for row in recent if row[_TIME] >= since}
    return found


def _tell_of_each_other(found: Iterable[Missing]) -> None:
    """Have each know of those that have a gap with it."""
    reaching: defaultdict[GapName, list[Missing]] = defaultdict(list)
    for each in found:
        for name in each.gaps:
            reaching[name].append(each)
    for each in found:
        others = {id(one): one for name in each.gaps for one in reaching[name] if one is not each}
        each.beside = [None if one.before is None else one.before.trade_id for one in others.values()]


def _note(done: Iterable[Missing], row: Row) -> None:
    for each in done:
        if each.since <= row[_TIME] < each.until:
            each.known.add(row[_ID])


def _anchor(row: Row) -> Anchor:
    return Anchor(row[_TIME], row[_ID], row[_RECEIVED])
