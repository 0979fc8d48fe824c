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


def subscribe(
    number: int, channel: str, market_tickers: Sequence[str] | None, params: Iterable[tuple[str, str | int]] = ()
) -> bytes:
    """Return the command that opens a subscription.

    Parameters
    ----------
    number : int
        The command's id, which its answer carries.
    channel : str
        What to subscribe to; its record may have parameters of its own, which are always sent.
    market_tickers : sequence of str, optional
        Which markets, or, on the reference feeds, which indices or underlyings. None is all of them; no name at
        all is an empty subscription, on the reference feeds only. Where as many follow as one command takes,
        ``skip_ticker_ack`` is sent, since each answer would list all of them again.
    params : iterable of pairs
        Further parameters, by the names that the exchange gives them.

    Returns
    -------
    bytes
        JSON, without a line break.
    """
    known = traits_of(channel)
    body: dict[str, Any] = {"channels": [channel]}
    if market_tickers:
        body[known.words.listed] = list(market_tickers)
    elif market_tickers is None and known.words.every is not None:
        body[known.words.listed] = [known.words.every]
    body.update(known.params)
    if market_tickers is not None:
        if known.short_answers and len(market_tickers) >= LARGEST_LIST:
            body["skip_ticker_ack"] = True
        body.update(known.params_of_named)
    body.update(params)
    return _command(number, "subscribe", body)


def update_subscription(number: int, sid: int, action: str, market_tickers: Sequence[str], *, channel: str) -> bytes:
    """Return the command that changes a subscription, or asks something by it.

    Parameters
    ----------
    number : int
        The command's id, which its answer carries.
    sid : int
        The subscription.
    action : str
        ``add_markets``, ``delete_markets`` or ``get_snapshot``; on the reference feeds the first two become
        actions of their own, and ``catalog``, which names nothing, asks what there is.
    market_tickers : sequence of str
        What it is about.
    channel : str
        The channel of the subscription.

    Returns
    -------
    bytes
        JSON, without a line break.
    """
    known = traits_of(channel)
    words = known.words
    actions = {"add_markets": words.add, "delete_markets": words.delete, "catalog": words.catalog}
    params: dict[str, Any] = {"sids": [sid], "action": actions.get(action) or action}
    if market_tickers:
        params[words.listed] = list(market_tickers)
    if action == "add_markets":
        params.update(known.params_of_named)
    return _command(number, "update_subscription", params)


def unsubscribe(number: int, sid: int) -> bytes:
    """Return the command that ends the subscription `sid`."""
    return _command(number, "unsubscribe", {"sids": [sid]})


def list_subscriptions(number: int) -> bytes:
    """Return the command that asks which subscriptions there are."""
    return _command(number, "list_subscriptions")
