"""Names by which other libraries call what a handle has by another: whoever writes one is told the name here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from kalshi_nb._redaction import Secret
from kalshi_nb._usage import meant
from kalshi_nb.errors import NoSuchAttributeError, UsageError

__all__ = [
    "Named",
    "corrected",
    "corrected_in_secret",
    "corrected_methods",
    "elsewhere",
    "named_elsewhere",
    "no_argument",
    "not_gone_through",
]

_ORDERS: Final = "no orders are placed here; keep another client for that, beside this one"
_DEPTH: Final = ".depth(n) by levels, .depth_within(0.05) by dollars"
_PLACE: Final = 'the place stands first and alone: connect("demo"), or an address'
_STATUS: Final = 'feed.orders().latest(), and .filter(pl.col("status") == "resting") of it'
_AS_DICT: Final = "its fields as a dictionary are msgspec.structs.asdict(message)"
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
        "to_dataframe": "its polars DataFrame is .df; of pandas .to_pandas()",
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
        "to_dataframe": "its levels as a polars DataFrame are .depth(10)",
        "yes": '.levels("yes")',
    },
    "Feed": {
        "balance": "a balance is not asked for; the account is feed.positions(), feed.fills() and feed.orders()",
        "cancel_order": _ORDERS,
        "candlesticks": 'feed.candles(market_ticker, "1h", since="7d")',
        "create_order": _ORDERS,
        "is_connected": 'feed.state == "connected"',
        "latency_ms": "feed.health().lag_p50 and .lag_p99, in seconds",
        "messages_received": "feed.health().messages",
        "orderbook": "feed.book(market_ticker)",
        "orderbook_snapshot": "feed.book(market_ticker)",
        "place_order": _ORDERS,
        "portfolio": "feed.positions(), feed.fills() and feed.orders()",
        "reconnect_count": "feed.health().reconnects",
        "run_forever": "feed.run(), until Ctrl-C",
        "seconds_since_last_message": "feed.health().ages, by channel",
        "start": "what connect() returns is running",
        "status": "feed.state in a word, feed.health() in full",
        "stop": "feed.close()",
        "subscribe": "asking is subscribing: feed.trades(market_ticker), feed.frame(channel), feed.on(channel)",
        "ticker": "feed.tickers(market_ticker)",
        "unsubscribe": "closing is unsubscribing: close() of the frame, the book or the pipeline",
    },
    "Fill": {
        "action": "whether it bought or sold is .outcome_side, and .book_side",
        "created_time": ".ts",
        "price": ".yes_price",
        "side": ".outcome_side and .book_side",
        "ticker": ".market_ticker",
    },
    "MarketPosition": {"market_exposure": ".position_cost", "ticker": ".market_ticker", "total_traded": ".volume"},
    "Ticker": {
        "last_price": ".price",
        "no_ask": "a NO ask is one dollar less .yes_bid",
        "no_bid": "a NO bid is one dollar less .yes_ask",
        "ticker": ".market_ticker",
    },
    "Trade": {
        "created_time": ".ts",
        "price": ".yes_price",
        "quantity": ".count",
        "side": ".taker_outcome_side",
        "size": ".count",
        "taker_side": ".taker_outcome_side",
        "ticker": ".market_ticker",
    },
    "UserOrder": {"created_time": ".created_ts", "ticker": ".market_ticker"},
    "Rest": {
        "history": "await asyncio.to_thread(kalshi_nb.history, where, market_ticker)",
        "live_candles": "feed.live_candles(…) by await asyncio.to_thread(feed.live_candles, market_ticker)",
        "orders": "feed.orders(), feed.fills() and feed.positions() begin with what there is",
        "trades": "feed.trades(…, since=…) by await asyncio.to_thread(feed.trades, market_ticker, since='2h')",
    },
    "Health": {"lag": ".lag_p50 and .lag_p99", "status": ".state"},
    "kalshi_nb": {
        "Action": _ORDERS,
        "AsyncFeed": "await kn.connect_async(…), and async for over feed.listen(channel)",
        "CandlestickPeriod": 'feed.candles(market_ticker, "1h", since="7d"); "1m", "1h" and "1d" there are',
        "Client": "kn.connect(…)",
        "InsufficientFundsError": _ORDERS,
        "KalshiAPIError": "what REST answers with an error is kn.errors.RestError, and all of ours kn.KalshiError",
        "KalshiAuth": "kn.connect(…), with key_id= and private_key=, or KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH",
        "KalshiClient": "kn.connect(…)",
        "KalshiWebSocket": "kn.connect(…)",
        "MarketStatus": 'feed.markets(series, status="open"), in words',
        "OrderStatus": _STATUS,
        "OrderRejectedError": _ORDERS,
        "Orderbook": "feed.book(market_ticker)",
        "OrderbookManager": "feed.book(market_ticker)",
        "ResourceNotFoundError": "kn.errors.RestNotFoundError",
        "Side": _ORDERS,
    },
    # A channel, in place of which a name of something else may stand.
    "channel": {
        "error": "errors are raised by the call that meets them; later ones are in feed.health() and the log",
    },
    # Arguments of one call; what many calls have alike is below.
    "connect": {"base_url": _PLACE, "demo": _PLACE, "env": _PLACE, "environment": _PLACE, "url": _PLACE},
    "orders": {"status": _STATUS},
    # What any message may be asked for.
    "message": {"dict": _AS_DICT, "model_dump": _AS_DICT, "to_dict": _AS_DICT},
}
"""What to write instead, by kind of handle and by name."""


def elsewhere(kind: str, name: str) -> str:
    """Return what to write in place of a name of another library's; nothing where it is none."""
    names = _NAMES.get(kind, {})
    verb, _, what = name.partition("_")
    if verb in ("subscribe", "unsubscribe") and what:
        return names.get(verb, "")
    return names.get(name) or (names.get(what, "") if verb == "get" else "")


def not_gone_through(_feed: object) -> NoReturn:
    """Say what to go through in place of a whole feed: its ``__aiter__``."""
    raise UsageError(
        "A feed has many channels, and each is gone through by itself: async for message in feed.listen('trade'). For "
        "several at once @feed.on('trade') and @feed.on('ticker') above functions, or a task each."
    )


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
    ("start", "begin", "beginning", "since", "start_time", "start_ts"),
    ("end", "until", "stop", "end_time", "end_ts"),
    ("channel", "name", "topic"),
    ("key_id", "api_key_id", "api_key", "key"),
    ("private_key", "private_key_path", "key_path", "key_file", "pem"),
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

    return _in_place_of(function, call)


def corrected_in_secret(function: Function) -> Function:
    """Do as `corrected` says for a function that may be given keys: nothing that a traceback shows has them."""
    explain, secret = _explained, Secret

    def call(*given: Any, **named: Any) -> Any:
        held, count, names = secret((given, named)), len(given), dict.fromkeys(named)
        del given, named
        told = explain(function, [None] * count, names)
        if told is not None:
            raise told
        return function(*held.reveal()[0], **held.reveal()[1])

    return _in_place_of(function, call)


def _in_place_of(function: Function, call: Callable[..., Any]) -> Function:
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
    taken = _taken(signature)
    is_open = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    by_place = [each.name for each in taken if each.kind is each.POSITIONAL_OR_KEYWORD]
    words = given[1:] if "self" in signature.parameters else given
    unknown = next((each for each in named if each not in {other.name for other in taken}), None)
    if unknown is not None and not is_open:
        return no_argument(function, unknown)
    twice = next((each for each in by_place[: len(words)] if each in named), None)
    if twice is not None:
        return UsageError(f"{call} was given {twice} twice: by its place, and by its name.")
    if len(words) > len(by_place):
        return UsageError(f"{call} {_by_name(call[:-1], words, by_place, taken)}.")
    there = {*by_place[: len(words)], *named}
    missing = next(each.name for each in taken if each.default is each.empty and each.name not in there)
    return UsageError(f"{call} needs {missing}=…; it takes {_listed(taken)}.")


def no_argument(function: Callable[..., Any], name: str) -> UsageError:
    """Return what to raise where a function is given an argument that it does not have."""
    call, taken = getattr(function, "__name__", "it"), _taken(inspect.signature(function))
    instead = elsewhere(call.removesuffix("_async"), name)
    told = f": {instead}." if instead else f".{_meant(name, taken)}"
    return UsageError(f"{call}() has no argument {name!r}{told} It takes {_listed(taken)}.")


def _taken(signature: inspect.Signature) -> list[inspect.Parameter]:
    return [
        each
        for each in signature.parameters.values()
        if each.name != "self" and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]


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
