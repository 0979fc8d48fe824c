"""How far something long is, in the cell that it runs in: a bar and a line, and in the end the line alone."""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from kalshi_nb._widgets.display import display
from kalshi_nb._widgets.host import host

__all__ = ["ProgressView"]

_EVERY: Final = 0.25
"""Seconds between two messages; nobody reads faster."""


class ProgressView:
    """A bar in the output of the cell that runs.

    Whoever works says how far it is, from any thread and as often as it likes; the display thread sends that, at most
    four times a second. The cell itself is busy meanwhile, so all that happens happens in the kernel.

    Parameters
    ----------
    title : str
        What it is about.
    """

    def __init__(self, title: str) -> None:
        from ipywidgets import HTML  # noqa: PLC0415  # it begins a comm, which only a page wants

        self._title = title
        self._share, self._text = 0.0, "…"
        self._shown: tuple[float, str] | None = None
        self._sent_at = 0.0
        self._output = secrets.token_hex(8)
        self._widget: Any = HTML(self._html())
        bundle = {**self._widget._repr_mimebundle_(), "text/plain": self._line()}  # as front ends ask
        host.publish(bundle, self._output)
        display.register(self)

    def tell(self, share: float, text: str) -> None:
        """Have it show how far it is.

        Parameters
        ----------
        share : float
            From 0 to 1.
        text : str
            The same in words.
        """
        self._share, self._text = share, text

    def refresh(self) -> bool:
        """Send what is new; on the display thread."""
        now = time.monotonic()
        there = (self._share, self._text)
        if there == self._shown or now - self._sent_at < _EVERY:
            return False
        self._shown, self._sent_at = there, now
        self._widget.value = self._html()
        return True

    def watch(self, wake: Callable[[], None]) -> None:
        """Have nobody called: it is asked in each round."""

    def close(self) -> None:
        """Leave the line in its place, which stays when the notebook is saved."""
        display.unregister(self)
        for each in (self._widget, self._widget.layout, self._widget.style):  # the latter do not go with it
            display.retire(each)
        still = {"text/plain": self._line(), "text/html": f"<div>{html.escape(self._line())}</div>"}
        host.publish(still, self._output, update=True)

    def _line(self) -> str:
        return f"{self._title}: {self._text}"

    def _html(self) -> str:
        title, text = html.escape(self._title, quote=True), html.escape(self._text)
        return (
            f'<progress max="1" value="{self._share:.4f}" aria-label="{title}" style="width:16em"></progress> '
            f"{title}: {text}"
        )
