"""What went wrong in the user's pipelines and recorders is told at the next call in a cell."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING

from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._threads import role
from kalshi_nb.errors import PipelineWarning

if TYPE_CHECKING:
    from kalshi_nb._feed.recorders import Recorders
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._streams.runner import Pipelines

__all__ = ["tell"]


def tell(standing: FeedStanding, pipelines: Pipelines, recorders: Recorders) -> None:
    """Say on the main thread what went wrong since the last call; on any other, nothing."""
    if standing.is_forked:
        return  # the parent tells, and whose locks it held at that moment nobody knows
    if role() is None and threading.current_thread() is threading.main_thread():
        for text in pipelines.take_notices():
            warnings.warn(text, PipelineWarning, stacklevel=frames_inside())
        recorders.warn(frames_inside() + 1)
