"""CPU a message where there are more markets, or longer windows: it should stay as it is.

Markets: the whole path with books, trades and tickers, as fast as it goes. Windows: a full rolling frame of trades at
a steady rate, read ten times a second, so that what a tick costs is in it.
"""

from functools import partial

from tests.benchmarks.findings import Finding, ratios, wrongs
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.more.plot import write_plot
from tests.benchmarks.more.tables import markdown
from tests.benchmarks.report import number, spread
from tests.benchmarks.rounds import alternate
from tests.benchmarks.running import ROOT, measure, sending

ROUNDS = 3
MARKETS = (10, 1_000, 10_000)
WINDOWS = (10_000, 100_000, 1_000_000)
RATE = 20_000
PLOT = ROOT / "docs" / "performance-growth.svg"
TITLES = {"markets": "markets with a book each", "window": "rows of a rolling frame"}


def measure_all(settings):
    """One finding for each size, in µs CPU a message."""
    return _markets(settings) + _windows(settings)


def _markets(settings):
    runs = {}
    folders = {
        markets: prepare(
            Size(settings.sized(150_000), settings.sized(20_000), markets=settings.sized(markets, least=10)),
            settings.folder,
        )
        for markets in MARKETS
    }
    cases = {f"{markets:,}": partial(_alone, folder) for markets, folder in folders.items()}
    runs = alternate(settings, "growth, markets", cases)
    return _findings("markets", MARKETS, runs)


def _alone(folder):
    with sending(folder) as sender:
        return measure(sender, folder, "kit", pipelines=["trade"])


def _windows(settings):
    cases = {}
    for rows in WINDOWS:
        size = settings.sized(rows)
        folder = prepare(
            Size(
                settings.sized(100_000, least=2_000),
                round(size * 1.05),  # full before anything is measured
                mix=Mix(0, 0, 1),
                markets=settings.sized(500, least=20),
            ),
            settings.folder,
        )
        cases[f"{rows:,}"] = partial(_fed, folder, size)
    return _findings("window", WINDOWS, alternate(settings, "growth, windows", cases))


def _fed(folder, rows):
    with sending(folder) as sender:
        return measure(sender, folder, "windows", rate=RATE, channels=["trade"], rows=rows)


def _findings(kind, sizes, runs):
    smallest = runs[f"{sizes[0]:,}"]
    return [
        Finding(
            0,
            f"{kind} {size}",
            None,
            values=[each.cpu / each.messages * 1e6 for each in runs[f"{size:,}"]],
            cpu_values=ratios(runs[f"{size:,}"], smallest, of=lambda measured: measured.cpu / measured.messages),
            unit="µs",
            wrong=wrongs(runs[f"{size:,}"]),
            notes={"kind": kind, "size": size},
        )
        for size in sizes
    ]


def text(findings, settings):
    """The tables of the page."""
    lines = [
        (
            TITLES[each.notes["kind"]],
            f"{each.notes['size']:,}",
            number(each.value, "µs"),
            spread(each),
            number(each.cpu),
        )
        for each in findings
    ]
    return markdown(("what grows", "size", "CPU a message", "rounds", "times the smallest"), lines, left=(0,))


def after_writing(findings, path=PLOT):
    """Draw the plot that the page shows."""
    panels = [
        (TITLES[kind], [(each.notes["size"], each.values) for each in findings if each.notes["kind"] == kind])
        for kind in TITLES
    ]
    write_plot(panels, path)
