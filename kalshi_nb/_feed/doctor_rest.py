"""What ``doctor(rest=True)`` looks at besides: whether REST answers, its clock, the key, and what rate it allows.

And what nobody has written down of an exchange, and repairs of gaps have to live with: how late a trade is seen over
REST, whether it has the socket's id there, where a window of time ends, and whether a cache answers those with a key.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from kalshi_nb._feed.connect import WORST_CLOCK
from kalshi_nb._rest.bodies import LimitsBody, TradesBody
from kalshi_nb._rest.limiter import ANONYMOUS, share_of
from kalshi_nb.errors import KalshiError, RestCredentialsError, RestError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._rest.client import Params, RestClient

__all__ = ["Found", "Outcome", "rest_checks", "trade_checks"]

Outcome = Literal["ok", "warning", "failed", "skipped"]
Found = tuple[str, Outcome, str]
"""A name, an outcome, and what was found."""
_TRIES: Final = 2
_LATEST: Final = 30.0
"""Seconds after which nobody looks for a trade any more; up to 20 have been seen."""
_APART: Final = 2.0
"""Seconds between two equal questions: the date of an answer is in whole ones."""


class _Status(msgspec.Struct):
    """Whether the exchange is open."""

    exchange_active: bool | None = None
    trading_active: bool | None = None


def rest_checks(
    public: RestClient, signed: RestClient | None, timeout: float, now_us: Callable[[], int]
) -> Iterator[Found]:
    """Ask an exchange over REST what everybody may know, and then with the key; yield what comes of it.

    Parameters
    ----------
    public : RestClient
        Asks without a key.
    signed : RestClient or None
        Asks with it; None where there is none.
    timeout : float
        Seconds that the exchange may be silent.
    now_us : callable
        The time here, microseconds since 1970.
    """
    try:
        answer = public.get("/exchange/status", _Status, tries=_TRIES, timeout=timeout)
    except RestError as refusal:
        yield "rest", "failed", str(refusal)
        return
    status = answer.body
    closed = status.exchange_active is False or status.trading_active is False
    yield "rest", "warning" if closed else "ok", f"{public.base} answers{', and says that nobody trades now' * closed}"
    if answer.at is None:
        yield "rest clock", "ok", "REST does not say its own time"
    else:
        # Its date is in whole seconds, and was written before the answer was under way.
        skew = (now_us() - answer.at) / 1e6
        off, side = abs(skew), "ahead of" if skew > 0 else "behind"
        if off > WORST_CLOCK:
            yield "rest clock", "warning", f"{off:.0f} s {side} that of REST: switch on automatic time (NTP)"
        else:
            yield "rest clock", "ok", f"within {max(1.0, off):.0f} s of that of REST"
    yield from _of_key(signed, timeout)


def _of_key(signed: RestClient | None, timeout: float) -> Iterator[Found]:
    if signed is None:
        yield "rest key", "skipped", "no key to look at"
        yield "rest limit", "ok", f"{ANONYMOUS:g} requests a second are made without a key"
        return
    try:
        rate = signed.get("/account/limits", LimitsBody, tries=_TRIES, timeout=timeout).body.read.refill_rate
    except RestCredentialsError as refusal:
        yield "rest key", "failed", str(refusal)
    except KalshiError as problem:
        yield "rest key", "warning", f"not known: {problem}"
    else:
        yield "rest key", "ok", "accepted"
        yield "rest limit", "ok", f"{rate:g} tokens a second; {share_of(rate):g} requests a second are made"


def trade_checks(client: RestClient, trades: Frame, timeout: float) -> Iterator[Found]:
    """Look over REST for a trade that the socket brings; yield what that shows.

    Parameters
    ----------
    client : RestClient
        Asks with a key.
    trades : Frame
        Gets trades.
    timeout : float
        Seconds in which one is to come.

    Raises
    ------
    RestError
        When the exchange does not answer.
    """
    try:
        trades.wait(new=1, timeout=timeout)
    except WaitTimeoutError:
        yield "rest trades", "skipped", f"no trade came within {timeout:g} s that could be looked for"
        return
    began = time.monotonic()
    newest = trades.df.row(-1, named=True)
    ticker, name, second = newest["market_ticker"], newest["trade_id"], int(newest["ts"].timestamp())
    looks = 0
    while not _is_there(
        client, ticker, name, second - 2 - looks, second + 2
    ):  # another window each time: no cache has it
        if time.monotonic() - began > _LATEST:
            text = f"a trade of the socket was not there by its id within {_LATEST:g} s: gaps may stay unrepaired"
            yield "rest trades", "warning", text
            return
        looks += 1
        time.sleep(1.0)
    yield "rest trades", "ok", f"a trade of the socket was there by its id after {time.monotonic() - began:.1f} s"
    is_whole = _is_there(client, ticker, name, second - 60, second)
    yield "rest window", "ok", f"one that ends at a second has {'all' if is_whole else 'nothing'} of that second"
    first, again = (_asked_at(client, ticker, rest) for rest in (_APART, 0.0))
    is_cached = first is not None and first == again
    how = "from a cache" if is_cached else "anew"
    yield "rest cache", "ok", f"what is asked again with a key is answered {how}"


def _is_there(client: RestClient, ticker: str, name: str, since: int, until: int) -> bool:
    params: Params = {"ticker": ticker, "min_ts": since, "max_ts": until, "limit": 1_000}
    return any(each.trade_id == name for each in client.get("/markets/trades", TradesBody, params).body.trades or ())


def _asked_at(client: RestClient, ticker: str, rest: float) -> int | None:
    """Ask something, and return when the answer was made; then rest."""
    answer = client.get("/markets/trades", TradesBody, {"ticker": ticker, "limit": 1})
    time.sleep(rest)
    return answer.at
