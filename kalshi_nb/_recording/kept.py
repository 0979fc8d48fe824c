"""What a recorder was to keep, as the first line of each of its segments says it; and what of a feed's wishes is its.

A feed has one connection for all that is wanted of it. So the commands that a recorder hears are those of its feed,
which may have other recorders, frames and books; which of them it was asked for itself, none of them says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

__all__ = ["Asked", "Kept", "asked_in", "received_in", "together"]

Asked: TypeAlias = Mapping[str, list[str] | None]
"""Markets by channel, None for all."""


class Kept(msgspec.Struct, frozen=True):
    """What a recorder was asked for.

    Attributes
    ----------
    channels : list of str
        Whose messages it keeps.
    wanted : dict of str to list of str or None
        What it asked for itself, by channel, None for all; of channels that are left out it keeps what the feed wants.
    """

    channels: list[str] = []
    wanted: dict[str, list[str] | None] = {}


def received_in(kept: Kept | None, wanted: Asked) -> Asked:
    """Return what the feed asked for of that which a segment has.

    Parameters
    ----------
    kept : Kept or None
        What the segment's first line says; None of versions that did not say it.
    wanted : mapping
        What the feed asked for, by channel; by an empty name where a command named a subscription only.
    """
    if kept is None:
        return wanted
    return {channel: some for channel, some in wanted.items() if not channel or channel in kept.channels}


def asked_in(kept: Kept | None, wanted: Asked) -> Asked:
    """Return what the recorder was asked for; the arguments are as for :func:`received_in`."""
    others = wanted.get("") or []  # of some channel of the feed's
    found = {
        channel: None if some is None else sorted({*some, *others})
        for channel, some in received_in(kept, wanted).items()
        if channel
    }
    return found if kept is None else found | kept.wanted


def together(every: Iterable[Asked]) -> dict[str, list[str] | None]:
    """Return what was asked for in any segment."""
    found: dict[str, list[str] | None] = {}
    for each in every:
        for channel, those in each.items():
            known = found.setdefault(channel, [])
            found[channel] = None if known is None or those is None else sorted({*known, *those})
    return dict(sorted(found.items()))
