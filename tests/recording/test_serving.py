"""A recording behind a real socket, read by a client that shares nothing with the kit, and by the kit itself."""

import contextlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from polars.testing import assert_frame_equal
from websockets.exceptions import InvalidStatus

import kalshi_nb as kn
from kalshi_nb._feed.serving import serve
from kalshi_nb.errors import ConfigurationError, PortInUseError, RecordingError, SimulationError, SubscriptionError
from tests.engine.conftest import wait_until
from tests.sim.conftest import RawClient, signed
from tests.venue import books_of, settle

BOOK = "orderbook_delta"
A_SECOND_IN = "2026-11-22 15:00:01"
"""When the recorded feed had its books; at the very beginning it was still asking for them."""


@dataclass
class Evening:
    """A recording, and what the exchange itself says of it."""

    folder: Path
    markets: list[str]
    books: dict[str, tuple]
    trades: list[dict]
    tickers: list[dict]


def pem(private_key):
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@contextlib.contextmanager
def raw_client(server, **options):
    client = RawClient(server, **options)
    try:
        yield client
    finally:
        client.close()


def bodies(client, kind):
    return [each["msg"] for each in client.messages() if each["type"] == kind]


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """A minute of five books, and all trades and tickers, beside which an independent client listened."""
    folder = tmp_path_factory.mktemp("served") / "evening"
    with (
        kn.sim.Exchange(seed=7, clock="manual") as exchange,
        kn.connect(exchange, new=True) as feed,
        raw_client(exchange) as witness,
    ):
        exchange.attach(witness)
        markets = list(exchange.market_tickers)[:5]
        witness.subscribe("trade", "ticker")
        witness.take(2)
        recorder = feed.record(folder, ["trade", "ticker", BOOK], markets)
        for _ in range(6):
            exchange.advance(10)
        assert recorder.close()
        of_them = {
            kind: [each for each in bodies(witness, kind) if each["market_ticker"] in markets]
            for kind in ("trade", "ticker")
        }
        return Evening(folder, markets, books_of(exchange, markets), of_them["trade"], of_them["ticker"])


@pytest.fixture
def served():
    """Serves recordings, standing unless told, and closes them after the test."""
    opened = []

    def make(path, speed="max", **options):
        opened.append(serve(path, speed, **{"held": True, **options}))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def client_of():
    with contextlib.ExitStack() as stack:
        yield lambda server, **options: stack.enter_context(raw_client(server, **options))


def subscribed(client, channels):
    """Wait until so many channels are open; the books of a recording's first moment come when it plays."""
    client.wait_until(lambda: sum('"type":"subscribed"' in each for each in client.frames) == channels)


def played(server, *clients):
    """Let it play, and return when each client has all of it."""
    server.begin()
    assert server.wait(30)
    for each in clients:
        each.send(id=999_999, cmd="list_subscriptions")
        each.wait_until(lambda client=each: any('"id":999999,' in frame for frame in client.frames), "an answer")


class Reading:
    """What a client makes of its frames by the protocol alone: books of Decimals, and where numbers are missing."""

    def __init__(self, client, earlier=()):
        self.books, self.jumps, self.kinds, self.last = {}, [], {}, {}
        self._stale = set()
        for frame in (*earlier, *client.messages()):
            if frame["type"] not in ("subscribed", "error") and "sid" in frame:
                self._take(frame)

    def _take(self, frame):
        self.kinds.setdefault(frame["sid"], []).append(frame["type"])
        if "seq" in frame:
            missing = frame["seq"] - self.last.get(frame["sid"], 0) - 1
            assert missing >= 0
            if missing:
                self.jumps.append((frame["type"], missing))
                if frame["type"] in (BOOK, "orderbook_snapshot"):
                    self._stale |= self.books.keys()
            self.last[frame["sid"]] = frame["seq"]
        body = frame.get("msg")
        if frame["type"] == "orderbook_snapshot":
            self._stale.discard(body["market_ticker"])
            self.books[body["market_ticker"]] = tuple(
                {Decimal(price): Decimal(size) for price, size in body.get(side, ())}
                for side in ("yes_dollars_fp", "no_dollars_fp")
            )
        elif frame["type"] == BOOK and body["market_ticker"] not in self._stale:
            side = self.books[body["market_ticker"]][body["side"] == "no"]
            price = Decimal(body["price_dollars"])
            side[price] = side.get(price, 0) + Decimal(body["delta_fp"])
            if side[price] < 0:
                self._stale.add(body["market_ticker"])
            if not side[price]:
                del side[price]

    def levels(self):
        """The books that nothing is missing of, as `books_of` has them."""
        return {
            ticker: tuple({round(p * 10_000): round(s * 100) for p, s in side.items()} for side in sides)
            for ticker, sides in self.books.items()
            if ticker not in self._stale
        }


def test_an_independent_client_gets_what_the_exchange_said(evening, served, client_of):
    server = served(evening.folder)
    client = client_of(server)
    client.subscribe("trade", "ticker", BOOK, market_tickers=evening.markets)
    subscribed(client, 3)
    played(server, client)
    reading = Reading(client)
    assert len(evening.trades) > 50
    assert bodies(client, "trade") == evening.trades
    assert bodies(client, "ticker")[-len(evening.tickers) :] == evening.tickers
    assert reading.levels() == evening.books == books_of(server, evening.markets)
    assert not reading.jumps
    assert {sid: set(kinds) for sid, kinds in reading.kinds.items()} == {
        1: {"trade"},
        2: {"ticker"},
        3: {"orderbook_snapshot", BOOK},
    }
    frame = next(each for each in client.frames if '"type":"trade"' in each)
    assert frame.endswith("\n")
    assert list(json.loads(frame)) == ["type", "sid", "seq", "msg", "sending_ts_ms"]


def test_clients_get_what_each_asked_for_and_count_for_themselves(evening, served, client_of):
    server = served(evening.folder)
    one, other = client_of(server), client_of(server)
    one.subscribe("trade", market_ticker=evening.markets[1])
    other.subscribe(BOOK, market_tickers=evening.markets[2:4])
    other.subscribe("ticker", command_id=2)
    subscribed(one, 1)
    subscribed(other, 2)
    played(server, one, other)
    mine = [each for each in evening.trades if each["market_ticker"] == evening.markets[1]]
    assert bodies(one, "trade") == mine != []
    assert {each["type"] for each in one.messages()} == {"subscribed", "trade", "ok"}
    assert Reading(one).last == {1: len(mine)}
    assert Reading(other).levels() == {ticker: evening.books[ticker] for ticker in evening.markets[2:4]}
    assert {each["market_ticker"] for each in bodies(other, "ticker")} == set(evening.markets)
    assert not Reading(one).jumps + Reading(other).jumps


def test_whoever_comes_later_gets_books_as_they_stand_then(evening, served, client_of):
    server = served(evening.folder, 15)
    # All are connected before it plays, and have asked before half of it is over: a slow machine is late by less.
    clients = [client_of(server) for _ in range(5)]
    early, *later = clients
    early.subscribe(BOOK, market_tickers=evening.markets)
    server.begin()
    for count, client in zip((100, 250, 450, 700), later, strict=True):
        early.wait_until(lambda count=count: len(early.frames) > count)
        client.subscribe(BOOK, market_tickers=evening.markets)
    assert server.wait(60)
    played(server, *clients)
    counts = [len(bodies(each, BOOK)) for each in clients]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] > 0
    firsts = [bodies(each, "orderbook_snapshot") for each in clients]
    assert firsts[0] != firsts[1] != firsts[2]
    for each in clients:
        assert Reading(each).levels() == evening.books
        assert Reading(each).last == {1: len(bodies(each, BOOK)) + len(evening.markets)}


def test_commands_are_answered_by_the_protocol(evening, served, client_of):
    server, (a, b, c, *_) = served(evening.folder, start=A_SECOND_IN), evening.markets
    client = client_of(server)
    client.subscribe(BOOK, market_tickers=[a])
    kinds = [(each["type"], each.get("seq")) for each in client.answer()]
    assert kinds == [("subscribed", None), ("orderbook_snapshot", 1)]
    client.update("add_markets", sid=1, market_tickers=[b])
    ok, snapshot = client.answer()
    assert (ok["type"], ok["seq"], ok["msg"]) == ("ok", 2, {"market_tickers": sorted([a, b])})
    assert (snapshot["type"], snapshot["seq"], snapshot["msg"]["market_ticker"]) == ("orderbook_snapshot", 3, b)
    client.update("get_snapshot", command_id=7, sids=[1], market_tickers=[c])
    (snapshot,) = client.answer()
    assert (snapshot["id"], snapshot["seq"], snapshot["msg"]["market_ticker"]) == (7, 4, c)
    client.update("delete_markets", sid=1, market_tickers=[a])
    (ok,) = client.answer()
    assert ok["msg"] == {"market_tickers": [b]}
    client.send(id=9, cmd="unsubscribe", params={"sids": [1, 5]})
    gone, unknown = client.answer()
    assert (gone["type"], gone["sid"], gone["seq"]) == ("unsubscribed", 1, 6)
    assert unknown["msg"]["code"] == 7
    client.subscribe(BOOK, market_ticker=b)
    opened = client.answer()
    assert opened[0]["msg"] == {"channel": BOOK, "sid": 2}
    played(server, client)
    assert Reading(client, opened).levels() == {b: evening.books[b]}


def test_what_was_not_recorded_is_an_error_and_not_silence(evening, served, client_of):
    server = served(evening.folder, start=A_SECOND_IN)
    client = client_of(server)
    client.subscribe("fill", "nonsense", "trade", market_tickers=evening.markets)
    assert [(each["type"], each["msg"].get("code")) for each in client.answer()] == [
        ("error", 8),
        ("error", 8),
        ("subscribed", None),
    ]
    client.subscribe(BOOK, market_tickers=["KXNOPE-1", evening.markets[0]])
    *good, error = client.answer()
    assert [each["type"] for each in good] == ["subscribed", "orderbook_snapshot"]
    assert error["msg"] == {"code": 28, "msg": "Markets not found", "market_tickers": ["KXNOPE-1"]}
    client.update("get_snapshot", sid=2, market_tickers=["KXNOPE-1"])
    assert [each["msg"]["code"] for each in client.answer()] == [28]
    client.update("add_markets", sid=1, market_tickers=["KXNOPE-1"])
    assert [each["msg"]["code"] for each in client.answer()] == [28]


def test_prices_of_the_other_leg_are_turned_where_a_client_asks_for_it(evening, served, client_of):
    server = served(evening.folder)
    client = client_of(server)
    client.subscribe(BOOK, market_tickers=evening.markets, use_yes_price=True)
    subscribed(client, 1)
    played(server, client)
    turned = {
        ticker: (yes, {10_000 - price: size for price, size in no.items()})
        for ticker, (yes, no) in Reading(client).levels().items()
    }
    assert turned == evening.books


def test_newest_tickers_are_sent_to_whoever_asks_for_them(evening, served, client_of):
    server = served(evening.folder)
    client = client_of(server)
    played(server)
    client.subscribe("ticker", market_tickers=evening.markets, send_initial_snapshot=True)
    newest = {each["market_ticker"]: each for each in evening.tickers}
    assert [each["msg"] for each in client.answer()[1:]] == [newest[each] for each in sorted(newest)]
    ids = [newest[each]["market_id"] for each in evening.markets[:2]]
    client.send(id=3, cmd="unsubscribe", params={"sids": [1]})
    client.answer()
    client.subscribe("ticker", market_ids=ids)
    client.update("delete_markets", sid=2, market_ids=ids[:1])
    assert client.answer()[1]["msg"] == {"market_ids": ids[1:]}


def test_it_begins_by_itself_once_a_client_has_subscribed(evening, served, client_of):
    server = served(evening.folder, held=False)
    client = client_of(server)
    assert client.answer() == []
    assert not server.wait(1.5)  # a client that asks nothing
    client.subscribe("trade")
    client.subscribe(BOOK, market_tickers=evening.markets)
    assert server.wait(30)
    played(server, client)
    assert bodies(client, "trade") == evening.trades
    assert Reading(client).levels() == evening.books


def test_a_span_is_served_with_books_as_they_stood_at_its_beginning(evening, served, client_of):
    times = kn.open_recording(evening.folder).trades().collect()["received_at"]
    start, end = times[len(times) // 3], times[len(times) * 2 // 3]
    server = served(evening.folder, start=start, end=end)
    client = client_of(server)
    client.subscribe("trade", BOOK, market_tickers=evening.markets)
    client.wait_until(lambda: len(client.frames) == 7)
    before = start - timedelta(microseconds=1)  # what came at that moment itself is played
    depth = kn.open_recording(evening.folder).depth(at=before, levels=1_000).collect()
    for ticker, (yes, no) in Reading(client).levels().items():
        rows = depth.filter(pl.col("market_ticker") == ticker).select("bid", "bid_size", "ask", "ask_size").rows()
        assert yes == {round(bid * 10_000): round(size * 100) for bid, size, _, _ in rows if bid is not None}
        assert no == {10_000 - round(ask * 10_000): round(size * 100) for _, _, ask, size in rows if ask is not None}
    played(server, client)
    count = ((times >= start) & (times <= end)).sum()
    assert len(bodies(client, "trade")) == count > 10


# The kit as its client ------------------------------------------------------------------------------------


@contextlib.contextmanager
def connected(server, **options):
    with kn.connect(
        server.url, key_id=server.key_id, private_key=pem(server.private_key), new=True, **options
    ) as feed:
        yield feed


def levels_of(feed, books):
    return {ticker: tuple(map(dict, feed._engine.ladder(ticker).levels())) for ticker in books}


def test_the_kit_as_client_has_what_open_recording_says(evening, served):
    server, recording = served(evening.folder), kn.open_recording(evening.folder)
    with connected(server) as feed:
        frames = {"trade": feed.trades(), "ticker": feed.tickers(), BOOK: feed.deltas(evening.markets)}
        books = feed.books(evening.markets)
        server.begin()
        expected = {channel: recording.frame(channel).collect().drop("received_at") for channel in frames}
        assert server.wait(30)
        for channel, frame in frames.items():
            frame.wait(rows=expected[channel].height, timeout=30)
            found = frame.df.drop("received_at")
            numbers = ["seq"] if "seq" in found.columns else []
            assert_frame_equal(found.drop(numbers), expected[channel].drop(numbers))
        assert levels_of(feed, books) == evening.books
        assert {book.status for book in books.values()} == {"live"}
        assert feed.gaps.is_empty()
        assert feed.health().duplicates == 0
        with pytest.raises(SubscriptionError, match="Unknown channel name"):
            feed.fills()
        with pytest.raises(SubscriptionError, match="KXNOPE-1"):
            feed.book("KXNOPE-1").wait()


# What is lost ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """A recording of a line that lost three trades and one change of a book, and then, for 5 s, the connection."""
    folder = tmp_path_factory.mktemp("served") / "torn"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:5]
        books = feed.books(markets)
        feed.trades()
        recorder = feed.record(folder)
        exchange.advance(20)
        exchange.faults.skip_frames("trade", 3)
        exchange.faults.skip_frames(BOOK, 1)
        exchange.advance(20)
        wait_until(lambda: all(each.status == "live" for each in books.values()))
        exchange.faults.begin_maintenance()
        wait_until(lambda: feed.state != "connected")  # so that the loss is of this moment, and not of five seconds on
        exchange.advance(5)
        exchange.faults.end_maintenance()
        wait_until(lambda: feed.health().reconnects == 1 and feed.state == "connected", 30)
        wait_until(lambda: all(each.status == "live" for each in books.values()))
        exchange.advance(20)
        assert recorder.close()
        return Evening(folder, markets, books_of(exchange, markets), [], [])


def test_recorded_gaps_are_numbers_left_out_and_books_sent_anew(torn, served, client_of):
    server = served(torn.folder)
    client = client_of(server)
    client.subscribe("trade", BOOK, market_tickers=torn.markets)
    subscribed(client, 2)
    played(server, client)
    reading, gaps = Reading(client), kn.open_recording(torn.folder).gaps().collect()
    assert sorted(gaps["reason"]) == ["connection_lost", "connection_lost", "sequence", "sequence"]
    of_trades = [missing for kind, missing in reading.jumps if kind == "trade"]
    assert of_trades == [3, 1]  # as many as were lost; and one for the connection, of which nobody knows how many
    assert len(reading.jumps) == 4
    assert reading.levels() == torn.books
    # Each book once at first, and once more after each of the two gaps.
    assert len(bodies(client, "orderbook_snapshot")) == 3 * len(torn.markets)
    trades = kn.open_recording(torn.folder).trades(torn.markets).collect()
    assert [each["trade_id"] for each in bodies(client, "trade")] == trades["trade_id"].to_list()


def test_the_kit_as_client_sees_the_gaps_that_were_recorded(torn, served):
    server = served(torn.folder)
    with connected(server) as feed:
        trades, books = feed.trades(), feed.books(torn.markets)
        server.begin()
        expected = kn.open_recording(torn.folder).trades().collect()
        trades.wait(rows=expected.height, timeout=30)
        assert server.wait(30)
        wait_until(lambda: levels_of(feed, books) == torn.books, 30)
        wait_until(lambda: all(book.status == "live" for book in books.values()), 30)
        assert trades.df["trade_id"].to_list() == expected["trade_id"].to_list()
        of_trades = feed.gaps.filter(channel="trade")
        assert (of_trades["seq_to"] - of_trades["seq_from"] + 1).to_list() == [3, 1]
        assert feed.gaps.filter(channel=BOOK).height >= 1
        assert set(feed.gaps["reason"]) == {"sequence"}


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A recording of two runs, between which the market went on."""
    folder = tmp_path_factory.mktemp("served") / "twice"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        markets = list(exchange.market_tickers)[:3]
        for _ in range(2):
            exchange.advance(20)
            with kn.connect(exchange, new=True) as feed:
                recorder = feed.record(folder, ["trade", BOOK], markets)
                exchange.advance(20)
                assert recorder.close()
        return Evening(folder, markets, books_of(exchange, markets), [], [])


def test_what_nobody_recorded_between_two_runs_is_a_gap(twice, served, client_of):
    server = served(twice.folder)
    client = client_of(server)
    client.subscribe("trade", BOOK, market_tickers=twice.markets)
    subscribed(client, 2)
    played(server, client)
    reading = Reading(client)
    assert [missing for _, missing in reading.jumps] == [1, 1]
    assert len(bodies(client, "orderbook_snapshot")) == 2 * len(twice.markets)
    assert reading.levels() == twice.books


def test_no_change_of_a_book_comes_before_the_book(tmp_path, served, client_of):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:5]
        recorder, books = feed.record(tmp_path / "night", [BOOK], markets), feed.books(markets)
        exchange.advance(10)
        exchange.faults.ignore_snapshot_requests(100)
        exchange.faults.skip_frames(BOOK, 1)
        exchange.advance(10)  # in which changes come, and the recorded feed had no books
        settle(exchange, books)
        assert recorder.close()
        truth = books_of(exchange, markets)
    server = served(tmp_path / "night", start="2026-11-22 15:00:15")
    client = client_of(server)
    client.subscribe(BOOK, market_tickers=markets)
    assert [each["type"] for each in client.answer()] == ["subscribed"]
    played(server, client)
    assert [each["type"] for each in client.messages()[: len(markets)]] == ["orderbook_snapshot"] * len(markets)
    assert Reading(client).levels() == truth


def test_a_message_that_means_nothing_goes_on_and_its_book_is_sent_anew(tmp_path, served, client_of):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:5]
        recorder, books = feed.record(tmp_path / "night", [BOOK], markets), feed.books(markets)
        exchange.advance(10)
        nonsense = {"market_ticker": markets[0], "price_dollars": "0.5000", "delta_fp": "-9000000.00", "side": "yes"}
        exchange.publish(BOOK, BOOK, {**nonsense, "ts_ms": exchange.now_us() // 1_000})
        settle(exchange, books)
        assert recorder.close()
        truth = books_of(exchange, markets)
    assert kn.open_recording(tmp_path / "night").gaps().collect()["reason"].to_list() == ["negative_level"]
    server = served(tmp_path / "night")
    client = client_of(server)
    client.subscribe(BOOK, market_tickers=markets)
    subscribed(client, 1)
    played(server, client)
    assert "-9000000.00" in [each["delta_fp"] for each in bodies(client, BOOK)]
    tickers = [each["market_ticker"] for each in bodies(client, "orderbook_snapshot")]
    assert sorted(tickers) == sorted([*markets, markets[0]])
    assert not Reading(client).jumps
    assert Reading(client).levels() == truth


def test_of_a_faulty_line_no_client_gets_a_wrong_book_or_a_trade_twice(tmp_path, served, client_of):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:5]
        recorder, books = feed.record(tmp_path / "night", ["trade", BOOK], markets), feed.books(markets)
        plan = exchange.faults.plan(3, drop=0.01, duplicate=0.01, reorder=0.01, truncate=0.01)
        exchange.advance(60)
        settle(exchange, books)
        assert recorder.close()
        truth = books_of(exchange, markets)
    assert min(plan.counts[each] for each in ("drop", "duplicate", "reorder", "truncate")) > 10
    server = served(tmp_path / "night")
    client = client_of(server)
    client.subscribe("trade", BOOK, market_tickers=markets)
    subscribed(client, 2)
    played(server, client)
    reading = Reading(client)
    assert reading.levels() == truth
    trades = kn.open_recording(tmp_path / "night").trades().collect()
    assert [each["trade_id"] for each in bodies(client, "trade")] == trades["trade_id"].to_list()
    assert trades["trade_id"].is_unique().all()
    gaps = kn.open_recording(tmp_path / "night").gaps().collect().filter(channel="trade")
    missing = (gaps["seq_to"] - gaps["seq_from"] + 1).sum()
    assert sum(count for kind, count in reading.jumps if kind == "trade") == missing > 0


def test_what_cannot_be_read_is_a_gap_and_the_next_checkpoint_mends_books(tmp_path, served, client_of):
    start = datetime(2026, 11, 22, 14, 59, 30, tzinfo=UTC)
    with kn.sim.Exchange(seed=7, clock="manual", start=start) as exchange, kn.connect(exchange, new=True) as feed:
        markets = list(exchange.market_tickers)[:5]
        recorder = feed.record(tmp_path / "night", ["trade", BOOK], markets)
        for _ in range(6):
            exchange.advance(10)
            recorder.flush()
        assert recorder.close()
        truth = books_of(exchange, markets)
    first, _ = sorted(tmp_path.rglob("*.jsonl.zst"))  # the hour struck
    broken = bytearray(first.read_bytes())
    broken[len(broken) // 2 : len(broken) // 2 + 200] = bytes(200)
    first.write_bytes(broken)
    reasons = set(kn.open_recording(tmp_path / "night").gaps().collect()["reason"])
    assert reasons == {"unreadable"}
    server = served(tmp_path / "night")
    client = client_of(server)
    client.subscribe("trade", BOOK, market_tickers=markets)
    subscribed(client, 2)
    played(server, client)
    reading = Reading(client)
    assert reading.jumps
    assert {missing for _, missing in reading.jumps} == {1}
    assert reading.levels() == truth
    assert len(bodies(client, "orderbook_snapshot")) == 2 * len(markets)


def test_four_recorded_connections_are_one_exchange(tmp_path, served, client_of):
    with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange, new=True, connections=4) as feed:
        markets = list(exchange.market_tickers)[:8]
        recorder, books = feed.record(tmp_path / "night", ["trade", BOOK], markets), feed.books(markets)
        exchange.advance(20)
        exchange.faults.skip_frames(BOOK, 1)  # one on each of the four
        exchange.advance(20)
        settle(exchange, books)
        assert recorder.close()
        truth = books_of(exchange, markets)
    lost = kn.open_recording(tmp_path / "night").gaps().collect()
    assert sorted(lost["connection"]) == [1, 2, 3, 4]
    server = served(tmp_path / "night")
    client, other = client_of(server), client_of(server)
    client.subscribe(BOOK, market_tickers=markets)
    other.subscribe(BOOK, market_tickers=markets[:1])
    subscribed(client, 1)
    subscribed(other, 1)
    played(server, client, other)
    assert Reading(client).levels() == truth
    assert Reading(other).levels() == {markets[0]: truth[markets[0]]}
    assert [missing for _, missing in Reading(client).jumps] == [1, 1, 1, 1]
    assert [missing for _, missing in Reading(other).jumps] == [1]  # three of them were of others' books


def test_a_snapshot_that_nobody_knows_now_is_sent_when_the_recording_has_it(torn, served, client_of):
    recording = kn.open_recording(torn.folder)
    lost = recording.gaps().collect().filter(channel=BOOK, reason="connection_lost").row(0, named=True)
    # Served from inside the gap: the books are asked for when the recording itself had none.
    server = served(torn.folder, start=lost["opened_at"] + timedelta(seconds=1))
    client = client_of(server)
    client.subscribe(BOOK, market_tickers=torn.markets)
    client.update("get_snapshot", command_id=8, sid=1, market_tickers=torn.markets[:1])
    assert [each["type"] for each in client.answer()] == ["subscribed"]
    played(server, client)
    asked = [each for each in client.messages() if each["type"] == "orderbook_snapshot"]
    assert [each.get("id") for each in asked] == [8, *[None] * (len(torn.markets) - 1)]
    assert Reading(client).levels() == torn.books


# Who may come in ------------------------------------------------------------------------------------------


def test_its_own_key_comes_in_and_others_only_where_any_may(evening, served, client_of):
    key = Ed25519PrivateKey.generate()
    mine = signed("2f0a3e0e-6f5c-4d63-9f57-8a3f0a1f3c11", key)
    with pytest.raises(InvalidStatus) as refused:
        client_of(served(evening.folder), headers=mine)
    assert refused.value.response.status_code == 401
    server = served(evening.folder, anyone=True)
    assert client_of(server, headers=mine).answer() == []
    assert client_of(server).answer() == []
    for wrong in ({}, signed("anybody", key, ahead_ms=-600_000)):
        with pytest.raises(InvalidStatus):
            client_of(server, headers=wrong)


def test_a_client_that_reads_slowly_is_waited_for_and_one_that_is_gone_is_not(evening, served, client_of):
    server = served(evening.folder)
    slow, gone = client_of(server, read=False), client_of(server)
    for each in (slow, gone):
        each.subscribe("trade", BOOK, "ticker", market_tickers=evening.markets)
    gone.wait_until(lambda: gone.frames)
    gone.close()
    server.begin()
    slow._thread.start()
    assert server.wait(30)
    played(server, slow)
    assert bodies(slow, "trade") == evening.trades


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"speed": 0}, ConfigurationError, "stand still"),
        ({"start": "2030-01-01"}, ConfigurationError, "nothing between"),
        ({"port": -1}, SimulationError, "no port"),
    ],
)
def test_what_cannot_be_served_is_refused(evening, options, error, words):
    with pytest.raises(error, match=words):
        serve(evening.folder, **options)


def test_a_place_without_a_recording_and_a_port_that_is_taken_are_errors(evening, served, tmp_path):
    with pytest.raises(RecordingError, match="no recording"):
        serve(tmp_path)
    server = served(evening.folder)
    with pytest.raises(PortInUseError):
        serve(evening.folder, port=int(server.url.split(":")[2].split("/")[0]))


def test_a_recording_that_goes_away_ends_the_server_with_its_reason(twice, served, client_of, tmp_path):
    folder = tmp_path / "night"
    shutil.copytree(twice.folder, folder)
    server = served(folder)
    client = client_of(server)
    client.subscribe("trade")
    client.wait_until(lambda: client.frames)
    sorted(folder.rglob("*.jsonl.zst"))[1].unlink()  # the second of its segments, which is not open yet
    server.begin()
    with pytest.raises(SimulationError, match="could not be read to its end"):
        server.wait(30)
    client.wait_until(lambda: client.closed)
    assert client.closed.rcvd.code == 1011
