"""A dashboard: several panels in one model, one message a tick, and no panel that takes another along."""

import gc
import json
import threading
import time
from types import SimpleNamespace

import pytest
from ipywidgets.widgets import widget as ipywidgets_widget

from kalshi_nb._logging import settle
from kalshi_nb._widgets.dashboard.heads import MarketHead
from kalshi_nb._widgets.dashboard.panels import PANELS, Panel, PanelNames
from kalshi_nb._widgets.dashboard.scene import Opened
from kalshi_nb._widgets.dashboard.view import DashboardView
from kalshi_nb._widgets.host import Host
from kalshi_nb._widgets.kinds import KINDS, Kind
from kalshi_nb._widgets.ladder.view import LadderView
from kalshi_nb._widgets.view import WHOLE_SECONDS
from kalshi_nb._widgets.view_errors import ViewErrors
from kalshi_nb.errors import ConfigurationError, SubscriptionError, UsageError
from tests.widgets.conftest import Presenter, wait_until
from tests.widgets.counting_kind import Counter

TICKER, OTHER = "KXHIGHNY-26NOV22-B52.5", "KXHIGHNY-26NOV22-B54.5"


class MadeUpSources:
    """What panels are made of, with who holds what; a market that begins with KXNO is refused."""

    def __init__(self):
        self.feed = SimpleNamespace(
            errors=ViewErrors(),
            state="connected",
            note="",
            facts_version=1,
            origin="simulated",
            over=lambda: "",
            watch=lambda _: None,
        )
        self.feed.clock = SimpleNamespace(now_us=lambda: int(time.time() * 1e6))
        self.presenters = {}
        self.counter = Counter()
        self.held = []

    def market_tickers(self):
        return [TICKER, OTHER]

    def first_market(self):
        return None

    def presenter(self, ticker):
        return self.presenters.setdefault(ticker, Presenter(ticker))

    def head(self, ticker):
        if ticker.startswith("KXNO"):
            raise SubscriptionError("no such market", channel="orderbook_delta", code=0)
        if ticker.startswith("KXBUG"):
            raise ValueError(f"{ticker} is a \x1b[31mbug")
        head = MarketHead(self.presenter(ticker), None)
        head._last_minute = lambda: None
        return self.hold(f"head {ticker}", head)

    def open_panel(self, panel, ticker):
        return self.hold(f"{panel} {ticker}", self.presenter(ticker) if panel == "ladder" else self.counter)

    def hold(self, what, source):
        self.held.append(what)

        def release():
            if what in self.held:
                self.held.remove(what)

        return Opened(source, release)


@pytest.fixture
def sources(monkeypatch):
    monkeypatch.setitem(PANELS, "counting", Panel("Counting", is_of_market=False))
    monkeypatch.setitem(KINDS, "counting", Kind("tests.widgets.counting_kind", "CountingView", 4.0, ()))
    return MadeUpSources()


@pytest.fixture
def make(sources, messages, thread):
    views = []

    def made(market_ticker=TICKER, panels=("ladder", "counting"), **options):
        scene = DashboardView.of(sources, {"market_ticker": market_ticker, "panels": panels, **options})
        views.append(DashboardView(scene, thread=thread, around=Host(), errors=sources.feed.errors))
        return views[-1]

    yield made
    for view in views:
        view.close()
    thread.stop()


def opened(messages, view):
    return messages.of(view.widget, "comm_open")[0].data["state"]["picture"]


def sent(messages, view):
    """Return the bodies of all updates, whole or delta."""
    return [each.data["state"].get("picture") or each.data["state"]["delta"] for each in messages.of(view.widget)]


# What travels -----------------------------------------------------------------------------------------------------


def test_all_panels_are_one_model_and_what_opens_has_all_of_them(sources, messages, make):
    sources.counter.count = 3
    view = make()
    assert len([each for each in messages if each.kind == "comm_open" and "picture" in each.data["state"]]) == 1
    picture = opened(messages, view)
    assert picture["kind"] == "dashboard"
    assert list(picture["panels"]) == ["ladder", "counting"]
    assert picture["panels"]["counting"]["points"] == [0, 1, 2]
    json.dumps(picture, allow_nan=False)


def test_a_panels_body_is_that_of_the_single_view(sources, messages, make):
    view = make()
    picture = opened(messages, view)
    single = LadderView.of(sources.presenter(TICKER), {})
    body = single.body(single.take())
    panel = picture["panels"]["ladder"]
    assert panel["market"] is True
    assert picture["market"] == body.pop("market")
    assert {name: panel[name] for name in body if name not in ("age", "clock")} == {
        name: value for name, value in body.items() if name not in ("age", "clock")
    }
    assert panel["status"] == "live"


def test_a_tick_is_one_message_with_the_panels_that_changed_and_nothing_of_the_others(sources, messages, make):
    view = make()
    sources.presenter(TICKER).move(bids=((0.46, 5.0),))
    wait_until(lambda: messages.of(view.widget))
    (first,) = sent(messages, view)
    assert set(messages.of(view.widget)[0].data["state"]) == {"delta"}
    assert set(first["panels"]) == {"ladder"}
    assert first["panels"]["ladder"]["bids"] == first["bids"] == [[0.46, 5.0]]
    assert "market" not in first
    sources.counter.count = 2
    wait_until(lambda: any(each["panels"] for each in sent(messages, view)[1:]))
    change = next(each for each in sent(messages, view)[1:] if each["panels"])
    assert change["panels"] == {"counting": {"delta": {"status": "live", "points": [0, 1]}}}


def test_deltas_put_together_are_what_the_single_view_has(sources, messages, make):
    view = make(panels=("counting",))
    points = list(opened(messages, view)["panels"]["counting"]["points"])
    for _ in range(5):
        sources.counter.count += 3
        before = len(messages.of(view.widget))
        wait_until(lambda before=before: len(messages.of(view.widget)) > before)
    for each in sent(messages, view):
        points += each["panels"].get("counting", {"delta": {"points": []}})["delta"]["points"]
    assert points == list(range(sources.counter.count))


def test_a_panel_is_looked_at_no_more_often_than_its_kind_may_send(sources, messages, make):
    sources.presenter(TICKER).always_new = True
    view = make()
    began, taken = time.monotonic(), sources.counter.taken
    wait_until(lambda: len(messages.of(view.widget)) >= 20)
    seconds = time.monotonic() - began
    assert sources.counter.taken - taken <= 4 * seconds + 2
    assert len(messages.of(view.widget)) <= 10 * seconds + 2


def test_a_page_that_missed_something_gets_the_whole_when_it_asks(sources, messages, make):
    view = make()
    asked = {"data": {"method": "custom", "content": {"asked": {"whole": True}}}}
    view.widget._handle_msg({"header": {"session": "one"}, "content": asked, "buffers": []})
    wait_until(lambda: any("picture" in each.data["state"] for each in messages.of(view.widget)))
    first = next(each for each in messages.of(view.widget) if "picture" in each.data["state"])
    assert first.at - messages.of(view.widget, "comm_open")[0].at < WHOLE_SECONDS
    assert first.picture["panels"]["counting"]["points"] == []


def test_who_opens_late_has_the_whole(sources, messages, make):
    view = make()
    sources.counter.count = 7
    wait_until(lambda: messages.of(view.widget))
    state = view.widget.get_state()
    assert state["picture"]["panels"]["counting"]["points"] == list(range(7))
    assert state["delta"] == {}


# Trouble ----------------------------------------------------------------------------------------------------------


def test_a_panel_that_raises_is_counted_and_the_others_go_on(sources, messages, make):
    view = make()
    sources.counter.trouble = ZeroDivisionError("of a test")
    wait_until(lambda: sources.feed.errors.count)
    sources.presenter(TICKER).move(bids=((0.45, 5.0),))
    wait_until(lambda: any("counting" in each["panels"] for each in sent(messages, view)))
    failed = next(each["panels"]["counting"] for each in sent(messages, view) if "counting" in each["panels"])
    assert (failed["status"], failed["note"]) == ("error", "this panel failed: ZeroDivisionError")
    wait_until(lambda: any(each["bids"] == [[0.45, 5.0]] for each in sent(messages, view)))
    assert "ZeroDivisionError" in sources.feed.errors.last
    assert "this panel failed" in view.snapshot().text
    assert "47" not in view.snapshot().text.partition("\n")[0]


def test_a_panel_that_works_again_is_shown_again(sources, messages, make):
    view = make()
    sources.counter.trouble = ZeroDivisionError("of a test")
    wait_until(lambda: sources.feed.errors.count)
    sources.counter.count, sources.counter.trouble = 4, None
    whole = {"points": [0, 1, 2, 3]}.items()
    wait_until(lambda: any(whole <= each["panels"].get("counting", {}).items() for each in sent(messages, view)))


def test_a_panel_that_cannot_be_written_says_so_and_the_others_are_written(sources, messages, make, monkeypatch):
    view = make()
    monkeypatch.setattr("tests.widgets.counting_kind.CountingScene.html", lambda *_: 1 / 0)
    html = view.snapshot().html
    assert "this panel failed: ZeroDivisionError" in html
    assert "<caption>" in html


# What is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("panels", [["laddr"], "laddr"])
def test_a_panel_that_does_not_exist_is_refused_with_the_nearest(sources, make, panels):
    with pytest.raises(ConfigurationError, match="Did you mean 'ladder'"):
        make(panels=panels)
    assert sources.held == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Order book", "ladder"), ("book", "ladder"), ("price", "chart"), ("Trades", "tape"), ("markets", "board")],
)
def test_who_names_a_panel_by_what_stands_above_it_is_told_its_name(said, meant):
    with pytest.raises(ConfigurationError, match=f"Did you mean '{meant}'"):
        PanelNames().check("panels", [said])


def test_panels_are_in_the_order_in_which_they_are_read_and_each_once(make):
    assert make(panels=["counting", "ladder", "ladder"]).panels == ("ladder", "counting")


def test_options_are_those_of_its_panels_and_others_are_refused(sources, messages, make):
    picture = opened(messages, make(levels=3, least=4))
    assert picture["panels"]["ladder"]["settings"]["levels"] == 3
    assert picture["panels"]["counting"]["settings"]["least"] == 4
    with pytest.raises(UsageError, match="Did you mean 'levels'"):
        make(level=3)
    with pytest.raises(UsageError, match="has no option 'least'"):
        make(panels=("ladder",), least=3)
    with pytest.raises(ConfigurationError, match="from 1 to 100"):
        make(levels=0)


# What is chosen ---------------------------------------------------------------------------------------------------


def test_another_market_takes_the_place_of_the_first_which_is_let_go(sources, messages, make):
    view = make()
    assert sources.held == [f"head {TICKER}", f"ladder {TICKER}", f"counting {TICKER}"]
    view.choose(OTHER)
    assert sorted(sources.held) == sorted([f"counting {TICKER}", f"head {OTHER}", f"ladder {OTHER}"])
    assert (view.market_ticker, view.selected) == (OTHER, [OTHER])
    wait_until(lambda: any(each.get("chosen") == 2 for each in sent(messages, view)))
    whole = next(each for each in sent(messages, view) if each.get("chosen") == 2)
    assert whole["market"]["ticker"] == OTHER
    assert whole["panels"]["ladder"]["of"] != opened(messages, view)["panels"]["ladder"]["of"]
    assert whole["panels"]["counting"]["of"] == opened(messages, view)["panels"]["counting"]["of"]
    assert len([each for each in messages if each.kind == "comm_open" and "picture" in each.data["state"]]) == 1


def test_a_market_that_cannot_be_had_leaves_all_as_it_was(sources, messages, make):
    view = make()
    held = list(sources.held)
    with pytest.raises(SubscriptionError):
        view.choose("KXNO-1")
    assert sources.held == held
    assert view.market_ticker == TICKER


def test_a_panel_that_is_turned_off_is_let_go_and_comes_back(sources, messages, make):
    view = make()
    view.choose(panels=("ladder",))
    assert f"counting {TICKER}" not in sources.held
    wait_until(
        lambda: any(
            list(each.get("panels")) == ["ladder"] and "settings" in each["panels"]["ladder"]
            for each in sent(messages, view)
        )
    )
    view.choose(panels=("ladder", "counting"))
    assert f"counting {TICKER}" in sources.held
    assert view.market_ticker == TICKER


def test_without_a_market_there_is_none_until_one_is_chosen(sources, messages, make):
    view = make(None)
    picture = opened(messages, view)
    assert picture["title"] == "no market chosen"
    assert "market" not in picture
    assert list(picture["panels"]) == ["counting"]
    assert "pick one above" in view.snapshot().text
    view.choose(OTHER)
    wait_until(lambda: any("ladder" in each["panels"] for each in sent(messages, view)))
    assert view.panels == ("ladder", "counting")


def test_the_picker_and_the_buttons_choose_and_show_what_was_chosen(sources, messages, make):
    view = make()
    box = view.framed
    controls = view._controls
    assert box.children[-1] is view.widget
    assert controls.market.value == TICKER
    assert controls.market.options == (TICKER, OTHER)
    controls.market.value = OTHER
    wait_until(lambda: view.market_ticker == OTHER)
    controls.panels["counting"].value = False
    wait_until(lambda: view.panels == ("ladder",))
    view.choose(TICKER, panels=("ladder", "counting"))
    wait_until(lambda: controls.market.value == TICKER and controls.panels["counting"].value)
    assert view.market_ticker == TICKER


def test_marimo_which_has_no_ipywidgets_is_given_the_dashboard_without_what_stands_above_it(make):
    view = make()
    assert view._display_() is view.widget


def test_a_market_that_was_typed_and_is_refused_is_told_beside_the_picker(sources, make):
    view = make()
    controls = view.framed and view._controls
    controls.market.value = "KXNO-1"
    wait_until(lambda: "no such market" in controls.said.value and controls.market.value == TICKER)
    controls.market.value = "KXNO-1"
    wait_until(lambda: controls.market.value == TICKER)
    assert view.market_ticker == TICKER


def test_what_raises_anything_else_beside_the_picker_is_told_there_and_in_the_log(sources, make, caplog):
    view = make()
    controls = view.framed and view._controls
    controls.market.value = "KXBUG-\ud800"
    wait_until(lambda: "That did not work: ValueError: KXBUG-\\ud800 is a \\x1b[31mbug" in controls.said.value)
    assert view.market_ticker == TICKER
    settle()
    assert "what was chosen in a dashboard did not work: ValueError: KXBUG" in caplog.text


def test_what_is_selected_in_a_panel_is_followed(sources, make):
    view = make()
    view.widget._handle_msg(
        {
            "header": {"session": "one"},
            "content": {
                "data": {
                    "method": "custom",
                    "content": {"asked": {"panel": "counting", "asked": {"select": [OTHER]}}},
                }
            },
            "buffers": [],
        }
    )
    wait_until(lambda: view.market_ticker == OTHER)


@pytest.mark.parametrize("words", [{}, {"panel": "ladder"}, {"panel": ["x"], "asked": {}}, {"panel": "x", "asked": 3}])
def test_what_a_page_asks_that_makes_no_sense_changes_nothing(make, words):
    view = make()
    view._scene.heard(words)
    assert view.market_ticker == TICKER


# Pause, end -------------------------------------------------------------------------------------------------------


def test_a_pause_stands_still_in_every_panel_and_counts(sources, messages, make):
    view = make()
    view.pause()
    wait_until(lambda: sent(messages, view))
    sources.counter.count = 9
    sources.presenter(TICKER).move(bids=((0.40, 1.0),))
    view._needs_whole = True
    before = len(messages.of(view.widget))
    wait_until(lambda: len(messages.of(view.widget)) > before)
    held = sent(messages, view)[-1]
    assert (held["status"], held["note"]) == ("paused", "1 change since")
    assert held["panels"]["counting"]["points"] == []
    view.resume()
    wait_until(lambda: sent(messages, view)[-1]["status"] == "live")
    wait_until(
        lambda: sources.counter.count == len(view.widget.get_state()["picture"]["panels"]["counting"]["points"])
    )


def test_what_is_chosen_while_a_page_is_paused_is_sent_to_it_at_once(sources, messages, make):
    view = make()
    paused = {"data": {"method": "custom", "content": {"paused": True}}}
    view.widget._handle_msg({"header": {"session": "one"}, "content": paused, "buffers": []})
    assert view.widget.is_paused_on_page
    view.choose(OTHER)
    assert not view.widget.is_paused_on_page
    wait_until(lambda: any(each.get("chosen") == 2 for each in sent(messages, view)))


def test_a_picture_says_where_the_data_is_not_the_real_thing(messages, make):
    view = make()
    assert opened(messages, view)["origin"] == "simulated"
    assert "(simulated, snapshot " in view.snapshot().text
    assert "the feed is live, simulated" in make(None).snapshot().text


def test_markets_that_become_known_later_are_suggested_too_and_what_is_typed_stays(sources, make, monkeypatch):
    monkeypatch.setattr("kalshi_nb._widgets.dashboard.view._PROPOSE_SECONDS", 0.0)
    view = make()
    controls = view.framed and view._controls
    assert controls.market.options == (TICKER, OTHER)
    sources.market_tickers = lambda: [TICKER, OTHER, "KXLATER-1"]
    wait_until(lambda: controls.market.options == (TICKER, OTHER, "KXLATER-1"))
    assert (controls.market.value, view.market_ticker) == (TICKER, TICKER)


def test_closing_lets_go_of_everything_and_closes_every_widget(sources, messages, make, thread):
    gc.collect()
    before = {*ipywidgets_widget._instances}
    threads = threading.active_count()
    for _ in range(20):
        view = make()
        _ = view.framed
        view.choose(OTHER)
        view.close()
        wait_until(lambda: not sources.held)
    wait_until(lambda: {*ipywidgets_widget._instances} <= before)
    wait_until(lambda: threading.active_count() <= threads + 1)


def test_what_is_chosen_after_the_end_is_let_go_at_once(sources, make):
    view = make()
    view.close()
    wait_until(lambda: not sources.held)
    view.choose(OTHER)
    assert sources.held == []


def test_a_view_that_nobody_holds_lets_go_of_everything(sources, messages, thread):
    view = DashboardView(
        DashboardView.of(sources, {"market_ticker": TICKER, "panels": ("ladder",)}), thread=thread, around=Host()
    )
    _ = view.framed
    del view
    gc.collect()
    wait_until(lambda: not sources.held)


def test_text_and_html_have_every_panel_and_stay_small(sources, messages, make):
    sources.counter.count = 5
    still = make(side="no").snapshot()
    assert "counted to 5" in still.text
    assert "counted to 5" in still.html
    assert "NO" in still.text
    assert len(still.html.encode()) < 60_000
    assert "<script" not in still.html


def test_html_that_would_be_too_long_names_what_it_leaves_out(sources, messages, make, monkeypatch):
    monkeypatch.setattr("tests.widgets.counting_kind.CountingScene.html", lambda *_: "x" * 70_000)
    html = make().snapshot().html
    assert len(html.encode()) < 60_000
    assert "too long to be kept here" in html
