"""What users pass, and do, that cannot be meant: numbers taken as they are meant, all else refused in a sentence."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from kalshi_nb._redaction import shown
from kalshi_nb.errors import ConfigurationError, UsageError

__all__ = ["as_int", "not_copied", "not_made", "seconds", "whole"]


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
