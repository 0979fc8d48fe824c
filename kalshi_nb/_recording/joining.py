"""The messages of a read joined to lines of a recording: what is done for every message, and nothing else."""

from __future__ import annotations

from collections import Counter
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._extensions import WANTED, found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kalshi_nb._rows.heard import Read

    Lines = tuple[bytes, Mapping[bytes, int]]
    Join = Callable[[bytes, Sequence[bytes]], Lines | None]

__all__ = ["COMPILED", "TYPE_BEGINS", "Joined", "join", "joined", "plain_join"]

TYPE_BEGINS: Final = b'{"type":"'
"""What the messages of the exchange begin with."""

_begins = methodcaller("startswith", TYPE_BEGINS)
_ends_line = methodcaller("endswith", b"}\n")
_ends = methodcaller("endswith", b"}")


class Joined(NamedTuple):
    """A read whose messages are all as the exchange writes them, as it stands in a recording.

    Attributes
    ----------
    at, connection : int
        Those of the read.
    messages : int
        How many there are.
    lines : bytes
        The kit's own line and theirs.
    types : mapping of bytes to int
        How many there are by what they begin with, up to the quote after their type.
    """

    at: int
    connection: int
    messages: int
    lines: bytes
    types: Mapping[bytes, int]


def joined(read: Read) -> Joined | None:
    """Return a read as its lines; None where its messages have to be looked at one by one."""
    at, connection, messages = read
    found = join(b'{"t":%d,"c":%d' % (at, connection), messages)
    return None if found is None else Joined(at, connection, len(messages), *found)


def plain_join(head: bytes, messages: Sequence[bytes], /) -> Lines | None:
    """Join messages to lines, behind one of the kit's, and count them by what they begin with.

    Parameters
    ----------
    head : bytes
        What the kit's line begins with; its end says whether the messages have newlines of their own.
    messages : sequence of bytes
        Whole messages.

    Returns
    -------
    tuple of bytes and mapping, or None
        The lines and the counts; None where a message is none of the exchange's in ASCII that says its type first and
        ends its line, or where some have newlines of their own and some have none.
    """
    together = b"".join(messages)
    if not messages or not together.isascii() or not all(map(_begins, messages)):
        return None
    newlines = together.count(b"\n")
    if newlines == len(messages) and all(map(_ends_line, messages)):
        lines = b"%s}\n%s" % (head, together)
    elif not newlines and all(map(_ends, messages)):
        lines = b'%s,"nl":0}\n%s\n' % (head, b"\n".join(messages))
    else:
        return None
    ends = [each.find(b'"', len(TYPE_BEGINS)) for each in messages]
    if min(ends) < 0:
        return None
    return lines, Counter([each[:end] for each, end in zip(messages, ends, strict=True)])


_extension: Final[Any] = found("kalshi_nb._recording._joining")

COMPILED: Final = _extension is not None
"""Whether the compiled way is there."""

join: Final[Join] = _extension.join if COMPILED and WANTED else plain_join
