"""The markets of the simulated exchange: their names, price grids and temper.

Prices are integers of 1/10000 dollar, counts integers of 1/100 contract.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CATALOGUE", "GRIDS", "WHOLE", "Market", "PriceGrid", "Side", "Temper", "opposite"]

Side = Literal["yes", "no"]

WHOLE: Final = 10_000
"""One dollar: what a contract pays, and what a YES and a NO price of one trade add up to."""

_MARKET_IDS: Final = uuid.UUID("6b1f0a6e-5d0c-4f6e-9a53-2f1c1d0e7b11")


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
    """

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    price_level_structure: str
    market_id: str


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


def _market(ticker: str, title: str, grid: str) -> Market:
    event_ticker = ticker.rpartition("-")[0]
    series_ticker = ticker.partition("-")[0]
    market_id = str(uuid.uuid5(_MARKET_IDS, ticker))
    return Market(ticker, event_ticker, series_ticker, title, grid, market_id)


def _temperature(strike: str, words: str, temper: Temper) -> tuple[Market, Temper]:
    title = f"Will the high temperature in New York be {words} on Nov 22, 2026?"
    return _market(f"KXHIGHNY-26NOV22-{strike}", title, "linear_cent"), temper


def _catalogue() -> tuple[tuple[Market, Temper], ...]:
    return (
        _temperature("T48", "below 48°", Temper(400, 18, 200, 200, 14, 5_000_000)),
        _temperature("B48.5", "48-49°", Temper(1_100, 20, 200, 200, 14, 3_000_000)),
        _temperature("B50.5", "50-51°", Temper(2_700, 22, 200, 200, 16, 1_300_000)),
        _temperature("B52.5", "52-53°", Temper(3_400, 25, 200, 200, 18, 900_000)),
        _temperature("B54.5", "54-55°", Temper(1_700, 22, 200, 300, 14, 1_800_000)),
        _temperature("T55", "above 55°", Temper(700, 18, 200, 200, 12, 4_000_000)),
        (
            _market("KXBTC15M-26NOV221015-15", "BTC price up in the next 15 mins?", "linear_cent"),
            Temper(5_200, 90, 300, 200, 14, 260_000, 70, 33),
        ),
        (
            _market("KXNFLGAME-26NOV22NYJBUF-BUF", "New York J at Buffalo winner: Buffalo?", "tapered_deci_cent"),
            Temper(8_700, 60, 250, 150, 24, 550_000),
        ),
        (
            _market("KXNFLGAME-26NOV22NYJBUF-NYJ", "New York J at Buffalo winner: New York J?", "tapered_deci_cent"),
            Temper(1_300, 60, 250, 150, 24, 650_000),
        ),
        (
            _market("KXSENATEOH-28-D", "Will the Democratic Party win the Ohio Senate race?", "deci_cent"),
            Temper(4_480, 8, 300, 150, 20, 6_000_000, 40),
        ),
        (
            _market("KXSENATEOH-28-R", "Will the Republican Party win the Ohio Senate race?", "deci_cent"),
            Temper(5_460, 8, 300, 150, 20, 6_000_000, 40),
        ),
        (
            _market("KXSENATEOH-28-I", "Will an independent win the Ohio Senate race?", "deci_cent"),
            Temper(70, 16, 60, 100, 8, 9_000_000, 0, fresh=True),
        ),
    )


CATALOGUE: Final = _catalogue()
"""Every market with its temper: four events of one Sunday, and the quiet one of a far election."""
