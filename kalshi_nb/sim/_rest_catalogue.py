"""What only REST tells of the simulated markets: the series they belong to, and combinations that nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kalshi_nb.sim._calendar import Listing
from kalshi_nb.sim._catalogue import EVENTS
from kalshi_nb.sim._market import ListedEvent, Market

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SERIES", "ListedSeries", "combos"]


@dataclass(frozen=True, slots=True)
class ListedSeries:
    """A series: the same question, asked again and again.

    Attributes
    ----------
    ticker, title : str
        Its name, and the question.
    category : str
        One of the exchange's categories.
    tags : tuple of str
        What narrows the category.
    frequency : str
        How often it is asked, in the exchange's words.
    """

    ticker: str
    title: str
    category: str
    tags: tuple[str, ...]
    frequency: str


SERIES: Final = {
    each.ticker: each
    for each in (
        ListedSeries("KXBTC15M", "BTC price up in the next 15 minutes", "Crypto", ("BTC", "15 min"), "fifteen_min"),
        ListedSeries(
            "KXHIGHNY", "Highest temperature in NYC", "Climate and Weather", ("Daily temperature", "NYC"), "daily"
        ),
        ListedSeries("KXNFLGAME", "Professional Football Game", "Sports", ("Football",), "custom"),
        ListedSeries("KXSENATEOH", "Ohio Senate race", "Elections", ("Senate", "Congress"), "custom"),
    )
}
"""Every series by its ticker, sorted."""

_COMBINED: Final = ListedEvent("KXMVESPORTS-S2026", "KXMVESPORTS", "Combo", "", False, 1.0, 0)


def combos(count: int, like: Listing) -> Iterator[Listing]:
    """Yield markets that combine others, made just now: on the real exchange they flood the list of markets.

    They are on the list and nowhere else.

    Parameters
    ----------
    count : int
        How many.
    like : Listing
        When they close.
    """
    newest_us = max(like.open_us, 0) + 3_600_000_000
    for number in range(count):
        name = f"{_COMBINED.ticker}-{number:06d}"
        market = Market(name, _COMBINED.ticker, _COMBINED.series_ticker, "yes A, yes B", "linear_cent", "", "yes A")
        yield Listing(market, _COMBINED, newest_us, like.close_us)


assert set(SERIES) == {each.series_ticker for each in EVENTS.values()}
