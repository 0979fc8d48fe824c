"""What may be shown: one place decides how much of what somebody passed an error, a report or a repr may repeat.

People put a private key where something else belongs: as the environment, as the transport, as the key's id, on a
command line. So an argument is repeated only where it cannot be a key. A key betrays itself by its marks, or by a
long run of letters and digits that no word, name or path is made of; what hides that from the eye (blanks, quotes,
line breaks, also those written as a backslash and a letter) is taken away first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import unquote

__all__ = ["Secret", "could_be_key", "has_bytes", "hidden", "masked", "printable", "shown"]

T = TypeVar("T")

_MARKS: Final = re.compile(r"-{5} ?BEGIN|BEGIN [A-Z0-9 ]*KEY|PRIVATE KEY|PuTTY-User-Key")
_DISGUISE: Final = re.compile("\\\\+[nrt]|[\\s\"'`\u2018\u2019\u201c\u201d\u200b\u2060\ufeff\u0000]")
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_BETWEEN_WORDS: Final = re.compile(r"[/_-]+")
# Capitals, or words run together, each with a vowel where it is long; and a number behind.
_LOWER: Final = r"(?=[A-Z]?[a-z]{2}(?![a-z])|[A-Za-z][a-z]*[aeiouy]|[AEIOUY])[A-Z]?[a-z]{2,}+"
_WORD: Final = re.compile(rf"(?:[A-Z]*|{_LOWER}(?:(?=[A-Z]){_LOWER})*+|[a-z])[0-9]{{0,8}}")
_LEAST_SECRET: Final = 20
"""Characters of no word that make a text suspicious: an id or a date has fewer, a line of a key many more."""

_UUID: Final = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_MOST_SHOWN: Final = 80
_LONGEST_NUMBER: Final = 10**15
_LOGIN: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:/+)?.*@", re.DOTALL)


class Secret:
    """A value that shows itself to nobody: not in a repr, a pickle, a copy or a format string."""

    __slots__ = ("_reveal",)

    def __init__(self, value: object) -> None:
        # A closure, not an attribute: tools that print every attribute of an object find a function.
        self._reveal: Callable[[], Any] = lambda: value

    def reveal(self) -> Any:
        """Return the value."""
        return self._reveal()

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A private key cannot be pickled or copied; pass its path and read it again there.")


def could_be_key(text: str) -> bool:
    """Tell whether a text is, or holds, what could be a private key or a part of one."""
    if _MARKS.search(text):
        return True
    for each in (text, unquote(text)):
        bare = _DISGUISE.sub("", _UUID.sub("", each))
        for run in _RUN.findall(bare):
            odd = [word for word in _BETWEEN_WORDS.split(run) if not _WORD.fullmatch(word)]
            if sum(map(len, odd)) >= _LEAST_SECRET:
                return True
    return False


def hidden(value: T) -> T | Secret:
    """Return `value`, in a :class:`Secret` where it may not be shown.

    To be called first thing on what somebody passed, so that no traceback with local variables can show it.
    """
    if isinstance(value, str):
        return Secret(value) if could_be_key(value) else value
    if value is None or isinstance(value, bool | float | Secret):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LONGEST_NUMBER else Secret(value)
    return Secret(value)


def shown(value: object) -> str:
    """Return what an error may say of an argument: its repr, or, where it could be a key, only what it is."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, str):
        if could_be_key(value):
            return f"a text of {len(value)} characters (not shown, since it could be a key)"
        return repr(value if len(value) <= _MOST_SHOWN else value[: _MOST_SHOWN - 1] + "…")
    if isinstance(value, int) and abs(value) >= _LONGEST_NUMBER:
        return f"a number of {len(str(abs(value)))} digits" if abs(value) < 10**4000 else "a very long number"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    name = type(value).__name__
    return f"a{'n' if name[:1].lower() in 'aeiou' else ''} {name}"


def has_bytes(text: str) -> bool:
    """Tell whether a text can be sent, or be a name: half of a surrogate pair has no bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """Return a text with what steers a terminal, turns a line round or has no bytes written as ``repr()`` writes it.

    Line breaks and tabs stay: they do neither.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in text)


def masked(address: str) -> str:
    """Return an address without the user name and the password that may stand in it, well-formed or not."""
    return _LOGIN.sub(r"\1***@", address)
