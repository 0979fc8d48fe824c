"""Many books at once: what each costs the network thread, and for how long it is at a stretch away from its socket."""

from functools import partial
from statistics import median

from tests.benchmarks.findings import Finding, ratios
from tests.benchmarks.more.tables import markdown
from tests.benchmarks.report import number, spread
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import spoken_to

ROUNDS = 3
SIZES = (2_000, 5_000, 10_000, 20_000)
WHAT = ("opened", "repaired", "opened one more at a time", "closed")


def measure_all(settings):
    """One finding for each size and each thing done, in µs CPU a book."""
    sizes = {f"{size:,}": settings.sized(size, least=50) for size in SIZES}
    runs = alternate(settings, "bulk", {name: partial(_measured, size) for name, size in sizes.items()})
    return [_finding(what, name, runs, next(iter(sizes))) for what in WHAT for name in sizes]


def _measured(count):
    with spoken_to("tests.benchmarks.clients.bulk", str(count)) as client:
        return client.hear()


def _finding(what, name, runs, smallest):
    of = [each[what] for each in runs[name]]
    return Finding(
        0,
        f"{what} {name}",
        None,
        values=[each["us"] for each in of],
        cpu_values=ratios(of, [each[what] for each in runs[smallest]], of=lambda each: each["us"]),
        unit="µs",
        notes={
            "what": what,
            "size": name,
            "longest_ms": median(each["longest_ms"] for each in of),
            "seconds": median(each["seconds"] for each in of),
        },
    )


def text(findings, settings):
    """The table of the page."""
    lines = [
        (
            f"books {each.notes['what']}",
            each.notes["size"],
            number(each.value, "µs"),
            spread(each),
            number(each.cpu),
            number(each.notes["longest_ms"], "ms"),
            number(each.notes["seconds"], "s"),
        )
        for each in findings
    ]
    head = ("what", "books", "CPU a book", "rounds", "times the fewest", "longest piece", "by the clock")
    return markdown(head, lines, left=(0,))
