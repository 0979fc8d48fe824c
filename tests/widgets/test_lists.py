"""What a page has of a list after any messages is what the kernel has, but for what it was told is left out."""

from random import Random

import pytest

from kalshi_nb._widgets.lists import MOST_NEW, grown


def lines(*keys):
    return [(str(key), 0) for key in keys]


def applied(page, sent, length):
    """What a page makes of a message: new lines on top, those that it has in their places."""
    news = {line[0]: line for line in sent}
    kept = [news.pop(line[0], line) for line in page]
    return [*news.values(), *kept][:length]


@pytest.mark.parametrize("seed", range(20))
def test_a_list_that_grows_and_changes_is_the_same_on_the_page(seed):
    random = Random(seed)
    page, before, number = [], [], 0
    for _ in range(300):
        now = [(key, value + (random.random() < 0.1)) for key, value in before]
        came = random.choice([0, 0, 1, 2, 7, MOST_NEW])
        now = [*((f"k{number + i}", 0) for i in reversed(range(came))), *now][: random.choice([40, 60])]
        found = grown(before, now, came)
        number += came
        if found is None:
            page = now
        else:
            assert found.more == 0
            page = applied(page, found.lines, found.length)
        assert page == now
        before = now


def test_of_more_new_lines_than_a_message_has_the_rest_is_counted():
    now = lines(*range(102, 0, -1))
    found = grown(lines(2, 1), now, 100)
    assert found == (now[:MOST_NEW], 70, 102)


def test_where_none_of_the_old_lines_is_left_those_that_nobody_has_are_counted_too_and_the_old_ones_go():
    found = grown(lines(2, 1), lines(*range(1000, 800, -1)), 998)
    assert (len(found.lines), found.more, found.length) == (30, 968, 31)
    assert grown(lines(3, 2, 1), lines(), 0) == ([], 0, 0)
    assert grown(lines(3, 2, 1), lines(9), 1) == (lines(9), 0, 1)


def test_a_line_in_between_has_all_of_it_sent_anew():
    assert grown(lines(3, 1), lines(3, 2, 1), 1) is None


def test_nothing_new_is_nothing_to_send():
    assert grown(lines(2, 1), lines(2, 1), 0) == ([], 0, 2)
    assert grown([], [], 0) == ([], 0, 0)
