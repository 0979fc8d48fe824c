"""Which markets somebody asks for, as the exchange takes it: it allows few of its filters together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._moments import moment_us
from kalshi_nb._redaction import shown
from kalshi_nb._rest.frames import time_us
from kalshi_nb._usage import flag, iterated
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kalshi_nb._moments import Moment
    from kalshi_nb._rest.bodies import Market

__all__ = ["ANSWERS", "STATUSES", "MarketFilter", "MarketQuestion", "checked_status", "market_filter", "text_of"]

STATUSES: Final = ("unopened", "open", "paused", "closed", "settled")
"""The words that the exchange takes; what it answers has others."""

ANSWERS: Final = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined", "disputed", "amended"),
    "settled": ("finalized",),
}
"""By what is asked for, the words of the answers."""

_ANSWERED: Final = {answered: asked for asked, words in ANSWERS.items() for answered in words}
_SECOND: Final = 1_000_000
_MARGIN_US: Final = 60 * _SECOND
"""By so much this computer's clock may be ahead of the exchange's, and no open market is left out."""
_LAST_US: Final = 1 << 62


class MarketQuestion(NamedTuple):
    """Which markets somebody asks for, as he says it; see :meth:`kalshi_nb.Feed.markets`."""

    series: str | None = None
    event: str | None = None
    tickers: str | Iterable[str] | None = None
    status: str | None = "open"
    close_after: Moment | None = None
    close_before: Moment | None = None
    multivariate: bool = False


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """What to ask for, and what to leave out of the answer.

    Attributes
    ----------
    params : dict
        The query.
    series : str or None
        The series that was named.
    status : str or None
        Of answers only those with this status, which the exchange could not be asked for.
    closes : tuple of int
        From when until before when it closes, microseconds.
    tickers : list of str or None
        The markets that were named.
    moved : dict
        The query to the historical tier, where what is asked for may have moved there; else empty. Nobody is given all
        that ever was settled for not having named anything.
    """

    params: dict[str, Any]
    series: str | None
    status: str | None
    closes: tuple[int, int] | None
    tickers: list[str] | None
    moved: dict[str, Any]

    def keeps(self, market: Market) -> bool:
        """Tell whether a market of an answer was asked for."""
        if self.status is not None and market.status != self.status:
            return False
        if self.closes is None:
            return True
        at = time_us(market.close_time)
        return at is not None and self.closes[0] <= at < self.closes[1]


def market_filter(question: MarketQuestion, now_us: int) -> MarketFilter:
    """Return what to ask for at this time.

    Raises
    ------
    ConfigurationError
        When an argument is none that can be asked for.
    """
    series, event, tickers, status, close_after, close_before, multivariate = question
    named = None if tickers is None else _listed(tickers)
    is_flood_wanted = flag("multivariate", multivariate) or event is not None or named is not None
    params: dict[str, Any] = {
        "series_ticker": text_of("series", series),
        "event_ticker": text_of("event", event),
        "status": checked_status(status),
        # Combinations are four fifths of all markets, and who names one wants it.
        "mve_filter": None if is_flood_wanted else "exclude",
    }
    moved = _moved(params, named) if status in (None, "settled") else {}
    if close_after is None and close_before is None:
        return MarketFilter(params, series, None, None, named, moved)
    after = 0 if close_after is None else moment_us("close_after", close_after)
    before = _LAST_US if close_before is None else moment_us("close_before", close_before)
    if before <= after:
        raise ConfigurationError("close_before lies before close_after: no market closes between them.")
    kept = None
    if status == "open":
        # Times of closing go with no status but "closed": so with none, of those that are yet to close.
        params["status"], kept = None, "active"
    if status in (None, "open", "closed"):
        least = max(after, now_us - _MARGIN_US) if status == "open" else after
        params["min_close_ts"] = least // _SECOND
        params["max_close_ts"] = None if before == _LAST_US else math.ceil(before / _SECOND)
    return MarketFilter(params, series, kept, (after, before), named, moved)


def _moved(params: dict[str, Any], named: list[str] | None) -> dict[str, Any]:
    """Return the query to the historical tier, which takes one of tickers, event and series."""
    which = "event_ticker" if params["event_ticker"] is not None else "series_ticker"
    if named is None and params[which] is None:
        return {}
    return {"mve_filter": params["mve_filter"]} | ({which: params[which]} if named is None else {})


def checked_status(status: str | None) -> str | None:
    """Return a status that can be asked for, or None for any.

    Raises
    ------
    ConfigurationError
        When there is no such; it names the one that is meant.
    """
    if status is None or (isinstance(status, str) and status in STATUSES):
        return status
    word = status.strip().lower() if isinstance(status, str) else ""
    meant = _ANSWERED.get(word) or next(iter(get_close_matches(word, STATUSES, n=1)), None)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise ConfigurationError(
        f"status={shown(status)} cannot be asked for; there are {', '.join(map(repr, STATUSES))}, and None for all."
        f"{hint}"
    )


def text_of(name: str, value: object) -> str | None:
    """Return one ticker, or None for none.

    Raises
    ------
    ConfigurationError
        When it is no text, empty, or several in one.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or "," in value:
        raise ConfigurationError(
            f"{name}={shown(value)} is no ticker; pass one as text, such as 'KXHIGHNY'"
            f"{', or a list of them' if name == 'tickers' else ''}."
        )
    return value.strip()


def _listed(tickers: object) -> list[str]:
    """Return the tickers of markets, each once: none named is not all, and would be all on the wire."""
    several = iterated(tickers)
    if several is None or isinstance(tickers, Mapping) or hasattr(tickers, "columns"):
        raise ConfigurationError(
            f"tickers={shown(tickers)}: pass the tickers as text, a list or a column, such as frame['market_ticker']."
        )
    found = []
    for each in several:
        ticker = text_of("tickers", each)
        if ticker is None:
            raise ConfigurationError("tickers has a None among them; pass the tickers alone.")
        found.append(ticker)
    if not found:
        raise ConfigurationError("The list of tickers is empty; leave tickers out to take all markets.")
    return list(dict.fromkeys(found))
