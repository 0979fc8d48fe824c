"""The event panel: raw prices and their sums, honest about what is missing, and the books that it keeps."""

# ruff: noqa: E501  # a golden text stands as it is shown

import gc
import json
import re
import weakref

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.event.picture import EventPicture, Leg
from kalshi_nb._widgets.event.presenter import EventPresenter
from kalshi_nb._widgets.event.text import event_html, event_line, event_text
from kalshi_nb.errors import ConfigurationError, FeedClosedError, MarketTickerError, UsageError
from tests.widgets.conftest import wait_until

EVENT = "KXHIGHNY-26NOV22"
BITCOIN = "KXBTC15M-26NOV221015"
NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
LEGS = (
    Leg("A", "50° to 51°", (0, 50, 51, "A"), bid=0.11, ask=0.13),
    Leg("B", "52° to 53°", (0, 52, 53, "B"), bid=0.47, ask=0.49),
    Leg("C", "54° to 55°", (0, 54, 55, "C"), bid=0.3, ask=0.32),
    Leg("D", "56° or above", (0, 55, float("inf"), "D"), bid=0.08, ask=0.11),
)
WHOLE = EventPicture(
    1, "live", NOON, NOON, "KXHIGHNY-26NOV28", "Highest temperature in NYC?", None, exclusive=True, legs=LEGS
)


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=7, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange) as made:
        yield made


def markets_received(feed):
    return re.search(r"orderbook_delta (\d+)", repr(feed))


# What is added up ---------------------------------------------------------------------------------------------------


def test_sums_are_of_raw_prices():
    sums = WHOLE.sums
    assert (sums.mid, sums.bid, sums.ask, sums.markets) == ((1.005, 4), (0.96, 4), (1.05, 4), 4)
    assert [leg.bid for leg in WHOLE.legs] == [0.11, 0.47, 0.3, 0.08]


@pytest.mark.parametrize("exclusive", [False, None])
def test_markets_that_are_not_known_to_exclude_each_other_have_no_sum(exclusive):
    picture = WHOLE._replace(exclusive=exclusive)
    assert picture.sums is None
    assert "sum" not in event_line(picture)
    assert picture.shares() == {}


def test_a_sum_says_of_how_many_markets_it_is():
    legs = (LEGS[0], LEGS[1]._replace(ask=None), LEGS[2]._replace(bid=None, ask=None))
    sums = WHOLE._replace(legs=legs).sums
    assert (sums.mid, sums.bid, sums.ask, sums.markets) == ((0.12, 1), (0.58, 2), (0.13, 1), 3)
    assert "of bids 58¢ (2 of 3)" in event_line(WHOLE._replace(legs=legs))


def test_a_market_whose_result_is_told_leaves_the_sums():
    over = LEGS[1]._replace(phase="determined", result="no", settlement=0.0)
    picture = WHOLE._replace(legs=(LEGS[0], LEGS[2], LEGS[3], over))
    assert picture.sums.markets == 3
    assert picture.sums.bid == (0.49, 3)


def test_shares_are_of_the_sum_of_mids_and_add_up_to_one():
    shares = WHOLE.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["B"] == pytest.approx(0.48 / 1.005)
    assert WHOLE.unnormalised == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exclusive": None}, "not known to exclude"),
        ({"legs": (LEGS[0]._replace(ask=None), *LEGS[1:])}, "50° to 51° without both sides"),
        ({"legs": tuple(leg._replace(bid=None) for leg in LEGS)}, "50° to 51° and 3 more without"),
        ({"legs": (*LEGS[1:], LEGS[0]._replace(phase="determined", result="yes"))}, "one market is decided YES"),
        ({"legs": tuple(leg._replace(phase="finalized") for leg in LEGS)}, "every market is decided"),
    ],
)
def test_nothing_is_put_in_proportion_unless_every_open_market_has_both_sides(changes, why):
    picture = WHOLE._replace(**changes)
    assert why in picture.unnormalised
    assert picture.shares() == {}
    assert why in event_text(picture, normalise=True)
    assert why not in event_text(picture)


@pytest.mark.parametrize(
    ("phase", "told"), [("finalized", "finalized"), ("determined", None)], ids=["all are paid", "none is paid yet"]
)
def test_markets_that_were_decided_each_by_itself_are_settled_together_once_all_are_paid(phase, told):
    legs = tuple(leg._replace(phase=phase, result="no", settlement=0.0) for leg in LEGS)
    market = WHOLE._replace(legs=legs, exclusive=False).body(normalise=False)["market"]
    assert (market.get("phase"), market.get("result")) == (told, None)


def test_a_decided_no_leaves_the_others_in_proportion():
    over = LEGS[0]._replace(phase="determined", result="no")
    assert WHOLE._replace(legs=(*LEGS[1:], over)).unnormalised == ""


@pytest.mark.parametrize(
    ("bid", "ask", "last", "chance"),
    [
        (0.47, 0.49, 0.2, (0.48, "mid")),
        (0.40, 0.50, 0.2, (0.45, "mid")),
        (0.40, 0.5001, 0.5, (0.5, "last")),
        (0.40, 0.5001, 0.2, None),  # somebody bids twice as much by now
        (0.47, None, 0.5, (0.5, "last")),
        (0.47, None, 0.2, None),
        (None, 0.05, 0.05, (0.05, "last")),
        (None, 0.05, 0.06, None),
        (0.47, None, None, None),
        (None, None, None, None),
    ],
)
def test_a_chance_is_the_mid_of_a_tight_book_else_a_last_trade_that_the_book_does_not_deny(bid, ask, last, chance):
    assert Leg("A", "a", bid=bid, ask=ask, last=last).chance == chance


def test_by_probability_the_likeliest_is_first_the_unknown_behind_and_the_decided_last():
    over = Leg("X", "x", phase="determined", result="yes", settlement=1.0)
    picture = WHOLE._replace(legs=(*LEGS[:2], Leg("N", "n"), *LEGS[2:], over))
    assert [leg.ticker for leg in picture.ordered("probability")] == ["B", "C", "A", "D", "N", "X"]
    assert [leg.ticker for leg in picture.ordered("strike")] == ["A", "B", "N", "C", "D", "X"]


# As text ------------------------------------------------------------------------------------------------------------


def test_the_market_that_is_shown_beside_is_named_as_such_whatever_else_is_to_be_said_of_it():
    over = LEGS[1]._replace(phase="determined", result="yes", settlement=1.0)
    for leg, words in ((LEGS[1], "this market"), (over, "this market, determined YES, pays $1.0000")):
        picture = WHOLE._replace(legs=(LEGS[0], leg), current="B")
        assert [line.endswith(words) for line in event_text(picture).splitlines()] == [False] * 4 + [True]
        assert event_html(picture).count(f">{words}</td>") == 1
        assert "this market" not in event_text(picture._replace(current=None))


def test_a_dashboard_says_which_of_the_events_markets_it_is_of(exchange, feed):
    exchange.advance(2)
    still = feed.dashboard("KXHIGHNY-26NOV22-B52.5", panels=("event",)).snapshot()
    (line,) = [each for each in still.text.splitlines() if each.endswith("this market")]
    assert line.strip().startswith("52° to 53°")
    assert still.html.count(">this market</td>") == 1


def test_plain_text_says_it_all():
    legs = (
        LEGS[0],
        LEGS[1],
        LEGS[3]._replace(ask=None, last=0.09),
        LEGS[2]._replace(phase="determined", result="no", settlement=0.0),
    )
    found = event_text(WHOLE._replace(legs=legs, note="a note"), normalise=True)
    assert found.splitlines() == [
        "KXHIGHNY-26NOV28  live  4 markets  mutually exclusive  sum of mids 60.0 % (2 of 3)  of bids 66¢  of asks 62¢ (2 of 3)   (snapshot 2026-11-22 12:00:00 UTC)",
        "  Highest temperature in NYC?",
        "  market          chance  bid     ask  mid / sum of mids",
        "  50° to 51°        12 %  11¢     13¢                  \N{EN DASH}",
        "  52° to 53°        48 %  47¢     49¢                  \N{EN DASH}",
        "  56° or above  last 9 %   8¢  no ask                  \N{EN DASH}",
        "  54° to 55°    determined NO, pays $0.0000",
        "(a note)",
        "(not normalised: 56° or above without both sides)",
    ]


@pytest.mark.parametrize("count", [0, 1, 200])
def test_html_reads_without_style_and_stays_under_20_kb(count):
    legs = tuple(LEGS[0]._replace(ticker=f"T{at}", words=f"{'<img onerror>' * 40} {at}") for at in range(count))
    html = event_html(WHOLE._replace(legs=legs, title="<script>\u202e"), normalise=True, note="<b>")
    assert len(html.encode()) < 20_480
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html
    assert 'scope="row"' in html or not count
    assert ("140 more" in html) == (count == 200)
    assert "http" not in html
    assert " id=" not in html


@pytest.mark.parametrize("status", ["connecting", "live", "stale", "unknown", "closed"])
def test_each_state_is_said_in_words(status):
    words = {"connecting": "waiting for the snapshot", "unknown": "no such market"}.get(status, status)
    legs = tuple(leg._replace(status=status) for leg in LEGS)
    picture = WHOLE._replace(status=status, legs=legs)
    assert event_line(picture).startswith(f"KXHIGHNY-26NOV28  {words}")
    assert words in event_html(picture)


def test_a_stale_market_among_live_ones_says_so_in_its_row():
    picture = WHOLE._replace(legs=(LEGS[0]._replace(status="stale"), *LEGS[1:]))
    assert re.search(r"50° to 51°.*  stale$", event_text(picture), re.MULTILINE)


# What a feed makes of it --------------------------------------------------------------------------------------------


def test_an_event_s_markets_stand_by_strike_with_the_prices_of_their_books(exchange, feed):
    view = feed.event(EVENT)
    exchange.advance(3)
    picture = view._scene.take()
    assert [leg.words for leg in picture.legs] == [
        "47° or below", "48° to 49°", "50° to 51°", "52° to 53°", "54° to 55°", "56° or above",
    ]  # fmt: skip
    assert picture.status == "live"
    assert picture.exclusive is True
    assert picture.title == "Highest temperature in NYC on Nov 22, 2026?"
    for leg in picture.legs:
        book = feed.book(leg.ticker)
        assert (leg.bid, leg.bid_size, leg.ask, leg.ask_size) == tuple(book.top)
    total = sum(feed.book(leg.ticker).best_bid for leg in picture.legs)
    assert picture.sums.bid.dollars == pytest.approx(total)


def test_what_the_browser_is_sent_is_plain_and_small(exchange, feed):
    view = feed.event(EVENT, normalise=True)
    exchange.advance(3)
    body = json.loads(json.dumps(view._scene.body(view._scene.take()), allow_nan=False))
    assert len(json.dumps(body)) < 2_500
    assert body["market"]["ticker"] == EVENT
    assert sum(leg["share"] for leg in body["legs"]) == pytest.approx(1)
    assert body["sums"]["markets"] == 6


def test_what_moves_is_sent_to_the_page_as_a_whole(exchange, feed, messages):
    view = feed.event(EVENT, sort="probability")
    opened = messages.of(view.widget, "comm_open")[0].data["state"]
    assert (opened["picture"]["kind"], opened["settings"]["sort"]) == ("event", "probability")
    exchange.advance(3)
    wait_until(lambda: messages.of(view.widget))
    update = messages.of(view.widget)[-1]
    assert set(update.data["state"]) == {"picture"}
    assert len(update.picture["legs"]) == 6
    model = view.widget.model_id
    view.close()
    wait_until(lambda: messages.of(model, "comm_close"))


def test_the_same_question_gives_the_same_view_and_another_another(exchange, feed):
    view = feed.event(EVENT)
    exchange.advance(1)
    assert feed.event(EVENT) is view
    assert feed.event(EVENT, sort="probability") is not view
    assert feed.event(BITCOIN) is not view
    view.close()
    assert feed.event(EVENT) is not view


def test_books_are_kept_as_long_as_a_view_of_them_is_open_and_no_longer(exchange, feed):
    first, second = feed.event(EVENT), feed.event(EVENT, sort="probability")
    exchange.advance(1)
    assert markets_received(feed)[1] == "6"
    first.close()
    exchange.advance(1)
    assert markets_received(feed)[1] == "6"
    second.close()
    wait_until(lambda: markets_received(feed) is None)
    assert second._scene.take().status == "closed"
    assert "closed" in repr(second.snapshot())


def test_a_book_that_is_closed_takes_nothing_from_the_view(exchange, feed):
    book = feed.book(f"{EVENT}-B52.5")
    view = feed.event(EVENT)
    book.close()
    exchange.advance(3)
    assert {leg.status for leg in view._scene.take().legs} == {"live"}


def test_an_option_that_will_not_do_opens_no_book(feed):
    with pytest.raises(UsageError, match="Did you mean 'normalise'"):
        feed.event(EVENT, normalize=True)
    with pytest.raises(ConfigurationError, match="it is one of 'strike', 'probability'"):
        feed.event(EVENT, sort="price")
    assert markets_received(feed) is None


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ("KXNONE-1", r"Name them: event\('KXNONE-1', market_tickers="),
        (EVENT.lower(), f"upper case: '{EVENT}'"),
        (f"{EVENT}-T48", rf"write event\('{EVENT}'\)"),
        ("", "one event's ticker"),
        (3, "one event's ticker"),
        (f"{EVENT}, {BITCOIN}", "one event's ticker"),
        (["KXA"], "one event's ticker"),
    ],
)
def test_an_event_of_which_no_market_is_known_is_an_error_that_says_what_to_do(feed, event, what):
    with pytest.raises(MarketTickerError, match=what):
        feed.event(event)
    assert markets_received(feed) is None


def test_markets_of_an_event_that_nobody_told_of_can_be_named(exchange):
    tickers = [f"{EVENT}-B52.5", f"{EVENT}-B50.5"]
    with kn.connect(exchange.url, key_id=exchange.key_id, private_key=exchange.private_key, new=True) as feed:
        with pytest.raises(MarketTickerError, match=r"feed\.lifecycle"):
            feed.event(EVENT)
        view = feed.event(EVENT, market_tickers=tickers)
        exchange.advance(3)
        wait_until(lambda: view._scene.take().status == "live")
        picture = view._scene.take()
        assert [leg.words for leg in picture.legs] == ["B50.5", "B52.5"]
        assert picture.exclusive is None
        assert picture.sums is None
        assert "nothing is added up" in repr(view.snapshot())


def test_a_market_of_another_event_is_refused(feed):
    with pytest.raises(MarketTickerError, match=f"its event is '{BITCOIN}'"):
        feed.event(EVENT, market_tickers=[f"{BITCOIN}-15"])


def test_a_market_that_does_not_exist_says_so_beside_those_that_do(exchange, feed):
    view = feed.event(EVENT, market_tickers=[f"{EVENT}-B52.5", f"{EVENT}-B99.5"])
    exchange.advance(3)
    picture = view._scene.take()
    assert [leg.status for leg in picture.legs] == ["live", "unknown"]
    assert picture.note == f"no such market: {EVENT}-B99.5"


def test_an_event_ends_market_by_market_and_says_how():
    with kn.sim.Exchange(seed=7, clock="manual", closes_in=24) as dying, kn.connect(dying) as feed:
        view = feed.event(EVENT)
        seen = []
        for _ in range(220):
            dying.advance(0.25)
            picture = view._scene.take()
            phases = {leg.phase for leg in picture.legs} - {"inactive"}
            if phases not in seen[-1:]:
                seen.append(phases)
            if phases == {"closed"}:
                assert view._scene.body(picture)["market"]["phase"] == "closed"
                assert picture.sums.markets == 6
        assert seen[0] == {"active"}
        assert {"closed"} in seen
        assert seen[-1] == {"finalized"}
        assert picture.sums is None
        (won,) = (leg for leg in picture.legs if leg.result == "yes")
        told = view._scene.body(picture)["market"]
        assert (told["phase"], told["result"], told["settlement"]) == ("finalized", won.words, 1.0)
        assert "settled YES, pays $1.0000" in repr(view.snapshot())
        view.close()
        wait_until(lambda: markets_received(feed) is None)
        again = feed.event(EVENT)._scene.take()
        assert [(leg.words, leg.result) for leg in again.legs] == [(leg.words, leg.result) for leg in picture.legs]
        assert markets_received(feed) is None  # no book is asked for of what is over


def test_a_lost_connection_makes_the_whole_stale_and_says_why(exchange, feed):
    view = feed.event(EVENT)
    exchange.advance(1)
    exchange.faults.begin_maintenance()
    exchange.faults.drop_connections()
    wait_until(lambda: view._scene.take().status == "stale")
    picture = view._scene.take()
    assert "connect" in picture.note
    assert {leg.status for leg in picture.legs} == {"stale"}
    # By the feed's clock, as all other times of it.
    assert "stale since 2026-11-22 15:00:01 UTC" in view._scene.text(picture)


def test_a_closed_feed_shows_what_it_had_and_opens_no_more(exchange):
    feed = kn.connect(exchange)
    view = feed.event(EVENT)
    exchange.advance(3)
    feed.close()
    picture = view._scene.take()
    assert picture.status == "closed"
    assert all(leg.bid for leg in picture.legs)
    with pytest.raises(FeedClosedError):
        feed.event(EVENT)
    view.close()


def test_a_market_that_is_known_later_is_news_and_not_asked_for_meanwhile(exchange, feed):
    view = feed.event(EVENT)
    exchange.advance(1)
    feed._markets.update(f"{EVENT}-T99", exchange.now_us(), {"event_ticker": EVENT})
    assert view._scene.take().note == "1 more market since; run the cell anew"
    assert feed.event(EVENT) is not view


def test_nothing_is_sent_for_what_only_became_older(exchange, feed):
    view = feed.event(EVENT)
    exchange.advance(3)
    assert view._scene.take().version == view._scene.take().version
    exchange.advance(5)
    before = view._scene.take()
    exchange.advance(60)
    after = view._scene.take()
    assert after.version != before.version
    assert after.changes > before.changes


def test_what_is_refused_leaves_nothing_held(feed):
    refused = []

    def refuse(tickers):
        refused.append(tickers)
        raise KeyError("no")

    presenter = EventPresenter(EVENT, [f"{EVENT}-T48"], feed._books.events._source, refuse)
    for _ in range(2):
        with pytest.raises(KeyError):
            presenter.hold()
    assert len(refused) == 2


def test_a_feed_that_is_dropped_takes_its_views_along_at_once(exchange):
    feed = kn.connect(exchange, new=True)
    view = weakref.ref(feed.event(EVENT))
    feed.close()
    gc.disable()
    try:
        del feed
        assert view() is None
    finally:
        gc.enable()
