"""The handle of a recording that is served: where it is, who may come in, and how far it is."""

from __future__ import annotations

import math
import time
import uuid
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._authenticate import PATH, Keyring
from kalshi_nb.sim._replayed import ReplayedMarket
from kalshi_nb.sim._server import HOST, ServerThread, listen

if TYPE_CHECKING:
    from kalshi_nb.sim._replayed import Recorded

__all__ = ["ReplayServer"]

_SLICE: Final = 0.25


class ReplayServer:
    """A recording behind a real WebSocket server on 127.0.0.1; it serves at once, on a thread of its own.

    Parameters
    ----------
    recorded : Recorded
        What is played, once, to all who are connected.
    speed : float or None
        Seconds of the recording a second; None for as fast as the slowest client takes it.
    port : int
        Where it listens; 0 takes a free port.
    anyone : bool
        Whether every key is let in. A handshake needs its three headers and a fresh timestamp in any case.
    held : bool
        Whether it stands until `begin`; else until half a second after a client's first subscriptions.

    Raises
    ------
    PortInUseError
        Somebody else listens on `port`.
    SimulationError
        The port cannot be had for another reason.
    """

    def __init__(self, recorded: Recorded, speed: float | None, *, port: int, anyone: bool, held: bool) -> None:
        self._key_id = str(uuid.uuid4())
        self._private_key = Ed25519PrivateKey.generate()
        keyring = Keyring(anyone=anyone)
        keyring.add(self._key_id, self._private_key.public_key())
        listener = listen(port)
        self._url = f"ws://{HOST}:{listener.getsockname()[1]}{PATH}"
        self._market = ReplayedMarket(recorded, speed, held=held)
        self._server = ServerThread(listener, self._market, keyring, compression=True)
        self._server.start()

    @property
    def url(self) -> str:
        """Where to connect."""
        return self._url

    @property
    def key_id(self) -> str:
        """The id of the key that it makes for itself."""
        return self._key_id

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The private half of that key; it opens nothing else."""
        return self._private_key

    @property
    def finished(self) -> bool:
        """Whether all of it was handed to the network."""
        return self._market.finished.is_set()

    def begin(self) -> None:
        """Play, from now on, whether or not anybody is there."""
        self._server.call(self._market.begin)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all of it was handed to the network; return whether it was.

        Raises
        ------
        SimulationError
            The recording could not be read to its end.
        """
        # In slices: what some libraries do to SIGINT keeps Ctrl-C from a thread that waits in one piece.
        until = math.inf if timeout is None else time.monotonic() + timeout
        done = self._market.finished.is_set()
        while not done and (left := until - time.monotonic()) > 0:
            done = self._market.finished.wait(min(left, _SLICE))
        problem = self._market.problem
        if problem is not None:
            raise SimulationError(f"The recording could not be read to its end: {problem}") from problem
        return done

    def close(self) -> None:
        """Stop: every connection ends, the thread too, the port is free. Closing again does nothing."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
