"""How the link is doing: rates, lag, and whether the lag grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import Final

from kalshi_nb._session.session import Session
from kalshi_nb._wire.field_values import AHEAD, FIRST

__all__ = ["Meter", "lag_of", "quantile"]

RATE_WINDOW: Final = 5.0
MOST_LAGS: Final = 600
_BUCKET: Final = 5.0
_BUCKETS: Final = 7  # six steps of five seconds: lag that grows for 30 s
_GROWTH: Final = 1.0
_BETWEEN: Final = 0.1
"""Seconds between two samples."""


class Meter:
    """Samples a session ten times a second; nothing here costs anything a message.

    Parameters
    ----------
    session : Session
        What is measured.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._counts: deque[tuple[float, int]] = deque()
        self._seen: dict[str, int] = {}
        self._lags: deque[float] = deque(maxlen=MOST_LAGS)
        self._bucket: list[float] = []
        self._bucket_at: float | None = None
        self._medians: deque[float] = deque(maxlen=_BUCKETS)

    def sample(self, now: float) -> None:
        """Take a sample at `now` (seconds on the protocol's clock)."""
        self._counts.append((now, self._session.messages))
        while len(self._counts) > 2 and now - self._counts[1][0] > RATE_WINDOW:
            self._counts.popleft()
        for channel, subscription in list(self._session.subscriptions.items()):
            if subscription.exchange_ms is None or self._seen.get(channel) == subscription.messages:
                continue
            self._seen[channel] = subscription.messages
            if not FIRST <= subscription.exchange_ms * 1_000 < subscription.received_at + AHEAD:
                continue  # no time of the exchange's, whatever it is
            lag = subscription.received_at / 1e6 - subscription.exchange_ms / 1e3
            self._lags.append(lag)
            self._bucket.append(lag)
        if self._bucket_at is None:
            self._bucket_at = now
        elif now - self._bucket_at >= _BUCKET:
            self._bucket_at = now
            if self._bucket:
                self._medians.append(median(self._bucket))
                self._bucket.clear()

    def rate(self, now: float) -> float:
        """Messages a second over the 5 s before `now`, of which no sample is taken while there is no line."""
        counts = list(self._counts)
        window = [each for each in counts if now - each[0] <= RATE_WINDOW + _BETWEEN]
        if not window or now <= window[0][0]:
            return 0.0
        return (window[-1][1] - window[0][1]) / (now - window[0][0])

    def lags(self) -> list[float]:
        """Receive time less exchange time of the newest samples, in seconds."""
        return list(self._lags)

    def lag_grows(self) -> bool:
        """Tell whether the lag has grown for 30 s on end, by a second or more."""
        found = list(self._medians)
        rising = all(later > earlier for earlier, later in pairwise(found))
        return len(found) == _BUCKETS and rising and found[-1] - found[0] >= _GROWTH


def lag_of(meters: Iterable[Meter]) -> tuple[float | None, float | None]:
    """Return median and 99th percentile of receive time less exchange time, in seconds."""
    lags = sorted(lag for meter in meters for lag in meter.lags())
    return quantile(lags, 0.5), quantile(lags, 0.99)


def quantile(ordered: list[float], share: float) -> float | None:
    """Return the value below which `share` of an ordered list lies, None of an empty one."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
