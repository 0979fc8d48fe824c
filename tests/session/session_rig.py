"""A session in the hands of a test: clocks moved by hand, frames written by hand, commands read back."""

import json
from random import Random

from kalshi_nb._rows.wanted import ALL
from kalshi_nb._session import extension
from kalshi_nb._session.requests import Request
from kalshi_nb._session.session import Reconnect, Session

BOOKS = "orderbook_delta"
START_US = 1_790_000_000_000_000

compiled_here = extension.COMPILED
"""Whether sessions and ladders are compiled ones where a test does not say so; ``conftest.py`` runs all both ways."""


def new_ladder(market_ticker="KXA-1"):
    return extension.ladders(compiled=compiled_here)(market_ticker)


def text(value, decimals):
    """An integer of the finest unit as the exchange writes it."""
    sign, value = ("-" if value < 0 else ""), abs(value)
    return f"{sign}{value // 10**decimals}.{value % 10**decimals:0{decimals}d}"


def snapshot(sid, seq, ticker, yes=(), no=(), **top):
    msg = {"market_ticker": ticker, "market_id": f"id of {ticker}"}
    for key, side in (("yes_dollars_fp", yes), ("no_dollars_fp", no)):
        if side:
            pairs = side.items() if isinstance(side, dict) else side
            msg[key] = [[text(price, 4), text(size, 2)] for price, size in sorted(pairs)]
    return {"type": "orderbook_snapshot", **top, "sid": sid, "seq": seq, "msg": msg}


def delta(sid, seq, ticker, side="yes", price=4700, change=100):
    msg = {
        "market_ticker": ticker,
        "market_id": f"id of {ticker}",
        "price_dollars": text(price, 4),
        "delta_fp": text(change, 2),
        "side": side,
        "ts_ms": 1_790_000_000_000,
    }
    return {"type": "orderbook_delta", "sid": sid, "seq": seq, "msg": msg}


def trade(sid, seq, ticker, trade_id="one"):
    msg = {
        "trade_id": trade_id,
        "market_ticker": ticker,
        "yes_price_dollars": "0.4700",
        "no_price_dollars": "0.5300",
        "count_fp": "1.00",
        "taker_outcome_side": "yes",
        "taker_book_side": "bid",
        "is_block_trade": False,
        "ts_ms": 1_790_000_000_000,
    }
    return {"type": "trade", "sid": sid, "seq": seq, "msg": msg}


def ticker_frame(sid, ticker):
    msg = {
        "market_ticker": ticker,
        "price_dollars": "0.4700",
        "yes_bid_dollars": "0.4600",
        "yes_ask_dollars": "0.4800",
        "volume_fp": "1.00",
        "open_interest_fp": "1.00",
        "ts_ms": 1_790_000_000_000,
    }
    return {"type": "ticker", "sid": sid, "msg": msg}


def subscribed(number, channel, sid):
    return {"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": sid}}


def ok(number, sid, seq, tickers):
    frame = {"type": "ok", "id": number, "sid": sid, "seq": seq, "msg": {"market_tickers": sorted(tickers)}}
    if seq is None:
        del frame["seq"]
    return frame


def error(code, message, **more):
    top = {key: more.pop(key) for key in ("id", "sid", "seq") if key in more}
    return {"type": "error", **top, "msg": {"code": code, "msg": message, **more}}


class Rig:
    """One session, connected unless told otherwise; `set_by` is what its wall clock was set by, in seconds."""

    def __init__(self, *, connected=True, seed=1, compiled=None, **options):
        self.seconds = 100.0
        self.set_by = 0.0
        self.session = Session(
            now_us=self.now_us,
            monotonic=lambda: self.seconds,
            random=Random(seed),
            compiled=compiled_here if compiled is None else compiled,
            **options,
        )
        if connected:
            self.session.connected()

    def now_us(self):
        return START_US + round((self.seconds + self.set_by) * 1e6)

    # frames in

    def receive(self, *frames):
        """Take in frames that one read of the connection brought."""
        self.take(
            [
                frame if isinstance(frame, bytes) else json.dumps(frame, separators=(",", ":")).encode() + b"\n"
                for frame in frames
            ]
        )

    def take(self, messages):
        self.session.receive(messages, self.now_us())

    def wait(self, seconds, step=0.1):
        end = self.seconds + seconds
        while self.seconds < end - 1e-9:
            self.seconds = min(end, self.seconds + step)
            self.session.tick()

    # what comes out

    def commands(self):
        found = [json.loads(data) for data in self.session.outgoing]
        self.session.outgoing.clear()
        return found

    def command(self, cmd=None):
        """The one command sent since the last look."""
        (found,) = self.commands()
        assert cmd is None or cmd in (found["cmd"], found.get("params", {}).get("action"))
        return found

    def outcomes(self):
        found = [each for each in self.session.events if isinstance(each, Request)]
        for each in found:
            self.session.events.remove(each)
        return [(each.channel, each.outcome.code, each.outcome.market_tickers) for each in found]

    def reconnects(self):
        found = [each for each in self.session.events if isinstance(each, Reconnect)]
        for each in found:
            self.session.events.remove(each)
        return found

    # ready-made states

    def open_books(self, *tickers, sid=1):
        """Books that are live, each with one YES and one NO level; return the last sequence number."""
        request = self.session.want(BOOKS, frozenset(tickers))
        self.receive(subscribed(self.command("subscribe")["id"], BOOKS, sid))
        for number, ticker in enumerate(sorted(tickers), 1):
            self.receive(snapshot(sid, number, ticker, {4700: 1000}, {4800: 2000}))
        assert all(self.status(ticker) == "live" for ticker in tickers)
        self.outcomes()
        self.request = request
        return len(tickers)

    def open(self, channel, wanted=ALL, sid=2):
        request = self.session.want(channel, wanted)
        self.receive(subscribed(self.command("subscribe")["id"], channel, sid))
        assert [code for _, code, _ in self.outcomes()] == [None]
        return request

    def status(self, ticker):
        ladder = self.session.ladder(ticker)
        return None if ladder is None else ladder.status

    def book(self, ticker):
        yes, no = self.session.ladder(ticker).levels()
        return dict(yes), dict(no)

    @property
    def gaps(self):
        return self.session.gaps.snapshot()
