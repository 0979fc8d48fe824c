"""An engine without any exchange: it plays what a test lists, through the same port as the live one."""

import threading

from kalshi_nb._engine.port import ChannelStatus, EngineStatus, LinkStatus
from kalshi_nb._rows.gaps import Gap, GapLog, GapRow
from kalshi_nb._rows.heard import Read
from kalshi_nb._rows.ladders import Top
from kalshi_nb._rows.steering import ClockStepRow, LateRows, ResetRow
from kalshi_nb.errors import FeedClosedError

BASE_US = 1_780_000_000_000_000


class HandClock:
    """A clock that a test moves."""

    def __init__(self, us=BASE_US):
        self.us = us

    def now_us(self):
        return self.us


class ListLadder:
    """A ladder that says what it was made with."""

    def __init__(self, market_ticker, yes, no, *, status="live", changed_at=BASE_US):
        self.market_ticker = market_ticker
        self.status = status
        self.live = status == "live"
        self.status_since = changed_at
        self.reason = ""
        self.crossed = False
        self.changed_at = changed_at
        self.version = 1
        self._yes, self._no = sorted(yes.items(), reverse=True), sorted(no.items(), reverse=True)

    @property
    def nbytes(self):
        return 16 * (len(self._yes) + len(self._no))

    @property
    def best_yes(self):
        return self._yes[0][0] if self._yes else 0

    @property
    def best_no(self):
        return self._no[0][0] if self._no else 0

    def top(self):
        return Top(*(self._yes[0] if self._yes else (0, 0)), *(self._no[0] if self._no else (0, 0)))

    def levels(self):
        return list(self._yes), list(self._no)


class ListInterest:
    """What a feed wants of a `ListEngine`."""

    def __init__(self, channel, wanted):
        self.channel = channel
        self.wanted = wanted
        self.connections = frozenset({1})


class ListEngine:
    """Plays rows, ladders, gaps and whatever else a test lists."""

    def __init__(self, ladders=(), catalog=(), rejects=()):
        self.url = "list:"
        self.clock = HandClock()
        self.gaps = GapLog()
        self.state = "connecting"
        self.stepped = 0
        self.steps = ()
        self.troubles = ((1.0, "a page is missing"),)
        self.messages = 0
        self.wanted = []
        self.taps = []
        self.taken_in = {}
        self.wait_for_room = None
        self._ladders = {each.market_ticker: each for each in ladders}
        self._catalog = list(catalog)
        self._rejects = list(rejects)
        self._rows = {}
        self._lock = threading.Lock()
        self._watched = ()
        self._wake = self._on_read = None

    # What a test does with it.

    def play(self, channel, *rows):
        with self._lock:
            self._rows.setdefault(channel, []).extend(rows)
        self._arrived()
        self.messages += len(rows)
        for tap in self.taps:
            tap(Read(self.clock.us, 1, tuple(repr(row).encode() for row in rows)))

    def open_gap(self, channel, market_ticker=None, reason="sequence"):
        gap = self.gaps.open(
            Gap(channel, market_ticker, self.clock.us, None, reason, 2, 3, opened=self.steady(self.clock.us))
        )
        self.play(channel, GapRow(market_ticker, self.clock.us, reason))
        return gap

    def close_gap(self, gap):
        gap.closed_at, gap.closed = self.clock.us, self.steady(self.clock.us)

    def reset(self):
        for channel in list(self._rows):
            self.play(channel, ResetRow())

    def set_clock(self, by):
        self.clock.us += by
        self.stepped += by
        for channel in list(self._rows):
            self.play(channel, ClockStepRow(by))

    def _arrived(self):
        with self._lock:
            some = any(self._rows.get(each) for each in self._watched)
            wake = [self._wake] if some else []
            if some:
                self._watched = ()
            if self._on_read is not None:
                wake.append(self._on_read)
                self._on_read = None
        for each in wake:
            each()

    # The port.

    def steady(self, at=None):
        return (self.clock.us if at is None else at) - self.stepped

    def status(self):
        channels = {each.channel: ChannelStatus(None, self.clock.us) for each in self.wanted}
        return EngineStatus(
            state=self.state,
            links=(LinkStatus(1, self.state),),
            channels=channels,
            messages=self.messages,
            messages_per_second=12.5,
            lag_p50=0.25,
            lag_p99=0.5,
            clock_steps=self.steps,
            rejected=len(self._rejects),
            troubles=self.troubles,
        )

    def rejects(self):
        return list(self._rejects)

    def start(self, timeout, wait_for_room):
        self.state = "connected"
        self.wait_for_room = wait_for_room

    def close(self):
        self.state = "closed"

    def reconnect(self):
        return 0

    def want(self, channel, wanted, *, timeout, rows=None):
        if self.state == "closed":
            raise FeedClosedError("The list is at its end.")
        interests = [ListInterest(channel, each) for each in wanted]
        self.wanted += interests
        with self._lock:
            self._rows.setdefault(rows or channel, [])
        return interests

    def release(self, *interests):
        self.wanted = [each for each in self.wanted if each not in interests]

    def catalog(self, channel, timeout):
        return list(self._catalog)

    def take(self, channel):
        with self._lock:
            rows = self._rows.get(channel, [])
            taken, rows[:] = list(rows), []
        return taken

    def pending(self):
        with self._lock:
            return [channel for channel, rows in self._rows.items() if rows]

    def watch(self, channels, wake):
        with self._lock:
            self._watched, self._wake = tuple(channels), wake
            return any(self._rows.get(each) for each in channels)

    def on_read(self, wake):
        self._on_read = wake

    def put(self, channel, rows):
        with self._lock:
            self._rows.setdefault(channel, []).append(LateRows(tuple(rows)))
        self._arrived()

    def ladder(self, market_ticker):
        return self._ladders.get(market_ticker)

    def applied(self, up_to):
        return all(self.taken_in.get(port, count) >= count for port, count in up_to.items())

    is_manual = True

    def tell_books(self, market_tickers):
        pass

    def renew(self, market_tickers):
        pass

    def tap(self, tap):
        self.taps.append(tap)
        return lambda: self.taps.remove(tap)

    def checkpoint(self):
        pass
