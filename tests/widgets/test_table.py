"""A table of a frame's last rows: every frame has one, a pipeline's too."""

import gc
import re
import weakref

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.table.view import TableView
from kalshi_nb.errors import UsageError
from tests.widgets.conftest import wait_until
from tests.widgets.tickers import Tickers

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        yield exchange


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange) as feed:
        yield feed


def test_every_frame_shows_a_view_and_says_in_text_what_its_repr_says(messages, exchange, feed):
    frames = [feed.order_groups(), feed.rfqs(), feed.deltas(["KXHIGHNY-26NOV22-B52.5"])]
    exchange.advance(30)
    frames[-1].wait(1)
    for frame in frames:
        shown = frame._repr_mimebundle_()
        assert set(shown) == {"text/plain", "text/html", WIDGET}
        assert shown["text/plain"].startswith(f"<Frame {frame.name}")
    deltas = frames[-1]
    assert deltas._repr_mimebundle_()["text/plain"] == repr(deltas)


def test_a_table_has_the_last_rows_of_a_frame_newest_last(messages, exchange, feed):
    deltas = feed.deltas(["KXHIGHNY-26NOV22-B52.5"])
    exchange.advance(60)
    deltas.wait(60)
    scene = TableView.of(deltas._source, {"rows": 50})
    picture = scene.take()
    last = deltas.df.tail(50)
    assert [row[3] for row in picture.rows] == [f"{each:.10g}" for each in last["price"]]
    assert [name for name, _ in picture.columns] == last.columns
    assert dict(picture.columns)["price"] == "right"
    assert dict(picture.columns)["market_ticker"] == "left"
    assert (len(picture.rows), picture.total) == (50, deltas.total)
    html = scene.html(picture, "a note")
    assert html.count("<tr>") == 1 + 10 + 2  # head, rows, what stands below
    assert html.index(picture.rows[-1][0]) < html.index(picture.rows[-9][0])
    assert "a note" in html


def test_a_pipelines_frame_is_shown_and_its_view_goes_with_it(messages, exchange, feed):
    frame = feed.stream("trade").rolling_frame()
    view = kn.show(frame)
    assert kn.show(frame) is view
    exchange.advance(60)
    frame.wait(1)
    model = view.widget.model_id
    wait_until(lambda: any(each.picture["rows"] for each in messages.of(model) if "picture" in each.data["state"]))
    assert view._scene.take().rows[-1][1] == frame.df["market_ticker"][-1]
    assert view.snapshot().text == repr(frame)
    with pytest.raises(UsageError, match="'rows'"):
        kn.show(frame, row=3)
    gone, handle = weakref.ref(view), weakref.ref(frame)
    del view, frame
    gc.collect()
    assert handle() is None
    assert gone() is None


def test_a_pipelines_frame_as_the_last_line_of_a_cell_is_the_view_that_show_gives(messages, exchange, feed):
    frame = feed.stream("trade").rolling_frame()
    exchange.advance(60)
    frame.wait(1)
    shown = frame._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html", WIDGET}
    assert shown["text/plain"] == repr(frame)
    assert shown[WIDGET]["model_id"] == kn.show(frame).widget.model_id
    assert frame._display_() is kn.show(frame).widget
    frame.close()
    assert set(frame._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_a_pipeline_that_is_closed_says_so(messages, exchange, feed):
    frame = feed.stream("trade").rolling_frame()
    exchange.advance(60)
    frame.wait(1)
    view = kn.show(frame)
    assert view._scene.take().status == "live"
    frame.close()
    assert view._scene.take().status == "closed"
    assert "its pipeline is closed" in view._scene.take().note


def test_a_frame_that_is_closed_leaves_a_table_that_stands_still(messages, exchange, feed):
    requests = feed.rfqs()
    requests.close()
    shown = requests._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert "it is closed" in shown["text/plain"]


@pytest.mark.parametrize("words", ["<img src=x onerror=alert(1)>", "\u202egnp.exe\u2066", "W" * 10_000])
def test_hostile_cells_do_nothing_in_any_form(words):
    tickers = Tickers()
    for _ in range(12):
        tickers.tell((words,))
    scene = TableView.of(tickers.source, {})
    picture = scene.take()
    html = scene.html(picture)
    assert "<img" not in html
    assert not {"\u202e", "\u2066"} & {*html}
    assert len(html) < 20_000
    assert not re.search(r"<script|https?:|\bid=", html)
    assert max(len(cell) for row in picture.rows for cell in row) <= 200


def test_cells_are_written_as_people_read_them():
    tickers = Tickers()
    tickers.tell(("KXA-1", 0.1 + 0.2, None))
    row = dict(zip(tickers.store.df.columns, TableView.of(tickers.source, {}).take().rows[-1], strict=True))
    assert (row["yes_bid"], row["yes_ask"]) == ("0.3", "\u2013")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", row["ts"])


def test_a_frame_that_nobody_has_any_more_says_what_it_was_called():
    tickers = Tickers()
    tickers.store.append(pl.DataFrame(schema=tickers.store.schema))
    assert TableView.of(tickers.source, {}).text(None) == "<tickers>"
