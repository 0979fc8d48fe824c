"""The feed: what a notebook holds of an exchange."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from kalshi_nb._attached import Attached
from kalshi_nb._auth import Credentials
from kalshi_nb._book import Book, Books
from kalshi_nb._clock import Clock
from kalshi_nb._health import Health, health_of
from kalshi_nb._link.engine import Engine, LinkState
from kalshi_nb._session.state import Reject
from kalshi_nb._streams.branch import Pipeline
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._threads import FEED_ROLES, refuse_on, role
from kalshi_nb._wire.rows import CHANNELS
from kalshi_nb._wishes import BOOKS, Closer, MarketTickers, Wishes, check_channel, check_tickers
from kalshi_nb.errors import MarketTickerError, PipelineWarning

if TYPE_CHECKING:
    import polars as pl
    from streamz import Stream

    from kalshi_nb._frames.frame import Frame

__all__ = ["DEFAULT_OPTIONS", "Feed", "Options"]

Callback = TypeVar("Callback", bound=Callable[..., Any])

_NAMES: Final = {"trade": "trades", "ticker": "tickers", BOOKS: "deltas", "market_lifecycle_v2": "lifecycle"}


@dataclass(frozen=True)
class Options:
    """What a feed was made with, beside its address and key."""

    flush_interval: float = 0.05
    max_pending_rows: int = 1_000_000


DEFAULT_OPTIONS: Final = Options()


class Feed:
    """A running connection to one exchange, with everything that is kept of it.

    Made by :func:`kalshi_nb.connect`. Frames, books and pipelines are asked for here; the same call gives the
    same handle, so that a cell can be run again. A feed is a context manager, and ends with :meth:`close`.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        options: Options = DEFAULT_OPTIONS,
        exchange: Any = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.url = url
        self.options = options
        self.exchange = exchange
        """The simulated exchange in this process, None when there is a real one."""
        self._clock = clock
        self._on_close = on_close
        self._engine = Engine(url, credentials, clock=clock)
        self._pipelines = Pipelines(
            self._engine.take,
            CHANNELS,
            clock,
            flush_interval=options.flush_interval,
            max_pending_rows=options.max_pending_rows,
        )
        self._wishes = Wishes(self._engine)
        self._attached = Attached(self._pipelines, self._wishes)
        self._lock = threading.RLock()
        self._frames: dict[object, Frame] = {}
        self._books: dict[str, Book] = {}

    def open(self, timeout: float) -> None:
        """Dial, and wait for the first handshake; :func:`kalshi_nb.connect` does this."""
        self._engine.start(timeout)
        self._pipelines.start()
        if self.exchange is not None:
            self.exchange.attach(self)

    # Frames ---------------------------------------------------------------------------------------------

    def trades(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
    ) -> Frame:
        """Return a rolling frame of trades.

        Parameters
        ----------
        market_tickers : str or iterable of str, optional
            One market, several, or, when None, what the feed receives of this channel: all markets unless
            some were asked for already.
        rows : int, optional
            Most rows to keep; 100,000 when neither `rows` nor `seconds` is given.
        seconds : float, optional
            Keep rows received at most so long ago.
        exact : bool
            Prices and counts as Decimal instead of Float64.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, yes_price, count, taker_outcome_side, taker_book_side, no_price,
            is_block_trade, trade_id, received_at, seq``; dollars and contracts.

        Raises
        ------
        MarketTickerError
            When a ticker is empty or not a string.
        SubscriptionError
            When the exchange refuses.
        FeedClosedError
            When the feed is closed.

        Notes
        -----
        Source: Kalshi's channel ``trade``. It has sequence numbers, so lost trades show in :attr:`gaps`.
        """
        return self._frame("trade", market_tickers, rows, seconds, exact=exact)

    def tickers(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
    ) -> Frame:
        """Return a rolling frame of tickers: one whole row whenever a market's best prices or totals change.

        Parameters, errors and units as for :meth:`trades`.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, price, yes_bid, yes_ask, volume, open_interest, yes_bid_size,
            yes_ask_size, last_trade_size, dollar_volume, dollar_open_interest, received_at``. No bid, no ask
            and no last price are null. ``.latest()`` is the present state of each market.

        Notes
        -----
        Source: Kalshi's channel ``ticker``. It has no sequence numbers, so a lost row cannot be seen.
        """
        return self._frame("ticker", market_tickers, rows, seconds, exact=exact)

    def deltas(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
    ) -> Frame:
        """Return a rolling frame of the changes of books.

        Parameters, errors and units as for :meth:`trades`, but markets must be named, since the exchange has
        no channel of all books; None takes the books that were asked for already.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, side, price, delta, client_order_id, received_at, seq``; ``delta`` is
            the signed change of the level at ``price``, which is a NO price where ``side`` is "no".

        Notes
        -----
        Source: Kalshi's channel ``orderbook_delta``.
        """
        return self._frame(BOOKS, market_tickers, rows, seconds, exact=exact)

    # Books ----------------------------------------------------------------------------------------------

    def book(self, market_ticker: str) -> Book:
        """Return the live order book of one market.

        Raises
        ------
        MarketTickerError
            When the ticker is empty or not a string.
        SubscriptionError
            When the exchange refuses it.

        Notes
        -----
        Returns when the exchange has acknowledged, which is before the book is there: see ``book.wait()``.
        A market that does not exist is acknowledged, too, and then has the status ``"unknown"``.
        """
        if not isinstance(market_ticker, str):
            raise MarketTickerError(
                f"book() takes one market's ticker as text, not a {type(market_ticker).__name__}; "
                "for several markets use books([…])."
            )
        return self.books([market_ticker])[market_ticker.strip()]

    def books(self, market_tickers: Iterable[str]) -> Books:
        """Return the live order books of several markets, a mapping from ticker to :class:`Book`.

        Raises
        ------
        MarketTickerError
            When a ticker is empty or not a string, or there is none.
        SubscriptionError
            When the exchange refuses one.
        """
        self._tell()
        wanted = check_tickers(market_tickers)
        if wanted is None:
            raise MarketTickerError("books() needs market tickers: books(['KXHIGHNY-26NOV22-B52.5', …]).")
        with self._lock:
            new = [each for each in sorted(wanted) if each not in self._books]
            for ladder, close in self._wishes.ladders(new) if new else ():
                self._books[ladder.market_ticker] = Book(
                    ladder,
                    clock=self._clock,
                    link_down=self._link_down,
                    release=self._book_closer(ladder.market_ticker, close),
                )
            return Books(self._books[each] for each in sorted(wanted))

    def _book_closer(self, market_ticker: str, close: Closer) -> Closer:
        def close_book() -> None:
            with self._lock:
                self._books.pop(market_ticker, None)
            close()

        return close_book

    # Pipelines ------------------------------------------------------------------------------------------

    def stream(self, channel: str, market_tickers: MarketTickers = None, *, exact: bool = False) -> Stream:
        """Return a ``streamz.Stream`` of polars DataFrames, one a batch, to build a pipeline on.

        Batches come on the feed's thread for user code. Keep the last node in a variable, such as
        ``big = feed.stream("trade").map(large).rolling_frame()``: a pipeline that nobody holds goes away,
        unless it ends in a ``sink``. When the cell runs again, its earlier pipelines are closed.

        Parameters
        ----------
        channel : str
            ``trade``, ``ticker``, ``orderbook_delta`` or ``market_lifecycle_v2``.
        market_tickers : str or iterable of str, optional
            As for :meth:`trades`.
        exact : bool
            Prices and counts as Decimal instead of Float64.

        Raises
        ------
        UnknownChannelError
            When there is no such channel; the message lists those there are.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`trades`.
        """
        self._tell()
        check_channel(channel)
        tickers = check_tickers(market_tickers)
        return self._attached.begin(
            channel,
            tickers,
            lambda close: self._pipelines.stream(channel, tickers, exact=exact, on_close=close),
        )

    def messages(self, channel: str, market_tickers: MarketTickers = None) -> Stream:
        """Return a ``streamz.Stream`` of lists of typed messages, one list a batch.

        The messages are those of :mod:`kalshi_nb.messages`: numbers in dollars and contracts, times in UTC.
        Parameters, errors and lifetime as for :meth:`stream`.
        """
        self._tell()
        check_channel(channel)
        tickers = check_tickers(market_tickers)
        return self._attached.begin(
            channel, tickers, lambda close: self._pipelines.messages(channel, tickers, on_close=close)
        )

    def on(self, channel: str, market_tickers: MarketTickers = None) -> Callable[[Callback], Callback]:
        """Have a function called with each message of a channel, on the feed's thread for user code.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> @feed.on("trade")
        ... def seen(trade):
        ...     print(trade.market_ticker, trade.yes_price, trade.count)
        >>> feed.close()

        A function of the same name takes the place of the one before, so the cell can be run again.
        Parameters and errors as for :meth:`messages`.
        """
        self._tell()
        check_channel(channel)
        tickers = check_tickers(market_tickers)

        def attach(function: Callback) -> Callback:
            self._attached.call(channel, tickers, function)
            return function

        return attach

    @property
    def pipelines(self) -> list[Pipeline]:
        """What is attached by :meth:`stream`, :meth:`messages` and :meth:`on`; each has a ``close()``."""
        self._tell()
        return self._pipelines.pipelines

    # How it is doing ------------------------------------------------------------------------------------

    @property
    def state(self) -> LinkState:
        """``connecting``, ``connected``, ``reconnecting``, ``refused`` or ``closed``."""
        return self._engine.state

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which this computer's clock is ahead of the exchange's; None where it did not say."""
        return self._engine.clock_skew

    @property
    def gaps(self) -> pl.DataFrame:
        """Every hole in the data, oldest first.

        Returns
        -------
        polars.DataFrame
            ``channel``; ``market_ticker`` (null: all of the subscription's); ``opened_at``, ``closed_at``
            (null while it is open; for books it ends when all of them are right again, elsewhere when data
            goes on); ``reason``; ``seq_from``, ``seq_to`` (the missing sequence numbers, both included);
            ``repaired_by`` (``get_snapshot``, ``resubscribe``, ``reconnect``; null where nothing brought
            back what was lost).
        """
        from kalshi_nb._frames.gaps import gap_frame  # noqa: PLC0415  # polars loads when it is needed

        self._tell()
        return gap_frame(self._engine.session.gaps.snapshot())

    @property
    def rejects(self) -> list[Reject]:
        """The newest 100 frames that meant nothing, each with the reason and its first bytes."""
        self._tell()
        return list(self._engine.session.rejects.copy())

    def health(self) -> Health:
        """Return how the feed is doing: state, rates, lag, ages, errors."""
        self._tell()
        return health_of(self._engine, self._pipelines, self._clock.now_us())

    # What a simulated exchange asks of a feed -------------------------------------------------------------

    def local_port(self) -> int | None:
        """Return this side's port of the connection, None while there is none."""
        return self._engine.local_port()

    def frames_received(self) -> int:
        """Return how many frames of the present connection were received and applied."""
        return self._engine.frames_received

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until all rows received so far are in their frames, and have been through your pipelines.

        Raises
        ------
        WaitTimeoutError
            When that takes more than `timeout` seconds.
        """
        self._pipelines.flush(timeout)

    # The end ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the feed and its threads within about 2 s; frames and books stay readable. Idempotent."""
        refuse_on(*FEED_ROLES, doing="feed.close()", instead="Close it in a cell, or set a flag that a cell looks at")
        if self.exchange is not None:
            self.exchange.detach(self)
        self._engine.close()
        self._pipelines.stop()
        self._attached.close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        markets = ", ".join(
            f"{each.channel} {'all markets' if each.all_markets else len(each.market_tickers)}"
            for each in list(self._engine.session.subscriptions.values())
            if each.requests
        )
        return f"<Feed {self.url} {self.state}{': ' + markets if markets else ''}>"

    # Inside ----------------------------------------------------------------------------------------------

    def _frame(
        self,
        channel: str,
        market_tickers: MarketTickers,
        rows: int | None,
        seconds: float | None,
        *,
        exact: bool,
    ) -> Frame:
        self._tell()
        tickers = check_tickers(market_tickers)
        key = (channel, tickers, rows, seconds, exact)
        with self._lock:
            found = self._frames.get(key)
            if found is not None:
                return found
            closers: list[Closer] = []

            def close() -> None:
                with self._lock:
                    self._frames.pop(key, None)
                for each in closers:
                    each()

            # Attached before it is asked for, so that the first rows find it.
            frame = self._pipelines.frame(
                channel, tickers, rows=rows, seconds=seconds, exact=exact, name=_NAMES[channel], on_close=close
            )
            try:
                closers.append(self._wishes.rows(channel, tickers))
            except BaseException:
                frame.close()
                raise
            self._frames[key] = frame
            return frame

    def _link_down(self) -> str:
        if self.state == "connected":
            return ""
        return f"The link is {self.state}: {self._engine.last_error or 'no connection'}"

    def _tell(self) -> None:
        """Say on the main thread what went wrong in the user's pipelines since the last call."""
        if role() is None and threading.current_thread() is threading.main_thread():
            for text in self._pipelines.take_notices():
                warnings.warn(text, PipelineWarning, stacklevel=3)
