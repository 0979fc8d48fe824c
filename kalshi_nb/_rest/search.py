"""From words to markets, in two steps: which series, of the table of all; and which of their open markets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from kalshi_nb._rest.filters import ANSWERS
from kalshi_nb._rest.frames import market_frame
from kalshi_nb._rest.words import WordIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kalshi_nb._rest.bodies import Event, Market

__all__ = ["Found", "FoundSeries", "markets_by_words", "series_by_words"]

_PART_OF_BEST: Final = 0.5
"""What has less than such a part of the best score is not what was meant."""


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """A series, as far as words may name it."""

    ticker: str
    title: str
    category: str
    tags: tuple[str, ...]

    def texts(self) -> list[tuple[str, float]]:
        """Return what describes it, each with how much it says."""
        return [(self.title, 1.0), (self.ticker, 1.0), (" ".join(self.tags), 0.8), (self.category, 0.6)]


@dataclass(frozen=True, slots=True)
class Found:
    """A market with its event and series."""

    series: FoundSeries
    event: Event
    market: Market

    def texts(self) -> list[tuple[str, float]]:
        """Return what describes it."""
        event, market = self.event, self.market
        own = [market.title, market.yes_sub_title, market.ticker]
        shared = [event.title, event.sub_title, event.event_ticker]
        return [
            *((text, 1.0) for text in own if text),
            *((text, 0.9) for text in shared if text),
            *((text, 0.8 * weight) for text, weight in self.series.texts()),
        ]


def series_by_words(table: pl.DataFrame, query: str, most: int) -> list[FoundSeries]:
    """Return the series of a table that a query means, best first."""
    every = [
        FoundSeries(ticker, title or "", category or "", tuple(tags or ()))
        for ticker, title, category, tags in table.select("series_ticker", "title", "category", "tags").iter_rows()
    ]
    found = WordIndex([each.texts() for each in every]).find(query)
    return [every[number] for number, score in found[:most] if score >= _PART_OF_BEST * found[0][1]]


def markets_by_words(found: Sequence[Found], query: str, status: str | None, limit: int) -> pl.DataFrame:
    """Return the markets that a query means, best first.

    Parameters
    ----------
    found : sequence of Found
        Those of the series that it means.
    query : str
        The words.
    status : str or None
        Only those that have come so far: an open event has markets that are over.
    limit : int
        How many at most.
    """
    kept = [each for each in found if status is None or each.market.status in ANSWERS[status]]
    scored = WordIndex([each.texts() for each in kept]).find(query)
    best = [(kept[number], score) for number, score in scored if score >= _PART_OF_BEST * scored[0][1]]
    frame = market_frame(
        [each.market for each, _ in best],
        {each.market.event_ticker or "": each.series.ticker for each, _ in best},
    )
    more = pl.DataFrame(
        {
            "market_ticker": [each.market.ticker for each, _ in best],
            "event_title": [each.event.title for each, _ in best],
            "series_title": [each.series.title for each, _ in best],
            "score": [round(score, 3) for _, score in best],
        },
        schema={"market_ticker": pl.String, "event_title": pl.String, "series_title": pl.String, "score": pl.Float64},
    )
    # Of what fits equally well, first what most people trade.
    return (
        frame.join(more, on="market_ticker", how="left", maintain_order="left")
        .sort("score", "volume", descending=True, nulls_last=True, maintain_order=True)
        .head(limit)
    )
