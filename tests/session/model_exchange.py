"""A small honest exchange, written on its own: what it sends is true, whatever the line does to it."""

import json

from tests.session.session_rig import BOOKS, delta, error, ok, snapshot, subscribed, trade


class ModelExchange:
    """Truth, sids, sequence numbers, merges; a command waits in `inbox` until it is processed.

    `wire` holds frames that were sent and not delivered, as (sid or None, seq or None, frame).
    """

    def __init__(self, tickers):
        self.truth = {ticker: {"yes": {}, "no": {}} for ticker in tickers}
        self.trades = 0
        self.disconnect()

    def disconnect(self):
        self.sids = {}
        self.markets = {}
        self.seq = {}
        self.delivered = {}
        self.last_sid = 0
        self.inbox = []
        self.wire = []

    # what happens in the market

    def move(self, ticker, side, price, change):
        levels = self.truth[ticker][side]
        change = max(change, -levels.get(price, 0))
        if not change:
            return
        levels[price] = levels.get(price, 0) + change
        if not levels[price]:
            del levels[price]
        sid = self.sids.get(BOOKS)
        if sid is not None and ticker in self.markets[sid]:
            self._send(sid, lambda seq: delta(sid, seq, ticker, side, price, change))

    def match(self, ticker):
        self.trades += 1
        sid = self.sids.get("trade")
        if sid is not None and (self.markets[sid] is None or ticker in self.markets[sid]):
            self._send(sid, lambda seq: trade(sid, seq, ticker, str(self.trades)))

    def overflow(self, channel):
        sid = self.sids.pop(channel, None)
        if sid is not None:
            self._send(sid, lambda seq: error(25, "Subscription buffer overflow", sid=sid, seq=seq))

    # commands

    def process(self, index):
        command = json.loads(self.inbox.pop(index))
        getattr(self, command["cmd"])(command["id"], command.get("params", {}))

    def list_subscriptions(self, number, params):
        listed = [{"channel": channel, "sid": sid} for channel, sid in self.sids.items()]
        self._send(None, lambda seq: {"type": "ok", "id": number, "msg": listed})

    def subscribe(self, number, params):
        (channel,) = params["channels"]
        tickers = params.get("market_tickers")
        assert tickers is None or 0 < len(tickers) <= 100
        assert channel != BOOKS or (tickers and params["use_yes_price"] is False)
        if channel in self.sids:
            self._merge(number, self.sids[channel], tickers)
            return
        self.last_sid += 1
        sid = self.sids[channel] = self.last_sid
        self.seq[sid] = 0
        self.markets[sid] = None if tickers is None else set()
        self._send(None, lambda seq: subscribed(number, channel, sid))
        if tickers is not None:
            self._add(sid, tickers)

    def unsubscribe(self, number, params):
        (sid,) = params["sids"]
        channel = self._channel(sid)
        if channel is None:
            self._send(None, lambda seq: error(7, "Unknown subscription ID", id=number))
            return
        del self.sids[channel]
        self._send(sid, lambda seq: {"type": "unsubscribed", "id": number, "sid": sid, "seq": seq})

    def update_subscription(self, number, params):
        (sid,) = params["sids"]
        tickers = params["market_tickers"]
        assert 0 < len(tickers) <= 100
        if self._channel(sid) is None:
            self._send(None, lambda seq: error(7, "Unknown subscription ID", id=number))
        elif params["action"] == "get_snapshot":
            for ticker in tickers:
                self._snapshot(sid, ticker, id=number)
        elif params["action"] == "add_markets":
            self._merge(number, sid, tickers)
        else:
            assert params["action"] == "delete_markets"
            self.markets[sid] -= set(tickers)
            assert self.markets[sid], "the last market was deleted: that may mean all markets"
            left = self.markets[sid]
            self._send(sid, lambda seq: ok(number, sid, seq, left))

    # the parts of an answer

    def _channel(self, sid):
        return next((channel for channel, each in self.sids.items() if each == sid), None)

    def _merge(self, number, sid, tickers):
        if self.markets[sid] is None:
            self._send(sid, lambda seq: {"type": "ok", "id": number, "sid": sid, "seq": seq, "msg": {}})
            return
        union = self.markets[sid] | set(tickers)
        self._send(sid, lambda seq: ok(number, sid, seq, union))
        self._add(sid, tickers)

    def _add(self, sid, tickers):
        new = sorted(set(tickers) - self.markets[sid])
        self.markets[sid] |= set(new)
        if self._channel(sid) == BOOKS:
            for ticker in new:
                self._snapshot(sid, ticker)

    def _snapshot(self, sid, ticker, **top):
        book = self.truth[ticker]
        yes, no = dict(book["yes"]), dict(book["no"])
        self._send(sid, lambda seq: snapshot(sid, seq, ticker, yes, no, **top))

    def _send(self, sid, make):
        seq = None
        if sid is not None:
            seq = self.seq[sid] = self.seq[sid] + 1
        self.wire.append((sid, seq, make(seq)))
