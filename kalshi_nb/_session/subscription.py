"""One channel on the wire, in three parts: what is wanted of it, how it is repaired, how far it counted."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from kalshi_nb._rows.channels import traits_of
from kalshi_nb._rows.rows import Row
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._session.counting import Counting
from kalshi_nb._session.membership import Membership
from kalshi_nb._session.repair import Repair
from kalshi_nb._session.requests import Request

__all__ = ["Subscription"]


class Subscription:
    """One channel's subscription; outlives connections, while its sid does not.

    Parameters
    ----------
    channel : str
        The channel.
    random : random.Random
        The source of jitter.
    rows : list of tuple
        Where its rows go.

    Attributes
    ----------
    membership : Membership
        What is wanted, and what of it the exchange has acknowledged.
    repair : Repair
        Open gaps, books without a snapshot, and the step that mends them.
    counting : Counting
        The sid, its numbers, and the rows made.
    """

    __slots__ = ("channel", "counting", "membership", "repair")

    def __init__(self, channel: str, random: Random, rows: list[Row]) -> None:
        traits = traits_of(channel)
        self.channel = channel
        self.membership = Membership(channel, traits, random)
        self.repair = Repair(random)
        self.counting = Counting(traits, rows)

    def begin(self, sid: int, now: float, *, answers: bool = True) -> None:
        """Take up a new sid, which is the answer to a command or not."""
        self.counting.begin(sid)
        self.membership.begin(now, answers=answers)

    def join(self, sid: int, seq: int | None, now: float) -> None:
        """Take up a sid that was there before anybody here knew of it; `seq` is its last number, where it is known."""
        self.counting.join(sid, seq)
        self.membership.begin(now)

    def end(self) -> None:
        """Forget the sid, which the exchange has ended; what is wanted, and the repair's step, stay."""
        self.counting.end()
        self.membership.end()
        self.repair.end()

    def disconnect(self) -> None:
        """Forget what belonged to the connection that is gone."""
        self.counting.end()
        self.membership.disconnect()
        self.repair.disconnect()

    def update_listening(self) -> None:
        """Make rows if somebody takes them, after a change of who is there."""
        self.counting.listening = self.membership.takes_rows

    def satisfies(self, request: Request, now: float) -> bool:
        """Tell whether the exchange has acknowledged all that `request` asks for.

        The request for a book ends with its snapshot, a moment after the acknowledgement: a market that does not
        exist may be acknowledged first and refused then. It does not wait for long.
        """
        membership, wanted = self.membership, request.wanted
        if self.counting.sid is None:
            return not wanted if isinstance(wanted, frozenset) else False
        if wanted and membership.in_flight is not None and membership.in_flight.kind == "unsubscribe":
            return False  # what was acknowledged is about to end
        if membership.all_markets:
            return True
        if not isinstance(wanted, frozenset) or self.repair.settles(wanted, now):
            return False
        there, refused = membership.market_tickers, membership.refused
        return all(
            each in there or each in refused for each in wanted
        )  # of ten thousand, the first that is missing ends it

    # What those outside the session ask, who write nothing --------------------------------------------

    @property
    def requests(self) -> Sequence[Request]:
        """Everything that somebody wants of the channel, as it is at this moment."""
        return list(self.membership.requests)

    @property
    def wanted(self) -> Wanted | None:
        """What that comes to; None for nothing."""
        return self.membership.wanted

    @property
    def all_markets(self) -> bool:
        """Whether the exchange sends all markets."""
        return self.membership.all_markets

    @property
    def market_tickers(self) -> set[str]:
        """What the exchange has acknowledged otherwise."""
        return self.membership.market_tickers

    @property
    def sid(self) -> int | None:
        """The exchange's number for it on this connection; None while there is none."""
        return self.counting.sid

    def repairs_in_vain(self, now: float) -> int:
        """Return how many repairs in a row did not hold; `now` is in seconds on the session's own clock."""
        return self.repair.in_vain(self.counting.messages, now)

    @property
    def listening(self) -> bool:
        """Whether rows are made."""
        return self.counting.listening

    @property
    def rows(self) -> list[Row]:
        """Rows made and not yet taken."""
        return self.counting.rows

    @property
    def messages(self) -> int:
        """Data frames received."""
        return self.counting.messages

    @property
    def seq(self) -> int | None:
        """The number of the newest; None where its messages have none."""
        return self.counting.seq if self.counting.sequenced else None

    @property
    def received_at(self) -> int:
        """When the newest was received, in microseconds; 0 before the first."""
        return self.counting.received_at

    @property
    def exchange_ms(self) -> int | None:
        """The exchange's own stamp of the newest that has one, in milliseconds."""
        return self.counting.exchange_ms
