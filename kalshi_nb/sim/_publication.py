"""One event on its way to those who are subscribed to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from kalshi_nb.sim import _account_frames, _frames
from kalshi_nb.sim._events import Delta, Fill, Lifecycle, OrderUpdate, PositionUpdate, Ticker, Trade

if TYPE_CHECKING:
    from kalshi_nb.sim._events import Event

__all__ = ["Publication"]

_CHANNEL_OF: Final[dict[type, tuple[str, str]]] = {
    Delta: ("orderbook_delta", "orderbook_delta"),
    Trade: ("trade", "trade"),
    Ticker: ("ticker", "ticker"),
    Lifecycle: ("market_lifecycle_v2", "market_lifecycle_v2"),
    Fill: ("fill", "fill"),
    OrderUpdate: ("user_orders", "user_order"),
    PositionUpdate: ("market_positions", "market_position"),
}


class Publication:
    """One event on its way to many connections; each form of its body is written once.

    Parameters
    ----------
    event : Event
        What happened.
    time_us : int
        When, exchange time.
    sending_us : int
        When it is sent, exchange time.
    other_us : int or None
        The other time that its message has: when an order was made, when a market will close.
    is_new_era : bool
        Whether its message has the fields that came last.

    Attributes
    ----------
    channel, kind, ticker : str
        The channel it belongs to, the type of its message, and the market it is about.
    sending_us : int
        As above.
    sending_ts_ms : int or None
        What its frame gives as that.
    """

    def __init__(
        self, event: Event, time_us: int, sending_us: int, other_us: int | None = None, *, is_new_era: bool
    ) -> None:
        self.channel, self.kind = _CHANNEL_OF[type(event)]
        self.ticker = event.market.ticker
        self.sending_us = sending_us
        self.sending_ts_ms = sending_us // 1000 if is_new_era else None
        self._event = event
        self._time_us = time_us
        self._other_us = other_us
        self._is_new_era = is_new_era

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
        event, time_us, is_new_era = self._event, self._time_us, self._is_new_era
        match event:
            case Delta():
                text = _frames.delta_body(event, time_us, with_clock=is_new_era, use_yes_price=use_yes_price)
            case Trade():
                text = _frames.trade_body(event, time_us)
            case Ticker():
                text = _frames.ticker_body(event.market, event.quote, time_us)
            case Lifecycle():
                text = _frames.lifecycle_body(event, time_us, self._other_us)
            case Fill():
                text = _account_frames.fill_body(event, time_us, with_shard=is_new_era)
            case OrderUpdate():
                created_us = time_us if self._other_us is None else self._other_us
                text = _account_frames.order_body(event, created_us, time_us, with_shard=is_new_era)
            case PositionUpdate():
                text = _account_frames.position_body(event)
        return text
