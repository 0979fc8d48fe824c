"""What the exchange's refusals and a closed feed are called, in words that help."""

from __future__ import annotations

from collections.abc import Sequence

from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import REFERENCE_FEEDS
from kalshi_nb._rows.tickers import hint
from kalshi_nb._session.requests import Outcome
from kalshi_nb._wire.codes import meaning
from kalshi_nb.errors import FeedClosedError, SubscriptionError

__all__ = ["closed_error", "not_recorded", "subscription_error"]


def closed_error() -> FeedClosedError:
    """Return what a closed feed says to whoever asks something new of it."""
    return FeedClosedError("The feed is closed; what it holds can be read. connect() again for new data.")


def subscription_error(channel: str, outcome: Outcome) -> SubscriptionError:
    """Return the error of a refused or unanswered subscription, with the next step."""
    tickers = outcome.market_tickers
    about = f" for {', '.join(tickers[:5])}{' …' if len(tickers) > 5 else ''}" if tickers else ""
    if outcome.said_by == "nobody":
        step = (
            "The exchange is connected, and said nothing that answers it; try again, and look at feed.health() and "
            "feed.rejects."
        )
        message = f"{channel}: {outcome.text}. {step}"
    elif outcome.said_by == "kit":
        names = ", ".join(map(shown, tickers[:5]))
        message = f"{channel}: {names} is {outcome.text}, and was not sent. Type it anew."
    else:
        hints = [found for each in tickers if channel not in REFERENCE_FEEDS and (found := hint(each))]
        step = " ".join([meaning(outcome.code or 0, outcome.text, tickers).step, *hints[:1]])
        number = f"error {outcome.code}" if outcome.code else "an error without a number,"
        message = f"The exchange refused {channel}{about}: {number} {outcome.text!r}. {step}"
    return SubscriptionError(message, channel=channel, code=outcome.code or 0, market_tickers=tickers)


def not_recorded(
    recording: str, channel: str, market_tickers: Sequence[str], there: Sequence[str]
) -> SubscriptionError:
    """Return the error of a channel, or of markets of one, that a recording does not have, with what it has."""
    asked = _some(market_tickers, 5) if market_tickers else channel
    where = f"{recording} on {channel}" if market_tickers else recording
    message = f"{asked}: not recorded in {where}. What it has: {_some(there, 10) or 'nothing at all'}."
    return SubscriptionError(message, channel=channel, code=0, market_tickers=tuple(market_tickers))


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
