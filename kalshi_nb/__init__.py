"""Live Kalshi markets as polars frames and widgets in a notebook.

>>> import kalshi_nb as kn
>>> feed = kn.connect("sim")            # a simulated exchange: no key, no network
>>> trades = feed.trades()              # a rolling polars frame of all trades
>>> trades.wait(rows=1).df.height > 0
True
>>> feed.close()

================================================  ==========================================================
to begin with                                     what it is
================================================  ==========================================================
``connect``, ``connect_async``, ``doctor``        a feed of ``"sim"``, ``"demo"`` or ``"prod"``; why there is none
``Feed``                                          ``trades() tickers() quotes() deltas() book() books()``,
                                                  ``fills() orders() positions()``, ``search() markets() candles()``,
                                                  ``stream() messages() on() listen() when()``,
                                                  ``dashboard() board() event()``, ``gaps health() record()``
``Frame``, ``Book``, ``Books``, ``Top``           rolling rows (``.df``, ``.wait(rows=1)``), and order books
``Pipeline``, ``Gap``, ``Health``, ``Report``     what is attached, what was missed, how it is doing
``markets``, ``history``, ``candles``             over REST, without a feed and without a key
``open_recording``, ``replay``, ``open_export``   what ``feed.record()`` kept
``show``, ``options``                             views
``errors``, ``messages``, ``sim``                 modules: all errors, all messages, a simulated exchange
================================================  ==========================================================

``help(kn.Feed.trades)`` and the like say the rest; every module that begins with ``_`` is internal.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kalshi_nb import errors, messages, sim
    from kalshi_nb._feed.book import Book, Top
    from kalshi_nb._feed.books import Books
    from kalshi_nb._feed.connect import connect, connect_async
    from kalshi_nb._feed.doctor import Report, doctor
    from kalshi_nb._feed.feed import Feed
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._feed.health import Health
    from kalshi_nb._feed.nested_asyncio import nested_asyncio
    from kalshi_nb._feed.public_data import candles, history, markets
    from kalshi_nb._feed.replay import replay
    from kalshi_nb._messages.gaps import Gap
    from kalshi_nb._recording.exported import open_export
    from kalshi_nb._recording.recording import open_recording
    from kalshi_nb._streams.pipeline import Pipeline
    from kalshi_nb._version import __version__
    from kalshi_nb._widgets.options import options
    from kalshi_nb._widgets.showing import show
    from kalshi_nb.errors import KalshiError, KalshiWarning

__all__ = [
    "Book",
    "Books",
    "Feed",
    "Frame",
    "Gap",
    "Health",
    "KalshiError",
    "KalshiWarning",
    "Pipeline",
    "Report",
    "Top",
    "__version__",
    "candles",
    "connect",
    "connect_async",
    "doctor",
    "errors",
    "history",
    "markets",
    "messages",
    "nested_asyncio",
    "open_export",
    "open_recording",
    "options",
    "replay",
    "show",
    "sim",
]

# Loaded when first used, so that importing costs little more than the interpreter's start.
_HOMES: Final = {
    "Book": "_feed.book",
    "Books": "_feed.books",
    "Feed": "_feed.feed",
    "Frame": "_feed.frame",
    "Gap": "_messages.gaps",
    "Health": "_feed.health",
    "KalshiError": "errors",
    "KalshiWarning": "errors",
    "Pipeline": "_streams.pipeline",
    "Report": "_feed.doctor",
    "Top": "_feed.book",
    "__version__": "_version",
    "candles": "_feed.public_data",
    "connect": "_feed.connect",
    "connect_async": "_feed.connect",
    "doctor": "_feed.doctor",
    "history": "_feed.public_data",
    "markets": "_feed.public_data",
    "nested_asyncio": "_feed.nested_asyncio",
    "open_export": "_recording.exported",
    "open_recording": "_recording.recording",
    "options": "_widgets.options",
    "replay": "_feed.replay",
    "show": "_widgets.showing",
}
_MODULES: Final = ("errors", "messages", "sim")


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    elif name.startswith("_"):  # Python itself asks so for a module of ours that it is about to load
        raise AttributeError(f"kalshi_nb has no {name!r}")
    else:
        from kalshi_nb._foreign_names import elsewhere  # noqa: PLC0415  # where somebody erred, and not before

        instead = elsewhere(__name__, name) or _of_a_module(name)
        told = f": {instead}." if instead else f"; it has {', '.join(sorted(__all__))}"
        raise AttributeError(f"kalshi_nb has no {name!r}{told}")
    globals()[name] = value
    return value


def _of_a_module(name: str) -> str:
    """Return where an error, or a kind of message, of this name is to be had here; nothing where it is none."""
    from kalshi_nb import errors  # noqa: PLC0415  # as above

    if hasattr(errors, name):
        return f"kn.errors.{name}"
    message = name.removesuffix("Message")
    if message == name:
        return ""
    from kalshi_nb import messages  # noqa: PLC0415  # as above

    return f"kn.messages.{message}" if hasattr(messages, message) else ""


def __dir__() -> list[str]:
    return sorted(__all__)
