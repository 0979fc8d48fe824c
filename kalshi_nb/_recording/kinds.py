"""Which types of messages a channel has, and which are answers: what can be left out unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kalshi_nb._rows.channels import BOOKS, traits_of
from kalshi_nb._wire.books import DeltaFrame, SnapshotFrame
from kalshi_nb._wire.decode import CONVERSIONS, TYPES

__all__ = ["needed", "types_of"]

_BOOKS: Final = frozenset({DeltaFrame, SnapshotFrame})


def types_of(channel: str) -> frozenset[str]:
    """Return the types of the messages of a channel, or of the one that it is made from."""
    source = traits_of(channel).source or channel
    if source == BOOKS:
        return frozenset(name for name, kind in TYPES.items() if kind in _BOOKS)
    return frozenset(
        name for name, kind in TYPES.items() if kind in CONVERSIONS and source in CONVERSIONS[kind].channels
    )


def needed(channels: Iterable[str], there: Iterable[str]) -> frozenset[str]:
    """Return which of the types `there` have to be read for some channels: all but those that others have alone.

    Answers and what nobody knows may have a number among those of books, and are no other channel's.
    """
    wanted: set[str] = set()
    for channel in channels:
        wanted |= types_of(channel)
    return frozenset(each for each in there if each in wanted or not _is_data(each))


def _is_data(name: str) -> bool:
    kind = TYPES.get(name)
    return kind is not None and (kind in CONVERSIONS or kind in _BOOKS)
