"""A picker of markets: words are typed, markets that they name proposed, tickers of those that are chosen handed on.

It is made of ipywidgets alone: what it shows has to be asked for, so that nothing of it could go on while a cell
computes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import ipywidgets
import traitlets

from kalshi_nb._usage import not_copied
from kalshi_nb._widgets import numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MarketPicker"]

_STILL: Final = 0.3
"""Seconds without a key after which the words are looked for: what is half typed need not be asked for."""

_ROWS: Final = 10
_NONE: Final = "\N{EN DASH}"
_INVITES: Final = "Type what it is about, such as: weather new york"


class _Proposal(NamedTuple):
    """A market that can be chosen."""

    ticker: str
    text: str


class MarketPicker(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Searches markets as words are typed, and has the tickers of those that are chosen.

    Made by :meth:`kalshi_nb.Feed.picker`. Several are chosen with Ctrl or Shift, and stay chosen, on top of the list,
    while other words are typed.

    Parameters
    ----------
    search : callable
        Called with words, returns a frame of the markets that they name, best first.
    query : str
        The words to begin with.

    Attributes
    ----------
    market_tickers : tuple of str
        Those that are chosen; to be told of each change, ``picker.observe(function, "market_tickers")``.
    market_ticker : str or None
        The one that was chosen first.
    query : str
        The words; they can be set.
    """

    market_tickers = traitlets.Tuple(read_only=True)

    # What is typed and chosen comes on the thread that runs cells; what was found is shown on the thread that looked
    # for it. A list that is shown anew forgets what was chosen in it, and whoever shows it sets that again: these two
    # are one step, with the lock, and what the widgets say of it meanwhile is not somebody's choice.

    def __init__(self, search: Callable[[str], pl.DataFrame], query: str = "") -> None:
        wide, full = ipywidgets.Layout(width="480px", max_width="100%"), ipywidgets.Layout(width="100%")
        self._search: Callable[[str], pl.DataFrame] | None = search
        self._lock = threading.RLock()
        self._is_told = False
        self._is_looking = False
        self._wanted, self._changed_at = "", 0.0
        self._texts: dict[str, str] = {}
        self._words = ipywidgets.Text(
            description="Markets", placeholder="weather new york", continuous_update=True, layout=wide
        )
        self._said = ipywidgets.Label(_INVITES)
        self._list = ipywidgets.SelectMultiple(rows=_ROWS, layout=full)
        self._made = [self._words, self._said, self._list, wide, full]
        self._made += [*(each.style for each in (self._words, self._said, self._list)), self._said.layout]
        super().__init__([self._words, self._said, self._list])
        self._words.observe(self._typed, "value")
        self._list.observe(self._chosen, "value")
        self._words.value = query

    @property
    def query(self) -> str:
        """The words that are looked for."""
        return str(self._words.value)

    @query.setter
    def query(self, words: str) -> None:
        self._words.value = words

    @property
    def market_ticker(self) -> str | None:
        """The ticker that was chosen first; None where none is."""
        return self.market_tickers[0] if self.market_tickers else None

    @property
    def is_over(self) -> bool:
        """Whether it looks for nothing any more."""
        return self._search is None

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until what was typed has been looked for; return whether it has.

        Parameters
        ----------
        timeout : float
            For so many seconds at most.
        """
        until = time.monotonic() + timeout
        while self._is_looking and time.monotonic() < until:
            time.sleep(0.01)
        return not self._is_looking

    def close(self) -> None:
        """End it; what was chosen can still be read."""
        self._search = None
        for each in [*self._made, self.layout]:
            each.close()
        super().close()

    def freeze(self) -> None:
        """Look for nothing more, and say so: the feed is closed."""
        self._search = None
        with self._lock:
            self._words.disabled = self._list.disabled = True
            self._said.value = "The feed is closed."

    def __repr__(self) -> str:
        found = f"{len(self._texts):,} found" if self.query.strip() else "nothing typed"
        chosen = f", chosen: {', '.join(self.market_tickers)}" if self.market_tickers else ""
        return f"<MarketPicker {numbers.clean(self.query)!r}: {found}{chosen}>"

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "its market_tickers")

    # What is typed ------------------------------------------------------------------------------------

    def _typed(self, change: dict[str, Any]) -> None:
        with self._lock:
            self._wanted, self._changed_at = str(change["new"]).strip(), time.monotonic()
            if self._is_looking or self._search is None:
                return
            self._is_looking = True
        threading.Thread(target=self._look, name="kalshi-picker", daemon=True).start()

    def _look(self) -> None:
        """Look for what is wanted, until that is what was found."""
        while True:
            while (rest := self._changed_at + _STILL - time.monotonic()) > 0:
                time.sleep(rest)
            words, search = self._wanted, self._search
            self._say("Searching …" if words else _INVITES)
            found, said = self._found(search, words)
            with self._lock:
                if self._search is None or words == self._wanted:
                    if self._search is not None:
                        self._show(found, said)
                    self._is_looking = False
                    return

    def _found(self, search: Callable[[str], pl.DataFrame] | None, words: str) -> tuple[list[_Proposal], str]:
        """Return what was found, and what there is to be said of it."""
        if search is None or not words:
            return [], _INVITES
        try:
            frame = search(words)
        except Exception as problem:  # noqa: BLE001  # said where it was typed, and typed again it may go better
            return [], numbers.clean(str(problem) or type(problem).__name__)
        if frame.is_empty():
            return [], f"No open market is named so: {numbers.clean(words)}"
        columns = "market_ticker", "event_title", "title", "subtitle", "yes_bid", "yes_ask"
        found = [_Proposal(ticker, _told(ticker, *others)) for ticker, *others in frame.select(columns).iter_rows()]
        return found, f"{len(found):,} markets; Ctrl or Shift chooses several"

    def _say(self, text: str) -> None:
        with self._lock:
            if self._search is not None:
                self._said.value = text

    # What is chosen -----------------------------------------------------------------------------------

    def _show(self, found: Iterable[_Proposal], said: str) -> None:
        chosen = self.market_tickers
        self._texts = {each: self._texts[each] for each in chosen} | dict(found)
        self._is_told = True
        try:
            self._list.options = tuple((text, ticker) for ticker, text in self._texts.items())
            self._list.value = chosen
            self._said.value = said
        finally:
            self._is_told = False

    def _chosen(self, change: dict[str, Any]) -> None:
        with self._lock:
            if self._is_told:
                return
            now = tuple(map(str, change["new"]))
            # In the order in which they were chosen, which the list does not know.
            kept = [each for each in self.market_tickers if each in now]
            fresh = [each for each in now if each not in kept]
        self.set_trait("market_tickers", (*kept, *fresh))


def _told(
    ticker: str, event: str | None, title: str | None, subtitle: str | None, bid: float | None, ask: float | None
) -> str:
    """Return what says of a market what it is, what it costs, and its ticker."""
    words = event if event and subtitle else title
    cost = "/".join(
        "\N{EN DASH}" if each is None else numbers.price(each, numbers.needed(each)) for each in (bid, ask)
    )
    return " · ".join(numbers.clean(each) for each in (words, subtitle, cost, ticker) if each)
