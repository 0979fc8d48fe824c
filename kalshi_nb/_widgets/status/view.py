"""The live status strip of a feed: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import resolved
from kalshi_nb._widgets.status.presenter import status_picture
from kalshi_nb._widgets.status.text import status_html, status_text
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.status.picture import StatusPicture
    from kalshi_nb._widgets.status.source import HealthSource

__all__ = ["StatusScene", "StatusView", "StatusWidget"]


class StatusScene:
    """A feed's status strip with the options that it is shown with.

    Parameters
    ----------
    source : HealthSource
        Tells how the feed is doing.
    options : mapping
        Every option by name, checked.
    """

    kind = "status"

    def __init__(self, source: HealthSource, options: Mapping[str, Any]) -> None:
        self._source = source
        self.options = options

    @property
    def title(self) -> str:
        """Whose it is."""
        return "the feed"

    def watch(self, wake: Callable[[], None]) -> None:
        """Have nobody woken: it goes by its own second, whatever comes."""

    def take(self) -> StatusPicture:
        """Return how the feed is doing now."""
        return status_picture(self._source)

    def body(self, picture: StatusPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: StatusPicture, picture: StatusPicture) -> None:
        """Return None: it always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: it opens and folds in the browser."""

    def text(self, picture: StatusPicture) -> str:
        """Return it as plain text."""
        return status_text(picture)

    def html(self, picture: StatusPicture, note: str = "") -> str:
        """Return it as tables that stand still."""
        return status_html(picture, note)


class StatusWidget(ViewWidget):
    """A feed's status strip in the browser. Made and fed by `StatusView`."""

    _esm = bundle("status").text  # as text: see LadderWidget


class StatusView(LiveView):
    """A live status strip of a feed."""

    widget_class = StatusWidget

    @staticmethod
    def of(source: HealthSource, given: Mapping[str, Any]) -> StatusScene:
        """Return the scene of a strip with the options that it was given; the errors are those of `resolved`."""
        return StatusScene(source, resolved("A status strip", {}, given, KINDS[StatusScene.kind].hz))
