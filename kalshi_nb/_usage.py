"""What users pass, and do, that cannot be meant: numbers taken as they are meant, all else refused in a sentence."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, ClassVar, Final, NoReturn, Self

from kalshi_nb._redaction import shown
from kalshi_nb.errors import ConfigurationError, NoSuchAttributeError, UsageError

__all__ = [
    "Blocking",
    "Closing",
    "Made",
    "NotAwaited",
    "as_bool",
    "as_int",
    "check_called",
    "flag",
    "iterated",
    "meant",
    "not_copied",
    "not_made",
    "real",
    "setter",
    "whole",
]

_MOST: Final = 2**63 - 1
"""What counts rows, levels or bytes is no larger."""
_MOST_MEANT: Final = 3
"""So many words are asked about; more are a list to read."""


def as_bool(value: object) -> object:
    """Return a truth value of numpy's as Python's own; anything else as it is."""
    of_numpy = getattr(getattr(value, "dtype", None), "kind", "") == "b" and getattr(value, "shape", None) == ()
    return bool(value) if of_numpy else value


def as_int(value: object) -> object:
    """Return a whole number of any library's, such as numpy's, as Python's own; anything else as it is."""
    if isinstance(value, bool):
        return value
    try:
        return operator.index(value)  # type: ignore[arg-type]  # that it may be no number is what is asked
    except TypeError:
        return value


def real(value: object) -> float:
    """Return a real number of any library's as a float; nan where it is none, a truth value, or larger than floats."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):  # numpy's lengths of time call themselves numbers, and are none
        return math.nan


def flag(name: str, value: object) -> bool:
    """Return yes or no: a truth value of Python's or of numpy's, and none that a text or a list would have.

    Raises
    ------
    ConfigurationError
        When it is neither; ``"no"`` would count as true.
    """
    found = as_bool(value)
    if not isinstance(found, bool):
        raise ConfigurationError(f"{name}={shown(value)}: it is True or False.")
    return found


def iterated(value: object) -> Iterator[object] | None:
    """Return what goes through something, through a text as one thing; None where there is no going through it."""
    if isinstance(value, str | bytes | bytearray):  # of bytes one would go through numbers
        return iter((value,))
    try:
        found: Iterator[object] = iter(value)  # type: ignore[call-overload]  # whether it can be is what is asked
        # By its [0], [1], … Python takes anything for a sequence that has [], a LazyFrame too, and it raises later.
        return found if hasattr(type(value), "__iter__") else iter(list(found))
    except UsageError:
        raise  # a handle of the feed's says itself where its rows are
    except TypeError:
        return None


def check_called(name: str, value: object, advice: str) -> None:
    """Refuse what is to be called later and cannot be, before anything is done; None stands for nothing.

    Raises
    ------
    ConfigurationError
        When it cannot be called; `advice` says what to do instead, without a full stop.
    """
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name}={shown(value)}: {advice}.")


def whole(name: str, value: object, advice: str, *, least: int = 1, most: int = _MOST) -> int:
    """Return a whole number: an ``int``, or anything that counts as one, such as numpy's; no truth values.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : object
        What was passed.
    advice : str
        What to do instead, without a full stop.
    least, most : int
        The smallest and the largest that will do.

    Raises
    ------
    ConfigurationError
        When it is none, too small or too large.
    """
    number = as_int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise ConfigurationError(f"{name}={shown(value)}: {advice}.")
    return number


def not_copied(handle: object, instead: str) -> UsageError:
    """Return what to raise where somebody copies or pickles what lives by the feed's threads.

    Parameters
    ----------
    handle : object
        What was to be copied.
    instead : str
        What to pass on in its place, as the end of a sentence without its full stop.
    """
    return UsageError(
        f"A {type(handle).__name__} lives by the threads of its feed, so it cannot be copied or pickled: {instead}."
    )


def not_made(kind: type[Any], how: str) -> UsageError:
    """Return what to raise where somebody makes a handle by hand; `how` shows the call that gives one."""
    return UsageError(f"A {kind.__name__} is not made by hand; ask for one: {how}.")


class Made:
    """A handle that a feed hands out: whoever makes one by hand is told whom to ask."""

    _made_of: ClassVar[tuple[str, ...]]
    """What the kit makes it of has these, and nothing that a user holds has all of them."""
    _asked_by: ClassVar[str]
    """The call that gives one."""

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        """Refuse to be made by hand."""
        if not arguments or not cls._can_be_made_of(arguments[0]):
            raise not_made(cls, cls._asked_by)
        return super().__new__(cls)

    @classmethod
    def _can_be_made_of(cls, first: Any) -> bool:
        # Of its class: some objects, such as pl.col, have whatever they are asked for.
        return all(hasattr(type(first), each) for each in cls._made_of)


def meant(word: object, words: Iterable[str]) -> str:
    """Return in a sentence, with a blank before it, which of some words is nearly what was given; else nothing.

    Words that have it as a part, as ``yes_price`` and ``no_price`` have ``price``, are equally near.
    """
    if not isinstance(word, str):
        return ""
    known = list(words)
    nearest = [each for each in known if word in each.split("_")][:_MOST_MEANT] or get_close_matches(word, known, 1)
    return f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""


def setter(*names: str, instead: str) -> Callable[[Any, str, Any], None]:
    """Return a ``__setattr__`` by which nothing can be set but `names`, methods, and what begins with an underscore.

    ``trades.rows = 5`` would look as if it did something.

    Parameters
    ----------
    *names : str
        What a handle has as attributes.
    instead : str
        What to do instead of setting something else, as the end of a sentence without its full stop.
    """

    def set_attribute(self: Any, name: str, value: Any) -> None:
        # A function in the place of a method is what tests of somebody's own put there.
        stands_in = callable(value) and callable(getattr(type(self), name, None))
        if not (name.startswith("_") or name in names or stands_in):
            raise NoSuchAttributeError(f"{type(self).__name__} has no {name!r} to be set: {instead}.")
        object.__setattr__(self, name, value)

    return set_attribute


class NotAwaited:
    """What is there at once, so that nothing of it is to be awaited."""

    _in_a_coroutine: ClassVar[str] = ""
    """What to write where somebody awaits it, as the end of a sentence without its full stop."""

    def __await__(self) -> NoReturn:
        kind = type(self).__name__
        raise UsageError(
            f"A{'n' if kind[0] in 'AEIOU' else ''} {kind} is not awaited: it is there. Write it without await"
            f"{self._in_a_coroutine}."
        )


class Blocking(NotAwaited):
    """A handle whose ``wait()`` blocks, and which is there at once."""

    _in_a_coroutine = (
        ". Its wait() blocks until it has returned; in a coroutine, write: await asyncio.to_thread(handle.wait)"
    )

    def __aiter__(self) -> NoReturn:
        raise UsageError(
            f"A {type(self).__name__} gives no messages one by one; in a coroutine, write: async for message in "
            "feed.listen(channel, market_ticker): …"
        )


class Closing:
    """What has a ``close()``, and is closed at the end of a ``with`` or an ``async with``."""

    def close(self) -> None:
        """Close it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_raised: object) -> None:
        self.__exit__(*_raised)
