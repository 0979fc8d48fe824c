"""The ladder of two dictionaries, caught in the middle of a change, as another thread may see it."""

import threading

import pytest

from kalshi_nb._rows.ladders import Top
from kalshi_nb._session.ladder import PlainLadder


@pytest.fixture(scope="module", autouse=True)
def way():
    """There is one way here: nothing else has an inside like this."""


def test_a_reader_waits_for_a_snapshot_that_is_being_laid_in():
    ladder = PlainLadder("KXA-1")
    ladder.replace({100: 1}, {}, 1)
    for read, whole in ((ladder.top, Top(200, 2, 0, 0)), (ladder.levels, ([(200, 2)], []))):
        ladder.version = -1
        found = []
        reader = threading.Thread(target=lambda found=found, read=read: found.append(read()), daemon=True)
        reader.start()
        reader.join(0.05)
        assert found == []
        ladder.version = 5
        ladder.replace({200: 2}, {}, 2)
        reader.join(10)
        # It read before or after the snapshot that followed, and nothing in between.
        assert found[0] in (whole, Top(100, 1, 0, 0), ([(100, 1)], []), Top(200, 2, 0, 0), ([(200, 2)], []))


def test_a_reader_waits_for_the_successor_of_a_best_level_just_taken_away():
    ladder = PlainLadder("KXA-1")
    ladder.replace({100: 1, 200: 2}, {}, 1)
    del ladder.yes[200]  # the first half of a change, as another thread may see it
    found = []
    reader = threading.Thread(target=lambda: found.append(ladder.top()), daemon=True)
    reader.start()
    reader.join(0.05)
    assert found == []
    ladder._best_yes = 100
    reader.join(10)
    assert found == [Top(100, 1, 0, 0)]


def test_a_reader_begins_again_when_the_version_moved_meanwhile():
    class Moving(dict):
        """A side that changes while it is read, twice."""

        moves = 2

        def copy(self):
            self.move()
            return dict(self)

        def get(self, price, default=0):
            self.move()
            return super().get(price, default)

        def move(self):
            if self.moves:
                self.moves -= 1
                ladder.version += 1
                self[100] += 1

    ladder = PlainLadder("KXA-1")
    ladder.replace(Moving({100: 1}), {}, 1)
    assert ladder.top() == Top(100, 3, 0, 0)
    ladder.replace(Moving({100: 1}), {}, 1)
    assert ladder.levels() == ([(100, 3)], [])
