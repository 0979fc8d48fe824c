"""The live view of a recorder: its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import resolved
from kalshi_nb._widgets.recorder.presenter import recorder_picture
from kalshi_nb._widgets.recorder.text import recorder_html, recorder_text
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.recorder.picture import RecorderPicture
    from kalshi_nb._widgets.recorder.presenter import RecorderSource

__all__ = ["RecorderScene", "RecorderView", "RecorderWidget"]


class RecorderScene:
    """A recorder with the options that it is shown with.

    Parameters
    ----------
    source : RecorderSource
        Tells how it is doing.
    options : mapping
        Every option by name, checked.
    """

    kind = "recorder"

    def __init__(self, source: RecorderSource, options: Mapping[str, Any]) -> None:
        self._source = source
        self.options = options

    @property
    def title(self) -> str:
        """Where it records."""
        return self._source.name

    def watch(self, wake: Callable[[], None]) -> None:
        """Have nobody woken: it goes by its own second."""

    def take(self) -> RecorderPicture:
        """Return how it is doing now."""
        return recorder_picture(self._source)

    def body(self, picture: RecorderPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: RecorderPicture, picture: RecorderPicture) -> None:
        """Return None: it always travels whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: there is nothing that can be done to it."""

    def text(self, picture: RecorderPicture) -> str:
        """Return it as plain text."""
        return recorder_text(picture)

    def html(self, picture: RecorderPicture, note: str = "") -> str:
        """Return it as a table that stands still."""
        return recorder_html(picture, note)


class RecorderWidget(ViewWidget):
    """A recorder in the browser. Made and fed by `RecorderView`."""

    _esm = bundle("recorder").text  # as text: see LadderWidget


class RecorderView(LiveView):
    """A live view of a recorder."""

    widget_class = RecorderWidget

    @staticmethod
    def of(source: RecorderSource, given: Mapping[str, Any]) -> RecorderScene:
        """Return the scene of a recorder with the options that it was given; the errors are those of `resolved`."""
        return RecorderScene(source, resolved("A view of a recorder", {}, given, KINDS[RecorderScene.kind].hz))
