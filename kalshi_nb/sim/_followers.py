"""Those who want `advance` to wait for them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from kalshi_nb.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kalshi_nb.sim._connection import Connection

__all__ = ["Follower", "Followers"]

_PATIENCE: Final = 10.0
_POLL: Final = 0.0003


class Follower(Protocol):
    """A client in this process that `Exchange.advance` waits for.

    These methods are called from the thread that calls ``advance``, never from the exchange's own. A follower
    may have more: ``may_wait()``, which raises on a thread that must not wait for it; ``hold()`` and ``let_go()``,
    between which it is to make nothing readable but by ``flush``, which is called once a step; and one that has
    several connections has ``has_applied(up_to)`` in place of the first two, which tells whether as many frames have
    been received and applied as the mapping `up_to` says, by the port of each connection of the exchange's. And one
    that has ``learn(at, events, markets)`` is told what events and markets are, as lists of dicts, when it is
    attached and whenever something of it changes; that is called on the exchange's thread, too, and must neither
    wait nor raise.
    """

    def local_port(self) -> int | None:
        """Return the port of the client's socket, by which the exchange knows its connection; None if none."""
        ...

    def frames_received(self) -> int:
        """Return how many data frames of the present connection have been received and applied."""
        ...

    def flush(self, timeout: float) -> None:
        """Return when everything received so far can be read; raise if that takes more than `timeout` seconds."""
        ...


class Followers:
    """The attached followers, and waiting for them.

    Parameters
    ----------
    connections : Mapping of int to Connection
        The exchange's live connections by the port of the client's socket.
    """

    def __init__(self, connections: Mapping[int, Connection]) -> None:
        self._connections = connections
        self._followers: list[Follower] = []
        self._lock = threading.Lock()

    def attach(self, follower: Follower) -> None:
        """Wait for a follower from now on; once, however often it is attached."""
        with self._lock:
            if not any(each is follower for each in self._followers):
                self._followers.append(follower)

    def detach(self, follower: Follower) -> None:
        """Wait for it no more; nothing happens where it is not attached."""
        with self._lock:
            self._followers = [each for each in self._followers if each is not follower]

    def learn(self, at: int, events: list[dict[str, Any]], markets: list[dict[str, Any]]) -> None:
        """Tell those who want to know what events and markets are, by `at` of the exchange's time."""
        for each in self._attached():
            learn = getattr(each, "learn", None)
            if learn is not None:
                learn(at, events, markets)

    def await_applied(self) -> None:
        """Wait until each follower that is connected has applied every frame sent to it."""
        for follower in self._attached():
            deadline = time.monotonic() + _PATIENCE
            while self._lags(follower):
                if not self._is_attached(follower):
                    break
                if time.monotonic() > deadline:
                    raise self._lag_error(follower)
                time.sleep(_POLL)

    def check(self) -> None:
        """Let each follower refuse to be waited for on the present thread."""
        for follower in self._attached():
            check = getattr(follower, "may_wait", None)
            if check is not None:
                check()

    @contextmanager
    def holding(self) -> Iterator[Callable[[], None]]:
        """Have those who can do it make readable what they receive by `flush` alone; yields what flushes these."""
        held: list[Any] = [each for each in self._attached() if hasattr(each, "hold")]
        try:
            for each in held:
                each.hold()
            yield lambda: self._flush(each for each in held if self._is_attached(each))
        finally:
            for each in held:
                each.let_go()

    def flush(self) -> None:
        """Let each follower make readable what it has received."""
        self._flush(self._attached())

    def _flush(self, followers: Iterable[Follower]) -> None:
        for follower in followers:
            try:
                follower.flush(_PATIENCE)
            except TimeoutError as error:
                raise SimulationError(
                    f"{follower!r} has received every frame but not made them readable within "
                    f"{_PATIENCE:.0f} s: {error}. See what its own threads wait for, or detach() it."
                ) from error

    def _attached(self) -> list[Follower]:
        with self._lock:
            return list(self._followers)

    def _is_attached(self, follower: Follower) -> bool:
        return any(each is follower for each in self._attached())

    def _lags(self, follower: Follower) -> bool:
        # Ports and connections are looked up anew each time: a follower may lose its connection meanwhile.
        applied = getattr(follower, "has_applied", None)
        if applied is not None:
            return not applied({port: each.frames_due for port, each in dict(self._connections).items()})
        port = follower.local_port()
        connection = None if port is None else self._connections.get(port)
        return connection is not None and follower.frames_received() < connection.frames_due

    def _lag_error(self, follower: Follower) -> SimulationError:
        if hasattr(follower, "has_applied"):
            return SimulationError(
                f"{follower!r} lags behind: it has not applied all frames sent to it, and {_PATIENCE:.0f} s have "
                "passed. See what its reading thread waits for, advance in smaller steps, or detach() it."
            )
        port = follower.local_port()
        connection = None if port is None else self._connections.get(port)
        sent = 0 if connection is None else connection.frames_sent
        return SimulationError(
            f"{follower!r} lags behind: it has applied {follower.frames_received()} of {sent} frames sent to its "
            f"port {port}, and {_PATIENCE:.0f} s have passed. See what its reading thread waits for, advance in "
            "smaller steps, or detach() it."
        )
