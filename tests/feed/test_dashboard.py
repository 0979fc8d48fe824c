"""feed.dashboard(): what it opens is its own, follows the market that is chosen, and is let go with it."""

import pytest

import kalshi_nb as kn
from kalshi_nb._frames.reading import store_of
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.view import LiveView
from kalshi_nb.errors import ConfigurationError, FeedClosedError, MarketTickerError, SubscriptionError, UsageError
from tests.widgets.conftest import messages, wait_until  # noqa: F401  # a fixture

FIRST, SECOND = "KXHIGHNY-26NOV22-B52.5", "KXHIGHNY-26NOV22-B54.5"


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange, messages):  # noqa: F811
    with kn.connect(exchange) as made:
        yield made


def wanted(feed):
    """Return what the feed receives: how many markets of each channel."""
    return {name: each.markets for name, each in feed._engine.status().channels.items() if each.markets != 0}


def test_a_dashboard_opens_what_it_shows_and_lets_go_of_it(feed):
    before = wanted(feed)
    view = feed.dashboard(FIRST)
    assert isinstance(view, LiveView)
    assert {"orderbook_delta", "trade"} <= {*wanted(feed)}
    view.close()
    wait_until(lambda: wanted(feed) == before)


def test_it_ends_no_handle_of_anybody_elses_and_ends_with_none(feed, exchange):
    book, trades = feed.book(FIRST).wait(), feed.trades(FIRST)
    view = feed.dashboard(FIRST)
    book.close()
    trades.close()
    again, more = feed.book(FIRST).wait(), feed.trades(FIRST)
    assert view._scene.take().status == "live"
    assert view._scene._shown.panels["tape"].scene.take().status == "live"
    view.close()
    wait_until(lambda: not feed._dashboards._users)
    exchange.advance(5)
    feed.flush()
    assert again.status == "live"
    assert more.df.height > 0


def test_another_market_releases_what_the_old_one_needed(feed):
    view = feed.dashboard(FIRST)
    view.choose(SECOND)
    assert {ticker for _, ticker in feed._dashboards._users} - {None} == {SECOND}
    view.choose(FIRST)
    view.close()
    wait_until(lambda: not feed._dashboards._users)


def test_two_dashboards_of_a_market_share_what_they_hold(feed):
    one, two = feed.dashboard(FIRST), feed.dashboard(FIRST, side="no")
    assert one is not two
    both = dict(feed._dashboards._users)
    one.close()
    wait_until(lambda: {key: 2 * number for key, number in feed._dashboards._users.items()} == both)
    assert two._scene.take().status != "closed"
    assert two._scene.take().parts["ladder"].picture.status != "closed"


def test_the_same_question_gives_the_same_dashboard_back_at_its_market(feed):
    view = feed.dashboard(FIRST)
    view.choose(SECOND)
    assert feed.dashboard(FIRST) is view
    assert view.market_ticker == FIRST
    view.close()
    assert feed.dashboard(FIRST) is not view


def test_without_a_market_it_is_the_first_open_books_or_none(feed):
    view = feed.dashboard()
    assert view.market_ticker is None
    feed.book(SECOND)
    feed.book(FIRST)
    assert feed.dashboard() is view
    assert view.market_ticker == SECOND


@pytest.mark.parametrize("market_ticker", ["", "  ", 5, [FIRST, SECOND]])
def test_what_is_no_market_is_refused_at_once(feed, market_ticker):
    with pytest.raises(MarketTickerError):
        feed.dashboard(market_ticker)
    assert not feed._dashboards._users


def test_a_panel_that_does_not_exist_is_refused_with_the_nearest(feed):
    with pytest.raises(ConfigurationError, match="Did you mean 'ladder'"):
        feed.dashboard(FIRST, panels=("laddr",))
    assert not feed._dashboards._users


def test_its_last_minute_is_that_of_the_trades(feed, exchange):
    view = feed.dashboard(FIRST)
    exchange.advance(90)
    feed.flush()
    view._scene._shown.head._minute = None
    minute = view._scene.take().head.minute
    trades = feed._dashboards._handles.items()
    frame = dict(trades)["trade", FIRST]
    recent = frame.df.filter(frame.df["received_at"] >= feed.now() - __import__("datetime").timedelta(seconds=60))
    assert (minute.trades, minute.contracts) == (recent.height, recent["count"].sum())
    assert minute.trades > 0
    assert minute.last == recent["yes_price"][-1]


def test_a_minute_that_the_feed_has_not_been_there_for_says_since_when(feed, exchange):
    began = feed.now()
    exchange.advance(20)
    view = feed.dashboard(FIRST)
    exchange.advance(30)
    feed.flush()
    minute = view._scene.take().head.minute
    assert minute.since == (began.timestamp() + 20)
    assert f"since {began:%H:%M}:20 UTC: " in view.snapshot().text
    exchange.advance(60)
    feed.flush()
    wait_until(lambda: view._scene.take().head.minute.since is None)
    assert "last minute: " in view.snapshot().text


def test_a_feed_says_that_it_is_simulated_in_the_strip_and_in_the_dashboard(feed):
    assert view_text(feed).startswith("● live · simulated · ")
    assert feed.dashboard(FIRST)._scene.take().head.origin == "simulated"


def test_a_view_that_looks_at_a_frame_makes_nobody_hurry_and_a_person_does(feed, exchange):
    trades, tickers = feed.trades(), feed.tickers()
    exchange.advance(30)
    feed.flush()
    for frame in (trades, tickers):
        assert frame._live_view()._scene.take() is not None
        assert len(frame._source.latest()) > 0
        assert not store_of(frame).is_awaited
    assert trades.df.height > 0
    assert tickers.latest().height > 0
    assert store_of(trades).is_awaited
    assert store_of(tickers).is_awaited


def view_text(feed):
    return feed._repr_mimebundle_()["text/plain"]


def test_markets_that_are_quoted_traded_or_asked_for_are_suggested_though_no_facts_are_known(feed, exchange):
    source = feed._parts.frames._source
    known = source.market_tickers(100)
    assert known == sorted(known)
    feed._markets.__init__()  # a real exchange says nothing of markets by itself
    assert source.market_tickers(100) == []
    asked = feed.quotes(SECOND)
    assert source.market_tickers(100) == [SECOND]
    tickers, trades = feed.tickers(), feed.trades()
    exchange.advance(120)
    feed.flush()
    found = {*tickers.df["market_ticker"], *trades.df["market_ticker"], SECOND}
    assert source.market_tickers(100) == sorted(found)
    assert len(source.market_tickers(2)) == 2
    asked.close()


def test_a_closed_feed_closes_its_dashboards_and_opens_no_more(feed):
    view = feed.dashboard(FIRST)
    feed.close()
    wait_until(lambda: view.is_closed)
    assert FIRST in view.snapshot().text
    with pytest.raises(FeedClosedError):
        feed.dashboard(FIRST)


def test_twenty_runs_leave_nothing_behind(feed):
    import gc
    import threading

    from ipywidgets.widgets import widget as ipywidgets_widget

    gc.collect()
    before, threads = {*ipywidgets_widget._instances}, threading.active_count()
    for number in range(20):
        view = feed.dashboard((FIRST, SECOND)[number % 2])
        view._repr_mimebundle_()
        view.close()
    wait_until(lambda: not feed._dashboards._users and {*ipywidgets_widget._instances} <= before)
    assert len(feed._parts.frames) == 0
    assert threading.active_count() <= threads + 2


def test_a_board_is_a_view_of_the_frame_of_tickers(feed, exchange):
    board = feed.board("KXHIGHNY", limit=5)
    exchange.advance(5)
    feed.flush()
    assert board is feed.tickers()._live_view(view="board", series="KXHIGHNY", limit=5)
    assert board.selected == []
    assert "KXHIGHNY" in board.snapshot().text
    assert "KXSENATE" not in board.snapshot().text
    assert "KXSENATE" in feed.board().snapshot().text
    with pytest.raises(ConfigurationError, match="Did you mean"):
        feed.board(sort="-volum")


def test_a_market_that_is_chosen_on_the_board_in_it_is_followed(feed):
    view = feed.dashboard(FIRST, panels=["ladder", "board"])
    view._scene.heard({"panel": "board", "asked": {"select": [SECOND]}})
    wait_until(lambda: view.market_ticker == SECOND)
    view._scene.heard({"panel": "board", "asked": {"sort": "market", "filter": ""}})
    view.choose(FIRST)
    assert view.market_ticker == FIRST


def test_a_market_that_is_chosen_in_the_event_is_followed_and_the_panel_of_the_event_stays(feed):
    view = feed.dashboard(FIRST, panels=["ladder", "event"])
    scene = view._scene
    before = dict(scene._shown.panels)
    scene.heard({"panel": "event", "asked": {"select": [SECOND]}})
    wait_until(lambda: view.market_ticker == SECOND)
    after = scene._shown.panels
    assert after["event"] is before["event"]
    assert after["ladder"] is not before["ladder"]
    assert len(after["event"].scene.take().legs) > 1
    view.choose(FIRST)
    scene.heard({"panel": "event", "asked": {"select": [SECOND]}})  # chosen there before, and not shown any more
    wait_until(lambda: view.market_ticker == SECOND)
    for hostile in (["KXNOPE"], [None], "KX", 5, []):
        scene.heard({"panel": "event", "asked": {"select": hostile}})
    assert view.market_ticker == SECOND
    elsewhere = next(
        each for each in feed._parts.frames._source.market_tickers(100) if not each.startswith("KXHIGHNY-26NOV22")
    )
    view.choose(elsewhere)
    assert scene._shown.panels["event"] is not before["event"]
    view.close()
    wait_until(lambda: not wanted(feed))


def test_an_event_says_which_market_was_chosen_in_it(feed):
    view = feed.event("KXHIGHNY-26NOV22")
    assert view.selected == []
    view._scene.heard({"select": [SECOND]})
    assert view.selected == [SECOND]


def test_what_is_ones_own_is_in_no_still_picture_of_it_unless_that_is_asked_for(feed, exchange):
    view = feed.dashboard(FIRST, panels=["ladder", "account"])
    exchange.advance(30)
    feed.flush()
    wait_until(lambda: view._scene.complete().parts["account"].picture != view._scene.take().parts["account"].picture)
    assert view.snapshot().html != view.snapshot(private=True).html


def body(scene):
    """Return what a page is sent of a view now, but for what goes by the moment."""
    found = {"status": scene.take().status} | scene.body(scene.take())
    return {name: value for name, value in found.items() if name not in ("age", "clock", "note")}


def test_every_panels_body_is_that_of_the_single_view(feed, exchange):
    trades, book = feed.trades(FIRST), feed.book(FIRST)
    view = feed.dashboard(FIRST)
    exchange.advance(30)
    feed.flush()
    singles = {
        "ladder": book._live_view(view="ladder", levels=12),
        "depth": book._live_view(view="depth") if "depth" in KINDS else None,
        "tape": trades._live_view(view="tape"),
        "event": feed.event(feed._markets.get(FIRST).event_ticker),
        "gaps": feed._live_view(view="gaps", rows=4),
    }

    def different():
        """Return the names of panels that do not say what the single view does: none, once each has had its turn."""
        whole = view._scene.body(view._scene.take())
        found = set()
        for name, panel in whole["panels"].items():
            if singles.get(name) is not None:
                single = body(singles[name]._scene)
                market = whole["market"] if panel.get("market") is True else panel.get("market")
                same = {each: market if each == "market" else panel[each] for each in single} == single
                found |= set() if same else {name}
        return found

    wait_until(lambda: different() == set())
    assert {"ladder", "tape", "event", "gaps"} <= {*view._scene.take().parts}


def test_a_market_that_the_exchange_does_not_know_is_told_in_the_cell_and_leaves_nothing_open(feed):
    before = wanted(feed)
    with pytest.raises(SubscriptionError, match="no market 'KXNOSUCH-1'"):
        feed.dashboard("KXNOSUCH-1")
    wait_until(lambda: wanted(feed) == before)
    view = feed.dashboard(FIRST)
    with pytest.raises(SubscriptionError, match="no market 'KXNOSUCH-1'"):
        view.choose("KXNOSUCH-1")
    assert view.market_ticker == FIRST
    view.close()
    wait_until(lambda: wanted(feed) == before)


def test_a_view_that_a_feed_returns_is_shown_as_it_is(feed):
    for view in (feed.dashboard(FIRST), feed.board(), feed.event("KXHIGHNY-26NOV22")):
        assert kn.show(view) is view
        assert view.is_on_show
        with pytest.raises(UsageError, match="options that it was made with"):
            kn.show(view, theme="dark")


@pytest.mark.parametrize("view", ["dashboard", "event"])
def test_the_books_of_a_view_are_none_of_those_that_the_feed_keeps(feed, exchange, view):
    feed.book(FIRST).wait()
    quotes, deltas, seen, told = feed.quotes(), feed.deltas(), [], []
    feed.stream("quotes").sink(lambda df: seen.extend(df["market_ticker"].cast(str)))
    alert = feed.when(lambda quote: quote.bid is not None, told.append)
    event = "KXHIGHNY-26NOV22"
    made = feed.dashboard(SECOND) if view == "dashboard" else feed.event(event, market_tickers=[FIRST, SECOND])
    wait_until(lambda: feed._engine.ladder(SECOND) is not None and feed._engine.ladder(SECOND).status == "live")
    exchange.advance(30)
    feed.flush()
    for frame in (quotes, deltas):
        assert set(frame.df["market_ticker"].cast(str)) == {FIRST}
    assert set(seen) == {FIRST}
    assert {quote.market_ticker for quote in told} <= {FIRST}
    feed.book(SECOND).wait()
    exchange.advance(30)
    feed.flush()
    assert set(quotes.df["market_ticker"].cast(str)) == {FIRST, SECOND}
    made.close()
    alert.close()


def test_quotes_of_what_a_dashboard_alone_keeps_have_to_be_named(feed):
    feed.dashboard(FIRST)
    with pytest.raises(MarketTickerError, match="Name the markets"):
        feed.quotes()
