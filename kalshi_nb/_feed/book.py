"""Live order books: the kept ladder of a market, in dollars and contracts."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from kalshi_nb._clock import Clock
from kalshi_nb._engine.port import LadderReading
from kalshi_nb._feed.holders import Holders, Shared
from kalshi_nb._feed.standing import FeedStanding, unknown_market
from kalshi_nb._fixed_point import CONTRACT, DOLLAR
from kalshi_nb._foreign_names import Named, corrected_methods
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import shown
from kalshi_nb._rows.ladders import EndedLadder
from kalshi_nb._rows.ladders import Levels as IntegerLevels
from kalshi_nb._terminal import hanging
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import Blocking, Made, not_copied, real, setter, whole
from kalshi_nb._waiting import FORKED, Deadline
from kalshi_nb._widgets.ladder.presenter import LadderPresenter
from kalshi_nb._widgets.options import options
from kalshi_nb._widgets.showing import Views, displayed
from kalshi_nb.errors import (
    ConfigurationError,
    HandleClosedError,
    KalshiError,
    UsageError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from datetime import datetime

    import altair as alt
    import polars as pl

    from kalshi_nb._rows.market_facts import MarketFacts
    from kalshi_nb._widgets.ladder.picture import Fill, LadderPicture, Last, Order
    from kalshi_nb._widgets.view import LiveView, ViewWidget

__all__ = ["Book", "DepthWithin", "Top"]

_POLL: Final = 0.005

BOOK_VIEWS: Final = ("ladder", "depth")
"""The kinds of views that show a book."""

_BIDS: Final[tuple[float | None, ...]] = (None, *(price / DOLLAR for price in range(1, DOLLAR + 1)))
"""Dollars by the best YES bid as a ladder has it; there, 0 is none."""
_ASKS: Final[tuple[float | None, ...]] = (None, *((DOLLAR - price) / DOLLAR for price in range(1, DOLLAR + 1)))
"""YES dollars by the best NO bid."""


class Top(NamedTuple):
    """Best prices of one moment: YES dollars and contracts; None where a side is empty."""

    bid: float | None
    bid_size: float | None
    ask: float | None
    ask_size: float | None


class DepthWithin(NamedTuple):
    """Contracts near the best prices of one moment; 0.0 where a side is empty."""

    bid_size: float
    ask_size: float


@displayed
@corrected_methods
class Book(Made, Shared, Blocking, Named):
    """One market's live order book.

    Kalshi keeps two ladders of bids, YES and NO. A YES ask at 0.53 is a NO bid at 0.47, so ``ask`` here is one
    dollar less the best NO bid. Every reading is of one moment, from any thread. Made by
    :meth:`kalshi_nb.Feed.book`; as a cell's last expression it shows a ladder that moves.

    At the end of a ``with`` it is closed, unless it was asked for elsewhere, too: then it stays open, and a
    :class:`kalshi_nb.errors.HandleWarning` says so.

    A book that is closed, by itself, with its feed, or because the process was forked from the one that has the feed's
    threads, keeps what it had and says so.
    """

    __setattr__ = setter(
        instead="it follows the exchange; how many levels are shown is an argument, .depth(5) or .widget(5)"
    )

    _made_of = ("best_yes",)
    _asked_by = "feed.book('KXHIGHNY-26NOV22-B52.5')"

    def __init__(
        self,
        ladder: LadderReading,
        *,
        clock: Clock,
        release: Callable[[], None],
        on_read: Callable[[Callable[[], None]], None] = lambda _: None,
        standing: FeedStanding | None = None,
        facts: Callable[[], MarketFacts | None] = lambda: None,
        last: Callable[[], Last | None] = lambda: None,
        orders: Callable[[], tuple[Order, ...]] = tuple,
        fills: Callable[[], tuple[Fill, ...]] = tuple,
    ) -> None:
        self._told: dict[str, Any] = {"facts": facts, "last": last, "orders": orders, "fills": fills}
        self._ladder = ladder
        self._clock = clock
        self._on_read = on_read
        self._standing = standing
        self._release: Callable[[], None] | None = release
        self._is_closed = False
        self._holders = Holders()
        self._one_of: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._views = Views(BOOK_VIEWS, errors=None if standing is None else standing.view_errors)

    @property
    def market_ticker(self) -> str:
        """The market."""
        return self._ladder.market_ticker

    @property
    def status(self) -> str:
        """What the book may be trusted for.

        ``"connecting"``: no snapshot yet. ``"live"``: right. ``"stale"``: as it was before a gap in the data;
        it is being repaired. ``"unknown"``: acknowledged, but there is no such market. ``"closed"``: nothing
        moves it any more, since it or its feed was closed, or the feed's threads stayed with the process that this
        one was forked from.
        """
        over = self._standing is not None and self._standing.word
        return "closed" if over else self._ladder.status

    @property
    def top(self) -> Top:
        """Best bid and ask with their sizes, all of one moment."""
        yes, yes_size, no, no_size = self._ladder.top()
        return Top(
            _BIDS[yes],
            yes_size / CONTRACT if yes else None,
            _ASKS[no],
            no_size / CONTRACT if no else None,
        )

    @property
    def best_bid(self) -> float | None:
        """The highest price somebody pays for YES, in dollars."""
        return _BIDS[self._ladder.best_yes]

    @property
    def best_ask(self) -> float | None:
        """The lowest price somebody takes for YES, in dollars."""
        return _ASKS[self._ladder.best_no]

    @property
    def mid(self) -> float | None:
        """Halfway between best bid and best ask, in dollars; None when a side is empty."""
        yes, _, no, _ = self._ladder.top()
        return _mid(yes, no)

    @property
    def spread(self) -> float | None:
        """Best ask less best bid, in dollars; None when a side is empty."""
        yes, _, no, _ = self._ladder.top()
        return _spread(yes, no)

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask, and the exchange said so itself.

        A book that is crossed for a second is asked for anew, once. Where the exchange's own is like that, this one is
        right, and live; but no such spread is one to trade on. False while the book is not live.
        """
        yes, _, no, _ = self._ladder.top()
        return self._ladder.live and self._ladder.crossed and yes + no >= DOLLAR

    @property
    def imbalance(self) -> float | None:
        """(bid size - ask size) / (bid size + ask size) at the best prices, -1 to 1; None when a side is empty."""
        yes, yes_size, no, no_size = self._ladder.top()
        return (yes_size - no_size) / (yes_size + no_size) if yes and no else None

    @property
    def as_of(self) -> datetime | None:
        """When the newest change was received, UTC; None before the first snapshot."""
        changed = self._ladder.changed_at
        return datetime_of(changed) if changed else None

    def levels(self, side: str) -> list[tuple[float, float]]:
        """Return all bids of one side, best first.

        Parameters
        ----------
        side : str
            ``"yes"``: YES bids in YES dollars. ``"no"``: NO bids in NO dollars.

        Returns
        -------
        list of (float, float)
            Price in dollars and size in contracts.

        Raises
        ------
        ConfigurationError
            When `side` is neither.
        """
        if not isinstance(side, str) or side not in ("yes", "no"):
            raise ConfigurationError(f"side is {shown(side)}; it is 'yes' or 'no'. Asks for YES are the bids for NO.")
        yes, no = self._ladder.levels()
        return [(price / DOLLAR, size / CONTRACT) for price, size in (yes if side == "yes" else no)]

    def depth(self, levels: int = 10) -> pl.DataFrame:
        """Return the best levels of both sides as a frame.

        Parameters
        ----------
        levels : int
            Rows, at most.

        Returns
        -------
        polars.DataFrame
            ``level`` (1 is best), ``bid_size``, ``bid``, ``ask``, ``ask_size``, ``spread``, ``mid``: YES dollars and
            contracts; null where one side has fewer levels than the other.
        """
        import polars as pl  # noqa: PLC0415  # importing a feed does not need it yet

        levels = whole("levels", levels, "give how many rows you want, such as 10")
        yes, no = self._ladder.levels()
        rows = min(levels, max(len(yes), len(no)))
        bids, asks = _padded(yes, rows), _padded(no, rows)
        return pl.DataFrame(
            {
                "level": range(1, rows + 1),
                "bid_size": [size / CONTRACT if size else None for _, size in bids],
                "bid": [price / DOLLAR if price else None for price, _ in bids],
                "ask": [(DOLLAR - price) / DOLLAR if price else None for price, _ in asks],
                "ask_size": [size / CONTRACT if size else None for _, size in asks],
                "spread": [_spread(yes, no) for (yes, _), (no, _) in zip(bids, asks, strict=True)],
                "mid": [_mid(yes, no) for (yes, _), (no, _) in zip(bids, asks, strict=True)],
            },
            schema={
                "level": pl.Int64,
                "bid_size": pl.Float64,
                "bid": pl.Float64,
                "ask": pl.Float64,
                "ask_size": pl.Float64,
                "spread": pl.Float64,
                "mid": pl.Float64,
            },
        )

    def depth_within(self, distance: float) -> DepthWithin:
        """Return how many contracts rest on each side no further than `distance` from that side's best price.

        ``book.depth_within(0.05)``: bids from the best bid down to 5 cents less, asks from the best ask up to 5 cents
        more, both ends included. A side without orders has 0.0 contracts; each side goes by its own best price, so the
        other one is what it would be anyway. What a book that is not ``"live"`` had before its gap is told as it was.

        Parameters
        ----------
        distance : float or Decimal
            Dollars, 0 to 1; 0 is the best price alone.

        Returns
        -------
        DepthWithin
            ``(bid_size, ask_size)``, in contracts, of one moment.

        Raises
        ------
        ConfigurationError
            When `distance` is no number of dollars from 0 to 1.
        """
        parts = _distance(distance)
        yes, no = self._ladder.levels()
        return DepthWithin(_within(yes, parts), _within(no, parts))

    def plot_depth(self, levels: int | None = None) -> alt.LayerChart:
        """Return a still picture of the book, an Altair chart: contracts from each best price outwards, added up.

        Bids are blue, asks orange and dashed, in cents for YES. A side without orders is left empty, and the line
        below the title says so, as it says what the book may be trusted for.

        Parameters
        ----------
        levels : int, optional
            Best levels a side; all of them where it is left out.

        Returns
        -------
        altair.LayerChart
            Holds its data, and making it asks no network for anything; how it is shown is altair's affair.

        Raises
        ------
        MissingPackageError
            When altair is not installed; it gives the command that installs it.
        ConfigurationError
            When `levels` is not a positive whole number.
        """
        from kalshi_nb._frames.files import require  # noqa: PLC0415  # polars loads when it is needed

        refuse_without_polars("plot_depth()")
        require("altair", doing="plot_depth()")
        from kalshi_nb._frames.depth_plot import depth_plot  # noqa: PLC0415  # altair may not be there

        most = None if levels is None else whole("levels", levels, "give how many levels a side, such as 10")
        yes, no = self._ladder.levels()
        bids = [(price, size) for price, size in yes[:most]]
        asks = [(DOLLAR - price, size) for price, size in no[:most]]
        return depth_plot(self.market_ticker, self.status, bids, asks)

    def wait(self, timeout: float | None = 10.0) -> Book:
        """Wait until the book is live, and return it.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait at most; None for as long as it takes.

        Raises
        ------
        WaitTimeoutError
            When it is not live by then; it says what is the matter.
        SubscriptionError
            At once, when the exchange knows no such market.
        FeedClosedError, HandleClosedError, ForkedError
            At once, when it never will be: the feed or the book is closed, or its threads stayed with the process that
            this one was forked from.
        AuthenticationError
            When the exchange refuses the credentials and no time-out was given.
        ConfigurationError
            When `timeout` is no time.
        """
        refuse_on("io", "pipeline", doing="book.wait()", instead="Call it in a cell")
        self._wait(Deadline(timeout))
        return self

    def _wait(self, deadline: Deadline) -> None:
        while self.status != "live":
            ended = self._ended(deadline)
            if ended is not None:
                raise ended
            if deadline.is_over:
                raise WaitTimeoutError(self._still(deadline))
            time.sleep(_POLL)

    def _ended(self, deadline: Deadline) -> KalshiError | None:
        """Return why the book will not be live, or not before something that who waits may never see."""
        standing = self._standing
        ended = None if standing is None else standing.ended()
        if ended is not None:
            return ended
        status = self.status
        if status == "unknown":
            return unknown_market([self.market_ticker])
        if status == "closed":
            return HandleClosedError(
                f"The book of {self.market_ticker} is closed; what it holds can be read. Ask the feed for it again: "
                f"feed.book({self.market_ticker!r})."
            )
        return standing.refused() if standing is not None and deadline.is_endless else None

    def close(self) -> None:
        """Let the book go: the exchange stops sending it, unless another handle wants it; idempotent."""
        if not self._is_closed:
            # Another handle may want the market, whose ladder then goes on; this book stays as it is now.
            self._ladder = EndedLadder(self._ladder, self._clock.now_us())
            if "_presenter" in self.__dict__:
                self._presenter.end(self._ladder)
            self._is_closed = True
        if self._release is not None and not self._is_forked:
            self._release()  # broken off by Ctrl-C, it is called again by the next close
            self._release = None
        self._views.close()
        for books in list(self._one_of.values()):
            books._one_closed()  # noqa: SLF001  # theirs is the other end

    def _called(self) -> str:
        return f"The book of {self.market_ticker}"

    @property
    def _is_forked(self) -> bool:
        return self._standing is not None and self._standing.is_forked

    @property
    def nbytes(self) -> int:
        """About how many bytes its levels take."""
        return self._ladder.nbytes

    def _still(self, deadline: Deadline) -> str:
        why = {
            "connecting": "no snapshot of it came",
            "stale": f"its data has a gap ({self._ladder.reason}) that is not repaired yet",
        }.get(self._ladder.status, "it is not live")
        standing = self._standing
        matter = "" if standing is None else standing.link() or standing.stillness()
        return f"{self.market_ticker} is not live after {deadline}: {why}. {matter or 'Look at feed.health().'}"

    def widget(self, levels: int | None = None, **options: Any) -> ViewWidget:
        """Return the ladder as a widget, to be put together with others: ``ipywidgets.HBox([book.widget(), …])``.

        Parameters
        ----------
        levels : int, optional
            Rows a side of a ladder, 1 to 100; 10 unless told.
        **options
            ``view="depth"`` for a depth chart; ``side``, ``grid``, ``group``, ``total``, ``unit`` and all else that
            :func:`kalshi_nb.show` takes.

        Returns
        -------
        anywidget.AnyWidget
            The same one for the same options, until it is closed; it moves until the book is closed.

        Raises
        ------
        HandleClosedError
            When the book is closed: what it had is shown by ``book`` itself.
        UsageError
            When there is no such option; the nearest is named.
        ConfigurationError
            When a value will not do.
        """
        if self.status == "closed":
            raise HandleClosedError(
                f"The book of {self.market_ticker} is closed, and nothing moves a widget of it; show the book itself."
            )
        rows = {} if levels is None else {"levels": levels}
        return self._live_view(**rows, **options).widget

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options, a still one of a book that nothing moves any more."""
        if self._is_still:
            return Views(BOOK_VIEWS).get(self._last_presenter(), options | {"renderer": "html"})
        return self._views.get(self._presenter, options)

    def _last_presenter(self) -> LadderPresenter:
        """Return what makes pictures of the ladder as it is here, where the threads that move it are not."""
        if self._is_closed:
            return self._presenter
        ended = EndedLadder(self._ladder, self._clock.now_us())
        return LadderPresenter(self.market_ticker, ended, self._clock, note=FORKED, **self._told)

    @cached_property
    def _presenter(self) -> LadderPresenter:
        """What makes pictures of the ladder; one, since it remembers how many decimals there were."""
        return LadderPresenter(self.market_ticker, self._ladder, self._clock, self._on_read, **self._told)

    @property
    def _is_still(self) -> bool:
        """Whether the book is as it will be, here at least."""
        return self._is_closed or self._is_forked

    def _shown_by(self) -> LadderPresenter:
        """Return what makes pictures of it now."""
        return self._last_presenter() if self._is_still else self._presenter

    def _picture(self, levels: int) -> LadderPicture:
        """Return what is to be seen of it now."""
        return self._shown_by().picture(levels)

    def __repr__(self) -> str:
        from kalshi_nb._widgets.ladder.text import ladder_line  # noqa: PLC0415  # only when it is looked at

        picture = self._picture(1)
        line = ladder_line(picture, unit=options.unit)
        told = picture.note if picture.status == "closed" else ""
        if self.crossed:
            told = "crossed: so the exchange says itself"
        ticker, between, rest = (f"{line}  ({told})" if told else line).partition("  ")
        return hanging(ticker + between, rest)

    def _held_by(self, books: Any) -> None:
        """Have the books that it is one of told when it is closed, for as long as somebody has them."""
        self._one_of[id(books)] = books  # a mapping has no hash

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "pass on .top, .depth() or .levels('yes'), which are data")

    def __getitem__(self, key: object) -> NoReturn:
        raise UsageError("A book is no table; its levels are .levels('yes'), .levels('no') and .depth(), a frame.")

    def __iter__(self) -> NoReturn:
        raise UsageError("A book has two sides: go through .levels('yes') and .levels('no'), or .depth(), a frame.")

    def __contains__(self, value: object) -> NoReturn:
        raise UsageError("A book has two sides: look in .levels('yes') and .levels('no'), or in .depth(), a frame.")

    def __len__(self) -> int:
        raise UsageError("A book has two sides, and no length: len(book.levels('yes')), or book.depth().height.")

    def __bool__(self) -> bool:
        # A handle is there even while no order is.
        return True


def _mid(yes: int, no: int) -> float | None:
    return (yes + DOLLAR - no) / (2 * DOLLAR) if yes and no else None


def _spread(yes: int, no: int) -> float | None:
    # Of integers: of two floats, 0.48 less 0.46 is not 0.02.
    return (DOLLAR - no - yes) / DOLLAR if yes and no else None


def _distance(distance: object) -> int:
    """Return a distance in the ladder's parts of a dollar."""
    dollars = float(distance) if isinstance(distance, Decimal) and distance.is_finite() else real(distance)
    if not 0 <= dollars <= 1:
        raise ConfigurationError(
            f"depth_within({shown(distance)}): give dollars from 0 to 1, such as 0.05 for 5 cents from the best price."
        )
    return round(dollars * DOLLAR)


def _within(levels: IntegerLevels, parts: int) -> float:
    # Of integers: of floats, 0.48 less 0.05 is less than 0.43. The best price is first.
    return sum(size for price, size in levels if levels[0][0] - price <= parts) / CONTRACT


def _padded(levels: IntegerLevels, rows: int) -> IntegerLevels:
    return levels[:rows] + [(0, 0)] * (rows - len(levels))
