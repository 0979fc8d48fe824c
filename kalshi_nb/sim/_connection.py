"""One client's WebSocket: an outbox through which every frame passes, and the exchange's heartbeat."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from websockets.asyncio.server import ServerConnection

__all__ = ["Connection"]

_HEARTBEAT: Final = 10.0
"""Seconds between two pings."""
_OUTBOX_LIMIT: Final = 200_000
"""Frames that may wait for a slow reader before its subscriptions end with error 25."""


class Connection:
    """One accepted client.

    Parameters
    ----------
    websocket : ServerConnection
        Its open WebSocket.

    Attributes
    ----------
    port : int
        The port of the client's socket, which tells it from others on this computer.
    frames_sent : int
        Data frames handed to the outbox so far.
    frames_to_skip, frames_to_double : Counter
        By channel, how many of the next frames are lost or sent twice.
    """

    def __init__(self, websocket: ServerConnection) -> None:
        self.port: int = websocket.remote_address[1]
        self.frames_sent = 0
        self.frames_to_skip: Counter[str] = Counter()
        self.frames_to_double: Counter[str] = Counter()
        self._websocket = websocket
        self._outbox: deque[str] = deque()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the client reads too slowly."""
        return len(self._outbox) >= _OUTBOX_LIMIT

    def post(self, text: str, channel: str | None = None) -> None:
        """Send a frame; the one place where frames get lost or doubled on purpose.

        Parameters
        ----------
        text : str
            The frame, sent as it is.
        channel : str or None
            The channel of the sid in it, None where it carries none.
        """
        if channel is not None and self.frames_to_skip[channel]:
            self.frames_to_skip[channel] -= 1
            return
        self._append(text)
        if channel is not None and self.frames_to_double[channel]:
            self.frames_to_double[channel] -= 1
            self._append(text)

    def _append(self, text: str) -> None:
        self.frames_sent += 1
        self._outbox.append(text)
        self._emptied.clear()
        self._filled.set()

    async def incoming(self) -> AsyncIterator[str | bytes]:
        """Yield what the client sends, until the connection is gone."""
        try:
            async for message in self._websocket:
                yield message
        except ConnectionClosed:
            return

    async def emptied(self) -> None:
        """Wait until every frame has been given to the network; a slow client makes this slow."""
        while self._outbox:
            await self._emptied.wait()

    async def work(self) -> None:
        """Write frames and ping, until the connection is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write())
                tasks.create_task(self._ping())
        except* ConnectionClosed:
            pass  # the reading side sees it too, and ends what this serves

    async def _write(self) -> None:
        while True:
            while self._outbox:
                await self._websocket.send(self._outbox[0])
                self._outbox.popleft()
            self._filled.clear()
            self._emptied.set()
            await self._filled.wait()

    async def _ping(self) -> None:
        pong: Awaitable[float] | None = None
        while True:
            await asyncio.sleep(_HEARTBEAT)
            # Every ping has the same body, so a next one has no meaning before the last is answered.
            if pong is None or (isinstance(pong, asyncio.Future) and pong.done()):
                pong = await self._websocket.ping(b"heartbeat")

    def drop(self) -> None:
        """Cut the TCP connection, without a word."""
        self._websocket.transport.abort()

    async def close(self, code: int) -> None:
        """Close as the WebSocket protocol has it, with a close code."""
        await self._websocket.close(code)
