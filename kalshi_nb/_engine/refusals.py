"""What the exchange's refusals and a closed feed are called, in words that help."""

from __future__ import annotations

from kalshi_nb._rows.channels import REFERENCE_FEEDS
from kalshi_nb._rows.tickers import hint
from kalshi_nb._session.requests import Outcome
from kalshi_nb._wire.codes import meaning
from kalshi_nb.errors import FeedClosedError, SubscriptionError

__all__ = ["closed_error", "subscription_error"]


def closed_error() -> FeedClosedError:
    """Return what a closed feed says to whoever asks something new of it."""
    return FeedClosedError("The feed is closed; what it holds can be read. connect() again for new data.")


def subscription_error(channel: str, outcome: Outcome) -> SubscriptionError:
    """Return the error of a refused or unanswered subscription, with the next step."""
    tickers = outcome.market_tickers
    about = f" for {', '.join(tickers[:5])}{' …' if len(tickers) > 5 else ''}" if tickers else ""
    if outcome.code:
        hints = [found for each in tickers if channel not in REFERENCE_FEEDS and (found := hint(each))]
        step = " ".join([meaning(outcome.code, outcome.text, tickers).step, *hints[:1]])
        message = f"The exchange refused {channel}{about}: error {outcome.code} {outcome.text!r}. {step}"
    else:
        step = "The exchange is connected but silent; try again, and look at feed.health()."
        message = f"{channel}: {outcome.text}. {step}"
    return SubscriptionError(message, channel=channel, code=outcome.code or 0, market_tickers=tickers)
