"""What a hand writes that does not know better: it works where it can be meant, else one sentence says what to do."""

import asyncio
import copy
import datetime as dt
import gc
import pickle
import queue
import ssl
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import kalshi_nb as kn
from kalshi_nb import errors
from tests.feed.conftest import until

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXHIGHNY-26NOV22-B54.5"

HANDLES = {
    "frame": lambda feed: feed.trades(),
    "pipeline's frame": lambda feed: feed.stream("trade").rolling_frame(),
    "stream": lambda feed: feed.stream("trade"),
    "book": lambda feed: feed.book(MARKET),
    "books": lambda feed: feed.books([MARKET]),
    "feed": lambda feed: feed,
    "pipeline": lambda feed: feed.when(lambda top: False, print, MARKET),
}
COPIES = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "in a list": lambda it: pickle.dumps([it]),
}


def one_sentence(ask, kind, match):
    with pytest.raises(kind, match=match) as caught:
        ask()
    assert isinstance(caught.value, kn.KalshiError)
    assert "\n" not in str(caught.value)
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", HANDLES)
def test_what_lives_by_threads_is_not_copied_and_says_what_to_pass_on(feed, name, way):
    handle = HANDLES[name](feed)
    one_sentence(lambda: COPIES[way](handle), TypeError, "cannot be copied or pickled: [a-z]")


def test_what_is_data_is_copied(feed, exchange):
    book, trades = feed.book(MARKET).wait(), feed.trades()
    exchange.advance(10)
    assert pickle.loads(pickle.dumps(book.top)) == book.top
    assert pickle.loads(pickle.dumps(trades.df)).equals(trades.df)
    assert copy.deepcopy(feed.health()).state == "connected"


@pytest.mark.parametrize("name", ["Feed", "Frame", "Book", "Books", "Pipeline"])
def test_handles_are_asked_for_and_not_made(name):
    one_sentence(getattr(kn, name), TypeError, f"A {name} is not made by hand; ask for one: .*(feed|connect)")


@pytest.mark.parametrize("name", ["Feed", "Frame", "Book", "Books", "Pipeline"])
def test_handles_are_not_made_of_what_a_hand_has(feed, name):
    made = getattr(kn, name)
    frames = (pl.DataFrame(), pl.Series([MARKET]), np.array([MARKET]), pl.col("x"), feed.trades().df)
    handles = (feed.exchange, feed.trades(), feed.book(MARKET), feed.book(MARKET).top, feed.when(bool, print, MARKET))
    for given in (1, "KX", "sim", None, [], ["A"], [None], {}, (), int, print, object(), *frames, *handles):
        one_sentence(lambda given=given: made(given), TypeError, f"A {name} is not made by hand; ask for one: ")
    one_sentence(lambda: made(store=1, books=[], name="x"), TypeError, f"A {name} is not made by hand")


def test_a_feed_is_made_by_connect_whatever_it_is_given(exchange):
    for given in ("sim", "prod", exchange, None):
        one_sentence(lambda given=given: kn.Feed(given), TypeError, r"connect\('sim'\)")


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda frame: frame["yes_price"], r"\.df\['yes_price'\]"),
        (lambda frame: frame[0], r"\.df\[0\]"),
        (lambda frame: frame[-5:], r"\.df\["),
        (list, "iter_rows"),
        (lambda frame: next(iter(frame)), "iter_rows"),
        (lambda frame: MARKET in frame, r"\.df\[\"market_ticker\"\]"),
        (lambda frame: frame > 5, r"\.df\["),
        (lambda frame: frame <= frame, r"\.df\["),
        (sorted, "iter_rows"),
        (lambda frame: sorted([frame, frame]), r"\.df\["),
    ],
)
@pytest.mark.parametrize("name", ["frame", "pipeline's frame"])
def test_a_frame_is_no_table_and_says_where_its_table_is(feed, name, use, instead):
    frame = HANDLES[name](feed)
    one_sentence(lambda: use(frame), TypeError, instead)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("yes_price", r"such a column: \.df\['yes_price'\]"),
        ("iloc", r"\.to_pandas\(\)\.iloc"),
        ("price", r"Did you mean 'yes_price' or 'no_price'"),
        ("yes_prices", r"Did you mean .*\.df\[…\]"),
        ("write_parqet", r"Did you mean 'write_parquet'"),
        ("zzz", r"has no 'zzz'\."),
    ],
)
@pytest.mark.parametrize("kind", ["frame", "pipeline's frame"])
def test_a_name_that_a_frame_does_not_have_is_said_to_be_a_column_or_of_what(feed, kind, name, instead):
    frame = HANDLES[kind](feed)
    one_sentence(lambda: getattr(frame, name), AttributeError, instead)
    assert not hasattr(frame, name)


def test_what_a_frame_can_do_by_itself_it_does(feed, exchange):
    trades = feed.trades()
    assert trades
    assert trades == trades
    assert trades != feed.tickers()
    assert len({trades, feed.trades(), feed.tickers()}) == 2
    exchange.advance(10)
    assert len(trades) == trades.df.height
    assert pl.DataFrame(trades).equals(trades.df)
    assert isinstance(pd.DataFrame.from_records(trades.df.to_dicts()), pd.DataFrame)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda book: book["yes"], r"levels\('yes'\)"),
        (lambda book: book[0], r"depth\(\)"),
        (list, r"levels\('yes'\)"),
        (len, r"depth\(\)\.height"),
        (lambda book: 0.47 in book, r"levels\('yes'\)"),
    ],
)
def test_a_book_is_no_table_and_says_where_its_levels_are(feed, use, instead):
    one_sentence(lambda: use(feed.book(MARKET)), TypeError, instead)


def test_a_book_is_there_even_while_it_is_empty(feed):
    assert feed.book("KXNOSUCH-1")


def test_books_say_which_they_are_not(feed):
    books = feed.books([MARKET, OTHER])
    one_sentence(lambda: books["KXNOPE-1"], KeyError, "^There is no book of 'KXNOPE-1' among these 2: ")
    one_sentence(lambda: books[[MARKET]], KeyError, "no book of")
    one_sentence(lambda: books[0], KeyError, "no book of 0")
    assert books.get("KXNOPE-1") is None
    assert "KXNOPE-1" not in books
    assert list(books) == [MARKET, OTHER]
    assert dict(books)[MARKET] is feed.book(MARKET)


@pytest.mark.parametrize("bad", [5, None, [MARKET], (MARKET,), b"KX", "", "  ", {MARKET}, 1.5])
def test_a_book_is_of_one_market_by_its_ticker(feed, bad):
    one_sentence(lambda: feed.book(bad), errors.MarketTickerError, r"one market's ticker as text.*books\(\[…\]\)")


@pytest.mark.parametrize("bad", [[], (), "", None, set(), iter([]), pl.Series([], dtype=pl.String())])
def test_books_need_names_and_are_not_told_to_leave_them_out(feed, bad):
    one_sentence(lambda: feed.books(bad), errors.MarketTickerError, r"needs the tickers of markets.*books\(\['KX")
    one_sentence(feed.books, errors.MarketTickerError, "needs the tickers of markets")


@pytest.mark.parametrize("bad", [5, [5], [MARKET, None], [None], 1.5])
def test_books_are_named_by_text(feed, bad):
    one_sentence(lambda: feed.books(bad), errors.MarketTickerError, "is text such as")


@pytest.mark.parametrize(
    "several",
    [MARKET, [MARKET], (MARKET,), {MARKET}, {MARKET: 1}, iter([MARKET]), pl.Series([MARKET]), pd.Series([MARKET])],
    ids=lambda it: type(it).__name__,
)
def test_one_or_several_markets_are_named_in_any_way(feed, several):
    assert list(feed.books(several)) == [MARKET]


def test_what_has_tickers_says_where_they_are(feed):
    wrong = errors.MarketTickerError
    for frame in (pl.DataFrame({"market_ticker": [MARKET]}), pd.DataFrame({"market_ticker": [MARKET]})):
        for ask in (feed.trades, feed.books, feed.candles):
            one_sentence(lambda ask=ask, frame=frame: ask(frame), wrong, r"frame\['market_ticker'\]")
    lazy = pl.LazyFrame({"market_ticker": [MARKET]})
    for ask in (feed.trades, feed.books, feed.candles):
        one_sentence(lambda ask=ask: ask(lazy), wrong, r"frame\.collect\(\)\['market_ticker'\]")
    book = feed.book(MARKET)
    for ask in (feed.trades, feed.candles, feed.verify_books):
        one_sentence(lambda ask=ask: ask(book), wrong, r"A Book stands where .* its \.market_ticker")
        one_sentence(lambda ask=ask: ask(feed.picker()), wrong, r"pass its \.market_tickers")


def test_what_only_looks_like_a_sequence_is_refused_by_the_name_of_the_argument(feed, tmp_path):
    """Python goes through anything that has ``[]``, and a LazyFrame raises at its first row."""
    lazy = pl.LazyFrame({"a": [MARKET]})
    for ask in (
        lambda: feed.record(tmp_path / "night", lazy),
        lambda: feed.markets(tickers=lazy),
        lambda: feed.series(tags=lazy),
        lambda: feed.dashboard(MARKET, panels=lazy),
    ):
        one_sentence(ask, errors.KalshiError, "LazyFrame")


def test_what_python_goes_through_by_number_names_markets(feed):
    class Numbered:
        def __getitem__(self, at):
            return [MARKET][at]

    assert list(feed.books(Numbered())) == [MARKET]


def test_questions_that_are_not_awaited_are_told_what_there_is(feed):
    one_sentence(
        lambda: feed.rest.market_list, errors.NoSuchAttributeError, "no 'market_list'. Did you mean 'markets'?"
    )
    one_sentence(lambda: feed.rest.trades, errors.NoSuchAttributeError, r"feed\.trades\(…, since=…\)")
    one_sentence(lambda: feed.rest.live_candles, errors.NoSuchAttributeError, r"feed\.live_candles\(…\)")


def test_a_recording_says_which_argument_is_meant(tmp_path, feed):
    feed.record(tmp_path / "night", ["trade"]).close()
    recording = kn.open_recording(tmp_path / "night")
    one_sentence(lambda: recording.repair(timeout=1), errors.UsageError, "has no argument 'timeout'. It takes where")


@pytest.mark.parametrize("ask", [kn.markets, kn.history, kn.candles])
def test_questions_without_a_feed_say_which_argument_is_meant(ask):
    one_sentence(
        lambda: ask("sim", bogus=1), errors.UsageError, f"{ask.__name__}\\(\\) has no argument 'bogus'. It takes"
    )


def test_an_empty_list_of_a_frame_is_told_that_none_is_all(feed):
    one_sentence(lambda: feed.trades([]), errors.MarketTickerError, "is empty; leave the argument out to take all")


# What is nearly a place, a ticker or a condition ---------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "instead"),
    [
        (
            kn.sim.Exchange,
            r"the class Exchange itself\. Write the brackets, too: connect\(kalshi_nb\.sim\.Exchange\(\)\)",
        ),
        (kn.sim.exchange, r"Write the brackets, too: connect\(kalshi_nb\.sim\.exchange\(\)\)"),
        (kn.sim, "'sim', or kalshi_nb"),
        (kn.Feed, "the class Feed itself"),
        (int, "the class int itself"),
    ],
)
def test_a_class_in_the_place_of_an_exchange_is_named_as_one(where, instead):
    one_sentence(lambda: kn.connect(where), errors.UnknownEnvironmentError, instead)


def test_a_feed_in_the_place_of_an_exchange_is_said_to_be_one_already(feed):
    one_sentence(lambda: kn.connect(feed), errors.UnknownEnvironmentError, "a Feed. That is a feed already")


def test_a_class_in_the_place_of_a_key_or_a_context_is_named_as_one():
    def connect(**options):
        kn.connect(
            "ws://127.0.0.1:9/x", **{"key_id": "i", "private_key": ed25519.Ed25519PrivateKey.generate(), **options}
        )

    one_sentence(
        lambda: connect(private_key=ed25519.Ed25519PrivateKey), errors.PrivateKeyError, "the class Ed25519Pri"
    )
    one_sentence(lambda: connect(ssl=ssl.SSLContext), errors.ConfigurationError, "the class SSLContext itself")


class Shop:
    def notify(self, top):
        self.top = top


def tell(top):
    if top.ask is None:
        return
    print(top)


def is_cheap(top):
    if top.ask is None:
        return None
    return top.ask < 0.30


SINKS = [print, [].append, set().add, queue.SimpleQueue().put, queue.Queue().put, tell, Shop().notify]


@pytest.mark.parametrize("sink", SINKS, ids=lambda it: it.__qualname__)
def test_an_alert_with_its_functions_the_other_way_round_says_the_order(feed, sink):
    one_sentence(
        lambda: feed.when(sink, is_cheap, MARKET),
        errors.ConfigurationError,
        "takes the condition first, and then what",
    )
    assert not feed.pipelines


@pytest.mark.parametrize(
    "condition",
    [
        is_cheap,
        lambda top: top.ask and top.ask < 0.3,
        lambda top: top.ask or None,
        bool,
        lambda top: (top and None) or 0,
    ],
)
def test_what_can_be_true_of_a_quote_is_a_condition(feed, condition):
    feed.when(condition, print, "KXNOSUCH-1-2").close()


@pytest.mark.parametrize(
    "several",
    [
        "KXA-1-B,KXB-1-C",
        "KXA-1-B, KXB-1-C",
        "KXA-1-B KXB-1-C",
        "KXA-1-B;KXB-1-C",
        "['KXA-1-B', 'KXB-1-C']",
        "KXA-1-B\nKXB-1-C",
    ],
)
def test_several_tickers_in_one_text_are_told_to_be_a_list(feed, several):
    for ask in (feed.trades, feed.book, feed.books, feed.quotes, lambda it: feed.stream("trade", it)):
        one_sentence(lambda ask=ask: ask(several), errors.MarketTickerError, r"pass a list: \['KXA-1-B', 'KXB-1-C'\]")


@pytest.mark.parametrize(
    ("page", "ticker"),
    [
        ("https://kalshi.com/markets/kxhighny/highest-temperature-in-nyc/kxhighny-26nov22", "KXHIGHNY-26NOV22"),
        ("https://kalshi.com/markets/kxhighny/highest-temperature-in-nyc#kxhighny-26nov22-b52.5", MARKET),
        ("kalshi.com/markets/kxhighny", "KXHIGHNY"),
        ("https://demo.kalshi.co/events/KXHIGHNY-26NOV22", "KXHIGHNY-26NOV22"),
        ("https://example.com/a-b-c", MARKET),
    ],
)
def test_the_address_of_a_page_is_told_which_ticker_stands_in_it(feed, page, ticker):
    for ask in (feed.trades, feed.book):
        one_sentence(lambda ask=ask: ask(page), errors.MarketTickerError, f"address of a page; write .*'{ticker}'")


@pytest.mark.parametrize(
    "ticker", ["KXMVESPORTSMULTIGAMEEXTENDED-S2025A96B6E1EEF8-5CFD0C4E37A", "KXBTCD-25NOV2817-T91749.99"]
)
def test_no_ticker_of_the_exchange_is_taken_for_something_else(feed, ticker):
    for each in (ticker, ticker.lower(), f" {ticker} "):
        assert feed.trades(each)


# What is awaited, and what is not ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["frame", "pipeline's frame", "book", "books"])
def test_a_handle_is_not_awaited(feed, exchange, name):
    handle = HANDLES[name](feed)
    exchange.advance(30)

    async def awaited():
        await handle.wait(timeout=5)

    async def looped():
        async for _ in handle:
            pass

    one_sentence(lambda: asyncio.run(awaited()), TypeError, "is not awaited.*without await.*to_thread")
    one_sentence(lambda: asyncio.run(looped()), TypeError, r"async for message in feed\.listen")


def entered(connecting):
    with connecting:
        pass


NOT_AWAITED = {
    **HANDLES,
    "listener": lambda feed: feed.listen("trade"),
    "view": lambda feed: kn.show(feed.book(MARKET), renderer="text"),
    "exchange": lambda feed: feed.exchange,
}


@pytest.mark.parametrize("name", [name for name in NOT_AWAITED if name != "feed"])
def test_what_is_there_at_once_is_not_awaited_and_says_what_to_write(feed, name):
    handle = NOT_AWAITED[name](feed)

    async def awaited():
        await handle

    with pytest.raises(kn.KalshiError, match=r"is not awaited.*\. Write ") as caught:
        asyncio.run(awaited())
    assert "\n" not in str(caught.value)


def test_a_listener_is_no_plain_context(feed):
    with pytest.raises(errors.PipelineError, match=r"write async with feed\.listen"), feed.listen("trade"):
        pass


def test_a_sink_may_give_back_a_handle(feed, exchange):
    book = feed.book(MARKET)
    stream = feed.stream("trade")
    stream.sink(lambda df: book)
    exchange.advance(10)
    assert stream.pipeline.rows
    assert stream.pipeline.errors == 0
    assert book.status == "live"


def test_a_feed_that_is_not_awaited_yet_says_so():
    connecting = kn.connect_async("sim")
    one_sentence(
        lambda: connecting.trades().df,
        AttributeError,
        r"feed = await kalshi_nb\.connect_async\(…\), and then feed\.trades",
    )
    one_sentence(lambda: entered(connecting), TypeError, r"async with kalshi_nb\.connect_async\(…\) as feed")
    assert not hasattr(connecting, "nothing")


# Names that are not there, and what cannot be set --------------------------------------------------------


@pytest.mark.parametrize("name", ["map", "sink", "rolling_frame", "throttle", "accumulate", "sliding_window"])
def test_a_frame_that_is_taken_for_a_stream_names_the_stream(feed, name):
    one_sentence(lambda: getattr(feed.tickers(), name), AttributeError, rf"feed\.stream\('ticker'\)\.{name}\(…\)")


def test_a_stream_that_is_taken_for_a_frame_names_the_frames(feed):
    stream = feed.stream("trade")
    one_sentence(lambda: stream.with_columns, AttributeError, r"\.map\(lambda df: df\.with_columns")
    for name in ("df", "wait", "total", "to_pandas"):
        one_sentence(lambda name=name: getattr(stream, name), AttributeError, rf"rolling_frame\(\)\.{name}")
    one_sentence(lambda: stream.filter(pl.col("count") > 100), errors.PipelineError, r"lambda df: df\.filter\(pl\.col")
    assert not hasattr(stream, "nothing")


SETTABLE = {
    **HANDLES,
    "connecting": lambda feed: kn.connect_async("sim"),
    "listener": lambda feed: feed.listen("trade"),
    "exchange": lambda feed: feed.exchange,
}


@pytest.mark.parametrize("name", SETTABLE)
def test_what_nobody_reads_cannot_be_set(feed, name):
    handle = SETTABLE[name](feed)
    for attribute in ("rows", "df", "seconds"):
        with pytest.raises(AttributeError) as caught:
            setattr(handle, attribute, 5)
        assert "to be set: " in str(caught.value)
        assert isinstance(caught.value, kn.KalshiError)


def test_a_frame_does_not_take_the_place_of_the_method_that_gives_it(feed):
    with pytest.raises(AttributeError, match="Feed has no 'trades' to be set"):
        feed.trades = feed.trades()


def test_a_method_can_be_stood_in_for(feed, monkeypatch):
    monkeypatch.setattr(feed, "trades", lambda: 5)
    assert feed.trades() == 5


def test_pandas_and_numpy_are_told_what_to_take(feed, exchange):
    frame = feed.trades()
    exchange.advance(10)
    for take in (pd.DataFrame, np.asarray, pd.Series):
        one_sentence(lambda take=take: take(frame), TypeError, r"\.to_pandas\(\) for pandas")
    assert pl.DataFrame(frame).equals(frame.df)
    assert frame.to_pandas().shape == frame.df.shape


def test_of_what_is_still_to_come_nobody_says_whether_it_is_complete(feed, exchange):
    frame, below = feed.trades(), feed.stream("trade").rolling_frame()
    exchange.advance(10)
    now = dt.datetime.fromtimestamp(exchange.now_us() / 1e6, dt.UTC)
    for each in (frame, below):
        one_sentence(
            lambda each=each: each.complete(since=now + dt.timedelta(hours=1)), ValueError, "since lies ahead: the"
        )
        assert each.complete(since=now)
        assert each.complete(since=now + dt.timedelta(seconds=5))  # as another computer's clock may show it


# What others hold ----------------------------------------------------------------------------------------


def test_the_end_of_a_with_closes_no_frame_that_others_asked_for(feed, exchange):
    mine = feed.trades()
    with (
        pytest.warns(errors.HandleWarning, match="trades stays open at the end of this `with`"),
        feed.trades() as frame,
    ):
        assert frame is mine
    exchange.advance(10)
    assert mine.df.height
    assert "closed" not in repr(mine)
    with mine:
        pass
    assert "it is closed" in repr(mine)


def test_the_end_of_a_with_closes_a_frame_that_nobody_else_asked_for(feed):
    async def held():
        async with feed.tickers() as frame:
            return frame

    with feed.trades() as frame:
        pass
    for each in (frame, asyncio.run(held())):
        assert "it is closed" in repr(each)


CLOSED = {
    "frame": (lambda feed: feed.trades(), lambda it: "it is closed" in repr(it)),
    "pipeline's frame": (lambda feed: feed.stream("trade").rolling_frame(), lambda it: "is closed" in repr(it)),
    "book": (lambda feed: feed.book(MARKET), lambda it: it.status == "closed"),
    "books": (
        lambda feed: feed.books([MARKET, OTHER]),
        lambda it: {each.status for each in it.values()} == {"closed"},
    ),
    "pipeline": (HANDLES["pipeline"], lambda it: it.state == "closed"),
    "view": (lambda feed: kn.show(feed.book(MARKET)), lambda it: it.is_closed),
    "dashboard": (lambda feed: feed.dashboard(MARKET), lambda it: it.is_closed),
    "feed": (lambda feed: kn.connect(feed.exchange, new=True), lambda it: it.state == "closed"),
    "exchange": (lambda feed: kn.sim.Exchange(clock="manual"), lambda it: it.closed),
}


@pytest.mark.parametrize("name", CLOSED)
def test_what_can_be_closed_is_closed_at_the_end_of_a_with(feed, name):
    ask, is_closed = CLOSED[name]
    with ask(feed) as handle:
        assert not is_closed(handle)
    assert is_closed(handle)
    handle.close()


@pytest.mark.parametrize("name", [name for name in CLOSED if name != "exchange"])
def test_what_can_be_closed_is_closed_at_the_end_of_an_async_with(feed, name):
    ask, is_closed = CLOSED[name]

    async def entered():
        async with ask(feed) as handle:
            assert not is_closed(handle)
        return handle

    assert is_closed(asyncio.run(entered()))


def test_the_end_of_a_with_closes_no_book_that_others_asked_for(feed):
    mine = feed.book(MARKET).wait()
    with pytest.warns(errors.HandleWarning, match=f"The book of {MARKET} stays open"), feed.book(MARKET) as book:
        assert book is mine
    assert mine.status == "live"
    with (
        pytest.warns(errors.HandleWarning, match=f"The book of {MARKET} stays open"),
        feed.books([MARKET, OTHER]) as two,
    ):
        pass
    assert [each.status for each in two.values()] == ["live", "closed"]
    with mine:
        pass
    assert mine.status == "closed"


def test_a_handle_that_is_asked_for_a_thousand_times_takes_no_more_room(feed):
    for ask in (feed.trades, lambda: feed.book(MARKET)):
        for _ in range(1_000):
            handle = ask()
        assert len(handle._holders._calls) == 1  # what it holds is bounded
        with pytest.warns(errors.HandleWarning, match="stays open"), handle:
            pass


def test_a_feed_that_is_closed_is_not_entered(feed):
    feed.close()

    async def entered():
        async with feed:
            pass

    for enter in (lambda: entered_plainly(feed), lambda: asyncio.run(entered())):
        with pytest.raises(errors.FeedClosedError, match="connect"):
            enter()


def entered_plainly(feed):
    with feed:
        pass


# What is said, and how often -----------------------------------------------------------------------------


def test_a_pipeline_that_nobody_holds_is_told_of_once(feed, exchange):
    feed.stream("trade").map(lambda df: df)
    gc.collect()
    exchange.advance(5)
    (told,) = feed.health().warnings
    assert "a pipeline on trade, attached in test_wrong_uses.py, line" in told
    assert "nobody held it" in told
    kept = feed.stream("trade").map(lambda df: df)
    exchange.advance(5)
    assert feed.health().warnings == ()
    del kept
    gc.collect()
    closed = feed.stream("ticker")
    closed.pipeline.close()
    del closed
    gc.collect()
    assert feed.health().warnings == ()


def test_one_and_the_same_warning_is_said_once_for_each_pipeline(feed, exchange):
    def attach():
        @feed.on("trade", name="mine")
        def wavering(trade):
            calls.append(trade)
            if len(calls) % 2:
                raise ValueError("odd")

    calls = []

    def said():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            before = len(calls)
            while len(calls) < before + 4:
                exchange.advance(1)
                feed.flush()
                feed.health()
        return [each.category for each in caught]

    attach()
    assert said() == [errors.PipelineWarning]
    assert said() == []
    assert feed.pipelines[0].errors > 3
    attach()
    assert said() == [errors.PipelineWarning]


def test_a_fill_without_what_it_stands_by_names_it(exchange):
    one_sentence(
        lambda: exchange.publish("fill", "fill", {"market_ticker": MARKET}),
        errors.SimulationError,
        "needs trade_id, order_id, market_ticker, .*; here trade_id, order_id, .* are missing.*check=False",
    )
    one_sentence(lambda: exchange.publish("fill", {}), errors.SimulationError, r"publish\('fill', 'fill', {…}\)")
    assert exchange.publish("fill", "fill", {}, check=False) == 0


def test_a_listener_that_takes_nothing_is_told_of(feed, exchange, monkeypatch):
    from kalshi_nb._streams import troubles

    monkeypatch.setattr(troubles, "_SLOW", 0.0)

    async def listen():
        async with feed.listen("trade", name="mine") as listener:
            exchange.advance(1)
            step = asyncio.ensure_future(anext(listener))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(exchange.advance, 10)
            await step
            exchange.advance(10)  # the loop does not come to it
            return feed.health().warnings

    (told,) = asyncio.run(listen())
    assert told.startswith("your listener 'mine' on trade has taken nothing for 0 s, and ")
    until(lambda: feed.health().warnings == (), "it is over")


NAMING = {
    "trades": lambda feed, name: feed.trades(name),
    "tickers": lambda feed, name: feed.tickers([MARKET, name]),
    "book": lambda feed, name: feed.book(name),
    "books": lambda feed, name: feed.books([MARKET, name]),
    "deltas": lambda feed, name: feed.deltas(name),
    "quotes": lambda feed, name: feed.quotes(name),
    "fills": lambda feed, name: feed.fills(name),
    "orders": lambda feed, name: feed.orders(name),
    "positions": lambda feed, name: feed.positions(name),
    "index_values": lambda feed, name: feed.index_values(name),
    "underlyings": lambda feed, name: feed.frame("pyth_value", name),
    "when": lambda feed, name: feed.when(lambda top: top.ask, print, name),
    "on": lambda feed, name: feed.on("trade", name),
    "listen": lambda feed, name: feed.listen("trade", name),
    "stream": lambda feed, name: feed.stream("trade", name),
    "messages": lambda feed, name: feed.messages("trade", name),
    "dashboard": lambda feed, name: feed.dashboard(name),
    "event": lambda feed, name: feed.event("KXHIGHNY-26NOV22", market_tickers=[name]),
    "event itself": lambda feed, name: feed.event(name),
}


@pytest.mark.parametrize("name", ["KX\ud800", "K" * 100_000], ids=["half a character", "too long"])
def test_a_name_that_no_ticker_can_have_is_refused_in_the_cell_and_nothing_else_feels_it(feed, name):
    trades = feed.trades(MARKET)
    for ask in NAMING.values():
        one_sentence(lambda ask=ask: ask(feed, name), errors.MarketTickerError, "[a-z]")
    assert (feed.state, feed.health().reconnects, feed.health().warnings) == ("connected", 0, ())
    assert [*feed.health().markets] == ["trade"]
    assert trades.close() is None


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (
            lambda feed: feed.trades(ticker="V"),
            r"trades\(\) has no argument 'ticker'\. Did you mean 'market_tickers'\?",
        ),
        (lambda feed: feed.tickers(limit=5), r"'limit'\. Did you mean 'rows'"),
        (lambda feed: feed.book(symbol="V"), r"'symbol'\. Did you mean 'market_ticker'"),
        (lambda feed: feed.trades(row=5), r"Did you mean 'rows'"),
        (lambda feed: feed.trades(xyzzy=5), r"no argument 'xyzzy'\. It takes market_tickers, rows, seconds"),
        (lambda feed: feed.trades("A", "B"), r"takes several markets as one list: trades\(\[…\]\)"),
        (lambda feed: feed.trades("A", 500), r"only market_tickers without a name, so write trades\(…, rows=…\)"),
        (lambda feed: feed.trades("A", market_tickers="B"), "was given market_tickers twice"),
        (lambda feed: feed.book(), r"book\(\) needs market_ticker=…"),
        (lambda feed: feed.quotes(MARKET).wide("mid", "1s"), r"so write wide\(…, every=…\)"),
        (lambda feed: feed.quotes(MARKET).wide("mid"), r"wide\(\) needs every=…"),
        (lambda feed: feed.quotes(MARKET).wide("mid", interval="1s"), r"Did you mean 'every'"),
        (lambda feed: feed.stream("trade").rolling_frame().wide("mid", "1s"), r"so write wide\(…, every=…\)"),
        (lambda feed: feed.book(MARKET).depth(10, 20), r"takes only levels without a name"),
    ],
)
def test_an_argument_by_another_name_or_at_no_place_is_refused_with_the_right_word(feed, use, says):
    one_sentence(lambda: use(feed), errors.UsageError, says)


def test_what_a_call_itself_finds_wrong_is_told_as_it_is(feed):
    def typo(*_):
        return 1 + "a"

    with pytest.raises(TypeError, match="unsupported operand") as caught:
        feed.on("trade")(typo)("trade")
    assert not isinstance(caught.value, kn.KalshiError)
    one_sentence(lambda: feed.trades(rows="many"), kn.KalshiError, "rows=")


# messages are no JSON


def newest_messages(feed, exchange, channel):
    found = []
    feed.on(channel, MARKET)(found.append)
    exchange.advance(20)
    feed.flush()
    return found[-1]


@pytest.mark.parametrize(
    ("channel", "name", "instead"),
    [
        ("trade", "yes_price_dollars", r"\.yes_price here"),
        ("trade", "count_fp", r"\.count here"),
        ("trade", "ts_ms", r"\.ts here"),
        ("trade", "price", r"\.yes_price"),
        ("trade", "taker_side", r"\.taker_outcome_side"),
        ("trade", "ticker", r"\.market_ticker"),
        ("trade", "trade_i", "Did you mean 'trade_id'"),
        ("ticker", "yes_bid_dollars", r"\.yes_bid here"),
        ("ticker", "price_dollars", r"\.price here"),
        ("ticker", "last_price", r"\.price"),
        ("orderbook_delta", "delta_fp", r"\.delta here"),
        ("quotes", "yes_bid", "bid"),
    ],
)
def test_a_message_that_is_asked_by_the_names_of_the_wire_says_its_own(feed, exchange, channel, name, instead):
    feed.book(MARKET).wait()
    message = newest_messages(feed, exchange, channel)
    one_sentence(lambda: getattr(message, name), AttributeError, instead)
    one_sentence(lambda: message[name], TypeError, f"is no dictionary.*{instead}")
    assert not hasattr(message, name)


def test_a_message_is_no_dictionary_and_can_be_copied_and_shown(feed, exchange):
    trade = newest_messages(feed, exchange, "trade")
    one_sentence(lambda: trade["count"], TypeError, r"is no dictionary: write \.count")
    one_sentence(lambda: trade[0], TypeError, "its fields are attributes")
    one_sentence(lambda: dict(trade), TypeError, "its fields are attributes")
    one_sentence(lambda: trade.wholly_else, AttributeError, "A Trade has no 'wholly_else'")
    assert pickle.loads(pickle.dumps(trade)) == copy.deepcopy(trade) == trade
    assert not hasattr(trade, "_repr_html_")


@pytest.mark.parametrize(
    "kind", [getattr(kn.messages, each) for each in kn.messages.__all__ if each[0].isupper() and each != "Message"]
)
def test_every_message_says_how_its_fields_are_called(kind):
    message = kind(*[None] * len(kind.__struct_fields__))
    one_sentence(lambda: message.nothing_like_it, AttributeError, f"An? {kind.__name__} has no 'nothing_like_it'")


def test_what_somebody_does_to_a_schema_is_nothing_to_its_frame(feed, exchange):
    trades, own = feed.trades(), feed.stream("trade").rolling_frame()
    exchange.advance(10)
    feed.flush()
    for each in (trades, own):
        each.schema.clear()
        each.schema["more"] = pl.Int64()
        assert list(each.schema) == each.df.columns
        assert each.latest().height


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_are_no_ticker_and_are_called_by_their_name(feed, kind):
    given = kind(MARKET.encode())
    one_sentence(lambda: feed.trades(given), errors.MarketTickerError, rf"is text such as .*, not a {kind.__name__}\.")
