"""The display thread: every widget update of the process is sent from here, at a bounded rate.

ipykernel opens a socket for each thread that sends, and keeps it: a program that updated widgets from
whatever thread had news would run out of file descriptors. jupyter_server drops messages of *all* kinds,
printed ones too, above 1000 a second a kernel. So one thread sends for all, in rounds a tenth of a second
apart. In a round each view is asked once, and the round ends after 30 messages; the next one begins with the
view this one did not come to. Both bounds, ten messages a second a view and 300 a process, follow from that
without counting anything.

A round that sent nothing bounds nothing. So after one the next begins as soon as a view is told that there may be
news: the first change after a quiet spell is shown at once.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb._threads import set_role
from kalshi_nb._widgets.pacing import ROUND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Closable", "Display", "View", "display", "stop"]

HURRY_SECONDS: Final = 0.01
"""Pause before a round that is hurried: news may be of markets that nobody looks at."""

MESSAGES_A_ROUND: Final = 30
"""A process sends at most 300 messages a second, a third of what jupyter_server lets through."""

ERRORS_IN_A_ROW: Final = 10
"""A view that raises this often in a row is asked no more."""

_log = logging.getLogger("kalshi_nb.display")


class View(Protocol):
    """Something that the display thread keeps up to date."""

    def refresh(self) -> bool:
        """Send one message if there is news; say whether one was sent. Called on the display thread."""
        ...

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, once and from any thread, when there may be news; called on the display thread.

        A view that may not send yet has nothing called: it is asked again in the next round.
        """
        ...


class Closable(Protocol):
    """A widget, as far as the display thread closes it."""

    def close(self) -> None:
        """Close the widget's model, here and in the browser."""
        ...


class Display:
    """One thread, ``kalshi-display``, that refreshes the views it knows.

    Views are held weakly: dropping the last reference to one ends its updates. The thread starts with the
    first view and sleeps without a timeout while there is none.

    Attributes
    ----------
    last_error : Exception or None
        What a view raised last, without its traceback: that would keep the view alive. The traceback goes to
        the log ``kalshi_nb.display`` at level DEBUG; a warning would be printed into whichever cell runs.
    errors : int
        How often a view has raised.
    """

    # Three kinds of callers meet here. A cell's thread makes a view, registers it, and may close it. The display
    # thread alone asks views and closes widgets, and alone changes `_views` and `_retired`, so neither needs a lock;
    # the others leave it commands, and read at most a length. And a finalizer runs on whichever thread dropped the
    # last reference, or happened to collect garbage: amid a round, within another `put`, with any lock held. So what
    # it calls, `retire`, takes no lock and never waits: `SimpleQueue.put` is made to be entered again. `register`,
    # which no finalizer calls, may lock, and first leaves its command: were the thread just being stopped, `_starting`
    # holds the caller until that is done, and the next thread finds the command in the same queue. A view closed
    # while it is being refreshed sends that one message; its widget is closed after it, by the same thread.

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._commands: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        # Each view with its errors in a row; the first is asked next.
        self._views: OrderedDict[weakref.ref[View], int] = OrderedDict()
        self._retired: deque[Closable] = deque()
        self._thread: threading.Thread | None = None
        self._next_round = 0.0
        self._hurried_round = 0.0
        self.last_error: Exception | None = None
        self.errors = 0

    def __repr__(self) -> str:
        state = "running" if self.is_running else "not running"
        return f"Display({state}, views={self.view_count}, errors={self.errors})"

    @property
    def view_count(self) -> int:
        """How many views are kept up to date."""
        return len(self._views)

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def register(self, view: View) -> None:
        """Keep `view` up to date from the next round on, for as long as somebody else holds it.

        Parameters
        ----------
        view : View
            Asked once a round; held weakly.
        """
        reference = _reference(view)
        self._commands.put(lambda: self._views.setdefault(reference, 0))
        self._start()

    def unregister(self, view: View) -> None:
        """Ask `view` no more; a refresh that is under way ends first.

        Parameters
        ----------
        view : View
            One that was registered, or not: then nothing happens.
        """
        reference = _reference(view)
        self._commands.put(lambda: self._views.pop(reference, None))

    def retire(self, widget: Closable) -> None:
        """Close `widget` on the display thread, soon. Safe in a finalizer, on any thread.

        Parameters
        ----------
        widget : Closable
            Held until it is closed.
        """
        self._commands.put(lambda: self._retired.append(widget))

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread; the next view to register starts it again.

        Parameters
        ----------
        timeout : float
            Seconds to wait for its end, at most. On the display thread itself nothing is waited for.
        """
        with self._starting:  # a view that registers meanwhile starts the next thread
            thread = self._thread
            if thread is None or not thread.is_alive():
                return
            self._commands.put(None)
            if thread is not threading.current_thread():
                thread.join(timeout)

    def restart_in_child(self) -> None:
        """Forget everything, in a child just forked: the views and their sockets are the parent's."""
        self._starting = threading.Lock()
        self._begin_empty()

    def _start(self) -> None:
        with self._starting:
            if not self.is_running:
                self._thread = threading.Thread(target=self._run, name="kalshi-display", daemon=True)
                self._thread.start()

    def hurry(self) -> None:
        """Begin the next round at once where the last one sent nothing; callable from any thread, never waits."""
        self._commands.put(self._hurry)

    def _hurry(self) -> None:
        self._next_round = min(self._next_round, self._hurried_round)

    def _run(self) -> None:
        set_role("display")
        self._next_round = time.monotonic()
        while self._take_commands():
            sent = self._round()
            now = time.monotonic()
            self._next_round = now + ROUND_SECONDS
            self._hurried_round = self._next_round if sent else now + HURRY_SECONDS

    def _take_commands(self) -> bool:
        """Carry out commands until it is time for a round; false says that there will be none."""
        while True:
            idle = not self._views and not self._retired
            remaining = self._next_round - time.monotonic()
            if remaining <= 0 and not idle:
                return True
            try:
                command = self._commands.get(timeout=None if idle else remaining)
            except Empty:
                return True
            if command is None:
                return False
            command()

    def _round(self) -> int:
        """Close what is to be closed and ask the views, up to the bound; return how many messages were sent."""
        sent = 0
        while self._retired and sent < MESSAGES_A_ROUND:
            self._close(self._retired.popleft())
            sent += 1
        for reference in list(self._views):
            if sent >= MESSAGES_A_ROUND:
                break
            sent += self._ask(reference)
        return sent

    def _ask(self, reference: weakref.ref[View]) -> int:
        """Refresh one view and put it behind the others; return how many messages that may have been."""
        view = reference()
        if view is None:
            del self._views[reference]
            return 0
        self._views.move_to_end(reference)
        try:
            view.watch(self.hurry)  # first, so that what changes after the look is told
            sent = view.refresh()
        except Exception as error:  # noqa: BLE001  # a view may raise anything, and the others must go on
            self._note(error)
            failed = getattr(view, "failed", None)  # where somebody counts what his own views raise
            if failed is not None:
                failed(error)
            self._views[reference] += 1
            if self._views[reference] >= ERRORS_IN_A_ROW:
                del self._views[reference]
            return 1
        self._views[reference] = 0
        return int(sent)

    def _close(self, widget: Closable) -> None:
        try:
            widget.close()
        except Exception as error:  # noqa: BLE001  # the socket may be gone already; the thread goes on
            self._note(error)

    def _note(self, error: Exception) -> None:
        _log.debug("A view could not be refreshed or closed.", exc_info=error)
        _forget_frames(error)
        self.errors += 1
        self.last_error = error


def _reference(view: View) -> weakref.ref[View]:
    """Return a reference that can be a key even where its view is gone before the display thread sees it."""
    reference = weakref.ref(view)
    hash(reference)  # It keeps the view's hash from now on; asked first when the view is gone, it would raise.
    return reference


def _forget_frames(error: BaseException) -> None:
    """Drop the tracebacks of `error` and of those behind it."""
    remaining: list[BaseException | None] = [error]
    seen: set[int] = set()
    while remaining:
        link = remaining.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = None
            remaining += [link.__cause__, link.__context__]


display: Final = Display()
"""The process's one."""


def stop() -> None:
    """End the process's display thread; done at interpreter exit."""
    display.stop()


atexit.register(stop)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=display.restart_in_child)
