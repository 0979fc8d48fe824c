"""Reading what a client sends: the text of one command to a command, or to the error code it earns."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any, Final

from kalshi_nb.sim._channels import CHANNELS

__all__ = ["CHANNELS", "Command", "Listing", "Refusal", "Subscribe", "Unsubscribe", "Update", "read"]

_MOST_SHARDS: Final = 100


class Refusal(Exception):  # noqa: N818 - an answer of the exchange's, not a failure of its own
    """A command that is answered with an error frame."""

    def __init__(self, code: int, command_id: int | None = None, words: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.command_id = command_id
        self.words = words


@dataclass(frozen=True, slots=True)
class Filter:
    """Which markets, indices or underlyings a command is about; None means it named none of them."""

    tickers: tuple[str, ...] | None
    market_ids: tuple[str, ...] | None
    index_ids: tuple[str, ...] | None = None
    underlying_tickers: tuple[str, ...] | None = None

    def names(self, parameter: str) -> tuple[str, ...] | None:
        """Return what a reference feed's parameter lists."""
        return self.index_ids if parameter == "index_ids" else self.underlying_tickers


@dataclass(frozen=True, slots=True)
class Subscribe:
    """``subscribe``."""

    command_id: int | None
    channels: tuple[str, ...]
    markets: Filter
    send_initial_snapshot: bool
    skip_ticker_ack: bool
    use_yes_price: bool | None
    only_own: bool = False
    shard: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """``unsubscribe``."""

    command_id: int | None
    sids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """``update_subscription``."""

    command_id: int | None
    sid: int
    action: str
    markets: Filter
    send_initial_snapshot: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """``list_subscriptions``."""

    command_id: int | None


Command = Subscribe | Unsubscribe | Update | Listing


def read(message: str | bytes) -> Command:
    """Read one command.

    Raises
    ------
    Refusal
        It cannot be understood; carries the error code and the command's id, where that could be read.
    """
    try:
        command = json.loads(message)
    except (ValueError, RecursionError):
        raise Refusal(1) from None
    if not isinstance(command, dict):
        raise Refusal(1)
    command_id = _command_id(command)
    try:
        return _read(command, command_id)
    except Refusal as refusal:
        raise Refusal(refusal.code, command_id) from None


def _command_id(command: dict[str, Any]) -> int | None:
    command_id = command.get("id")
    if command_id is None:
        return None
    if not _is_integer(command_id) or command_id < 0:
        raise Refusal(1)
    return command_id or None


def _read(command: dict[str, Any], command_id: int | None) -> Command:
    name = command.get("cmd")
    if name == "list_subscriptions":
        return Listing(command_id)
    if name not in ("subscribe", "unsubscribe", "update_subscription"):
        raise Refusal(5 if name is None or isinstance(name, str) else 1)
    params = command.get("params")
    if params is None:
        raise Refusal(2)
    if not isinstance(params, dict):
        raise Refusal(1)
    if name == "subscribe":
        return _subscribe(params, command_id)
    if name == "unsubscribe":
        sids = _integers(params.get("sids"))
        if not sids:
            raise Refusal(4)
        return Unsubscribe(command_id, sids)
    return _update(params, command_id)


def _subscribe(params: dict[str, Any], command_id: int | None) -> Subscribe:
    channels = _texts(params.get("channels"))
    if not channels:
        raise Refusal(3)
    return Subscribe(
        command_id,
        channels,
        _filter(params),
        _flag(params, "send_initial_snapshot"),
        _flag(params, "skip_ticker_ack"),
        None if params.get("use_yes_price") is None else _flag(params, "use_yes_price"),
        _only_own(params),
        _shard(params) if "communications" in channels else None,
    )


def _only_own(params: dict[str, Any]) -> bool:
    wanted = params.get("user_filter")
    if wanted not in (None, "", "self"):
        raise Refusal(11 if isinstance(wanted, str) else 1)
    return wanted == "self"


def _shard(params: dict[str, Any]) -> tuple[int, int] | None:
    """Return into how many parts a channel is cut, and which of them is wanted."""
    factor, key = params.get("shard_factor"), params.get("shard_key")
    for each in (factor, key):
        if each is not None and not _is_integer(each):
            raise Refusal(1)
    if factor is None:
        if key is not None:
            raise Refusal(20)
        return None
    if factor <= 0:
        raise Refusal(19)
    if factor > _MOST_SHARDS:
        raise Refusal(22)
    if key is not None and not 0 <= key < factor:
        raise Refusal(21)
    return factor, key or 0


def _update(params: dict[str, Any], command_id: int | None) -> Update:
    sid, sids = params.get("sid"), _integers(params.get("sids"))
    if sid is not None and not _is_integer(sid):
        raise Refusal(1)
    given = (*(() if sid is None else (sid,)), *(sids or ()))
    if len(given) != 1:
        raise Refusal(12)
    action = params.get("action")
    if action is None or action == "":
        raise Refusal(15)
    if not isinstance(action, str):
        raise Refusal(1)
    return Update(command_id, given[0], action, _filter(params), _flag(params, "send_initial_snapshot"))


def _filter(params: dict[str, Any]) -> Filter:
    tickers = _one_or_many(params, "market_ticker", "market_tickers")
    market_ids = _one_or_many(params, "market_id", "market_ids")
    if tickers is not None and market_ids is not None:
        raise Refusal(11)
    if tickers is not None and "" in tickers:
        raise Refusal(11)
    for market_id in market_ids or ():
        try:
            uuid.UUID(market_id)
        except ValueError:
            raise Refusal(11) from None
    return Filter(tickers, market_ids, _texts(params.get("index_ids")), _texts(params.get("underlying_tickers")))


def _one_or_many(params: dict[str, Any], one: str, many: str) -> tuple[str, ...] | None:
    single, several = params.get(one), _texts(params.get(many))
    if single is None:
        return several
    if not isinstance(single, str):
        raise Refusal(1)
    if several is not None:
        raise Refusal(11)
    return (single,)


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refusal(1)
    return tuple(value)


def _integers(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(_is_integer(each) for each in value):
        raise Refusal(1)
    return tuple(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _flag(params: dict[str, Any], name: str) -> bool:
    value = params.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Refusal(1)
    return value
