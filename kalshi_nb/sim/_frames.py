"""What the simulated exchange writes: whole text frames, letter by letter.

Nothing here is shared with the client's own reading and writing, so that no mistake can hide by being made
on both sides. Field names and their order are those of Kalshi's WebSocket protocol.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from kalshi_nb.sim._market import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kalshi_nb.sim._events import Delta, Lifecycle, Quote, Trade
    from kalshi_nb.sim._market import Market

__all__ = [
    "ERROR_WORDS",
    "UNDERLYINGS_REQUIRED",
    "delta_body",
    "error_body",
    "frame",
    "lifecycle_body",
    "markets_body",
    "names_body",
    "snapshot_body",
    "subscribed_body",
    "subscriptions_body",
    "ticker_body",
    "trade_body",
]

ERROR_WORDS: Final[dict[int, str]] = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    9: "Authentication required",
    10: "Channel error",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market Ticker required",
    15: "Action required",
    18: "Command timeout",
    19: "shard_factor must be > 0",
    20: "shard_factor is required when shard_key is set",
    21: "shard_key must be >= 0 and < shard_factor",
    22: "shard_factor must be <= 100",
    24: "Index IDs required",
    25: "Subscription buffer overflow",
    26: "Subscription market limit exceeded",
    27: "Too many requests",
    28: "Markets not found",
}
"""The exchange's own words for each error code it can send."""

UNDERLYINGS_REQUIRED: Final = "Underlying tickers required"
"""What code 28 says of the channel ``pyth_value``; both meanings are on record."""


def frame(
    kind: str,
    body: str | None,
    *,
    command_id: int | None = None,
    sid: int | None = None,
    seq: int | None = None,
    sending_ts_ms: int | None = None,
) -> str:
    """Put a body into its envelope: ``type,id,sid,seq,msg,sending_ts_ms``, absent ones left out."""
    parts = [f'{{"type":"{kind}"']
    if command_id is not None:
        parts.append(f'"id":{command_id}')
    if sid is not None:
        parts.append(f'"sid":{sid}')
    if seq is not None:
        parts.append(f'"seq":{seq}')
    if body is not None:
        parts.append(f'"msg":{body}')
    if sending_ts_ms is not None:
        parts.append(f'"sending_ts_ms":{sending_ts_ms}')
    return ",".join(parts) + "}\n"


def dollars(price: int) -> str:
    """Write 1/10000 dollar with four decimals."""
    return f'"{price // WHOLE}.{price % WHOLE:04d}"'


def contracts(count: int) -> str:
    """Write 1/100 contract with two decimals and, below zero, a sign."""
    size = abs(count)
    return f'"{"-" if count < 0 else ""}{size // 100}.{size % 100:02d}"'


def rfc3339(time_us: int) -> str:
    """Write a time in UTC with microseconds, their trailing zeros and an idle point dropped."""
    seconds, micros = divmod(time_us, 1_000_000)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    return f'"{_second(seconds)}{fraction}Z"'


@lru_cache(maxsize=1_024)  # many messages are of one second
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def text(value: str) -> str:
    """Write a string that may come from a client; always plain ASCII, so it can always be sent."""
    return json.dumps(value)


def _texts(values: Iterable[str]) -> str:
    return "[" + ",".join(map(text, values)) + "]"


def _clock(clock: int | None) -> str:
    return "" if clock is None else f'"clock":{clock},'


def _ladder(levels: Sequence[tuple[int, int]], *, in_yes_prices: bool) -> str:
    priced = ((WHOLE - price if in_yes_prices else price, count) for price, count in levels)
    return "[" + ",".join(f"[{dollars(price)},{contracts(count)}]" for price, count in priced) + "]"


def snapshot_body(
    ticker: str,
    market_id: str,
    clock: int | None,
    yes: Sequence[tuple[int, int]],
    no: Sequence[tuple[int, int]],
    *,
    use_yes_price: bool,
) -> str:
    """Write a whole book; levels ascend in the prices they are written in, an empty side is left out."""
    body = f'{{"market_ticker":{text(ticker)},"market_id":"{market_id}",{_clock(clock)}'
    if yes:
        body += f'"yes_dollars_fp":{_ladder(yes, in_yes_prices=False)},'
    if no:
        levels = no[::-1] if use_yes_price else no
        body += f'"no_dollars_fp":{_ladder(levels, in_yes_prices=use_yes_price)},'
    return body[:-1] + "}"


def delta_body(delta: Delta, time_us: int, *, with_clock: bool, use_yes_price: bool) -> str:
    """Write the change of one level."""
    market = delta.market
    price = WHOLE - delta.price if use_yes_price and delta.side == "no" else delta.price
    clock = _clock(delta.clock if with_clock else None)
    order = "" if delta.order is None else f'"client_order_id":"{delta.order}",'
    return (
        f'{{"market_ticker":"{market.ticker}","market_id":"{market.market_id}",{clock}'
        f'"price_dollars":{dollars(price)},"delta_fp":{contracts(delta.quantity)},"side":"{delta.side}",'
        f'{order}"ts":{rfc3339(time_us)},"ts_ms":{time_us // 1000}}}'
    )


def trade_body(trade: Trade, time_us: int) -> str:
    """Write one execution."""
    book_side = "bid" if trade.taker == "yes" else "ask"
    return (
        f'{{"trade_id":"{trade.trade_id}","market_ticker":"{trade.market.ticker}",'
        f'"yes_price_dollars":{dollars(trade.yes_price)},'
        f'"no_price_dollars":{dollars(WHOLE - trade.yes_price)},"count_fp":{contracts(trade.quantity)},'
        f'"taker_side":"{trade.taker}","taker_outcome_side":"{trade.taker}",'
        f'"taker_book_side":"{book_side}","is_block_trade":false,'
        f'"ts":{time_us // 1_000_000},"ts_ms":{time_us // 1000}}}'
    )


def ticker_body(market: Market, quote: Quote, time_us: int) -> str:
    """Write top of book and totals; whole-dollar totals count half a dollar a contract, as the exchange does."""
    return (
        f'{{"market_id":"{market.market_id}","market_ticker":"{market.ticker}",'
        f'"price_dollars":{dollars(quote.price)},"yes_bid_dollars":{dollars(quote.yes_bid)},'
        f'"yes_ask_dollars":{dollars(quote.yes_ask)},"volume_fp":{contracts(quote.volume)},'
        f'"open_interest_fp":{contracts(quote.open_interest)},"dollar_volume":{quote.volume // 200},'
        f'"dollar_open_interest":{quote.open_interest // 200},'
        f'"yes_bid_size_fp":{contracts(quote.yes_bid_size)},'
        f'"yes_ask_size_fp":{contracts(quote.yes_ask_size)},'
        f'"last_trade_size_fp":{contracts(quote.last_trade_size)},"ts":{time_us // 1_000_000},'
        f'"ts_ms":{time_us // 1000},"time":{rfc3339(time_us)}}}'
    )


def lifecycle_body(event: Lifecycle, time_us: int, closes_at_us: int | None) -> str:
    """Write a market's pause, resumption, new closing time, result or payment."""
    parts = [f'"market_ticker":"{event.market.ticker}"']
    if closes_at_us is not None:
        parts.append(f'"close_ts":{closes_at_us // 1_000_000}')
    if event.event_type == "determined":
        parts.append(f'"determination_ts":{time_us // 1_000_000}')
    if event.event_type == "settled":
        parts.append(f'"settled_ts":{time_us // 1_000_000}')
    if event.result is not None and event.settlement_value is not None:
        parts.append(f'"result":"{event.result}","settlement_value":{dollars(event.settlement_value)}')
    if event.is_deactivated is not None:
        parts.append(f'"is_deactivated":{"true" if event.is_deactivated else "false"}')
    parts.append(f'"event_type":"{event.event_type}"')
    return "{" + ",".join(parts) + "}"


def subscribed_body(channel: str, sid: int) -> str:
    """Write what acknowledges a channel that was not open yet."""
    return f'{{"channel":"{channel}","sid":{sid}}}'


def markets_body(tickers: Iterable[str] | None, *, ids: bool = False) -> str:
    """Write what an ``ok`` says: all markets of the subscription, sorted, or nothing where none are listed."""
    if tickers is None:
        return "{}"
    return f'{{"{"market_ids" if ids else "market_tickers"}":{_texts(sorted(tickers))}}}'


def names_body(parameter: str, names: Iterable[str] | None) -> str:
    """Write what an ``ok`` or a list of a reference feed says; None is all of them."""
    return f'{{"{parameter}":{_texts(["all"] if names is None else sorted(names))}}}'


def subscriptions_body(subscriptions: Iterable[tuple[str, int]]) -> str:
    """Write what is open, an array here and nowhere else."""
    return "[" + ",".join(subscribed_body(channel, sid) for channel, sid in subscriptions) + "]"


def error_body(code: int, tickers: Iterable[str] | None = None, words: str | None = None) -> str:
    """Write an error, with the tickers it is about where the exchange names them."""
    named = "" if tickers is None else f',"market_tickers":{_texts(tickers)}'
    return f'{{"code":{code},"msg":{text(ERROR_WORDS[code] if words is None else words)}{named}}}'
