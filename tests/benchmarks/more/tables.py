"""What the measurements besides the 13 rows have in common: quantiles, tables, and their places on the page."""

import datetime as dt
from itertools import chain

from tests.benchmarks.report import PAGE, machine, versions


def quantile(ordered, share):
    """The value that `share` percent of a sorted list are not above."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def merged(lists):
    """One sorted list of several."""
    return sorted(chain.from_iterable(lists))


def markdown(head, lines, left=()):
    """A table of Markdown; columns are set to the right but for those in `left`."""
    rules = "|" + "|".join("---" if at in left else "---:" for at in range(len(head))) + "|"
    return "\n".join([_line(head), rules, *map(_line, lines)])


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def markers(name):
    """What stands on the page around the part of this name."""
    return tuple(f"<!-- {at}: written by make bench-more, {name} -->" for at in ("begin", "end"))


def block(body, settings):
    """A generated part: when and on what it was measured, and its table."""
    now = dt.datetime.now(dt.UTC)
    size = "" if settings.scale == 1 else f" Sizes were scaled by {settings.scale:g}."
    return (
        f"Measured {now:%Y-%m-%d} on {machine()}; {versions()}. Medians of {settings.rounds} alternating rounds.{size}"
        f"\n\n{body}"
    )


def write_block(name, text, path=PAGE):
    """Put a generated part between its markers; what stands around it stays.

    Raises
    ------
    SystemExit
        When the page lacks the markers.
    """
    begin, end = markers(name)
    before, found, rest = path.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"{path} lacks the markers {begin!r} and {end!r}; put them where the table belongs.")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
