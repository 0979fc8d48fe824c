"""The pickers of markets of one feed."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from kalshi_nb._rest.filters import checked_status
from kalshi_nb._usage import whole
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._rest.discovery import Discovery
    from kalshi_nb._widgets.picker import MarketPicker

__all__ = ["Pickers"]


class Pickers:
    """Opens pickers, and keeps those that are open: one for the same arguments, so that a cell can be run again.

    Parameters
    ----------
    discovery : Discovery
        Finds markets by words.
    """

    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery
        self._open: dict[tuple[str, str | None, int], MarketPicker] = {}
        self._lock = threading.Lock()

    def open(self, query: str, status: str | None, limit: int) -> MarketPicker:
        """Return the picker that was asked for; see :meth:`kalshi_nb.Feed.picker`."""
        from kalshi_nb._widgets.picker import MarketPicker  # noqa: PLC0415  # ipywidgets loads when it is needed

        if not isinstance(query, str):
            raise ConfigurationError("picker() takes words to begin with, such as feed.picker('weather new york').")
        most = whole("limit", limit, "pass a number of markets, such as 50")
        key = (query, checked_status(status), most)
        _ = self._discovery.client  # raises where there is nobody to ask
        with self._lock:
            picker = self._open.get(key)
            if picker is None or picker.is_over:
                search = partial(self._discovery.search, status=status, limit=most)
                picker = self._open[key] = MarketPicker(search, query)
            return picker

    def close(self) -> None:
        """Have them say that the feed is closed; what was chosen can be read."""
        with self._lock:
            for each in self._open.values():
                if not each.is_over:
                    each.freeze()
