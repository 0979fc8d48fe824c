"""Row 21: trades of the past as a frame, against the shortest code that comes to the same."""

from statistics import median

from tests.benchmarks.findings import Finding
from tests.benchmarks.running import evaluate

ROWS = (21,)


def measure_rows(settings, _rows):
    pages = max(2, round(100 * settings.scale))
    found = evaluate("history", {"pages": pages, "rounds": settings.rounds})

    def ratios(end):
        return [other / own for own, other in zip(found[f"kit{end}"], found[f"shortest{end}"], strict=True)]

    return [
        Finding(
            21,
            "trades fetched over REST until they are a frame, rows/s, against `httpx`, `json` and polars alone",
            None,
            values=ratios(""),
            cpu_values=ratios("_cpu"),
            wrong=found["wrong"],
            notes={
                name: f"{1e6 / median(found[key]):,.0f} rows/s"
                for name, key in (("kit", "kit"), ("shortest code", "shortest"))
            },
        )
    ]
