"""What a market of the simulated exchange is: its names, price grid and temper.

Prices are integers of 1/10000 dollar, counts integers of 1/100 contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = ["GRIDS", "WHOLE", "ListedEvent", "Market", "PriceGrid", "Side", "Temper", "opposite"]

Side = Literal["yes", "no"]

WHOLE: Final = 10_000
"""One dollar: what a contract pays, and what a YES and a NO price of one trade add up to."""


def opposite(side: Side) -> Side:
    """Return the other side of the book."""
    return "no" if side == "yes" else "yes"


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """The prices a market can be quoted at: bands of equal steps strictly inside 0 and 1 dollar.

    Every grid of the catalogue is symmetric, so that a price of the NO side lies on it whenever the same
    YES price does.
    """

    name: str
    bands: tuple[tuple[int, int, int], ...]

    def floor(self, price: int) -> int:
        """Return the highest price of the grid that is at most `price`, or 0 where there is none."""
        if price <= 0:
            return 0
        price = min(price, WHOLE - 1)
        for start, end, step in self.bands:
            if price < end or end == WHOLE:
                return start + (price - start) // step * step
        return 0

    def below(self, price: int, steps: int = 1) -> int:
        """Return the price `steps` steps under `price`, or 0 where the grid ends before."""
        for _ in range(steps):
            price = self.floor(price - 1)
        return price

    @lru_cache(maxsize=65_536)  # noqa: B019  # there are three grids, each once; asked for at each step of each market
    def count_below(self, price: int, limit: int) -> int:
        """Return how many prices lie at or under `price`, counting no further than `limit`."""
        found = 0
        price = self.floor(price)
        while price and found < limit:
            found += 1
            price = self.floor(price - 1)
        return found


GRIDS: Final[dict[str, PriceGrid]] = {
    grid.name: grid
    for grid in (
        PriceGrid("linear_cent", ((0, WHOLE, 100),)),
        PriceGrid("deci_cent", ((0, WHOLE, 10),)),
        PriceGrid("tapered_deci_cent", ((0, 1000, 10), (1000, 9000, 100), (9000, WHOLE, 10))),
    )
}
"""The three grids of Kalshi's that real captures show, by the exchange's own names."""


@dataclass(frozen=True, slots=True)
class Market:
    """One market of the simulated exchange.

    Attributes
    ----------
    ticker, event_ticker, series_ticker : str
        Its names, shaped like Kalshi's.
    title : str
        The question it asks.
    price_level_structure : str
        Its price grid: ``linear_cent`` (steps of 0.01), ``deci_cent`` (0.001) or ``tapered_deci_cent``
        (0.001 below 0.10 and above 0.90, else 0.01).
    market_id : str
        The uuid that WebSocket messages carry; the same for every seed.
    subtitle : str
        What YES stands for in its event.
    strike_type : str
        ``"less"``, ``"between"``, ``"greater"`` or, where the strike is no number, ``"custom"``.
    floor_strike, cap_strike : float or None
        The strike in numbers, where it has any.
    """

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    price_level_structure: str
    market_id: str
    subtitle: str
    strike_type: str = "custom"
    floor_strike: float | None = None
    cap_strike: float | None = None

    @property
    def price_ranges(self) -> tuple[tuple[int, int, int], ...]:
        """The grid: bands of (start, end, step), in 1/10000 dollar."""
        return GRIDS[self.price_level_structure].bands


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """What several markets are about.

    Attributes
    ----------
    ticker, series_ticker : str
        Its names.
    title, subtitle : str
        The question.
    mutually_exclusive : bool
        Whether one of its markets is YES in the end, and the others NO; else each is decided by itself.
    closes_after : float
        When its markets close, as a multiple of the time until the first event of all does.
    open_for : int
        Seconds that its markets have been open when the exchange begins.
    """

    ticker: str
    series_ticker: str
    title: str
    subtitle: str
    mutually_exclusive: bool
    closes_after: float
    open_for: int


@dataclass(frozen=True, slots=True)
class Temper:
    """How a market behaves; what tells a 15-minute Bitcoin market from a quiet election.

    Attributes
    ----------
    anchor : int
        The price, in 1/10000 dollar, that its fair value wanders around.
    wander : int
        Standard deviation of one move of the fair value, 1/10000 dollar; a move comes with every burst.
    return_in : int
        In how many bursts the fair value goes back to the anchor, roughly.
    spread : int
        The spread its makers aim at, 1/10000 dollar.
    levels : int
        The levels a side they aim at.
    pause : int
        Mean time between bursts, microseconds.
    trade_share : int
        Trades in a thousand actions.
    fractional_trades : int
        Trades with a fraction of a contract, in a hundred.
    fresh : bool
        Whether nobody has ever traded it when the tape begins, and nobody does.
    has_account : bool
        Whether the account trades in it.
    """

    anchor: int
    wander: int
    return_in: int
    spread: int
    levels: int
    pause: int
    trade_share: int = 60
    fractional_trades: int = 5
    fresh: bool = False
    has_account: bool = False
