"""What a market is: its title, its event, its times, its prices and how far it has come; one record a market.

Rows say what happens in markets, and come and go. What a view writes above them is known more slowly, from several
sources, and never all at once: messages of the lifecycle channels tell what changes, a simulated exchange in this
process tells what it has, REST tells what one asks. All of them fill one registry a feed, field by field, and a reader
asks nobody where a fact came from. What is not known is None, and the ticker stands for it.

Source: sections "Market lifecycle" of Kalshi's documentation and ``Market`` and ``Event`` of its REST specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

__all__ = ["PHASES", "EventFacts", "MarketFacts", "Phase", "PriceRange"]

Phase = Literal["initialized", "active", "inactive", "closed", "determined", "disputed", "amended", "finalized"]

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
"""How far a market can have come, in the exchange's words and in their usual order."""

_AFTER_CLOSE: Final = frozenset({"closed", "determined", "disputed", "amended", "finalized"})
"""What no clock changes: somebody said it."""


class PriceRange(NamedTuple):
    """A band of prices with one tick, in 1/10000 dollar: `start`, `start` + `step` … up to `end`."""

    start: int
    end: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What is known of an event at one moment. None is "not known".

    Attributes
    ----------
    event_ticker : str
        Its name.
    title, subtitle : str or None
        The question, and more about it.
    series_ticker : str or None
        The series it belongs to.
    mutually_exclusive : bool or None
        Whether one of its markets at most is YES in the end; that one of them has to be is not said.
    version : int
        The registry's number when something in this record changed last; 0 where nothing was ever said of it.
    """

    event_ticker: str
    title: str | None = None
    subtitle: str | None = None
    series_ticker: str | None = None
    mutually_exclusive: bool | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFacts:
    """What is known of a market at one moment. None is "not known".

    Times are microseconds since 1970-01-01 UTC, prices 1/10000 dollar.

    Attributes
    ----------
    market_ticker : str
        Its name.
    title : str or None
        The question it asks.
    subtitle : str or None
        What YES stands for in its event, the strike in words: ``"52° to 53°"``.
    strike_type : str or None
        ``"greater"``, ``"less"``, ``"between"`` and others.
    floor_strike, cap_strike : float or None
        The strike in numbers, by which the markets of an event can be put in order.
    event_ticker, event_title : str or None
        The event it belongs to.
    mutually_exclusive : bool or None
        Whether one market of that event at most is YES in the end.
    open_time, close_time : int or None
        When trading begins and ends, as it is planned now.
    price_level_structure : str or None
        The exchange's name for the grid of prices.
    price_ranges : tuple of PriceRange or None
        The grid itself.
    status : str or None
        The phase that was last told. What the clock has done to it since is in :meth:`phase`.
    result : str or None
        ``"yes"``, ``"no"``, ``"scalar"`` or another word.
    settlement_value : int or None
        What one YES pays.
    determined_at, settled_at : int or None
        When the result was told, and when it was paid.
    version : int
        The registry's number when something in this record changed last; 0 where nothing was ever said of it.
    """

    market_ticker: str
    title: str | None = None
    subtitle: str | None = None
    strike_type: str | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    event_ticker: str | None = None
    event_title: str | None = None
    mutually_exclusive: bool | None = None
    open_time: int | None = None
    close_time: int | None = None
    price_level_structure: str | None = None
    price_ranges: tuple[PriceRange, ...] | None = None
    status: Phase | None = None
    result: str | None = None
    settlement_value: int | None = None
    determined_at: int | None = None
    settled_at: int | None = None
    version: int = 0

    def phase(self, now_us: int) -> Phase | None:
        """Return how far the market has come at a moment of the exchange's clock; None where nothing says so.

        The exchange sends no message when a market's time to open or to close comes, so the clock decides between
        ``initialized``, ``active`` and ``closed``. Everything else was told: a pause lasts until the close, and what
        comes after the close stands until something newer is told.

        >>> market = MarketFacts(market_ticker="KXA-1", status="active", open_time=1_000, close_time=2_000)
        >>> market.phase(1_999), market.phase(2_000)
        ('active', 'closed')

        Parameters
        ----------
        now_us : int
            The exchange's time, in microseconds since 1970-01-01 UTC.
        """
        status = self.status
        if status in _AFTER_CLOSE:
            return status
        if self.close_time is not None and now_us >= self.close_time:
            return "closed"
        if status in ("inactive", "active"):
            return status
        if self.open_time is None:
            return status
        if now_us < self.open_time:
            return "initialized"
        # Open by the clock. Without an end that is known, and without a word on it, it may be over long ago.
        return "active" if status is not None or self.close_time is not None else None
