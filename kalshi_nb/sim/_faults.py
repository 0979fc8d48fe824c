"""Trouble on demand: what an exchange or the network does wrong, as an explicit call."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Final, get_args

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._arguments import check_choice, check_flag, check_number
from kalshi_nb.sim._authenticate import Verdict
from kalshi_nb.sim._frames import ERROR_WORDS
from kalshi_nb.sim._line_faults import LineFaults, counted
from kalshi_nb.sim._rest_faults import CURSORS, REFUSALS, Cursors, Refusal, RestTrouble
from kalshi_nb.sim._shown import shown
from kalshi_nb.sim._venue import Era

__all__ = ["Faults"]

_LONGEST_REASON: Final = 123
_WORD: Final = re.compile(r"[a-z0-9_]{1,60}")


class Faults(LineFaults):
    """Trouble on demand, as ``exchange.faults``.

    Every method returns when the exchange has taken note. Those about connections touch the connections of
    that moment and return how many there were; later ones are whole. Nothing here changes the tape: the market
    goes on as it would have, it is only told wrongly; `begin_maintenance` alone stops it.

    ==============================  ==================================================================
    what goes wrong                 methods
    ==============================  ==================================================================
    single frames                   `skip_frames`, `duplicate_frames`, `reorder_frames`,
                                    `truncate_frames`, `corrupt_frames`, `send_raw`, `send_unknown`
    every frame, by seeded chance   `plan`
    every frame                     `delay`, `stall`, `resume`, `add_fields`, `set_era`
    commands and answers            `send_error`, `ignore_snapshot_requests`, `delay_answers`,
                                    `swap_commands`, `lose_commands`, `prefer_yes_prices`,
                                    `limit_markets`
    answers over REST               `rest`
    connections                     `drop_connections`, `close_connections`, `close_on_arrival`,
                                    `refuse_handshakes`, `limit_connections`
    the whole exchange              `begin_maintenance`, `end_maintenance`
    ==============================  ==================================================================

    `clear` ends what is done to frames and commands.
    """

    # -- connections -------------------------------------------------------------------------------------

    def drop_connections(self, *, inside_a_frame: bool = False) -> int:
        """Cut every TCP connection without a close frame, as a failing network does.

        Parameters
        ----------
        inside_a_frame : bool
            Whether a part of one more frame is sent before.

        Returns
        -------
        int
            How many connections there were.
        """
        check_flag("inside_a_frame", inside_a_frame)

        def drop() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                self._server.cut(connection)
                if inside_a_frame:
                    connection.drop_inside_a_frame()
                else:
                    connection.drop()
            return len(connections)

        return self._server.call(drop)

    def close_connections(self, code: int = 1001, reason: str = "") -> int:
        """Close every connection with a close frame; returns once these are on their way.

        Parameters
        ----------
        code : int
            The WebSocket close code, such as 1001 (going away), 1011 (internal error), 1012 (restart).
        reason : str
            What the close frame says in words, at most 123 bytes of UTF-8.

        Returns
        -------
        int
            How many connections there were.
        """
        _check_close_code(code)
        if len(reason.encode()) > _LONGEST_REASON:
            raise SimulationError(f"A close frame has room for {_LONGEST_REASON} bytes of words; say it shorter.")

        def close() -> int:
            connections = list(self._server.connections.values())
            for connection in connections:
                self._server.cut(connection)
                self._server.spawn(connection, code, reason)
            return len(connections)

        return self._server.call(close)

    def close_on_arrival(self, count: int = 1, code: int | None = 1001) -> None:
        """Accept the next connections and end each at once.

        Parameters
        ----------
        count : int
            How many connections.
        code : int or None
            The WebSocket close code; None to cut them without a word.
        """
        if code is not None:
            _check_close_code(code)
        self._server.call(lambda: self._server.greetings.extend([code] * counted(count)))

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
        verdict = _refusal(status, body, retry_after)
        self._server.call(lambda: self._server.refusals.extend([verdict] * counted(count)))

    def limit_connections(self, most: int | None) -> None:
        """Answer handshakes with 429 while there are that many connections; None takes any number.

        What the exchange does when a user has more connections than the usage tier allows is documented nowhere; this
        is one thing that it may do. To play another, use `close_connections` with a reason.
        """
        if most is not None:
            counted(most)

        def limit() -> None:
            self._server.most_connections = most

        self._server.call(limit)

    # -- commands and answers ----------------------------------------------------------------------------

    def send_error(self, channel: str, code: int, message: str | None = None) -> int:
        """Send an error scoped to a channel's subscription; after codes 10 and 25 that subscription is gone.

        Parameters
        ----------
        channel : str
            Which one.
        code : int
            The error code.
        message : str, optional
            The exchange's words; with them any code from 1 to 999 can be sent, also one that it never had.

        Returns
        -------
        int
            On how many connections the channel was open.

        Raises
        ------
        SimulationError
            No connection has the channel open, or the exchange has no such code.
        """
        if isinstance(code, bool) or not isinstance(code, int) or not 1 <= code <= 999:
            raise SimulationError(f"{shown(code)} is no error code; take one such as 10 or 25.")
        if message is None and code not in ERROR_WORDS:
            raise SimulationError(
                f"The exchange sends no error {shown(code)}; take one of {', '.join(map(str, sorted(ERROR_WORDS)))}, "
                "or give the message, too."
            )

        def fail() -> int:
            connections = self._with_channel(channel)
            sessions = self._live().sessions()
            return sum(sessions[connection].fail(channel, code, message) for connection in connections)

        return self._server.call(fail)

    def ignore_snapshot_requests(self, count: int = 1) -> None:
        """Leave the next ``get_snapshot`` commands without an answer.

        Parameters
        ----------
        count : int
            How many commands, over all connections.
        """

        def ignore() -> None:
            self._live().venue.snapshots_to_lose += counted(count)

        self._server.call(ignore)

    def send_unknown(self, channel: str, kind: str = "orderbook_checksum") -> int:
        """Send a frame of a type that no client knows, with a channel's sid and its next ``seq``.

        Result and errors are those of `skip_frames`.

        Parameters
        ----------
        channel : str
            Which subscription it belongs to.
        kind : str
            Its type, of small letters, digits and underscores.
        """
        if not isinstance(kind, str) or not _WORD.fullmatch(kind):
            raise SimulationError(f"kind={shown(kind)} is no type of a frame; take small letters and underscores.")

        def send() -> int:
            connections = self._with_channel(channel)
            sessions = self._live().sessions()
            return sum(sessions[connection].send_unknown(channel, kind) for connection in connections)

        return self._server.call(send)

    def prefer_yes_prices(self, *, on: bool = True) -> None:
        """Make YES prices the default for subscriptions from now on that do not send ``use_yes_price``."""
        check_flag("on", on)

        def prefer() -> None:
            self._live().venue.prefers_yes_prices = on

        self._server.call(prefer)

    def limit_markets(self, most: int | None) -> None:
        """Refuse, with error 26, more markets than that on one subscription from now on; None takes any number."""
        if most is not None:
            counted(most)

        def limit() -> None:
            self._live().venue.most_markets = most

        self._server.call(limit)

    def set_era(self, era: Era) -> None:
        """Write frames from now on as another time did; see `Exchange` for what there is."""
        if era not in get_args(Era):
            raise SimulationError(f"era={shown(era)} is unknown; pass {' or '.join(map(repr, get_args(Era)))}.")
        self._server.call(lambda: self._live().venue.set_era(era))

    # -- answers over REST -------------------------------------------------------------------------------

    def rest(
        self,
        *,
        refuse: int = 0,
        after: int = 0,
        refusal: Refusal = "object",
        tokens: float | None = None,
        cursors: Cursors = "right",
        combos: int = 0,
        late: float = 0.0,
        cache: float = 0.0,
        delay: float = 0.0,
        live_tier: float | None = None,
    ) -> None:
        """Answer GETs wrongly from now on, in these ways and no others; called without any, rightly again.

        Parameters
        ----------
        refuse : int
            How many requests are refused.
        after : int
            How many are answered before.
        refusal : {"object", "text", "html", "gateway", "torn"}
            With what: status 429 and a body that is an object, a text, or a page of the edge's, status 502, or the
            right answer that breaks off halfway.
        tokens : float, optional
            How many tokens a second there are for all clients together, 10 a request, as much as a second's at once;
            any number unless given.
        cursors : {"right", "repeated", "garbage", "empty_page"}
            What is wrong with pages: the second cursor is the first again, each leads to the beginning, or before each
            page but the first comes an empty one.
        combos : int
            How many markets that combine others head the list of markets.
        late : float
            How many seconds of the exchange's clock go by until a trade can be had, or is in a candle.
        cache : float
            For how many seconds of the exchange's time whoever asks the same gets the same answer, of what needs no
            key: Kalshi's edge does so for 15.
        delay : float
            How many seconds an answer is under way: what it says was so when it was asked for.
        live_tier : float, optional
            So many seconds of the exchange's time after it was made, or ended, a trade, an order, a fill or a market
            moves to the historical tier; sixty days, orders after fifteen, unless given.
        """
        check_choice("refusal", refusal, tuple(REFUSALS))
        check_choice("cursors", cursors, CURSORS)
        for name, value in (("refuse", refuse), ("after", after), ("combos", combos)):
            check_number(name, value, 0, 1_000_000, "number of them; pass one")
        if tokens is not None:
            check_number("tokens", tokens, 10, 1_000_000, "budget of a second; pass one")
        check_number("late", late, 0, 3_600, "number of seconds; pass one")
        check_number("cache", cache, 0, 3_600, "number of seconds; pass one")
        check_number("delay", delay, 0, 5, "number of seconds; pass one")
        if live_tier is not None:
            check_number("live_tier", live_tier, 0, 90 * 86_400, "number of seconds; pass one")
        late_us, tier_us = (None if each is None else round(each * 1_000_000) for each in (late, live_tier))
        trouble = RestTrouble(refuse, after, refusal, tokens, cursors, combos, late_us or 0, cache, delay, tier_us)

        def begin() -> None:
            self._live()
            assert self._server.rest is not None
            self._server.rest.trouble = trouble

        self._server.call(begin)

    # -- the whole exchange ------------------------------------------------------------------------------

    def begin_maintenance(self, status: int = 503, retry_after: float | None = None) -> int:
        """Pause trading, close every connection with code 1012 and refuse new ones, until `end_maintenance`.

        The exchange's own time goes on; the market stands still.

        Parameters
        ----------
        status : int
            The HTTP status that handshakes are answered with, 502 or 503.
        retry_after : float, optional
            Seconds for a ``Retry-After`` header; none unless given.

        Returns
        -------
        int
            How many connections there were.
        """
        verdict = _refusal(status, None, retry_after)

        def begin() -> None:
            self._live().pause(on=True)
            self._server.closed_with = verdict

        self._server.call(begin)
        return self.close_connections(1012)

    def end_maintenance(self) -> None:
        """Let trading go on where it stood, and clients in."""

        def end() -> None:
            self._live().pause(on=False)
            self._server.closed_with = None

        self._server.call(end)


def _check_close_code(code: int) -> None:
    is_sendable = code in {1000, 1001, 1002, 1003, *range(1007, 1015)} or 3000 <= code <= 4999
    if not is_sendable:
        raise SimulationError(f"{shown(code)} is no close code that can be sent; take 1001 or 3000 to 4999.")


def _refusal(status: int, body: str | None, retry_after: float | None) -> Verdict:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        raise SimulationError(f"{shown(status)} is no HTTP status; take one such as 401, 429 or 503.") from None
    if status < 400:
        raise SimulationError(f"Status {status} is no refusal; take one such as 401, 429 or 503.")
    return Verdict(status, _refusal_body(status, phrase) if body is None else body, retry_after)


def _refusal_body(status: int, phrase: str) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return '{"error":"too many requests"}'
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        code = message = "authentication_error"
    else:
        message = phrase.lower()
        code = message.replace(" ", "_")
    return json.dumps({"error": {"code": code, "message": message}}, separators=(",", ":"))
