"""What a benchmark found: ratios of rounds, held against a bar."""

from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True)
class Bar:
    """A goal, and how far short of it a run may fall before it fails, since medians scatter."""

    value: float
    limit: float
    at_least: bool = True

    def met(self, value):
        return value >= self.value if self.at_least else value <= self.value

    def held(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self):
        return f"{'≥' if self.at_least else '≤'} {self.value:g}"


def at_least(value, limit=None):
    """A bar from below; 15 % short of it is tolerated unless another limit is named."""
    return Bar(value, value * 0.85 if limit is None else limit)


def at_most(value, limit=None):
    """A bar from above."""
    return Bar(value, value * 1.15 if limit is None else limit, at_least=False)


@dataclass
class Finding:
    """One line of the table."""

    row: int
    what: str
    bar: Bar | None
    values: list = field(default_factory=list)
    """One a round."""
    cpu_values: list = field(default_factory=list)
    unit: str = ""
    why_not: str = ""
    """Why nothing was measured, where nothing was."""
    wrong: dict = field(default_factory=dict)
    """What the final books and frames should have been and were not."""
    notes: dict = field(default_factory=dict)
    """Absolute figures, for context."""

    @property
    def value(self):
        return median(self.values) if self.values else None

    @property
    def cpu(self):
        return median(self.cpu_values) if self.cpu_values else None

    @property
    def verdict(self):
        if self.wrong:
            return "wrong result"
        if self.value is None:
            return self.why_not or "not measured"
        if self.bar is None:
            return "context"
        if self.bar.met(self.value):
            return "met"
        return "within the scatter" if self.bar.held(self.value) else "FALLS SHORT"

    @property
    def failed(self):
        return self.verdict in ("wrong result", "FALLS SHORT")

    def record(self):
        return {**asdict(self), "value": self.value, "cpu": self.cpu, "verdict": self.verdict}


def ratios(over, under, of=lambda measured: measured.rate):
    """Ratios round by round, of the rounds in which both were measured."""
    return [of(one) / of(other) for one, other in zip(over, under, strict=False)]


def cpu_ratios(over, under):
    """How many times the CPU seconds a message that `under` takes are those that `over` takes."""
    return [(other.cpu / other.messages) / (one.cpu / one.messages) for one, other in zip(over, under, strict=False)]


def wrongs(runs):
    """Everything that was wrong in any of the runs."""
    found = {}
    for each in runs:
        found |= each.wrong
    return found


def context(runs):
    """Medians of what the runs of one case came to."""
    return {
        "messages/s": round(median(each.rate for each in runs)),
        "µs CPU a message": round(median(each.cpu / each.messages for each in runs) * 1e6, 2),
        "sender busy": round(max(each.sender_share for each in runs), 3),
    }
