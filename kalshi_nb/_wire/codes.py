"""What the exchange's error codes mean: whose fault, worth asking again or not, and what to do.

Source: the table of errors in Kalshi's WebSocket documentation of October 2026, with codes of earlier versions
that recordings and older servers still show. One number was seen with two meanings, so the words and the tickers
of a frame are looked at before its code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["AGAIN", "CODES", "FULL", "TERMINAL", "ErrorCode", "meaning"]

Fault = Literal["request", "exchange", "pace"]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One error of the exchange's.

    Attributes
    ----------
    code : int
        Its number.
    words : str
        The exchange's own words.
    fault : str
        ``request``: what was asked cannot be; ``exchange``: its own trouble; ``pace``: too much, too fast or read
        too slowly.
    again : bool
        Whether the same command may be taken later.
    terminal : bool
        Whether the subscription that it names is gone.
    step : str
        What to do next, for people.
    retired : bool
        Whether the exchange has said that it sends it no more.
    """

    code: int
    words: str
    fault: Fault
    step: str
    again: bool = False
    terminal: bool = False
    retired: bool = False


_REPORT: Final = "That is a mistake of kalshi_nb's; please report it, with feed.rejects."
_TICKERS: Final = "Check the tickers: they are upper case, and a settled market is gone from the feed."
_SHARDS: Final = (
    "Look at what feed.rfqs() was asked for: shard_factor is how many parts, 1 to 100, and shard_key which, from 0 on."
)
_INDICES: Final = "Name some, such as feed.index_values('BRTI'); feed.index_ids() lists the index ids there are."
_UNDERLYINGS: Final = (
    "Name some, such as feed.frame('pyth_value', 'Metal.XAU/USD'); feed.index_ids('pyth_value') lists the underlying "
    "tickers there are."
)
_WAIT: Final = "The exchange has trouble of its own; ask again in a while, and look at feed.health()."

_TABLE: Final = (
    ErrorCode(1, "Unable to process message", "request", _REPORT),
    ErrorCode(2, "Params required", "request", _REPORT),
    ErrorCode(3, "Channels required", "request", _REPORT),
    ErrorCode(4, "Subscription IDs required", "request", _REPORT),
    ErrorCode(5, "Unknown command", "request", _REPORT),
    ErrorCode(6, "Already subscribed", "request", _REPORT, retired=True),
    ErrorCode(7, "Unknown subscription ID", "request", "kalshi_nb subscribes again by itself; look at feed.gaps."),
    ErrorCode(8, "Unknown channel name", "request", "The exchange does not offer this channel here."),
    ErrorCode(9, "Authentication required", "request", "This API key may not read the channel; look at its scopes."),
    ErrorCode(10, "Channel error", "exchange", _WAIT, again=True, terminal=True),
    ErrorCode(11, "Invalid parameter", "request", "Check the tickers: one of them has characters that none can have."),
    ErrorCode(12, "Exactly one subscription ID is required", "request", _REPORT),
    ErrorCode(13, "Unsupported action", "request", _REPORT),
    ErrorCode(14, "Market Ticker required", "request", "Name at least one market: this channel has no 'all markets'."),
    ErrorCode(15, "Action required", "request", _REPORT),
    ErrorCode(16, "Market not found", "request", _TICKERS, retired=True),
    ErrorCode(17, "Internal error", "exchange", _WAIT, again=True, retired=True),
    ErrorCode(18, "Command timeout", "exchange", _WAIT, again=True),
    ErrorCode(19, "shard_factor must be > 0", "request", _SHARDS),
    ErrorCode(20, "shard_factor is required when shard_key is set", "request", _SHARDS),
    ErrorCode(21, "shard_key must be >= 0 and < shard_factor", "request", _SHARDS),
    ErrorCode(22, "shard_factor must be <= 100", "request", _SHARDS),
    ErrorCode(23, "Match IDs required", "request", "This channel wants match ids, which kalshi_nb does not send."),
    ErrorCode(24, "Index IDs required", "request", _INDICES),
    ErrorCode(
        25,
        "Subscription buffer overflow",
        "pace",
        "This computer or its line read too slowly in a burst; take fewer markets a feed.",
        again=True,
        terminal=True,
    ),
    ErrorCode(
        26,
        "Subscription market limit exceeded",
        "pace",
        "Too many markets on one subscription; spread them with connect(…, connections=2), or more.",
    ),
    ErrorCode(27, "Too many requests", "pace", _WAIT.replace("trouble of its own", "its pace"), again=True),
    ErrorCode(28, "Underlying tickers required", "request", _UNDERLYINGS),
    ErrorCode(29, "Invalid update interval", "request", _REPORT),
)

CODES: Final[dict[int, ErrorCode]] = {each.code: each for each in _TABLE}
"""Every error by its number."""

TERMINAL: Final = frozenset(each.code for each in _TABLE if each.terminal)
"""After these the subscription is gone and has to be made anew."""

AGAIN: Final = frozenset(each.code for each in _TABLE if each.again)
"""After these the same command is worth sending again, later."""

FULL: Final = 26
"""There is no room for more markets on this subscription."""

_NOT_FOUND: Final = ErrorCode(28, "Markets not found", "request", _TICKERS)


def meaning(code: int, text: str = "", market_tickers: Sequence[str] = ()) -> ErrorCode:
    """Return what an error means, by its words and tickers first and by its number then.

    Parameters
    ----------
    code : int
        The number.
    text : str
        The exchange's words in this frame.
    market_tickers : sequence of str
        The tickers that it names.

    Returns
    -------
    ErrorCode
        An unknown number's is a refused request, with a step that says where to look.
    """
    words = text.casefold()
    if code != 26 and (market_tickers or ("market" in words and "not found" in words)):
        return _NOT_FOUND if code == 28 else ErrorCode(code, text or _NOT_FOUND.words, "request", _TICKERS)
    known = CODES.get(code)
    if known is not None:
        return known
    step = "Look at feed.health() and feed.rejects; this version of kalshi_nb does not know the code."
    return ErrorCode(code, text, "request", step)
