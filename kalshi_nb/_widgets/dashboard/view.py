"""The live dashboard: what it is asked for, its widget in the browser, and what a person chooses above it."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._logging import log
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.dashboard.controls import Controls
from kalshi_nb._widgets.dashboard.panels import PanelNames, options_of
from kalshi_nb._widgets.dashboard.scene import DashboardScene, Sources
from kalshi_nb._widgets.display import display
from kalshi_nb._widgets.host import host
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import COMMON, Choice, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget
from kalshi_nb.errors import KalshiError

if TYPE_CHECKING:
    import ipywidgets

    from kalshi_nb._widgets.display import Display
    from kalshi_nb._widgets.host import Host
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["DashboardView", "DashboardWidget"]


class _Ticker:
    """The market, checked by who asks the exchange for it."""

    default = None

    def check(self, _name: str, value: object) -> object:
        """Return it as it is."""
        return value


_PROPOSE_SECONDS: Final = 2.0
"""Seconds between two looks at which markets there are to suggest."""

OPTIONS: Final[Mapping[str, Option]] = {
    "market_ticker": _Ticker(),
    "panels": PanelNames(),
    "side": Choice(("yes", "no"), "yes"),
}
"""What a dashboard takes beside the options of every view and of its panels."""


class DashboardWidget(ViewWidget):
    """A dashboard in the browser. Made and fed by `DashboardView`."""

    _esm = bundle("dashboard").text


class DashboardView(LiveView):
    """A live dashboard: one market in several panels, one model, one message a tick.

    Above it a person picks the market and which panels there are; in a cell :meth:`choose` does. What it needs of the
    exchange is its own, and is let go when it is closed, whoever else has the same book or frame open.

    Attributes
    ----------
    market_ticker : str or None
        The market that is shown.
    panels : tuple of str
        The panels that were asked for.
    """

    widget_class = DashboardWidget
    _scene: DashboardScene

    def __init__(
        self,
        scene: DashboardScene,
        *,
        thread: Display = display,
        around: Host = host,
        errors: ViewErrors | None = None,
    ) -> None:
        scene.begin()
        self._controls: Controls | None = None
        self._told: tuple[Any, ...] = ()
        self._propose_at = 0.0
        try:
            super().__init__(scene, thread=thread, around=around, errors=errors)
        except BaseException:
            scene.end()
            raise
        self._ending.after.append(scene.end)
        scene.on_selected = _weakly(self._pick)

    @staticmethod
    def of(sources: Sources, given: Mapping[str, Any]) -> DashboardScene:
        """Return the scene of a dashboard with the options that it was given, nothing of it open yet.

        The errors are those of `resolved`.
        """
        asked = given.get("panels")
        panels = OPTIONS["panels"].check("panels", OPTIONS["panels"].default if asked is None else asked)
        given = {**given, "panels": panels}  # once: there may be no going through it again
        own = dict(OPTIONS)
        for name in panels:
            own = {**options_of(name), **own}
        options = resolved("This dashboard", own, given, KINDS[DashboardScene.kind].hz)
        known = {name: options[name] for name in options if name in OPTIONS or name in COMMON or name in given}
        return DashboardScene(sources, known | {"panels": panels}, given)

    @property
    def market_ticker(self) -> str | None:
        """The market that is shown; None where none was chosen."""
        return self._scene.market_ticker

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels that were asked for."""
        return self._scene.panels

    @property
    def selected(self) -> list[str]:
        """The markets that are shown, as of any view in which markets are selected."""
        return [] if self.market_ticker is None else [self.market_ticker]

    @property
    def framed(self) -> ipywidgets.Widget:
        """The view with what can be chosen above it."""
        if self._controls is None:
            controls = Controls(self.widget, _weakly(self._pick), _weakly(self._turn))
            self._ending.after.append(controls.close)
            self._show_chosen(controls)
            self._controls = controls
        return self._controls.box

    def choose(self, market_ticker: str | None = None, *, panels: tuple[str, ...] | None = None) -> None:
        """Show another market or other panels: the same view goes on, and lets go of what it needs no more.

        Parameters
        ----------
        market_ticker : str, optional
            The market; the one that is shown unless told.
        panels : tuple of str, optional
            The panels; those that there are unless told.

        Raises
        ------
        MarketTickerError, SubscriptionError, FeedClosedError
            When the market cannot be had; then all stays as it is.
        ConfigurationError
            When there is no such panel; the nearest is named.
        """
        scene = self._scene
        asked = scene.panels if panels is None else OPTIONS["panels"].check("panels", panels)
        scene.choose(market_ticker or scene.market_ticker, asked)
        scene.tried()
        widget = self._ending.widget
        if widget is not None and not self.is_closed:
            widget.is_paused_on_page = False  # a page that stood still goes on when it is sent what was chosen
            self.resume()

    def refresh(self) -> bool:
        """Send what changed, and have what stands above it show what was chosen. Called on the display thread."""
        if self._controls is not None and not self.is_closed:
            if self._told != self._chosen():
                self._show_chosen(self._controls)
            elif time.monotonic() >= self._propose_at:
                self._propose(self._controls)
        return super().refresh()

    def _chosen(self) -> tuple[Any, ...]:
        return self._scene.chosen, self._scene.tries

    def _propose(self, controls: Controls) -> None:
        """Suggest the markets that are known by now; what somebody types meanwhile stays."""
        self._propose_at = time.monotonic() + _PROPOSE_SECONDS
        controls.propose(self._scene.sources.market_tickers())

    def _show_chosen(self, controls: Controls) -> None:
        self._told = self._chosen()
        scene = self._scene
        controls.show(scene.market_ticker, scene.panels, scene.trouble)
        self._propose(controls)

    def _pick(self, market_ticker: str) -> None:
        if market_ticker != self.market_ticker:
            self._do(lambda view: view.choose(market_ticker))

    def _turn(self, panel: str, on: bool) -> None:
        now = {*self.panels}
        wanted = now | {panel} if on else now - {panel}
        if wanted != now:
            self._do(lambda view: view.choose(panels=tuple(wanted)))

    def _do(self, choose: Callable[[DashboardView], None]) -> None:
        """Choose on a thread beside: the exchange is asked, and whoever hears a page must not wait for that."""
        view = weakref.ref(self)

        def work() -> None:
            found = view()
            if found is None or found.is_closed:
                return
            try:
                choose(found)
            except KalshiError as error:  # it is told beside the picker; no cell is there to raise it in
                found._scene.tried(plain_text(str(error)))  # noqa: SLF001  # its own
            except Exception as bug:  # noqa: BLE001  # nobody else would hear of it: what was chosen would do nothing
                told = f"{type(bug).__name__}: {plain_text(str(bug))}"
                found._scene.tried(f"That did not work: {told}")  # noqa: SLF001
                log(logging.WARNING, f"what was chosen in a dashboard did not work: {told}")

        threading.Thread(target=work, name="kalshi-choosing", daemon=True).start()


def _weakly(method: Callable[..., None]) -> Callable[..., None]:
    """Return what calls a method while somebody has its object."""
    reference = weakref.WeakMethod(method)

    def call(*given: Any) -> None:
        found = reference()
        if found is not None:
            found(*given)

    return call
