"""What shows a feed itself: how it is doing, read for its views without holding it, and the views that there are."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._feed.health import Health, health_of, last_trouble_of, market_counts, warnings_of
from kalshi_nb._rows.tickers import about
from kalshi_nb._waiting import FORKED
from kalshi_nb._widgets.showing import Views
from kalshi_nb._widgets.status.picture import ChannelReading, FeedReading
from kalshi_nb._widgets.status.source import HealthSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kalshi_nb._engine.port import Engine, EngineStatus
    from kalshi_nb._feed.open_books import OpenBooks
    from kalshi_nb._feed.recorders import Recorders
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._streams.runner import Pipelines
    from kalshi_nb._widgets.view import LiveView, ViewWidget

__all__ = ["FEED_VIEWS", "FeedReader", "FeedViews"]

FEED_VIEWS: Final = ("status", "gaps")
"""The kinds of views that show a feed; the first does where no other is asked for."""


class FeedReader:
    """Reads how a feed is doing, from its parts, for whoever shows it.

    Parameters
    ----------
    engine, pipelines, standing, books, recorders, origin
        The feed's.
    told : iterable of callable
        Each returns what somebody should look at, a sentence each.
    """

    def __init__(
        self,
        engine: Engine,
        pipelines: Pipelines,
        standing: FeedStanding,
        books: OpenBooks,
        recorders: Recorders,
        origin: str,
        told: Iterable[Callable[[], Iterable[str]]],
    ) -> None:
        self._engine = engine
        self._pipelines = pipelines
        self._standing = standing
        self._books = books
        self._recorders = recorders
        self._origin = origin
        self._told_by = tuple(told)
        self._began = engine.clock.now_us(), engine.steady()
        self._dated: tuple[tuple[float, str] | None, float | None] = None, None

    def __call__(self) -> FeedReading:
        """Return how it is doing now; from any thread, without waiting."""
        engine, pipelines, standing = self._engine, self._pipelines, self._standing
        status, now, steady = engine.status(), engine.clock.now_us(), engine.steady()
        began, began_steady = self._began
        books = self._books.statuses()
        trouble = last_trouble_of(status, pipelines)
        return FeedReading(
            state=standing.word or status.state,
            url=engine.url,
            origin=self._origin,
            now=now / 1e6,
            steady=steady,
            began=began / 1e6,
            uptime=(steady - began_steady) / 1e6,
            messages=status.messages,
            rate=status.messages_per_second,
            lag_p50=status.lag_p50,
            lag_p99=status.lag_p99,
            lag_grows=status.lag_grows,
            channels=tuple(_channels(status, now)),
            books=len(books),
            stale_books=books.count("stale"),
            gaps=engine.gaps.snapshot(),
            gaps_dropped=engine.gaps.dropped,
            dropped_rows=pipelines.dropped_rows,
            memory=_memory(),
            last_error=None if trouble is None else trouble[1],
            last_error_at=self._when(trouble, now),
            warnings=self._warnings(status),
            views=tuple(standing.view_errors.views()),
        )

    def health(self) -> Health:
        """Return the same as people ask for it, with what each handle holds."""
        state = self._standing.word or self._engine.state
        return health_of(
            self._engine,
            self._pipelines,
            self._told(),
            state=state,
            books=self._books.nbytes(),
            recordings=self._recorders.lines(),
        )

    def _when(self, trouble: tuple[float, str] | None, now_us: int) -> float | None:
        """Return when it came by the feed's clock, epoch seconds.

        It is dated when it is first seen, and stays so: a clock that is moved by hand goes on faster than the
        computer's, by which troubles have their moments.
        """
        dated, at = self._dated
        if trouble is not None and trouble != dated:
            past = max(0.0, time.monotonic() - trouble[0])
            at = max(self._began[0] / 1e6, now_us / 1e6 - past)
            self._dated = trouble, at
        return None if trouble is None else at

    def _warnings(self, status: EngineStatus) -> tuple[str, ...]:
        if self._standing.word:  # what it is over by says it all; and in a fork, whose locks are held nobody knows
            return ()
        return (*warnings_of(status, self._pipelines), *self._told())

    def _told(self) -> tuple[str, ...]:
        told = (self._standing.view_errors.told(), *(each() for each in self._told_by))
        return tuple(each for some in told for each in some)


class FeedViews:
    """The views of a feed itself.

    Parameters
    ----------
    engine, pipelines, standing, books, recorders, origin
        The feed's.
    told : iterable of callable
        Each returns what somebody should look at, a sentence each.

    Attributes
    ----------
    source : HealthSource
        What its views are made of.
    """

    def __init__(
        self,
        engine: Engine,
        pipelines: Pipelines,
        standing: FeedStanding,
        books: OpenBooks,
        recorders: Recorders,
        origin: str,
        told: Iterable[Callable[[], Iterable[str]]],
    ) -> None:
        reader = FeedReader(engine, pipelines, standing, books, recorders, origin, told)
        self.health = reader.health
        self.source = HealthSource(reader, engine.on_read)
        self._engine = engine
        self._standing = standing
        self._views = Views(FEED_VIEWS, errors=standing.view_errors)

    def get(self, options: dict[str, Any]) -> LiveView:
        """Return the view with these options, a still one of a feed that nothing moves any more."""
        if self._standing.word:
            return Views(FEED_VIEWS).get(self.source, options | {"renderer": "html"})
        return self._views.get(self.source, options)

    def widget(self, options: dict[str, Any]) -> ViewWidget:
        """Return the model of the view with these options; raise what says so where nothing moves any more."""
        self._standing.refuse_ended()
        return self.get(options).widget

    def freeze(self) -> None:
        """Show from now on what is so now: the feed ends."""
        self.source.end()

    def close(self) -> None:
        """Close all of them."""
        self._views.close()

    def line(self) -> str:
        """Return what a repr says: address, state, and how many markets of each channel."""
        status, word = self._engine.status(), self._standing.word
        counts = market_counts(status).items()
        markets = ", ".join(
            f"{channel} {about(channel, None) if count is None else count}" for channel, count in counts
        )
        forked = f", {FORKED}" if word == "forked" else ""
        paused = ", paused: feed.replaying.resume() plays on" if self._standing.is_paused else ""
        return f"<Feed {self._engine.url} {word or status.state}{forked}{paused}{': ' + markets if markets else ''}>"


def _channels(status: EngineStatus, now_us: int) -> list[ChannelReading]:
    return [
        ChannelReading(
            name=channel,
            markets=each.markets,
            age=max(0, now_us - each.received_at) / 1e6 if each.received_at else None,
            messages=each.messages,
            seq=each.seq,
        )
        for channel, each in status.channels.items()
    ]


def _memory() -> int | None:
    """Return how many bytes of this process are in memory, where the system says so in a file, as Linux does."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # ten times a second
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
