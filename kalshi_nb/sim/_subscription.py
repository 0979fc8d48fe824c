"""One open channel of one connection, as plain data that counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from kalshi_nb.sim._channels import UNSEQUENCED

__all__ = ["Subscription"]


@dataclass(slots=True)
class Subscription:
    """One open channel.

    Attributes
    ----------
    channel : str
        Its name.
    sid : int
        Its number on this connection.
    tickers : set of str or None
        The markets, indices or underlyings it is about; None for all.
    by_id : bool
        Whether it was opened with uuids; then its ``ok`` frames list uuids.
    skip_ticker_ack : bool
        Whether its ``ok`` frames list nothing.
    use_yes_price : bool
        Whether NO prices are written as YES prices.
    only_own : bool
        Whether requests for quotes of others are left out.
    shard : tuple of int or None
        Into how many parts the channel is cut, and which of them this is.
    seq : int
        The last sequence number used.
    due : dict of str to int or None
        Books whose snapshot is sent as soon as somebody knows it, each with the id of the command that asks for it.
    blank : set of str
        Those among them of which nothing was sent yet: a change comes after its book, never before.
    """

    channel: str
    sid: int
    tickers: set[str] | None
    by_id: bool
    skip_ticker_ack: bool
    use_yes_price: bool
    only_own: bool = False
    shard: tuple[int, int] | None = None
    seq: int = field(default=0)
    due: dict[str, int | None] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)

    def next_seq(self, kind: str) -> int | None:
        """Count one frame; None where frames of this type carry no number: ``unsubscribed`` does on every channel."""
        if self.channel in UNSEQUENCED and kind != "unsubscribed":
            return None
        self.seq += 1
        return self.seq
