"""How a feed is doing, as one record."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

from kalshi_nb._engine.live import Engine
from kalshi_nb._engine.metering import lag_of
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._streams.runner import Pipelines

__all__ = ["Health", "health_of", "market_counts"]


@dataclass(frozen=True)
class Health:
    """How a feed is doing at one moment; made by :meth:`kalshi_nb.Feed.health`.

    Attributes
    ----------
    state : str
        ``connected``, ``reconnecting``, ``refused`` (credentials no longer taken) or ``closed``.
    url : str
        Where the exchange is.
    messages : int
        Frames received.
    messages_per_second : float
        Over the last 5 s.
    lag_p50, lag_p99 : float or None
        Receive time less the exchange's time stamp, in seconds; includes any difference of the two clocks.
    ages : dict of str to float
        Seconds since the last message of each channel.
    markets : dict of str to int or None
        Markets subscribed to by channel; None for all.
    connections : int
        Connections there are at this moment.
    reconnects : int
        Connections made after the first ones.
    gaps, open_gaps : int
        Holes in the data, and those that are not over; see ``feed.gaps``.
    duplicates : int
        Frames with an old sequence number; never applied.
    rejects : int
        Frames that meant nothing; see ``feed.rejects``.
    dropped_rows : int
        Rows that slow pipelines of the user's did not take in time.
    pipeline_errors : int
        Exceptions that the user's pipelines and callbacks raised.
    pending_rows : int
        Rows on their way to the user's pipelines.
    last_error : str or None
        The newest trouble, whatever it was.
    warnings : tuple of str
        What somebody should look at.
    """

    state: str
    url: str
    messages: int
    messages_per_second: float
    lag_p50: float | None
    lag_p99: float | None
    ages: dict[str, float]
    markets: dict[str, int | None]
    connections: int
    reconnects: int
    gaps: int
    open_gaps: int
    duplicates: int
    rejects: int
    dropped_rows: int
    pipeline_errors: int
    pending_rows: int
    last_error: str | None
    warnings: tuple[str, ...]

    def _lines(self) -> list[tuple[str, str]]:
        return [
            (each.name.replace("_", " "), _UNITS.get(each.name, _text)(getattr(self, each.name)))
            for each in fields(self)
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self._lines())
        return "\n".join(f"{name:<{width}}  {text}" for name, text in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self._lines()
        )
        return f"<table>{rows}</table>"


def _milliseconds(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds * 1000:,.1f} ms"


def _ages(ages: dict[str, float]) -> str:
    return ", ".join(f"{channel} {age:.2f} s ago" for channel, age in ages.items()) or "none"


_UNITS: Final[dict[str, Callable[[Any], str]]] = {
    "messages_per_second": lambda rate: f"{rate:,.1f}",
    "lag_p50": _milliseconds,
    "lag_p99": _milliseconds,
    "ages": _ages,
}


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        pairs = (f"{key} {'all' if each is None else _text(each)}" for key, each in value.items())
        return ", ".join(pairs) or "none"
    if isinstance(value, tuple):
        return "; ".join(str(each) for each in value) or "none"
    return str(value)


def market_counts(engine: Engine) -> dict[str, int | None]:
    """Return how many markets of each channel the exchange has acknowledged; None for all."""
    found: dict[str, int | None] = {}
    for each in _subscriptions(engine):
        counted = found.get(each.channel, 0)
        found[each.channel] = None if each.all_markets or counted is None else counted + len(each.market_tickers)
    return found


def _ages_of(engine: Engine, now_us: int) -> dict[str, float]:
    newest: dict[str, int] = {}
    for each in _subscriptions(engine):
        if each.received_at:
            newest[each.channel] = max(each.received_at, newest.get(each.channel, 0))
    return {channel: max(0, now_us - at) / 1e6 for channel, at in newest.items()}


def _subscriptions(engine: Engine) -> list[Subscription]:
    return [each for link in engine.links for each in list(link.session.subscriptions.values()) if each.requests]


def health_of(engine: Engine, pipelines: Pipelines, now_us: int) -> Health:
    """Return how a feed's engine and pipelines are doing at `now_us`, the market's time in microseconds."""
    sessions = [each.session for each in engine.links]
    gaps = engine.gaps.snapshot()
    lag_p50, lag_p99 = lag_of(each.meter for each in engine.links)
    failure = pipelines.last_error
    troubles = [] if failure is None else [(failure.noticed, failure.text)]
    troubles += [each.complaint for each in sessions if each.complaint is not None]
    troubles += [] if engine.trouble is None else [engine.trouble]
    return Health(
        state=engine.state,
        url=engine.url,
        messages=sum(each.messages for each in sessions),
        messages_per_second=sum(each.meter.rate() for each in engine.links),
        lag_p50=lag_p50,
        lag_p99=lag_p99,
        ages=_ages_of(engine, now_us),
        markets=market_counts(engine),
        connections=sum(each.state == "connected" for each in engine.links),
        reconnects=engine.reconnects,
        gaps=len(gaps) + engine.gaps.dropped,
        open_gaps=sum(gap.closed_at is None for gap in gaps),
        duplicates=sum(each.duplicates for each in sessions),
        rejects=sum(each.rejected for each in sessions),
        dropped_rows=pipelines.dropped_rows,
        pipeline_errors=pipelines.errors,
        pending_rows=pipelines.pending_rows,
        last_error=max(troubles)[1] if troubles else None,
        warnings=_warnings(engine, pipelines),
    )


def _warnings(engine: Engine, pipelines: Pipelines) -> tuple[str, ...]:
    found = []
    if any(each.meter.lag_grows() for each in engine.links):
        found.append("the lag has grown for 30 s: this computer does not keep up, or the line does not")
    if pipelines.dropped_rows:
        found.append("a pipeline of yours is slow, and rows were dropped before it")
    if pipelines.kit_errors:
        found.append(f"{pipelines.kit_errors} errors in kalshi_nb itself; please report last_error")
    display = sys.modules.get("kalshi_nb._widgets.display")  # there once a ladder was shown
    if display is not None and display.display.errors:
        found.append(f"{display.display.errors} errors while showing ladders, the last {display.display.last_error!r}")
    if any(each.session.rejected for each in engine.links):
        found.append("some frames meant nothing; see feed.rejects")
    return tuple(found)
