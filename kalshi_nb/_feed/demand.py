"""What the handles of a feed want of the exchange: checked, counted, and released once."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from kalshi_nb._engine.port import Engine, Interest, LadderReading
from kalshi_nb._feed.handles import Ending
from kalshi_nb._foreign_names import elsewhere
from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import BOOKS, QUOTES, REFERENCE_FEEDS, ROWS, source_of, traits_of
from kalshi_nb._rows.tickers import no_ticker
from kalshi_nb._rows.wanted import ALL, All, Params, Wanted
from kalshi_nb._rows.words import MARKETS, Words
from kalshi_nb._usage import iterated, meant, whole
from kalshi_nb.errors import ConfigurationError, LinkError, MarketTickerError, UnknownChannelError

__all__ = [
    "Demand",
    "Held",
    "MarketTickers",
    "check_books",
    "check_channel",
    "check_subjects",
    "check_ticker",
    "check_tickers",
    "rfq_params",
]

SUBSCRIBE_TIMEOUT: Final = 10.0
_MOST_SHARDS: Final = 100

MarketTickers = str | Iterable[str] | None


def check_channel(channel: object) -> None:
    """Refuse what is no channel.

    Raises
    ------
    UnknownChannelError
        The message lists the channels there are, and names the nearest.
    """
    if callable(channel):
        raise UnknownChannelError(
            "A function stands where the channel goes. Name the channel first: @feed.on('trade') above the function's "
            "definition, feed.on('trade')(function), or feed.stream('trade').map(function)."
        )
    if isinstance(channel, (list, tuple, set, frozenset)):
        raise UnknownChannelError(
            f"Several channels stand where one goes: {', '.join(map(shown, channel))}. Ask once for each, in a call "
            "of its own."
        )
    if not isinstance(channel, str) or channel not in ROWS:
        instead = elsewhere("channel", channel) if isinstance(channel, str) else ""
        near = meant(channel.casefold(), ROWS) if isinstance(channel, str) else ""
        told = f": {instead}." if instead else f".{near}"
        raise UnknownChannelError(
            f"There is no channel {shown(channel)}{told} There are {', '.join(map(repr, ROWS))}."
        )


def check_tickers(market_tickers: object, channel: str | None = None) -> frozenset[str] | None:
    """Return one or several market tickers (index ids, underlying tickers) as a set, None for None.

    Raises
    ------
    MarketTickerError
        When one is empty or not a string, there is none at all, or the channel has nothing to choose from.
    """
    if market_tickers is None:
        return None
    known = None if channel is None else traits_of(channel)
    if known is not None and known.subject is None:
        raise MarketTickerError(f"{channel} is about no market; leave the argument out to take everything.")
    word = MARKETS if known is None else known.words
    found = {_checked(each, word) for each in _several(market_tickers, word)}
    if word.every in found:
        raise MarketTickerError(
            f"Leave the argument out to take all {word.several}, instead of naming {word.every!r}."
        )
    if not found:
        raise MarketTickerError(
            f"The list of {word.one}s is empty; leave the argument out to take all {word.several}."
        )
    return frozenset(found)


def check_subjects(channel: str, market_tickers: object) -> frozenset[str] | None:
    """Return what a channel is asked about as a set, None for all of it; the errors are those of both checks."""
    check_channel(channel)
    return check_tickers(market_tickers, channel)


def check_ticker(market_ticker: object, doing: str, instead: str) -> str:
    """Return one market's ticker.

    Raises
    ------
    MarketTickerError
        When it is empty or no text; `doing` is what takes it, such as ``"book()"``, `instead` what takes several.
    """
    if not isinstance(market_ticker, str) or not market_ticker.strip():
        raise MarketTickerError(
            f"{doing} takes one market's ticker as text, such as 'KXHIGHNY-26NOV22-B52.5', not "
            f"{shown(market_ticker)}; {instead}"
        )
    return _checked(market_ticker, MARKETS)


def check_books(market_tickers: object) -> frozenset[str]:
    """Return the tickers of one or several markets as a set.

    Raises
    ------
    MarketTickerError
        When one is empty or not a string, or there is none.
    """
    several = [] if market_tickers is None else list(_several(market_tickers, MARKETS))
    if not several or (isinstance(several[0], str) and several == [""]):
        raise MarketTickerError(
            "books() needs the tickers of markets, since the exchange has no channel of all books: "
            "books(['KXHIGHNY-26NOV22-B52.5', …])."
        )
    return check_tickers(several) or frozenset()


def _several(market_tickers: object, word: Words) -> Iterator[object]:
    """Return what goes through one text, or all that something has: a list, a column, an array."""
    if word is MARKETS:
        _refuse_holder(market_tickers)
    found = iterated(market_tickers)
    if found is None:
        _refuse_function(market_tickers, word)
        raise MarketTickerError(
            f"A{word.article} {word.one} is text such as {word.example!r}, not {type(market_tickers).__name__}."
        )
    return found


def _checked(market_ticker: object, word: Words) -> str:
    if not isinstance(market_ticker, str):
        raise MarketTickerError(
            f"A{word.article} {word.one} is text such as {word.example!r}, not {shown(market_ticker)}."
        )
    bare = market_ticker.strip()
    if not bare:
        raise MarketTickerError(
            f"A{word.article} {word.one} is empty; leave the argument out to take all {word.several}."
        )
    problem = no_ticker(bare, word)
    if problem:
        raise MarketTickerError(problem)
    return bare


def _refuse_holder(market_tickers: object) -> None:
    """Say how to take the tickers out of what has some: a frame of the markets, a book, a picker."""
    kind = type(market_tickers)
    column = {"DataFrame": "frame['market_ticker']", "LazyFrame": "frame.collect()['market_ticker']"}.get(
        kind.__name__
    )
    if column is not None:  # of polars or pandas; what goes through one are columns, or their names
        raise MarketTickerError(
            f"A {kind.__name__} stands where market tickers go; pass its column of them, {column}."
        )
    for name in ("market_tickers", "market_ticker"):
        if hasattr(kind, name):
            raise MarketTickerError(f"A {kind.__name__} stands where market tickers go; pass its .{name}.")


def _refuse_function(market_tickers: object, word: Words) -> None:
    if callable(market_tickers):
        raise MarketTickerError(
            f"A function stands where the {word.one}s go. It comes after the call, feed.on(channel)(function) or "
            "feed.stream(channel).map(function), or below it as a definition with @feed.on(channel) above."
        )


def rfq_params(user_filter: object, shard_factor: object, shard_key: object) -> Params:
    """Return the parameters of ``communications``, refused where the exchange would refuse them."""
    if user_filter is not None and not (isinstance(user_filter, str) and user_filter == "self"):
        raise ConfigurationError(
            f"user_filter is {shown(user_filter)}; pass 'self' for your own requests, or leave it out."
        )
    params: list[tuple[str, str | int]] = [] if user_filter is None else [("user_filter", "self")]
    if shard_factor is None and shard_key is None:
        return tuple(params)
    advice = f"say into how many parts to cut the channel, 1 to {_MOST_SHARDS}"
    parts = whole("shard_factor", shard_factor, advice, most=_MOST_SHARDS)
    params.append(("shard_factor", parts))
    if shard_key is not None:
        last = parts - 1
        key = whole("shard_key", shard_key, f"pass which part to take, 0 to {last}", least=0, most=last)
        params.append(("shard_key", key))
    return tuple(params)


class Held:
    """An interest that a handle holds, to be released once.

    Parameters
    ----------
    interest : Interest
        What is wanted.
    release : Ending
        Releases it.
    """

    def __init__(self, interest: Interest, release: Ending) -> None:
        self._interest = interest
        self._release = release

    @property
    def connections(self) -> frozenset[int]:
        """The numbers, from 1, of the connections that it comes over."""
        return self._interest.connections

    @property
    def params(self) -> Params:
        """What else the exchange was told, by whoever wanted the channel first."""
        return self._interest.wanted.params if isinstance(self._interest.wanted, All) else ()

    def release(self) -> None:
        """Want it no more; idempotent."""
        self._release()


class _Since(NamedTuple):
    """What somebody wants of a channel, None until the exchange has taken it, and when he asked, in microseconds.

    `is_views` where a view wants it for itself alone.
    """

    at: int
    wanted: Wanted | None
    is_views: bool = False


class Demand:
    """What the handles of a feed want of the engine, checked and counted.

    Parameters
    ----------
    engine : Engine
        What passes it on.

    Attributes
    ----------
    when_idle : callable or None
        Called when nothing is wanted any more, on whatever thread that happens, maybe in a finalizer.
    """

    def __init__(self, engine: Engine) -> None:
        self.when_idle: Callable[[], None] | None = None
        self._engine = engine
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        # What is wanted of each channel, once the exchange has taken it, and since when.
        self._interests: defaultdict[str, dict[object, _Since]] = defaultdict(dict)
        self._params: dict[str, Params] = {}
        self._seen_by_views: set[str] = set()
        self._asked: Counter[str] = Counter()

    def of_views_alone(self, channel: str) -> frozenset[str]:
        """Return the markets of which views alone want a channel: None, which is the feed's books, is not these.

        A market stays among them when its view goes: rows of it may be on their way.
        """
        if not self._seen_by_views or source_of(channel) != BOOKS:
            return frozenset()
        with self._lock:
            return frozenset(each for each in self._seen_by_views if not self._asked[each])

    def channels(self) -> set[str]:
        """Return the channels of which somebody wants something."""
        return {channel for channel, found in list(self._interests.items()) if found}

    def books(self) -> list[str]:
        """Return the markets that somebody named whose books, or what is made from them, are wanted."""
        found = list(self._interests[BOOKS].values())  # copied at once: others come and go
        return sorted({ticker for each in found if isinstance(each.wanted, frozenset) for ticker in each.wanted})

    def rows(
        self,
        channel: str,
        tickers: frozenset[str] | None,
        params: Params = (),
        *,
        are_taken: bool = True,
        is_views: bool = False,
    ) -> Held:
        """Want the rows of some markets.

        None is all markets, whatever else is wanted. Only of books, and of what is made from them, it is those that
        the feed keeps for others: the exchange has no channel of all books. Quotes are wanted by their books. `params`
        is what else to tell the exchange; without any, those hold that others gave. Whoever hears the messages
        themselves, as a recorder does, has no rows made: nobody would take them. What a view wants for itself
        (`is_views`) is nothing that the feed keeps for others.

        Raises
        ------
        ConfigurationError
            When others want the channel with other parameters: there is one subscription a channel.
        MarketTickerError
            When None would be the books that the feed keeps, and it keeps none.
        """
        source = source_of(channel)
        if tickers is None and source == BOOKS and not self.keeps_books():
            raise MarketTickerError(
                "Name the markets: the exchange has no channel of all books. For instance "
                f"{'quotes' if channel == QUOTES else 'deltas'}('KXHIGHNY-26NOV22-B52.5'); "
                "or open books first, and take those that the feed keeps."
            )
        with self._lock:
            wanted = self._wanted(source, tickers, params)
            reserved = self._reserved(source, [wanted], is_views=is_views)
        (held,) = self._held(source, [wanted], reserved, rows=channel if are_taken else None)
        return held

    def ladders(self, tickers: list[str], *, is_views: bool = False) -> list[tuple[LadderReading, Held]]:
        """Want the books of some markets, asked for together, each of them released by itself."""
        wanted = [frozenset({each}) for each in tickers]
        held = self._held(BOOKS, wanted, self._reserved(BOOKS, wanted, is_views=is_views), rows=None)
        found = [(self._engine.ladder(ticker), each) for ticker, each in zip(tickers, held, strict=True)]
        for ladder, each in found:
            if ladder is None:
                each.release()
        return [(ladder, each) for ladder, each in found if ladder is not None]

    def catalog(self, channel: str) -> list[str]:
        """Ask a reference feed what it has.

        Raises
        ------
        UnknownChannelError
            When there is no such channel.
        ConfigurationError
            When it is no reference feed.
        LinkError
            When there is no connection to ask by.
        """
        check_channel(channel)
        if channel not in REFERENCE_FEEDS:
            raise ConfigurationError(
                f"{channel} has no list of what there is; these have one: {', '.join(REFERENCE_FEEDS)}."
            )
        catalog = self._engine.catalog(channel, SUBSCRIBE_TIMEOUT)
        if catalog is None:
            raise LinkError(
                f"There is no connection to ask {channel} by just now. Look at feed.health(), and ask again once it "
                "says connected."
            )
        return catalog

    def since(self, channel: str, market_ticker: str) -> int | None:
        """Return since when a market's rows have been wanted by somebody who still does; None where nobody does.

        Microseconds of the market's time. What was heard before may be over, and nobody heard of that.
        """
        found = list(self._interests.get(channel, {}).values())  # copied at once: others come and go
        return min(
            (
                each.at
                for each in found
                if isinstance(each.wanted, All) or (each.wanted is not None and market_ticker in each.wanted)
            ),
            default=None,
        )

    def wanted(self, channel: str) -> frozenset[str] | None:
        """Return what somebody wants of a channel: the markets, None for all of them."""
        found = [each.wanted for each in list(self._interests.get(channel, {}).values()) if each.wanted is not None]
        if any(isinstance(each, All) for each in found):
            return None
        return frozenset().union(*(each for each in found if isinstance(each, frozenset)))

    def keeps_books(self) -> bool:
        """Tell whether somebody named markets whose books he wants, and not for a view alone."""
        found = list(self._interests[BOOKS].values())  # copied at once: others come and go
        return any(isinstance(each.wanted, frozenset) and each.wanted and not each.is_views for each in found)

    def _wanted(self, channel: str, tickers: frozenset[str] | None, params: Params) -> Wanted:
        agreed = self._agreed(channel, params)
        if agreed:
            return All(agreed)  # on channels that take no list of markets
        if tickers is None:
            return frozenset() if channel == BOOKS else ALL
        return tickers

    def _reserved(self, channel: str, wanted: Sequence[Wanted], *, is_views: bool) -> dict[object, Ending]:
        """Write down that something is wanted, before the exchange is asked, which may take seconds.

        So whoever asks meanwhile sees it; that it names markets is written down when the exchange has taken it, since
        it may refuse.
        """
        interests = self._interests[channel]
        reserved = {}
        for each in wanted:
            token = object()
            ending = Ending([partial(self._forget, interests, token)])
            if channel == BOOKS and isinstance(each, frozenset):
                self._count_books(each, ending, is_views=is_views)
            interests[token] = _Since(self._engine.clock.now_us(), None, is_views)
            reserved[token] = ending
        return reserved

    def _forget(self, interests: dict[object, _Since], token: object) -> None:
        interests.pop(token, None)
        if self.when_idle is not None and not self.channels():
            self.when_idle()

    def _count_books(self, tickers: frozenset[str], ending: Ending, *, is_views: bool) -> None:
        """Take note of whose books these are from now on: rows may come before the exchange has said yes."""
        with self._lock:
            if is_views:
                self._seen_by_views |= tickers
            else:
                self._asked.update(tickers)
                ending.add(partial(self._let_go, tickers))

    def _let_go(self, tickers: frozenset[str]) -> None:
        with self._lock:
            self._asked -= Counter(tickers)

    def _held(
        self, channel: str, wanted: Sequence[Wanted], reserved: dict[object, Ending], *, rows: str | None
    ) -> list[Held]:
        """Ask the engine, and return what holds each of its interests."""
        try:
            found = self._engine.want(channel, wanted, rows=rows, timeout=SUBSCRIBE_TIMEOUT)
            for interest, ending in zip(found, reserved.values(), strict=True):
                ending.add(partial(self._engine.release, interest))
            for token, each in zip(reserved, wanted, strict=True):
                self._interests[channel][token] = self._interests[channel][token]._replace(wanted=each)
        except BaseException:
            for ending in reserved.values():
                ending()
            raise
        return [Held(interest, ending) for interest, ending in zip(found, reserved.values(), strict=True)]

    def _agreed(self, channel: str, params: Params) -> Params:
        """Return the parameters that all who want a channel share."""
        if not self._interests[channel]:
            self._params[channel] = params
        agreed = self._params.get(channel, ())
        if params and params != agreed:
            known = ", ".join(f"{name}={value!r}" for name, value in agreed) or "no such parameters"
            raise ConfigurationError(
                f"The feed receives {channel} with {known}, and has one subscription a channel. Close what uses it "
                "first, or open another feed with connect(…, new=True)."
            )
        return agreed
