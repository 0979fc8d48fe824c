"""What a program, and not a hand, may pass: numbers of other libraries, numbers that are none, columns, arrays."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import kalshi_nb as kn
from kalshi_nb import errors

MARKET = "KXHIGHNY-26NOV22-B52.5"


def refused(ask, match):
    """Check that a call is refused by one typed error of one sentence or two, in which no object stands raw."""
    with pytest.raises(kn.KalshiError, match=match) as caught:
        ask()
    text = str(caught.value)
    assert isinstance(caught.value, (ValueError, TypeError, KeyError, errors.SimulationError, errors.PipelineError))
    assert "\n" not in text
    assert "object at 0x" not in text
    assert len(text) < 600
    assert text.isprintable()


# Numbers --------------------------------------------------------------------------------------------------

TIMES = {
    "trades(seconds=)": lambda feed, it: feed.trades(seconds=it),
    "rolling_frame(seconds=)": lambda feed, it: feed.stream("trade").rolling_frame(seconds=it),
    "frame.wait(timeout=)": lambda feed, it: feed.trades().wait(timeout=it),
    "book.wait(timeout=)": lambda feed, it: feed.book(MARKET).wait(timeout=it),
    "books.wait(timeout=)": lambda feed, it: feed.books([MARKET]).wait(timeout=it),
    "flush(timeout=)": lambda feed, it: feed.flush(timeout=it),
    "since()": lambda feed, it: feed.trades().since(it),
    "wide(every=)": lambda feed, it: feed.trades().wide("yes_price", every=it),
    "resample(every=)": lambda feed, it: feed.trades().resample(it),
    "plot_price(bars=)": lambda feed, it: feed.trades().plot_price(bars=it),
    "bars()": lambda feed, it: feed.stream("trade").bars(it),
    "throttle()": lambda feed, it: feed.stream("trade").throttle(it),
    "connect(timeout=)": lambda feed, it: kn.connect(feed.exchange, timeout=it),
    "connect(flush_interval=)": lambda feed, it: kn.connect(feed.exchange, flush_interval=it),
    "options.max_hz": lambda feed, it: setattr(kn.options, "max_hz", it),
    "widget(max_hz=)": lambda feed, it: feed.trades().widget(max_hz=it),
    "advance()": lambda feed, it: feed.exchange.advance(it),
    "faults.stall()": lambda feed, it: feed.exchange.faults.stall(it),
    "faults.delay()": lambda feed, it: feed.exchange.faults.delay(it),
    "Exchange(speed=)": lambda feed, it: kn.sim.Exchange(speed=it),
    "Exchange(closes_in=)": lambda feed, it: kn.sim.Exchange(closes_in=it),
}
COUNTS = {
    "trades(rows=)": lambda feed, it: feed.trades(rows=it),
    "frame(latest_keys=)": lambda feed, it: feed.frame("trade", latest_keys=it),
    "rolling_frame(latest_keys=)": lambda feed, it: feed.stream("trade").rolling_frame(latest_keys=it),
    "wait(rows=)": lambda feed, it: feed.trades().wait(rows=it),
    "wait(new=)": lambda feed, it: feed.trades().wait(new=it),
    "rfqs(shard_factor=)": lambda feed, it: feed.rfqs(shard_factor=it),
    "rfqs(shard_key=)": lambda feed, it: feed.rfqs(shard_factor=2, shard_key=it),
    "depth()": lambda feed, it: feed.book(MARKET).depth(it),
    "plot_depth()": lambda feed, it: feed.book(MARKET).plot_depth(it),
    "widget(levels=)": lambda feed, it: feed.book(MARKET).widget(it),
    "connect(connections=)": lambda feed, it: kn.connect(feed.exchange, connections=it),
    "connect(max_pending_rows=)": lambda feed, it: kn.connect(feed.exchange, max_pending_rows=it),
}
NO_NUMBERS = {
    "numpy's length of time": np.timedelta64(5, "s"),
    "numpy's moment": np.datetime64("2026-01-01"),
    "larger than any float": 10**400,
    "longer than any text": 10**5_000,
    "array": np.array([1, 2]),
    "nan": float("nan"),
    "truth value": True,
    "numpy's truth value": np.True_,
    "complex": 1j,
    "class": int,
    "list": [],
    "bytes": b"5",
    "Decimal that is none": Decimal("nan"),
}


@pytest.mark.parametrize("call", TIMES)
def test_what_is_no_length_of_time_is_refused_in_a_sentence(feed, call):
    for value in NO_NUMBERS.values():
        refused(
            lambda value=value: TIMES[call](feed, value), "seconds|length of time|calendar|a view|speed=|closes_in="
        )


@pytest.mark.parametrize("call", COUNTS)
def test_what_is_no_count_is_refused_in_a_sentence(feed, call):
    for value in NO_NUMBERS.values():
        refused(lambda value=value: COUNTS[call](feed, value), "=")


def test_what_is_no_distance_is_refused_in_a_sentence(feed):
    for value in (*NO_NUMBERS.values(), Decimal("sNaN"), Decimal("inf")):
        refused(lambda value=value: feed.book(MARKET).depth_within(value), "give dollars from 0 to 1")


def test_numbers_of_other_libraries_are_numbers(feed):
    number = np.int64(5)
    assert "keeps 5 rows" in repr(feed.trades(rows=number))
    assert "keeps 5 s" in repr(feed.trades(seconds=number))
    assert "keeps 0.5 s" in repr(feed.trades(seconds=np.float32(0.5)))
    assert feed.frame("trade", latest_keys=number).dropped_keys == 0
    assert feed.rfqs(shard_factor=number, shard_key=np.int64(1)) is feed.rfqs(shard_factor=5, shard_key=1)
    assert repr(feed.stream("trade").throttle(number)) == "<throttle: 5 s>"
    assert feed.trades().since(number).height == 0
    with kn.connect(feed.exchange, new=True, timeout=number, max_pending_rows=number, connections=number) as other:
        assert other.options.connections == 5
        assert other.options.max_pending_rows == 5


def test_a_distance_may_be_exact(feed, exchange):
    book = feed.book(MARKET).wait()
    assert book.depth_within(Decimal("0.05")) == book.depth_within(0.05) == book.depth_within(np.float64(0.05))


# Yes and no -----------------------------------------------------------------------------------------------

FLAGS = {
    **{
        f"{name}({flag}=)": lambda feed, it, name=name, flag=flag: getattr(feed, name)(**{flag: it})
        for name in ("trades", "tickers", "fills", "orders", "positions", "order_groups", "lifecycle", "rfqs")
        for flag in ("exact", "gaps")
    },
    "deltas(exact=)": lambda feed, it: feed.deltas(MARKET, exact=it),
    "deltas(gaps=)": lambda feed, it: feed.deltas(MARKET, gaps=it),
    "quotes(exact=)": lambda feed, it: feed.quotes(MARKET, exact=it),
    "lifecycle(multivariate=)": lambda feed, it: feed.lifecycle(multivariate=it),
    "index_values(five_hz=)": lambda feed, it: feed.index_values("BRTI", five_hz=it),
    "index_values(exact=)": lambda feed, it: feed.index_values("BRTI", exact=it),
    "frame(gaps=)": lambda feed, it: feed.frame("quotes", MARKET, gaps=it),
    "stream(exact=)": lambda feed, it: feed.stream("trade", exact=it),
    "messages(gaps=)": lambda feed, it: feed.messages("trade", gaps=it),
    "on(gaps=)": lambda feed, it: feed.on("trade", gaps=it)(print),
    "listen(gaps=)": lambda feed, it: feed.listen("trade", gaps=it),
    "stream(backfill=)": lambda feed, it: feed.stream("trade", backfill=it),
    "messages(backfill=)": lambda feed, it: feed.messages("trade", backfill=it),
    "on(backfill=)": lambda feed, it: feed.on("trade", backfill=it)(print),
    "listen(backfill=)": lambda feed, it: feed.listen("trade", backfill=it),
    "connect(new=)": lambda feed, it: kn.connect(feed.exchange, new=it),
    "widget(grid=)": lambda feed, it: feed.book(MARKET).widget(grid=it),
    "snapshot(private=)": lambda feed, it: feed.book(MARKET)._live_view().snapshot(private=it),
    "Exchange(compression=)": lambda feed, it: kn.sim.Exchange(compression=it),
    "publish(own=)": lambda feed, it: feed.exchange.publish("trade", "trade", {}, own=it),
    "publish(check=)": lambda feed, it: feed.exchange.publish("trade", "trade", {}, check=it),
    "faults.plan(answers=)": lambda feed, it: feed.exchange.faults.plan(1, answers=it),
    "faults.stall(pongs=)": lambda feed, it: feed.exchange.faults.stall(pongs=it),
    "faults.add_fields(on=)": lambda feed, it: feed.exchange.faults.add_fields(on=it),
    "faults.prefer_yes_prices(on=)": lambda feed, it: feed.exchange.faults.prefer_yes_prices(on=it),
    "faults.drop_connections(inside_a_frame=)": lambda feed, it: feed.exchange.faults.drop_connections(
        inside_a_frame=it
    ),
}
NO_FLAGS = {
    "text": "no",
    "number": 1,
    "zero": 0,
    "list": [],
    "dict": {},
    "array": np.array([True, False]),
    "Series": pl.Series([True]),
    "polars frame": pl.DataFrame({"a": [1]}),
    "expression": pl.col("x"),
    "pandas Series": pd.Series([True]),
    "pandas NA": pd.NA,
}


@pytest.mark.parametrize("call", FLAGS)
def test_what_is_neither_true_nor_false_is_no_flag(feed, call):
    before = feed.pipelines
    for value in NO_FLAGS.values():
        refused(lambda value=value: FLAGS[call](feed, value), "True or False")
    assert feed.pipelines == before


def test_truth_values_of_numpy_are_flags(feed):
    assert feed.trades(exact=np.True_) is feed.trades(exact=True)
    assert feed.trades(gaps=np.False_) is feed.trades()
    assert kn.connect(feed.exchange, new=np.False_) is feed


# Texts and lists of them ----------------------------------------------------------------------------------

COLUMNS = {
    "Series": pl.Series(["x", "y"]),
    "Series of numbers": pl.Series([1]),
    "polars frame": pl.DataFrame({"a": ["x"], "b": ["y"]}),
    "expression": pl.col("x"),
    "pandas Series": pd.Series(["x", "y"]),
    "pandas frame": pd.DataFrame({"a": ["x"]}),
    "pandas NA": pd.NA,
    "pandas NaT": pd.NaT,
    "array": np.array(["x", "y"]),
    "array of two dimensions": np.array([[1, 2], [3, 4]]),
    "array of none": np.array("x"),
    "number of numpy's": np.int64(5),
    "moment of numpy's": np.datetime64("2026-01-01"),
    "class": int,
    "list in a list": [["x"]],
}
TEXTS = {
    "wide()": lambda feed, it: feed.trades().wide(it, every="1s"),
    "levels()": lambda feed, it: feed.book(MARKET).levels(it),
    "plot_price()": lambda feed, it: feed.trades().plot_price(it),
    "book()": lambda feed, it: feed.book(it),
    "event()": lambda feed, it: feed.event(it),
    "board()": lambda feed, it: feed.board(it),
    "dashboard()": lambda feed, it: feed.dashboard(it),
    "dashboard(panels=)": lambda feed, it: feed.dashboard(MARKET, panels=it),
    "frame(channel)": lambda feed, it: feed.frame(it),
    "stream(channel)": lambda feed, it: feed.stream(it),
    "stream(name=)": lambda feed, it: feed.stream("trade", name=it),
    "index_ids()": lambda feed, it: feed.index_ids(it),
    "rfqs(user_filter=)": lambda feed, it: feed.rfqs(user_filter=it),
    "latest_by()": lambda feed, it: feed.stream("trade").latest_by(it),
    "rolling_frame(by=)": lambda feed, it: feed.stream("trade").rolling_frame(by=it),
    "join_asof()": lambda feed, it: feed.stream("trade").join_asof(it),
    "connect()": lambda feed, it: kn.connect(it),
    "connect(key_id=)": lambda feed, it: kn.connect(feed.exchange.url, key_id=it, private_key=KEY),
    "connect(private_key=)": lambda feed, it: kn.connect(feed.exchange.url, key_id="i", private_key=it),
    "connect(transport=)": lambda feed, it: kn.connect(feed.exchange, transport=it),
    "connect(proxy=)": lambda feed, it: kn.connect(feed.exchange, proxy=it),
    "connect(ssl=)": lambda feed, it: kn.connect(feed.exchange, ssl=it),
    "options.timezone": lambda feed, it: setattr(kn.options, "timezone", it),
    "options.theme": lambda feed, it: setattr(kn.options, "theme", it),
    "widget(side=)": lambda feed, it: feed.book(MARKET).widget(side=it),
    "widget(view=)": lambda feed, it: feed.widget(view=it),
    "widget(sort=)": lambda feed, it: feed.tickers().widget(sort=it),
    "widget(columns=)": lambda feed, it: feed.tickers().widget(columns=it),
    "show()": lambda feed, it: kn.show(it),
    "write_csv()": lambda feed, it: feed.trades().write_csv(it),
    "complete()": lambda feed, it: feed.trades().complete(it),
    "Exchange(clock=)": lambda feed, it: kn.sim.Exchange(clock=it),
    "Exchange(era=)": lambda feed, it: kn.sim.Exchange(era=it),
    "Exchange(seed=)": lambda feed, it: kn.sim.Exchange(seed=it),
    "Exchange(port=)": lambda feed, it: kn.sim.Exchange(port=it),
    "Exchange(start=)": lambda feed, it: kn.sim.Exchange(start=it),
    "Exchange(unknown_markets=)": lambda feed, it: kn.sim.Exchange(unknown_markets=it),
    "from_frames()": lambda feed, it: kn.sim.Exchange.from_frames(it),
    "publish(channel)": lambda feed, it: feed.exchange.publish(it, "trade", {}),
    "publish(type)": lambda feed, it: feed.exchange.publish("trade", it, {}),
    "publish(msg)": lambda feed, it: feed.exchange.publish("trade", "trade", it),
    "add_key()": lambda feed, it: feed.exchange.add_key(it, KEY.public_key()),
}
NAMES = {
    "trades()": lambda feed, it: feed.trades(it),
    "deltas()": lambda feed, it: feed.deltas(it),
    "quotes()": lambda feed, it: feed.quotes(it),
    "fills()": lambda feed, it: feed.fills(it),
    "index_values()": lambda feed, it: feed.index_values(it),
    "frame()": lambda feed, it: feed.frame("ticker", it),
    "stream()": lambda feed, it: feed.stream("trade", it),
    "messages()": lambda feed, it: feed.messages("trade", it),
    "on()": lambda feed, it: feed.on("trade", it),
    "listen()": lambda feed, it: feed.listen("trade", it),
    "when()": lambda feed, it: feed.when(lambda top: True, print, it),
    "books()": lambda feed, it: feed.books(it),
    "event(market_tickers)": lambda feed, it: feed.event("KXHIGHNY-26NOV22", it),
}
KEY = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize("call", TEXTS)
def test_what_is_no_text_is_refused_in_a_sentence(feed, exchange, call):
    exchange.advance(2)
    for name, value in COLUMNS.items():
        if not (call == "Exchange(port=)" and name == "number of numpy's"):
            refused(lambda value=value: TEXTS[call](feed, value), ".")


@pytest.mark.parametrize("call", NAMES)
def test_what_names_no_markets_is_refused_in_a_sentence(feed, call):
    of_text = ("Series", "pandas Series", "array", "pandas frame")
    for name, value in COLUMNS.items():
        if name not in of_text:
            refused(
                lambda value=value: NAMES[call](feed, value),
                "is text such as|needs the tickers|stands where|and then the markets",
            )


@pytest.mark.parametrize("call", ["trades()", "books()", "stream()", "when()"])
@pytest.mark.parametrize(
    "several",
    [pl.Series([MARKET]), pd.Series([MARKET]), np.array([MARKET]), pd.Index([MARKET]), {MARKET: 1}],
    ids=lambda it: f"{type(it).__module__.partition('.')[0]} {type(it).__name__}",
)
def test_columns_name_markets(feed, call, several):
    assert NAMES[call](feed, several)


def test_panels_are_named_by_anything_that_is_gone_through_once(feed):
    for panels in ((each for each in ("tape", "ladder")), pl.Series(["ladder", "tape"]), np.array(["ladder", "tape"])):
        assert feed.dashboard(MARKET, panels=panels).panels == ("ladder", "tape")
    refused(lambda: feed.dashboard(MARKET, panels=()), "at least one")


# Texts that no terminal should get ------------------------------------------------------------------------

HOSTILE = {
    "half a character": "KX\ud800",
    "very long": "K" * 100_000,
    "turns the line round": "KX\u202eX",
    "steers the terminal": "KX\x1b[31mX",
    "zero": "KX\x00X",
    "bell": "KX\x07",
}
SAID = {
    "event()": lambda feed, it: feed.event(it),
    "event(lower case)": lambda feed, it: feed.event(it.lower()),
    "board(sort=)": lambda feed, it: feed.board(sort=it),
    "wide()": lambda feed, it: feed.trades().wide(it, every="1s"),
    "frame(channel)": lambda feed, it: feed.frame(it),
    "connect()": lambda feed, it: kn.connect(it),
    "options.theme": lambda feed, it: setattr(kn.options, "theme", it),
    "books()": lambda feed, it: feed.books([MARKET])[it],
    "write_csv() into a file": lambda feed, it: feed.trades().write_csv(f"{__file__}/{it}"),
    "write_parquet() elsewhere": lambda feed, it: feed.trades().write_parquet(f"nowhere://bucket/{it}"),
    "write_ipc() of a computer": lambda feed, it: feed.trades().write_ipc(f"file://{it}/x"),
    "write_csv() of somebody": lambda feed, it: feed.trades().write_csv(f"~{it}/x.csv"),
}


@pytest.mark.parametrize("call", SAID)
def test_what_a_message_repeats_is_short_and_can_be_shown(feed, call):
    for value in HOSTILE.values():
        refused(lambda value=value: SAID[call](feed, value), ".")


@pytest.mark.parametrize("write", ["write_csv", "write_parquet", "write_ipc"])
def test_a_name_that_has_no_bytes_leaves_nothing_behind(feed, tmp_path, write):
    refused(lambda: getattr(feed.trades(), write)(tmp_path / "new" / "\ud800.csv"), "half a character")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("handle", ["trades", "quotes", "book", "stream", "on"])
def test_a_handle_and_the_report_show_a_name_as_repr_has_it(feed, handle):
    odd = "KXE-\u202e\x1b[31m"
    held = feed.on("trade", odd)(print) if handle == "on" else None
    held = held or (feed.stream("trade", odd) if handle == "stream" else getattr(feed, handle)(odd))
    said = [repr(held), repr(feed.health()), feed.health()._repr_html_(), *map(repr, feed.pipelines)]
    assert any("KXE-" in each for each in said)
    for text in said:
        assert text.replace("\n", "").isprintable()


# Frames that a node made odd ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        *NO_NUMBERS.values(),
        *COLUMNS.values(),
        *({}, "", "ts", ["ts"], [("ts", pl.Int64), ("ts", pl.String)], {"ts": "x"}, {"ts": None}, {5: pl.Int64}),
        *({"a": list}, {"\ud800": pl.Int64}, {None: pl.Int64}, [None], print, 0, False),
    ],
    ids=[*NO_NUMBERS, *COLUMNS, *(f"{number} of a hand" for number in range(15))],
)
def test_what_is_no_schema_is_refused_with_the_form(shared_stream, given):
    refused(lambda: shared_stream.rolling_frame(schema=given), "schema=.*Give names and polars dtypes")


@pytest.fixture(scope="module")
def shared_stream():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        yield feed.stream("trade")


@pytest.mark.parametrize("given", [{"a": pl.Int64}, [("a", pl.Int64())], {"a": int}, pl.Schema({"a": pl.Int64()})])
def test_a_schema_is_given_as_polars_takes_it(shared_stream, given):
    assert shared_stream.rolling_frame(schema=given).schema == {"a": pl.Int64}


MADE_ODD = {
    "received_at as text": (lambda df: df.with_columns(received_at=pl.lit("x")), "received_at as a Datetime"),
    "ts as a number": (lambda df: df.with_columns(ts=pl.lit(5)), "ts as a Datetime"),
    "markets as numbers": (lambda df: df.with_columns(market_ticker=pl.lit(5)), "market_ticker as text"),
    "prices as text": (lambda df: df.with_columns(yes_price=pl.lit("x")), "yes_price as a number"),
}


@pytest.mark.parametrize("name", MADE_ODD)
@pytest.mark.parametrize("bars", [None, "1s"], ids=["lines", "candles"])
def test_what_cannot_be_drawn_is_refused_with_its_column(feed, exchange, name, bars):
    make, match = MADE_ODD[name]
    frame = feed.stream("trade").map(make).rolling_frame()
    exchange.advance(10)
    refused(lambda: frame.plot_price(bars=bars), f"goes by {match}.* cast it in the node before")


@pytest.mark.parametrize("column", ["start", "end", "open", "close", "volume", "complete", "market_ticker"])
def test_bars_that_cannot_be_drawn_are_refused_with_their_column(feed, exchange, column):
    odd = pl.lit(dt.date(2026, 1, 1))
    frame = feed.stream("trade").bars("1s").map(lambda df: df.with_columns(odd.alias(column))).rolling_frame()
    exchange.advance(10)
    refused(frame.plot_price, f"goes by {column} as .*cast it in the node before")


def test_what_a_file_cannot_hold_is_told_by_its_path(feed, exchange, tmp_path):
    nested = feed.stream("trade").map(lambda df: df.select(prices=pl.concat_list("yes_price"))).rolling_frame()
    trades = feed.trades()
    exchange.advance(10)
    path = tmp_path / "new" / "x.csv"
    refused(lambda: nested.write_csv(path), r"x\.csv cannot be written: .*nested")
    refused(lambda: trades.write_csv(path, separator="ab"), r"x\.csv cannot be written: ")
    refused(lambda: trades.write_parquet(path, compression="none at all"), r"x\.csv cannot be written: ")
    assert not [*tmp_path.iterdir()]
