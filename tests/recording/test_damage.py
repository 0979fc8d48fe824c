"""Files that were cut, flipped or overwritten: what is handed out was recorded, in its order, and the rest is said."""

from random import Random

import pytest

from kalshi_nb._recording.lock import FolderLock
from kalshi_nb._recording.reading import Report, Segments
from kalshi_nb._recording.segment import Limits
from kalshi_nb._rows.heard import LOSSES, Event
from tests.recording.items import some_items
from tests.recording.test_segments import written

ITEMS = some_items(500, seed=3)
NOT_CLOSED = "nobody closed it"
LAST_SECOND = "what came in its last second may be missing"
LIMITS = Limits(piece=2_000, frame=8_000, frame_us=10**12, segment=10**9)


@pytest.fixture(params=[True, False], ids=["sealed", "not sealed"])
def file(request, tmp_path):
    written(tmp_path, ITEMS, limits=LIMITS, seal=request.param, held=False)
    return next(tmp_path.rglob("*.jsonl.zst*"))


def read(path, **options):
    """Read a damaged file: what it has of the items, and what it said is missing but that nobody closed it."""
    report = Report()
    got = list(Segments(path).items(report=report, **options))
    losses = [each for each in got if isinstance(each, Event) and each.kind in LOSSES]
    assert len(losses) == len(report.damages)
    kept = [each for each in got if each not in losses]
    # An item names itself by its time: in its order, none twice, each as it was.
    assert [by_time[each.at] for each in kept] == kept
    assert [each.at for each in kept] == sorted({each.at for each in kept})
    assert [each.at for each in got] == sorted(each.at for each in got)
    return kept, [each for each in report.damages if not each.text.startswith(NOT_CLOSED)]


by_time = {each.at: each for each in ITEMS}
OLDEST = ITEMS[0].at


def test_an_undamaged_file_says_nothing(file):
    assert read(file) == (ITEMS, [])


def test_a_file_that_nobody_closed_and_nobody_writes_says_what_that_may_have_cost(file):
    sealed, folder = file.suffix != ".part", file.parents[1]
    report = Segments(file).check()
    assert [each.text for each in report.damages] == [] if sealed else [f"{NOT_CLOSED}: {LAST_SECOND}"]
    lock = FolderLock(folder)
    assert Segments(file).check().damages == []
    lock.release()
    assert Segments(file).check() == report


def test_a_cut_costs_what_is_after_the_last_mark_before_it(file):
    whole = file.read_bytes()
    random, had = Random(5), []
    for cut in sorted(random.randrange(len(whole)) for _ in range(100)):
        file.write_bytes(whole[:cut])
        kept, damages = read(file)
        assert kept == ITEMS[: len(kept)]
        if len(kept) < len(ITEMS):
            # One that nobody closed, cut right behind a mark, is as if it were written still: nothing says it is torn.
            written = file.suffix == ".part" and not damages
            assert written or [each.kind for each in damages] == ["torn"]
        had.append(len(kept))
    assert had == sorted(had)
    assert had[-1] > len(ITEMS) * 0.9


def test_a_flipped_bit_costs_a_frame_and_hands_out_nothing_wrong(file):
    whole = file.read_bytes()
    random, costs = Random(7), []
    for _ in range(100):
        place = random.randrange(len(whole))
        broken = bytearray(whole)
        broken[place] ^= 1 << random.randrange(8)
        file.write_bytes(broken)
        kept, damages = read(file)
        assert damages or kept == ITEMS
        costs.append(len(ITEMS) - len(kept))
        if len(costs) % 5:
            continue
        seek, _ = read(file, start=OLDEST, types=frozenset({"trade", "ticker", "orderbook_delta"}))
        assert seek == kept
    assert sorted(costs)[50] > 0
    assert max(costs) < len(ITEMS) * 0.25


def test_zeros_after_a_loss_of_power_are_the_end(file):
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    kept, damages = read(file)
    assert kept == ITEMS[: len(kept)]
    assert len(ITEMS) * 0.3 < len(kept) < len(ITEMS) * 0.6
    assert [each.kind for each in damages] == ["torn"]
    assert damages[0].size > len(whole) * 0.4


def test_a_hole_in_the_middle_is_said_with_what_it_cost(file):
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 1_000] = bytes(1_000)
    file.write_bytes(whole)
    kept, damages = read(file)
    assert kept[0] == ITEMS[0]
    assert kept[-1] == ITEMS[-1]
    assert {each.kind for each in damages} == {"unreadable"}
    missing = {each.at for each in ITEMS} - {each.at for each in kept}
    lost = sum(1 + len(getattr(by_time[at], "messages", ())) for at in missing)
    assert sum(each.lines for each in damages) == lost
    assert sum(each.size for each in damages) >= 1_000


def test_a_damaged_index_costs_nothing(tmp_path):
    written(tmp_path, ITEMS, limits=LIMITS)
    file = next(tmp_path.rglob("*.jsonl.zst"))
    whole = file.read_bytes()
    for back in (1, 9, 20, 200):
        broken = bytearray(whole)
        broken[-back] ^= 255
        file.write_bytes(broken)
        assert read(file) == (ITEMS, [])
        assert Segments(file).info().messages == Segments(file).info().messages


@pytest.mark.parametrize("content", [b"", b"\0" * 5_000, b"not a recording\n" * 500], ids=["empty", "zeros", "text"])
def test_a_file_of_nothing_is_read_as_nothing(tmp_path, content):
    written(tmp_path, ITEMS, limits=LIMITS)
    file = next(tmp_path.rglob("*.jsonl.zst"))
    file.write_bytes(content)
    kept, damages = read(file)
    assert kept == []
    assert [each.kind for each in damages] == ["torn"]
