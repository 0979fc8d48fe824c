"""The headers that are signed, in a form that can be sent but does not show itself.

A time-out in a handshake is a traceback whose frames hold its headers, and so is Ctrl-C amid a question over REST;
there are tools that print the locals of every frame: pytest's, rich's, those that collect errors. A signature is good
for half a minute, and whoever has it can connect, or ask, with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Sealed", "sealed", "without"]


class Sealed(str):
    """Text that is what it is wherever it is formatted or sent, and says nothing where it is shown.

    Its pieces are sealed, too: who shows long texts shows the first characters of them.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"

    def __getitem__(self, at: Any) -> Sealed:
        return Sealed(super().__getitem__(at))


def sealed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` with their values sealed."""
    return {name: Sealed(value) for name, value in headers.items()}


def without(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return an answer's body less the values of `headers`, which some servers say back to whoever sent them."""
    for value in headers.values():
        body = body.replace(value.encode(), b"<secret>")
    return body
