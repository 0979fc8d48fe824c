"""What users pass, and do, that cannot be meant: numbers taken as they are meant, all else refused in a sentence."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from kalshi_nb._redaction import shown
from kalshi_nb.errors import ConfigurationError, NoSuchAttributeError, UsageError

__all__ = ["Blocking", "as_int", "meant", "not_copied", "not_made", "seconds", "setter", "whole"]


def as_int(value: object) -> object:
    """Return a whole number of any library's, such as numpy's, as Python's own; anything else as it is."""
    if isinstance(value, bool):
        return value
    try:
        return operator.index(value)  # type: ignore[arg-type]  # that it may be no number is what is asked
    except TypeError:
        return value


def whole(name: str, value: object, advice: str, *, least: int = 1) -> int:
    """Return a whole number: an ``int``, or anything that counts as one, such as numpy's; no truth values.

    Parameters
    ----------
    name : str
        What the user calls it.
    value : object
        What was passed.
    advice : str
        What to do instead, without a full stop.
    least : int
        The smallest that will do.

    Raises
    ------
    ConfigurationError
        When it is none, or too small.
    """
    number = as_int(value)
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ConfigurationError(f"{name}={shown(value)}: {advice}.")
    return number


def seconds(name: str, value: object, advice: str, *, most: float = math.inf, or_none: bool = False) -> float:
    """Return a number of seconds above 0, or from 0 on where `or_none`: whatever Python knows as a real number.

    Parameters
    ----------
    name, value, advice
        As for :func:`whole`.
    most : float
        The largest that will do.
    or_none : bool
        Whether no time at all will do, too.

    Raises
    ------
    ConfigurationError
        When it is none, not a number, or out of range.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
    if not (0 < number <= most or (or_none and number == 0)):
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


def meant(word: object, words: Iterable[str]) -> str:
    """Return in a sentence, with a blank before it, which of some words is nearly what was given; else nothing."""
    nearest = get_close_matches(word, list(words), 1) if isinstance(word, str) else []
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


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


class Blocking:
    """A handle whose ``wait()`` blocks, and which is there at once: nothing of it is to be awaited."""

    def __await__(self) -> NoReturn:
        raise UsageError(
            f"A {type(self).__name__} is not awaited: it is there, and its wait() blocks until it has returned. Write "
            "it without await, or in a coroutine: await asyncio.to_thread(handle.wait)."
        )

    def __aiter__(self) -> NoReturn:
        raise UsageError(
            f"A {type(self).__name__} gives no messages one by one; in a coroutine, write: async for message in "
            "feed.listen(channel, market_ticker): …"
        )
