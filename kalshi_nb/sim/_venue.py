"""The trading floor: the tape in exchange time, and what its markets look like on the wire right now."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from kalshi_nb.sim import _frames
from kalshi_nb.sim._channels import FEEDS
from kalshi_nb.sim._events import Delta, Lifecycle, Ticker, Trade
from kalshi_nb.sim._tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kalshi_nb.sim._events import Event

__all__ = ["Era", "Publication", "UnknownMarkets", "Venue"]

Era = Literal["2026-10", "captures"]
UnknownMarkets = Literal["empty", "error"]

_CHANNEL_OF: Final[dict[type, str]] = {
    Delta: "orderbook_delta",
    Trade: "trade",
    Ticker: "ticker",
    Lifecycle: "market_lifecycle_v2",
}


class Publication:
    """One event on its way to many connections; each form of its body is written once.

    Attributes
    ----------
    channel, ticker : str
        The channel it belongs to, which is also the type of its message, and the market it is about.
    sending_us : int
        When it is sent, exchange time.
    """

    def __init__(self, event: Event, time_us: Callable[[int], int], sending_us: int, *, with_clock: bool) -> None:
        self.channel = _CHANNEL_OF[type(event)]
        self.ticker = event.market.ticker
        self.sending_us = sending_us
        self._event = event
        self._time_us = time_us
        self._with_clock = with_clock

    def body(self, *, use_yes_price: bool) -> str:
        """Return the message's text."""
        return self._body_in_yes_prices if use_yes_price else self._body

    @cached_property
    def _body(self) -> str:
        return self._write(use_yes_price=False)

    @cached_property
    def _body_in_yes_prices(self) -> str:
        return self._write(use_yes_price=True)

    def _write(self, *, use_yes_price: bool) -> str:
        event = self._event
        time_us = self._time_us(event.at)
        if isinstance(event, Delta):
            return _frames.delta_body(event, time_us, with_clock=self._with_clock, use_yes_price=use_yes_price)
        if isinstance(event, Trade):
            return _frames.trade_body(event, time_us)
        if isinstance(event, Ticker):
            return _frames.ticker_body(event.market, event.quote, time_us)
        closes_at_us = None if event.closes_at is None else self._time_us(event.closes_at)
        return _frames.lifecycle_body(event, closes_at_us)


class Venue:
    """The markets of one exchange.

    Parameters
    ----------
    seed : int
        What the tape is made from.
    start_us : int
        The exchange time at which the tape begins, microseconds.
    now_us : callable
        The exchange's clock.
    era : {"2026-10", "captures"}
        Whether frames carry ``sending_ts_ms`` and books ``clock``.
    unknown_markets : {"empty", "error"}
        How a book of a market that does not exist is answered.
    speed : float
        How many seconds of the tape pass in one of the clock's.

    Attributes
    ----------
    snapshots_to_lose : int
        How many of the next requests for a snapshot stay unanswered.
    prefers_yes_prices : bool
        What ``use_yes_price`` is for a subscribe that does not say.
    announced : dict of str to set of str
        By channel of the reference feeds, what was ever announced there.
    """

    def __init__(
        self,
        seed: int,
        start_us: int,
        now_us: Callable[[], int],
        *,
        era: Era,
        unknown_markets: UnknownMarkets,
        speed: float = 1.0,
    ) -> None:
        self.unknown_markets = unknown_markets
        self.snapshots_to_lose = 0
        self.prefers_yes_prices = False
        self.most_markets: int | None = None
        self.announced: dict[str, set[str]] = {channel: set() for channel in FEEDS}
        self._is_new_era = era == "2026-10"
        self._now_us = now_us
        self._tape = Tape(seed)
        self._origin_us = start_us
        self._speed = speed
        self._by_id = {flow.market.market_id: flow.market.ticker for flow in self._tape.flows.values()}
        self.tickers = tuple(sorted(self._tape.flows))

    def set_era(self, era: Era) -> None:
        """Write frames as they were written in another time."""
        self._is_new_era = era == "2026-10"

    @property
    def next_us(self) -> int:
        """The exchange time of the next event."""
        return self._origin_us + math.ceil(self._tape.next_at / self._speed)

    def postpone(self, micros: int) -> None:
        """Let everything that has not happened yet happen later."""
        self._origin_us += micros

    def publish(self, until_us: int, *, stamped_us: int | None) -> Iterator[Publication]:
        """Yield what happens up to and with `until_us`.

        Parameters
        ----------
        until_us : int
            Exchange time.
        stamped_us : int or None
            What the frames give as their time of sending; None for each event's own time.
        """
        for event in self._tape.until(math.floor((until_us - self._origin_us) * self._speed)):
            sending_us = self._time_us(event.at) if stamped_us is None else stamped_us
            yield Publication(event, self._time_us, sending_us, with_clock=self._is_new_era)

    def _time_us(self, at: int) -> int:
        """Return the exchange time at which the tape is at `at`."""
        return self._origin_us + math.ceil(at / self._speed)

    def sending_ts_ms(self, time_us: int | None = None) -> int | None:
        """Return what a frame sent now, or at `time_us`, carries as its time of sending, if any."""
        if not self._is_new_era:
            return None
        return (self._now_us() if time_us is None else time_us) // 1000

    def take_missing(self, wanted: set[str]) -> list[str]:
        """Take out the tickers of no market, where the exchange is to answer them with an error."""
        if self.unknown_markets == "empty":
            return []
        missing = sorted(ticker for ticker in wanted if not self.is_known(ticker))
        wanted.difference_update(missing)
        return missing

    def take_excess(self, held: set[str], wanted: set[str]) -> list[str]:
        """Take out the tickers for which a subscription that holds some already has no more room."""
        new = sorted(wanted - held)
        excess = [] if self.most_markets is None else new[max(0, self.most_markets - len(held)) :]
        wanted.difference_update(excess)
        return excess

    def is_known(self, ticker: str) -> bool:
        """Say whether there is such a market."""
        return ticker in self._tape.flows

    def tickers_of(self, market_ids: tuple[str, ...]) -> set[str]:
        """Return the tickers of uuids; those of no market are passed over."""
        return {self._by_id[each] for each in map(str.lower, market_ids) if each in self._by_id}

    def ids_of(self, tickers: set[str]) -> list[str]:
        """Return the uuids of known tickers."""
        return [self._tape.flows[ticker].market.market_id for ticker in tickers if self.is_known(ticker)]

    def snapshot_body(self, ticker: str, *, use_yes_price: bool) -> str:
        """Return a market's whole book as it is now; an unknown market's is empty and has no uuid."""
        flow = self._tape.flows.get(ticker)
        if flow is None:
            clock = 0 if self._is_new_era else None
            return _frames.snapshot_body(ticker, "", clock, (), (), use_yes_price=use_yes_price)
        return _frames.snapshot_body(
            ticker,
            flow.market.market_id,
            flow.clock if self._is_new_era else None,
            flow.book.levels("yes"),
            flow.book.levels("no"),
            use_yes_price=use_yes_price,
        )

    def ticker_body(self, ticker: str) -> str:
        """Return a known market's ticker as it would be now."""
        flow = self._tape.flows[ticker]
        return _frames.ticker_body(flow.market, flow.quote(), self._now_us())
