"""The base of every live view: its model in the browser, what it sends and when, and how it ends."""

from __future__ import annotations

import threading
import time
import uuid
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anywidget
import ipywidgets
import traitlets

from kalshi_nb._usage import Closing, NotAwaited, flag
from kalshi_nb._widgets.display import display
from kalshi_nb._widgets.host import forget_reply_route, host, request_now, send_beside
from kalshi_nb._widgets.pacing import ROUND_SECONDS, Timetable
from kalshi_nb._widgets.scene import Snapshot, complete, masked, snapshot, wait_for_the_first
from kalshi_nb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from kalshi_nb._widgets.display import Display
    from kalshi_nb._widgets.host import Host
    from kalshi_nb._widgets.scene import Scene
    from kalshi_nb._widgets.view_errors import ViewErrors

__all__ = ["HEARTBEAT_SECONDS", "LiveView", "ViewWidget"]

HEARTBEAT_SECONDS: Final = 2.0
"""An unchanged picture is sent again this often; the browser gives one up after three times that."""

WHOLE_SECONDS: Final = 30.0
"""Among deltas the whole is sent this often, for whoever lost one."""

FORMAT: Final = 1
"""The version of what a picture is, for the script."""

FLEX: Final = "1 1 auto"
"""What a view asks of a box that it stands in: beside others its share of the room there is; below others nothing."""

STILL: Final = (
    "A still picture. Where it should move and does not, Jupyter's own environment lacks the widgets: "
    "pip install anywidget jupyterlab-widgets there, and reload the page."
)
"""Stands below a table that is seen in the place of a view."""


class ViewWidget(anywidget.AnyWidget):
    """The model of one view, made and fed by `LiveView`.

    Opening it, a page that is reloaded and one that comes late carry a picture made at that moment, so that nobody has
    to wait for the next change, or to ask. What of it is one's own is left out until a page has said that it holds the
    model: who executes a notebook without one stores what is sent.

    Attributes
    ----------
    picture : dict
        All that is shown: ``v``, ``seq`` (counts messages), ``sent`` (epoch seconds), ``kernel`` (the process's
        token), ``model`` (its id, which acknowledgements name), ``kind``, ``status`` and what this kind has. Only the
        display thread assigns it.
    delta : dict
        What came since the message before, with its ``seq``; empty for kinds that always send the whole.
    settings : dict
        What the view was asked for, by the names of its options.
    """

    picture = traitlets.Dict().tag(sync=True)
    delta = traitlets.Dict().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)

    # Messages of a page come on any thread: they put down that they came. The fields below are each set as a whole, so
    # that whoever makes a picture meanwhile has the one before or the one after.

    def __init__(self, scene: Scene, around: Host = host) -> None:
        self._scene = scene
        self._host = around
        self._seq = 0
        self._held: tuple[Any, float] | None = None
        self._is_ended = False
        self._opened_by = request_now()
        self._sender: int | None = None
        self.is_paused_on_page = False
        self.is_whole_wanted = False  # by a page that lost a message
        shown = {name: value for name, value in scene.options.items() if name not in ("renderer", "max_hz")}
        self._model_id = uuid.uuid4().hex
        self._sent_masked = self.is_masked
        around.hearing.opened(self._model_id)
        layout = ipywidgets.Layout(flex=FLEX)
        super().__init__(model_id=self._model_id, settings=shown, picture=self.whole(), layout=layout)

    @property
    def is_masked(self) -> bool:
        """Whether what is one's own is left out of what is sent now."""
        return getattr(self._scene, "is_private", False) and not self._host.hearing.has_met(self._model_id)

    @property
    def is_unveiled(self) -> bool:
        """Whether what was left out of the message before is to go into the next."""
        return self._sent_masked and not self.is_masked

    @property
    def is_open(self) -> bool:
        """Whether a page can show it: not closed here, by ``close_all()``, or by a host that is done with its cell."""
        return self.comm is not None and not getattr(self.comm, "_closed", False)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # as it is called
        """Return what is sent for these names; for all of them with a picture of now, and no delta."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None and not self._is_ended:
            if self.comm is not None:
                self._host.hearing.asked(self.model_id, time.monotonic())
            state |= {"picture": self.whole(), "delta": {}}
        return state

    def whole(self, picture: Any = None, **more: Any) -> dict[str, Any]:
        """Return a picture as it travels, one of now unless told."""
        picture = self._may_be_sent(complete(self._scene) if picture is None else picture)
        held = self._held
        if held is None:
            head = {"status": picture.status} | self._scene.body(picture)
        else:
            head = self._scene.body(self._may_be_sent(held[0]))
            missed = picture.changes - held[0].changes
            head |= {"status": "paused", "note": f"{missed:,} {'change' if missed == 1 else 'changes'} since"}
            head |= {"age": time.time() - held[1]}
        return {
            "v": FORMAT,
            "seq": self._seq,
            "sent": time.time(),
            "kernel": self._host.token,
            "model": self._model_id,
            "kind": self._scene.kind,
            **head,
            **more,
        }

    def send_next(self, picture: Any, before: Any, *, whole: bool) -> bool:
        """Send a picture, or what changed since another; whether it was the whole. On the display thread."""
        is_masked = self.is_masked
        delta = None
        if not whole and self._held is None:
            delta = self._scene.delta(self._may_be_sent(before), self._may_be_sent(picture))
        self._seq += 1
        self._sender = threading.get_ident()
        try:
            if delta is None:
                self.picture = self.whole(picture)
            else:
                self.delta = {"seq": self._seq, "sent": time.time(), "status": picture.status, **delta}
        finally:
            forget_reply_route(self.comm)
        self._sent_masked = is_masked
        return delta is None

    def _send(self, msg: dict[str, Any], buffers: Any = None) -> None:
        """Send what is news as no answer to anything; what answers a page goes as ipywidgets sends it."""
        is_news = threading.get_ident() == self._sender
        if not (is_news and self.is_open and send_beside(self.comm, msg, buffers, self._opened_by)):
            super()._send(msg, buffers)

    def _may_be_sent(self, picture: Any) -> Any:
        return masked(self._scene, picture) if self.is_masked else picture

    def hold(self, picture: Any = None) -> None:
        """Stand still at a picture, or go on."""
        self._held = None if picture is None else (picture, time.time())

    def end(self) -> None:
        """Send a last picture, then close the model and the layout that was made with it. On the display thread."""
        if self.is_open:
            self._seq += 1
            self.picture = self.whole(status="closed")
        self.close()

    def close(self) -> None:
        """Close the model and its layout, which ipywidgets would keep for ever."""
        self._is_ended = True
        self._host.hearing.forget(self._model_id)
        if self.comm is not None:
            layout = self.layout
            super().close()
            layout.close()

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        data = _inside(_inside(msg, "content"), "data")
        content = data.get("content")
        if isinstance(content, dict):
            if "ack" in content or "visible" in content:
                self._host.heard(msg, content)
            if "paused" in content:
                self.is_paused_on_page = content["paused"] is True
            if isinstance(content.get("asked"), dict):
                self.is_whole_wanted |= content["asked"].get("whole") is True
                self._scene.heard(content["asked"])
        if data.get("method") in ("request_state", "custom"):  # all else would set what is not the page's
            super()._handle_msg(msg)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take nothing over from a page: what is shown is made here, and pages ask by messages."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._scene.title!r})"


def _inside(message: object, name: str) -> dict[str, Any]:
    """Return the part of a message that has a name; an empty one where there is none."""
    part = message.get(name) if isinstance(message, dict) else None
    return part if isinstance(part, dict) else {}


class _Ending:
    """What is left to do for a view that nobody holds any more; knows the view's parts, and not the view."""

    def __init__(self, scene: Scene, around: Host) -> None:
        self.scene = scene
        self.host = around
        self.widget: ViewWidget | None = None
        self.output = uuid.uuid4().hex
        self.is_shown = False
        self.after: list[Callable[[], None]] = []

    def close(self) -> None:
        """Leave a still picture in the place of the view. On the display thread."""
        with ExitStack() as rest:
            for each in self.after:
                rest.callback(each)
            if self.is_shown:
                rest.callback(self._publish)
            if self.widget is not None:
                self.widget.end()

    def _publish(self) -> None:
        still = snapshot(self.scene)
        self.host.publish({"text/plain": still.text, "text/html": still.html}, self.output, update=True)


class LiveView(Closing, NotAwaited):
    """One live view: makes the model and keeps it up to date while somebody holds the view.

    The view is one model, however many cells show it. Dropping it (or `close`) ends the updates and leaves a still
    table in its place. It holds its scene, and the scene what is shown; neither holds the handle, so that a handle
    that is dropped ends its views at once. As a cell's last expression it shows itself; the end of a ``with`` ends it.

    Parameters
    ----------
    scene : Scene
        What to show, with its options.
    thread : Display
        The display thread, the process's one unless told.
    around : Host
        The notebook, the process's one unless told.
    errors : ViewErrors, optional
        Counts what the view raises.
    """

    widget_class: ClassVar[type[ViewWidget]] = ViewWidget

    def __init__(
        self, scene: Scene, *, thread: Display = display, around: Host = host, errors: ViewErrors | None = None
    ) -> None:
        self._scene = scene
        self._errors = errors
        self._thread = thread
        self._host = around
        self._hz = float(scene.options["max_hz"])
        self._timetable = Timetable(1 / self._hz if self._hz < 1 / ROUND_SECONDS else ROUND_SECONDS)
        self._sent: Any = None
        self._sent_at = self._whole_at = self._opened = 0.0
        self._needs_whole = False
        self._is_given_up = False
        self._shown_by: object = None
        self._ending = _Ending(scene, around)
        # The finalizer may run on any thread, amid anything: it only leaves what is to be done in a queue.
        self._finalizer = weakref.finalize(self, thread.retire, self._ending)
        self._finalizer.atexit = False
        if errors is not None:
            errors.opened(self)
        if not self._is_still:
            self._open()

    def __repr__(self) -> str:
        closed = ", closed" if self.is_closed else ""
        return f"{type(self).__name__}({self._scene.title!r}{closed})"

    @property
    def widget(self) -> ViewWidget:
        """The model, to be put together with others: ``ipywidgets.HBox([view.widget, …])``."""
        return self._ending.widget or self._open()

    @property
    def framed(self) -> Any:
        """What a cell shows: the widget, or a box of it with what can be chosen above it."""
        return self.widget

    @property
    def is_closed(self) -> bool:
        """Whether the view was closed, here or by closing its widget."""
        return not self._finalizer.alive

    @property
    def is_live(self) -> bool:
        """Whether a page can show it, now or where it is opened."""
        widget = self._ending.widget
        return not self.is_closed and (widget is None or widget.is_open)

    @property
    def kind(self) -> str:
        """Which kind of view it is, such as ``"ladder"``."""
        return self._scene.kind

    @property
    def words(self) -> str:
        """What it is, such as ``"ladder of KXHIGHNY-26NOV22-B52.5"``."""
        return f"{self._scene.kind} of {self._scene.title}"

    @property
    def is_on_show(self) -> bool:
        """Whether it has a model, which a page may show and which goes on."""
        return self._ending.widget is not None and self.is_live

    def pause(self) -> None:
        """Stand still at what is shown now, and count what is missed; the feed goes on."""
        self.widget.hold(complete(self._scene))
        self._needs_whole = True
        self._thread.hurry()

    def resume(self) -> None:
        """Go on from now."""
        self.widget.hold(None)
        self._needs_whole = True
        self._thread.hurry()

    def close(self) -> None:
        """End the updates and leave a still table where the view was; more than once does nothing."""
        self._thread.unregister(self)
        self._finalizer()

    def snapshot(self, *, private: bool = False) -> Snapshot:
        """Return a still picture of now: a table that needs neither kernel nor script.

        Parameters
        ----------
        private : bool
            With what is one's own: orders, fills, positions. A notebook that shows it stores it.
        """
        return snapshot(self._scene, private=flag("private", private))

    # What the display thread calls -------------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Send the newest picture or, if it is time, a heartbeat. Called on the display thread."""
        widget = self._ending.widget
        if self.is_closed or widget is None:
            return False
        if not widget.is_open:  # ipywidgets.Widget.close_all(), for one
            self.close()
            return False
        if not self._may_send():
            return False
        now = time.monotonic()
        picture = complete(self._scene)
        self._needs_whole |= widget.is_unveiled or widget.is_whole_wanted
        is_news = self._needs_whole or (picture.version != self._sent.version and widget._held is None)  # noqa: SLF001
        if not is_news and not self._is_beat_due(picture, now):
            return False
        whole = self._needs_whole or now - self._whole_at >= WHOLE_SECONDS
        self._needs_whole = widget.is_whole_wanted = False  # first: who asks meanwhile asks for the next one
        try:
            whole = widget.send_next(picture, self._sent, whole=whole)
        except BaseException:
            self._needs_whole = True
            raise
        self._timetable.sent(now)
        self._sent, self._sent_at = picture, now
        if whole:
            self._whole_at = now
        return True

    def failed(self, error: BaseException) -> None:
        """Count what was raised. Called on the display thread."""
        if self._errors is not None:
            self._errors.note(error)

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news, unless none could be sent yet."""
        widget = self._ending.widget
        if widget is not None and widget.is_open and self._may_send():
            self._scene.watch(wake)

    def _may_send(self) -> bool:
        now = time.monotonic()
        widget = self.widget
        pace = self._host.hearing.pace(widget.model_id, self._opened, now, self._timetable.fastest)
        if widget.is_paused_on_page and pace.seconds < HEARTBEAT_SECONDS:
            pace = pace._replace(seconds=HEARTBEAT_SECONDS)
        if pace.whole or pace.seconds > self._timetable.fastest:
            self._needs_whole_again()
        return self._timetable.is_due(pace, now)

    def _needs_whole_again(self) -> None:
        # Where the rate is not its own, messages may have been missed, or nobody was there.
        self._whole_at = -WHOLE_SECONDS

    def _is_beat_due(self, picture: Any, now: float) -> bool:
        # What is closed stays as it is, so that there is nothing to tell a quiet market from.
        return picture.status != "closed" and now - self._sent_at >= HEARTBEAT_SECONDS

    # What a cell calls -------------------------------------------------------------------------------------------

    def mimebundle(self) -> dict[str, Any]:
        """Return what a cell shows: the live widget and, where there is none, a still table or plain text.

        Returns
        -------
        dict of str to Any
            Contents by MIME type. A front end takes the first it can show; once the view is closed, or where options
            or KALSHI_NB_RENDERER say so, only the still ones are left.
        """
        picture = wait_for_the_first(self._scene)
        text = {"text/plain": self._scene.text(picture)}
        if self._scene.options["renderer"] == "text":
            return text
        if self._is_still or not self.is_live:
            return text | {"text/html": self._scene.html(picture)}
        self._thread.register(self)  # it may have been stopped meanwhile, or have given this view up
        live = self.framed._repr_mimebundle_()
        bundle = live[0] if isinstance(live, tuple) else live or {}
        return bundle | text | {"text/html": self._scene.html(picture, STILL)}

    def show(self) -> None:
        """Show the view in the cell that runs; it is not shown once more as that cell's last expression."""
        self._publish()
        self._shown_by = self._host.run()

    def _publish(self) -> None:
        shown = self._host.publish(self.mimebundle(), self._ending.output)
        self._ending.is_shown |= shown and self.is_live and not self._is_still

    def _live_view(self, **options: Any) -> Self:
        """Return itself, as what ``kn.show()`` shows."""
        if options:
            raise UsageError(
                "A view has the options that it was made with: give them where it is asked for, such as "
                "feed.event('KXHIGHNY-26NOV22', sort='probability')."
            )
        return self

    def _ipython_display_(self) -> None:
        run, shown_by, self._shown_by = self._host.run(), self._shown_by, None
        if run is None or run != shown_by:
            self._publish()

    def _repr_mimebundle_(self, **_kinds: Any) -> dict[str, Any]:
        return self.mimebundle()

    def _display_(self) -> object:
        """Return what marimo shows: the widget alone, since it has none of ipywidgets' own that stand above one."""
        return self.widget if self.is_live and not self._is_still else self.snapshot()

    @property
    def _is_still(self) -> bool:
        return self._scene.options["renderer"] in ("html", "text")

    def _open(self) -> ViewWidget:
        self._host.attend()
        self._opened = self._sent_at = self._whole_at = time.monotonic()
        self._sent = complete(self._scene)
        widget = self._ending.widget = self.widget_class(self._scene, self._host)
        self._thread.register(self)
        return widget
