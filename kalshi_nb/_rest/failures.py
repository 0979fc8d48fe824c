"""What an answer that is none means, and what to do next.

The exchange has four shapes of error bodies, and the edge before it pages of HTML: a 429 whose body is HTML comes from
a firewall and not from the rate limiter, and is an outage like any other. So is a 403 in words, or in JSON of somebody
else's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from kalshi_nb._rows.foreign import plain_text
from kalshi_nb.errors import (
    RateLimitError,
    RestBodyError,
    RestCredentialsError,
    RestError,
    RestNotFoundError,
    RestRequestError,
    RestUnavailableError,
)

__all__ = ["Refusal", "refusal_of"]

_MOST: Final = 300
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 530)})
_TOO_LONG: Final = frozenset({413, 414, 431})
"""Whoever says so, a question that is too long stays it."""
_EXPIRED: Final = "header_timestamp_expired"
_TORN: Final = "an answer that breaks off"
_BEFORE: Final = "a page of something before the exchange"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is none.

    Attributes
    ----------
    error : RestError
        To be raised, where there is nothing more to try.
    is_worth_another : bool
        Whether the same question may be answered later.
    is_too_many : bool
        Whether the rate limiter said so.
    """

    error: RestError
    is_worth_another: bool
    is_too_many: bool = False


def refusal_of(path: str, status: int, body: bytes, *, is_signed: bool) -> Refusal:
    """Return what an answer is that is none.

    Parameters
    ----------
    path : str
        What was asked for.
    status : int
        Its HTTP status.
    body : bytes
        Its body.
    is_signed : bool
        Whether a key was sent.
    """
    found = _parsed(body)
    text = body[: 4 * _MOST].decode(errors="replace")
    is_torn = found is None and body.lstrip()[:1] == b"{"
    if status == 403 and found is not None and not _is_of_the_exchange(found):
        found = None  # a firewall says so in JSON, too, and to every key
    code, said = (_code(found), _said(found)) if found is not None else ("", _TORN if is_torn else _BEFORE)
    kind, step = _meaning(status, code, is_json=found is not None, is_signed=is_signed)
    told = f"GET {path}: the exchange answers {status}{', ' if said else ''}{plain_text(said)}. {step}"
    error = kind(told, status=status, code=code, body=plain_text(text, _MOST))
    is_again = status in _AGAIN or (found is None and status not in _TOO_LONG)
    return Refusal(error, is_again, is_too_many=status == 429 and found is not None)


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_of_the_exchange(found: dict[str, Any]) -> bool:
    """Whether a refusal has a form that the exchange's own have; handshakes go by the same."""
    return isinstance(found.get("error"), dict) or isinstance(found.get("code"), str)


def _inner(found: dict[str, Any]) -> dict[str, Any]:
    error = found.get("error")
    return error if isinstance(error, dict) else {}


def _said(found: dict[str, Any]) -> str:
    """Return the first text that says what is wrong, whichever shape the body has."""
    inner = _inner(found)
    places = (inner.get("details"), inner.get("message"), found.get("error"), *map(found.get, _FLAT))
    return next((each for each in places if isinstance(each, str) and each), "")


_FLAT: Final = ("details", "message", "msg")


def _code(found: dict[str, Any]) -> str:
    code = _inner(found).get("code", found.get("code"))
    return plain_text(code) if isinstance(code, str) else ""


def _meaning(status: int, code: str, *, is_json: bool, is_signed: bool) -> tuple[type[RestError], str]:
    if status in _TOO_LONG:
        return RestRequestError, "The question is too long: ask for fewer things at once."
    if not is_json or status >= 500 or status in (408, 425):
        return RestUnavailableError, (
            "It was asked several times. Try again in a few minutes; on Thursdays there is maintenance."
        )
    if status in (401, 403):
        return RestCredentialsError, _of_credentials(code, is_signed=is_signed)
    return _OF_OTHERS.get(
        status,
        (RestRequestError, "Ask otherwise; what goes together is said in the documentation of the method."),
    )


_OF_OTHERS: Final[dict[int, tuple[type[RestError], str]]] = {
    200: (  # JSON to one library, and none to the other: NaN, half of a surrogate pair
        RestBodyError,
        (
            "The answer cannot be read. Try again; where it stays so, the exchange has changed its answers, and a "
            "newer version of this package may know them."
        ),
    ),
    404: (
        RestNotFoundError,
        (
            "Look at the spelling; a market that was made just now, or was paid out two months ago, is not there "
            "either. feed.search('…') finds tickers by words."
        ),
    ),
    429: (
        RateLimitError,
        (
            "It was asked several times, ever more slowly. Ask for less, wait a minute, or pass a key, which is "
            "allowed more."
        ),
    ),
}


def _of_credentials(code: str, *, is_signed: bool) -> str:
    if not is_signed:
        return "Pass a key: connect(…, key_id='…', private_key='~/.kalshi/key.pem')."
    if code == _EXPIRED:
        return "This computer's clock is off; switch on automatic time (NTP)."
    return "Look whether key id and private key belong together, and to this environment; kalshi-nb doctor tells."
