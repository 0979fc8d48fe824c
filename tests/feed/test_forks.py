"""A forked child has what the feed held, and none of its threads: all says so, nothing waits, and it can be read."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from kalshi_nb._frames import polars_threads
from tests.feed.conftest import until
from tests.feed.list_engine import ListEngine
from tests.feed.test_another_engine import opened, trade

MARKET = "KXHIGHNY-26NOV22-B52.5"

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def in_a_child(ask):
    """What `ask` returns in a forked child.

    A child gets the locks of all libraries as they were, and one may have been held by a thread that stayed with the
    parent, an allocator's for one. No care of ours helps against that, but it is rare; so another child is asked then.
    """
    for _ in range(3):
        data = _answer_of_a_child(ask)
        if data:
            break
    assert data, "three children hung"
    answer = pickle.loads(data)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _answer_of_a_child(ask):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
        try:
            answer = ask()
        except BaseException as problem:
            answer = problem
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        data = answers.read()
    os.waitpid(child, 0)
    return data


def refusal(ask):
    """The name of the error that `ask` raises, its words, and how long that took."""
    began = time.monotonic()
    try:
        ask()
    except errors.KalshiError as error:
        return type(error).__name__, str(error), time.monotonic() - began
    return None


@pytest.fixture
def full(feed, exchange):
    """A feed with some of everything, and with data."""
    trades, book = feed.trades(), feed.book(MARKET).wait()
    feed.quotes(MARKET)
    feed.on("trade")(lambda trade: None)
    exchange.advance(30)
    return feed, trades, book


def test_states_and_reprs_say_that_the_threads_stayed_with_the_parent(full):
    feed, trades, book = full

    def ask():
        return (
            feed.state,
            feed.health().state,
            feed.health().connections,
            book.status,
            repr(feed),
            repr(trades),
            repr(book),
        )

    state, health, connections, status, *reprs = in_a_child(ask)
    assert (state, health, connections, status) == ("forked", "forked", 0, "closed")
    for each in reprs:
        assert "threads stayed with the process that this one was forked from" in each
    assert (feed.state, book.status, trades.complete()) == ("connected", "live", True)


def test_pipelines_and_their_frames_say_so_too(feed, exchange):
    frame = feed.stream("trade").rolling_frame()
    (pipeline,) = feed.pipelines
    exchange.advance(10)

    def ask():
        first = pipeline.state, repr(pipeline), repr(frame), refusal(lambda: frame.wait(new=1, timeout=None))
        pipeline.close()
        return first, pipeline.state

    (state, of_pipeline, of_frame, (kind, _, _)), after = in_a_child(ask)
    assert (state, kind, after) == ("forked", "ForkedError", "closed")
    assert "forked" in of_pipeline
    assert "threads stayed with" in of_frame
    assert pipeline.state == "running"


def test_rows_that_are_not_columns_yet_can_be_read():
    engine = ListEngine()
    with opened(engine) as feed:
        trades = feed.trades()
        for number in range(5):
            engine.play("trade", trade(number))
            until(lambda number=number: trades.total == number + 1, "a row is in")
        assert in_a_child(lambda: (trades.df.height, repr(trades)))[0] == 5


def test_health_warns_of_it_and_of_nothing_else(full):
    feed, _, _ = full
    (warning,) = in_a_child(lambda: feed.health().warnings)
    assert "threads stayed with" in warning
    assert "connect() again" in warning
    assert feed.health().warnings == ()


def test_no_frame_is_complete_there(full):
    _, trades, _ = full
    assert in_a_child(trades.complete) is False


def test_what_is_held_can_be_read(full):
    feed, trades, book = full
    rows, top, depth = in_a_child(lambda: (trades.df.height, tuple(book.top), book.depth(3).height))
    assert (rows, top, depth) == (len(trades), tuple(book.top), 3)
    assert in_a_child(lambda: feed.gaps.height) == 0


COMPUTED = {
    "latest": lambda trades, book, views: trades.latest(),
    "since": lambda trades, book, views: trades.since("1h"),
    "wide": lambda trades, book, views: trades.wide("yes_price", every="1s"),
    "resample": lambda trades, book, views: trades.resample("1m"),
    "to_pandas": lambda trades, book, views: trades.to_pandas(),
    "to_arrow": lambda trades, book, views: trades.to_arrow(),
    "arrow": lambda trades, book, views: trades.__arrow_c_stream__(),
    "parquet": lambda trades, book, views: trades.write_parquet("trades.parquet"),
    "csv": lambda trades, book, views: trades.write_csv("trades.csv"),
    "ipc": lambda trades, book, views: trades.write_ipc("trades.ipc"),
    "prices drawn": lambda trades, book, views: trades.plot_price(),
    "depth drawn": lambda trades, book, views: book.plot_depth(),
    "html": lambda trades, book, views: trades._repr_html_(),
    "shown": lambda trades, book, views: kn.show(trades),
    "shown again": lambda trades, book, views: views["tape"].snapshot(),
    "pipeline's shown": lambda trades, book, views: views["table"].snapshot(),
    "board": lambda trades, book, views: views["board"].snapshot(),
    "paused": lambda trades, book, views: views["tape"].pause(),
}


def test_what_polars_would_compute_is_refused_where_its_threads_stayed_with_the_parent(full, tmp_path, monkeypatch):
    feed, trades, book = full
    monkeypatch.chdir(tmp_path)
    own = feed.stream("trade").rolling_frame()
    views = {"tape": kn.show(trades), "board": feed.board(), "table": kn.show(own)}
    assert trades.df.filter(trades.df["yes_price"] > 0).height  # so that polars has its threads

    def ask():
        return {name: refusal(lambda call=call: call(trades, book, views)) for name, call in COMPUTED.items()}

    found = in_a_child(ask)
    assert {name: each and each[0] for name, each in found.items()} == dict.fromkeys(COMPUTED, "ForkedError")
    assert all("threads of polars stayed with" in words and "'spawn'" in words for _, words, _ in found.values())
    assert sum(took for *_, took in found.values()) < 10  # polars is asked once
    assert list(tmp_path.iterdir()) == []


OF_DISKS_AND_REST = {
    "a recorder's export": lambda recorder, recording, place, new: recorder.export(place / "one"),
    "a recording's export": lambda recorder, recording, place, new: recording.export(place / "two"),
    "trades": lambda recorder, recording, place, new: recording.trades(),
    "candles": lambda recorder, recording, place, new: recording.candles("1m"),
    "depth": lambda recorder, recording, place, new: recording.depth(at="2026-11-22"),
    "depth at steps": lambda recorder, recording, place, new: recording.depth(every="1m"),
    "what was exported": lambda recorder, recording, place, new: kn.open_export(place / "before").frame("trade"),
    "gaps that were": lambda recorder, recording, place, new: kn.open_export(place / "before").gaps(),
    "markets": lambda recorder, recording, place, new: kn.markets("sim"),
    "history": lambda recorder, recording, place, new: kn.history("sim", MARKET, since="1h"),
    "candles of before": lambda recorder, recording, place, new: kn.candles("sim", MARKET, "1m", since="1h"),
    "markets of a new feed": lambda recorder, recording, place, new: new().markets(),
    "a market": lambda recorder, recording, place, new: new().market(MARKET),
    "events": lambda recorder, recording, place, new: new().events(),
    "series": lambda recorder, recording, place, new: new().series(),
    "search": lambda recorder, recording, place, new: new().search("weather"),
    "what was before": lambda recorder, recording, place, new: new().trades(MARKET, since="1h"),
    "its candles": lambda recorder, recording, place, new: new().candles(MARKET, "1m", since="1h"),
}


def test_frames_of_disks_and_of_rest_are_refused_there_just_so(full, tmp_path):
    feed, trades, _ = full
    recorder = feed.record(tmp_path / "night", ["trade", "orderbook_delta"], MARKET)
    feed.exchange.advance(20)
    recorder.export(tmp_path / "before")
    recording = recorder.open()
    assert trades.df.filter(trades.df["yes_price"] > 0).height  # so that polars has its threads

    def ask():
        feeds = []

        def new():
            feeds[:] = feeds or [kn.connect("sim")]
            return feeds[0]

        asked = OF_DISKS_AND_REST.items()
        found = {name: refusal(lambda call=call: call(recorder, recording, tmp_path, new)) for name, call in asked}
        feeds[0].close()
        return found

    found = in_a_child(ask)
    assert {name: each and each[0] for name, each in found.items()} == dict.fromkeys(OF_DISKS_AND_REST, "ForkedError")
    assert all("threads of polars stayed with" in words for _, words, _ in found.values())
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists()


def test_a_recorder_says_that_its_thread_stayed_with_the_parent_and_goes_on_there(full, tmp_path):
    feed, trades, _ = full
    before = trades.total
    recorder = feed.record(tmp_path / "night", ["trade"])
    feed.exchange.advance(20)
    assert recorder.flush()

    def ask():
        follows = refusal(lambda: recorder.export(tmp_path / "out", follow=True))
        said = recorder.status.state, repr(recorder), recorder.widget().picture["status"]
        return said, follows, (recorder.flush(), recorder.close(), recorder.status.state)

    (state, text, shown), (kind, words, _), after = in_a_child(ask)
    assert (state, shown, kind, after) == ("forked", "closed", "ForkedError", (False, False, "forked"))
    for each in (text, words):
        assert "its thread stayed with the process that this one was forked from" in each
    feed.exchange.advance(20)
    assert recorder.flush()
    assert (recorder.status.state, recorder.status.trouble) == ("recording", None)
    assert recorder.close()
    assert kn.open_recording(tmp_path / "night").trades().collect().height == trades.total - before


def test_candles_that_go_on_say_so_without_counting_them(feed):
    candles = feed.live_candles(MARKET, "1m")
    text, probe = in_a_child(lambda: (repr(candles), polars_threads._probe))
    assert "threads stayed with the process" in text
    assert probe is None  # polars was not asked


def test_where_polars_has_no_threads_yet_a_child_computes_as_ever():
    code = """
import os, kalshi_nb as kn
if os.fork() == 0:
    with kn.connect("sim") as feed:
        trades = feed.trades().wait(rows=1, timeout=30)
        os._exit(0 if trades.latest().height else 3)
os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=100).returncode == 0


WAITS = {
    "frame": lambda feed, trades, book: trades.wait(rows=10**6, timeout=None),
    "new rows": lambda feed, trades, book: trades.wait(new=1, timeout=None),
    "book": lambda feed, trades, book: book.wait(None),
    "flush": lambda feed, trades, book: feed.flush(None),
}
CALLS = {
    "the same frame": lambda feed: feed.trades(),
    "another frame": lambda feed: feed.tickers(),
    "book": lambda feed: feed.book(MARKET),
    "stream": lambda feed: feed.stream("trade"),
    "messages": lambda feed: feed.messages("trade"),
    "callback": lambda feed: feed.on("trade"),
    "alert": lambda feed: feed.when(lambda top: True, print, MARKET),
    "catalog": lambda feed: feed.index_ids(),
    "dialing": lambda feed: feed.reconnect(),
}


@pytest.mark.parametrize("name", WAITS)
def test_every_wait_ends_at_once(full, name):
    kind, words, took = in_a_child(lambda: refusal(lambda: WAITS[name](*full)))
    assert kind == "ForkedError"
    assert "threads stayed with" in words
    assert took < 5


@pytest.mark.parametrize("name", CALLS)
def test_every_new_call_is_refused_at_once(full, name):
    kind, words, took = in_a_child(lambda: refusal(lambda: CALLS[name](full[0])))
    assert kind == "ForkedError"
    assert "connect() again here" in words
    assert took < 5


def test_closing_there_ends_nothing_of_the_parent_s(full, exchange):
    feed, trades, book = full

    def close():
        trades.close()
        book.close()
        feed.close()
        return feed.state, repr(trades), book.status

    state, trades_repr, status = in_a_child(close)
    assert (state, status) == ("closed", "closed")
    assert "it is closed" in trades_repr
    before = trades.total
    exchange.advance(30)
    assert trades.total > before
    assert (feed.state, book.wait().status) == ("connected", "live")


def test_a_shown_book_is_a_picture_there(full):
    _, _, book = full
    bundle = in_a_child(book._repr_mimebundle_)
    assert set(bundle) == {"text/plain", "text/html"}
    assert "threads stayed with" in bundle["text/plain"]


def test_a_child_of_a_callback_may_connect(feed, exchange):
    answers = []

    @feed.on("trade", MARKET)
    def forks(trade):
        if not answers:
            answers.append(in_a_child(lambda: refusal(lambda: kn.connect(exchange.url, key_id="x", private_key="no"))))

    exchange.advance(60)
    until(lambda: answers, "the child answered")
    assert answers[0][0] == "PrivateKeyError"  # it is told nothing of a thread of the feed's


def child_of_multiprocessing(pipe, feed, trades):
    pipe.send((feed.state, trades.complete(), refusal(lambda: trades.wait(new=1, timeout=None))))


def test_children_of_multiprocessing_are_forked_children(full):
    feed, trades, _ = full
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=child_of_multiprocessing, args=(theirs, feed, trades))
    child.start()
    assert ours.poll(30)
    state, complete, (kind, _, _) = ours.recv()
    child.join(30)
    assert (state, complete, kind, child.exitcode) == ("forked", False, "ForkedError", 0)


def test_a_grandchild_is_one_too(full):
    feed, _, _ = full
    assert in_a_child(lambda: in_a_child(lambda: feed.state)) == "forked"


def test_a_feed_that_is_made_in_the_child_lives_there(full):
    def ask():
        with kn.connect("sim") as own:
            own.trades().wait(rows=1, timeout=20)
            return own.state, in_a_child(lambda: own.state), own.state

    assert in_a_child(ask) == ("connected", "forked", "connected")
