"""What a feed was made with, beside its address and key."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ssl import SSLContext
from typing import Final, Literal

from kalshi_nb._redaction import masked

__all__ = ["DEFAULT_OPTIONS", "Options", "ProxyAddress"]


@dataclass(frozen=True, slots=True, repr=False)
class ProxyAddress:
    """The address of a proxy, which may hold a password; what shows it does so without.

    Attributes
    ----------
    url : str
        All of it.
    """

    url: str

    def __repr__(self) -> str:
        return repr(masked(self.url))


@dataclass(frozen=True)
class Options:
    """What a feed was made with, beside its address and key; see :func:`kalshi_nb.connect`.

    Attributes
    ----------
    flush_interval : float
        Seconds that rows wait at most on their way to frames and pipelines.
    max_pending_rows : int
        Rows that may wait for slow pipelines.
    connections : int
        How many connections are kept.
    transport : str
        The library that speaks WebSocket.
    ssl : ssl.SSLContext, str or None
        Whom to trust: a context, or the path of a file of certificates; None for whom this computer trusts.
    proxy : ProxyAddress, False or None
        The proxy on the way, False for none, None for what the environment says.
    backfill : bool or None
        Whether trades that were missed in a gap are fetched over REST; None: where the clock runs by itself.
    """

    flush_interval: float = 0.05
    max_pending_rows: int = 1_000_000
    connections: int = 1
    transport: Literal["websockets", "picows"] = "websockets"
    ssl: SSLContext | str | None = None
    proxy: ProxyAddress | Literal[False] | None = None
    backfill: bool | None = None

    def difference(self, other: Options) -> str:
        """Say which options are others there than here, empty where none is."""
        pairs = ((each.name, getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return ", ".join(_said(name, there, here) for name, there, here in pairs if there != here)


def _said(name: str, there: object, here: object) -> str:
    both = ["an SSLContext" if isinstance(each, SSLContext) else repr(each) for each in (there, here)]
    if both[0] == both[1]:  # two contexts, or the address of one proxy with two passwords
        both[1] = "another SSLContext" if isinstance(here, SSLContext) else "another"
    return f"{name} is {both[0]} there and {both[1]} here"


DEFAULT_OPTIONS: Final = Options()
