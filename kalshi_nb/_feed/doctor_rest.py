"""What ``doctor(rest=True)`` looks at besides: whether REST answers, its clock, the key, and what rate it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from kalshi_nb._feed.connect import WORST_CLOCK
from kalshi_nb._rest.bodies import LimitsBody
from kalshi_nb._rest.limiter import ANONYMOUS, share_of
from kalshi_nb.errors import KalshiError, RestCredentialsError, RestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kalshi_nb._rest.client import RestClient

__all__ = ["Found", "Outcome", "rest_checks"]

Outcome = Literal["ok", "warning", "failed", "skipped"]
Found = tuple[str, Outcome, str]
"""A name, an outcome, and what was found."""
_TRIES: Final = 2


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
