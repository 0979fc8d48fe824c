"""A board: which markets it has, what of them travels, and how it reads without a browser."""

import re
import struct
import threading

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb._rows.gaps import Gap
from kalshi_nb._widgets.board import presenter as presenting
from kalshi_nb._widgets.board.history import MINUTES, NONE
from kalshi_nb._widgets.board.view import BoardView
from kalshi_nb.errors import ConfigurationError, UsageError
from tests.feed.list_engine import BASE_US
from tests.widgets import own
from tests.widgets.conftest import wait_until
from tests.widgets.tickers import Tickers

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def tickers():
    return Tickers()


@pytest.fixture
def at_once(monkeypatch):
    """Have markets chosen anew in each picture."""
    monkeypatch.setattr(presenting, "_FIRST_REST", 0.0)


def board(tickers, **given):
    return BoardView.of(tickers.source, given)


def names(picture):
    return [each.ticker for each in picture.names]


def says(widget, **content):
    """Have the page of a widget say something."""
    data = {"method": "custom", "content": content}
    widget._handle_msg({"header": {"session": "one"}, "content": {"data": data}, "buffers": []})


def numbers(packed):
    return list(struct.unpack(f"<{len(packed) // 8}d", packed))


class Page:
    """What a page does with what it is sent: rows by place, as board.js keeps them."""

    def __init__(self, scene, picture):
        self.take_whole(scene.body(picture))

    def take_whole(self, body):
        self.order = body["order"]
        self.columns = {name: numbers(packed) for name, packed in body["columns"].items()}

    def take(self, delta):
        assert delta["order"] == self.order
        if "rows" not in delta:
            return []
        places = [int(each) for each in numbers(delta["rows"])]
        for name, packed in delta["columns"].items():
            for place, value in zip(places, numbers(packed), strict=True):
                self.columns[name][place] = value
        return places


# Which markets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "first"),
    [("-volume", "KXA-3"), ("volume", "KXA-1"), ("market", "KXA-1"), ("-market", "KXA-4"), ("-prob", "KXA-2")],
)
def test_the_first_markets_by_a_column_are_chosen_of_all(tickers, sort, first):
    tickers.tell(
        ("KXA-1", 0.10, 0.12, 0.11, 1.0), ("KXA-2", 0.80, 0.82, 0.1, 2.0), ("KXA-3", 0.1, 0.2, 0.3, 4.0), ("KXA-4",)
    )
    picture = board(tickers, sort=sort, limit=1).take()
    assert (names(picture), picture.total) == ([first], 4)


def test_what_is_not_known_and_what_is_over_comes_last_whichever_way_it_is_sorted(tickers):
    tickers.tell(("KXA-1", 0.1, 0.12, 0.11, 1.0), ("KXA-2", 0.1, 0.12, 0.11, 9.0), ("KXA-3",))
    tickers.fact("KXA-2", status="determined")
    for sort in ("volume", "-volume"):
        picture = board(tickers, sort=sort).take()
        assert names(picture) == ["KXA-1", "KXA-3", "KXA-2"]
        assert picture.total == 2


def test_every_word_of_a_filter_stands_in_a_ticker_or_a_title(tickers):
    tickers.tell(("KXHIGHNY-1",), ("KXHIGHNY-2",), ("KXNFL-1",))
    tickers.fact("KXHIGHNY-1", title="Highest temperature in New York", subtitle="52° to 53°")
    tickers.fact("KXNFL-1", title="New York at Buffalo")
    assert names(board(tickers, filter="new york").take()) == ["KXHIGHNY-1", "KXNFL-1"]
    assert names(board(tickers, filter="HIGHNY york 52").take()) == ["KXHIGHNY-1"]
    assert names(board(tickers, series="KXHIGHNY").take()) == ["KXHIGHNY-1", "KXHIGHNY-2"]
    assert names(board(tickers, filter="nothing").take()) == []


def test_a_page_may_ask_for_others_than_those_it_has(tickers):
    tickers.many(10)
    scene = board(tickers, limit=3)
    first = scene.take()
    assert names(first) == ["KXM-0009", "KXM-0008", "KXM-0007"]
    scene.heard({"sort": "volume", "filter": "KXM-000"})
    second = scene.take()
    assert names(second) == ["KXM-0000", "KXM-0001", "KXM-0002"]
    assert scene.delta(first, second) is None  # other rows: the whole travels
    assert (scene.body(second)["sort"], scene.body(second)["filter"]) == ("volume", "KXM-000")
    scene.heard({"sort": "volume; drop table", "filter": "x"})
    scene.heard({"sort": ["volume"], "filter": 1, "select": "KXM"})
    assert scene.take().version == second.version


def test_a_market_that_comes_later_is_added_and_costs_a_whole_picture(tickers):
    tickers.many(2)
    scene = board(tickers)
    first = scene.take()
    tickers.tell(("KXNEW-1", 0.1, 0.2, 0.1, 99.0))
    second = scene.take()
    assert "KXNEW-1" in names(second)
    assert scene.delta(first, second) is None


def test_a_market_that_is_new_is_in_the_next_picture_where_there_is_room(tickers):
    scene = board(tickers, sort="market")
    for count in (1, 2, 3):  # each before the rest after the choice before it is over
        tickers.tell((f"KXA-{count}",))
        assert names(scene.take()) == [f"KXA-{n + 1}" for n in range(count)]


@pytest.mark.parametrize(("count", "given"), [(301, {}), (3, {"filter": "kxm"}), (3, {"limit": 3})])
def test_where_choosing_costs_much_or_there_is_no_room_a_market_that_is_new_waits(tickers, count, given):
    tickers.many(count)
    scene = board(tickers, sort="market", **given)
    assert len(names(scene.take())) == count
    tickers.tell(("KXM-00",))
    assert "KXM-00" not in names(scene.take())


def test_a_title_that_is_known_later_is_shown(tickers):
    tickers.many(1)
    scene = board(tickers)
    first = scene.take()
    tickers.fact("KXM-0000", title="Who wins?")
    second = scene.take()
    assert second.names[0].title == "Who wins?"
    assert scene.delta(first, second) is None


def test_a_market_whose_messages_were_lost_says_so_in_its_own_row(tickers):
    tickers.many(2)
    tickers.engine.gaps.open(Gap("ticker", "KXM-0001", BASE_US, None, "rejected", None, None))
    picture = board(tickers).take()
    states = dict(zip(names(picture), picture.values["state"], strict=True))
    assert states == {"KXM-0001": 8.0, "KXM-0000": 0.0}


# What travels -----------------------------------------------------------------------------------------------------


def test_only_the_rows_that_changed_travel(tickers):
    tickers.many(50)
    scene = board(tickers)
    first = scene.take()
    tickers.tell(("KXM-0007", 0.5, 0.52, 0.51, 7.0, 10.0), ("KXM-0008", 0.4, 0.42, 0.41, 8.0, 10.0))
    second = scene.take()
    delta = scene.delta(first, second)
    assert [names(second)[int(row)] for row in numbers(delta["rows"])] == ["KXM-0007"]
    assert numbers(delta["columns"]["bid"]) == [0.5]
    assert scene.take().version == second.version  # and then there is nothing more to send


def test_a_message_has_200_rows_at_most_and_the_oldest_change_goes_first(tickers):
    tickers.many(500)
    scene = board(tickers)
    before = scene.take()
    page = Page(scene, before)
    tickers.tell(*((f"KXM-{i:04}", 0.6, 0.62, 0.61, float(i), 10.0) for i in range(450)))
    sent = []
    for step in range(3):
        if step == 1:  # what changes again keeps its place, what changes now waits behind it
            tickers.tell(("KXM-0000", 0.7, 0.72, 0.71, 0.0, 10.0), ("KXM-0499", 0.7, 0.72, 0.71, 499.0, 10.0))
        picture = scene.take()
        assert picture.version != before.version
        sent.append(page.take(scene.delta(before, picture)))
        before = picture
    assert [len(each) for each in sent] == [200, 200, 51]
    assert names(before)[sent[2][-1]] == "KXM-0499"
    assert sorted(place for each in sent for place in each) == sorted({place for each in sent for place in each})
    assert page.columns["bid"] == before.values["bid"].to_list()
    assert page.columns["last"] == before.values["last"].to_list()
    assert scene.take().version == before.version


def test_deltas_put_together_are_the_whole(tickers):
    """Whatever changes, and however much of it at once."""
    tickers.many(300)
    scene = board(tickers)
    before = scene.take()
    page = Page(scene, before)
    for step in range(12):
        tickers.tell(
            *((f"KXM-{(17 * i + step) % 300:04}", None if i % 5 else 0.3, 0.5 + step / 100) for i in range(40 * step))
        )
        picture = scene.take()
        page.take(scene.delta(before, picture))
        before = picture
    for _ in range(3):
        picture = scene.take()
        page.take(scene.delta(before, picture))
        before = picture
    whole = Page(scene, before)
    assert {name: list(map(repr, each)) for name, each in page.columns.items()} == {
        name: list(map(repr, each)) for name, each in whole.columns.items()
    }


def test_what_a_page_is_sent_holds_no_handle_and_no_more_than_it_shows(tickers):
    tickers.many(2000)
    scene = board(tickers)
    body = scene.body(scene.take())
    assert {type(each) for each in body["columns"].values()} == {memoryview}
    assert len(body["sparks"]) == 2000 * 2 * MINUTES
    assert sum(len(each) for each in body["columns"].values()) == 2000 * 7 * 8


# The last hour ----------------------------------------------------------------------------------------------------


def sparks(scene, picture):
    _, packed = scene._presenter.sparks(picture)
    prices = struct.unpack(f"<{len(packed) // 2}H", packed)
    return {name: prices[MINUTES * i : MINUTES * (i + 1)] for i, name in enumerate(names(picture))}


def test_what_the_window_knows_of_the_last_hour_is_there_at_once(tickers):
    tickers.tell(("KXA-1", 0.10, 0.12))
    tickers.wait(600)
    tickers.tell(("KXA-1", 0.20, 0.22), ("KXA-2", 0.5, 0.9, 0.6))
    tickers.wait(300)
    scene = board(tickers)
    known = sparks(scene, scene.take())
    assert known["KXA-1"] == (NONE,) * 45 + (1100,) * 10 + (2100,) * 5
    assert known["KXA-2"] == (NONE,) * 55 + (6000,) * 5  # a wide book has no mid, its last trade stands


def test_a_price_is_noted_as_each_minute_ends(tickers):
    tickers.tell(("KXA-1", 0.10, 0.12))
    scene = board(tickers)
    scene.take()
    tickers.wait(61)
    tickers.tell(("KXA-1", 0.20, 0.22))
    scene.take()
    tickers.wait(60)
    known = sparks(scene, scene.take())
    assert known["KXA-1"][-3:] == (NONE, 1100, 2100)


def test_minutes_that_nobody_looked_at_are_known_only_where_nothing_came(tickers):
    tickers.tell(("KXA-1", 0.10, 0.12), ("KXA-2", 0.30, 0.32))
    scene = board(tickers)
    scene.take()
    tickers.wait(125)
    tickers.tell(("KXA-2", 0.40, 0.42))
    tickers.wait(60)
    known = sparks(scene, scene.take())
    assert known["KXA-1"][-3:] == (1100, 1100, 1100)
    assert known["KXA-2"][-3:] == (3100, NONE, 4100)


# Forms ------------------------------------------------------------------------------------------------------------


def test_text_and_html_have_the_first_rows_and_say_how_many_more_there_are(tickers):
    tickers.many(30)
    tickers.fact("KXM-0029", subtitle="52° to 53°", status="inactive")
    scene = board(tickers, unit="dollars")
    text, html = scene.text(scene.take()), scene.html(scene.take(), "a still picture")
    lines = text.splitlines()
    assert lines[0].startswith("Markets  live  30 markets, by volume   (snapshot 2026-")
    assert lines[2].split() == [
        "KXM-0029",
        "41",
        "%",
        "0.40",
        "0.42",
        "0.02",
        "0.41",
        *["29", "10", "inactive", "52°", "to", "53°"],
    ]
    assert lines[-1] == "  … 20 more"
    assert html.count("<tr>") == 1 + 20 + 2
    assert "a still picture" in html
    assert len(html.encode()) < 20_000
    assert not re.search(r"<script|https?:|\bid=|\bon\w+=", html)


@pytest.mark.parametrize("words", ["<img src=x onerror=alert(1)>", "\u202egnp.exe\u2066", "W" * 10_000])
def test_a_hostile_title_does_nothing_in_any_form(tickers, words):
    tickers.tell((f"KX{words}", 0.1, 0.12, 0.11, 1.0))
    tickers.fact(f"KX{words}", title=words, subtitle=words)
    scene = board(tickers, filter=words[:100])
    picture = scene.take()
    text, html = scene.text(picture), scene.html(picture)
    assert "<img" not in html
    assert not {"\u202e", "\u2066"} & {*text, *html}
    assert len(html) < 20_000
    assert max(map(len, text.splitlines())) < 500


def test_a_frame_without_rows_reads_and_shows(tickers):
    scene = board(tickers)
    picture = scene.take()
    assert "no market" in scene.text(picture)
    assert "no market" in scene.html(picture)
    assert scene.body(picture)["tickers"] == []
    assert "rows" not in scene.delta(picture, picture)


def test_a_side_that_is_missing_is_a_dash_and_no_mid_is_made_of_the_other(tickers):
    tickers.tell(("KXA-1", 0.4, None, None, 1.0), ("KXA-2", 0.4, 0.6, 0.45, 0.5))
    lines = board(tickers).text(board(tickers).take()).splitlines()
    assert lines[2].split() == ["KXA-1", "\u2013", "40¢", "\u2013", "\u2013", "\u2013", "1.00", "\u2013"]
    assert lines[3].split() == ["KXA-2", "45", "%", "40¢", "60¢", "20¢", "45¢", "0.50", "\u2013"]


# Options and choices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sort": "-volumes"}, "'-volume'"),
        ({"columns": ["bid", "asks"]}, "'ask'"),
        ({"columns": []}, "give a list"),
        ({"limit": 0}, "1 to 10000"),
        ({"filter": 7}, "give a text"),
    ],
)
def test_what_will_not_do_is_refused_with_what_would(tickers, given, said):
    with pytest.raises(ConfigurationError, match=said):
        board(tickers, **given)


def test_an_option_that_there_is_not_is_refused_with_the_nearest(tickers):
    with pytest.raises(UsageError, match="'limit'"):
        board(tickers, limits=3)


def test_a_row_always_says_whose_it_is(tickers):
    assert board(tickers, columns=["bid", "market", "prob"]).options["columns"] == ("market", "bid", "prob")


def test_whoever_asked_is_told_of_a_choice_and_one_that_raises_spoils_nothing(tickers):
    scene, told = board(tickers), []
    scene.on_select(lambda _: 1 / 0)
    scene.on_select(told.append)
    scene.heard({"select": ["KXA-1", 7, "KXA-2"]})
    assert told == [["KXA-1", "KXA-2"]]
    assert scene.body(scene.take())["selected"] == ["KXA-1", "KXA-2"]
    assert "ZeroDivisionError" in tickers.errors.last


# On a feed --------------------------------------------------------------------------------------------------------


def test_a_frame_of_tickers_shows_a_board_that_a_page_can_choose_on(messages):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        frame = feed.tickers()
        exchange.advance(30)
        frame.wait(10)
        shown = frame._repr_mimebundle_()
        assert set(shown) == {"text/plain", "text/html", WIDGET}
        assert shown["text/plain"].startswith("Markets  live  ")
        view = kn.show(frame, sort="market", columns=["prob", "bid"])
        (opened,) = messages.of(view.widget, "comm_open")
        assert opened.data["state"]["settings"]["columns"] == ("market", "prob", "bid")
        first = opened.picture["tickers"][0]
        says(view.widget, asked={"select": [first]})
        assert view.selected == [first]
        with pytest.raises(ConfigurationError, match="view='ladder'"):
            kn.show(frame, view="ladder")


def test_a_board_moves_by_deltas_between_wholes(messages):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        frame = feed.tickers()
        exchange.advance(120)
        frame.wait(10)
        view = kn.show(frame)
        wait_until(lambda: names(view._scene.take()) and not view._scene._presenter._has_missed)

        def deltas():
            says(view.widget, ack={view.widget.model_id: 1}, visible=[view.widget.model_id])
            exchange.advance(1)
            threading.Event().wait(0.05)
            sent = [each.data["state"] for each in messages.of(view.widget)]
            return [each["delta"] for each in sent if each.get("delta", {}).get("order")]

        wait_until(lambda: any("columns" in each for each in deltas()))
        counted = [each["seq"] for each in deltas()]
        assert counted == sorted({*counted})


def test_a_frame_that_is_closed_leaves_a_board_that_stands_still(messages):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        frame = feed.tickers()
        exchange.advance(30)
        frame.wait(1)
        frame.close()
        shown = frame._repr_mimebundle_()
        assert set(shown) == {"text/plain", "text/html"}
        assert "closed" in shown["text/plain"]


def test_a_board_of_exact_prices_is_the_same(messages):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
        plain, exact = feed.tickers(), feed.tickers(exact=True)
        exchange.advance(30)
        plain.wait(10), exact.wait(plain.total)
        one, other = (BoardView.of(each._source, {}).take() for each in (plain, exact))
        assert names(one) == names(other)
        assert isinstance(exact.df["yes_bid"].dtype, pl.Decimal)
        assert one.values.equals(other.values)


# One's own markets ------------------------------------------------------------------------------------------------


@pytest.fixture
def account(nothing_before):  # what is one's own is told by the tests
    with kn.sim.Exchange(seed=5, clock="manual") as exchange, kn.connect(exchange) as feed:
        yield exchange, feed


def test_ones_own_markets_are_those_of_positions_and_of_resting_orders_that_somebody_hears_of(account):
    exchange, feed = account
    scene = feed.board(limit=3)._scene
    exchange.advance(60)
    own.tell(exchange)
    assert scene.complete().mine is None
    assert not scene.is_private
    orders = feed.orders()
    assert scene.complete().mine == frozenset()
    own.tell(exchange)
    assert scene.complete().mine == {own.TICKER}
    own.tell(exchange, status="canceled", left="0.00")
    assert scene.complete().mine == frozenset()
    positions = feed.positions()
    own.tell(exchange, status="canceled", left="0.00")
    assert scene.complete().mine == {own.TICKER}
    assert scene.is_private
    orders.close()
    positions.close()
    assert scene.complete().mine is None


def test_only_ones_own_are_chosen_where_a_page_asks_also_of_what_has_no_row(account):
    exchange, feed = account
    positions = feed.positions()
    scene = feed.board(limit=1)._scene
    scene.heard({"sort": "-volume", "filter": "", "mine": True})
    assert names(scene.complete()) == []
    own.tell(exchange)
    assert positions.total == 1
    picture = scene.complete()
    assert names(picture) == [own.TICKER]
    assert scene.body(picture)["is_mine"]
    scene.heard({"sort": "-volume", "filter": "no such words"})
    assert names(scene.complete()) == []
    scene.heard({"sort": "-volume", "filter": ""})
    exchange.advance(60)
    assert len(names(scene.complete())) == 1
    assert not scene.complete().is_mine


def test_which_markets_are_ones_own_is_sent_to_a_page_alone(account):
    exchange, feed = account
    held = feed.positions()
    own.tell(exchange)
    view = feed.board()
    assert held.total == 1
    assert view.widget.get_state()["picture"]["mine"] is None
    scene = view._scene
    assert (scene.take().mine, scene.complete().mine) == (None, {own.TICKER})
    scene.heard({"sort": "-volume", "filter": "", "mine": True})
    assert names(scene.take()) == []
    assert own.TICKER not in view.snapshot().html + view.snapshot().text
    assert own.TICKER in view.snapshot(private=True).text
    says(view.widget, ack={view.widget.model_id: 0}, visible=[view.widget.model_id])
    assert view.widget.get_state()["picture"]["mine"] == [own.TICKER]


@pytest.mark.parametrize(("options", "mine"), [({"mask": True}, None), ({"private": True}, {own.TICKER})])
def test_a_screen_that_others_see_and_a_notebook_that_may_store_it(account, options, mine):
    exchange, feed = account
    held = feed.positions()
    own.tell(exchange)
    assert held.total == 1
    scene = feed.board(**options)._scene
    assert (scene.take().mine, scene.complete().mine) == (mine, mine)


def test_a_delta_says_which_are_ones_own_where_that_changed(account):
    exchange, feed = account
    held = feed.positions()
    scene = feed.board()._scene
    before = scene.complete()
    own.tell(exchange)
    assert held.total == 1
    after = scene.complete()
    assert scene.delta(before, after)["mine"] == [own.TICKER]
    assert "mine" not in scene.delta(after, scene.complete())


def test_a_page_that_lost_a_message_is_sent_all_in_the_next(tickers, messages):
    tickers.many(3)
    view = BoardView(board(tickers))
    widget = view.widget
    opened = len(messages.of(widget))
    tickers.tell(("KXM-0000", 0.5, 0.52, 0.51, 7.0, 10.0))
    wait_until(lambda: any("delta" in each.data["state"] for each in messages.of(widget)[opened:]))
    assert not any("picture" in each.data["state"] for each in messages.of(widget)[opened:])
    says(widget, asked={"whole": True})
    wait_until(lambda: any("picture" in each.data["state"] for each in messages.of(widget)[opened:]))
    view.close()
