"""The benchmarks at a size that proves nothing but that they work; nothing here is timed."""

import json
import xml.etree.ElementTree as ET
from functools import cache
from importlib import import_module

import pytest

from tests.benchmarks import report
from tests.benchmarks.__main__ import MODULES, main
from tests.benchmarks.clients.protocol import messages_of
from tests.benchmarks.deflated import EXTENSION, deflated, inflating
from tests.benchmarks.findings import Finding, at_least, at_most
from tests.benchmarks.frames import Mix, Size, prepare
from tests.benchmarks.more import bulk, growth, latency, running, tables, variants
from tests.benchmarks.rounds import Settings
from tests.benchmarks.running import measure, sending
from tests.daily import some

pytestmark = pytest.mark.timeout(600)

TINY = 0.003
ROWS = {"throughput": (1, 4)}
"""The other two are made of the same clients with other options."""
DAILY = ("throughput", "decode", "books", "rolling", "reading", "history")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def small(folder):
    return prepare(Size(3_000, 200, markets=120), folder)


def _units(text, parts):
    return round(float(text) * parts)


def _books(session, frames):
    """The final books by the plainest means there are."""
    books = {}
    for body in map(json.loads, session["snapshots"]):
        for side in ("yes", "no"):
            levels = body.get(f"{side}_dollars_fp", [])
            books[body["market_ticker"], side] = {_units(at, 10_000): _units(size, 100) for at, size in levels}
    for frame in frames:
        if frame["type"] == "orderbook_delta":
            message = frame["msg"]
            levels, price = books[message["market_ticker"], message["side"]], _units(message["price_dollars"], 10_000)
            levels[price] = levels.get(price, 0) + _units(message["delta_fp"], 100)
            assert levels[price] >= 0
            if not levels[price]:
                del levels[price]
    return books


def test_the_generators_sums_are_those_of_its_frames(small):
    session = json.loads((small / "session.json").read_text())
    frames = [json.loads(each) for each in messages_of(small)]
    books = _books(session, frames)
    last = session["parts"][-1]
    assert sum(map(len, books.values())) == last["levels"] > 1_000
    assert sum(sum(levels.values()) for levels in books.values()) == last["quantity"]
    assert sum(at * size for levels in books.values() for at, size in levels.items()) == last["value"]
    assert sum(max(levels, default=0) for levels in books.values()) == last["best"]
    for ticker in session["tickers"]:
        assert max(books[ticker, "yes"], default=0) + max(books[ticker, "no"], default=0) < 10_000
    kinds = [frame["type"] for frame in frames]
    assert [kinds.count(kind) for kind in ("orderbook_delta", "ticker", "trade")] == [
        last[name] for name in ("deltas", "tickers", "trades")
    ]


def test_every_sid_counts_its_frames_without_a_hole(small):
    session = json.loads((small / "session.json").read_text())
    frames = [json.loads(each) for each in messages_of(small)]
    for kind, first in (("orderbook_delta", session["snapshot_seqs"] + 1), ("trade", 1)):
        seqs = [frame["seq"] for frame in frames if frame["type"] == kind]
        assert seqs == list(range(first, first + len(seqs)))


def test_the_same_seed_makes_the_same_frames(folder, tmp_path):
    size = Size(500, 100, markets=20)
    one, other = (prepare(size, place) / "frames.bin" for place in (folder, tmp_path))
    assert one.read_bytes() == other.read_bytes()
    different = prepare(Size(500, 100, markets=20, seed=8), tmp_path) / "frames.bin"
    assert different.read_bytes() != one.read_bytes()


@pytest.mark.parametrize("client", ["naive", "kit"])
def test_a_client_takes_in_every_message_and_comes_to_the_right_books(client, small):
    with sending(small) as sender:
        measured = measure(sender, small, client, deltas=True, pipelines=["trade"])
    assert measured.wrong == {}
    assert measured.messages == 3_000
    assert measured.seconds > 0
    assert measured.cpu > 0


def test_a_book_that_is_not_the_generators_is_told(small, tmp_path):
    for each in small.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    session = json.loads((small / "session.json").read_text())
    session["parts"][1]["quantity"] += 1
    (tmp_path / "session.json").write_text(json.dumps(session))
    with sending(tmp_path) as sender:
        measured = measure(sender, tmp_path, "kit")
    assert list(measured.wrong) == ["quantity"]


def _tiny_more(patch):
    """One case of each kind is enough to see that it works; a kernel alone takes seconds to start."""
    patch.setattr(latency, "RATES", {5_000: 50_000})
    patch.setattr(latency, "CELLS", {"computes": {"busy": True}})
    patch.setattr(latency, "FASTER", {})
    patch.setattr(growth, "MARKETS", (10, 1_000))
    patch.setattr(growth, "WINDOWS", (1_000, 200_000))
    patch.setattr(bulk, "SIZES", (2_000,))
    (name, (usual, (compression, line, options, more), encrypted, *_)), *_ = variants.VARIANTS
    compressed = compression, line, options | {"max_queue": 16, "read": 2**16}, more
    patch.setattr(variants, "VARIANTS", ((name, (usual, compressed, encrypted)),))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What measurements found, each made when it is first asked for."""
    with pytest.MonkeyPatch.context() as patch:
        _tiny_more(patch)

        @cache
        def found(name):
            settings = Settings(folder=tmp_path_factory.mktemp(name), rounds=1, scale=TINY, quiet=True)
            if name in running.NAMES:
                return import_module(f"tests.benchmarks.more.{name}").measure_all(settings)
            module = import_module(f"tests.benchmarks.rows.{name}")
            return module.measure_rows(settings, ROWS.get(name, module.ROWS))

        yield found


@pytest.mark.parametrize("name", some(MODULES, DAILY))
def test_every_row_can_be_measured(name, measured):
    found = measured(name)
    assert {each.row for each in found} == set(ROWS.get(name) or import_module(f"tests.benchmarks.rows.{name}").ROWS)
    for each in found:
        assert each.wrong == {}
        assert each.values or each.why_not
        assert all(value > 0 for value in each.values)
    assert len(report.table(found).splitlines()) == 2 + len(found)
    assert bool(report.absolutes(found)) == any(each.notes for each in found)


@pytest.mark.parametrize("name", some(running.NAMES, DAILY))
def test_what_is_measured_besides_the_rows_comes_to_the_right_books_and_makes_a_table(name, measured, tmp_path):
    found = measured(name)
    module = import_module(f"tests.benchmarks.more.{name}")
    count = {"latency": 4, "growth": 4, "bulk": 4, "variants": 3}[name]
    assert len(found) == count
    for each in found:
        assert each.wrong == {}
        assert len(each.values) == 1
        assert each.value > 0
    lines = module.text(found, Settings(folder=tmp_path, rounds=1)).splitlines()
    assert len(lines) == 2 + (1 if name == "latency" else count)
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.matrix
def test_the_plot_says_every_median(measured, tmp_path):
    found = measured("growth")
    growth.after_writing(found, tmp_path / "plot.svg")
    plot = ET.parse(tmp_path / "plot.svg")
    words = [each.text for each in plot.iter("{http://www.w3.org/2000/svg}text")]
    for each in found:
        assert f"{each.value:.1f}" in words


def test_a_latency_ends_when_a_frame_is_first_seen():
    handed = [at * 1_000_000 for at in (0, 1, 2, 3, 10)]
    # Of the frames 1, 3 and 4, one had been seen after 5 ms and all after 12.
    assert latency.latencies(handed, [1, 3, 4], [(5_000_000, 1), (12_000_000, 3)]) == [2.0, 4.0, 9.0]
    with pytest.raises(ValueError, match="1 of 3 were never seen"):
        latency.latencies(handed, [1, 3, 4], [(5_000_000, 1), (12_000_000, 2)])


def test_quantiles_are_of_the_values_themselves():
    assert [tables.quantile(list(range(1, 101)), share) for share in (50, 99)] == [51, 100]
    assert tables.quantile([7.0], 99) == 7.0


def test_compressed_frames_hold_the_same_messages(tmp_path):
    plain = prepare(Size(400, 100, markets=20), tmp_path)
    place, inflate = deflated(plain), inflating()
    assert json.loads((place / "session.json").read_text())["extension"] == EXTENSION
    assert [inflate(each) for each in messages_of(place)] == messages_of(plain)
    assert (place / "frames.bin").stat().st_size < (plain / "frames.bin").stat().st_size / 2


def test_only_its_own_part_of_the_page_is_written(tmp_path):
    page = tmp_path / "performance.md"
    one, other = tables.markers("latency"), tables.markers("growth")
    page.write_text(f"before\n{one[0]}\nold\n{one[1]}\nbetween\n{other[0]}\nkept\n{other[1]}\n")
    tables.write_block("latency", "new", page)
    assert page.read_text() == f"before\n{one[0]}\n\nnew\n\n{one[1]}\nbetween\n{other[0]}\nkept\n{other[1]}\n"
    with pytest.raises(SystemExit, match="lacks the markers"):
        tables.write_block("variants", "new", page)


def test_the_page_has_a_place_for_everything_that_is_written():
    page = report.PAGE.read_text()
    for marker in (report.BEGIN, report.END, *(each for name in running.NAMES for each in tables.markers(name))):
        assert page.count(marker) == 1


@pytest.mark.parametrize("words", [["0"], ["22"], ["speed"], ["1", "latency"]])
def test_what_cannot_be_measured_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert "error:" in capsys.readouterr().err


def test_a_median_holds_its_bar_or_is_within_the_scatter_or_falls_short():
    def verdict(bar, *values, **more):
        return Finding(1, "", bar, values=list(values), **more).verdict

    assert verdict(at_least(1.1, 0.95), 0.2, 1.1, 5) == "met"
    assert verdict(at_least(1.1, 0.95), 0.2, 0.96, 5) == "within the scatter"
    assert verdict(at_least(1.1, 0.95), 0.2, 0.94, 5) == "FALLS SHORT"
    assert verdict(at_most(0.2), 0.2) == "met"
    assert verdict(at_most(0.2), 0.22) == "within the scatter"
    assert verdict(at_most(0.2), 0.24) == "FALLS SHORT"
    assert verdict(at_most(0.2), 0.1, wrong={"levels": [1, 2]}) == "wrong result"
    assert verdict(at_most(0.2), why_not="not available: no") == "not available: no"


def test_only_what_stands_between_the_markers_is_written(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    settings = Settings(folder=tmp_path, rounds=1)
    report.write_page([Finding(6, "decode", at_least(5), values=[7.0, 8.0, 9.0])], settings, page)
    written = page.read_text()
    assert written.startswith(f"before\n{report.BEGIN}")
    assert written.endswith(f"{report.END}\nafter\n")
    assert "| 6 | decode | ≥ 5 | 8.00 | 7.00 to 9.00 |  | met |" in written
    assert "old" not in written


def test_a_run_says_by_its_status_whether_a_bar_was_missed(monkeypatch, capsys):
    found = [Finding(6, "decode", at_least(5), values=[4.9])]
    monkeypatch.setattr("tests.benchmarks.__main__.measure", lambda settings, rows: found)
    assert main(["6", "--quiet"]) == 0
    found[0].values = [4.0]
    assert main(["6", "--quiet"]) == 1
    assert "FALLS SHORT" in capsys.readouterr().err


def test_the_mix_is_what_was_asked_for(folder):
    place = prepare(Size(400, 0, markets=20, mix=Mix(0, 1, 0)), folder)
    assert {json.loads(each)["type"] for each in messages_of(place)} == {"ticker"}
