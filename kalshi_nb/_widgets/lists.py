"""Lists that grow at their top: lines known by keys, and what a page that has a list needs for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._widgets.markets import known_market

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import polars as pl

    from kalshi_nb._rows.gaps import Gap
    from kalshi_nb._widgets.ladder.picture import Market
    from kalshi_nb._widgets.sources import FeedSource, FrameSource

__all__ = ["MOST_NEW", "Growth", "grown", "market_of", "named", "stale_for", "steady_reading"]

MOST_NEW: Final = 30
"""So many new lines a message has at most; of more it tells how many there are."""

_TRIES: Final = 5


class Growth(NamedTuple):
    """What makes one list of the one before, for whoever has that.

    Attributes
    ----------
    lines : list of tuple
        Lines that are new, newest first and at most `MOST_NEW`, and those that are there and read otherwise now.
    more : int
        How many new ones were left out.
    length : int
        How many lines there are then, at most: what is further down has gone.
    """

    lines: list[tuple[Any, ...]]
    more: int
    length: int

    def sent(self, lines: list[list[Any]] | None = None) -> dict[str, Any]:
        """Return it as it travels, its lines written otherwise where they are given."""
        lines = [list(line) for line in self.lines] if lines is None else lines
        return {"lines": lines, "length": self.length} | ({"more": self.more} if self.more else {})


def grown(before: Sequence[tuple[Any, ...]], lines: Sequence[tuple[Any, ...]], came: int) -> Growth | None:
    """Return what makes the second list of the first.

    Parameters
    ----------
    before, lines : sequence of tuple
        The two lists, newest first. The first element of a line is its key, which no other line of its list has.
    came : int
        How many lines came between the two, by the count of whoever makes them.

    Returns
    -------
    Growth or None
        None where the second is not the first with more on top, and perhaps fewer at its end.
    """
    known: dict[Hashable, tuple[Any, ...]] = {line[0]: line for line in before}
    fresh = next((place for place, line in enumerate(lines) if line[0] in known), len(lines))
    rest, sent = lines[fresh:], list(lines[: min(fresh, MOST_NEW)])
    if not rest:
        more = max(came, fresh) - len(sent)
        return Growth(sent, more, len(sent) + (more > 0))
    if [line[0] for line in rest] != [line[0] for line in before[: len(rest)]]:
        return None
    changed = [line for line in rest if line != known[line[0]]]
    return Growth([*sent, *changed], fresh - len(sent), len(lines))


def steady_reading(source: FrameSource) -> tuple[int, pl.DataFrame]:
    """Return how many rows ever came and the rows of the window, both of one moment, if it can be had at all."""
    for _ in range(_TRIES):
        total, df = source.total, source.df
        if total == source.total:
            break
    return total, df


def named(source: FrameSource, what: str) -> str:
    """Return what a list is called: ``"Trades of all markets"``."""
    tickers = source.market_tickers
    if tickers is None:
        return f"{what} of all markets"
    return f"{what} of {source.title if len(tickers) == 1 else f'{len(tickers):,} markets'}"


def stale_for(gaps: Sequence[Gap], now_us: int) -> float:
    """Return since how many seconds data is missing: the age of the newest gap that is open."""
    opened = [gap.opened_at for gap in gaps if gap.closed_at is None]
    return max(0, now_us - opened[-1]) / 1e6 if opened else 0.0


def market_of(feed: FeedSource, market_ticker: str) -> Market:
    """Return what is known of a market now, in dollars and seconds."""
    return known_market(market_ticker, feed.facts(market_ticker), feed.clock.now_us())
