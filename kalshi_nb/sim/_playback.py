"""A recorded file served over a real WebSocket, frame by frame as it was."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kalshi_nb.sim._connection import Connection

__all__ = ["Playback", "Recording"]

_ON_THE_WAY: Final = 256
"""Frames put into the outbox before it has to be empty again."""


class Recording:
    """The frames of a JSON-lines file.

    Parameters
    ----------
    path : str or path
        Lines are either frames as they were received or ``{"recv_ts_ns": …, "raw": "…"}``; blank lines are
        passed over.

    Attributes
    ----------
    frames : tuple of str
        What was on the wire, newlines at their ends included.
    market_tickers : tuple of str
        Every market ticker that a frame names, sorted.

    Raises
    ------
    SimulationError
        The file cannot be read, holds no frame, or has a line that is neither.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike):
            raise SimulationError(f"{shown(path)} is no recording; pass the path of a text file.")
        try:
            lines = Path(path).read_text(encoding="utf-8").split("\n")
        except (OSError, ValueError) as error:  # no text, or no name that there can be
            reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
            raise SimulationError(
                f"{shown(str(path))} cannot be read as a recording ({reason}). Pass a text file with one frame a line."
            ) from None
        frames: list[str] = []
        tickers: set[str] = set()
        for number, line in enumerate(lines, start=1):
            if line.strip():
                text, message = _frame_of(line, f"{path}, line {number}")
                frames.append(text)
                tickers.update(_tickers_of(message))
        if not frames:
            raise SimulationError(f"{path} holds no frame; pass a recording with one frame a line.")
        self.frames = tuple(frames)
        self.market_tickers = tuple(sorted(tickers))


def _frame_of(line: str, place: str) -> tuple[str, Any]:
    message = _parsed(line)
    if not isinstance(message, dict):
        raise SimulationError(
            f'{place} is no JSON object; a line is a frame, or {{"recv_ts_ns": …, "raw": "the frame"}}.'
        )
    if "raw" not in message:
        return line + "\n", message
    raw = message["raw"]
    if not isinstance(raw, str):
        raise SimulationError(f'{place} has a "raw" that is no text; put the frame there as it was on the wire.')
    return raw, _parsed(raw)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tickers_of(message: Any) -> Iterator[str]:
    body = message.get("msg") if isinstance(message, dict) else None
    if not isinstance(body, dict):
        return
    several = body.get("market_tickers")
    for each in (body.get("market_ticker"), *(several if isinstance(several, list) else ())):
        if isinstance(each, str) and each:
            yield each


class Playback:
    """Plays a recording to each client from its beginning, once the client subscribes to anything.

    Parameters
    ----------
    recording : Recording
        What is played.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def run(self) -> None:
        """Do nothing: a recording has no life of its own."""

    async def attend(self, connection: Connection) -> None:
        """Wait for the first subscribe, play, and stay silent until the client leaves."""
        player: asyncio.Task[None] | None = None
        try:
            async for message in connection.incoming():
                if player is None and _is_subscribe(message):
                    player = asyncio.create_task(self._play(connection))
        finally:
            if player is not None:
                player.cancel()

    async def _play(self, connection: Connection) -> None:
        for number, text in enumerate(self._recording.frames, start=1):
            connection.post(text)
            if number % _ON_THE_WAY == 0:
                await connection.emptied()

    def forget(self, connection: Connection) -> None:
        """Do nothing: the connection ends its own player."""


def _is_subscribe(message: str | bytes) -> bool:
    try:
        command = json.loads(message)
    except (ValueError, RecursionError):
        return False
    return isinstance(command, dict) and command.get("cmd") == "subscribe"
