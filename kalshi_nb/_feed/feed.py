"""The feed: what a notebook holds of an exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from kalshi_nb._feed.account_frames import AccountFrames
from kalshi_nb._feed.book import Book, Books
from kalshi_nb._feed.demand import Closer, MarketTickers, check_channel, check_tickers
from kalshi_nb._rows.channels import BOOKS
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._streams.pipeline import Pipeline
from kalshi_nb.errors import MarketTickerError

if TYPE_CHECKING:
    from streamz import Stream

    from kalshi_nb._feed.frame import Frame

__all__ = ["Feed"]

Callback = TypeVar("Callback", bound=Callable[..., Any])


class Feed(AccountFrames):
    """A running connection to one exchange, with everything that is kept of it.

    Made by :func:`kalshi_nb.connect`. Frames, books and pipelines are asked for here; the same call gives the
    same handle, so that a cell can be run again. A feed is a context manager, and ends with :meth:`close`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._books: dict[str, Book] = {}

    # Frames ---------------------------------------------------------------------------------------------

    def trades(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
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
        gaps : bool
            Add a last column ``gap``, true on each market's first row after a hole of the channel, a lost
            connection included. The market of a lost row is not known, so every market's next row is marked.

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
        return self._frame("trade", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def tickers(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
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
        return self._frame("ticker", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def deltas(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
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
        return self._frame(BOOKS, market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def quotes(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
    ) -> Frame:
        """Return a rolling frame of best bids and asks: one row whenever a price or a size at the top changes.

        Parameters and errors as for :meth:`deltas`: markets must be named, or None takes those whose books
        were asked for already.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, bid, bid_size, ask, ask_size, mid, spread, received_at, seq, status``;
            dollars and contracts, in YES prices, ``mid`` exact to half a tick. A side without orders is null.
            ``status`` is that of the book: all else is null in the one row that says the book is no longer
            ``"live"`` (``"stale"``, ``"closed"``), and the next row is that of the book made right again.

        Notes
        -----
        Made from the books that are kept, so it asks for books (channel ``orderbook_delta``), and several
        quotes of one message are one. The first row of a market is its quote as it is when the frame is asked
        for, without a ``ts``, or as soon as its book is live. Otherwise ``ts`` and ``seq`` are those of the delta
        that made the change; a snapshot has no ``ts``.
        """
        return self._frame(QUOTES, market_tickers, rows, seconds, exact=exact)

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
            closed = self.state == "closed"
            new = [each for each in sorted(wanted) if each not in self._books or closed]
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
            Kalshi's name of the channel, or ``quotes``, made from books; see :meth:`frame`.
        market_tickers : str or iterable of str, optional
            As for :meth:`frame`.
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
        tickers = check_tickers(market_tickers, channel)
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
        tickers = check_tickers(market_tickers, channel)
        return self._attached.begin(
            channel, tickers, lambda close: self._pipelines.messages(channel, tickers, on_close=close)
        )

    def on(self, channel: str, market_tickers: MarketTickers = None) -> Callable[[Callback], Callback]:
        """Have a function called with each message of a channel, on the feed's thread for user code.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> large = []
        >>> @feed.on("trade")
        ... def remember(trade):
        ...     if trade.count >= 100:
        ...         large.append((trade.market_ticker, trade.yes_price, trade.count))
        >>> feed.close()

        A function of the same name takes the place of the one before, so the cell can be run again.
        Parameters and errors as for :meth:`messages`.
        """
        self._tell()
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)

        def attach(function: Callback) -> Callback:
            self._attached.call(channel, tickers, function)
            return function

        return attach

    @property
    def pipelines(self) -> list[Pipeline]:
        """What is attached by :meth:`stream`, :meth:`messages` and :meth:`on`; each has a ``close()``."""
        self._tell()
        return self._pipelines.pipelines
