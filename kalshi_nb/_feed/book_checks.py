"""Live books against the exchange's own, over REST: on demand, and every so often.

A kept book is right because no number is missing. Whether that is so in fact only the exchange can say. While it is
asked, each book is followed change by change, from a moment before the question to some moments after the answer: the
answer is right where the book was so at any of them. Where it was not, the exchange is asked once more after its cache
has forgotten, with the book followed all the while. What differs then, too, is wrong: it is a gap (``differs``), and
the book is made anew the way that any gap is repaired.

**Threads.** A check runs on the thread of whoever asks, or on one of its own, one check at a time. The rows come by
`hear`, on whatever thread makes the feed's turns, into lists that it alone appends to.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._durations import Duration, seconds
from kalshi_nb._logging import log
from kalshi_nb._moments import datetime_of
from kalshi_nb._offload import offloaded
from kalshi_nb._rest.orderbooks import MOST_BOOKS, Course, Levels, orderbooks
from kalshi_nb._rows.channels import BOOKS, position
from kalshi_nb._threads import refuse_on
from kalshi_nb.errors import KalshiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.demand import Demand
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._rest.client import RestClient
    from kalshi_nb._rest.discovery import Discovery
    from kalshi_nb._rows.rows import Row

__all__ = ["BookChecks"]

_MARKET: Final = position(BOOKS, "market_ticker")
_CACHE: Final = 16.0
"""Seconds after which the exchange's cache has forgotten an answer."""
_LATER: Final = 1.0
"""Seconds that changes may be on their way when the answer with them is there."""
_BEGINS: Final = 2.0
_LOOK: Final = 0.05
_PATIENCE: Final = 5.0


class _Found(NamedTuple):
    """What came of comparing one book."""

    verdict: str
    checked_at: int
    looks: int
    differing: int | None = None


class BookChecks:
    """Compares the books that a feed keeps.

    Parameters
    ----------
    engine : Engine
        Keeps the books, and makes them anew.
    demand : Demand
        Knows which are wanted.
    standing : FeedStanding
        Tells how the feed stands.
    discovery : Discovery
        Has who asks the exchange.
    """

    def __init__(self, engine: Engine, demand: Demand, standing: FeedStanding, discovery: Discovery) -> None:
        self._engine = engine
        self._demand = demand
        self._standing = standing
        self._discovery = discovery
        self._one_at_a_time = threading.Lock()
        self._courses: dict[str, Course] = {}
        self._wrong: list[tuple[int, str]] = []
        self._trouble = ""
        self._every: object = None
        self._bring: Callable[[float], object] = lambda _: None

    def serve(self, bring: Callable[[float], object]) -> None:
        """Take up how rows are brought here that the engine has."""
        self._bring = bring

    def hear(self, rows: Sequence[Row]) -> None:
        """Take up rows of books, where any is followed."""
        courses = self._courses
        if not courses:
            return
        for row in rows:
            ticker = row[_MARKET] if type(row) is tuple else getattr(row, "market_ticker", None)
            if ticker is not None:
                if ticker in courses:
                    courses[ticker].hear(row)
            elif hasattr(row, "market_ticker"):  # a gap of all
                for course in courses.values():
                    course.hear(row)

    def verify(self, market_tickers: frozenset[str] | None, every: Duration | None) -> pl.DataFrame:
        """Compare some books, all that are kept when None; see :meth:`kalshi_nb.Feed.verify_books`."""
        refuse_on(
            "io", "pipeline", "user", "display", doing="verify_books()", instead="Call it in a cell, or with every="
        )
        ended = self._standing.ended()
        if ended is not None:
            raise ended
        if every is not None:
            pause = seconds("every", every, "give a length of time, such as every='5m'; 0 ends it", or_none=True)
            self._every = None  # what is no length of time ends nothing
            if pause:
                self._every = mark = object()
                offloaded(lambda: self._go_on(market_tickers, pause, mark), "kalshi-rest")
        return _frame(self._checked(self._discovery.client, market_tickers))

    def told(self) -> Iterator[str]:
        """Say which books were wrong, and what keeps the checks from being made, a sentence each."""
        if self._wrong:
            at, ticker = self._wrong[-1]
            yield (
                f"{len(self._wrong)} books were not what the exchange has, and were made anew, {ticker} at "
                f"{datetime_of(at):%Y-%m-%d %H:%M:%S} UTC; they are the rows of feed.gaps with reason differs"
            )
        if self._trouble:
            yield f"books could not be verified: {self._trouble.rstrip('.')}"

    def _go_on(self, market_tickers: frozenset[str] | None, pause: float, mark: object) -> None:
        """Compare every so often, until something else is asked for or the feed ends."""
        until = time.monotonic() + pause
        while self._every is mark and not self._is_over():
            if time.monotonic() < until:
                time.sleep(min(_LOOK, max(0.0, until - time.monotonic())))
                continue
            until = time.monotonic() + pause
            try:
                self._checked(self._discovery.client, market_tickers)
                self._trouble = ""
            except KalshiError as problem:
                self._trouble = "" if self._is_over() else str(problem)

    def _is_over(self) -> bool:
        return bool(self._standing.word) or self._engine.state == "closed"

    # One check ----------------------------------------------------------------------------------------

    def _checked(self, client: RestClient, market_tickers: frozenset[str] | None) -> dict[str, _Found]:
        wanted = sorted(self._demand.books() if market_tickers is None else market_tickers)
        with self._one_at_a_time:
            found: dict[str, _Found] = {}
            for start in range(0, len(wanted), MOST_BOOKS):
                found |= self._compared(client, wanted[start : start + MOST_BOOKS])
            return found

    def _compared(self, client: RestClient, tickers: list[str]) -> dict[str, _Found]:
        """Compare up to a hundred books, those that differ twice."""
        live = [each for each in tickers if self._is_live(each)]
        found = {each: self._not_compared("not live", 0) for each in tickers if each not in live}
        if not live:
            return found
        held = self._demand.rows(BOOKS, frozenset(live), is_views=True)
        try:
            self._courses = {each: Course() for each in live}
            self._engine.tell_books(live)
            self._wait_for(_BEGINS, self._have_begun)
            first = self._look(client, live, 1)
            found |= first
            again = sorted(each for each, one in first.items() if one.verdict == "different")
            if again and self._have_waited():
                second = self._look(client, again, 2)
                found |= second
                self._renew([each for each, one in second.items() if one.verdict == "different"])
            return found
        finally:
            self._courses = {}
            held.release()

    def _look(self, client: RestClient, tickers: list[str], number: int) -> dict[str, _Found]:
        """Ask, and wait until all agree or what was on its way has come."""
        answer = orderbooks(client, tickers, besides=time.time_ns() // 1_000_000 if number > 1 else None)
        self._wait_for(_LATER, lambda: not any(self._differing(each, answer) for each in tickers))
        return {each: self._verdict(each, answer, number) for each in tickers}

    def _differing(self, ticker: str, answer: dict[str, Levels]) -> int | None:
        return None if ticker not in answer else self._courses[ticker].differing(answer[ticker])

    def _verdict(self, ticker: str, answer: dict[str, Levels], number: int) -> _Found:
        if ticker not in answer:
            return self._not_compared("unknown there", number)
        differing = self._differing(ticker, answer)
        if differing is None:
            return self._not_compared("not live", number)
        verdict = "different" if differing else "same"
        return _Found(verdict, self._engine.clock.now_us(), number, differing)

    def _not_compared(self, why: str, number: int) -> _Found:
        return _Found(why, self._engine.clock.now_us(), number)

    def _is_live(self, ticker: str) -> bool:
        ladder = self._engine.ladder(ticker)
        return ladder is not None and ladder.live

    def _have_begun(self) -> bool:
        return all(each.has_begun for each in self._courses.values())

    def _wait_for(self, most: float, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + most
        while True:
            self._bring(_PATIENCE)
            if is_so() or time.monotonic() >= until or self._is_over():
                return
            time.sleep(_LOOK)

    def _have_waited(self) -> bool:
        """Wait until the cache has forgotten; return whether the feed still lives.

        A clock that is moved by hand is the exchange's own, its cache goes by that, and nobody moves it here. There
        the second question is another one, and that has to do.
        """
        until = time.monotonic() + (0.0 if self._engine.is_manual else _CACHE)
        while time.monotonic() < until and not self._is_over():
            time.sleep(_LOOK)
        return not self._is_over()

    def _renew(self, tickers: list[str]) -> None:
        if not tickers:
            return
        at = self._engine.clock.now_us()
        self._wrong += [(at, each) for each in tickers]
        log(logging.WARNING, f"books that were not what the exchange has were made anew: {', '.join(tickers)}")
        self._engine.renew(tickers)


def _frame(found: dict[str, _Found]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  # polars loads when it is needed

    from kalshi_nb._frames.schema import TIME  # noqa: PLC0415  # as above

    names = sorted(found)
    return pl.DataFrame(
        {
            "market_ticker": names,
            "verdict": [found[each].verdict for each in names],
            "differing_levels": [found[each].differing for each in names],
            "looks": [found[each].looks for each in names],
            "checked_at": [found[each].checked_at for each in names],
        },
        schema={
            "market_ticker": pl.String,
            "verdict": pl.String,
            "differing_levels": pl.Int64,
            "looks": pl.Int64,
            "checked_at": pl.Int64,
        },
    ).with_columns(pl.col("checked_at").cast(TIME))
