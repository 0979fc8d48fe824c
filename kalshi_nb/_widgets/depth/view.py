"""The live depth chart: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.depth.text import depth_html, depth_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Choice, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.ladder.picture import LadderPicture
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter

__all__ = ["DepthScene", "DepthView", "DepthWidget"]

LEVELS: Final = 100
"""Levels a side that a picture has, at most: of whole cents all there can be."""

OPTIONS: Final[Mapping[str, Option]] = {
    "scale": Choice(("linear", "log"), "linear"),
    "side": Choice(("yes", "no"), "yes"),
}
"""What a depth chart takes beside the options of every view."""


class DepthScene:
    """A depth chart with the options that it is shown with.

    Parameters
    ----------
    presenter : LadderPresenter
        Makes its pictures: a ladder's, of more levels.
    options : mapping
        Every option by name, checked.
    """

    kind = "depth"

    def __init__(self, presenter: LadderPresenter, options: Mapping[str, Any]) -> None:
        self._presenter = presenter
        self.options = options

    @property
    def title(self) -> str:
        """The market's ticker."""
        return self._presenter.market_ticker

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    def take(self) -> LadderPicture:
        """Return the levels of now."""
        return self._presenter.picture(LEVELS)

    def body(self, picture: LadderPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: LadderPicture, picture: LadderPicture) -> None:
        """Return None: a book always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to a depth chart is done in the browser."""

    def text(self, picture: LadderPicture) -> str:
        """Return it as plain text."""
        return depth_text(picture, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: LadderPicture, note: str = "") -> str:
        """Return it as a drawing and a table that stand still."""
        return depth_html(picture, side=self.options["side"], unit=self.options["unit"], note=note)


class DepthWidget(ViewWidget):
    """One market's depth in the browser. Made and fed by `DepthView`."""

    _esm = bundle("depth").text


class DepthView(LiveView):
    """A live depth chart of one market."""

    widget_class = DepthWidget

    @staticmethod
    def of(presenter: LadderPresenter, given: Mapping[str, Any]) -> DepthScene:
        """Return the scene of a depth chart with the options that it was given; the errors are those of `resolved`."""
        return DepthScene(presenter, resolved("A depth chart", OPTIONS, given, KINDS[DepthScene.kind].hz))
