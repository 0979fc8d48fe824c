"""Whether the exchange is still there, and each subscription: asked by ``list_subscriptions``."""

from __future__ import annotations

from typing import Final

from kalshi_nb._session.state import Reconnect, SessionState

__all__ = ["LIST_WAIT", "LOOK", "QUIET", "Liveness"]

QUIET: Final = 30.0
"""Seconds without a frame after which the exchange is asked for its list of subscriptions."""

LOOK: Final = 45.0
"""Seconds between two looks for subscriptions that are quiet while others are not."""

LIST_WAIT: Final = 10.0
"""Seconds it may take to answer that."""

PAUSE: Final = 1.0
"""Seconds between two questions because of errors, of which the first is asked at once."""


class Liveness:
    """Asks what is left of the subscriptions when something makes it doubtful.

    Three things do: nothing at all was received for a while; a subscription went quiet among busy ones; an error names
    a subscription and answers no command, so that its code alone, which may be one that nobody knows, does not say
    whether the subscription is still there.

    Parameters
    ----------
    state : SessionState
        Shared state.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._seen = 0
        self._seen_at = 0.0
        self._looked_at = 0.0
        self._silent_since: float | None = None
        self._doubted_at: float | None = None
        self._is_in_doubt = False

    def connected(self) -> None:
        """Take up a new connection, of which nothing is in doubt."""
        self._seen, self._seen_at = self._state.messages, self._state.monotonic()
        self._looked_at = self._seen_at
        self.disconnected()

    def disconnected(self) -> None:
        """Expect no answer any more."""
        self._silent_since = None
        self._doubted_at = None
        self._is_in_doubt = False

    def doubt(self) -> None:
        """Take up an error that may have ended a subscription: ask at once, or soon after the last such question."""
        self._is_in_doubt = True
        self._ask_if_in_doubt()

    def tick(self) -> None:
        """Let time pass."""
        now = self._state.monotonic()
        self._ask_if_in_doubt()
        if self._state.messages != self._seen:
            self._seen, self._seen_at, self._silent_since = self._state.messages, now, None
        elif self._silent_since is not None:
            if now - self._silent_since >= LIST_WAIT:
                self._silent_since = None
                self._state.events.append(Reconnect(f"no answer for {LIST_WAIT:.0f} s"))
        elif now - self._seen_at >= QUIET:
            self._silent_since = self._looked_at = now
            self._ask()
        if now - self._looked_at >= LOOK:
            self._looked_at = now
            self._look_for_quiet_channels()

    def _ask_if_in_doubt(self) -> None:
        now = self._state.monotonic()
        if self._is_in_doubt and (self._doubted_at is None or now - self._doubted_at >= PAUSE):
            self._is_in_doubt, self._doubted_at = False, now
            self._ask()

    def _look_for_quiet_channels(self) -> None:
        """Ask whether subscriptions that went quiet among busy ones still exist."""
        there = [each.counting for each in self._state.subscriptions.values() if each.counting.sid is not None]
        quiet = [each.went_quiet() for each in there]
        if any(quiet):
            self._ask()

    def _ask(self) -> None:
        for command in [each for each in self._state.commands.values() if each.kind == "list"]:
            self._state.answered(command.number)  # unanswered; what it would have said is old by now
        self._state.send(None, "list")
