"""The line between the exchange and one client, and what it does to frames on their way."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final, Literal, get_args

from kalshi_nb.errors import SimulationError
from kalshi_nb.sim._shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANSWERS", "MISHAPS", "FaultPlan", "Line", "Mishap", "corrupted", "truncated"]

Mishap = Literal["drop", "duplicate", "reorder", "truncate", "corrupt", "reset"]
MISHAPS: Final[tuple[Mishap, ...]] = get_args(Mishap)

ANSWERS: Final = "answers"
"""What frames go by that carry no subscription's sid: ``subscribed``, lists, and refusals of commands."""

_EXTRA: Final = '"trace_id":"0000000000000000","shard":null,"tags":[{"k":"v"}]'


class FaultPlan:
    """What happens to frames by chance; made by ``exchange.faults.plan()``.

    The same seed and the same frames give the same mishaps, connection by connection. At most one befalls a
    frame.

    Parameters
    ----------
    seed : int
        What chance is made from.
    rates : dict of str to float
        The share of frames each mishap befalls, 0 to 1, in all at most 1.
    answers : bool
        Whether frames without a sid are touched as well.

    Attributes
    ----------
    counts : Counter of str
        How often each mishap happened so far; ``"frames"`` counts the frames that came by.
    """

    def __init__(self, seed: int, rates: dict[Mishap, float], *, answers: bool) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise SimulationError(f"seed={shown(seed)} makes no plan; pass a whole number.")
        for name, rate in rates.items():
            if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
                raise SimulationError(f"{name}={shown(rate)} is no share of frames; pass a number from 0 to 1.")
        if sum(rates.values()) > 1:
            raise SimulationError("The shares add up to more than 1, and one frame has one mishap; make them smaller.")
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._answers = answers
        self._bounds: list[tuple[float, Mishap]] = []
        edge = 0.0
        for name, rate in rates.items():
            edge += rate
            self._bounds.append((edge, name))
        self._connections = 0

    def chance(self) -> Random:
        """Return the random source of the next connection."""
        self._connections += 1
        return Random(f"{self._seed}:{self._connections}")

    def mishap(self, chance: Random, channel: str) -> Mishap | None:
        """Decide what befalls the next frame."""
        if channel == ANSWERS and not self._answers:
            return None
        self.counts["frames"] += 1
        drawn = chance.random()
        for edge, name in self._bounds:
            if drawn < edge:
                self.counts[name] += 1
                return name
        return None

    def __repr__(self) -> str:
        happened = ", ".join(f"{name} {self.counts[name]:,}" for _, name in self._bounds if self.counts[name])
        return f"<FaultPlan seed={self._seed}: {self.counts['frames']:,} frames; {happened or 'nothing happened'}>"


class Line:
    """Takes every frame of one connection, and passes on what arrives.

    Parameters
    ----------
    deliver : callable
        Takes a frame that goes out.
    reset : callable
        Cuts the connection.

    Attributes
    ----------
    scripted : dict of str to Counter
        How many of the next frames each mishap befalls, by channel.
    behind : dict of str to int
        How many frames overtake a reordered one, by channel; 1 unless said.
    extra_fields : bool
        Whether frames carry fields that no client has heard of.
    """

    def __init__(self, deliver: Callable[[str], None], reset: Callable[[], None]) -> None:
        self.scripted: dict[Mishap, Counter[str]] = {name: Counter() for name in MISHAPS}
        self.behind: dict[str, int] = {}
        self.extra_fields = False
        self._deliver = deliver
        self._reset = reset
        self._held: list[tuple[int, str]] = []
        self._plan: FaultPlan | None = None
        self._chance = Random(0)

    def follow(self, plan: FaultPlan | None) -> None:
        """Leave frames to chance from now on, or no longer; what was held back for its turn goes out."""
        self._plan = plan
        if plan is not None:
            self._chance = plan.chance()
        held, self._held = self._held, []
        for _, text in held:
            self._deliver(text)

    def send(self, text: str, channel: str) -> None:
        """Take one frame of a channel's subscription, or of :data:`ANSWERS`."""
        if self.extra_fields:
            text = _with_extra_fields(text)
        mishap = self._next(channel)
        if mishap == "reorder":
            self._held.append((self.behind.get(channel, 1), text))
            return
        if mishap == "truncate":
            text = truncated(text)
        elif mishap == "corrupt":
            text = corrupted(text, self._chance)
        if mishap != "drop":
            self._pass(text)
        if mishap == "duplicate":
            self._pass(text)
        if mishap == "reset":
            self._reset()

    def _next(self, channel: str) -> Mishap | None:
        for name, counts in self.scripted.items():
            if counts[channel]:
                counts[channel] -= 1
                return name
        return None if self._plan is None else self._plan.mishap(self._chance, channel)

    def _pass(self, text: str) -> None:
        self._deliver(text)
        held, self._held = self._held, []
        for behind, each in held:
            if behind > 1:
                self._held.append((behind - 1, each))
            else:
                self._deliver(each)


def truncated(text: str) -> str:
    """Return the first half of a frame."""
    return text[: len(text) // 2]


def corrupted(text: str, chance: Random) -> str:
    """Return a frame with one damaged character, which no reader of JSON can take for a whole one."""
    quotes = [at for at, each in enumerate(text) if each == '"' and text[at - 1 : at] != "\\"]
    if not quotes:
        return "\x00" + text
    at = chance.choice(quotes)
    return text[:at] + "\x00" + text[at + 1 :]


def _with_extra_fields(text: str) -> str:
    head, found, tail = text.partition('"msg":{')
    if not found:
        return text
    comma = "" if tail.startswith("}") else ","
    return f"{head}{_EXTRA},{found}{_EXTRA}{comma}{tail}"
