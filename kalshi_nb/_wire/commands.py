"""Commands to bytes, without I/O. Source: section "Commands" of Kalshi's WebSocket documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

__all__ = ["LARGEST_LIST", "list_subscriptions", "subscribe", "unsubscribe", "update_subscription"]

LARGEST_LIST: Final = 100
"""Most tickers in one command; longer lists are sent in several."""

_encode = msgspec.json.Encoder().encode


def _command(number: int, cmd: str, params: dict[str, Any] | None = None) -> bytes:
    envelope: dict[str, Any] = {"id": number, "cmd": cmd}
    if params is not None:
        envelope["params"] = params
    return _encode(envelope)


def subscribe(number: int, channel: str, market_tickers: Sequence[str] | None) -> bytes:
    """Return the command that opens `channel` for `market_tickers`, or for all markets when None.

    ``use_yes_price`` is always said: the exchange has announced that its default will change one day.
    """
    params: dict[str, Any] = {"channels": [channel]}
    if market_tickers is not None:
        params["market_tickers"] = list(market_tickers)
    if channel == "orderbook_delta":
        params["use_yes_price"] = False
    if channel == "ticker" and market_tickers is not None:
        params["send_initial_snapshot"] = True
    return _command(number, "subscribe", params)


def update_subscription(number: int, sid: int, action: str, market_tickers: Sequence[str], *, channel: str) -> bytes:
    """Return the command for `action`: ``add_markets``, ``delete_markets`` or ``get_snapshot``."""
    params: dict[str, Any] = {"sids": [sid], "action": action, "market_tickers": list(market_tickers)}
    if channel == "ticker" and action == "add_markets":
        params["send_initial_snapshot"] = True
    return _command(number, "update_subscription", params)


def unsubscribe(number: int, sid: int) -> bytes:
    """Return the command that ends the subscription `sid`."""
    return _command(number, "unsubscribe", {"sids": [sid]})


def list_subscriptions(number: int) -> bytes:
    """Return the command that asks which subscriptions there are."""
    return _command(number, "list_subscriptions")
