"""What views are shown with: the process's `options`, and what one view is asked for; each checked in its cell."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol

from kalshi_nb._redaction import shown
from kalshi_nb._usage import as_int, flag, real
from kalshi_nb.errors import ConfigurationError, UsageError

__all__ = [
    "COMMON",
    "PRIVATE",
    "RENDERER_VARIABLE",
    "Choice",
    "Flag",
    "Number",
    "Option",
    "ViewOptions",
    "options",
    "resolved",
]

RENDERER_VARIABLE: Final = "KALSHI_NB_RENDERER"
_MOST_HZ: Final = 10.0
_ALSO_CALLED: Final = {"hz": "max_hz", "rate": "max_hz", "fps": "max_hz"}
"""What people write for the name of an option that is no nearer to it than to others."""
_MOST_COMPARED: Final = 100
"""Characters of a word that may be meant."""


class Option(Protocol):
    """One thing that can be chosen."""

    @property
    def default(self) -> Any:
        """What stands where nothing was chosen."""
        ...

    def check(self, name: str, value: object) -> Any:
        """Return the value as it is used, or raise ConfigurationError with what would do."""
        ...


class Choice(NamedTuple):
    """One of a few words.

    Attributes
    ----------
    words : tuple of str
        All that will do.
    default : str or None
        What stands where nothing was chosen; None leaves it to the process's `options`.
    """

    words: tuple[str, ...]
    default: str | None = None

    def check(self, name: str, value: object) -> str:
        """Return the word."""
        if isinstance(value, str) and value in self.words:
            return value
        near = _nearest(value, self.words)
        raise ConfigurationError(f"{name}={shown(value)}: {near}it is one of {', '.join(map(repr, self.words))}.")


class Number(NamedTuple):
    """A number in a range.

    Attributes
    ----------
    least, most : float
        Its bounds, themselves allowed.
    example : float
        One that is often right.
    is_whole : bool
        Whether it has to be a whole one.
    what : str
        What it counts, for the message.
    default : float or None
        What stands where nothing was chosen.
    """

    least: float
    most: float
    example: float
    is_whole: bool
    what: str
    default: float | None = None

    def check(self, name: str, value: object) -> float:
        """Return the number."""
        value = as_int(value)
        number = real(value)
        if (self.is_whole and not isinstance(value, int)) or not self.least <= number <= self.most:
            raise ConfigurationError(
                f"{name}={shown(value)}: {self.what} {self.least:g} to {self.most:g}; try {self.example:g}."
            )
        return int(number) if self.is_whole else number


class Flag(NamedTuple):
    """Yes or no.

    Attributes
    ----------
    default : bool
        What stands where nothing was chosen.
    """

    default: bool = False

    def check(self, name: str, value: object) -> bool:
        """Return it."""
        return flag(name, value)


class Zone(NamedTuple):
    """The zone that moments are written in."""

    default: str | None = None

    def check(self, name: str, value: object) -> str:
        """Return ``"UTC"`` or ``"local"``."""
        return Choice(("UTC", "local")).check(name, "UTC" if isinstance(value, str) and value == "utc" else value)


COMMON: Final[Mapping[str, Option]] = {
    "height": Number(60, 4000, 400, True, "a view is so many pixels high, from"),
    "max_hz": Number(0.1, _MOST_HZ, 4, False, "a view sends at most so many messages a second, from"),
    "palette": Choice(("default", "classic")),
    "renderer": Choice(("auto", "widget", "html", "text")),
    "theme": Choice(("auto", "light", "dark")),
    "timezone": Zone(),
    "unit": Choice(("cents", "dollars", "probability")),
}
"""What every view takes."""

PRIVATE: Final[Mapping[str, Option]] = {
    "mask": Flag(),
    "private": Flag(),
}
"""What a view takes, too, that may show what is one's own: ``private`` has it everywhere, also where a notebook stores
it; ``mask`` leaves out amounts wherever it is shown, for a screen that others see."""

_GLOBAL: Final[Mapping[str, Option]] = {
    "max_hz": Number(0.1, _MOST_HZ, 10, False, "a view sends at most so many messages a second, from", _MOST_HZ),
    "palette": Choice(("default", "classic"), "default"),
    "renderer": Choice(("auto", "widget", "html", "text"), "auto"),
    "theme": Choice(("auto", "light", "dark"), "auto"),
    "timezone": Zone("UTC"),
    "unit": Choice(("cents", "dollars", "probability"), "cents"),
}


class ViewOptions:
    """How views are shown from now on, unless one is asked for otherwise; ``kn.options`` is the process's.

    Set one for good, or for the length of a block::

        kn.options.theme = "dark"
        with kn.options(renderer="html"):
            kn.show(book)

    Attributes
    ----------
    theme : str
        ``"auto"`` (what is behind the view), ``"light"`` or ``"dark"``.
    palette : str
        ``"default"`` (blue bids, orange asks, told apart by everyone) or ``"classic"`` (green and red).
    unit : str
        Prices in ``"cents"``, ``"dollars"`` or as ``"probability"`` in per cent.
    timezone : str
        ``"UTC"``, as frames have it, or ``"local"``, the reader's own.
    renderer : str
        ``"auto"`` and ``"widget"``: a view that moves, ``"auto"`` with a still table for where it cannot;
        ``"html"``: the table alone, for reports; ``"text"``: plain text alone. Where it was not set, the environment
        variable KALSHI_NB_RENDERER says.
    max_hz : float
        Messages a second that a view sends, at most; 0.1 to 10.

    Raises
    ------
    UsageError
        When there is no such option; it names the nearest.
    ConfigurationError
        When a value will not do.
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_set", {})
        # What a block has, by the context that it is in: other threads and tasks never see it, nor end it.
        object.__setattr__(self, "_block", ContextVar("kalshi_nb.options", default=None))

    def __getattr__(self, name: str) -> Any:
        if name not in _GLOBAL:
            raise AttributeError(f"options has no {name!r}. {_known(name, _GLOBAL)}")
        chosen = self._chosen()
        if name in chosen:
            return chosen[name]
        if name == "renderer" and (told := os.environ.get(RENDERER_VARIABLE)):
            return _GLOBAL[name].check(RENDERER_VARIABLE, told)
        return _GLOBAL[name].default

    def __setattr__(self, name: str, value: object) -> None:
        self._choose({**self._chosen(), **_checked("options", _GLOBAL, {name: value})})

    def __delattr__(self, name: str) -> None:
        _refuse_unknown("options", _GLOBAL, [name])
        self._choose({each: value for each, value in self._chosen().items() if each != name})

    def _chosen(self) -> dict[str, Any]:
        """Return what was chosen, in the block around this, where there is one, or for the process."""
        block: dict[str, Any] | None = self.__dict__["_block"].get()
        process: dict[str, Any] = self.__dict__["_set"]
        return process if block is None else block

    def _choose(self, chosen: dict[str, Any]) -> None:
        if self.__dict__["_block"].get() is None:
            object.__setattr__(self, "_set", chosen)
        else:
            self.__dict__["_block"].set(chosen)

    def __call__(self, **changes: Any) -> Any:
        """Return a context manager in which these options hold; what was there before comes back after it.

        They hold for what the block itself does, and not for other threads and tasks meanwhile; so does what is set
        inside it.
        """
        return self._while(_checked("options", _GLOBAL, changes))

    @contextmanager
    def _while(self, changes: dict[str, Any]) -> Iterator[ViewOptions]:
        before = self.__dict__["_block"].set({**self._chosen(), **changes})
        try:
            yield self
        finally:
            self.__dict__["_block"].reset(before)

    def __dir__(self) -> list[str]:
        return sorted(_GLOBAL)

    def __repr__(self) -> str:
        return f"options({', '.join(f'{name}={getattr(self, name)!r}' for name in _GLOBAL)})"


def resolved(view: str, own: Mapping[str, Option], given: Mapping[str, Any], rate: float) -> dict[str, Any]:
    """Return every option of a view, checked: what was asked for, else the process's, else the view's own.

    Parameters
    ----------
    view : str
        What the view is called, for messages.
    own : mapping
        What this kind takes beside `COMMON`.
    given : mapping
        What was asked for; None stands for the default.
    rate : float
        Messages a second of its kind.

    Raises
    ------
    UsageError
        When a view of this kind has no such option; it names the nearest.
    ConfigurationError
        When a value will not do.
    """
    known = {**COMMON, **own}
    found = {name: option.default for name, option in known.items()}
    asked = {name: value for name, value in given.items() if value is not None or name not in known}
    found |= _checked(view, known, asked)
    for name in ("palette", "renderer", "theme", "timezone", "unit"):
        if found[name] is None:
            found[name] = getattr(options, name)
    found["max_hz"] = min(rate if found["max_hz"] is None else found["max_hz"], options.max_hz)
    return found


def _checked(view: str, known: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_unknown(view, known, given)
    return {name: known[name].check(name, value) for name, value in given.items()}


def _refuse_unknown(view: str, known: Mapping[str, Option], names: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"{view} has no option {name!r}. {_known(name, known)}")


def _known(name: str, known: Iterable[str]) -> str:
    return f"{_nearest(name, known)}It takes {', '.join(sorted(known))}."


def _nearest(value: object, words: Iterable[str]) -> str:
    if not isinstance(value, str):
        return ""
    words = list(words)
    if (meant := _ALSO_CALLED.get(value.lower())) in words:
        return f"Did you mean {meant!r}? "
    close = difflib.get_close_matches(value[:_MOST_COMPARED].lower(), words, 1, 0.5)
    return f"Did you mean {close[0]!r}? " if close else ""


options: Final = ViewOptions()
"""The process's."""
