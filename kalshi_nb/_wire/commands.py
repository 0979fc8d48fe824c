"""Commands to bytes, without I/O. Source: section "Commands" of Kalshi's WebSocket documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from kalshi_nb._rows.channels import traits_of

__all__ = ["LARGEST_LIST", "list_subscriptions", "subscribe", "unsubscribe", "update_subscription"]

LARGEST_LIST: Final = 100
"""Most tickers in one command; longer lists are sent in several."""

_encode = msgspec.json.Encoder().encode


def _command(number: int, cmd: str, params: dict[str, Any] | None = None) -> bytes:
    envelope: dict[str, Any] = {"id": number, "cmd": cmd}
    if params is not None:
        envelope["params"] = params
    return _encode(envelope)


# The reference feeds have words of their own for what market_tickers, add_markets and delete_markets are.
_LIST: Final = {"market_ticker": "market_tickers", "index_id": "index_ids", "underlying_ticker": "underlying_tickers"}
_ACTIONS: Final[dict[str | None, dict[str, str]]] = {
    "index_id": {
        "add_markets": "subscribe_indices",
        "delete_markets": "unsubscribe_indices",
        "catalog": "indexlist",
    },
    "underlying_ticker": {
        "add_markets": "subscribe_underlyings",
        "delete_markets": "unsubscribe_underlyings",
        "catalog": "underlying_list",
    },
}
_EVERY: Final = ["all"]


def subscribe(
    number: int, channel: str, market_tickers: Sequence[str] | None, params: Iterable[tuple[str, str | int]] = ()
) -> bytes:
    """Return the command that opens `channel` for `market_tickers`, or for all markets when None.

    On the reference feeds those are ids of indices, or tickers of underlyings; with none of them the subscription
    is empty. `params` is what else to say.

    ``use_yes_price`` is always said: the exchange has announced that its default will change one day.
    ``skip_ticker_ack`` is said where more tickers follow than one command takes, as each answer would list
    them all again; but not for books, where that list is compared with what was asked for.
    """
    subject = _subject(channel)
    body: dict[str, Any] = {"channels": [channel]}
    if market_tickers:
        body[_LIST[subject]] = list(market_tickers)
    elif market_tickers is None and subject != "market_ticker":
        body[_LIST[subject]] = _EVERY
    if channel == "orderbook_delta":
        body["use_yes_price"] = False
    elif subject == "market_ticker" and market_tickers is not None and len(market_tickers) >= LARGEST_LIST:
        body["skip_ticker_ack"] = True
    if channel == "ticker" and market_tickers is not None:
        body["send_initial_snapshot"] = True
    body.update(params)
    return _command(number, "subscribe", body)


def update_subscription(number: int, sid: int, action: str, market_tickers: Sequence[str], *, channel: str) -> bytes:
    """Return the command for `action`: ``add_markets``, ``delete_markets`` or ``get_snapshot``.

    On the reference feeds the first two become their own actions, and ``catalog``, which names nothing, asks
    what there is.
    """
    subject = _subject(channel)
    action = _ACTIONS.get(subject, {}).get(action, action)
    params: dict[str, Any] = {"sids": [sid], "action": action}
    if market_tickers:
        params[_LIST[subject]] = list(market_tickers)
    if channel == "ticker" and action == "add_markets":
        params["send_initial_snapshot"] = True
    return _command(number, "update_subscription", params)


def _subject(channel: str) -> str:
    return traits_of(channel).subject or "market_ticker"


def unsubscribe(number: int, sid: int) -> bytes:
    """Return the command that ends the subscription `sid`."""
    return _command(number, "unsubscribe", {"sids": [sid]})


def list_subscriptions(number: int) -> bytes:
    """Return the command that asks which subscriptions there are."""
    return _command(number, "list_subscriptions")
