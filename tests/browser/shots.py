"""What every kind of view shows of one simulated exchange, by its seed and a clock moved by hand, state by state.

A shot is what the kernel would send, and the table that stands still beside it in a saved notebook, of one moment.
"""

import collections
import contextlib
import datetime as dt
import time
import types
from collections.abc import Callable
from typing import NamedTuple

import kalshi_nb as kn
from kalshi_nb._recording.journal import JournalStatus
from kalshi_nb._widgets.recorder.view import RecorderView
from kalshi_nb._widgets.scene import complete

MARKET = "KXHIGHNY-26NOV22-B52.5"
ONE_SIDED = "KXHIGHNY-26NOV22-T55"
SETTLED = "KXBTC15M-26NOV221015-15"
START = dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC).timestamp()
PATIENCE = 120.0
SLOWEST = 1.2
"""Seconds of this computer's after which everything in a dashboard is looked at anew, however seldom it is."""
ALL_PANELS = ("status", "ladder", "chart", "depth", "tape", "event", "gaps")


class Shot(NamedTuple):
    """One view at one moment."""

    kind: str
    state: str
    picture: dict
    settings: dict
    still: str


class Frame(NamedTuple):
    """A kind of view, and how the view of a market is asked for."""

    kind: str
    name: str
    of: Callable
    """Returns the live view of a market."""
    is_of_market: bool = True


def _ladder(feed, market, **options):
    return feed.book(market)._live_view(private=True, **options)


def _books(feed, market):
    others = [each for each in (ONE_SIDED, MARKET, SETTLED) if each != market]
    return feed.books([market, *others[:2]])._live_view(levels=4)


class _Night:
    """A recorder after some minutes, with the figures of one that ran on some computer."""

    name, channels = "data/night", ("trade", "ticker", "orderbook_delta")

    def __init__(self, feed):
        self.now = feed.now().timestamp()
        until = round(self.now * 1e6) - 600_000
        self.status = JournalStatus(
            "recording", None, until, 98_412, 84.0, 98_361, 0, 33_263_256, 2_598_077, 17_340, 6, 81_900_000_000
        )

    def exporting(self):
        return ()


def _recorder(feed, _market):
    return types.SimpleNamespace(_scene=RecorderView.of(_Night(feed), {}))


FRAMES = (
    Frame("dashboard", "dashboard", lambda feed, market: feed.dashboard(market, panels=ALL_PANELS)),
    Frame("ladder", "ladder", _ladder),
    Frame("ladder", "ladder-grid", lambda feed, market: _ladder(feed, market, grid=True, total=True)),
    Frame("books", "books", _books),
    Frame("chart", "chart", lambda feed, market: feed.trades(market)._live_view(view="chart", window="15m")),
    Frame(
        "chart", "candles", lambda feed, market: feed.trades(market)._live_view(view="chart", window="15m", bars="1m")
    ),
    Frame("depth", "depth", lambda feed, market: feed.book(market)._live_view(view="depth")),
    Frame("tape", "tape", lambda feed, market: feed.trades(market)._live_view()),
    Frame("event", "event", lambda feed, market: feed.event(market.rpartition("-")[0])),
    Frame("board", "board", lambda feed, market: feed.board(), is_of_market=False),
    Frame("table", "table", lambda feed, market: feed.deltas(MARKET)._live_view(), is_of_market=False),
    Frame("lifecycle", "lifecycle", lambda feed, market: feed.lifecycle()._live_view(), is_of_market=False),
    Frame("status", "status", lambda feed, market: feed._live_view(), is_of_market=False),
    Frame("recorder", "recorder", _recorder, is_of_market=False),
    Frame("gaps", "gaps", lambda feed, market: feed._live_view(view="gaps"), is_of_market=False),
    Frame(
        "account",
        "account",
        lambda feed, market: feed.positions()._live_view(private=True, rows=6),
        is_of_market=False,
    ),
)
"""Every view there is, in the order in which the page about views has them."""


def shot(frame, state, feed, market):
    """Return what a view shows now."""
    view = frame.of(feed, market)
    scene = view._scene
    # What is one's own is in the views that are of it, and in the ladder's; the first thing that people see has none.
    picture = scene.take() if frame.kind == "dashboard" else complete(scene)
    head = {"v": 1, "seq": 1, "kernel": "kernel", "kind": frame.kind, "clock": feed.now().timestamp()}
    shown = {name: value for name, value in scene.options.items() if name not in ("renderer", "max_hz")}
    note = "A picture of a simulated market."
    return Shot(
        frame.kind, state, head | {"status": picture.status} | scene.body(picture), shown, scene.html(picture, note)
    )


def shots():
    """Return all shots, by the name of the view."""
    made = {frame.name: [] for frame in FRAMES}
    with contextlib.ExitStack() as ending:
        exchange = ending.enter_context(contextlib.closing(kn.sim.Exchange(seed=7, clock="manual", closes_in=1500)))
        exchange.advance(400)
        # A dashboard has a feed of its own, of which nobody else wants anything: as in a notebook's first cell.
        feed, first = (ending.enter_context(contextlib.closing(kn.connect(exchange, new=True))) for _ in range(2))

        def take(state, market, *, all_kinds=True):
            time.sleep(SLOWEST)
            for frame in FRAMES:
                if all_kinds or frame.is_of_market:
                    on = first if frame.kind == "dashboard" and market == MARKET else feed
                    made[frame.name].append(shot(frame, state, on, market))

        for each in (feed, first):
            _go_by_the_clock(each)
        handles = [feed.trades(), feed.tickers(), feed.deltas(MARKET), feed.lifecycle()]
        handles += [feed.fills(), feed.orders(), feed.positions()]
        for market in (MARKET, ONE_SIDED, SETTLED):
            handles.append((first if market == MARKET else feed).dashboard(market, panels=ALL_PANELS))
            handles += [feed.book(market), feed.trades(market), feed.quotes(market)]
            handles += [frame.of(feed, market) for frame in FRAMES if frame.name in ("event", "books")]
        exchange.advance(540)
        _until(lambda: None in feed.book(ONE_SIDED).top[:1], lambda: exchange.advance(1))
        take("one-sided", ONE_SIDED, all_kinds=False)
        exchange.advance(1000 - (exchange.now_us() / 1e6 - START))
        _lose_the_line(exchange, (feed, first), 14)
        exchange.advance(1200 - (exchange.now_us() / 1e6 - START))
        for _ in range(70):  # a strip shows how fast messages came whenever somebody looked
            exchange.advance(1)
            for each in (feed, first):
                each._live_view()._scene.take()
        take("live", MARKET)
        exchange.advance(580)
        take("settled", SETTLED, all_kinds=False)
        _lose_the_line(exchange, (feed, first), 9, is_back=False)
        take("stale", MARKET)
        del handles
    return made


def _go_by_the_clock(feed):
    """Leave out of a feed's state what is of this computer and of how fast the exchange's clock was moved."""
    source = feed._views.source
    read = source._read
    counted = collections.deque(maxlen=6)

    def told():
        reading = read()
        if not counted or reading.steady - counted[-1][0] >= 1_000_000:
            counted.append((reading.steady, reading.messages))
        seconds = (reading.steady - counted[0][0]) / 1e6
        rate = max(0, reading.messages - counted[0][1]) / seconds if seconds else 0.0
        return reading._replace(memory=None, rate=rate)

    source._read = told


def _lose_the_line(exchange, feeds, seconds, *, is_back=True):
    """Have the connections lost for some seconds of the exchange's time."""
    exchange.faults.begin_maintenance()
    _until(lambda: all(each.health().state != "connected" for each in feeds))
    exchange.advance(seconds)
    if is_back:
        exchange.faults.end_maintenance()
        _until(lambda: all(_is_whole(each) for each in feeds), lambda: exchange.advance(1))


def _is_whole(feed):
    return feed.health().state == "connected" and None not in feed.gaps["closed_at"].to_list()


def _until(condition, meanwhile=lambda: None):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("It did not come to what was waited for.")
        meanwhile()
        time.sleep(0.01)
