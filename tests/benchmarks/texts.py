"""What the exchange writes: whole text frames, letter by letter, and how a WebSocket server frames them.

In the form of Kalshi's newest protocol: books carry ``clock``, and every frame ends with ``sending_ts_ms``.
"""

import time

from tests.benchmarks.market import WHOLE


def _dollars(price):
    return f'"{price // WHOLE}.{price % WHOLE:04d}"'


def _contracts(count):
    size = abs(count)
    return f'"{"-" if count < 0 else ""}{size // 100}.{size % 100:02d}"'


def _rfc3339(time_us):
    seconds, micros = divmod(time_us, 1_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f'"{text}{f".{micros:06d}".rstrip("0") if micros else ""}Z"'


def _ladder(levels):
    return "[" + ",".join(f"[{_dollars(price)},{_contracts(levels[price])}]" for price in sorted(levels)) + "]"


def snapshot(market, clock):
    """All of a book but its envelope; a side without levels is left out."""
    body = f'{{"market_ticker":"{market.ticker}","market_id":"{market.market_id}","clock":{clock}'
    for side in ("yes", "no"):
        if market.sides[side]:
            body += f',"{side}_dollars_fp":{_ladder(market.sides[side])}'
    return body + "}"


def delta(market, change, sid, seq, now_us):
    milliseconds = now_us // 1000
    return (
        f'{{"type":"orderbook_delta","sid":{sid},"seq":{seq},"msg":{{"market_ticker":"{market.ticker}",'
        f'"market_id":"{market.market_id}","clock":{13_000_000_000 + seq},"price_dollars":{_dollars(change.price)},'
        f'"delta_fp":{_contracts(change.quantity)},"side":"{change.side}","ts":{_rfc3339(now_us)},'
        f'"ts_ms":{milliseconds}}},"sending_ts_ms":{milliseconds}}}\n'
    )


def trade(market, trade_id, trade, sid, seq, now_us):
    price, size, taker = trade
    milliseconds = now_us // 1000
    return (
        f'{{"type":"trade","sid":{sid},"seq":{seq},"msg":{{"trade_id":"{trade_id}",'
        f'"market_ticker":"{market.ticker}","yes_price_dollars":{_dollars(price)},'
        f'"no_price_dollars":{_dollars(WHOLE - price)},"count_fp":{_contracts(size)},"taker_side":"{taker}",'
        f'"taker_outcome_side":"{taker}","taker_book_side":"{"bid" if taker == "yes" else "ask"}",'
        f'"is_block_trade":false,"ts":{milliseconds // 1000},"ts_ms":{milliseconds}}},'
        f'"sending_ts_ms":{milliseconds}}}\n'
    )


def ticker(market, sid, now_us):
    bid, bid_size, ask, ask_size = market.top()
    milliseconds = now_us // 1000
    return (
        f'{{"type":"ticker","sid":{sid},"msg":{{"market_id":"{market.market_id}",'
        f'"market_ticker":"{market.ticker}","price_dollars":{_dollars(market.last_price)},'
        f'"yes_bid_dollars":{_dollars(bid)},"yes_ask_dollars":{_dollars(ask)},'
        f'"volume_fp":{_contracts(market.volume)},"open_interest_fp":{_contracts(market.open_interest)},'
        f'"dollar_volume":{market.volume // 200},"dollar_open_interest":{market.open_interest // 200},'
        f'"yes_bid_size_fp":{_contracts(bid_size)},"yes_ask_size_fp":{_contracts(ask_size)},'
        f'"last_trade_size_fp":{_contracts(market.last_size)},"ts":{milliseconds // 1000},"ts_ms":{milliseconds},'
        f'"time":{_rfc3339(now_us)}}},"sending_ts_ms":{milliseconds}}}\n'
    )


def websocket_frame(text):
    """A whole, unmasked text frame, as a server sends it."""
    data = text.encode() if isinstance(text, str) else text
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data
