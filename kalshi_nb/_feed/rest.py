"""The questions that go over REST, for code that awaits."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeAlias

from kalshi_nb._foreign_names import Named
from kalshi_nb._offload import off_loop

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Rest"]

Question: TypeAlias = "Callable[..., Coroutine[Any, Any, pl.DataFrame]]"
"""With the signature of the feed's own method, which ``help()`` shows; no type checker knows it."""


class Rest(Named):
    """What a feed asks its exchange over REST, without holding up the event loop that awaits it.

    Each is the feed's own method of that name, with its arguments, its frame and its errors; it runs on a thread of
    its own, and so does a `progress` that is passed. A task that is cancelled does not wait any longer; a long walk
    ends at its next page.

    >>> import asyncio
    >>> import kalshi_nb as kn
    >>> feed = kn.connect("sim")
    >>> async def found():
    ...     return await feed.rest.markets("KXHIGHNY")
    >>> asyncio.run(found()).height
    6
    >>> feed.close()

    Parameters
    ----------
    feed : Feed
        Whose questions these are.

    Attributes
    ----------
    series, events, markets, market, search, candles, verify_books : callable
        As those of :class:`kalshi_nb.Feed`, to be awaited.
    """

    __slots__ = ("candles", "events", "market", "markets", "search", "series", "verify_books")

    series: Question
    events: Question
    markets: Question
    market: Question
    search: Question
    candles: Question
    verify_books: Question

    def __init__(self, feed: Any) -> None:
        for name in self.__slots__:
            setattr(self, name, _awaited(getattr(feed, name)))

    def __repr__(self) -> str:
        return f"<{', '.join(sorted(self.__slots__))}: as the feed's own, to be awaited>"


class _GivenUpError(Exception):
    """Nobody waits any more."""


def _awaited(question: Callable[..., pl.DataFrame]) -> Question:
    """Return what asks the same, and is awaited."""
    is_long = "progress" in inspect.signature(question).parameters

    @wraps(question)
    async def ask(*arguments: Any, **options: Any) -> pl.DataFrame:
        from kalshi_nb._rest.discovery import check_progress  # noqa: PLC0415  # it needs polars

        is_given_up = threading.Event()
        if is_long:
            check_progress(options.get("progress"))
            options["progress"] = _ending(options.get("progress"), is_given_up)
        try:
            return await off_loop(partial(question, *arguments, **options), "kalshi-asking")
        except asyncio.CancelledError:
            is_given_up.set()
            raise

    return ask


def _ending(progress: Any, is_given_up: threading.Event) -> Callable[[int, Any], None]:
    """Return what passes progress on, and ends the walk that it tells of once that is given up."""

    def told(rows: int, reached: Any) -> None:
        if is_given_up.is_set():
            raise _GivenUpError
        if progress is not None:
            progress(rows, reached)

    return told
