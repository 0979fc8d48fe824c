"""Rows that a gap took and that were fetched, for pipelines that ask for them: each once, in batches of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import position, traits_of
from kalshi_nb._rows.steering import LateRows, ResetRow
from kalshi_nb._usage import flag
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rows.rows import Row
    from kalshi_nb._rows.steering import SteeringRow
    from kalshi_nb._streams.pipeline import Label

__all__ = ["CHANNEL", "MOST_KNOWN", "Fetched", "checked_backfill"]

CHANNEL: Final = "trade"
"""The only channel whose rows are fetched for pipelines: what others lost cannot be had, or is in frames alone."""

MOST_KNOWN: Final = 100_000
"""So many ids are remembered, and more where more were fetched at once: what is looked for again is found again."""


def checked_backfill(channel: str, backfill: object) -> bool:
    """Return whether a pipeline wants rows that were fetched.

    Raises
    ------
    ConfigurationError
        When `backfill` is neither True nor False, or the channel has no such rows.
    """
    wanted = flag("backfill", backfill)
    if wanted and channel != CHANNEL:
        raise ConfigurationError(
            f"backfill=True: only trades that a gap took are fetched for pipelines, and this is the channel "
            f"{channel!r}. Leave it out here; for trades write {CHANNEL!r}."
        )
    return wanted


class Fetched:
    """Makes batches of fetched rows, and knows which a pipeline has had: a gap is looked for up to three times.

    Used by the thread that delivers alone.

    Parameters
    ----------
    label : Label
        The pipeline's.
    """

    def __init__(self, label: Label) -> None:
        self._market_tickers = label.market_tickers
        self._at = position(label.channel, traits_of(label.channel).identity or "")
        self._ts = position(label.channel, "ts")
        self._known: dict[str, None] = {}  # the oldest first

    def parts_of(self, batch: Batch) -> list[Batch | SteeringRow]:
        """Return the parts of a batch: fetched rows as batches, and without what the pipeline had as a fetched row."""
        parts: list[Batch | SteeringRow] = []
        for part in batch.parts:
            if isinstance(part, LateRows):
                rows = self._news(part.rows)
                if rows:
                    parts.append(Batch(batch.channel, rows, late=True))
                continue
            if isinstance(part, ResetRow):
                self._known.clear()
            parts.append(self._without_known(part) if isinstance(part, Batch) else part)
        return parts

    def _news(self, rows: Sequence[Row]) -> list[Row]:
        wanted = Batch(CHANNEL, rows).rows_for(self._market_tickers)
        news = {row[self._at]: row for row in wanted if row[self._at] not in self._known}
        # Those of this time stay, however many they are: the next look finds them again.
        for each in wanted:
            self._known.pop(each[self._at], None)
        for each in wanted:
            self._known[each[self._at]] = None
        for oldest in list(self._known)[: max(0, len(self._known) - max(MOST_KNOWN, len(wanted)))]:
            del self._known[oldest]
        return sorted(news.values(), key=lambda row: row[self._ts])

    def _without_known(self, batch: Batch) -> Batch:
        """Return a batch without the rows that were fetched before they came."""
        known, at = self._known, self._at
        if not known or not any(type(row) is tuple and row[at] in known for row in batch.rows):
            return batch
        return Batch(batch.channel, [row for row in batch.rows if type(row) is not tuple or row[at] not in known])
