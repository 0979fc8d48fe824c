"""Row 6: one mixed message decoded, against ``json.loads``."""

from tests.benchmarks.findings import Finding, at_least
from tests.benchmarks.frames import Size, prepare
from tests.benchmarks.running import evaluate

ROWS = (6,)


def measure_rows(settings, _rows):
    folder = prepare(Size(settings.sized(20_000), 0), settings.folder)
    found = evaluate("decode", {"folder": str(folder), "rounds": settings.rounds})
    values = [other / own for own, other in zip(found["kit"], found["json"], strict=True)]
    return [
        Finding(
            6,
            "decode one mixed message into typed structs, against `json.loads`",
            at_least(5),
            values=values,
            cpu_values=values,
            wrong=found["wrong"],
            notes={
                name: f"{sorted(found[key])[len(found[key]) // 2]:.2f} µs a message"
                for name, key in (("kit", "kit"), ("`json.loads`", "json"))
            },
        )
    ]
