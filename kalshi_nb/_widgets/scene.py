"""What a view shows, in every form that it has: data for the browser, plain text, a table that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, Protocol

__all__ = [
    "FIRST_SECONDS",
    "Picture",
    "PrivateScene",
    "Scene",
    "Snapshot",
    "complete",
    "masked",
    "snapshot",
    "wait_for_the_first",
]

FIRST_SECONDS: Final = 0.5
"""What is shown before its first data came waits for them, so long at most."""

_POLL: Final = 0.005


class Picture(Protocol):
    """All that is to be seen of one moment; never changed afterwards."""

    @property
    def version(self) -> Hashable:
        """Differs whenever anything that is shown does. A view sends nothing for a version that it has sent."""
        ...

    @property
    def status(self) -> str:
        """What may be trusted: ``connecting``, ``live``, ``stale``, ``unknown`` or ``closed``."""
        ...

    @property
    def changes(self) -> int:
        """Counts changes: two pictures tell how many lie between them."""
        ...


class Scene(Protocol):
    """One thing to show, with the options that it is shown with; knows nothing of who shows it.

    Its methods are called by the display thread, by cells, and by whichever thread takes in a page's request.
    """

    @property
    def kind(self) -> str:
        """What it is, such as ``"ladder"``: by this its rate goes, and its script."""
        ...

    @property
    def title(self) -> str:
        """What it is of, such as a market's ticker."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """The options, all of them."""
        ...

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, once and from any thread, when there may be news."""
        ...

    def take(self) -> Any:
        """Return a :class:`Picture` of now, without waiting."""
        ...

    def body(self, picture: Any) -> dict[str, Any]:
        """Return what the browser is sent of it, but for what every picture has."""
        ...

    def delta(self, before: Any, picture: Any) -> dict[str, Any] | None:
        """Return what the browser needs in addition to what it was sent before; None where all of it is sent anew."""
        ...

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up what a person did in the browser that the kernel is to know; on any thread, so it only puts down."""
        ...

    def text(self, picture: Any) -> str:
        """Return it as plain text, when it was included."""
        ...

    def html(self, picture: Any, note: str = "") -> str:
        """Return it as markup without script or address, under 20 KB; the note stands below."""
        ...


class PrivateScene(Scene, Protocol):
    """A scene whose pictures may hold what is one's own: orders, fills, positions.

    That goes to a page which has said that it holds the view, and nowhere else unless its owner asks: no notebook that
    is executed without a page, no still table and no text has it. Who executes notebooks stores whatever a view sends,
    and a still table is stored with every notebook. So `take` returns what anybody may see, to whoever knows no
    better; a view, which knows where its pictures go, takes `complete` ones and masks them itself. With the option
    ``private`` the two are the same.
    """

    @property
    def is_private(self) -> bool:
        """Whether there is anything to mask: not where its owner said that all may be stored."""
        ...

    def complete(self) -> Any:
        """Return a picture of now with what is one's own."""
        ...

    def masked(self, picture: Any) -> Any:
        """Return a picture without it."""
        ...


def complete(scene: Scene) -> Any:
    """Return a picture of now with what is one's own, for whoever sees to it where that goes."""
    return getattr(scene, "complete", scene.take)()


def masked(scene: Scene, picture: Any) -> Any:
    """Return what of a picture anybody may see; the picture itself, where that is all of it."""
    if not getattr(scene, "is_private", False):
        return picture
    return scene.masked(picture)  # type: ignore[attr-defined]  # a PrivateScene, as it says itself


class Snapshot:
    """A view as it was at one moment: a table that needs neither kernel nor script.

    Attributes
    ----------
    html : str
        The table.
    text : str
        The same as plain text.
    """

    def __init__(self, text: str, html: str) -> None:
        self.text = text
        self.html = html

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def snapshot(scene: Scene, picture: Any = None, *, private: bool = False) -> Snapshot:
    """Return a still picture of a scene, as it is now unless told; what is one's own only where that is asked for."""
    if picture is None:
        picture = complete(scene) if private else scene.take()
    return Snapshot(scene.text(picture), scene.html(picture))


def wait_for_the_first(scene: Scene) -> Any:
    """Return a picture that has data, or what there is after half a second."""
    end = time.monotonic() + FIRST_SECONDS
    while (picture := scene.take()).status == "connecting" and time.monotonic() < end:
        time.sleep(_POLL)
    return picture
