"""Candles of minutes, made of what the socket brings: of trades, of quotes of kept books, and of tickers.

By the rules of those that REST has. There is one of each minute in which something was traded or a best price moved.
Quotes are those that came within the minute, or, where none did, the one that stood; where a side was empty for a
while its prices are those of the rest. So what was heard from the first moment of a minute to its last is what REST
will say of it, but for open interest: only tickers tell that, and the exchange sends one a second.

The socket tells times to the millisecond, REST knows them to the microsecond, and a candle has its end and not its
beginning: of what happened in the very millisecond in which a minute begins nobody here can say which it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._frames.schema import MARKET
from kalshi_nb._rest.candles import CANDLES
from kalshi_nb._rows.channels import QUOTES, position
from kalshi_nb._rows.quotes import PresentQuoteRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kalshi_nb._rows.rows import Row

__all__ = ["MINUTE", "MOST_MINUTES", "Minutes"]

MINUTE: Final = 60_000_000
MOST_MINUTES: Final = 100_000
"""So many are kept while REST says nothing of them; the oldest go."""
_OHLC: Final = ("open", "high", "low", "close")
_PRICE: Final = position("trade", "yes_price")
_COUNT: Final = position("trade", "count")
_BID: Final = position(QUOTES, "bid")
_ASK: Final = position(QUOTES, "ask")
_STATUS: Final = position(QUOTES, "status")
_INTEREST: Final = position("ticker", "open_interest")
_PLACES: Final = {
    channel: (position(channel, MARKET), position(channel, "ts")) for channel in ("trade", QUOTES, "ticker")
}

_Quote = tuple[int | None, int | None]
"""Best bid and ask; None where a side is empty."""


class _Course:
    """The first, highest, lowest and last of some values; None where there was none."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[int] | None = None

    def add(self, value: int | None) -> None:
        """Take up the next value; None says that there is none now."""
        if value is None:
            return
        if self.values is None:
            self.values = [value] * 4
            return
        first, high, low, _ = self.values
        self.values = [first, max(high, value), min(low, value), value]

    def dollars(self) -> list[float | None]:
        """Return them in dollars."""
        return [None] * 4 if self.values is None else [each / DOLLAR for each in self.values]


class _Minute:
    """What happened in one minute of one market, beginning with how it stood before."""

    __slots__ = ("asks", "bids", "interest", "moved", "prices", "stood", "volume")

    def __init__(self, stood: _Quote, interest: int | None) -> None:
        self.stood = stood
        self.interest = interest
        self.prices, self.bids, self.asks = _Course(), _Course(), _Course()
        self.volume = 0
        self.moved = False

    def quote(self, quote: _Quote) -> None:
        """Take up best prices that are others than before."""
        self.moved = True
        self.bids.add(quote[0])
        self.asks.add(quote[1])

    def row(self) -> list[Any]:
        """Return prices, quotes, open interest, volume and mid, in dollars and contracts."""
        bids, asks = self.bids, self.asks
        if not self.moved:
            bids, asks = _Course(), _Course()
            bids.add(self.stood[0])
            asks.add(self.stood[1])
        mid = None
        if bids.values is not None and asks.values is not None:
            mid = (bids.values[3] + asks.values[3]) / (2 * DOLLAR)
        interest = None if self.interest is None else self.interest / CONTRACT
        return [
            *self.prices.dollars(),
            *bids.dollars(),
            *asks.dollars(),
            interest,
            self.volume / CONTRACT,
            mid,
        ]


_NAMES: Final = (
    *_OHLC,
    *(f"{side}_{each}" for side in ("yes_bid", "yes_ask") for each in _OHLC),
    "open_interest",
    "volume",
    "mid",
)


class Minutes:
    """What was heard of some markets, minute by minute; not to be used by two threads at once.

    Parameters
    ----------
    market_tickers : iterable of str
        Which; rows of others are passed over.
    """

    def __init__(self, market_tickers: Iterable[str]) -> None:
        self._tickers = frozenset(market_tickers)
        self._minutes: dict[tuple[int, str], _Minute] = {}
        self._quotes: dict[str, _Quote] = {}
        self._interest: dict[str, int] = {}
        self._from = 0

    def hear(self, channel: str, rows: Sequence[Row]) -> bool:
        """Take up rows of a channel; return whether any of them changed a candle."""
        take = {"trade": self._trade, QUOTES: self._quote, "ticker": self._ticker}[channel]
        market, ts = _PLACES[channel]
        is_news = False
        for row in rows:
            told = row
            if type(row) is not tuple:
                if not isinstance(row, PresentQuoteRow):
                    continue
                told = row.row
            if told[market] in self._tickers:
                is_news = take(told[market], told[ts], told) or is_news
        return is_news

    def seed(self, market_ticker: str, interest: int | None) -> None:
        """Take note of an open interest, where no ticker told any yet."""
        if interest is not None:
            self._interest.setdefault(market_ticker, interest)

    def forget_before(self, moment: int) -> None:
        """Forget the minutes that begin before a moment; what comes of these later is passed over, too."""
        self._from = moment
        self._minutes = {key: each for key, each in self._minutes.items() if key[0] >= moment}

    def df(self) -> pl.DataFrame:
        """Return a candle of each minute, by start and market; none of them is complete."""
        keys = sorted(self._minutes)
        columns = list(zip(*(self._minutes[key].row() for key in keys), strict=True)) or [()] * len(_NAMES)
        starts = pl.Series([start for start, _ in keys], dtype=pl.Int64())
        values: dict[str, Any] = {
            MARKET: [market for _, market in keys],
            "start": starts.cast(CANDLES["start"]),
            "end": (starts + MINUTE).cast(CANDLES["end"]),
            "complete": [False] * len(keys),
            **dict(zip(_NAMES, columns, strict=True)),
        }
        nothing = [None] * len(keys)
        return pl.DataFrame(
            [pl.Series(name, values.get(name, nothing), dtype=dtype) for name, dtype in CANDLES.items()]
        )

    def _trade(self, market: str, ts: int, row: Row) -> bool:
        minute = self._at(market, ts)
        if minute is None:
            return False
        minute.prices.add(row[_PRICE])
        minute.volume += row[_COUNT] or 0
        return True

    def _quote(self, market: str, ts: int, row: Row) -> bool:
        if row[_STATUS] != "live":
            return False  # nobody knows what stood then
        quote = (row[_BID], row[_ASK])
        before = self._quotes.get(market)
        if quote == before:
            return False
        is_first = before is None
        minute = None if is_first else self._at(market, ts)
        self._quotes[market] = quote
        if minute is None:
            return False
        minute.quote(quote)
        return True

    def _ticker(self, market: str, ts: int, row: Row) -> bool:
        interest = row[_INTEREST]
        if interest is None:
            return False
        self._interest[market] = interest
        minute = self._minutes.get((ts // MINUTE * MINUTE, market))
        if minute is None or minute.interest == interest:
            return False
        minute.interest = interest
        return True

    def _at(self, market: str, ts: int) -> _Minute | None:
        """Return a market's minute at a time, new where nothing happened in it yet; None where it was forgotten."""
        start = ts // MINUTE * MINUTE
        if start < self._from:
            return None
        key = start, market
        found = self._minutes.get(key)
        if found is None:
            stood = self._quotes.get(market, (None, None))
            found = self._minutes[key] = _Minute(stood, self._interest.get(market))
            if len(self._minutes) > MOST_MINUTES:
                del self._minutes[next(iter(self._minutes))]
        return found
