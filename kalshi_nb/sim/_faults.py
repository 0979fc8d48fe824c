"""Trouble on demand: what an exchange or the network does wrong, as an explicit call."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._authenticate import Verdict
from kalshi_nb.sim._commands import CHANNELS
from kalshi_nb.sim._frames import ERROR_WORDS
from kalshi_nb.sim._live import LiveMarket

if TYPE_CHECKING:
    from kalshi_nb.sim._connection import Connection
    from kalshi_nb.sim._server import Programme, ServerThread

__all__ = ["Faults"]


class Faults:
    """Trouble on demand, as ``exchange.faults``.

    Every method returns when the exchange has taken note. Those about connections touch the connections of
    that moment and return how many there were; later ones are whole. Nothing here changes the tape: the market
    goes on as it would have, it is only told wrongly.
    """

    def __init__(self, server: ServerThread, programme: Programme) -> None:
        self._server = server
        self._programme = programme

    def drop_connections(self) -> int:
        """Cut every TCP connection without a close frame, as a failing network does.

        Returns
        -------
        int
            How many connections there were.
        """

        def drop() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                self._server.cut(connection)
                connection.drop()
            return len(connections)

        return self._server.call(drop)

    def close_connections(self, code: int = 1001) -> int:
        """Close every connection with a close frame; returns once these are on their way.

        Parameters
        ----------
        code : int
            The WebSocket close code, such as 1001 (going away), 1011 (internal error), 1012 (restart).

        Returns
        -------
        int
            How many connections there were.
        """
        is_sendable = code in {1000, 1001, 1002, 1003, *range(1007, 1015)} or 3000 <= code <= 4999
        if not is_sendable:
            raise SimulationError(f"{code!r} is no close code that can be sent; take 1001 or 3000 to 4999.")

        def close() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                self._server.cut(connection)
                self._server.spawn(connection, code)
            return len(connections)

        return self._server.call(close)

    def refuse_handshakes(
        self, status: int, count: int = 1, body: str | None = None, retry_after: float | None = None
    ) -> None:
        """Answer the next handshakes with an HTTP error, whatever their credentials.

        Parameters
        ----------
        status : int
            401, 403, 429, 502, 503 or any other HTTP status from 400 to 599.
        count : int
            How many handshakes.
        body : str, optional
            The answer's body; JSON in the exchange's manner unless given.
        retry_after : float, optional
            Seconds for a ``Retry-After`` header; none unless given.
        """
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            raise SimulationError(f"{status!r} is no HTTP status; take one such as 401, 429 or 503.") from None
        if status < 400:
            raise SimulationError(f"Status {status} is no refusal; take one such as 401, 429 or 503.")
        verdict = Verdict(status, _refusal_body(status, phrase) if body is None else body, retry_after)
        self._server.call(lambda: self._server.refusals.extend([verdict] * _counted(count)))

    def skip_frames(self, channel: str, count: int = 1) -> int:
        """Lose the next frames of a channel's subscription: they take their ``seq`` but are not sent.

        Parameters
        ----------
        channel : str
            Which one; a frame is any message that carries the subscription's sid, ``ok`` included.
        count : int
            How many, on each connection.

        Returns
        -------
        int
            On how many connections the channel is open.

        Raises
        ------
        SimulationError
            No connection has the channel open; subscribe first.
        """

        def skip() -> int:
            connections = self._with_channel(channel)
            for connection in connections:
                connection.frames_to_skip[channel] += _counted(count)
            return len(connections)

        return self._server.call(skip)

    def duplicate_frames(self, channel: str, count: int = 1) -> int:
        """Send the next frames of a channel's subscription twice, with one and the same ``seq``.

        Parameters, result and errors are those of `skip_frames`.
        """

        def duplicate() -> int:
            connections = self._with_channel(channel)
            for connection in connections:
                connection.frames_to_double[channel] += _counted(count)
            return len(connections)

        return self._server.call(duplicate)

    def send_error(self, channel: str, code: int) -> int:
        """Send an error scoped to a channel's subscription; after codes 10 and 25 that subscription is gone.

        Parameters
        ----------
        channel : str
            Which one.
        code : int
            The error code.

        Returns
        -------
        int
            On how many connections the channel was open.

        Raises
        ------
        SimulationError
            No connection has the channel open, or the exchange has no such code.
        """
        if code not in ERROR_WORDS:
            raise SimulationError(
                f"The exchange sends no error {code!r}; take one of {', '.join(map(str, sorted(ERROR_WORDS)))}."
            )

        def fail() -> int:
            connections = self._with_channel(channel)
            sessions = self._live().sessions()
            return sum(sessions[connection].fail(channel, code) for connection in connections)

        return self._server.call(fail)

    def send_raw(self, text: str) -> int:
        """Send a text frame to every connection, as it is: nothing is added, no ``seq`` is taken.

        Returns
        -------
        int
            How many connections there were.
        """
        if not isinstance(text, str):
            raise SimulationError(f"A frame is a text, not {type(text).__name__}.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise SimulationError(f"This text cannot be sent as UTF-8: {error}.") from error

        def send() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                connection.post(text)
            return len(connections)

        return self._server.call(send)

    def ignore_snapshot_requests(self, count: int = 1) -> None:
        """Leave the next ``get_snapshot`` commands without an answer.

        Parameters
        ----------
        count : int
            How many commands, over all connections.
        """

        def ignore() -> None:
            self._live().venue.snapshots_to_lose += _counted(count)

        self._server.call(ignore)

    def _live(self) -> LiveMarket:
        if not isinstance(self._programme, LiveMarket):
            raise SimulationError("A recording is played as it is; use Exchange() for this fault.")
        return self._programme

    def _with_channel(self, channel: str) -> list[Connection]:
        if channel not in CHANNELS:
            raise SimulationError(f"There is no channel {channel!r}; take one of {', '.join(CHANNELS)}.")
        sessions = self._live().sessions()
        connections = [each for each, session in sessions.items() if session.is_open(channel)]
        if not connections:
            raise SimulationError(f"No connection has {channel} open; subscribe first, then cause the fault.")
        return connections


def _counted(count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SimulationError(f"count={count!r} says nothing; pass a whole number from 1.")
    return count


def _refusal_body(status: int, phrase: str) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return '{"error":"too many requests"}'
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        code = message = "authentication_error"
    else:
        message = phrase.lower()
        code = message.replace(" ", "_")
    return json.dumps({"error": {"code": code, "message": message}}, separators=(",", ":"))
