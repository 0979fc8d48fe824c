"""What a person can choose above a dashboard and the kernel has to do: the market, and which panels there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

import ipywidgets

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.dashboard.panels import PANELS

__all__ = ["Controls"]

MOST_MARKETS: Final = 2_000
"""Markets that the picker proposes; any other can be typed."""


class Controls:
    """A picker of markets and a button a panel, above a view.

    Its widgets are ipywidgets', so what is chosen waits for a cell that runs. They hold what is called weakly, or not
    at all: ipywidgets keeps every widget until it is closed.

    Parameters
    ----------
    view : Widget
        What stands below them.
    on_market : callable
        Called with the ticker that was picked.
    on_panel : callable
        Called with a panel's name and whether it is to be there.
    """

    def __init__(
        self, view: ipywidgets.Widget, on_market: Callable[[str], None], on_panel: Callable[[str, bool], None]
    ) -> None:
        self._on_market = on_market
        self._on_panel = on_panel
        self._is_told = False
        wide = ipywidgets.Layout(width="340px", max_width="100%")
        narrow = ipywidgets.Layout(width="auto", height="28px")
        row = ipywidgets.Layout(flex_flow="row wrap", align_items="center", overflow="visible")
        self.market = ipywidgets.Combobox(
            placeholder="market ticker", continuous_update=False, layout=wide, description="Market"
        )
        self.said = ipywidgets.Label(layout=narrow)
        self.panels: dict[str, ipywidgets.ToggleButton] = {}
        for name, panel in PANELS.items():
            shared = {"style": next(iter(self.panels.values())).style} if self.panels else {}
            self.panels[name] = ipywidgets.ToggleButton(
                description=panel.title, tooltip=f"Show or leave out: {panel.title}", layout=narrow, **shared
            )
        rows = [
            ipywidgets.HBox([self.market, self.said], layout=row),
            ipywidgets.HBox([*self.panels.values()], layout=row),
        ]
        self.box = ipywidgets.VBox([*rows, view])
        self._made: list[Any] = [self.box, self.box.layout, *rows, self.market, self.said, *self.panels.values()]
        styled = (self.market, self.said, next(iter(self.panels.values())))
        self._made += [wide, narrow, row, *(each.style for each in styled)]
        self.market.observe(self._picked, "value")
        for button in self.panels.values():
            button.observe(self._turned, "value")

    def show(self, market_ticker: str | None, panels: Iterable[str], said: str = "") -> None:
        """Show what was chosen."""
        chosen = {*panels}
        self._is_told = True
        try:
            self.market.value = market_ticker or ""
            self.said.value = said
            for name, button in self.panels.items():
                button.value = name in chosen
        finally:
            self._is_told = False

    def propose(self, markets: Iterable[str]) -> None:
        """Have the picker suggest these markets, as far as they fit what is typed."""
        self.market.options = tuple(numbers.clean(each) for each in islice(markets, MOST_MARKETS))

    def close(self) -> None:
        """Close all of them; the view below is closed by whoever made it."""
        for each in self._made:
            each.close()

    def _picked(self, change: dict[str, Any]) -> None:
        ticker = str(change["new"]).strip()
        if ticker and not self._is_told:
            self._on_market(ticker)

    def _turned(self, change: dict[str, Any]) -> None:
        if not self._is_told:
            name = next(each for each, button in self.panels.items() if button is change["owner"])
            self._on_panel(name, bool(change["new"]))
