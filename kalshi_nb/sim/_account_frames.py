"""What the exchange writes to the holder of an account: the bodies of fills, orders and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb.sim._frames import contracts, dollars, rfc3339
from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from kalshi_nb.sim._events import Fill, OrderState, OrderUpdate, PositionUpdate

__all__ = ["fill_body", "order_body", "position_body"]

_COST = 1_000_000


def costs(cost: int) -> str:
    """Write 1/1000000 dollar with six decimals and, below zero, a sign."""
    size = abs(cost)
    return f'"{"-" if cost < 0 else ""}{size // _COST}.{size % _COST:06d}"'


def _yes_price(order: OrderState) -> int:
    return order.price if order.side == "yes" else WHOLE - order.price


def _book_side(order: OrderState) -> str:
    return "bid" if order.side == "yes" else "ask"


def _shard(*, with_shard: bool) -> str:
    return '"exchange_index":0,' if with_shard else ""


def fill_body(fill: Fill, time_us: int, *, with_shard: bool) -> str:
    """Write one execution of an order of the account's; its price is that of YES whatever was bought."""
    order, side = fill.order, fill.order.side
    return (
        f'{{"trade_id":"{fill.trade_id}","order_id":"{order.order_id}",'
        f'"client_order_id":"{order.client_order_id}","market_ticker":"{fill.market.ticker}",'
        f'{_shard(with_shard=with_shard)}"is_taker":{"true" if fill.is_taker else "false"},"side":"{side}",'
        f'"ts":{time_us // 1_000_000},"ts_ms":{time_us // 1000},"yes_price_dollars":{dollars(fill.yes_price)},'
        f'"count_fp":{contracts(fill.quantity)},"fee_cost":{costs(fill.fee)},"action":"buy",'
        f'"post_position_fp":{contracts(fill.position)},"purchased_side":"{side}","outcome_side":"{side}",'
        f'"book_side":"{_book_side(order)}","subaccount":0}}'
    )


def order_body(update: OrderUpdate, created_us: int, time_us: int, *, with_shard: bool) -> str:
    """Write an order of the account's as it is now."""
    order = update.order
    reason = "" if update.reason is None else f'"last_update_reason":"{update.reason}",'
    return (
        f'{{"order_id":"{order.order_id}","user_id":"{update.user_id}","ticker":"{update.market.ticker}",'
        f'{_shard(with_shard=with_shard)}"status":"{order.status}","side":"{order.side}",'
        f'"is_yes":{"true" if order.side == "yes" else "false"},"outcome_side":"{order.side}",'
        f'"book_side":"{_book_side(order)}","yes_price_dollars":{dollars(_yes_price(order))},'
        f'"fill_count_fp":{contracts(order.filled)},"remaining_count_fp":{contracts(order.remaining)},'
        f'"initial_count_fp":{contracts(order.initial)},"taker_fill_cost_dollars":{costs(order.taker_cost)},'
        f'"maker_fill_cost_dollars":{costs(order.maker_cost)},"taker_fees_dollars":{costs(order.taker_fees)},'
        f'"maker_fees_dollars":{costs(0)},"client_order_id":"{order.client_order_id}",'
        f'"created_time":{rfc3339(created_us)},"last_update_time":{rfc3339(time_us)},'
        f'"created_ts_ms":{created_us // 1000},"last_updated_ts_ms":{time_us // 1000},{reason}"subaccount_number":0}}'
    )


def position_body(update: PositionUpdate) -> str:
    """Write what the account has in a market."""
    return (
        f'{{"user_id":"{update.user_id}","market_ticker":"{update.market.ticker}",'
        f'"position_fp":{contracts(update.position)},"position_cost_dollars":{costs(update.cost)},'
        f'"realized_pnl_dollars":{costs(update.realized)},"fees_paid_dollars":{costs(update.fees)},'
        f'"position_fee_cost_dollars":{costs(update.fees if update.position else 0)},'
        f'"volume_fp":{contracts(update.volume)},"subaccount":0}}'
    )
