"""How a feed is doing, as one record."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, NoReturn

from kalshi_nb._engine.port import Engine, EngineStatus, LinkStatus
from kalshi_nb._foreign_names import Named
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import printable
from kalshi_nb._sizes import size
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._terminal import hanging
from kalshi_nb._waiting import FORKED
from kalshi_nb.errors import UsageError

__all__ = ["Health", "health_of", "last_trouble_of", "market_counts", "warnings_of"]

_FORKED: Final = f"nothing moves here: {FORKED}; connect() again"
_NAMED: Final = 5  # handles in a repr, the largest


@dataclass(frozen=True)
class Health(Named):
    """How a feed is doing at one moment; made by :meth:`kalshi_nb.Feed.health`.

    Attributes
    ----------
    state : str
        ``connecting``, ``connected``, ``reconnecting``, ``refused`` (the credentials, at the last attempts),
        ``closed``, or ``forked`` in a process that was forked from the one that has the feed's threads.
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
        Messages that could not be read, or not wholly; see ``feed.rejects``.
    dropped_rows : int
        Rows that slow pipelines of the user's did not take in time.
    pipeline_errors : int
        Exceptions that the user's pipelines and callbacks raised.
    pending_rows : int
        Rows on their way to the user's pipelines.
    handles : dict of str to int
        About how many bytes each rolling frame and each book holds, by its name and markets.
    recordings : tuple of str
        How each recorder is doing: messages, bytes, until when they are kept, and what is free on the disk.
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
    handles: dict[str, int]
    recordings: tuple[str, ...]
    last_error: str | None
    warnings: tuple[str, ...]

    def __getitem__(self, name: object) -> NoReturn:
        raise UsageError(f"A Health is no dict: write feed.health().{name if isinstance(name, str) else 'state'}.")

    def _lines(self) -> list[tuple[str, str]]:
        return [
            (each.name.replace("_", " "), printable(_UNITS.get(each.name, _text)(getattr(self, each.name))))
            for each in fields(self)
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self._lines())
        return "\n".join(hanging(f"{name:<{width}}  ", text) for name, text in self._lines())

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


def _handles(handles: dict[str, int]) -> str:
    """Say what all hold together, and which hold most."""
    if not handles:
        return "none"
    largest = sorted(handles.items(), key=lambda each: -each[1])
    parts = [f"{name} {size(nbytes)}" for name, nbytes in largest[:_NAMED]]
    rest = largest[_NAMED:]
    if rest:
        parts.append(f"{len(rest):,} more {size(sum(nbytes for _, nbytes in rest))}")
    return f"{size(sum(handles.values()))}: {', '.join(parts)}"


_UNITS: Final[dict[str, Callable[[Any], str]]] = {
    "messages_per_second": lambda rate: f"{rate:,.1f}",
    "lag_p50": _milliseconds,
    "lag_p99": _milliseconds,
    "ages": _ages,
    "handles": _handles,
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


def market_counts(status: EngineStatus) -> dict[str, int | None]:
    """Return how many markets of each channel the exchange has acknowledged; None for all."""
    return {channel: each.markets for channel, each in status.channels.items()}


def _handle_sizes(pipelines: Pipelines, books: Mapping[str, int]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for label, store in pipelines.stores():
        tickers = label.market_tickers
        about = "" if tickers is None else next(iter(tickers)) if len(tickers) == 1 else f"{len(tickers)} markets"
        name = each = f"{label.name} {about}".rstrip()
        number = 1
        while each in sizes:
            number += 1
            each = f"{name} ({number})"
        sizes[each] = store.nbytes
    return sizes | {f"book {ticker}": nbytes for ticker, nbytes in books.items()}


def health_of(
    engine: Engine,
    pipelines: Pipelines,
    told: Iterable[str] = (),
    *,
    state: str = "",
    books: Mapping[str, int] = MappingProxyType({}),
    recordings: tuple[str, ...] = (),
) -> Health:
    """Return how a feed's engine and pipelines are doing now.

    Parameters
    ----------
    engine, pipelines
        The feed's.
    told : iterable of str
        What else somebody should look at.
    state : str
        The feed's own, where that is not the engine's.
    books : mapping of str to int
        Bytes that its books hold, by ticker.
    recordings : tuple of str
        How its recorders are doing.
    """
    status, gaps, now_us = engine.status(), engine.gaps.snapshot(), engine.clock.now_us()
    forked = state == "forked"
    return Health(
        state=state or status.state,
        url=engine.url,
        messages=status.messages,
        messages_per_second=status.messages_per_second,
        lag_p50=status.lag_p50,
        lag_p99=status.lag_p99,
        ages={
            channel: max(0, now_us - each.received_at) / 1e6
            for channel, each in status.channels.items()
            if each.received_at
        },
        markets=market_counts(status),
        connections=0 if forked else sum(each.state == "connected" for each in status.links),
        reconnects=sum(each.reconnects for each in status.links),
        gaps=len(gaps) + engine.gaps.dropped,
        open_gaps=sum(gap.closed_at is None for gap in gaps),
        duplicates=status.duplicates,
        rejects=status.rejected,
        dropped_rows=pipelines.dropped_rows,
        pipeline_errors=pipelines.errors,
        pending_rows=pipelines.pending_rows,
        handles=_handle_sizes(pipelines, books),
        recordings=recordings,
        last_error=last_error_of(status, pipelines),
        warnings=(_FORKED,) if forked else (*warnings_of(status, pipelines), *told),
    )


def last_error_of(status: EngineStatus, pipelines: Pipelines) -> str | None:
    """Return the newest trouble in words; None where there was none."""
    trouble = last_trouble_of(status, pipelines)
    return None if trouble is None else trouble[1]


def last_trouble_of(status: EngineStatus, pipelines: Pipelines) -> tuple[float, str] | None:
    """Return the newest trouble, of the engine's and of the users' pipelines, as `EngineStatus.troubles` has them."""
    failure = pipelines.last_error
    troubles = [*status.troubles, *([] if failure is None else [(failure.noticed, failure.text)])]
    return max(troubles, default=None)


def warnings_of(status: EngineStatus, pipelines: Pipelines) -> Iterator[str]:
    """Say what of an engine and of pipelines somebody should look at, a sentence each."""
    yield from _link_warnings(status)
    if status.faults:
        yield f"the network thread ended {status.faults} times and was begun anew; please report last_error"
    if status.clock_steps:
        step = status.clock_steps[-1]
        yield (
            f"this computer's clock was set {'back' if step.by < 0 else 'ahead'} by {abs(step.by) / 1e6:.1f} s at "
            f"{datetime_of(step.at):%Y-%m-%d %H:%M:%S} UTC; times of rows before and after it "
            "do not compare"
        )
    for channel, each in status.channels.items():
        if each.vain_repairs:
            yield (
                f"{each.vain_repairs} repairs of {channel} in a row did not hold: the next gap came before any data; "
                "tried ever more rarely. Look at feed.gaps"
            )
    if status.lag_grows:
        yield "the lag has grown for 30 s: this computer does not keep up, or the line does not"
    yield from pipelines.troubles()
    if pipelines.dropped_rows:
        yield "a pipeline of yours is slow, and rows were dropped before it"
    if pipelines.kit_errors:
        yield f"{pipelines.kit_errors} errors in kalshi_nb itself; please report last_error"
    if status.rejected:
        yield "some messages could not be read, or not wholly; see feed.rejects"


def _link_warnings(status: EngineStatus) -> Iterator[str]:
    for each in status.links:
        name = f"connection {each.number} of {len(status.links)}"
        if each.state == "refused":
            yield (
                f"{name}: the exchange refuses the credentials; {_next_attempt(each)}, ever more rarely. "
                f"{each.last_error or ''}".rstrip()
            )
        elif each.state == "reconnecting":
            yield f"{name} is lost; {_next_attempt(each)}. {each.last_error or ''}".rstrip()


def _next_attempt(link: LinkStatus) -> str:
    if link.next_attempt_at is None:
        return "tried again now"
    seconds = max(0.0, link.next_attempt_at - time.monotonic())
    return f"tried again in {seconds:.0f} s (feed.reconnect() tries at once)"
