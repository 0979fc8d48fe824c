"""``python -m tests.corpus.make``: a corpus of frames in the exchange's forms, the same to the byte every time.

The simulated exchange writes them, with its manual clock, for a client that shares nothing with the kit. What it does
not write by itself is made from its frames: an older era's fields, and messages of accounts and reference feeds, which
go through its `publish`. The forms are those that captures of the real exchange show; no frame is taken from one.
"""

import argparse
import json
import sys
from pathlib import Path
from random import Random

from websockets.sync.client import connect

from kalshi_nb.sim import Exchange
from tests.channel_frames import MESSAGES
from tests.corpus import FOLDER
from tests.venue import handshake_headers
from tests.wire.own_frames import CREATED, DETERMINED, EVENT, FEE_UPDATE, METADATA_UPDATED

SEED = 20_261_128
BOOK = "orderbook_delta"
BITCOIN, WEATHER = "KXBTC15M-26NOV221015-15", "KXHIGHNY-26NOV22-B52.5"
BUFFALO, FAR = "KXNFLGAME-26NOV22NYJBUF-BUF", "KXSENATEOH-28-D"
ONE_SIDED = "KXSENATEOH-28-I"
NO_MARKET = "KXNOSUCH-26NOV22-X"
ONE_SIDED_AT, PAUSED_AT, EMPTY_AT = 25, 260, 1_075
"""Seconds into this seed's tape when ONE_SIDED has no YES bid, a market pauses, and FAR has no bid on either side."""
LISTING = 999_999
"""The id of the listings that only tell that all before them is there; they are left out of the corpus."""

LEFT_OUT = frozenset(
    {"client_order_id", "subaccount", "subaccount_number", "exchange_index", "expiration_time"}
    | {"expiration_ts_ms", "mve_collection_ticker", "mve_selected_legs", "client_batch_id", "avg_60s_data"}
)
"""Fields that real messages have only sometimes."""


class Client:
    """One connection, and every frame that came over it, as it was on the wire."""

    def __init__(self, exchange, socket):
        self.exchange = exchange
        self.frames = []
        self._number = 0
        self._socket = socket

    def say(self, cmd, **params):
        """Send a command, numbered from 1."""
        self._number += 1
        self._send(self._number, cmd, params)

    def _send(self, number, cmd, params):
        self._socket.send(json.dumps({"id": number, "cmd": cmd, **({"params": params} if params else {})}))

    def ask(self, cmd, **params):
        """Send a command and read all there is once it is answered."""
        self.say(cmd, **params)
        self.read()

    def subscribe(self, *channels, **params):
        self.ask("subscribe", channels=list(channels), **params)

    def update(self, sid, action, **params):
        self.ask("update_subscription", sids=[sid], action=action, **params)

    def shout(self, text):
        """Send what is no command."""
        self._socket.send(text)
        self.read()

    def advance(self, seconds):
        """Let the market go on, and read what came of it."""
        self.exchange.advance(seconds)
        self.read()

    def publish(self, channel, kind, msg):
        assert self.exchange.publish(channel, kind, msg) == 1, (channel, kind)
        self.read()

    def read(self):
        self._send(LISTING, "list_subscriptions", {})
        while f'"id":{LISTING},' not in (frame := self._socket.recv(timeout=10)):
            self.frames.append(frame)


def _session(play, **options):
    """The frames of one connection to an exchange of its own."""
    with (
        Exchange(seed=SEED, clock="manual", **options) as exchange,
        connect(
            exchange.url,
            additional_headers=handshake_headers(exchange),
            compression=None,
            proxy=None,
            max_size=None,
            max_queue=None,
        ) as socket,
    ):
        client = Client(exchange, socket)
        play(client)
    return client.frames


def _without(text, *names):
    frame = json.loads(text)
    for name in names:
        frame.get("msg", {}).pop(name, None)
    return _compact(frame)


def _compact(frame):
    return json.dumps(frame, separators=(",", ":")) + "\n"


# What the files hold


def _books(client):
    """Five books, one of them empty, and some fills on one connection, as captures of mid-2026 have them."""
    client.exchange.advance(EMPTY_AT - 3)
    client.exchange.faults.swap_commands()  # answers come in any order
    client.say("subscribe", channels=["fill"], market_tickers=[BITCOIN])
    client.subscribe(BOOK, market_tickers=[WEATHER])
    client.update(1, "add_markets", market_tickers=[BITCOIN, BUFFALO])
    client.advance(3)
    client.subscribe(BOOK, market_tickers=[FAR, ONE_SIDED, WEATHER])
    for number in (1, 2):
        client.advance(3)
        client.publish("fill", "fill", _fill(number, client.exchange.now_us()))
    client.update(1, "get_snapshot", market_tickers=[BUFFALO])
    client.advance(7)


def _fill(number, now_us):
    """A fill of one's own order; only the second order had an id of its owner's."""
    taken = {"client_order_id": "a-client-order"} if number == 2 else {"client_order_id": ...}
    msg = {
        **MESSAGES["fill"]["fill"],
        "trade_id": f"00000000-0000-4000-8000-00000000000{number}",
        "order_id": f"00000000-0000-4000-9000-00000000000{number}",
        "market_ticker": BITCOIN,
        "is_taker": number == 1,
        "count_fp": f"{number}.05",
        "post_position_fp": f"-{number + 2}.05",
        "fee_cost": f"0.01470{number}",
        "ts": now_us // 1_000_000,
        "ts_ms": now_us // 1000,
        **taken,
    }
    return {key: value for key, value in msg.items() if value is not ...}


def _errors(client):
    """Eight books with refusals in between, as an older server had them."""
    client.exchange.advance(ONE_SIDED_AT)
    client.subscribe(BOOK, "no_such_channel", market_tickers=list(client.exchange.market_tickers[4:]))
    client.advance(1)
    client.subscribe("no_such_channel")
    client.advance(1)


def _received(frames):
    """Lines with the time each frame was received, without the stamp that came later; times count up by 0.4 ms."""
    for number, text in enumerate(frames):
        received = 1_795_359_600_000_000_000 + number * 400_000
        yield json.dumps({"recv_ts_ns": received, "raw": _without(text, "ts_ms")})


def _market(client):
    """All that the market says of itself, in the newest form: `clock` and `sending_ts_ms`."""
    client.exchange.advance(PAUSED_AT - 5)
    tickers = list(client.exchange.market_tickers)
    client.subscribe(BOOK, market_tickers=[*tickers, NO_MARKET], use_yes_price=False)
    client.subscribe("trade", "market_lifecycle_v2")
    client.subscribe("ticker", send_initial_snapshot=True)
    client.advance(1.5)
    for frame in (CREATED, METADATA_UPDATED, DETERMINED, EVENT, FEE_UPDATE):
        client.publish("market_lifecycle_v2", frame["type"], frame["msg"])
    client.update(1, "delete_markets", market_tickers=tickers)  # or there would be little else
    client.advance(16)


def _yes_prices(client):
    """A book that writes NO prices as YES prices."""
    client.exchange.advance(ONE_SIDED_AT)
    client.subscribe(BOOK, market_tickers=[WEATHER, ONE_SIDED], use_yes_price=True)
    client.advance(6)


def _ends(client):
    """What a subscription goes through up to its end, and types and fields that nobody knows."""
    client.subscribe(BOOK, "trade", market_tickers=[WEATHER])
    client.exchange.faults.add_fields()
    client.advance(2)
    client.exchange.faults.add_fields(on=False)
    client.exchange.faults.send_unknown(BOOK)
    client.exchange.faults.send_unknown("trade", "trade_correction")
    for channel, code in ((BOOK, 18), (BOOK, 27), (BOOK, 25), ("trade", 10)):
        client.exchange.faults.send_error(channel, code)
        client.read()


def _answers(client):
    """Every answer to a command, good and bad."""
    faults, tickers = client.exchange.faults, list(client.exchange.market_tickers)
    ids = [market.market_id for market in client.exchange.markets]
    client.ask("list_subscriptions")
    client.subscribe(BOOK, market_tickers=[WEATHER, ONE_SIDED, NO_MARKET])  # 28
    client.subscribe("ticker", market_ids=ids[:2])
    client.update(2, "add_markets", market_ids=ids[2:4])
    client.subscribe("trade", market_tickers=tickers[:3], skip_ticker_ack=True)
    client.update(3, "delete_markets", market_tickers=tickers[:1])
    client.subscribe("market_lifecycle_v2", "fill", "user_orders", "market_positions", "order_group_updates")
    client.subscribe("multivariate_market_lifecycle", "communications")
    client.subscribe("cfbenchmarks_value", "cfbenchmarks_value_5hz", index_ids=["BRTI"])
    client.subscribe("pyth_value", underlying_tickers=["Metal.XAU/USD"])
    client.update(11, "subscribe_indices", index_ids=["ETHUSD_RTI"])
    for sid in (11, 12):
        client.update(sid, "indexlist")
    client.update(13, "subscribe_underlyings", underlying_tickers=["all"])
    client.update(13, "underlying_list")
    client.ask("list_subscriptions")
    client.update(1, "get_snapshot", market_tickers=[WEATHER])
    _refusals(client)
    faults.limit_markets(3)
    client.update(1, "add_markets", market_tickers=tickers)  # 26
    faults.swap_commands()
    client.say("update_subscription", sids=[1], action="delete_markets", market_tickers=[ONE_SIDED])
    client.ask("update_subscription", sids=[3], action="add_markets", market_tickers=tickers[:1])
    for sid in (4, 2, 1):
        client.ask("unsubscribe", sids=[sid])


def _refusals(client):
    """One command for each error that a command can earn."""
    client.shout("no JSON")  # 1
    client.ask("subscribe")  # 2
    client.ask("subscribe", market_ticker=WEATHER)  # 3
    client.ask("unsubscribe", sids=[])  # 4
    client.ask("dance", with_whom="me")  # 5
    client.ask("unsubscribe", sids=[77])  # 7
    client.subscribe("no_such_channel")  # 8
    client.subscribe("trade", market_tickers=[])  # 11
    client.ask("update_subscription", sids=[1, 2], action="add_markets", market_tickers=[WEATHER])  # 12
    client.update(2, "get_snapshot", market_tickers=[WEATHER])  # 13
    client.subscribe(BOOK)  # 14
    client.ask("update_subscription", sids=[1], market_tickers=[WEATHER])  # 15
    client.subscribe("communications", shard_factor=0)  # 19
    client.subscribe("communications", shard_key=0)  # 20
    client.subscribe("communications", shard_factor=2, shard_key=2)  # 21
    client.subscribe("communications", shard_factor=101)  # 22
    client.update(11, "subscribe_indices")  # 24
    client.update(13, "subscribe_underlyings")  # 28, in its other meaning


def _accounts(client):
    """One's own orders and money, requests for quotes, and the reference feeds."""
    client.subscribe(*(channel for channel in MESSAGES if not channel.startswith(("cf", "pyth"))))
    client.subscribe("cfbenchmarks_value", "cfbenchmarks_value_5hz", index_ids=["all"])
    client.subscribe("pyth_value", underlying_tickers=["all"])
    random = Random(SEED)
    for channel, kinds in MESSAGES.items():
        for kind, msg in kinds.items():
            if kind.endswith("list"):
                continue  # an answer: the exchange writes it itself
            client.publish(channel, kind, msg)
            client.publish(channel, kind, {key: value for key, value in msg.items() if key not in LEFT_OUT})
            client.publish(channel, kind, {key: _moved(random, key, value) for key, value in msg.items()})


def _moved(random, name, value):
    """Another value of the same form: decimals keep their number of places, and whose zero is none get one."""
    if name.endswith(("_dollars", "_fp", "_cost")) and isinstance(value, str):
        whole, _, places = value.partition(".")
        digits = "".join(random.choice("0123456789") for _ in places)
        return f"{whole if random.random() < 0.7 else whole.replace('-', '')}.{digits}"
    if name in ("market_ticker", "ticker"):
        return random.choice((BITCOIN, WEATHER, ONE_SIDED))
    if name.endswith("ts_ms"):
        return value + random.randrange(3_600_000)
    return value


def _older(frames):
    """Trades and tickers with an older era's fields: cents beside dollars, one word for the taker, no milliseconds."""
    for text in frames:
        frame = json.loads(text)
        change = {"trade": _older_trade, "ticker": _older_ticker}.get(frame["type"])
        if change is not None:
            frame["msg"] = change(frame["msg"])
            yield _compact(frame)


def _cents(dollars):
    return round(float(dollars) * 100)


def _older_trade(msg):
    return {
        "trade_id": msg["trade_id"],
        "market_ticker": msg["market_ticker"],
        "yes_price": _cents(msg["yes_price_dollars"]),
        "no_price": _cents(msg["no_price_dollars"]),
        "yes_price_dollars": msg["yes_price_dollars"],
        "no_price_dollars": msg["no_price_dollars"],
        "count": int(float(msg["count_fp"])),
        "count_fp": msg["count_fp"],
        "taker_side": msg["taker_side"],
        "ts": msg["ts"],
    }


def _older_ticker(msg):
    kept = {name: value for name, value in msg.items() if name not in ("ts_ms", "time")}
    cents = {name: _cents(msg[f"{name}_dollars"]) for name in ("price", "yes_bid", "yes_ask")}
    counts = {name: int(float(msg[f"{name}_fp"])) for name in ("volume", "open_interest")}
    return {"market_id": kept.pop("market_id"), "market_ticker": kept.pop("market_ticker"), **cents, **counts, **kept}


def _trading(client):
    client.subscribe("trade", "ticker")
    client.advance(8)


def made():
    """The text of every file, by name."""
    captures = {"era": "captures"}
    answers = _session(_answers, unknown_markets="error") + _session(_ends)
    return {
        "books": "\n".join(_session(_books, **captures)) + "\n",  # a blank line after each, as captures have them
        "errors": "".join(line + "\n" for line in _received(_session(_errors, **captures))),
        "market": "".join(_session(_market)),
        "yes_prices": "".join(_session(_yes_prices)),
        "control": "".join(answers),
        "accounts": "".join(_session(_accounts)),
        "older": "".join(_older(_session(_trading, **captures))),
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.make", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where to (where the corpus is)")
    folder = parser.parse_args().folder
    for name, text in made().items():
        (folder / f"{name}.jsonl").write_bytes(text.encode())
        print(f"{name}.jsonl: {sum(map(bool, text.splitlines()))} frames, {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
