"""Without tickers a handle is about every market of its channel, whatever else was or will be asked for."""

import asyncio
import threading
from random import Random

import polars as pl
import pytest

import kalshi_nb as kn
from kalshi_nb import errors
from tests.channel_frames import MESSAGES
from tests.daily import some
from tests.feed.conftest import until

pytestmark = pytest.mark.usefixtures("nothing_before")

MARKET = "KXHIGHNY-26NOV22-B52.5"
OTHER = "KXHIGHNY-26NOV22-B54.5"
NAMED = {"a market": MARKET, "a list": [MARKET, OTHER], "no market": "KXNOPE", "lower case": MARKET.lower()}


@pytest.fixture(params=[1, 3], ids=["one connection", "three connections"])
def feed(request, exchange):
    with kn.connect(exchange, connections=request.param) as made:
        yield made


@pytest.fixture
def control(exchange):
    """All trades, as a feed of its own has them that never asked for anything else."""
    with kn.connect(exchange, new=True) as made:
        yield made.trades()


def ids(frame, tickers=None):
    df = frame.df
    return set(
        df["trade_id"] if tickers is None else df.filter(pl.col("market_ticker").is_in(list(tickers)))["trade_id"]
    )


def settle(feed):
    """Wait until the exchange has acknowledged everything, which only the session knows."""
    parts = [each.session for each in feed._engine.links]

    def done():
        memberships = [each.membership for part in parts for each in list(part.subscriptions.values())]
        return feed.state == "connected" and all(
            each.in_flight is None and (each.wanted is None or (each.complete and bool(part_of(each, parts))))
            for each in memberships
        )

    until(done, "everything is acknowledged")


def part_of(membership, parts):
    """Whether a membership has a sid, on whichever connection."""
    return any(
        each.membership is membership and each.sid is not None
        for part in parts
        for each in list(part.subscriptions.values())
    )


def frame_of(feed):
    frame = feed.trades()
    return lambda: ids(frame)


def stream_of(feed):
    frame = feed.stream("trade").rolling_frame()
    return lambda: ids(frame)


def messages_of(feed):
    found = []
    sink = feed.messages("trade").sink(found.extend)
    return lambda sink=sink: {each.trade_id for each in found}


def callback_of(feed):
    found = []
    feed.on("trade")(found.append)
    return lambda: {each.trade_id for each in found}


def listener_of(feed):
    found = Listening(feed.listen("trade"))
    until(lambda: found.has_begun(feed), "it has begun to listen")
    return found.ids


class Listening:
    """What code that awaits hears, on a loop of its own, until the feed is closed."""

    def __init__(self, listener):
        self._listener, self._found = listener, []
        self._thread = threading.Thread(target=asyncio.run, args=(self._listen(),), daemon=True)
        self._thread.start()

    async def _listen(self):
        async for each in self._listener:
            self._found.append(each.trade_id)

    def has_begun(self, feed):
        return self._listener.pipeline is not None and feed.health().markets.get("trade", 0) is None

    def ids(self):
        pipeline = self._listener.pipeline
        until(lambda: len(self._found) == pipeline.rows, "the loop has taken all")
        return set(self._found)


WAYS = {
    "frame": frame_of,
    "stream": stream_of,
    "messages": messages_of,
    "callback": callback_of,
    "code that awaits": listener_of,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("named", some(NAMED, 1))
def test_every_market_comes_after_some_were_named(feed, exchange, control, named, way):
    some = feed.trades(NAMED[named])
    everything = WAYS[way](feed)
    exchange.advance(60)
    assert everything() == ids(control)
    assert len(set(control.df["market_ticker"].cast(pl.String))) > 5
    wanted = [NAMED[named]] if isinstance(NAMED[named], str) else NAMED[named]
    assert ids(some) == ids(control, wanted)


@pytest.mark.parametrize("way", WAYS)
def test_every_market_goes_on_when_others_are_closed_and_named_later(feed, exchange, control, way):
    first = feed.trades(rows=50_000)
    everything = WAYS[way](feed)
    named = feed.trades(MARKET)
    exchange.advance(20)
    first.close()
    exchange.advance(20)
    named.close()
    feed.trades("KXNOPE")
    exchange.advance(20)
    assert everything() == ids(control)


def test_whoever_named_some_misses_nothing_when_whoever_wanted_all_is_closed(feed, exchange, control):
    everything, some = feed.trades(), feed.trades(MARKET)
    exchange.advance(20)
    everything.close()
    exchange.advance(40)
    assert ids(some) == ids(control, [MARKET])
    assert some.complete()
    assert feed.gaps.is_empty()
    assert feed.health().markets == {"trade": None}  # as it was: to shrink it would be a hole


def test_the_switch_is_a_gap_for_what_was_open_before_it_and_is_made_once(feed, exchange):
    before, called = feed.trades(MARKET, gaps=True), []
    feed.on("trade", MARKET)(called.append)
    exchange.advance(30)
    assert before.complete()
    rows = before.total
    for _ in range(5):
        everything = feed.trades()
        exchange.advance(5)
        everything.close()
    exchange.advance(30)
    assert feed.gaps["reason"].to_list() == ["resubscribed"]
    assert feed.gaps["closed_at"].is_not_null().all()
    assert not before.complete()
    assert before.df["gap"].to_list().index(True) == rows
    assert len(called) == before.total


def test_the_switch_is_no_gap_for_the_frame_that_asked_for_it(feed, exchange):
    feed.trades(MARKET)
    everything = feed.trades()
    exchange.advance(30)
    assert everything.complete()
    assert feed.trades(OTHER).complete()


def test_once_nothing_is_wanted_the_next_begins_as_if_it_were_the_first(feed, exchange):
    feed.trades().close()
    until(lambda: feed.health().markets == {}, "nothing is wanted")
    with feed.trades(MARKET) as some:
        assert feed.health().markets == {"trade": 1}
        exchange.advance(30)
        assert some.complete()


def test_a_new_connection_asks_for_those_that_are_named_alone(feed, exchange):
    everything, _ = feed.trades(), feed.trades(MARKET)
    everything.close()
    exchange.faults.drop_connections()
    until(lambda: len(feed.gaps) and feed.health().reconnects, "a new connection")
    until(lambda: feed.health().markets == {"trade": 1}, "the one market")


@pytest.mark.parametrize("seed", some(range(6), 2))
def test_any_order_of_openings_closings_and_reconnects_gives_each_its_markets(feed, exchange, control, seed):
    random = Random(seed)
    choices = [None, None, (MARKET,), (OTHER,), (MARKET, OTHER), ("KXNOPE",), exchange.market_tickers[:4]]
    opened = {}  # what is open, with how many rows of it and of the control there were when it last stood still
    for _ in range(25):
        deed = random.choice(["open", "open", "close", "advance", "advance", "drop"])
        if deed == "open":
            asked = random.choice(choices)
            make = random.choice([feed.trades, lambda each, **_: feed.stream("trade", each).rolling_frame()])
            handle = make(asked, rows=random.choice([50_000, 60_000])) if make == feed.trades else make(asked)
            opened.setdefault(id(handle), (handle, asked))
        elif deed == "close" and opened:
            handle, _ = opened.pop(random.choice(list(opened)))
            (handle if hasattr(handle, "complete") else handle.upstreams[0].pipeline).close()
        elif deed == "drop" and random.random() < 0.5:
            reconnects = feed.health().reconnects + len(feed._engine.links)
            exchange.faults.drop_connections()
            control_feed_back(control, feed, reconnects)
        settle(feed)
        if deed == "advance":
            exchange.advance(0)
            before = {key: ids(handle) for key, (handle, _) in opened.items()}
            known = ids(control)
            exchange.advance(3)
            new = control.df.filter(~pl.col("trade_id").is_in(list(known)))
            for key, (handle, asked) in opened.items():
                expected = new if asked is None else new.filter(pl.col("market_ticker").cast(pl.String).is_in(asked))
                assert ids(handle) - before[key] == set(expected["trade_id"])


def control_feed_back(control, feed, reconnects):
    until(lambda: feed.health().reconnects >= reconnects, "all connections are new")
    link = control._coverage._engine.links[0]  # the control's own, which was dropped, too
    until(lambda: link.session.subscriptions["trade"].sid is not None, "the control is back")


def test_tickers_of_all_markets_are_those_of_all_markets(feed, exchange):
    with kn.connect(exchange, new=True) as other:
        control = other.tickers()
        some, named = feed.tickers(MARKET), feed.tickers([MARKET, OTHER])
        everything = feed.tickers()
        exchange.advance(30)
        some.close()
        exchange.advance(30)
        said = control.df.select("ts", "market_ticker")
        assert said["market_ticker"].n_unique() > 5
        # Of markets that are named the present tickers come first, from before.
        heard = everything.df.filter(pl.col("ts") >= said["ts"][0]).select("ts", "market_ticker")
        assert heard.rows() == said.rows()
        assert set(named.df["market_ticker"]) == {MARKET, OTHER}


ACCOUNT = ["fill", "user_orders", "market_positions"]
WHOLE = ["market_lifecycle_v2", "multivariate_market_lifecycle", "communications"]
REFERENCE = ["cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value"]


@pytest.mark.parametrize("channel", [*ACCOUNT, *WHOLE, *REFERENCE])
def test_it_holds_on_every_channel_in_any_order(feed, exchange, channel):
    # The two channels of the lifecycle have the same messages, each by the name of its channel.
    said = {
        **MESSAGES,
        "market_lifecycle_v2": {channel: MESSAGES["multivariate_market_lifecycle"]["multivariate_market_lifecycle"]},
    }
    kind, message = next(iter(said[channel].items()))
    field = next(each for each in ("index_id", "underlying_ticker", "ticker", "market_ticker") if each in message)

    def say(what):
        sent = exchange.publish(channel, kind, {**message, field: what})
        exchange.advance(0)
        return sent

    one = feed.frame(channel, "ONE")
    everything = feed.frame(channel)
    two = feed.frame(channel, "TWO")
    assert [say(each) for each in ("ONE", "TWO", "THREE")] == [1, 1, 1]
    assert (one.total, two.total, everything.total) == (1, 1, 3)
    one.close()
    say("THREE")
    assert everything.total == 4
    everything.close()
    say("TWO")
    assert two.total == 2
    again = feed.frame(channel)
    say("THREE")
    assert again.total == 1
    assert len(feed.gaps) == (channel not in WHOLE)
    assert f", {'all' if channel != 'order_group_updates' else 'everything'}" in repr(again)


def test_a_question_for_the_catalog_takes_nothing_from_whoever_wants_all(feed, exchange):
    everything = feed.index_values()
    feed.index_ids()
    exchange.publish("cfbenchmarks_value", "cfbenchmarks_value", MESSAGES["cfbenchmarks_value"]["cfbenchmarks_value"])
    exchange.advance(0)
    assert everything.total == 1


@pytest.mark.parametrize(
    "ask", [lambda feed: feed.deltas(), lambda feed: feed.stream("orderbook_delta").rolling_frame()]
)
def test_of_books_it_is_those_that_the_feed_keeps_now_and_later_and_the_handle_says_so(feed, exchange, ask):
    first = feed.book(MARKET)
    kept = ask(feed)
    assert "the books that the feed keeps" in repr(kept)
    exchange.advance(20)
    assert set(kept.df["market_ticker"].cast(pl.String)) == {MARKET}
    feed.book(OTHER)
    exchange.advance(20)
    assert set(kept.df["market_ticker"].cast(pl.String)) == {MARKET, OTHER}
    first.close()
    until(lambda: feed.health().markets == {"orderbook_delta": 1}, "one market is let go")
    exchange.advance(0)
    total = kept.df.filter(pl.col("market_ticker").cast(pl.String) == MARKET).height
    exchange.advance(20)
    assert kept.df.filter(pl.col("market_ticker").cast(pl.String) == MARKET).height == total


def test_quotes_without_markets_are_those_of_the_books_that_the_feed_keeps(feed, exchange):
    feed.book(MARKET)
    quotes = feed.quotes()
    feed.book(OTHER).wait()
    exchange.advance(20)
    assert set(quotes.df["market_ticker"].cast(pl.String)) == {MARKET, OTHER}
    assert "the books that the feed keeps" in repr(quotes)


def test_where_the_feed_keeps_no_book_there_is_nothing_to_take(feed):
    deltas = feed.deltas(MARKET)
    feed.deltas()
    deltas.close()  # what takes those of others keeps none itself
    with pytest.raises(errors.MarketTickerError, match="Name the markets"):
        feed.quotes()


def test_the_repr_of_every_handle_names_its_markets(feed, exchange):
    markets = exchange.market_tickers
    assert repr(feed.trades()).startswith("<Frame trades, all markets: ")
    assert repr(feed.trades(MARKET)).startswith(f"<Frame trades, {MARKET}: ")
    several = sorted(markets[:5])
    assert repr(feed.tickers(several)).startswith(f"<Frame tickers, 5 markets: {several[0]}, {several[1]}, …: ")
    assert repr(feed.index_values()).startswith("<Frame index_values, all indices: ")
    assert "all markets" in feed.trades()._repr_html_()
    assert MARKET in repr(feed.book(MARKET))
    assert "trade all markets" in repr(feed)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("KXNOPE", "'KXNOPE' looks like the ticker of an event or a series"),
        ("KXHIGHNY-26NOV22", "'KXHIGHNY-26NOV22' looks like the ticker of an event or a series"),
        (MARKET.lower(), f"Tickers are upper case: '{MARKET}'"),
        ([OTHER.lower(), "KXNOPE"], "'KXNOPE' looks like"),
    ],
)
def test_a_ticker_that_is_none_is_hinted_at_while_nothing_comes(feed, exchange, asked, told):
    for ask in (feed.trades, feed.tickers, lambda each: feed.stream("trade", each).rolling_frame()):
        frame = ask(asked)
        exchange.advance(5)
        assert told in repr(frame)
        assert "looks like" in frame._repr_html_() or "upper case" in frame._repr_html_()
        with pytest.raises(errors.WaitTimeoutError) as caught:
            frame.wait(timeout=0.05)
        assert told in str(caught.value)


def test_blanks_about_a_ticker_are_nothing_and_what_came_needs_no_hint(feed, exchange):
    frame = feed.trades(f"  {MARKET} \n")
    assert frame is feed.trades(MARKET)
    exchange.advance(60)
    odd = feed.trades([MARKET, "KXNOPE"])
    exchange.advance(60)
    assert odd.total
    assert "looks like" not in repr(odd)
    assert "looks like" not in repr(frame)
