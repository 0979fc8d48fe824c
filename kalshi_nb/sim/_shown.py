"""How much of what somebody passed an error may repeat: people pass a private key where something else belongs."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_short", "shown"]

_SHORT: Final = re.compile(r"[^\r\n]{0,19}|[a-z0-9]{1,13}(?:_[a-z0-9]{1,13}){1,4}")
"""Twenty characters can be of a key, and these can not; nor can the name of a channel or a type, such as
``multivariate_market_lifecycle``."""

_LONGEST_NUMBER: Final = 10**15


def is_short(text: str) -> bool:
    """Tell whether a text is too short for a key, or a name such as Kalshi gives to channels."""
    return _SHORT.fullmatch(text) is not None


def shown(value: object) -> str:
    """Return the repr of what can be no key, and of anything else what it is."""
    if isinstance(value, str):
        return repr(value) if is_short(value) else f"a text of {len(value)} characters"
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _LONGEST_NUMBER):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    name = type(value).__name__
    return f"a{'n' if name[:1].lower() in 'aeiou' else ''} {name}"
