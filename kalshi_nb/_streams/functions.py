"""Functions that could never work where a user put them, refused in the cell or found at the first call."""

from __future__ import annotations

import functools
import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from streamz import core, sinks

from kalshi_nb._redaction import shown
from kalshi_nb.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streamz import Stream

    from kalshi_nb.errors import KalshiError

__all__ = ["refuse_arity", "refuse_function", "refuse_unstarted", "refuse_unusable", "unstarted_kind"]

_TRANSFORMING = (core.map, core.starmap, core.accumulate)
"""Nodes that pass on what a function returns, a coroutine too."""

_CALLING: Final = {
    core.map: "map() calls its function with each batch, and with what else it was given",
    core.filter: "filter() calls its function with each batch, and with what else it was given",
    core.accumulate: "accumulate() calls its function with what that returned last and with each batch",
    core.unique: "unique() calls its key with each batch",
    sinks.sink: "sink() calls its function with each batch, and with what else it was given",
}
"""Nodes that are known to call their functions so; a subclass of somebody's own may do it in another way."""


def refuse_function(channel: str, function: object) -> None:
    """Refuse what cannot be called with each message.

    Raises
    ------
    PipelineError
        When it is an ``async`` function, or one with ``yield``: to call it runs nothing of it.
    """
    kind = unstarted_kind(function)
    if kind is not None:
        raise PipelineError(
            f"{_name(function)} is {kind}: the feed calls plain functions, and of this one a call would run nothing. "
            f"{_instead(channel, kind)}"
        )


def refuse_arity(
    function: object,
    calling: str,
    arguments: Sequence[object] = (None,),
    options: Mapping[str, object] = MappingProxyType({}),
    kind: type[KalshiError] = PipelineError,
) -> None:
    """Refuse what cannot be called as it will be, where that is certain.

    Parameters
    ----------
    function : object
        What is called. Of some that are written in C nobody knows what they take, and what stands in for another may
        take more than it says.
    calling : str
        Who calls it with what, as the beginning of a sentence.
    arguments, options
        As many as it will be called with, and by which names.
    kind : type
        Of the error.
    """
    if hasattr(function, "__signature__"):  # written there by somebody, for people
        return
    try:
        signature = inspect.signature(function, follow_wrapped=False)  # type: ignore[arg-type]  # what is none raises
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments, **options)
    except TypeError as problem:
        raise kind(f"{calling}; {_name(function)} cannot be called so: {problem}.") from None


def refuse_unstarted(result: object, channel: str) -> None:
    """Refuse what a function returned, where that is something that nobody here starts.

    Raises
    ------
    PipelineError
        When it is a coroutine, another awaitable, or a generator; nobody here would wait for it.
    """
    if inspect.iscoroutine(result) or inspect.isgenerator(result):
        result.close()
    elif not (inspect.isasyncgen(result) or inspect.isawaitable(result)):
        return
    kind = "a function with yield" if inspect.isgenerator(result) else "an async function"
    raise PipelineError(
        f"What was called returned a {type(result).__name__}, which nobody here waits for: it is {kind}, or hands on "
        f"what one returns. {_instead(channel, kind)}"
    )


def _instead(channel: str, kind: str) -> str:
    if "yield" in kind and "async" not in kind:
        return "Write it without yield, and keep what it gathers in a list or a queue."
    return f"In a coroutine, write: async for message in feed.listen({channel!r}): …"


def refuse_unusable(node: Stream, channel: str) -> None:
    """Refuse a node whose function cannot work, and have what functions return looked at.

    Raises
    ------
    PipelineError
        When it is no function, or one that would never run.
    """
    name = "predicate" if isinstance(node, core.filter) else "key" if isinstance(node, core.unique) else "func"
    if not isinstance(node, (core.filter, core.unique, sinks.sink, *_TRANSFORMING)) or not hasattr(node, name):
        return  # another node, or one of somebody's own making
    function, called = getattr(node, name), type(node).__name__
    if not callable(function) or isinstance(function, _column_type()):
        raise PipelineError(
            f"{called}() takes a function, which is called with each batch, and not {_what(function)}. {_for(called)}"
        )
    transforming = isinstance(node, _TRANSFORMING)
    if not transforming or not inspect.isgeneratorfunction(_plain(function)):  # a later node may take what that gives
        refuse_function(channel, function)
    if type(node) in _CALLING:
        given = (None, None) if isinstance(node, core.accumulate) else (None, *getattr(node, "args", ()))
        refuse_arity(function, _CALLING[type(node)], given, getattr(node, "kwargs", {}))
    if not isinstance(node, sinks.sink) and not hasattr(function, "__looked_at__"):
        setattr(node, name, _looked_at(function, channel))


def _looked_at(function: Callable[..., Any], channel: str) -> Callable[..., Any]:
    """Return a function that raises where `function` returns a coroutine, which no later node would await.

    To a filter a coroutine is true, whatever it would have come to.
    """

    # Not all that `wraps` copies: the parameters of its type are of the class itself where a class is the function.
    @functools.wraps(function, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def look(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        if inspect.isasyncgen(result) or inspect.isawaitable(result):
            refuse_unstarted(result, channel)
        return result

    if not hasattr(function, "__name__"):
        look.__name__ = type(function).__name__  # by which streamz calls the node
    look.__looked_at__ = True  # type: ignore[attr-defined]  # a node that is moved is not wrapped twice
    return look


def _plain(function: Any) -> Any:
    """Return what is called in the end: the function of a partial, the ``__call__`` of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return getattr(type(function), "__call__", function)  # noqa: B004  # its own text is wanted, not whether it is there


def unstarted_kind(function: Any) -> str | None:
    """Return what a function is of which a call runs nothing yet, such as an async one; None where a call runs it."""
    plain = _plain(function)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(plain):
        return "an async function"
    if inspect.isasyncgenfunction(plain):
        return "an async function with yield"
    return "a function with yield" if inspect.isgeneratorfunction(plain) else None


def _name(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def _column_type() -> type:
    import polars as pl  # noqa: PLC0415  # polars loads when it is needed

    return type(pl.col)  # pl.col can be called, but makes a column of a name and nothing of a batch


def _what(function: object) -> str:
    import polars as pl  # noqa: PLC0415  # as above

    if isinstance(function, (pl.Expr, _column_type())):
        return "a polars expression"
    named = function is None or isinstance(function, (int, float, str))
    return shown(function) if named else type(function).__name__


def _for(called: str) -> str:
    if called == "filter":
        return (
            "To keep some rows of each frame, write .map(lambda df: df.filter(pl.col('count') > 100)); "
            "filter(function) passes or holds back a whole batch."
        )
    if called == "unique":
        return "For example .unique(key=lambda df: df.height)."
    if called == "sink":
        return "For example .sink(print), or .sink(rows.append) with a list."
    if called == "accumulate":
        return "For example .accumulate(lambda total, df: total + df.height, start=0)."
    return "For example .map(lambda df: df.with_columns(cost=pl.col('yes_price') * pl.col('count')))."
