"""A dashboard as a scene: the scenes of its panels, each at the rate of its kind, and what of them has changed.

A dashboard is one model and sends one message a tick. So its picture holds a picture of each panel, and its delta
those panels alone that have changed since.

**Threads.** Pictures are taken by the display thread, by cells, and by whichever thread takes in a page's request.
What is shown stands in one record, set as a whole; a panel's newest picture likewise, so that whoever takes one
meanwhile has the one before or the one after. Choosing asks the exchange and may take seconds: it happens under a lock
of its own, on the thread of whoever chooses, and nobody who takes a picture waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from kalshi_nb._widgets.dashboard.heads import NO_MARKET, HeadMaker, NoHead
from kalshi_nb._widgets.dashboard.panels import PANELS, options_of, view_of
from kalshi_nb._widgets.dashboard.picture import DashboardPicture, Part
from kalshi_nb._widgets.dashboard.text import dashboard_html, dashboard_text
from kalshi_nb._widgets.options import COMMON
from kalshi_nb._widgets.pacing import Pace, Timetable
from kalshi_nb._widgets.scene import complete, masked

if TYPE_CHECKING:
    from kalshi_nb._widgets.scene import Scene
    from kalshi_nb._widgets.sources import FeedSource

__all__ = ["DashboardScene", "Opened", "Sources"]

_REST: Final = 1.0
"""Seconds until a panel that raised is asked again."""


class Opened(NamedTuple):
    """What a panel is made of, and what lets go of it; the latter may be called more than once."""

    source: Any
    release: Callable[[], None]


class Sources(Protocol):
    """Opens what panels are made of."""

    @property
    def feed(self) -> FeedSource:
        """The feed."""
        ...

    def market_tickers(self) -> list[str]:
        """Return markets that can be chosen, as far as they are known."""
        ...

    def first_market(self) -> str | None:
        """Return the market to show where none was named; None where there is no reason for any."""
        ...

    def head(self, market_ticker: str) -> Opened:
        """Open what the head of a market is made by: a `HeadMaker`."""
        ...

    def open_panel(self, panel: str, market_ticker: str | None) -> Opened | None:
        """Open what a panel's kind of view is made of; None where there is nothing to show.

        Raises
        ------
        KalshiError
            When the exchange refuses, or the feed is closed.
        """
        ...


class _PanelScene:
    """The scene of one panel, asked no more often than its kind may send, and kept from harming others."""

    def __init__(self, name: str, scene: Scene, number: int, opened: Opened, feed: FeedSource) -> None:
        self.name = name
        self.scene = scene
        self.number = number
        self.source, self.release = opened
        self._feed = feed
        self._timetable = Timetable(1 / scene.options["max_hz"])
        self._failures = 0
        self._held: Part | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What stays as it is: what stands above the panel, if anything, and the options that are its own."""
        panel = PANELS[self.name]
        own = {name: value for name, value in self.scene.options.items() if name not in COMMON or name == "height"}
        return {"heading": panel.title if panel.has_head else "", "settings": own}

    def take(self) -> Part:
        held, now = self._held, time.monotonic()
        if held is not None and not self._timetable.is_due(Pace(self._timetable.fastest), now):
            return held
        try:
            picture = complete(self.scene)
            part = Part(picture.version, self.number, picture)
            if picture.status != "connecting":  # what has no data yet is looked at again at once
                self._timetable.sent(now)
        except Exception as error:  # noqa: BLE001  # a view may raise anything, and the others must go on
            part = self._failed(error)
            self._timetable.sent(now + _REST)
        self._held = part
        return part

    def body(self, part: Part, head: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the browser is sent of the panel; a market that is the dashboard's own is not said twice."""
        told: dict[str, Any] = {"kind": self.name, "of": self.number, "status": "error", "note": part.note}
        if part.picture is None:
            return told
        try:
            body = {"status": part.picture.status, **self.scene.body(part.picture)}
        except Exception as error:  # noqa: BLE001  # as above
            return told | {"note": self._failed(error).note}
        told = {"kind": self.name, "of": self.number}
        if body.get("market") is not None and body["market"] == head.get("market"):
            body["market"] = True
        return body | told

    def change(self, before: Part | None, part: Part, head: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what the browser needs of the panel in addition to what it was sent before, if anything."""
        if before is not None and (before.of, before.version) == (part.of, part.version):
            return None
        delta = None
        if before is not None and before.of == part.of and before.picture is not None and part.picture is not None:
            try:
                delta = self.scene.delta(before.picture, part.picture)
            except Exception as error:  # noqa: BLE001  # as above
                self._failed(error)
        if delta is None:
            return self.body(part, head)
        return {"delta": {"status": part.picture.status, **delta}}

    def _failed(self, error: Exception) -> Part:
        self._failures += 1
        self._feed.errors.note(error)
        return Part(("failed", self._failures), self.number, None, f"this panel failed: {type(error).__name__}")


class _Shown(NamedTuple):
    """What is shown now, set as a whole."""

    market_ticker: str | None
    head: HeadMaker
    release_head: Callable[[], None]
    panels: Mapping[str, _PanelScene]
    chosen: int


class DashboardScene:
    """A dashboard with the options that it is shown with; it shows nothing before :meth:`begin`.

    Parameters
    ----------
    sources : Sources
        Opens what its panels are made of.
    options : mapping
        Every option by name, checked.
    given : mapping
        Those of them that were asked for: what a panel is not told, it knows itself.
    """

    kind = "dashboard"

    def __init__(self, sources: Sources, options: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        self.options = options
        self.sources = sources
        self.trouble = ""
        self.tries = 0
        self._given = given
        self._choosing = threading.RLock()
        self._numbers = 0
        self._is_over = False
        self._panels: tuple[str, ...] = options["panels"]
        self._shown = _Shown(None, NoHead(sources.feed), _nothing, {}, 0)
        self.on_selected: Callable[[str], None] = lambda _: None

    @property
    def title(self) -> str:
        """The market's ticker, or that none was chosen."""
        return self.market_ticker or NO_MARKET

    @property
    def market_ticker(self) -> str | None:
        """The market that is shown."""
        return self._shown.market_ticker

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels that were asked for; those of a market are there once one is chosen."""
        return self._panels

    @property
    def chosen(self) -> int:
        """Counts what was chosen."""
        return self._shown.chosen

    def begin(self) -> None:
        """Open what it was asked to show."""
        self.choose(self.options["market_ticker"] or self.sources.first_market(), self._panels)

    def choose(self, market_ticker: str | None, panels: tuple[str, ...]) -> None:
        """Show this market with these panels: open what they need and only then let go of what nobody needs any more.

        Raises
        ------
        KalshiError
            When something cannot be opened; then all stays as it was.
        """
        with self._choosing:
            was = self._shown
            stays = market_ticker == was.market_ticker
            panels = tuple(each for each in PANELS if each in panels)
            kept = {name: was.panels[name] for name in panels if name in was.panels}
            kept = {name: each for name, each in kept.items() if stays or not PANELS[name].is_of_market}
            new: list[Callable[[], None]] = []
            try:
                head = self._head(market_ticker, new) if not stays else (was.head, was.release_head)
                made = {
                    name: each
                    for name in panels
                    if market_ticker is not None or not PANELS[name].is_of_market
                    if (each := kept.get(name) or self._make(name, market_ticker, new, was.panels.get(name)))
                }
            except BaseException:
                for release in new:
                    release()
                raise
            self._panels = panels
            self._shown = _Shown(market_ticker, *head, made, was.chosen + 1)
            if not stays:
                was.release_head()
            for name, each in was.panels.items():
                if made.get(name) is not each:
                    each.release()
            if self._is_over:
                self.end()

    def tried(self, trouble: str = "") -> None:
        """Take note of how the last choice went, for what stands above."""
        self.trouble = trouble.partition("\n")[0]
        self.tries += 1

    def end(self) -> None:
        """Let go of everything; pictures are made of what stands there."""
        self._is_over = True
        shown = self._shown
        shown.release_head()
        for each in shown.panels.values():
            each.release()

    def _head(self, market_ticker: str | None, new: list[Callable[[], None]]) -> tuple[HeadMaker, Callable[[], None]]:
        if market_ticker is None:
            return NoHead(self.sources.feed), _nothing
        opened = self.sources.head(market_ticker)
        new.append(opened.release)
        return opened.source, opened.release

    def _make(
        self, name: str, market_ticker: str | None, new: list[Callable[[], None]], was: _PanelScene | None
    ) -> _PanelScene | None:
        """Return a panel of a market; the one there was, where it is made of the same: of an event, for one."""
        opened = self.sources.open_panel(name, market_ticker)
        if opened is None:
            return None
        if was is not None and was.source is opened.source:
            opened.release()
            return was
        new.append(opened.release)
        own = options_of(name)
        told = {each: value for each, value in self._given.items() if each in own and value is not None}
        given = {**PANELS[name].options, **told}
        given |= {each: self.options[each] for each in ("palette", "theme", "timezone", "unit")}
        given |= {"side": self.options["side"]} if "side" in own else {}
        self._numbers += 1
        scene = view_of(name).of(opened.source, given)
        return _PanelScene(name, scene, self._numbers, opened, self.sources.feed)

    # What shows it calls -----------------------------------------------------------------------------------------

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self.sources.feed.watch(wake)

    @property
    def is_private(self) -> bool:
        """Whether a panel has something that is to be masked where it would be stored."""
        return any(getattr(each.scene, "is_private", False) for each in self._shown.panels.values())

    def take(self) -> DashboardPicture:
        """Return what anybody may see now."""
        return self.masked(self.complete())

    def masked(self, picture: DashboardPicture) -> DashboardPicture:
        """Return a picture without what is one's own."""
        scenes = self._scenes(picture)
        parts = {
            name: part._replace(picture=masked(scenes[name].scene, part.picture))
            for name, part in picture.parts.items()
            if name in scenes and part.picture is not None
        }
        return picture._replace(parts={name: parts.get(name, part) for name, part in picture.parts.items()})

    def complete(self) -> DashboardPicture:
        """Return what is to be seen now; panels that are slower than others as they were within their time."""
        shown = self._shown
        return DashboardPicture(
            shown.head.take()._replace(origin=self.sources.feed.origin),
            {name: each.take() for name, each in shown.panels.items()},
            shown.chosen,
        )

    def body(self, picture: DashboardPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        head = picture.head.body()
        scenes = self._scenes(picture)
        panels = {
            name: scenes[name].body(part, head) | scenes[name].told
            for name, part in picture.parts.items()
            if name in scenes
        }
        return head | {"chosen": picture.chosen, "panels": panels}

    def delta(self, before: DashboardPicture, picture: DashboardPicture) -> dict[str, Any] | None:
        """Return the panels that changed, or None where other ones are shown than before."""
        scenes = self._scenes(picture)
        if before.chosen != picture.chosen or scenes.keys() != picture.parts.keys():
            return None
        head = picture.head.body()
        changes = {
            name: change
            for name, part in picture.parts.items()
            if (change := scenes[name].change(before.parts.get(name), part, head)) is not None
        }
        book, book_before = picture.head.book, before.head.book
        if book is not None and book_before is not None and book.market == book_before.market:
            del head["market"]
        del head["origin"]
        return head | {"panels": changes}

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up what was done in a panel."""
        panel = self._shown.panels.get(str(words.get("panel")))
        asked = words.get("asked")
        if panel is None or not isinstance(asked, Mapping):
            return
        panel.scene.heard(asked)
        selected = [*getattr(panel.scene, "selected", ())]
        if selected and "select" in asked:
            self.on_selected(selected[-1])

    def text(self, picture: DashboardPicture) -> str:
        """Return it as plain text, panel by panel."""
        scenes = {name: each.scene for name, each in self._scenes(picture).items()}
        return dashboard_text(picture, scenes, side=self.options["side"], unit=self.options["unit"])

    def html(self, picture: DashboardPicture, note: str = "") -> str:
        """Return it as what stands still, panel by panel, under 60 KB."""
        scenes = {name: each.scene for name, each in self._scenes(picture).items()}
        return dashboard_html(picture, scenes, side=self.options["side"], unit=self.options["unit"], note=note)

    def _scenes(self, picture: DashboardPicture) -> dict[str, _PanelScene]:
        """Return the scenes that made a picture; of one from before something was chosen, those still there."""
        shown = self._shown.panels
        return {
            name: shown[name]
            for name, part in picture.parts.items()
            if name in shown and shown[name].number == part.of
        }


def _nothing() -> None:
    """Let go of nothing."""
