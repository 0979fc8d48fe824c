"""One's own account from its beginning: what the socket does not tell, since it was before anybody listened.

The socket tells of changes. How orders and positions stand, and what was filled, is fetched over REST as soon as the
subscription is there, and again after a gap. So nothing is missed in between, and what is told twice is there once: a
frame takes of what was fetched what it has not (:mod:`kalshi_nb._frames.late`).

**One moment.** An answer of the exchange and a message of its socket overtake each other. What changed within the last
two seconds before an answer may be on its way as a message: it is held back for half a second, so that the message,
which says more, comes first. Under a clock that is moved by hand nothing is on its way, and nothing is held back.

**Threads.** Each question is asked on a thread of its own, whose rows go the way of all rows (`Engine.put`). Whoever
opens a frame waits for that, ten seconds at most; then the frame lives from what comes, the question goes on, and
`told` says so. What cannot be had just now is asked for again every half minute, as long as the feed lives.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._logging import log
from kalshi_nb._offload import offloaded
from kalshi_nb._rest.portfolio import FILLS, ORDERS, POSITIONS, FetchedRows, Portfolio, flat, of
from kalshi_nb._rows.channels import traits_of
from kalshi_nb._rows.gaps import GapRow
from kalshi_nb._threads import role
from kalshi_nb.errors import (
    AccountWarning,
    CredentialsError,
    KalshiError,
    RestCredentialsError,
    RestNotFoundError,
    RestRequestError,
)

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._rest.client import RestClient
    from kalshi_nb._rows.rows import Row
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["ACCOUNT", "Account"]

ACCOUNT: Final = (FILLS, ORDERS, POSITIONS)
"""The channels of which there is something before one listens."""

_SECOND: Final = 1_000_000
_PATIENCE: Final = 10.0
_AGAIN: Final = 30.0
_LOOK: Final = 0.05
_FRESH: Final = 2 * _SECOND
_HELD: Final = 0.5
_MARGIN: Final = 60 * _SECOND
"""Before a gap, what may be told late, and two clocks that are not set alike."""
_MOST: Final = 100_000
"""Rows of one kind that are fetched at once, the newest: as many as a window has unless it is told."""
_FOR_GOOD: Final = (RestCredentialsError, RestRequestError, RestNotFoundError, CredentialsError)
"""What another try does not change."""
_NO_ACCOUNT: Final = "there is no account over REST at this address; kalshi_nb.connect('sim') has one"


class _Question:
    """Something that is asked for until it is answered.

    Attributes
    ----------
    since : int or None
        When that began which may have been missed, in microseconds of the market's time; None for everything.
    tried : threading.Event
        Set when it was answered, or not, for the first time.
    is_whole : bool
        Whether the answer says all of what may have been missed.
    """

    def __init__(self, channel: str, ticker: str | None, since: int | None) -> None:
        self.channel = channel
        self.ticker = ticker
        self.since = since
        self.tried = threading.Event()
        self.is_whole = True


class Account:
    """Fetches what of one's own a feed's frames lack.

    Parameters
    ----------
    engine : Engine
        Brings the rows to the frames.
    standing : FeedStanding
        Tells whether the feed is over.
    client : RestClient or None
        Asks; None where there is nobody to ask, as in a recording: then all begins with what comes.
    """

    def __init__(self, engine: Engine, standing: FeedStanding, client: RestClient | None) -> None:
        self._engine = engine
        self._standing = standing
        self._portfolio = None if client is None else Portfolio(client, engine.clock.now_us)
        self._lock = threading.Lock()
        self._questions: dict[tuple[str, str | None, bool], _Question] = {}
        self._troubles: dict[str, str] = {}
        self._has_warned = False
        self._bring: Callable[[float], object] = lambda _: None
        self._frames_of: Callable[[str], Sequence[FrameSource]] = lambda _: ()

    def serve(self, bring: Callable[[float], object], frames_of: Callable[[str], Sequence[FrameSource]]) -> None:
        """Take up how rows are brought to frames, and which frames of a channel there are."""
        self._bring, self._frames_of = bring, frames_of

    def begin(self, channel: str, market_tickers: frozenset[str] | None) -> None:
        """Have a frame that was opened just now begin with what there is; wait for that, ten seconds at most.

        Where it cannot be had nothing is raised: the frame has what comes. On the main thread that is warned of, once.
        """
        if self._portfolio is None or channel not in ACCOUNT:
            return
        ticker = next(iter(market_tickers)) if market_tickers is not None and len(market_tickers) == 1 else None
        question = self._ask(channel, ticker, None)
        if not question.tried.wait(_PATIENCE):
            self._trouble(channel, f"the exchange has not answered within {_PATIENCE:g} s, and is asked on")
        if self._troubles.get(channel) and not self._has_warned and _is_in_a_cell():
            self._has_warned = True
            warnings.warn(f"{self._said(channel)}.", AccountWarning, stacklevel=frames_inside())

    def hear(self, channel: str, rows: Sequence[Row]) -> None:
        """Look through rows of a channel for gaps, and have what may have been missed fetched; waits for nothing."""
        gaps = [row.opened_at for row in rows if isinstance(row, GapRow)]
        if gaps and self._portfolio is not None and channel in ACCOUNT and self._frames_of(channel):
            self._ask(channel, None, min(gaps))

    def told(self) -> Iterator[str]:
        """Say what could not be fetched, a sentence each."""
        yield from (self._said(channel) for channel in list(self._troubles))

    def _said(self, channel: str) -> str:
        return (
            f"{traits_of(channel).title}: only what has changed since they were asked for is known; what was before "
            f"could not be fetched ({self._troubles.get(channel, '').rstrip('.')})"
        )

    # Asking -------------------------------------------------------------------------------------------

    def _ask(self, channel: str, ticker: str | None, since: int | None) -> _Question:
        """Begin to ask, or have what is asked for already reach back so far."""
        key = (channel, ticker, since is None)
        with self._lock:
            question = self._questions.get(key)
            if question is not None:
                if since is not None and question.since is not None:
                    question.since = min(question.since, since)
                return question
            question = self._questions[key] = _Question(channel, ticker, since)
        offloaded(lambda: self._go_on(key, question), "kalshi-rest")
        return question

    def _go_on(self, key: tuple[str, str | None, bool], question: _Question) -> None:
        try:
            while not self._is_answered(key, question) and self._pause(_AGAIN):
                pass
        finally:
            with self._lock:
                if self._questions.get(key) is question:
                    del self._questions[key]
            question.tried.set()

    def _is_answered(self, key: tuple[str, str | None, bool], question: _Question) -> bool:
        """Ask once; return whether there is nothing more to ask."""
        channel = question.channel
        try:
            if not self._is_heard(channel):
                return True
            with self._lock:
                # From here on it is asked anew: what is missed from now on is another question.
                self._questions.pop(key, None)
            began = self._engine.steady()
            self._fetch(question)
            self._repaired(question, began)
            self._troubles.pop(channel, None)
        except KalshiError as problem:
            if self._is_over():
                return True
            self._trouble(channel, _NO_ACCOUNT if isinstance(problem, RestNotFoundError) else str(problem))
            with self._lock:
                is_asked = self._questions.setdefault(key, question) is not question
            return is_asked or isinstance(problem, _FOR_GOOD)
        else:
            return True
        finally:
            question.tried.set()

    def _is_heard(self, channel: str) -> bool:
        """Wait until the exchange tells of changes, so that none is missed; return False where it never will."""
        # Whoever asks while a connection is lost has a gap from the beginning.
        while self._engine.state == "connecting" or self._is_open(channel):
            if not self._pause(_LOOK):
                return False
        return True

    def _is_open(self, channel: str) -> bool:
        return any(gap.channel == channel and gap.closed_at is None for gap in self._engine.gaps.snapshot())

    def _pause(self, seconds: float) -> bool:
        """Wait, and return whether the feed still lives."""
        until = time.monotonic() + seconds
        while not self._is_over():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _LOOK))
        return False

    def _is_over(self) -> bool:
        return bool(self._standing.word) or self._engine.state == "closed"

    def _trouble(self, channel: str, text: str) -> None:
        is_news = channel not in self._troubles
        self._troubles[channel] = text
        if is_news:
            log(logging.WARNING, self._said(channel))

    # Fetching -----------------------------------------------------------------------------------------

    def _fetch(self, question: _Question) -> None:
        channel = question.channel
        held: list[Row] = []
        is_manual = self._engine.is_manual
        try:
            for rows, at in self._pages(question):
                fresh = [] if is_manual else [row for row in rows if of(row, channel, "ts") >= at - _FRESH]
                held += fresh
                self._put(channel, [row for row in rows if row not in fresh] if fresh else rows)
        finally:  # what came before a page that did not is right
            if held and self._pause(_HELD):
                self._put(channel, held)
            self._bring(_PATIENCE)

    def _put(self, channel: str, rows: Sequence[Row]) -> None:
        if rows:
            self._engine.put(channel, rows)

    def _pages(self, question: _Question) -> Iterator[FetchedRows]:
        if question.channel == POSITIONS:
            return self._positions(question.ticker)
        since = None if question.since is None else question.since - self._margin()
        if question.channel == FILLS:
            assert self._portfolio is not None
            return _up_to(_MOST, self._portfolio.fills(question.ticker, since))
        return self._orders(question, since)

    def _margin(self) -> int:
        return _MARGIN + round(max(0.0, self._engine.status().clock_skew or 0.0) * _SECOND)

    def _orders(self, question: _Question, since: int | None) -> Iterator[FetchedRows]:
        """Yield all that rest, and of those that ended the ones that frames have to know."""
        assert self._portfolio is not None
        ticker = question.ticker
        known = set() if since is None else self._known(ORDERS, "order_id", lambda row: row["status"] == "resting")
        for page in self._portfolio.orders(ticker, "resting"):
            known -= {of(row, ORDERS, "order_id") for row in page.rows}
            yield page
        ended = [
            *(self._portfolio.orders(ticker, status, since) for status in ("executed", "canceled")),
            self._portfolio.moved_orders(ticker, since),
        ]
        for pages in ended:
            for page in _up_to(_MOST, pages):
                known -= {of(row, ORDERS, "order_id") for row in page.rows}
                yield page
        for order_id in sorted(known):  # older ones that ended in a gap
            found = self._portfolio.order(order_id)
            question.is_whole = question.is_whole and bool(found.rows)
            yield found

    def _positions(self, ticker: str | None) -> Iterator[FetchedRows]:
        """Yield all that are held; what frames take for held and is not listed, since it was paid out, is flat."""
        assert self._portfolio is not None
        at = self._engine.clock.now_us()
        known = set() if ticker else self._known(POSITIONS, "market_ticker", lambda row: bool(row["position"]))
        for page in self._portfolio.positions(ticker):
            known -= {of(row, POSITIONS, "market_ticker") for row in page.rows}
            at = page.at
            yield page
        if known:
            yield FetchedRows([flat(each, at) for each in sorted(known)], at)

    def _known(self, channel: str, column: str, is_so: Callable[[dict[str, object]], bool]) -> set[str]:
        """Return what frames take for so."""
        found: set[str] = set()
        for frame in self._frames_of(channel):
            found.update(str(row[column]) for row in frame.latest().iter_rows(named=True) if is_so(row))
        return found

    def _repaired(self, question: _Question, began: int) -> None:
        """Write down of the gaps that were over by then that what they hid is there."""
        if question.since is None or not question.is_whole:
            return
        for gap in self._engine.gaps.snapshot():
            is_over = gap.channel == question.channel and gap.closed is not None and gap.closed <= began
            if is_over and gap.opened_at >= question.since:
                gap.repaired_by = gap.repaired_by or "rest"


def _is_in_a_cell() -> bool:
    return role() is None and threading.current_thread() is threading.main_thread()


def _up_to(most: int, pages: Iterator[FetchedRows]) -> Iterator[FetchedRows]:
    """Yield pages until there are so many rows."""
    rows = 0
    for page in pages:
        yield page
        rows += len(page.rows)
        if rows >= most:
            return
