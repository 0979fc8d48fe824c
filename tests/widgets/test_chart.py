"""The price chart without a browser: which points it shows, that gaps break it, and what its still forms say."""

import math
import struct

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.chart.picture import Candle, ChartPicture, Line, Point, Span, Stretch, Traded, change
from kalshi_nb._widgets.chart.presenter import marks_of
from kalshi_nb._widgets.chart.text import chart_html, chart_text
from kalshi_nb._widgets.chart.view import ChartView
from kalshi_nb._widgets.ladder.picture import Market
from kalshi_nb.errors import ConfigurationError, UsageError
from tests.widgets import own
from tests.widgets.feeds import MARKET, feed_on_a_list, quote
from tests.widgets.tickers import Tickers

NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC
TRADES = tuple(Traded(NOON - 600 + 60 * i, 0.40 + i / 100, 10.0) for i in range(9))
PICTURE = ChartPicture(
    1,
    "live",
    NOON,
    Market("KXHIGHNY-26NOV22-B52.5", "Highest temperature in NYC?", "52° to 53°"),
    3600.0,
    60.0,
    TRADES,
    (Candle(NOON - 600, 0.40, 0.41, 0.39, 0.40, 10.0, True),),
    (Stretch(NOON - 600, 0.40, None),),
    (Span(NOON - 330, NOON - 270),),
    90.0,
    9,
)


@pytest.fixture
def exchange():
    with kn.sim.Exchange(seed=5, clock="manual") as made:
        yield made


@pytest.fixture
def feed(exchange):
    with kn.connect(exchange) as feed:
        yield feed


def chart(frame, **options):
    return ChartView.of(frame._source, options)


def floats(column):
    return list(struct.unpack(f"<{len(column) // 8}d", bytes(column)))


def busy(exchange, feed, count):
    everything = feed.trades()
    exchange.advance(120)
    return everything.df["market_ticker"].value_counts(sort=True)["market_ticker"].to_list()[:count]


def busiest(exchange, feed):
    return busy(exchange, feed, 1)[0]


def test_a_line_is_of_the_trades_of_the_frame_and_a_band_of_the_quotes_that_somebody_has_open(exchange, feed):
    ticker = busiest(exchange, feed)
    trades, quotes = feed.trades(ticker), feed.quotes(ticker)
    exchange.advance(60)
    picture = chart(trades).take()
    assert [each.price for each in picture.trades] == trades.df.sort("ts", maintain_order=True)["yes_price"].to_list()
    assert picture.traded == pytest.approx(trades.df["count"].sum())
    newest = picture.quotes[-1]
    assert (newest.bid, newest.ask) == quotes.df.select("bid", "ask").row(-1)
    assert {(each.bid, each.ask) for each in picture.quotes} <= set(quotes.df.select("bid", "ask").rows())
    assert chart(quotes).take().trades == picture.trades


def test_of_very_many_trades_the_ends_of_each_stretch_of_time_stay(exchange, feed):
    ticker = busiest(exchange, feed)
    trades = feed.trades(ticker)
    while trades.total <= 600:
        exchange.advance(600)
    picture = chart(trades, window="all").take()
    prices = trades.df["yes_price"]
    assert len(picture.trades) <= 600
    shown = [each.price for each in picture.trades]
    assert (min(shown), max(shown)) == (prices.min(), prices.max())
    assert picture.traded == pytest.approx(trades.df["count"].sum())


def test_candles_are_the_bars_of_the_frame_and_only_whole_ones_say_so(exchange, feed):
    ticker = busiest(exchange, feed)
    trades = feed.trades(ticker)
    exchange.advance(300)
    picture = chart(trades, bars="1m").take()
    assert picture.every == 60
    assert picture.candles
    assert all(
        each.low <= min(each.open, each.close) <= max(each.open, each.close) <= each.high for each in picture.candles
    )
    assert sum(each.volume for each in picture.candles) == pytest.approx(trades.df["count"].sum())
    now = picture.clock
    assert all(each.complete == (each.start + 60 <= now) for each in picture.candles)


def test_a_window_leaves_out_what_is_older(exchange, feed):
    trades = feed.trades(busiest(exchange, feed))
    exchange.advance(200)
    short = chart(trades, window="1m").take()
    assert all(each.at >= short.clock - 60 for each in short.trades)
    assert len(short.trades) < len(chart(trades, window="1h").take().trades)


@pytest.mark.parametrize("of_several", [False, True], ids=["one", "several"])
def test_the_page_chooses_how_much_of_the_past_is_sent(exchange, feed, of_several):
    tickers = busy(exchange, feed, 2)
    trades = feed.trades(tickers if of_several else tickers[0])
    exchange.advance(200)
    scene = chart(trades, window="1m")
    short = scene.take()
    for hostile in ({"window": "2h"}, {"window": ["all"]}, {"window": None}, {}):
        scene.heard(hostile)
        assert scene.take().seconds == 60
    scene.heard({"window": "all"})
    long = scene.take()
    assert long.version != short.version
    assert long.seconds is None
    shown = [picture.lines[0].points if of_several else picture.trades for picture in (short, long)]
    assert len(shown[0]) < len(shown[1])
    assert long.delta(short)["seconds"] is None


def test_nothing_new_is_the_same_version_and_news_another(exchange, feed):
    trades = feed.trades(busiest(exchange, feed))
    exchange.advance(60)
    scene = chart(trades)
    before = scene.take()
    assert scene.take().version == before.version
    while trades.total == before.changes:
        exchange.advance(10)
    assert scene.take().version != before.version


def test_a_column_travels_as_64_bit_floats_with_none_as_no_number():
    body = PICTURE.body()
    assert floats(body["trades"][1]) == [each.price for each in TRADES]
    (ask,) = floats(body["quotes"][2])
    assert math.isnan(ask)


def test_a_chart_is_of_six_markets_at_most(exchange, feed):
    tickers = exchange.market_tickers[:7]
    assert len(chart(feed.trades(tickers[:6])).take().lines) == 6
    for frame in (feed.trades(), feed.trades(tickers)):
        with pytest.raises(UsageError, match="of one market, or of 6 at most"):
            chart(frame)
    with pytest.raises(UsageError, match="candles are of one market, and here are 2"):
        chart(feed.trades(tickers[:2]), bars="1m")


def test_several_markets_are_a_line_each_of_trades_or_of_the_mids_of_tight_books(exchange, feed):
    tickers = sorted(busy(exchange, feed, 3))
    trades, quotes = feed.trades(tickers), feed.quotes(tickers)
    exchange.advance(120)
    of_trades, of_quotes = chart(trades).take(), chart(quotes).take()
    assert [each.ticker for each in of_trades.lines] == tickers
    strikes = {each.ticker: each.subtitle for each in exchange.markets}
    assert [each.words for each in of_trades.lines] == [strikes[each] for each in tickers]
    for traded, quoted in zip(of_trades.lines, of_quotes.lines, strict=True):
        rows = trades.df.filter(trades.df["market_ticker"] == traded.ticker).sort("ts", maintain_order=True)
        assert [each.price for each in traded.points] == rows["yes_price"].to_list()
        rows = quotes.df.filter(quotes.df["market_ticker"] == quoted.ticker).sort("ts", maintain_order=True)
        assert quoted.points[-1].price == mid(*rows.select("bid", "ask").row(-1))
        assert {each.price for each in quoted.points} <= {mid(*row) for row in rows.select("bid", "ask").rows()}
    assert not any(each.is_mid for each in of_trades.lines)
    assert all(each.is_mid for each in of_quotes.lines)


def mid(bid, ask):
    if bid is None or ask is None or not 0 <= round(ask - bid, 6) <= 0.1:
        return None
    return round((bid + ask) / 2, 6)


def test_a_book_that_is_not_tight_has_no_mid():
    with feed_on_a_list() as (feed, engine):
        frame = feed.quotes([MARKET, "KXB-1"])
        prices = [(4_000, 4_500), (4_000, 5_100), (4_000, None), (4_100, 4_300), (4_100, 4_300)]
        engine.play("quotes", *(quote(i, *each) for i, each in enumerate(prices)))
        feed.flush()
        line = next(each for each in chart(frame).take().lines if each.ticker == MARKET)
        assert [each.price for each in line.points] == [0.425, None, 0.42]


def test_several_frames_are_shown_as_one_chart_in_their_order(exchange, feed):
    one, two, three = busy(exchange, feed, 3)
    frames = [feed.quotes([three, one]), feed.trades([one, two])]
    view = kn.show(frames)
    assert view.kind == "chart"
    assert kn.show(frames) is view
    lines = [(each.ticker, each.is_mid) for each in view._scene.take().lines]
    assert lines == [(ticker, True) for ticker in sorted([one, three])] + [(two, False)]
    frames[0].close()
    assert view.is_closed


@pytest.mark.parametrize("what", ["a-board", "another-feed", "a-book", "nothing"])
def test_what_of_a_list_cannot_be_one_chart_is_said(exchange, feed, what):
    ticker = exchange.market_tickers[0]
    trades = feed.trades(ticker)
    with feed_on_a_list() as (other, _):
        lists = {
            "a-board": [trades, feed.tickers()],
            "another-feed": [trades, other.trades(ticker)],
            "a-book": [trades, feed.book(ticker)],
            "nothing": [],
        }
        with pytest.raises(UsageError, match=r"frames of trades or quotes of one feed|no view of a list"):
            kn.show(lists[what])


def rows_after(rows, sent):
    """What the browser has then: the same, written once more."""
    if sent is None:
        return rows
    first, gone, kept, last = sent
    known = [[[None if math.isnan(n) else n for n in floats(column)] for column in each] for each in (first, last)]
    unpacked = [list(zip(*each, strict=True)) for each in known]
    return [*unpacked[0], *rows[gone : gone + kept], *unpacked[1]]


def test_deltas_make_of_one_picture_the_next_whatever_the_window(exchange, feed):
    ticker = busiest(exchange, feed)
    trades, _ = feed.trades(ticker), feed.quotes(ticker)
    scenes = [chart(trades, window=window, bars=bars) for window, bars in (("1m", None), ("5m", "10s"), ("all", None))]
    pictures = [scene.take() for scene in scenes]
    names = ("trades", "candles", "quotes")
    held = [{name: list(map(tuple, getattr(picture, name))) for name in names} for picture in pictures]
    sizes = []
    for i in range(24):
        exchange.advance((1, 7, 40)[i % 3])
        for j, scene in enumerate(scenes):
            picture = scene.take()
            delta = picture.delta(pictures[j])
            for name in names:
                held[j][name] = rows_after(held[j][name], delta.get(name))
                assert held[j][name] == list(map(tuple, getattr(picture, name)))
            sizes.append((points(delta), sum(len(getattr(picture, name)) for name in names)))
            pictures[j] = picture
    assert max(len(each.trades) for each in pictures) > 25
    assert sum(sent for sent, _ in sizes) < 0.25 * sum(whole for _, whole in sizes)


def points(delta):
    """How many points travel in a delta."""
    return sum(
        len(each[0]) // 8 for name in ("trades", "candles", "quotes") if name in delta for each in ends(delta[name])
    )


def ends(sent):
    return [each for each in (sent[0], sent[3]) if each]


@pytest.mark.matrix
def test_of_very_many_trades_one_more_changes_the_newest_stretch_alone(exchange, feed):
    ticker = busiest(exchange, feed)
    trades = feed.trades(ticker)
    while trades.total <= 800:
        exchange.advance(600)
    scene = chart(trades, window="6h")
    before = scene.take()
    while trades.total == before.changes:
        exchange.advance(1)
    delta = scene.take().delta(before)
    assert points(delta) < 20 < len(before.trades)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("abcd", "bcde", (0, 1, 3, 1)),
        ("abcd", "abcx", (0, 0, 3, 1)),
        ("abcd", "xbcd", (1, 1, 3, 0)),
        ("aabb", "abbb", (0, 0, 1, 3)),
        ("abcd", "", (0, 4, 0, 0)),
        ("", "ab", (2, 0, 0, 0)),
        ("abc", "xyz", (3, 3, 0, 0)),
    ],
    ids=["slides", "newest-changes", "oldest-changes", "twins", "all-go", "all-come", "others"],
)
def test_a_change_is_what_differs(before, after, kept):
    rows = [[(float(ord(each)), 0.5) for each in word] for word in (before, after)]
    sent = change(*rows)
    assert [len(each[0]) // 8 if isinstance(each, list) and each else each or 0 for each in sent] == list(kept)
    assert rows_after(rows[0], sent) == rows[1]
    assert change(rows[0], list(rows[0])) is None


def test_of_other_markets_all_is_sent():
    lines = (Line("A", "a", False, (Point(NOON, 0.4),)), Line("B", "b", False, ()))
    before = PICTURE._replace(lines=lines, trades=(), candles=(), quotes=())
    assert before._replace(lines=lines[::-1]).delta(before) is None
    more = before._replace(lines=(lines[0], lines[1]._replace(points=(Point(NOON, None),))))
    assert more.delta(before)["lines"][0] is None
    assert "traded" not in more.delta(before)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"bars": "1 minute"}, ConfigurationError, "bars"),
        ({"window": "2h"}, ConfigurationError, "window"),
        ({"windows": "1h"}, UsageError, "Did you mean 'window'"),
    ],
    ids=["no-duration", "no-window", "no-option"],
)
def test_what_will_not_do_is_said_in_the_cell(feed, options, error, words):
    with pytest.raises(error, match=words):
        feed.trades("KXHIGHNY-26NOV22-B52.5").widget(view="chart", **options)


def test_a_frame_shows_its_chart_where_it_is_asked_for(exchange, feed):
    trades = feed.trades(busiest(exchange, feed))
    exchange.advance(60)
    view = kn.show(trades, view="chart", bars="1m")
    assert view.kind == "chart"
    assert "first" in view.snapshot().text


def test_plain_text_says_first_low_high_and_last_and_shows_a_gap():
    text = chart_text(PICTURE)
    assert "first 40¢  low 40¢  high 48¢  last 48¢  90 contracts in 1 h" in text
    assert "x" in text.splitlines()[1]
    assert "no trades known in 1 h" in chart_text(PICTURE._replace(trades=()))


def test_html_breaks_the_line_at_a_gap_and_has_no_script_and_no_address():
    html = chart_html(PICTURE)
    assert html.count("<path") == 2
    assert chart_html(PICTURE._replace(gaps=())).count("<path") == 1
    assert "<script" not in html
    assert "http" not in html
    assert len(html) < 20_000


def test_hostile_titles_stay_text():
    market = Market("KX-1", "<img src=x onerror=alert(1)>\u202e", "")
    for form in (chart_html(PICTURE._replace(market=market)), chart_text(PICTURE._replace(market=market))):
        assert "<img" not in form
        assert "\u202e" not in form


def test_the_still_forms_of_several_markets_have_a_row_and_a_line_each():
    lines = (
        Line("KX-A", "<b>50° to 51°", False, tuple(Point(each.at, each.price) for each in TRADES)),
        Line("KX-B", "52°", True, (Point(NOON - 500, 0.2), Point(NOON - 400, None), Point(NOON - 100, 0.255))),
        Line("KX-C", "54°", True, ()),
    )
    picture = PICTURE._replace(market=Market("KX"), lines=lines, trades=(), candles=(), quotes=())
    told = chart_text(picture).splitlines()
    assert told[0].startswith("KX  live  3 markets in 1 h  (snapshot ")
    assert told[1] == "  KX-A  first 40¢  low 40¢  high 48¢  last 48¢"
    assert told[3] == "  KX-B  first 20¢  low 20¢  high 25.5¢  last 25.5¢"
    assert told[5] == "  KX-C  no prices"
    html = chart_html(picture)
    assert html.count("<path") == 4  # each of two lines is broken once
    assert html.count("stroke-dasharray") == 2
    assert "&lt;b&gt;50°" in html
    assert "<b>50" not in html
    assert len(html) < 20_000


# What is marked ---------------------------------------------------------------------------------------------------


def test_what_happened_to_the_market_is_marked_as_far_as_it_is_known(exchange, feed):
    ticker = "KXHIGHNY-26NOV22-B52.5"
    trades = feed.trades(ticker)
    scene = chart(trades, window="6h")
    exchange.advance(30)
    assert scene.take().marks == ()  # it was opened long before, and closes later
    lifecycle = feed.lifecycle()
    moments = []
    for event in ("deactivated", "activated"):
        moments.append(exchange.now_us() // 1_000 / 1e3)
        message = {"market_ticker": ticker, "event_type": event, "ts_ms": exchange.now_us() // 1_000}
        exchange.publish("market_lifecycle_v2", "market_lifecycle_v2", message)
        exchange.advance(20)
    assert lifecycle.total >= 2
    before = scene.take()
    assert [word for _, word in before.marks] == ["halted", "open"]
    assert [at for at, _ in before.marks] == pytest.approx(moments, abs=1)
    assert [word for _, word in before.delta(before._replace(marks=()))["marks"]] == ["halted", "open"]


def test_what_is_still_to_come_or_left_the_window_is_not_marked():
    tickers = Tickers()
    start = tickers.clock.us
    times = {"open_time": 10, "close_time": 20, "determined_at": 30, "settled_at": 40}
    tickers.fact("KX-1", **{name: start + at * 1_000_000 for name, at in times.items()})
    feed = tickers.source.feed

    def words(begins, now):
        return [word for _, word in marks_of(feed, "KX-1", begins, start + now * 1_000_000)]

    assert words(None, 9) == []
    assert words(None, 20) == ["open", "closed"]
    assert words(start + 11_000_000, 100) == ["closed", "determined", "settled"]
    assert marks_of(feed, "KX-2", None, start) == ()


def test_ones_own_fills_are_marked_for_a_page_alone(exchange, feed):
    trades, fills = feed.trades(own.TICKER), feed.fills()
    view = kn.show(trades, view="chart")
    scene = view._scene
    before = scene.complete()
    own.tell(exchange)
    assert fills.total >= 1
    shown = scene.complete()
    assert shown.fills[-1][:3] == ("no", 0.98, float(own.FILLED))
    assert shown.delta(before)["fills"][-1][:3] == ["no", 0.98, float(own.FILLED)]
    assert scene.take().fills == ()
    assert view.widget.get_state()["picture"]["fills"] == []
    assert own.FILLED not in view.snapshot().html
    assert chart(trades, mask=True).complete().fills == ()
    assert chart(trades, private=True).take().fills == shown.fills
    content = {"ack": {view.widget.model_id: 0}, "visible": [view.widget.model_id]}
    data = {"method": "custom", "content": content}
    view.widget._handle_msg({"header": {"session": "one"}, "content": {"data": data}, "buffers": []})
    assert len(view.widget.get_state()["picture"]["fills"]) == len(shown.fills)
