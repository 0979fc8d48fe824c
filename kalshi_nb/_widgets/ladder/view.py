"""The live ladder: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.ladder.text import ladder_html, ladder_text
from kalshi_nb._widgets.options import Choice, Number, Option, resolved
from kalshi_nb._widgets.pacing import RATES
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.ladder.picture import LadderPicture
    from kalshi_nb._widgets.ladder.presenter import LadderPresenter

__all__ = ["LadderScene", "LadderView", "LadderWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    # A market of whole cents has 99 prices, and each level costs a row in every message.
    "levels": Number(1, 100, 10, True, "a ladder has so many levels a side, from", 10),
    "side": Choice(("yes", "no"), "yes"),
}
"""What a ladder takes beside the options of every view."""


class LadderScene:
    """A ladder with the options that it is shown with.

    Parameters
    ----------
    presenter : LadderPresenter
        Makes its pictures.
    options : mapping
        Every option by name, checked.
    """

    kind = "ladder"

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
        return self._presenter.picture(self.options["levels"])

    def body(self, picture: LadderPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: LadderPicture, picture: LadderPicture) -> None:
        """Return None: a ladder always travels whole."""

    def text(self, picture: LadderPicture) -> str:
        """Return it as plain text."""
        return ladder_text(picture, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: LadderPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return ladder_html(picture, side=self.options["side"], unit=self.options["unit"], note=note)


class LadderWidget(ViewWidget):
    """One market's ladder in the browser. Made and fed by `LadderView`."""

    # As text: given a path, anywidget would watch the file with a thread of its own where it can. The style is in it.
    _esm = bundle("ladder").text


class LadderView(LiveView):
    """A live ladder of one market."""

    widget_class = LadderWidget

    @staticmethod
    def of(presenter: LadderPresenter, given: Mapping[str, Any]) -> LadderScene:
        """Return the scene of a ladder with the options that it was given; the errors are those of `resolved`."""
        return LadderScene(presenter, resolved("A ladder", OPTIONS, given, RATES[LadderScene.kind]))
