"""Names that many rows share are plain text, and are kept once."""

import random
import threading

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.names import SharedNames
from tests.frames.making import trade

TICKERS = [f"KXSERIES{number % 40}-26NOV{number:05}-B{number % 100}.5" for number in range(500)]


def text_bytes(column):
    """How much memory the texts of a column take, beside the places where they lie."""
    arrow = column.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    return sum(each.size for each in arrow.buffers()[2:] if each is not None)


def rows_of(count, chosen):
    return ["".join(chosen.choice(TICKERS)) for _ in range(count)]


@given(st.lists(st.lists(st.none() | st.text(max_size=20), max_size=40), max_size=6))
def test_a_column_is_what_was_asked_for_whatever_came_before(batches):
    names = SharedNames(most=50)
    for values in batches:
        for _ in range(2):
            many = values * 20
            column = names.column("market_ticker", many)
            assert column.to_list() == many
            assert (column.name, column.dtype) == ("market_ticker", pl.String)
        assert len(names) <= 50


def test_a_hundred_thousand_rows_keep_each_name_once():
    names, chosen = SharedNames(), random.Random(1)
    for _ in range(5):
        names.column("x", rows_of(1_024, chosen))
    parts = [names.column("x", rows_of(1_024, chosen)) for _ in range(98)]
    joined = pl.concat(parts, rechunk=True)
    assert text_bytes(joined) == sum(map(len, TICKERS))
    assert joined.n_unique() == 500


def test_names_that_are_seldom_seen_are_known_in_the_end():
    names = SharedNames()
    for _ in range(3):
        names.column("x", TICKERS)
    names.column("x", [*TICKERS, "KXRARE-1"])
    for _ in range(2):
        column = names.column("x", [*TICKERS, "KXRARE-1"])
    assert len(names) == 501
    assert text_bytes(column) == sum(map(len, TICKERS)) + len("KXRARE-1") * (len("KXRARE-1") > 12)


def test_names_without_end_are_forgotten_again():
    names = SharedNames(most=1_000)
    for number in range(100):
        invented = [f"invented-{number}-{each}" for each in range(300)]
        assert names.column("x", invented).to_list() == invented
        assert len(names) <= 1_000
    endless = [f"invented-{each}" for each in range(5_000)]
    names.column("x", endless)
    assert len(names) <= 1_000


def test_many_threads_may_ask_and_learn_at_once():
    names, wrong = SharedNames(most=2_000), []

    def ask(seed):
        chosen = random.Random(seed)
        for number in range(60):
            values = [f"KX-{chosen.randrange(50 * (number + 1))}-{seed % 2}" for _ in range(300)]
            if names.column("x", values).to_list() != values:
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=[seed]) for seed in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


@pytest.mark.parametrize("count", [1, 255, 256, 2_000])
def test_frames_of_any_size_have_plain_text_that_joins_and_compares(count):
    rows = [trade(number, TICKERS[number % 500]) for number in range(count)]
    for _ in range(3):
        df = Batch("trade", rows).df()
        assert df["market_ticker"].to_list() == [row[1] for row in rows]
        other = pl.DataFrame({"market_ticker": [TICKERS[0]]})
        assert df.join(other, on="market_ticker").height == -(-count // 500)
        assert df.filter(pl.col("market_ticker") == TICKERS[0]).height == -(-count // 500)
