"""One client's WebSocket: an outbox through which every frame passes, and the exchange's heartbeat."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed

from kalshi_nb.sim._line import ANSWERS, Line

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
    line : Line
        What every frame goes over.
    commands_to_lose, commands_to_swap : int
        How many of the client's next commands never arrive, or arrive after the one behind them.
    """

    def __init__(self, websocket: ServerConnection) -> None:
        self.port: int = websocket.remote_address[1]
        self.frames_sent = 0
        self.commands_to_lose = 0
        self.commands_to_swap = 0
        self.line = Line(self._append, self.drop)
        self._latency = 0.0
        self._moving = asyncio.Event()
        self._moving.set()
        self._written = 0
        self._deaf = False
        self._resuming: asyncio.TimerHandle | None = None
        self._websocket = websocket
        self._outbox: deque[tuple[float, str]] = deque()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the client reads too slowly."""
        return self.backlog >= _OUTBOX_LIMIT

    @property
    def backlog(self) -> int:
        """How many frames wait for the network."""
        return len(self._outbox)

    def post(self, text: str, channel: str | None = None) -> None:
        """Send a frame, over a line on which it may come to harm on purpose.

        Parameters
        ----------
        text : str
            The frame, sent as it is.
        channel : str or None
            The channel of the sid in it, None where it carries none.
        """
        self.line.send(text, ANSWERS if channel is None else channel)

    def _append(self, text: str) -> None:
        self.frames_sent += 1
        self._outbox.append((asyncio.get_running_loop().time() + self._latency, text))
        self._emptied.clear()
        self._filled.set()

    async def incoming(self) -> AsyncIterator[str | bytes]:
        """Yield what the client sends, until the connection is gone."""
        overtaken: str | bytes | None = None
        try:
            async for message in self._websocket:
                if self.commands_to_lose:
                    self.commands_to_lose -= 1
                elif overtaken is None and self.commands_to_swap:
                    self.commands_to_swap -= 1
                    overtaken = message
                else:
                    yield message
                    if overtaken is not None:
                        yield overtaken
                        overtaken = None
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
                due, text = self._outbox[0]
                await self._moving.wait()
                early = due - asyncio.get_running_loop().time()
                if early > 0:
                    await asyncio.sleep(early)
                    continue
                await self._websocket.send(text)
                self._outbox.popleft()
                self._written += 1
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

    @property
    def frames_due(self) -> int:
        """Frames that the client can have by now: all that were sent, but for those that are held up."""
        return self.frames_sent if self._moving.is_set() else self._written

    def delay(self, seconds: float) -> None:
        """Let every frame from now on take so long, in the order sent."""
        self._latency = seconds

    def stall(self, seconds: float | None, *, pongs: bool) -> None:
        """Hold all frames up, for some time or until `resume`, and leave pings unanswered unless `pongs`."""
        self._moving.clear()
        if not pongs and not self._deaf:
            self._deaf = True
            self._websocket.transport.pause_reading()
        if self._resuming is not None:
            self._resuming.cancel()
        self._resuming = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.resume)

    def resume(self) -> None:
        """Let frames go on, those that were held up first."""
        self._moving.set()
        if self._deaf and not self._websocket.transport.is_closing():
            self._websocket.transport.resume_reading()
        self._deaf = False

    def drop(self) -> None:
        """Cut the TCP connection, without a word."""
        self._websocket.transport.abort()

    def drop_inside_a_frame(self) -> None:
        """End the TCP connection after the head and some bytes of a frame that has more."""
        self._websocket.transport.write(b'\x81\x7e\x01\x00{"type":"tra')
        self._websocket.transport.close()

    async def close(self, code: int, reason: str = "") -> None:
        """Close as the WebSocket protocol has it, with a close code and the reason in words."""
        await self._websocket.close(code, reason)
