"""How a feed stands: whether anything new can come, and what is the matter where it cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

from kalshi_nb._rows.tickers import hint
from kalshi_nb._threads import forks
from kalshi_nb._waiting import FORKED
from kalshi_nb._widgets.view_errors import ViewErrors
from kalshi_nb.errors import AuthenticationError, FeedClosedError, ForkedError, KalshiError, SubscriptionError

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.replaying import Replaying

__all__ = ["FeedStanding", "unknown_market"]

_PAUSED: Final = "the replay is paused"
_STILL: Final = {
    "paused": "The replay is paused: feed.replaying.resume() plays on.",
    "by hand": "The replay is moved by hand: feed.replaying.advance(seconds) or step(n) plays on.",
    "finished": "The replay is at its end: feed.replaying.seek(moment) goes back.",
}
"""What to say where a recording stands, by how it does."""


class FeedStanding:
    """What every handle of a feed asks before it waits; see :class:`kalshi_nb._waiting.Standing`.

    It holds the feed's engine and not the feed, so that one that nobody can reach any more goes.

    A forked child has everything that the feed holds, as it was at that moment, and none of its threads; its sockets
    are the parent's. So nothing moves there any more, and whatever would wait, ask, or end the feed's threads must not
    begin. It is told by the number of forks that lie behind the process, which nobody but the child counts.

    Parameters
    ----------
    engine : Engine
        Brings the data.
    replaying : Replaying or None
        What plays a recording, where the feed is one's.

    Attributes
    ----------
    view_errors : ViewErrors
        Counts what the views of its handles raise.
    """

    def __init__(self, engine: Engine, replaying: Replaying | None = None) -> None:
        self.view_errors = ViewErrors()
        self._engine = engine
        self._replaying = replaying
        self._born = forks()
        self._is_closing = False

    def close(self) -> None:
        """Take note that the feed is being closed."""
        self._is_closing = True

    @property
    def word(self) -> Literal["", "closed", "forked"]:
        """``"closed"``, ``"forked"``, or nothing while the feed lives."""
        if self._is_closing:
            return "closed"
        return "forked" if self.is_forked else ""

    def over(self) -> str:
        """Return the word, for those who are to ask and not to hold the feed."""
        return self.word

    @property
    def is_forked(self) -> bool:
        """Whether this process was forked from the one that has the feed's threads."""
        return self._born != forks()

    def ended(self) -> KalshiError | None:
        """Return why nothing new can come for good; None while it can."""
        if self.word == "forked":
            return ForkedError(
                f"In this process nothing moves: {FORKED}. What it holds can be read; connect() again here for new "
                "data. Better start such processes by 'spawn': the threads of polars stay with the parent, too."
            )
        if self._is_closing or self._engine.state == "closed":
            return FeedClosedError("The feed is closed; what it holds can be read. connect() again for new data.")
        return None

    def refuse_ended(self) -> None:
        """Raise that where it is so."""
        if (ended := self.ended()) is not None:
            raise ended

    def refused(self) -> KalshiError | None:
        """Return what the exchange says where it refuses the credentials."""
        if self._engine.state != "refused":
            return None
        return AuthenticationError(f"The exchange refuses the credentials: {self._last_error()}", status=0)

    def link(self) -> str:
        """Say in a sentence what is the matter with the connection; nothing while there is one."""
        state = self._engine.state
        return "" if state == "connected" else f"The link is {state}: {self._last_error().rstrip('.')}."

    def link_word(self) -> str:
        """Say the same in a few words, for a repr."""
        if (state := self._engine.state) in ("reconnecting", "refused"):
            return f"link {state}"
        return _PAUSED if self.is_paused else ""

    @property
    def is_paused(self) -> bool:
        """Whether the feed's recording stands, and would play on."""
        replaying = self._replaying
        return replaying is not None and not self.word and replaying.stands == "paused"

    def stillness(self) -> str:
        """Say in a sentence that the feed's recording stands, and what moves it; nothing while anything may come."""
        return "" if self._replaying is None else _STILL.get(self._replaying.stands, "")

    def told(self) -> tuple[str, ...]:
        """Return what of it somebody should look at."""
        return (f"{_PAUSED}: feed.replaying.resume() plays on",) if self.is_paused else ()

    def _last_error(self) -> str:
        return self._engine.status().last_error or "no connection"


def unknown_market(market_tickers: Iterable[str]) -> SubscriptionError:
    """Return the error that says that the exchange knows no such market, with what may be wrong with its ticker."""
    tickers = tuple(sorted(market_tickers))
    named = ", ".join(map(repr, tickers[:5])) + (" …" if len(tickers) > 5 else "")
    hints = [found for each in tickers if (found := hint(each))]
    return SubscriptionError(
        f"The exchange knows no market{'s' if len(tickers) > 1 else ''} {named}. "
        + (hints[0] if hints else "Check the ticker; a settled market is gone from the feed."),
        channel="orderbook_delta",
        code=0,
        market_tickers=tickers,
    )
