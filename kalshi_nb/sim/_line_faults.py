"""What the line does to frames: loses, doubles, swaps, cuts, damages, delays and holds them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._arguments import check_flag
from kalshi_nb.sim._commands import CHANNELS
from kalshi_nb.sim._line import ANSWERS, FaultPlan
from kalshi_nb.sim._live import LiveMarket
from kalshi_nb.sim._shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb.sim._connection import Connection
    from kalshi_nb.sim._line import Mishap
    from kalshi_nb.sim._server import Programme, ServerThread

__all__ = ["LineFaults", "counted"]


class LineFaults:
    """Faults of the line; the public face is :class:`kalshi_nb.sim.Faults`."""

    def __init__(self, server: ServerThread, programme: Programme) -> None:
        self._server = server
        self._programme = programme
        self._plan: FaultPlan | None = None
        self._latency = 0.0
        self._extra_fields = False
        server.prepare = self._prepare

    # -- single frames -----------------------------------------------------------------------------------

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
        return self._befall("drop", channel, count)

    def duplicate_frames(self, channel: str, count: int = 1) -> int:
        """Send the next frames of a channel's subscription twice, with one and the same ``seq``.

        Parameters, result and errors are those of `skip_frames`.
        """
        return self._befall("duplicate", channel, count)

    def reorder_frames(self, channel: str, count: int = 1, *, behind: int = 1) -> int:
        """Let the next frames of a channel's subscription be overtaken by those that follow on the connection.

        A frame that nothing follows is held until something does. Other parameters, result and errors are those
        of `skip_frames`.

        Parameters
        ----------
        behind : int
            How many frames, of whatever channel, go out before each.
        """
        counted(behind)
        return self._befall("reorder", channel, count, behind=behind)

    def truncate_frames(self, channel: str, count: int = 1) -> int:
        """Send only the first half of the next frames of a channel's subscription, as WebSocket messages.

        Parameters, result and errors are those of `skip_frames`.
        """
        return self._befall("truncate", channel, count)

    def corrupt_frames(self, channel: str, count: int = 1) -> int:
        """Damage one character of the next frames of a channel's subscription, so that they are no JSON.

        Parameters, result and errors are those of `skip_frames`.
        """
        return self._befall("corrupt", channel, count)

    def delay_answers(self, count: int = 1, *, behind: int = 1) -> int:
        """Let other frames overtake the next answers to commands that carry no sid, such as ``subscribed``.

        Parameters
        ----------
        count : int
            How many answers, on each connection.
        behind : int
            How many frames go out before each.

        Returns
        -------
        int
            How many connections there were.
        """
        counted(behind)

        def held(connection: Connection) -> None:
            connection.line.scripted["reorder"][ANSWERS] += counted(count)
            connection.line.behind[ANSWERS] = behind

        return self._on_each(held)

    def swap_commands(self, count: int = 1) -> int:
        """Take up the next commands of each client only after the one that follows; return how many clients.

        The exchange works on pipelined commands side by side, so their answers may come in any order.
        """

        def swap(connection: Connection) -> None:
            connection.commands_to_swap += counted(count)

        return self._on_each(swap)

    def lose_commands(self, count: int = 1) -> int:
        """Never take up the next commands of each client; return how many clients there were."""

        def lose(connection: Connection) -> None:
            connection.commands_to_lose += counted(count)

        return self._on_each(lose)

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

        return self._on_each(lambda connection: connection.post(text))

    # -- all frames --------------------------------------------------------------------------------------

    def plan(
        self,
        seed: int,
        *,
        drop: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        truncate: float = 0.0,
        corrupt: float = 0.0,
        reset: float = 0.0,
        answers: bool = False,
    ) -> FaultPlan:
        """Leave every frame from now on, on present and later connections, to seeded chance.

        A new plan takes the place of the one before; `clear` ends it.

        Parameters
        ----------
        seed : int
            The same seed and the same frames give the same mishaps, connection by connection.
        drop, duplicate, reorder, truncate, corrupt : float
            The share of frames, 0 to 1, that each befalls; a reordered one changes places with the next.
        reset : float
            The share of frames after which the connection is cut.
        answers : bool
            Whether frames without a sid (``subscribed``, lists, refusals) are touched as well.

        Returns
        -------
        FaultPlan
            Counts what happens.

        Raises
        ------
        SimulationError
            A share is none, or all of them together are more than 1.

        Examples
        --------
        >>> from kalshi_nb.sim import Exchange
        >>> with Exchange(seed=7, clock="manual") as exchange:
        ...     exchange.faults.plan(1, drop=0.01, duplicate=0.01)
        <FaultPlan seed=1: 0 frames; nothing happened>
        """
        check_flag("answers", answers)
        rates: dict[Mishap, float] = {
            "drop": drop,
            "duplicate": duplicate,
            "reorder": reorder,
            "truncate": truncate,
            "corrupt": corrupt,
            "reset": reset,
        }
        made = FaultPlan(seed, {name: rate for name, rate in rates.items() if rate != 0}, answers=answers)
        self._follow(made)
        return made

    def clear(self) -> None:
        """End the plan, every stall and delay, and all that was still to happen to frames and commands."""

        def whole(connection: Connection) -> None:
            for counts in connection.line.scripted.values():
                counts.clear()
            connection.commands_to_lose = connection.commands_to_swap = 0
            connection.line.extra_fields = False
            connection.delay(0.0)
            connection.resume()

        self._latency, self._extra_fields = 0.0, False
        self._follow(None)
        self._on_each(whole)

    def delay(self, seconds: float) -> int:
        """Let every frame take so long, in the order sent, on present and later connections.

        Parameters
        ----------
        seconds : float
            Of this computer's time, at most 60; 0 for no delay. With the manual clock `Exchange.advance` waits
            for delayed frames.

        Returns
        -------
        int
            How many connections there were.
        """
        _seconds(seconds, 60)
        self._latency = float(seconds)
        return self._on_each(lambda connection: connection.delay(self._latency))

    def stall(self, seconds: float | None = None, *, pongs: bool = True) -> int:
        """Send nothing on the connections there are, though they stay open.

        What is held up goes out in order when the stall ends.

        Parameters
        ----------
        seconds : float or None
            How long, of this computer's time; None until `resume` or `clear`.
        pongs : bool
            Whether pings are still answered. With False the client is not heard either, as on a dead line.

        Returns
        -------
        int
            How many connections there were.
        """
        check_flag("pongs", pongs)
        if seconds is not None:
            _seconds(seconds, 86_400)
        return self._on_each(lambda connection: connection.stall(seconds, pongs=pongs))

    def resume(self) -> int:
        """End the stalls; return how many connections there were."""
        return self._on_each(lambda connection: connection.resume())

    def add_fields(self, *, on: bool = True) -> int:
        """Write fields that no client knows into every frame, on present and later connections.

        Returns
        -------
        int
            How many connections there were.
        """
        check_flag("on", on)
        self._extra_fields = on

        def add(connection: Connection) -> None:
            connection.line.extra_fields = on

        return self._on_each(add)

    # -- inside ------------------------------------------------------------------------------------------

    def _prepare(self, connection: Connection) -> None:
        """Do to a new connection what is done to all."""
        connection.delay(self._latency)
        connection.line.extra_fields = self._extra_fields
        connection.line.follow(self._plan)

    def _follow(self, plan: FaultPlan | None) -> None:
        def follow(connection: Connection) -> None:
            connection.line.follow(plan)

        def follow_all() -> None:
            self._plan = plan
            for connection in list(self._server.connections.values()):
                follow(connection)

        self._server.call(follow_all)

    def _befall(self, mishap: Mishap, channel: str, count: int, *, behind: int = 1) -> int:
        def befall() -> int:
            connections = self._with_channel(channel)
            for connection in connections:
                connection.line.scripted[mishap][channel] += counted(count)
                if mishap == "reorder":
                    connection.line.behind[channel] = behind
            return len(connections)

        return self._server.call(befall)

    def _on_each(self, function: Callable[[Connection], None]) -> int:
        def on_each() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                function(connection)
            return len(connections)

        return self._server.call(on_each)

    def _live(self) -> LiveMarket:
        if not isinstance(self._programme, LiveMarket):
            raise SimulationError("A recording is played as it is; use Exchange() for this fault.")
        return self._programme

    def _with_channel(self, channel: str) -> list[Connection]:
        if channel not in CHANNELS:
            raise SimulationError(f"There is no channel {shown(channel)}; take one of {', '.join(CHANNELS)}.")
        sessions = self._live().sessions()
        connections = [each for each, session in sessions.items() if session.is_open(channel)]
        if not connections:
            raise SimulationError(f"No connection has {channel} open; subscribe first, then cause the fault.")
        return connections


def counted(count: int) -> int:
    """Return a count of frames or the like.

    Raises
    ------
    SimulationError
        It is not a whole number from 1.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SimulationError(f"count={shown(count)} says nothing; pass a whole number from 1.")
    return count


def _seconds(seconds: float, most: float) -> None:
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= most:
        raise SimulationError(f"seconds={shown(seconds)} is no length of time here; pass 0 to {most:g}.")
