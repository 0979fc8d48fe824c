"""The still picture of a book."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, Literal

import altair as alt

from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._frames.plots import ASK, ASK_DASH, BID, HEIGHT, WIDTH, inline

__all__ = ["depth_plot"]

_CENT: Final = DOLLAR // 100


def depth_plot(
    market_ticker: str, status: str, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]
) -> alt.LayerChart:
    """Return the chart of both sides, each added up from its best price.

    Parameters
    ----------
    market_ticker, status : str
        The book's.
    bids, asks : sequence of (int, int)
        YES prices and sizes as ladders have them, best first.
    """
    # Between two levels stand the contracts of those nearer to the best price, which lies to the right of bids.
    sides = [_side("bid", bids, BID, [1, 0], "step-before"), _side("ask", asks, ASK, ASK_DASH, "step-after")]
    title = alt.TitleParams(market_ticker, subtitle=[", ".join([status, *_missing(bids, asks)])], anchor="start")
    layers = [layer for side in sides for layer in side]
    return alt.LayerChart(layer=layers).properties(title=title, width=WIDTH, height=HEIGHT)


def _missing(bids: Sequence[Any], asks: Sequence[Any]) -> list[str]:
    return [*([] if bids else ["no bids"]), *([] if asks else ["no asks"])]


def _side(
    name: str,
    levels: Sequence[tuple[int, int]],
    colour: str,
    dash: list[int],
    steps: Literal["step-before", "step-after"],
) -> tuple[alt.Chart, alt.Chart]:
    """Return the area of one side, and its edge."""
    totals = accumulate(size for _, size in levels)
    rows = [
        {"side": name, "price": price / _CENT, "contracts": size / CONTRACT, "total": total / CONTRACT}
        for (price, size), total in zip(levels, totals, strict=True)
    ]
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("price:Q", title="YES price (¢)", scale=alt.Scale(zero=False)),
        y=alt.Y("total:Q", title="contracts, added up from the best price"),
        tooltip=[
            alt.Tooltip("side:N"),
            alt.Tooltip("price:Q", title="price (¢)"),
            alt.Tooltip("contracts:Q", format=",.2f"),
            alt.Tooltip("total:Q", format=",.2f"),
        ],
    )
    area = base.mark_area(color=colour, opacity=0.18, interpolate=steps)
    edge = base.mark_line(color=colour, strokeWidth=2, strokeDash=dash, interpolate=steps, point=len(rows) == 1)
    return area, edge
