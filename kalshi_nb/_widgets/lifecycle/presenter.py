"""What the events of a lifecycle frame look like: its rows as lines of words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.lifecycle.picture import LifecyclePicture, Line
from kalshi_nb._widgets.lists import named, stale_for, steady_reading

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kalshi_nb._widgets.sources import FeedSource, FrameSource

__all__ = ["LifecyclePresenter"]

_LOOKED_AT: Final = 20_000
"""So many of the newest rows are looked at: thousands of markets may be made in a minute."""

_SIGNS: Final = {
    "created": "○",
    "activated": "●",
    "deactivated": "⊘",
    "close_date_updated": "◷",
    "determined": "◆",
    "settled": "✓",
    "event_lifecycle": "○",
}
"""The glyph of what a market is after an event, the same that stands on the chip of a view of it."""

_OTHER: Final = "·"

_WORDS: Final = {
    "created": "created",
    "activated": "open for trading",
    "deactivated": "halted by the exchange",
    "close_date_updated": "closes at another time now",
    "determined": "determined",
    "settled": "settled",
    "price_level_structure_updated": "has another tick now",
    "metadata_updated": "described anew",
    "event_lifecycle": "new event",
    "event_fee_update": "fees changed",
}


class LifecyclePresenter:
    """Makes pictures of the newest events of a frame, for whoever shows them; from any thread.

    Parameters
    ----------
    source : FrameSource
        The frame, of a lifecycle channel.
    rows : int
        How many lines, at most.
    """

    def __init__(self, source: FrameSource, *, rows: int) -> None:
        self._source = source
        self._rows = rows
        self._last: tuple[tuple[int, int, int], tuple[Line, ...]] | None = None

    @property
    def title(self) -> str:
        """What it is of."""
        return named(self._source, "Lifecycle")

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    def picture(self) -> LifecyclePicture:
        """Return the events of now, without waiting for any."""
        source = self._source
        total, df = steady_reading(source)
        lines = self._lines(total, df)
        now = source.feed.clock.now_us()
        status = source.status
        note = source.feed.note if status == "stale" else ""
        return LifecyclePicture(
            version=(status, note, lines, total),
            status=status,
            clock=now / 1e6,
            title=self.title,
            lines=lines,
            changes=total,
            age=stale_for(source.gaps(), now) if status == "stale" else 0.0,
            note=note,
        )

    def _lines(self, total: int, df: pl.DataFrame) -> tuple[Line, ...]:
        # Titles may become known later than the events that they belong to.
        seen = (total, df.height, self._source.feed.facts_version)
        last = self._last
        if last is not None and last[0] == seen:
            return last[1]
        rows = _collapsed(df.tail(_LOOKED_AT)).tail(self._rows).rows(named=True)
        lines: dict[str, Line] = {}
        for row in reversed(rows):
            line = _line(row, self._source.feed)
            lines.setdefault(line.key, line)
        self._last = seen, tuple(lines.values())
        return self._last[1]


def _collapsed(df: pl.DataFrame) -> pl.DataFrame:
    """Return a row an event, and one for all creations of a series between two other events."""
    import polars as pl  # noqa: PLC0415  # loads when it is needed

    made = pl.col("event_type") == "created"
    ticker = pl.coalesce("market_ticker", "event_ticker").fill_null("")
    return (
        df.with_columns(
            run=(~made).cum_sum(),
            place=pl.when(made).then(-1).otherwise(pl.int_range(pl.len())),
            group=pl.when(made).then(ticker.str.split("-").list.first()).otherwise(pl.lit("")),
            ticker=ticker,
            at=pl.col("ts").to_physical(),
            received=pl.col("received_at").to_physical(),
        )
        .group_by("run", "place", "group", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("received", "ticker").first().name.prefix("first_"),
            pl.exclude("run", "place", "group", "received").last(),
        )
    )


def _line(row: dict[str, Any], feed: FeedSource) -> Line:
    event, ticker, count = row["event_type"] or "", row["ticker"], row["count"]
    key = f"{row['first_received']} {event} {row['first_ticker']}"
    sign = _SIGNS.get(event, _OTHER)
    if count > 1:
        return Line(
            key, row["at"] / 1e6, event, sign, f"+{count:,} created in {row['group']}", "", row["group"], count
        )
    if row["market_ticker"] is None:
        known = feed.event(ticker)
        title, subtitle = row["title"] or known.title, row["subtitle"] or known.subtitle
    else:
        facts = feed.facts(ticker)
        title, subtitle = facts.title, facts.subtitle
    name = " · ".join(each for each in (title, subtitle) if each)
    return Line(key, row["at"] / 1e6, event, sign, _words(event, row), name[:300], ticker)


def _words(event: str, row: dict[str, Any]) -> str:
    words = _WORDS.get(event) or event.replace("_", " ")
    if event == "created" and row["open_ts"] is not None:
        return f"created, opens {_moment(row['open_ts'])}"
    if event in ("determined", "settled"):
        result, pays = row["result"], row["settlement_value"]
        words += f" {result.upper() if result in ('yes', 'no') else result}" if result else ""
        if pays is not None:
            pays = float(pays)
            words += f", {'YES ' if result != 'yes' else ''}pays ${pays:.{2 if round(pays * 100, 4) % 1 == 0 else 4}f}"
        return words
    if event == "close_date_updated" and row["close_ts"] is not None:
        return f"now closes {_moment(row['close_ts'])}"
    if event == "price_level_structure_updated" and (ticks := _ticks(row["price_ranges"])):
        return f"tick is now {ticks}"
    if event == "event_fee_update":
        fee = [row["fee_type_override"], row["fee_multiplier_override"]]
        told = [each for each in (fee[0], None if fee[1] is None else f"x {fee[1]:g}") if each]
        return f"fees: {' '.join(told)}" if told else "fees as usual again"
    return words


def _moment(at: Any) -> str:
    return f"{numbers.moment(at.timestamp())[:16]} UTC"


def _ticks(text: str | None) -> str:
    """Return the steps of a grid of prices in cents, finest first; nothing where they cannot be read."""
    try:
        steps = sorted({float(each["step"]) for each in json.loads(text or "[]")})
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return " and ".join(f"{step * 100:g}¢" for step in steps[:3])
