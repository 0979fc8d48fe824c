"""The live event panel: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.event.picture import SORTS
from kalshi_nb._widgets.event.text import event_html, event_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Choice, Flag, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.event.picture import EventPicture
    from kalshi_nb._widgets.event.presenter import EventPresenter

__all__ = ["EventScene", "EventView", "EventWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    "normalise": Flag(default=False),
    "sort": Choice(SORTS, "strike"),
}
"""What an event panel takes beside the options of every view."""


class EventScene:
    """An event panel with the options that it is shown with.

    Parameters
    ----------
    presenter : EventPresenter
        Makes its pictures.
    options : mapping
        Every option by name, checked.
    """

    kind = "event"

    def __init__(self, presenter: EventPresenter, options: Mapping[str, Any]) -> None:
        self.presenter = presenter
        # With what it is of: a view of other markets is another one.
        self.options = {
            **options,
            "event_ticker": presenter.event_ticker,
            "market_tickers": presenter.market_tickers,
        }
        self.selected: tuple[str, ...] = ()
        """The market that a person chose, if any."""

    @property
    def title(self) -> str:
        """The event's ticker."""
        return self.presenter.event_ticker

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self.presenter.watch(wake)

    def take(self) -> EventPicture:
        """Return the markets of now."""
        return self.presenter.picture()

    def body(self, picture: EventPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body(normalise=self.options["normalise"])

    def delta(self, before: EventPicture, picture: EventPicture) -> None:
        """Return None: an event panel always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up which market a person chose; they are put in order in the browser."""
        selected = words.get("select")
        if isinstance(selected, list):
            self.selected = tuple(each for each in selected[:1] if each in self.presenter.market_tickers)

    def text(self, picture: EventPicture) -> str:
        """Return it as plain text."""
        return event_text(picture, **self._how)

    def html(self, picture: EventPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return event_html(picture, **self._how, note=note)

    @property
    def _how(self) -> dict[str, Any]:
        return {name: self.options[name] for name in ("sort", "unit", "normalise")}


class EventWidget(ViewWidget):
    """The markets of one event in the browser. Made and fed by `EventView`."""

    _esm = bundle("event").text


class EventView(LiveView):
    """The markets of one event beside each other, live; keeps their books until it is closed."""

    widget_class = EventWidget
    _scene: EventScene

    def __init__(self, scene: EventScene, **parts: Any) -> None:
        self._presenter = scene.presenter
        self._presenter.hold()
        self._is_let_go = False
        super().__init__(scene, **parts)

    @property
    def selected(self) -> list[str]:
        """The ticker of the market that was chosen on a page, by a click or Enter; none where none was."""
        return list(self._scene.selected)

    @staticmethod
    def of(presenter: EventPresenter, given: Mapping[str, Any]) -> EventScene:
        """Return the scene of an event with the options that it was given; the errors are those of `resolved`."""
        return EventScene(presenter, resolved("An event panel", OPTIONS, given, KINDS[EventScene.kind].hz))

    def close(self) -> None:
        """End the updates, let go of the books, and leave a still table; more than once does nothing."""
        super().close()
        if not self._is_let_go:
            self._is_let_go = True
            self._presenter.let_go()
