"""The feeds of this process, so that a cell can be run again and nothing outlives the interpreter.

A feed takes seconds to open, where the other end does not answer, and seconds to close. The lock is never held
meanwhile: whoever opens one reserves its key, lets go of the lock, and dials; whoever asks for the same key waits for
that and looks again; whoever asks for another waits for nobody. A feed that is being closed is out of the registry
from its first step on.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from kalshi_nb._feed.feed import Feed
from kalshi_nb._feed.handles import Reservation
from kalshi_nb._feed.remains import Remains
from kalshi_nb.errors import FeedClosedError

if TYPE_CHECKING:
    from kalshi_nb.sim import Exchange

__all__ = ["Registry", "registry"]


class Registry:
    """Feeds by address and key, and those that were made beside them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._feeds: dict[object, Feed] = {}
        self._unnamed: weakref.WeakSet[Feed] = weakref.WeakSet()
        self._remains: list[Remains] = []
        self._opening: dict[object, Reservation] = {}
        self._dialed: dict[object, Exchange | None] = {}
        self._retiring: dict[int, threading.Event] = {}
        self._shared: weakref.WeakSet[Feed] = weakref.WeakSet()

    def get(
        self,
        key: object,
        exchange: Exchange | None,
        make: Callable[[], Feed],
        *,
        embedded: bool = False,
        is_given_up: Callable[[], bool] = lambda: False,
    ) -> Feed | None:
        """Return the feed of a key, made where there is none; None where the simulated exchange ends just now.

        Parameters
        ----------
        key : object
            Address and key; an object of its own for a feed that nobody else is to get.
        exchange : Exchange or None
            The simulated exchange that `make` would dial.
        make : callable
            Opens the feed; what it raises goes to its caller.
        embedded : bool
            Whether the kit started that exchange by itself, and closes it when nobody uses it.
        is_given_up : callable
            Tells whether nobody waits for the feed any more: then it is not waited for others, either.
        """
        while True:
            mine = Reservation(Registry.get)
            with self._lock:
                found = self._feeds.get(key)
                if found is not None and found.state not in ("closed", "refused"):
                    self._shared.add(found)
                    return found
                retiring = self._retiring.get(id(exchange))
                opening = self._opening.get(key)
                if opening is not None and opening.is_void:
                    opening = None
                if retiring is None and opening is None:
                    self._opening[key] = mine
                    self._dialed[key] = exchange
            if retiring is not None:
                retiring.wait()
                return None
            if opening is None:
                return self._make(key, mine, make, instead_of=found, embedded=embedded)
            opening.wait(is_given_up)
            if is_given_up():
                raise FeedClosedError("Nobody waits for this connection any more.")

    def _make(
        self, key: object, mine: Reservation, make: Callable[[], Feed], *, instead_of: Feed | None, embedded: bool
    ) -> Feed:
        feed = None
        try:
            if instead_of is not None and instead_of.state == "refused":
                instead_of.close()  # its threads are still there; of one that is closed somebody else takes care
            feed = make()
            with self._lock:
                if type(key) is object:
                    self._unnamed.add(feed)
                else:
                    self._feeds[key] = feed
            _close_first()
            return feed
        finally:
            exchange = None
            with self._lock:
                if self._opening.get(key) is mine:
                    del self._opening[key]
                    exchange = self._dialed.pop(key, None)
            mine.over.set()
            if feed is None and embedded:
                self.retire(exchange)

    def drop(self, feed: Feed, *, embedded: bool) -> None:
        """Forget a feed that was closed, and close the exchange that was started for it once nobody uses that.

        Parameters
        ----------
        feed : Feed
            The feed.
        embedded : bool
            Whether the kit started its simulated exchange by itself.
        """
        with self._lock:
            self._feeds = {key: each for key, each in self._feeds.items() if each is not feed}
            self._unnamed.discard(feed)
        if embedded:
            self.retire(feed.exchange)

    def give_back(self, feed: Feed) -> bool:
        """Forget a feed that its maker does not want any more; False where somebody else has got it, too."""
        with self._lock:
            if feed in self._shared:
                return False
            self._feeds = {key: each for key, each in self._feeds.items() if each is not feed}
            self._unnamed.discard(feed)
            return True

    def retire(self, exchange: Exchange | None) -> None:
        """Close a simulated exchange that nobody uses; whoever asks for it meanwhile waits, and gets another."""
        retiring = threading.Event()
        with self._lock:
            if exchange is None or self._uses(exchange):
                return
            self._retiring[id(exchange)] = retiring
        try:
            exchange.close()
        finally:
            with self._lock:
                self._retiring.pop(id(exchange), None)
            retiring.set()

    def _uses(self, exchange: Exchange) -> bool:
        return (
            any(
                each.exchange is exchange and each.state not in ("closed", "refused")
                for each in [*self._feeds.values(), *self._unnamed]
            )
            or any(each.exchange is exchange and not each.is_over for each in self._remains)
            or any(each is exchange for each in self._dialed.values())
        )

    def tend(self, remains: Remains) -> None:
        """End what is left of a feed that nobody holds, or have that done once nobody has anything of it any more."""
        remains.leave(partial(_tend_to, remains))  # first, so that who lets go of it now is not missed
        with self._lock:
            is_over = not remains.is_wanted
            self._remains = [each for each in self._remains if each is not remains]
            if not is_over:
                self._remains.append(remains)
        if is_over:
            remains.end()
            if remains.embedded:
                self.retire(remains.exchange)

    def feeds(self) -> list[Feed]:
        """Return all feeds."""
        with self._lock:
            return [*self._feeds.values(), *self._unnamed]

    def close(self) -> None:
        """Close every feed, at the interpreter's end."""
        for feed in self.feeds():
            feed.close()
        for each in self._remains:
            each.end()

    def forget(self) -> None:
        """Begin empty in a forked child: the threads stayed with the parent."""
        self.__init__()  # type: ignore[misc]  # the parent may have held the lock at the moment of the fork


def closed_for_sure(close: Callable[[], Any]) -> None:
    """Close what must not be left behind, and wait for it; a second Ctrl-C ends the waiting, not the closing."""
    closing = threading.Thread(target=close, name="kalshi-closing", daemon=True)
    closing.start()
    closing.join()


def opened(feed: Feed, timeout: float, *, embedded: bool = False) -> Feed:
    """Open a feed and return it; whatever happens before somebody has it, nothing of it is left behind.

    Nor is it once nobody holds it any more, nor anything of it; the registry holds those that a call can ask for
    again. `embedded` says that the kit started its simulated exchange by itself.

    Ctrl-C may come between any two steps. The feed is armed before its threads start: left by an exception, it is
    closed here; dropped at a moment when even that was not reached, it is closed by the garbage collector, which finds
    that nobody holds it.
    """
    remains = feed._remains()  # noqa: SLF001  # the feed's own makers
    remains.embedded = embedded
    dropped = weakref.finalize(feed, _tend_to, remains)
    dropped.atexit = False
    is_open = False
    try:
        feed._open(timeout)  # noqa: SLF001  # as above
        is_open = True
        return feed
    finally:
        if not is_open:
            closed_for_sure(feed.close)


def _tend_to(remains: Remains) -> None:
    if not remains.is_over:
        # The collector may run on any thread, amid anything: so this is done elsewhere, and nobody waits for it.
        threading.Thread(target=registry.tend, args=(remains,), name="kalshi-closing", daemon=True).start()


def _close_first() -> None:
    """Have feeds closed before whatever is there by now, at the interpreter's end.

    What was registered last is called first, and the hook of the simulated exchange is younger than this module. A
    feed whose exchange is closed first would take that for an outage.
    """
    atexit.unregister(registry.close)
    atexit.register(registry.close)


registry = Registry()
atexit.register(registry.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=registry.forget)
