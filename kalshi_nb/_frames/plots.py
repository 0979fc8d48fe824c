"""What all still pictures have in common: colours, sizes, data that lies in the chart itself.

They stand here, and not with the widgets, since the frames that users' own pipelines fill are drawn, too, and those
know no widget. Only what is called to draw imports this: altair is an extra.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import altair as alt

__all__ = ["ASK", "ASK_DASH", "BID", "GAP", "HEIGHT", "INK", "VOLUME", "VOLUME_HEIGHT", "WIDTH", "inline"]

BID: Final = "#0b5cad"
ASK: Final = "#a84300"
ASK_DASH: Final = [6, 3]
"""Not by colour alone: asks are dashed."""

INK: Final = "#1f2328"
GAP: Final = "#8a5a00"
VOLUME: Final = "#8c959f"

WIDTH: Final = 640
HEIGHT: Final = 260
VOLUME_HEIGHT: Final = 60


def inline(rows: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Return rows as data of a chart: in it, as they are, however many."""
    return alt.InlineData(values=[dict(each) for each in rows])
