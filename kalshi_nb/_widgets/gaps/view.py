"""The live view of a feed's gaps: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.gaps.presenter import gaps_picture
from kalshi_nb._widgets.gaps.text import gaps_html, gaps_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Number, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.gaps.picture import GapsPicture
    from kalshi_nb._widgets.status.source import HealthSource

__all__ = ["GapsScene", "GapsView", "GapsWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    "rows": Number(1, 100, 8, True, "a view of gaps has so many rows, from", 8),
}
"""What it takes beside the options of every view."""


class GapsScene:
    """A feed's gaps with the options that they are shown with.

    Parameters
    ----------
    source : HealthSource
        Tells how the feed is doing.
    options : mapping
        Every option by name, checked.
    """

    kind = "gaps"

    def __init__(self, source: HealthSource, options: Mapping[str, Any]) -> None:
        self._source = source
        self.options = options

    @property
    def title(self) -> str:
        """Whose they are."""
        return "the feed"

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    def take(self) -> GapsPicture:
        """Return the gaps of now."""
        return gaps_picture(self._source, self.options["rows"])

    def body(self, picture: GapsPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: GapsPicture, picture: GapsPicture) -> None:
        """Return None: it always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to it is done in the browser."""

    def text(self, picture: GapsPicture) -> str:
        """Return it as plain text."""
        return gaps_text(picture)

    def html(self, picture: GapsPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return gaps_html(picture, note)


class GapsWidget(ViewWidget):
    """A feed's gaps in the browser. Made and fed by `GapsView`."""

    _esm = bundle("gaps").text  # as text: see LadderWidget


class GapsView(LiveView):
    """A live view of a feed's gaps."""

    widget_class = GapsWidget

    @staticmethod
    def of(source: HealthSource, given: Mapping[str, Any]) -> GapsScene:
        """Return the scene of gaps with the options that it was given; the errors are those of `resolved`."""
        return GapsScene(source, resolved("A view of gaps", OPTIONS, given, KINDS[GapsScene.kind].hz))
