"""The feed: what a notebook holds of an exchange."""

from __future__ import annotations

import datetime as dt
import threading
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Self, TypeVar

from kalshi_nb._engine.port import Engine
from kalshi_nb._feed.attachments import Attachments
from kalshi_nb._feed.book import Book, Books
from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._feed.demand import Demand, MarketTickers, check_channel, check_tickers, rfq_params
from kalshi_nb._feed.follower import Follower
from kalshi_nb._feed.frames import FrameRequest, Frames
from kalshi_nb._feed.handles import Ending
from kalshi_nb._feed.health import Health, health_of, market_counts
from kalshi_nb._feed.open_books import OpenBooks
from kalshi_nb._feed.options import DEFAULT_OPTIONS, Options
from kalshi_nb._feed.pipelines import pipelines_on
from kalshi_nb._feed.standing import FeedStanding
from kalshi_nb._markets.registry import MarketRegistry
from kalshi_nb._offload import off_loop
from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import BOOKS, QUOTES, REFERENCE_FEEDS
from kalshi_nb._rows.rejects import Reject
from kalshi_nb._rows.tickers import about
from kalshi_nb._rows.wanted import Params
from kalshi_nb._streams.alerts import Alert
from kalshi_nb._streams.pipeline import Pipeline
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._threads import FEED_ROLES, refuse_on, role
from kalshi_nb._usage import not_copied, not_made, setter
from kalshi_nb._waiting import FORKED, Deadline
from kalshi_nb.errors import ConfigurationError, MarketTickerError, PipelineWarning

if TYPE_CHECKING:
    import polars as pl
    from streamz import Stream

    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._streams.listening import Listener
    from kalshi_nb.messages import Quote

__all__ = ["Feed"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Callback = TypeVar("Callback", bound=Callable[..., Any])


class Feed:
    """A running connection to one exchange, with everything that is kept of it.

    Made by :func:`kalshi_nb.connect`. Frames, books and pipelines are asked for here; the same call gives the
    same handle, so that a cell can be run again. A feed is a context manager, by ``with`` and
    by ``async with``, and ends with :meth:`close`. To await it gives it back.

    Parameters
    ----------
    engine : Engine
        What brings the data; the feed starts and closes it.
    options : Options
        What else it is made with.
    exchange : kalshi_nb.sim.Exchange, optional
        The simulated exchange in this process at the other end, whose clock waits for the feed.
    on_close : callable, optional
        Called once with the feed, at the end of :meth:`close`.

    Attributes
    ----------
    url : str
        Where the exchange is.
    options : Options
        What the feed was made with.
    exchange : kalshi_nb.sim.Exchange or None
        The simulated exchange in this process, None when there is a real one at the other end.
    """

    __setattr__ = setter("url", "options", "exchange", instead="what it is made with are arguments of connect()")

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        """Refuse to be made by hand."""
        if not arguments or not hasattr(arguments[0], "want"):
            raise not_made(cls, "kalshi_nb.connect('sim'), connect('demo') or connect('prod')")
        return super().__new__(cls)

    def __init__(
        self,
        engine: Engine,
        *,
        options: Options = DEFAULT_OPTIONS,
        exchange: Any = None,
        on_close: Callable[[Feed], None] | None = None,
    ) -> None:
        self.url = engine.url
        self.options = options
        self.exchange = exchange
        self._engine = engine
        self._on_close = Ending([] if on_close is None else [lambda: on_close(self)])
        self._standing = FeedStanding(engine)
        self._markets = MarketRegistry()
        self._pipelines = pipelines_on(engine, options, self._standing, self._markets)
        self._demand = Demand(engine)
        self._frames = Frames(engine, self._demand, self._pipelines, self._standing)
        self._books = OpenBooks(engine, self._demand, self._standing, self._markets)
        self._attachments = Attachments(self._pipelines, self._demand, engine)
        self._follower = Follower(engine, self._pipelines, self._markets)

    def _open(self, timeout: float) -> None:
        """Begin, and wait for the first handshake; :func:`kalshi_nb.connect` does this."""
        self._engine.start(timeout, self._pipelines.wait_for_room)
        self._pipelines.start()
        if self.exchange is not None:
            self.exchange.attach(self._follower)

    def _parts(self) -> tuple[Engine, Pipelines]:
        """Return what has threads, to be ended when this object is gone."""
        return self._engine, self._pipelines

    # Frames -------------------------------------------------------------------------------------------

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
            One market, several, or, when None, all markets, whatever else was or will be asked for. Where the feed
            received some markets of the channel only, the subscription is made anew for all, once: for what had been
            open before that is a gap (``resubscribed``).
        rows : int, optional
            Most rows to keep; 100,000 when neither `rows` nor `seconds` is given.
        seconds : float, optional
            Keep rows received at most so long ago.
        exact : bool
            Prices and counts as Decimal instead of Float64.
        gaps : bool
            Add a last column ``gap``, true on each market's first row after a gap of the channel, a lost
            connection included. The market of a lost row is not known, so every market's next row is marked.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, yes_price, count, taker_outcome_side, taker_book_side, no_price,
            is_block_trade, trade_id, received_at, seq``; dollars and contracts. ``ts`` is the exchange's time,
            never null: where it gave none it equals ``received_at``. Text is String; only sides are Enums.

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
        Source: Kalshi's channel ``trade``. It has sequence numbers, so lost trades show in :attr:`gaps`. They begin
        anew with each subscription and connection: what names a trade is its ``trade_id``.
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
            Columns ``ts, market_ticker, price, yes_bid, yes_ask, volume, open_interest, spread, mid, yes_bid_size,
            yes_ask_size, last_trade_size, dollar_volume, dollar_open_interest, market_id, received_at``. No bid,
            no ask and no last price are null. ``spread`` and ``mid`` are exact, which ``yes_ask - yes_bid`` is
            not: of floats, 0.48 less 0.46 is a little less than 0.02. ``.latest()`` is the present state of each
            market.

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
        no channel of all books; None takes the books that the feed keeps, now and later.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, side, price, delta, client_order_id, subaccount, clock, received_at, seq``;
            ``delta`` is the signed change of the level at ``price``, which is a NO price where ``side`` is "no";
            ``client_order_id`` and ``subaccount`` are those of an order of yours that made it; ``clock`` is the
            exchange's own count of what made it.

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
        the feed keeps, now and later.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, bid, bid_size, ask, ask_size, mid, spread, received_at, seq, status``;
            dollars and contracts, in YES prices, ``mid`` exact to half a tick. A side without orders is null.
            ``status`` is that of the book: prices are null in the one row that says the book is no longer
            ``"live"`` (``"stale"``, ``"closed"``), and the next row is that of the book made right again.

        Notes
        -----
        Made from the books that are kept, so it asks for books (channel ``orderbook_delta``), and several
        quotes of one message are one. The first row of a market is its quote as it is when the frame is asked
        for, or as soon as its book is live. ``ts`` and ``seq`` are those of the delta that made the change; where
        none did, ``ts`` equals ``received_at``.
        """
        return self._frame(QUOTES, market_tickers, rows, seconds, exact=exact)

    # Your account -------------------------------------------------------------------------------------

    def fills(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your fills: one row for each execution of an order of yours.

        Parameters, errors and units as for :meth:`trades`. However slow a pipeline of yours is, rows of fills
        are never dropped before it.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, outcome_side, yes_price, count, fee_cost, post_position, is_taker,
            book_side, order_id, client_order_id, trade_id, exchange_index, subaccount, received_at``.
            ``yes_price`` is a YES price also where ``outcome_side`` is "no"; ``fee_cost`` has six decimals;
            ``post_position`` is the net position, long YES above zero.

        Notes
        -----
        Source: Kalshi's channel ``fill``. It has no sequence numbers, so a lost row cannot be seen, and `gaps`
        marks only what follows lost connections, ended subscriptions, and rows that could not be read. It begins
        when you subscribe: earlier fills are not sent.
        """
        return self._frame("fill", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def orders(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
        latest_keys: int | None = None,
    ) -> Frame:
        """Return a rolling frame of your orders: one row whenever one is made, filled, changed or ended.

        Parameters, errors and units as for :meth:`trades`; rows are never dropped, as for :meth:`fills`.
        `latest_keys` as for :meth:`frame`: of the orders that have left the window those that ended go first.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, order_id, status, outcome_side, yes_price, remaining_count,
            fill_count`` and more: counts, costs and fees (six decimals), times and ids.
            ``.latest()`` is the present state of each order.

        Notes
        -----
        Source: Kalshi's channel ``user_orders``. It has no sequence numbers (see :meth:`fills` for what that does
        to `gaps`), and orders that do not change are not sent.
        """
        return self._frame(
            "user_orders", market_tickers, rows, seconds, exact=exact, gaps=gaps, latest_keys=latest_keys
        )

    def positions(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your positions: one row whenever one changes.

        Parameters, errors and units as for :meth:`trades`; rows are never dropped, as for :meth:`fills`.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, position, position_cost, realized_pnl, fees_paid,
            position_fee_cost, volume, subaccount, user_id, received_at``. ``position`` is net, in contracts;
            what is dollars has six decimals; ``ts`` is when the exchange sent it. ``.latest()`` is the
            present state of each market, and of each subaccount where there are several.

        Notes
        -----
        Source: Kalshi's channel ``market_positions``. It has no sequence numbers (see :meth:`fills` for what that
        does to `gaps`), and positions that do not change are not sent.
        """
        return self._frame("market_positions", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def order_groups(
        self, *, rows: int | None = None, seconds: float | None = None, exact: bool = False, gaps: bool = False
    ) -> Frame:
        """Return a rolling frame of what happens to your order groups.

        `rows`, `seconds`, `exact`, `gaps` and errors as for :meth:`trades`; ``gap`` is true on the first row
        after a gap.

        Returns
        -------
        Frame
            Columns ``ts, event_type, order_group_id, contracts_limit, received_at, seq``; ``event_type`` is
            "created", "triggered", "reset", "deleted" or "limit_updated". ``.latest()`` is the last row of
            each group.

        Notes
        -----
        Source: Kalshi's channel ``order_group_updates``.
        """
        return self._frame("order_group_updates", None, rows, seconds, exact=exact, gaps=gaps)

    # Markets and events -------------------------------------------------------------------------------

    def lifecycle(
        self,
        market_tickers: MarketTickers = None,
        *,
        multivariate: bool = False,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of what happens to markets: created, paused, moved, determined, settled.

        Parameters
        ----------
        market_tickers, rows, seconds, exact, gaps
            As for :meth:`trades`. The exchange sends all markets in any case; the frame keeps those named.
        multivariate : bool
            Markets that combine others (KXMVE…), which have a channel of their own.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, event_type, result, settlement_value, close_ts, is_deactivated,
            event_ticker`` and more. ``metadata`` and ``price_ranges`` are JSON. ``ts`` is when the exchange
            sent it. New events ("event_lifecycle": ``series_ticker, title, subtitle, collateral_return_type,
            strike_date, strike_period``) and changes of their fees ("event_fee_update": ``fee_type_override,
            fee_multiplier_override``, null where an override was cleared) are rows, too, of no market.

        Notes
        -----
        Source: Kalshi's channels ``market_lifecycle_v2`` and ``multivariate_market_lifecycle``. Nothing is
        sent when a market opens or closes at its time. What is about an event is not in the frame of named markets.
        """
        channel = "multivariate_market_lifecycle" if multivariate else "market_lifecycle_v2"
        return self._frame(channel, market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def rfqs(
        self,
        market_tickers: MarketTickers = None,
        *,
        user_filter: Literal["self"] | None = None,
        shard_factor: int | None = None,
        shard_key: int | None = None,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
        latest_keys: int | None = None,
    ) -> Frame:
        """Return a rolling frame of requests for quotes, quotes, and batches of both.

        Parameters
        ----------
        market_tickers, rows, seconds, exact, gaps
            As for :meth:`trades`. The exchange sends all markets in any case; the frame keeps those named.
        user_filter : {"self"}, optional
            Only requests of your own, not everybody's. Quotes come to their two parties in any case.
        shard_factor : int, optional
            Into how many parts the channel is cut, 1 to 100, to be shared by several feeds.
        shard_key : int, optional
            Which of them this feed takes, from 0. Without any of these three the frame has the channel as the feed
            receives it, by what others said, and its repr tells.
        latest_keys : int, optional
            As for :meth:`frame`: of the requests that have left the window those that ended go first.

        Returns
        -------
        Frame
            Columns ``ts, event, market_ticker, rfq_id, yes_bid, no_bid, contracts, target_cost`` and more.
            ``event`` is the exchange's type: "rfq_created", "rfq_deleted", "quote_created",
            "quote_accepted", "quote_executed", "rfq_batch_created" …; columns that it does not have are null.
            Legs, and the requests and quotes of a batch, are JSON. ``.latest()`` is the last row of each
            request.

        Raises
        ------
        ConfigurationError
            When `user_filter`, `shard_factor` and `shard_key` cannot be, or the feed receives the channel with
            others: it has one subscription a channel.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`trades`.

        Notes
        -----
        Source: Kalshi's channel ``communications``, which carries hundreds of messages a second.
        """
        params = rfq_params(user_filter, shard_factor, shard_key)
        return self._frame(
            "communications",
            market_tickers,
            rows,
            seconds,
            exact=exact,
            gaps=gaps,
            params=params,
            latest_keys=latest_keys,
        )

    # Reference feeds ----------------------------------------------------------------------------------

    def index_values(
        self,
        index_ids: MarketTickers = None,
        *,
        five_hz: bool = False,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of the values of indices, such as those that crypto markets settle by.

        Parameters
        ----------
        index_ids : str or iterable of str, optional
            Such as ``"BRTI"``; None as for :meth:`trades`: all of them.
        five_hz : bool
            Raw ticks, up to five a second, in place of one a second with its averages.
        rows, seconds, exact, gaps
            As for :meth:`trades`; ``gap`` is true on each index's first row after a gap.

        Returns
        -------
        Frame
            Columns ``ts, index_id, value, avg_60s, last_60s_windowed_average_15min, source_ts`` and more; with
            `five_hz` ``ts, index_id, value, source_ts, data, received_at, seq``. Values are dollars with
            eight decimals; ``ts`` is when the exchange had it, ``source_ts`` when the provider made it;
            ``data`` is the provider's own JSON. ``.latest()`` is the last row of each index.

        Notes
        -----
        Source: Kalshi's channels ``cfbenchmarks_value`` and ``cfbenchmarks_value_5hz``. An index that does not
        exist is acknowledged like any other, and silent. For Pyth's prices use ``frame("pyth_value", …)``.
        """
        channel = "cfbenchmarks_value_5hz" if five_hz else "cfbenchmarks_value"
        return self._frame(channel, index_ids, rows, seconds, exact=exact, gaps=gaps)

    def index_ids(self, channel: str = "cfbenchmarks_value") -> list[str]:
        """Ask the exchange which indices, or underlyings, a reference feed has.

        Parameters
        ----------
        channel : str
            ``cfbenchmarks_value``, ``cfbenchmarks_value_5hz``, or ``pyth_value`` for tickers of underlyings.

        Returns
        -------
        list of str
            Names to pass to :meth:`index_values`, or to ``frame("pyth_value", …)``, as the exchange lists them: of
            indices all, of underlyings those that had a price in the last two hours.

        Raises
        ------
        ConfigurationError
            When `channel` is no reference feed.
        SubscriptionError
            When the exchange refuses, or does not answer within 10 s.
        LinkError
            When the feed is not connected just now.
        FeedClosedError
            When the feed is closed.

        Notes
        -----
        Source: Kalshi's actions ``indexlist`` and ``underlying_list``. Where nothing is received on the channel
        yet, an empty subscription is made for the question and ended after it.
        """
        self._ask()
        check_channel(channel)
        if channel not in REFERENCE_FEEDS:
            raise ConfigurationError(
                f"{channel} has no list of what there is; these have one: {', '.join(REFERENCE_FEEDS)}."
            )
        return self._demand.catalog(channel)

    # Any channel ------------------------------------------------------------------------------------

    def frame(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
        latest_keys: int | None = None,
    ) -> Frame:
        """Return a rolling frame of any channel.

        Parameters
        ----------
        channel : str
            Kalshi's name: ``trade``, ``ticker``, ``orderbook_delta``, ``fill``, ``market_positions``,
            ``user_orders``, ``order_group_updates``, ``market_lifecycle_v2``,
            ``multivariate_market_lifecycle``, ``communications``, ``cfbenchmarks_value``,
            ``cfbenchmarks_value_5hz`` or ``pyth_value``; or ``quotes``, made from books.
        market_tickers : str or iterable of str, optional
            As for :meth:`trades`. On ``cfbenchmarks_value`` and ``cfbenchmarks_value_5hz`` the ids of
            indices, on ``pyth_value`` the tickers of underlyings. ``order_group_updates`` takes none.
        rows, seconds, exact, gaps
            As for :meth:`trades`; ``quotes`` have no column ``gap``, they say themselves when a book is not live.
        latest_keys : int, optional
            How many last rows ``.latest()`` keeps beside the window, of markets, orders or requests whose rows have
            left it; 100,000 when left out.

        Raises
        ------
        ConfigurationError
            When `gaps` is asked for with ``quotes``.
        UnknownChannelError
            When there is no such channel; the message lists those there are.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`trades`.
        """
        check_channel(channel)
        if gaps and channel == QUOTES:
            raise ConfigurationError("quotes have no column gap; their column status says when a book is not live.")
        return self._frame(channel, market_tickers, rows, seconds, exact=exact, gaps=gaps, latest_keys=latest_keys)

    # Books --------------------------------------------------------------------------------------------

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
        if not isinstance(market_ticker, str) or not market_ticker.strip():
            raise MarketTickerError(
                f"book() takes one market's ticker as text, such as 'KXHIGHNY-26NOV22-B52.5', not "
                f"{shown(market_ticker)}; for several markets use books([…])."
            )
        return self.books([market_ticker])[market_ticker.strip()]

    def books(self, market_tickers: str | Iterable[str] | None = None) -> Books:
        """Return the live order books of several markets, a mapping from ticker to :class:`Book`.

        Raises
        ------
        MarketTickerError
            When a ticker is empty or not a string, or there is none.
        SubscriptionError
            When the exchange refuses one.
        """
        self._ask()
        if isinstance(market_tickers, Iterable) and not isinstance(market_tickers, str):
            market_tickers = list(market_tickers)
        if market_tickers in (None, "", []):
            raise MarketTickerError(
                "books() needs the tickers of markets, since the exchange has no channel of all books: "
                "books(['KXHIGHNY-26NOV22-B52.5', …])."
            )
        wanted = check_tickers(market_tickers) or frozenset()
        return Books(self._books.get(wanted))

    # Pipelines ----------------------------------------------------------------------------------------

    def stream(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        exact: bool = False,
        name: str | None = None,
    ) -> Stream:
        """Return a ``streamz.Stream`` of polars DataFrames, one a batch, to build a pipeline on.

        Batches come on the feed's thread for user code. Keep the last node in a variable, such as
        ``big = feed.stream("trade").map(large).rolling_frame()``: a pipeline that nobody holds goes away,
        unless it ends in a ``sink``.

        When a run of a notebook's cell attaches pipelines, those of the cell's earlier runs are closed at its end; or
        the new ones, where it raised or was interrupted. In a script, on other threads and in a widget's callback
        nothing replaces a pipeline but one of the same `name`.

        Parameters
        ----------
        channel : str
            Kalshi's name of the channel, or ``quotes``, made from books; see :meth:`frame`.
        market_tickers : str or iterable of str, optional
            As for :meth:`frame`.
        exact : bool
            Prices and counts as Decimal instead of Float64.
        name : str, optional
            What to call it in reprs and messages. It takes the place of the feed's pipeline of that name, where
            there is one.

        Raises
        ------
        UnknownChannelError
            When there is no such channel; the message lists those there are.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`trades`.
        """
        self._ask()
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)
        return self._attachments.begin(
            lambda close: self._pipelines.stream(channel, tickers, exact=exact, name=name, on_close=close), name=name
        )

    def messages(
        self, channel: str, market_tickers: MarketTickers = None, *, gaps: bool = False, name: str | None = None
    ) -> Stream:
        """Return a ``streamz.Stream`` of lists of typed messages, one list a batch.

        The messages are those of :mod:`kalshi_nb.messages`: numbers in dollars and contracts, times in UTC.
        Parameters, errors and lifetime as for :meth:`stream`.

        Parameters
        ----------
        gaps : bool
            Have a :class:`kalshi_nb.Gap` between the messages wherever some may be missing: where the feed has a gap
            of the channel (see :attr:`gaps`), and where the pipeline itself missed some, since it rested after errors
            or was too slow. Quotes say themselves when their book is not live; here they have the latter alone.
        """
        self._ask()
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)
        return self._attachments.begin(
            lambda close: self._pipelines.messages(channel, tickers, gaps=gaps, name=name, on_close=close), name=name
        )

    def on(
        self, channel: str, market_tickers: MarketTickers = None, *, gaps: bool = False, name: str | None = None
    ) -> Callable[[Callback], Callback]:
        """Have a function called with each message of a channel, on the feed's thread for user code.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> large = []
        >>> @feed.on("trade")
        ... def remember(trade):
        ...     if trade.count >= 100:
        ...         large.append((trade.market_ticker, trade.yes_price, trade.count))
        >>> feed.close()

        Parameters and errors as for :meth:`messages`, and so is what takes the place of what: the cell, run again,
        or a pipeline of the same `name`; never a function's own name alone, which several strategies may share. With
        `gaps` the function is called with each gap, too. A function that raises is called again with the next message;
        see :class:`kalshi_nb.Pipeline`.

        Raises
        ------
        PipelineError
            When the function is ``async``: use :meth:`listen` in a coroutine.
        """
        self._ask()
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)

        def attach(function: Callback) -> Callback:
            self._attachments.call(channel, tickers, function, gaps=gaps, name=name)
            return function

        return attach

    def listen(
        self, channel: str, market_tickers: MarketTickers = None, *, gaps: bool = False, name: str | None = None
    ) -> Listener:
        """Return the messages of a channel for code that awaits: an asynchronous iterator, to be used at once.

        >>> import asyncio
        >>> import kalshi_nb as kn
        >>> async def first(feed, channel):
        ...     async for message in feed.listen(channel):
        ...         return message
        >>> feed = kn.connect("sim")
        >>> trade = asyncio.run(first(feed, "trade"))
        >>> 0 < trade.yes_price < 1
        True
        >>> feed.close()

        It works on any running event loop of asyncio, such as a notebook's own: write ``async for`` in a cell, or
        start a task. Messages come as soon as a callback would have them. It begins with the first step of the
        ``async for`` and ends when the feed is closed, after what had come until then. Cancelling its task ends it at
        once, and leaving the loop does as soon as nobody holds the listener; to be sure of the moment, use it in
        ``async with``. One that is held goes on where it was left. No cell replaces it, but one of its `name` does.

        Parameters
        ----------
        channel : str
            As for :meth:`messages`.
        market_tickers : str or iterable of str, optional
            As for :meth:`messages`.
        gaps : bool
            Have a :class:`kalshi_nb.Gap` between the messages wherever some may be missing.
        name : str, optional
            What to call it in :attr:`pipelines`.

        Returns
        -------
        Listener
            Yields the messages of :mod:`kalshi_nb.messages` one by one. Its ``pipeline`` counts what went because more
            than `max_pending_rows` of :func:`kalshi_nb.connect` waited.

        Raises
        ------
        UnknownChannelError, MarketTickerError, FeedClosedError
            As for :meth:`messages`.
        SubscriptionError
            At the first step, when the exchange refuses.
        PipelineError
            When it is used without ``async``.
        """
        self._ask()
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)
        return self._attachments.listen(channel, tickers, gaps=gaps, name=name)

    def when(
        self,
        condition: Callable[[Quote], Any],
        call: Callable[[Quote], Any],
        market_tickers: MarketTickers = None,
    ) -> Pipeline:
        """Have a function called when something becomes true of a market's best prices, once a crossing.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> cheap = []
        >>> alert = feed.when(lambda top: top.ask and top.ask < 0.30, cheap.append, "KXHIGHNY-26NOV22-B52.5")
        >>> alert.close()
        >>> feed.close()

        Parameters
        ----------
        condition : callable
            Given the best prices of one moment, ``top.bid, top.bid_size, top.ask, top.ask_size, top.mid, top.spread``
            (dollars and contracts, None where a side is empty), says whether it is so; also ``top.market_ticker``,
            ``top.ts``: all of :class:`kalshi_nb.messages.Quote`.
        call : callable
            Given those best prices when the condition becomes true; again only after it was false. A condition that
            is true at the beginning is called for, once.
        market_tickers : str or iterable of str, optional
            As for :meth:`quotes`. Each market has crossings of its own.

        Returns
        -------
        Pipeline
            As in :attr:`pipelines`; its ``close()`` ends the alert.

        Raises
        ------
        ConfigurationError
            When `condition` or `call` is no function, or an ``async`` one, or the condition returns nothing.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`quotes`.

        Notes
        -----
        Both functions run on the feed's thread for user code, with every quote, also of those between two looks at the
        book. While a book is not to be trusted the condition is unknown, and no crossing is made up.
        """
        alert = Alert(condition, call, market_tickers)
        self._ask()
        return self._attachments.call(QUOTES, check_tickers(market_tickers, QUOTES), alert)

    @property
    def pipelines(self) -> list[Pipeline]:
        """What :meth:`stream`, :meth:`messages`, :meth:`on`, :meth:`when` and :meth:`listen` attached, and where.

        Each has a ``close()``.
        """
        self._tell()
        return self._pipelines.pipelines

    # How it is doing ----------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``connecting``, ``connected``, ``reconnecting``, ``refused``, ``closed`` or ``forked``.

        ``forked``: in a process that was forked from the one that has the feed's threads nothing moves; what the feed
        holds can be read, and ``connect()`` gives a new one there.
        """
        return self._standing.word or self._engine.state

    def now(self) -> dt.datetime:
        """Return the feed's time, by which ``received_at`` and windows of seconds go: in UTC, to the microsecond.

        The computer's clock, or the simulated exchange's where that is moved by hand. It is not the exchange's own,
        which ``ts`` goes by: see :attr:`clock_skew`.

        >>> import kalshi_nb as kn
        >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
        >>> feed = kn.connect(exchange)
        >>> before = feed.now()
        >>> exchange.advance(60)
        >>> feed.now() - before
        datetime.timedelta(seconds=60)
        >>> feed.close()
        >>> exchange.close()
        """
        return _EPOCH + dt.timedelta(microseconds=self._engine.clock.now_us())

    @property
    def clock_skew(self) -> float | None:
        """Seconds by which this computer's clock is ahead of the exchange's; None where it did not say."""
        return self._engine.status().clock_skew

    @property
    def gaps(self) -> pl.DataFrame:
        """Every gap in the data, oldest first.

        Returns
        -------
        polars.DataFrame
            ``channel``; ``market_ticker`` (null: all of the subscription's); ``opened_at``, ``closed_at``
            (null while it is open; for books it ends when all of them are right again, elsewhere when data
            goes on); ``reason``; ``seq_from``, ``seq_to`` (the missing sequence numbers, both included);
            ``repaired_by`` (``get_snapshot``, ``resubscribe``, ``reconnect``; null where nothing brought
            back what was lost); ``connection`` (which of the feed's connections has it, from 1).
        """
        from kalshi_nb._frames.gaps import gap_frame  # noqa: PLC0415  # polars loads when it is needed

        self._tell()
        return gap_frame(self._engine.gaps.snapshot())

    @property
    def rejects(self) -> list[Reject]:
        """The newest 100 messages that could not be read, or not wholly: when they came (UTC), why, their first bytes.

        Where only some fields could not be read, ``fields`` names them: they are null in the row, which stands. A
        message stands by what it is about, its time, and its prices and quantities; one that does not is set aside,
        and is a row of :attr:`gaps`.
        """
        self._tell()
        return self._engine.rejects()

    def health(self) -> Health:
        """Return how the feed is doing: state, rates, lag, ages, errors, and what its handles hold."""
        self._tell()
        told = (*self._standing.view_errors.told(), *self._attachments.warnings())
        return health_of(self._engine, self._pipelines, told, state=self.state, books=self._books.nbytes())

    def flush(self, timeout: float | None = 10.0) -> None:
        """Wait until all rows received so far are in their frames, and have been through your pipelines.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait at most; None for as long as it takes.

        Raises
        ------
        WaitTimeoutError
            When that takes more than `timeout` seconds.
        FeedClosedError, ForkedError
            At once, when the feed is closed, or its threads stayed with the process that this one was forked from.
        ConfigurationError
            When `timeout` is no time.
        """
        deadline = Deadline(timeout)
        self._refuse_ended()
        self._pipelines.flush(deadline.left())

    def reconnect(self) -> int:
        """Dial now over every connection that is lost, instead of when its next attempt is due.

        A lost connection is dialed again by itself, for ever, ever more rarely while that fails: up to 30 s between
        two attempts, up to 5 minutes where the exchange refuses the credentials or asks for more patience. Whoever
        knows that the trouble is over need not wait. Connections that are there are left alone: to make one anew would
        be a gap in the data.

        Returns
        -------
        int
            How many connections were waiting and are dialed now; 0 where there was nothing to hurry.
            ``health()`` says what comes of it.

        Raises
        ------
        FeedClosedError
            When the feed is closed; ``connect()`` makes a new one.
        """
        self._tell()
        return self._engine.reconnect()

    # The end ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the feed and its threads within about 2 s; frames and books stay readable. Idempotent."""
        refuse_on(*FEED_ROLES, doing="feed.close()", instead="Close it in a cell, or set a flag that a cell looks at")
        # Said first, so that connect() on another thread makes a new feed instead of handing out this one.
        self._standing.close()
        if self._standing.is_forked:
            return  # threads, sockets and the exchange are the parent's
        if self.exchange is not None:
            self.exchange.detach(self._follower)
        self._engine.gaps.seal()
        self._engine.close()
        self._pipelines.stop()
        self._frames.close()
        self._books.shut()
        self._attachments.close()
        self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        # Elsewhere, since it takes up to 2 s. A task that is cancelled meanwhile does not wait; the closing goes on.
        await off_loop(self.close, "kalshi-closing")

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    def __repr__(self) -> str:
        markets = ", ".join(
            f"{channel} {about(channel, None) if count is None else count}"
            for channel, count in market_counts(self._engine.status()).items()
        )
        forked = f", {FORKED}" if self.state == "forked" else ""
        return f"<Feed {self.url} {self.state}{forked}{': ' + markets if markets else ''}>"

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "connect() in the other process, or pass on data, such as feed.trades().df")

    # Inside -------------------------------------------------------------------------------------------

    def _frame(
        self,
        channel: str,
        market_tickers: MarketTickers,
        rows: int | None,
        seconds: float | None,
        *,
        exact: bool,
        gaps: bool = False,
        params: Params = (),
        latest_keys: int | None = None,
    ) -> Frame:
        from kalshi_nb._frames.rolling import most_keys, window  # noqa: PLC0415  # polars loads when it is needed

        self._ask()
        tickers = check_tickers(market_tickers, channel)
        kept = window(rows, seconds)
        keys = None if latest_keys is None else most_keys(latest_keys)
        return self._frames.open(
            FrameRequest(channel, tickers, rows and kept.rows, seconds and kept.seconds, exact, gaps, params, keys)
        )

    def _refuse_ended(self) -> None:
        ended = self._standing.ended()
        if ended is not None:
            raise ended

    def _ask(self) -> None:
        """Begin a call that asks for something new: refuse it where nothing new can come."""
        self._refuse_ended()
        self._tell()

    def _tell(self) -> None:
        """Say on the main thread what went wrong in the user's pipelines since the last call."""
        if self._standing.is_forked:
            return  # the parent tells, and whose locks it held at that moment nobody knows
        if role() is None and threading.current_thread() is threading.main_thread():
            for text in self._pipelines.take_notices():
                warnings.warn(text, PipelineWarning, stacklevel=frames_inside())
