"""Who is connected to a programme, and the answers to what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb.sim._session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb.sim._connection import Connection
    from kalshi_nb.sim._floor import Floor

__all__ = ["Attendance"]


class Attendance:
    """The sessions of the present connections.

    Parameters
    ----------
    floor : Floor
        What they are about.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._sessions: dict[Connection, Session] = {}

    async def attend(self, connection: Connection, answered: Callable[[], None] = lambda: None) -> None:
        """Answer a client's commands for as long as it stays; `answered` is called after each."""
        session = self._sessions[connection] = Session(self._floor, connection)
        try:
            async for message in connection.incoming():
                session.receive(message)
                answered()
        finally:
            self.forget(connection)

    def forget(self, connection: Connection) -> None:
        """Send nothing more to a connection."""
        self._sessions.pop(connection, None)

    def sessions(self) -> dict[Connection, Session]:
        """Return who is connected now."""
        return dict(self._sessions)
