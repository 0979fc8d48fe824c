"""Trouble that the simulated exchange makes over REST."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal

from kalshi_nb.sim._authenticate import Verdict

__all__ = ["COST", "CURSORS", "REFUSALS", "Cursors", "Refusal", "RestTrouble"]

Refusal = Literal["object", "text", "html", "gateway", "torn"]
Cursors = Literal["right", "repeated", "garbage", "empty_page"]

_SECOND: Final = 1_000_000
COST: Final = 10
"""Tokens of one request."""
_HTML: Final = "<!DOCTYPE html><html><head><title>Security checkpoint</title></head><body>Wait</body></html>"
_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"

REFUSALS: Final[dict[str, Verdict | None]] = {
    "object": Verdict(
        HTTPStatus.TOO_MANY_REQUESTS, '{"error":{"code":"too_many_requests","message":"too many requests"}}'
    ),
    "text": Verdict(HTTPStatus.TOO_MANY_REQUESTS, '{"error":"too many requests"}'),
    "html": Verdict(HTTPStatus.TOO_MANY_REQUESTS, _HTML),
    "gateway": Verdict(HTTPStatus.BAD_GATEWAY, _GATEWAY),
    "torn": None,
}
"""What a request is answered with in place of an answer; None for half of the answer itself."""

CURSORS: Final = ("right", "repeated", "garbage", "empty_page")


@dataclass
class RestTrouble:
    """What goes wrong from now on; see :meth:`Faults.rest`."""

    refuse: int = 0
    after: int = 0
    refusal: Refusal = "object"
    tokens: float | None = None
    cursors: Cursors = "right"
    combos: int = 0
    late_us: int = 0
    cache: float = 0.0
    delay: float = 0.0
    live_tier_us: int | None = None
    requests: int = 0
    is_torn: bool = False
    _left: float = field(default=0.0, init=False)
    _looked_at: float = field(default_factory=time.monotonic, init=False)
    _numbers: itertools.count[int] = field(default_factory=itertools.count, init=False)
    _kept: dict[str, tuple[int, bytes]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._left = self.tokens or 0.0

    def verdict(self) -> Verdict | None:
        """Judge one request: None where it is to be answered, with half of the answer where `is_torn` says so."""
        self.requests += 1
        is_refused = bool(self.refuse) and self.requests > self.after
        self.is_torn = is_refused and self.refusal == "torn"
        if is_refused:
            self.refuse -= 1
            return REFUSALS[self.refusal]
        too_many = "object" if self.refusal in ("gateway", "torn") else self.refusal
        return None if self._has_tokens() else REFUSALS[too_many]

    def _has_tokens(self) -> bool:
        if self.tokens is None:
            return True
        now = time.monotonic()
        self._left = min(self.tokens, self._left + (now - self._looked_at) * self.tokens)
        self._looked_at = now
        if self._left < COST:
            return False
        self._left -= COST
        return True

    def cached(self, target: str, now_us: int) -> tuple[bytes, int] | None:
        """Return what a question was answered with not long ago, and how many seconds ago; None for nothing."""
        made_us, body = self._kept.get(target, (0, b""))
        age_us = now_us - made_us
        return (body, age_us // _SECOND) if body and 0 <= age_us < self.cache * _SECOND else None

    def keep(self, target: str, now_us: int, body: bytes) -> None:
        """Keep an answer for whoever asks the same within the next seconds."""
        if self.cache:
            self._kept[target] = now_us, body

    def cursor(self, asked: str, right: str) -> str:
        """Return the cursor that a page hands out, where `right` would be, after it was asked for by `asked`."""
        if self.cursors == "repeated" and asked:
            return asked
        return f"AAAA{next(self._numbers):08d}" if self.cursors == "garbage" and right else right
