"""Commands, read back from their bytes: a recording has them, and whoever reads it goes by them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from kalshi_nb._rows.channels import CHANNELS, traits_of
from kalshi_nb._rows.wanted import ALL, Wanted
from kalshi_nb._wire.decode import REFUSED

__all__ = ["CommandSent", "command_sent"]

_WORDS: Final = {traits_of(each).words for each in CHANNELS}
_KINDS: Final = {
    action: kind
    for words in _WORDS
    for action, kind in ((words.add, "add_markets"), (words.delete, "delete_markets"), (words.catalog, "catalog"))
    if action is not None
}
_Params: Final[Any] = msgspec.defstruct(
    "_Params",
    [
        ("channels", list[str], []),
        ("sids", list[int], []),
        ("action", str | None, None),
        *((listed, list[str] | None, None) for listed in sorted({words.listed for words in _WORDS})),
    ],
    frozen=True,
)


class _Command(msgspec.Struct):
    id: int
    cmd: str
    params: _Params = _Params()


_decode: Final = msgspec.json.Decoder(_Command).decode


class CommandSent(NamedTuple):
    """One command of the kit's.

    Attributes
    ----------
    number : int
        Its ``id``.
    kind : str
        What it does, as :class:`kalshi_nb._session.requests.Command` calls it.
    channel : str or None
        The channel that a ``subscribe`` names.
    sid : int or None
        The subscription that any other names.
    wanted : frozenset of str or All
        The markets that it names.
    """

    number: int
    kind: str
    channel: str | None
    sid: int | None
    wanted: Wanted


def command_sent(data: bytes) -> CommandSent | None:
    """Return what a command says, None where it is none of the kit's.

    Parameters
    ----------
    data : bytes
        As :mod:`kalshi_nb._wire.commands` makes them.
    """
    try:
        command = _decode(data)
        number, kind, params = command.id, command.cmd, command.params
        if kind == "subscribe":
            (channel,) = params.channels
            return CommandSent(number, kind, channel, None, _subscribed(channel, params))
        if kind == "list_subscriptions":
            return CommandSent(number, "list", None, None, frozenset())
        (sid,) = params.sids
    except (*REFUSED, KeyError, ValueError):  # a recording may hold anything: a channel of next year, several at once
        return None
    action = params.action or kind
    return CommandSent(number, _KINDS.get(action, action), None, sid, frozenset(_named(params) or ()))


def _subscribed(channel: str, params: Any) -> Wanted:
    every, named = traits_of(channel).words.every, _named(params)
    if named is None:
        return ALL if every is None else frozenset()
    return ALL if named == [every] else frozenset(named)


def _named(params: Any) -> list[str] | None:
    lists: list[list[str] | None] = [getattr(params, words.listed) for words in _WORDS]
    return next((each for each in lists if each is not None), None)
