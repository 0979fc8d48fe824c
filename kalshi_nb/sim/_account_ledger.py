"""What was told of the account since the simulated exchange began: every fill, and how orders and positions stand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb.sim._events import Fill, OrderUpdate, PositionUpdate

if TYPE_CHECKING:
    from kalshi_nb.sim._events import Event

__all__ = ["AccountLedger", "KeptFill", "KeptOrder", "KeptPosition"]

_MOST_FILLS: Final = 100_000
_MOST_ENDED: Final = 100_000


class KeptOrder(NamedTuple):
    """An order, as it was told of last."""

    created_us: int
    updated_us: int
    update: OrderUpdate


class KeptFill(NamedTuple):
    """A fill, and when it was."""

    time_us: int
    fill: Fill


class KeptPosition(NamedTuple):
    """A position, and since when it is so."""

    time_us: int
    update: PositionUpdate


class AccountLedger:
    """All that was told of the account since it began; of more than 100,000 fills, or ended orders, the oldest go."""

    def __init__(self) -> None:
        self.fills: deque[KeptFill] = deque(maxlen=_MOST_FILLS)
        self.orders: dict[str, KeptOrder] = {}
        self.positions: dict[str, KeptPosition] = {}
        self.updated_us = 0
        self._ended: deque[str] = deque()

    def note(self, event: Event, time_us: int, created_us: int | None) -> None:
        """Take up what happened; what is not about the account is passed over.

        Parameters
        ----------
        event : Event
            What.
        time_us : int
            When, exchange time.
        created_us : int or None
            When the order that it is about was made.
        """
        if isinstance(event, Fill):
            self.fills.append(KeptFill(time_us, event))
        elif isinstance(event, OrderUpdate):
            self._note_order(event, time_us, time_us if created_us is None else created_us)
        elif isinstance(event, PositionUpdate):
            self.positions[event.market.ticker] = KeptPosition(time_us, event)
        else:
            return
        self.updated_us = max(self.updated_us, time_us)

    def _note_order(self, update: OrderUpdate, time_us: int, created_us: int) -> None:
        order_id = update.order.order_id
        self.orders[order_id] = KeptOrder(created_us, time_us, update)
        if update.order.status != "resting":
            self._ended.append(order_id)
            if len(self._ended) > _MOST_ENDED:
                del self.orders[self._ended.popleft()]
