"""What is one's own reaches a page that has said it is there, and no file unless its owner asks for that."""

import json

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.account.view import AccountView
from kalshi_nb._widgets.ladder.view import LadderView
from kalshi_nb._widgets.scene import masked
from kalshi_nb.errors import ConfigurationError
from tests.widgets.own import LEFT, SECRETS, TICKER, tell
from tests.widgets.test_ladder_view import Counting, Notebook

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange) as made:
        made.book(TICKER).wait()
        made.orders(), made.fills(), made.positions()
        tell(exchange)
        yield made


@pytest.fixture
def around():
    return Notebook()


def scenes(feed, **options):
    """A scene of each kind that may show what is one's own."""
    yield LadderView, LadderView.of(feed.book(TICKER)._presenter, {"levels": 5, **options})
    for frame in (feed.orders(), feed.fills(), feed.positions()):
        yield AccountView, AccountView.of(frame._source, options)


def secrets_in(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return [each for each in SECRETS if each.rstrip("0") in text]


def test_until_a_page_says_that_it_holds_a_view_nothing_of_ones_own_is_sent(feed, messages, thread, around):
    for made, scene in scenes(feed):
        view = made(scene, thread=thread, around=around)
        thread.stop()
        view._needs_whole = True
        assert view.refresh() is True
        # Another view's page, and a page that merely asks for all, say nothing of this one.
        around.hears(view.widget, {"ack": {"another": 3}, "visible": ["another"]})
        view.widget._handle_msg({"content": {"data": {"method": "request_state"}}})
        sent = [each.data for each in (*messages.of(view.widget, "comm_open"), *messages.of(view.widget))]
        assert len(sent) >= 3
        assert all(secrets_in({"state": each["state"].get("picture")}) == [] for each in sent)


def test_as_soon_as_a_page_holds_a_view_it_is_sent_all_of_it_though_nothing_has_changed(
    feed, messages, thread, around
):
    for made, scene in scenes(feed):
        view = made(scene, thread=thread, around=around)
        thread.stop()
        assert secrets_in(view.widget.get_state()["picture"]) == []
        assert view.refresh() is False
        around.hears(view.widget, {"ack": {view.widget.model_id: 0}, "visible": [view.widget.model_id]})
        assert view.refresh() is True
        assert LEFT in secrets_in(messages.of(view.widget)[-1].picture)
        assert LEFT in secrets_in(view.widget.get_state()["picture"])
        view._timetable._next = 0
        assert view.refresh() is False


def test_a_view_that_is_paused_before_a_page_came_stays_masked_and_shows_its_moment_afterwards(
    feed, messages, thread, around
):
    for made, scene in scenes(feed):
        view = made(scene, thread=thread, around=around)
        thread.stop()
        view.pause()
        assert secrets_in(view.widget.whole()) == []
        around.hears(view.widget, {"ack": {view.widget.model_id: 0}, "visible": [view.widget.model_id]})
        assert LEFT in secrets_in(view.widget.whole())


def test_the_last_picture_of_a_view_that_no_page_held_is_masked_and_so_is_what_is_left_in_its_place(
    feed, messages, thread, around
):
    for made, scene in scenes(feed):
        view = made(scene, thread=thread, around=around)
        thread.stop()
        view.show()
        model = view.widget.model_id
        around.hears(view.widget, {"ack": {}, "visible": []})
        view._ending.close()
        assert messages.of(model)[-1].picture["status"] == "closed"
        assert secrets_in(messages.of(model)[-1].picture) == []
        assert around.published[-1][1] is True
        assert all(secrets_in(bundle) == [] for _, _, bundle in around.published)


def test_still_forms_leave_out_what_is_ones_own_unless_they_are_asked_for_it(feed, messages, thread, around):
    for made, scene in scenes(feed):
        view = made(scene, thread=thread, around=around)
        around.hears(view.widget, {"ack": {view.widget.model_id: 0}, "visible": [view.widget.model_id]})
        bundle = view.mimebundle()
        assert WIDGET in bundle
        assert secrets_in({name: bundle[name] for name in ("text/plain", "text/html")}) == []
        assert secrets_in(view.snapshot().text + view.snapshot().html) == []
        assert "731.37" in view.snapshot(private=True).text or made is LadderView


def test_a_view_that_is_private_shows_all_of_it_everywhere(feed, messages, thread, around):
    for made, scene in scenes(feed, private=True):
        view = made(scene, thread=thread, around=around)
        assert LEFT in secrets_in(messages.of(view.widget, "comm_open")[0].data["state"]["picture"])
        if made is AccountView:
            assert LEFT in view.mimebundle()["text/html"]


def test_a_masked_view_sends_no_amount_to_anybody(feed, messages, thread, around):
    for made, scene in scenes(feed, mask=True, private=True):
        view = made(scene, thread=thread, around=around)
        around.hears(view.widget, {"ack": {view.widget.model_id: 0}, "visible": [view.widget.model_id]})
        assert secrets_in(view.widget.get_state()["picture"]) == []
        assert secrets_in(view.snapshot(private=True).text + view.snapshot(private=True).html) == []


def test_the_text_of_a_ladder_has_own_orders_only_where_they_are_asked_for(feed, exchange):
    view = feed.book(TICKER)._live_view(levels=100, renderer="html")
    tell(exchange, price=feed.book(TICKER).best_ask)
    assert f"(own order: {LEFT})" in view.snapshot(private=True).text
    assert "own order" not in view.snapshot().text + view.snapshot().html
    assert "own order" not in view.mimebundle()["text/plain"]


def test_a_scene_of_what_everybody_sees_is_not_touched():
    picture = Counting().take()
    assert masked(Counting(), picture) is picture


@pytest.mark.parametrize("name", ["private", "mask"])
def test_what_is_neither_yes_nor_no_is_refused(feed, name):
    with pytest.raises(ConfigurationError, match=f"{name}='yes': it is True or False"):
        feed.fills()._live_view(**{name: "yes"})


def test_who_takes_a_picture_and_knows_nothing_of_this_gets_one_that_anybody_may_see(feed):
    """Such as a view that is made of others."""
    for _, scene in scenes(feed):
        assert secrets_in(scene.body(scene.take())) == []
        assert LEFT in secrets_in(scene.body(scene.complete()))
        assert secrets_in(scene.text(scene.take()) + scene.html(scene.take())) == []
    for _, scene in scenes(feed, private=True):
        assert LEFT in secrets_in(scene.body(scene.take()))
