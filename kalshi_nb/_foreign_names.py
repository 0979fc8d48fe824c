"""Names by which other libraries call what a handle has by another: whoever writes one is told the name here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from kalshi_nb._usage import meant
from kalshi_nb.errors import NoSuchAttributeError, UsageError

__all__ = ["Named", "corrected", "corrected_methods", "elsewhere", "named_elsewhere"]

_ORDERS: Final = "no orders are placed here; keep another client for that, beside this one"
_DEPTH: Final = ".depth(n) by levels, .depth_within(0.05) by dollars"
_SWEEP: Final = "the levels to add up are .depth(99); kn.show(book, total=True) has what it costs to sweep each"

Kind = TypeVar("Kind")
Function = TypeVar("Function", bound=Callable[..., Any])

_NAMES: Final[dict[str, dict[str, str]]] = {
    "Frame": {
        "data": "its polars DataFrame is .df",
        "groupby": ".df.group_by(…)",
        "last": "the last row of each market is .latest(), the last of all .df.tail(1)",
        "ohlcv": 'candles of a feed are feed.stream("trade").bars("1m").rolling_frame().df',
        "to_csv": ".write_csv(path)",
        "to_parquet": ".write_parquet(path)",
    },
    "Book": {
        "ask": "the best prices are .top.ask and .top.bid",
        "apply": "a feed keeps its books; feed.on('orderbook_delta', market_ticker) hears of each change",
        "ask_depth": _DEPTH,
        "asks": "the levels of both sides are .depth(10)",
        "bid": "the best prices are .top.bid and .top.ask",
        "bid_depth": _DEPTH,
        "bids": "the levels of both sides are .depth(10)",
        "cost_to_buy": _SWEEP,
        "cost_to_sell": _SWEEP,
        "df": "its levels as a polars DataFrame are .depth(10)",
        "no": '.levels("no")',
        "ready": '.status == "live"',
        "yes": '.levels("yes")',
    },
    "Feed": {
        "balance": "a balance is not asked for; the account is feed.positions(), feed.fills() and feed.orders()",
        "cancel_order": _ORDERS,
        "candlesticks": 'feed.candles(market_ticker, "1h", since="7d")',
        "create_order": _ORDERS,
        "is_connected": 'feed.state == "connected"',
        "latency_ms": "feed.health().lag_p50 and .lag_p99, in seconds",
        "orderbook": "feed.book(market_ticker)",
        "place_order": _ORDERS,
        "portfolio": "feed.positions(), feed.fills() and feed.orders()",
        "reconnect_count": "feed.health().reconnects",
        "start": "what connect() returns is running",
        "status": "feed.state in a word, feed.health() in full",
        "stop": "feed.close()",
        "subscribe": "asking is subscribing: feed.trades(market_ticker), feed.frame(channel), feed.on(channel)",
        "ticker": "feed.tickers(market_ticker)",
        "unsubscribe": "closing is unsubscribing: close() of the frame, the book or the pipeline",
    },
    "Health": {"lag": ".lag_p50 and .lag_p99", "status": ".state"},
    "kalshi_nb": {
        "AsyncFeed": "await kn.connect_async(…), and async for over feed.listen(channel)",
        "Client": "kn.connect(…)",
        "KalshiAuth": "kn.connect(…), with key_id= and private_key=, or KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH",
        "KalshiClient": "kn.connect(…)",
        "KalshiWebSocket": "kn.connect(…)",
        "Orderbook": "feed.book(market_ticker)",
        "OrderbookManager": "feed.book(market_ticker)",
    },
}
"""What to write instead, by kind of handle and by name."""


def elsewhere(kind: str, name: str) -> str:
    """Return what to write in place of a name of another library's; nothing where it is none."""
    names = _NAMES.get(kind, {})
    verb, _, what = name.partition("_")
    if verb in ("subscribe", "unsubscribe") and what:
        return names.get(verb, "")
    return names.get(name) or (names.get(what, "") if verb == "get" else "")


def named_elsewhere(handle: object, name: str) -> NoReturn:
    """Say what to write where a handle is asked for a name that it does not have: its ``__getattr__``."""
    kind = type(handle).__name__
    if name.startswith("_"):
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")
    instead = elsewhere(kind, name)
    known = (each for each in dir(type(handle)) if not each.startswith("_"))
    told = f": {instead}." if instead else f".{meant(name, known)}"
    raise NoSuchAttributeError(f"A {kind} has no {name!r}{told}")


class Named:
    """A handle that says what to write where it is asked for a name that it does not have."""

    if not TYPE_CHECKING:  # to a type checker no name is there but those that are
        __getattr__ = named_elsewhere


# Arguments ------------------------------------------------------------------------------------------------------

_ALIKE: Final[tuple[tuple[str, ...], ...]] = (
    ("market_tickers", "market_ticker", "tickers", "ticker", "markets", "market", "symbols", "symbol", "contract"),
    ("rows", "limit", "maxlen", "max_rows", "n", "size", "window"),
    ("seconds", "duration", "max_age", "age", "span", "window"),
    ("every", "interval", "freq", "frequency", "step", "period", "bars"),
    ("value", "column", "col", "field"),
    ("levels", "depth", "rows", "n"),
    ("event_ticker", "event"),
    ("channel", "name", "topic"),
)
"""Words for one thing: of each line whichever a call takes is what is meant by the others."""


def corrected(function: Function) -> Function:
    """Have a function say in the kit's own words which argument is meant, where Python would say that there is none.

    What else it raises goes through as it is. It is for functions that are given no secrets: what stands for them
    holds their arguments, which a traceback may show.
    """
    explain = _explained

    def call(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except TypeError:
            told = explain(function, given, named)
            if told is None:
                raise
            raise told from None

    # In the module of what it stands for: by that, doctest knows whose examples it has to run.
    module = getattr(function, "__globals__", {})
    made = FunctionType(call.__code__, module, call.__name__, None, call.__closure__)
    made.__kwdefaults__ = call.__kwdefaults__
    return cast("Function", functools.wraps(function)(made))


def corrected_methods(kind: type[Kind]) -> type[Kind]:
    """Have all public methods of a class do as `corrected` says."""
    for name, method in list(vars(kind).items()):
        if not name.startswith("_") and isinstance(method, FunctionType):
            setattr(kind, name, corrected(method))
    return kind


def _explained(function: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any]) -> UsageError | None:
    """Return what to raise where arguments do not fit; None where they do, and something else was amiss."""
    signature = inspect.signature(function)
    try:
        signature.bind(*given, **named)
    except TypeError:
        pass
    else:
        return None
    call = f"{getattr(function, '__name__', 'it')}()"
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    taken = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    by_place = [each.name for each in taken if each.kind is each.POSITIONAL_OR_KEYWORD]
    words = given[1:] if "self" in signature.parameters else given
    unknown = next((each for each in named if each not in {other.name for other in taken}), None)
    if unknown is not None:
        return UsageError(f"{call} has no argument {unknown!r}.{_meant(unknown, taken)} It takes {_listed(taken)}.")
    twice = next((each for each in by_place[: len(words)] if each in named), None)
    if twice is not None:
        return UsageError(f"{call} was given {twice} twice: by its place, and by its name.")
    if len(words) > len(by_place):
        return UsageError(f"{call} {_by_name(call[:-1], words, by_place, taken)}.")
    there = {*by_place[: len(words)], *named}
    missing = next(each.name for each in taken if each.default is each.empty and each.name not in there)
    return UsageError(f"{call} needs {missing}=…; it takes {_listed(taken)}.")


def _by_name(call: str, words: Sequence[Any], by_place: Sequence[str], taken: Sequence[inspect.Parameter]) -> str:
    """Say what to write where there are more arguments without a name than there are places."""
    if by_place[:1] == ["market_tickers"] and all(isinstance(each, str) for each in words):
        return f"takes several markets as one list: {call}[…])"
    others = [each.name for each in taken if each.kind is each.KEYWORD_ONLY]
    places = f"takes only {', '.join(by_place)} without a name" if by_place else "takes nothing without a name"
    if not others:
        return places
    written = ", ".join([*["…"] * len(by_place), f"{others[0]}=…"])
    return f"{places}, so write {call}{written}){'; it takes ' if others[1:] else ''}{_and(others[1:])}"


def _meant(word: str, taken: Sequence[inspect.Parameter]) -> str:
    known = [each.name for each in taken]
    for alike in _ALIKE:
        found = next((each for each in alike if each in known), None)
        if word in alike and found is not None:
            return f" Did you mean {found!r}?"
    return meant(word, known)


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names)}, too" if names else ""


def _listed(taken: Sequence[inspect.Parameter]) -> str:
    return ", ".join(each.name for each in taken) or "none"
