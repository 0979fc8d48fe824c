"""How long a pipeline rests that raises again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Rest"]

_SHORTEST: Final = 1.0
_LONGEST: Final = 30.0


class Rest:
    """Rests of 1, 2, 4 … 30 s, each begun where the try at the end of the one before failed.

    The thread that delivers begins and ends them; any thread looks. `active` is written last, so that whoever sees it
    finds the rest of what it says.

    Parameters
    ----------
    steady : callable
        The present on a timeline that never goes back, in microseconds: the computer's steady clock, or, where the
        market's clock is moved by hand, that clock, so that a rest of 2 s lasts for 2 s of the market.

    Attributes
    ----------
    active : bool
        Whether the pipeline rests, or is about to be tried.
    seconds : float
        How long the present rest is, 0 where there is none.
    """

    def __init__(self, steady: Callable[[], int]) -> None:
        self._steady = steady
        self._until = 0
        self.seconds = 0.0
        self.active = False

    def begin(self) -> None:
        """Rest from now on, twice as long as before where that was no success."""
        self.seconds = min(_LONGEST, 2 * self.seconds) or _SHORTEST
        self._until = self._steady() + round(self.seconds * 1_000_000)
        self.active = True

    def end(self) -> None:
        """Be well again; the next rest is a short one."""
        self.active = False
        self.seconds = 0.0

    def lasts(self) -> bool:
        """Tell whether it is too early to try."""
        return self.active and self._steady() < self._until

    def seconds_left(self) -> float:
        """Return how long it is until the next try."""
        return max(0, self._until - self._steady()) / 1e6 if self.active else 0.0
