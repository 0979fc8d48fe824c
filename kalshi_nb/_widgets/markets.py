"""What views write above a market: the record of its facts in dollars and seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb._fixed_point import DOLLAR
from kalshi_nb._widgets.ladder.picture import Market

if TYPE_CHECKING:
    from kalshi_nb._rows.market_facts import MarketFacts

__all__ = ["known_market"]


def known_market(market_ticker: str, facts: MarketFacts | None, now_us: int) -> Market:
    """Return what is known of a market at a moment; its ticker alone where nothing is.

    Parameters
    ----------
    market_ticker : str
        The market.
    facts : MarketFacts or None
        What is known of it.
    now_us : int
        The exchange's time, in microseconds since 1970-01-01 UTC.
    """
    if facts is None:
        return Market(market_ticker)
    opens, closes, settled = (
        None if moment is None else moment / 1e6 for moment in (facts.open_time, facts.close_time, facts.settled_at)
    )
    paid = facts.settlement_value
    return Market(
        ticker=market_ticker,
        title=facts.title,
        subtitle=facts.subtitle,
        phase=facts.phase(now_us),
        open_time=opens,
        close_time=closes,
        settled_at=settled,
        result=facts.result,
        settlement=None if paid is None else paid / DOLLAR,
    )
