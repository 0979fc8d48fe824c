"""The newest trade of each market, of those that somebody on the feed wanted anyway."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._rows.channels import position
from kalshi_nb._rows.steering import ResetRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MOST_TRADES", "LastTrade", "LastTrades"]

MOST_TRADES: Final = 100_000

_MARKET: Final = position("trade", "market_ticker")
_MARKET_OF: Final = itemgetter(_MARKET)
_OWN_ONLY: Final = frozenset({tuple})
_FIELDS: Final = tuple(position("trade", name) for name in ("yes_price", "count", "taker_outcome_side", "ts"))


class LastTrade(NamedTuple):
    """One trade: YES price in 1/10000 dollar, 1/100 contracts, what the taker bought, microseconds since 1970."""

    price: int
    size: int
    taker: str | None
    at: int


class LastTrades:
    """What was traded last in each market; bounded: of more markets, those go that were seen first.

    One thread at a time learns, whoever takes the rows from the engine; any reads. A row is one value and never
    changed, so a reader has the trade before or the one after. Nothing is subscribed to for this.

    Parameters
    ----------
    most : int
        How many markets are kept.
    """

    def __init__(self, most: int = MOST_TRADES) -> None:
        self._most = most
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def learn(self, rows: Sequence[Row]) -> None:
        """Take up some rows of trades, in their order; those that were fetched later are none of the newest."""
        newest: dict[str, Row] = {}
        if set(map(type, rows)) <= _OWN_ONLY:
            newest = dict(zip(map(_MARKET_OF, rows), rows, strict=True))
        else:
            for row in rows:
                if type(row) is tuple:
                    newest[row[_MARKET]] = row
                elif isinstance(row, ResetRow):
                    newest = {}
                    self._rows = {}
        self._rows.update(newest)
        if len(self._rows) > self._most:
            kept = list(self._rows.items())
            self._rows = dict(kept[len(kept) - self._most :])

    def tickers(self) -> list[str]:
        """Return the markets in which a trade was seen."""
        return list(self._rows)

    def get(self, market_ticker: str) -> LastTrade | None:
        """Return the newest trade of a market, None where none was seen."""
        row = self._rows.get(market_ticker)
        return None if row is None else LastTrade(*[row[at] for at in _FIELDS])
