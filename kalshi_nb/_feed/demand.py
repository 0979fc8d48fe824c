"""What the handles of a feed want of the exchange: checked, counted, and taken back once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final

from kalshi_nb._engine.live import Engine, Wish
from kalshi_nb._rows.channels import BOOKS, QUOTES, ROWS, traits_of
from kalshi_nb._rows.wanted import ALL, All, Params, Wanted
from kalshi_nb._rows.words import MARKETS, Words
from kalshi_nb._session.ladder import Ladder
from kalshi_nb._session.requests import OFFERED
from kalshi_nb.errors import ConfigurationError, LinkError, MarketTickerError, UnknownChannelError

__all__ = ["Closer", "Ending", "MarketTickers", "Wishes", "check_channel", "check_tickers"]

SUBSCRIBE_TIMEOUT: Final = 10.0

MarketTickers = str | Iterable[str] | None
Closer = Callable[[], None]


def check_channel(channel: object) -> None:
    """Refuse what is no channel.

    Raises
    ------
    UnknownChannelError
        The message lists the channels there are, and names the nearest.
    """
    if not isinstance(channel, str) or channel not in ROWS:
        meant = get_close_matches(channel.casefold(), ROWS, n=1) if isinstance(channel, str) else []
        told = f" Did you mean {meant[0]!r}?" if meant else ""
        raise UnknownChannelError(f"There is no channel {channel!r}.{told} There are {', '.join(map(repr, ROWS))}.")


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
    if isinstance(market_tickers, str):
        market_tickers = [market_tickers]
    if not isinstance(market_tickers, Iterable):
        raise MarketTickerError(
            f"A{_n(word)} {word.one} is text such as {word.example!r}, not {type(market_tickers).__name__}."
        )
    found = set()
    for each in market_tickers:
        if not isinstance(each, str):
            raise MarketTickerError(f"A{_n(word)} {word.one} is text such as {word.example!r}, not {each!r}.")
        if not each.strip():
            raise MarketTickerError(
                f"A{_n(word)} {word.one} is empty; leave the argument out to take all {word.several}."
            )
        found.add(each.strip())
    if word.every in found:
        raise MarketTickerError(
            f"Leave the argument out to take all {word.several}, instead of naming {word.every!r}."
        )
    if not found:
        raise MarketTickerError(
            f"The list of {word.one}s is empty; leave the argument out to take all {word.several}."
        )
    return frozenset(found)


def _n(word: Words) -> str:
    return "n" if word.one[0] in "aeiou" else ""


class Ending:
    """What is to be undone when a handle ends, whichever of the two becomes known first.

    A handle is attached before its rows are asked for, so that it misses none; so it may end before the wish
    that it would take back is there.
    """

    def __init__(self) -> None:
        self._closers: list[Closer] | None = []
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread

    def add(self, close: Closer) -> None:
        """Have `close` called at the end; at once when that has come."""
        with self._lock:
            if self._closers is not None:
                self._closers.append(close)
                return
        close()

    def __call__(self) -> None:
        with self._lock:
            closers, self._closers = self._closers or [], None
        for close in closers:
            close()


class Wishes:
    """Counts who wants which channel, so that the last one to leave ends it.

    Parameters
    ----------
    engine : Engine
        What passes the wishes on.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()  # a finalizer may run in the middle of it, on the same thread
        self._wishes: Counter[str] = Counter()
        self._everything: Counter[str] = Counter()
        self._params: dict[str, Params] = {}

    def rows(self, channel: str, tickers: frozenset[str] | None, params: Params = ()) -> Closer:
        """Want the rows of some markets, and return what takes the wish back.

        None takes what the channel receives for others; where nobody named any market, it is all markets.
        Quotes are wanted by their books. `params` is what else to tell the exchange; without any, those hold
        that others gave.

        Raises
        ------
        ConfigurationError
            When others want the channel with other parameters: there is one subscription a channel.
        """
        source = traits_of(channel).source or channel
        wanted = self._wanted(source, tickers, self._agreed(source, params))
        if isinstance(wanted, All) and source == BOOKS:
            raise MarketTickerError(
                "Name the markets: the exchange has no channel of all books. For instance "
                f"{'quotes' if channel == QUOTES else 'deltas'}('KXHIGHNY-26NOV22-B52.5'); "
                "or open books first, and take what comes for them."
            )
        return self._closer(self._engine.want(source, wanted, listen=channel, timeout=SUBSCRIBE_TIMEOUT))

    def _agreed(self, channel: str, params: Params) -> Params:
        """Return the parameters that all wishes for a channel share."""
        with self._lock:
            if not self._wishes[channel]:
                self._params[channel] = params
            agreed = self._params.get(channel, ())
        if params and params != agreed:
            told = ", ".join(f"{name}={value!r}" for name, value in agreed) or "no such parameters"
            raise ConfigurationError(
                f"The feed receives {channel} with {told}, and has one subscription a channel. Close what uses it "
                "first, or open another feed with connect(…, new=True)."
            )
        return agreed

    def _wanted(self, channel: str, tickers: frozenset[str] | None, params: Params) -> Wanted:
        if params:
            return All(params)  # on channels that take no list of markets
        named = self._wishes[channel] > self._everything[channel]
        return tickers if tickers is not None else frozenset() if named else ALL

    def offered(self, channel: str) -> list[str]:
        """Ask a reference feed what there is, and let it go again.

        Raises
        ------
        LinkError
            When there is no connection to ask by.
        """
        wish = self._engine.want(channel, frozenset(), listen=OFFERED, timeout=SUBSCRIBE_TIMEOUT)
        offered = wish.parts[0].request.offered
        self._engine.release(wish)
        if offered is None:
            raise LinkError(
                f"There is no connection to ask {channel} by just now. Look at feed.health(), and ask again once it "
                "says connected."
            )
        return list(offered)

    def ladders(self, tickers: list[str]) -> list[tuple[Ladder, Closer]]:
        """Want the books of some markets, asked for together, each of them taken back by itself."""
        wanted = [frozenset({each}) for each in tickers]
        wishes = self._engine.want_each(BOOKS, wanted, timeout=SUBSCRIBE_TIMEOUT)
        found = []
        for ticker, wish in zip(tickers, wishes, strict=True):
            ladder = self._engine.ladder(ticker)
            assert ladder is not None
            found.append((ladder, self._closer(wish)))
        return found

    def _closer(self, wish: Wish) -> Closer:
        channel = wish.channel
        with self._lock:
            self._wishes[channel] += 1
            self._everything[channel] += isinstance(wish.wanted, All)
        held = [wish]

        def close() -> None:
            with self._lock:
                if not held:
                    return
                held.clear()
                self._wishes[channel] -= 1
                self._everything[channel] -= isinstance(wish.wanted, All)
            self._engine.release(wish)

        return close
