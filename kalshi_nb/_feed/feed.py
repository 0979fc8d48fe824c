"""The feed: what a notebook holds of an exchange."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar

from kalshi_nb._durations import Duration
from kalshi_nb._engine.port import Engine
from kalshi_nb._feed.book import Book
from kalshi_nb._feed.books import Books
from kalshi_nb._feed.demand import MarketTickers, check_books, check_ticker, check_tickers, rfq_params
from kalshi_nb._feed.handles import Ending
from kalshi_nb._feed.health import Health
from kalshi_nb._feed.notices import tell
from kalshi_nb._feed.options import DEFAULT_OPTIONS, Options
from kalshi_nb._feed.parts import FeedParts, parts_of
from kalshi_nb._feed.remains import Remains, remains_of
from kalshi_nb._feed.running import run
from kalshi_nb._foreign_names import corrected_methods, named_elsewhere, not_gone_through
from kalshi_nb._moments import datetime_of
from kalshi_nb._offload import off_loop
from kalshi_nb._rest.filters import MarketQuestion
from kalshi_nb._rows.channels import BOOKS, QUOTES
from kalshi_nb._rows.rejects import Reject
from kalshi_nb._streams.alerts import Alert
from kalshi_nb._streams.pipeline import Pipeline
from kalshi_nb._threads import FEED_ROLES, refuse_on
from kalshi_nb._usage import flag, not_copied, not_made, setter
from kalshi_nb._waiting import Deadline
from kalshi_nb._widgets.showing import displayed

if TYPE_CHECKING:
    import polars as pl
    from streamz import Stream

    from kalshi_nb._feed.candles import Candles
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._feed.history import Since
    from kalshi_nb._feed.recorders import Channels, Folder
    from kalshi_nb._feed.replaying import Replaying
    from kalshi_nb._feed.rest import Rest
    from kalshi_nb._moments import Moment
    from kalshi_nb._recording.recorder import Recorder
    from kalshi_nb._rest.client import RestClient
    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb._streams.listening import Listener
    from kalshi_nb._widgets.dashboard.view import DashboardView
    from kalshi_nb._widgets.picker import MarketPicker
    from kalshi_nb._widgets.view import LiveView, ViewWidget
    from kalshi_nb.messages import Quote

__all__ = ["Feed"]

Callback = TypeVar("Callback", bound=Callable[..., Any])


@displayed
@corrected_methods
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
    replaying : Replaying, optional
        What plays a recording to the engine.
    rest : RestClient, optional
        Asks the same exchange over REST; the feed closes it.
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
    replaying : Replaying or None
        What is played, and how it is moved, where the feed is a recording's; see :func:`kalshi_nb.replay`.
    """

    __setattr__ = setter("url", "options", "exchange", "replaying", instead="these are arguments of connect()")

    if not TYPE_CHECKING:  # to a type checker no name is there but those that are
        __getattr__ = named_elsewhere
        __aiter__ = not_gone_through

    def __new__(cls, *arguments: Any, **_options: Any) -> Self:
        """Refuse to be made by hand."""
        if not arguments or not hasattr(type(arguments[0]), "want"):
            raise not_made(cls, "kalshi_nb.connect('sim'), connect('demo') or connect('prod')")
        return super().__new__(cls)

    def __init__(
        self,
        engine: Engine,
        *,
        options: Options = DEFAULT_OPTIONS,
        exchange: Any = None,
        replaying: Replaying | None = None,
        rest: RestClient | None = None,
        on_close: Callable[[Feed], None] | None = None,
    ) -> None:
        self.url = engine.url
        self.options = options
        self.exchange = exchange
        self.replaying = replaying
        self._engine = engine
        self._on_close = Ending([] if on_close is None else [lambda: on_close(self)])
        self._parts = parts = parts_of(engine, options, exchange, replaying, rest)
        self._standing, self._markets, self._books = parts.standing, parts.markets, parts.books
        self._pipelines, self._views, self._dashboards = parts.pipelines, parts.views, parts.dashboards

    def _open(self, timeout: float) -> None:
        """Begin, and wait for the first handshake; :func:`kalshi_nb.connect` does this."""
        self._parts.open(self._engine, timeout, self.exchange or self.replaying)

    def _remains(self) -> Remains:
        """Return what has threads, to be ended when this object is gone."""
        return remains_of(self._engine, self._parts, self.exchange, self.exchange or self.replaying)

    # Frames -------------------------------------------------------------------------------------------

    def trades(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
        exact: bool = False,
        gaps: bool = False,
        since: Since | None = None,
        progress: Progress | None = None,
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
        seconds : str, timedelta or float, optional
            Keep rows received at most so long ago: ``"10m"``, a timedelta, or seconds.
        exact : bool
            Prices and counts as Decimal instead of Float64.
        gaps : bool
            Add a last column ``gap``, true on each market's first row after a gap of the channel, a lost
            connection included. The market of a lost row is not known, so every market's next row is marked.
        since : str, timedelta, datetime or float, optional
            Begin with what was traded before, so long ago (``"24h"``) or from a moment on: fetched over REST, each
            trade once, and joined to what comes. A last column ``backfilled`` says which rows were fetched; these have
            no ``received_at`` and no ``seq``. ``complete("24h")`` is true once both are known to meet, after some
            seconds. When None nothing is fetched: the frame begins with what comes.
        progress : callable, optional
            Called after each page of 1,000 that is fetched with the number of rows so far, and the time reached:
            newest come first.

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
        ConfigurationError
            When the frame cannot keep all that was traded since then; the message says how many rows that takes.
        RestError
            When the exchange does not answer about the time before; what had come of it is in its ``partial``, and so
            it is after Ctrl-C.

        Notes
        -----
        Source: Kalshi's channel ``trade``, ``GET /markets/trades`` and ``GET /historical/trades``. The channel has
        sequence numbers, so lost trades show in :attr:`gaps`; those are fetched over REST, and ``repaired_by`` is then
        "rest" (see ``backfill`` of :func:`kalshi_nb.connect`). The numbers begin anew with each subscription and
        connection: what names a trade is its ``trade_id``.
        """
        of = self._ask().frames.of
        return of("trade", market_tickers, rows, seconds, exact=exact, gaps=gaps, since=since, progress=progress)

    def tickers(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        return self._ask().frames.of("ticker", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def deltas(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        return self._ask().frames.of(BOOKS, market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def quotes(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        return self._ask().frames.of(QUOTES, market_tickers, rows, seconds, exact=exact)

    # Your account -------------------------------------------------------------------------------------

    def fills(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
            book_side, order_id, client_order_id, trade_id, exchange_index, subaccount, received_at, backfilled``.
            ``yes_price`` is a YES price also where ``outcome_side`` is "no"; ``fee_cost`` has six decimals;
            ``post_position`` is the net position, long YES above zero.

        Notes
        -----
        Source: Kalshi's channel ``fill``. It has no sequence numbers, so a lost row cannot be seen, and `gaps`
        marks only what follows lost connections, ended subscriptions, and rows that could not be read. Earlier fills,
        the newest 100,000 of both tiers, are fetched over REST, and so is what a gap hid: there ``backfilled`` is
        true, and ``received_at`` and ``post_position`` are null. A :class:`kalshi_nb.errors.AccountWarning` says so
        where they cannot be had.
        """
        return self._ask().frames.of("fill", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def orders(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        to `gaps`), and orders that do not change are not sent: these are fetched as :meth:`fills` are, all
        that rest and the newest 100,000 that ended, with the time of their last change as ``ts``.
        """
        return self._ask().frames.of(
            "user_orders", market_tickers, rows, seconds, exact=exact, gaps=gaps, keys=latest_keys
        )

    def positions(
        self,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
        exact: bool = False,
        gaps: bool = False,
    ) -> Frame:
        """Return a rolling frame of your positions: one row whenever one changes.

        Parameters, errors and units as for :meth:`trades`; rows are never dropped, as for :meth:`fills`.

        Returns
        -------
        Frame
            Columns ``ts, market_ticker, position, position_cost, realized_pnl, fees_paid,
            position_fee_cost, volume, subaccount, user_id, received_at, backfilled``. ``position`` is net, in
            contracts; what is dollars has six decimals; ``ts`` is when the exchange sent it. ``.latest()`` is the
            present state of each market, and of each subaccount where there are several.

        Notes
        -----
        Source: Kalshi's channel ``market_positions``. It has no sequence numbers (see :meth:`fills` for what that
        does to `gaps`), and positions that do not change are not sent: those of the primary account are fetched as
        :meth:`fills` are. REST tells neither ``position_fee_cost`` nor ``volume``.
        """
        return self._ask().frames.of("market_positions", market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def order_groups(
        self, *, rows: int | None = None, seconds: Duration | None = None, exact: bool = False, gaps: bool = False
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
        return self._ask().frames.of("order_group_updates", None, rows, seconds, exact=exact, gaps=gaps)

    # Markets and events -------------------------------------------------------------------------------

    def lifecycle(
        self,
        market_tickers: MarketTickers = None,
        *,
        multivariate: bool = False,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        channel = "multivariate_market_lifecycle" if flag("multivariate", multivariate) else "market_lifecycle_v2"
        return self._ask().frames.of(channel, market_tickers, rows, seconds, exact=exact, gaps=gaps)

    def rfqs(
        self,
        market_tickers: MarketTickers = None,
        *,
        user_filter: Literal["self"] | None = None,
        shard_factor: int | None = None,
        shard_key: int | None = None,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        return self._ask().frames.of(
            "communications", market_tickers, rows, seconds, params, exact=exact, gaps=gaps, keys=latest_keys
        )

    # Reference feeds ----------------------------------------------------------------------------------

    def index_values(
        self,
        index_ids: MarketTickers = None,
        *,
        five_hz: bool = False,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        channel = "cfbenchmarks_value_5hz" if flag("five_hz", five_hz) else "cfbenchmarks_value"
        return self._ask().frames.of(channel, index_ids, rows, seconds, exact=exact, gaps=gaps)

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
        return self._ask().demand.catalog(channel)

    # Any channel ------------------------------------------------------------------------------------

    def frame(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: Duration | None = None,
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
        return self._ask().frames.of(channel, market_tickers, rows, seconds, exact=exact, gaps=gaps, keys=latest_keys)

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
        A market that does not exist is acknowledged, too, and then has the status ``"unknown"``; of an event the error
        names the markets.
        """
        ticker = check_ticker(market_ticker, "book()", "for several markets use books([…]).")
        return self.books([ticker])[ticker]

    def books(self, market_tickers: str | Iterable[str] | None = None) -> Books:
        """Return the live order books of several markets, a mapping from ticker to :class:`Book`.

        Raises
        ------
        MarketTickerError
            When a ticker is empty or not a string, or there is none.
        SubscriptionError
            When the exchange refuses one.
        """
        tickers = check_books(market_tickers)
        self._ask().discovery.refuse_events(tickers)
        return Books(self._books.get(tickers))

    def verify_books(self, market_tickers: MarketTickers = None, *, every: Duration | None = None) -> pl.DataFrame:
        """Compare live books with the exchange's own, asked for over REST, and make anew those that are wrong.

        A book that is kept is right as long as no number is missing; this is the proof. Each is followed change by
        change while the exchange is asked, so that a busy market is no difference. What differs is looked at once more
        after 16 s, when the exchange's cache has forgotten its answer; only then it counts. Such a book is a row of
        :attr:`gaps` (``differs``), is stale at once, and is repaired the way that any gap is; ``health()`` says so.

        >>> import kalshi_nb as kn
        >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
        >>> feed = kn.connect(exchange)
        >>> book = feed.book("KXHIGHNY-26NOV22-B52.5").wait()
        >>> feed.verify_books()["verdict"].to_list()
        ['same']
        >>> feed.close()
        >>> exchange.close()

        Parameters
        ----------
        market_tickers : str or iterable of str, optional
            Which books; all that the feed keeps when None.
        every : str, timedelta or float, optional
            Compare them now, and again every so often, ``"5m"`` or seconds, until the feed is closed or this is called
            with another `every`; 0 ends it. What comes of that is in :attr:`gaps` and ``health()``.

        Returns
        -------
        polars.DataFrame
            Columns ``market_ticker, verdict, differing_levels, looks, checked_at``, sorted by ticker. ``verdict`` is
            ``"same"``; ``"different"``; ``"not live"``, where there was no live book to compare, or a gap came in
            between; or ``"unknown there"``. ``differing_levels`` counts levels of both sides; ``looks`` how often the
            exchange was asked.

        Raises
        ------
        MarketTickerError
            When a ticker is empty or not a string.
        RestError
            When the exchange does not answer, whatever was tried; its class says why.
        ConfigurationError
            When there is no exchange to ask, as in a recording, or `every` is no length of time.
        FeedClosedError, WrongThreadError
            When the feed is closed; on a thread that the feed's own data goes through.

        Notes
        -----
        One request is made for each hundred books. Source: Kalshi's ``GET /markets/orderbooks``.
        """
        return self._ask().checks.verify(check_tickers(market_tickers, BOOKS), every)

    # Views of several of these ------------------------------------------------------------------------

    def dashboard(
        self, market_ticker: str | None = None, *, panels: Iterable[str] | None = None, **options: Any
    ) -> DashboardView:
        """Show one market in several panels that move together: book, price, depth, trades, event, gaps, the feed.

        As a cell's last expression it shows itself, with a picker of markets and a button a panel above. The cell, run
        again, has the same one.

        Parameters
        ----------
        market_ticker : str, optional
            The market. Without it the one whose book was opened first or, where no book is open, none yet: it is
            picked above. Whoever names one goes back to it, whatever was picked meanwhile.
        panels : iterable of str, optional
            Which panels: ``"status", "ladder", "chart", "depth", "tape", "event", "gaps"`` unless told; there are
            ``"account"`` and ``"board"``, too.
        **options
            What :func:`kalshi_nb.show` takes for any view, and for the views that the panels are: ``side``, ``unit``,
            ``theme``, ``levels`` …

        Returns
        -------
        LiveView
            With ``choose()`` (another market, other panels), ``market_ticker``, ``selected``, ``panels``, ``pause()``,
            ``resume()``, ``snapshot()`` and ``close()``, which also lets go of all that the dashboard had opened. That
            is its own: it ends with no other handle, and ends none.

        Raises
        ------
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`book`; and when the exchange says at once that it knows no such market.
        UsageError
            When there is no such option; the nearest is named.
        ConfigurationError
            When a value will not do, such as a panel that does not exist; the nearest is named.
        """
        return self._ask().dashboards.open(market_ticker, panels, options)

    def board(self, series: str | None = None, **options: Any) -> LiveView:
        """Show many markets in one table, the newest :meth:`tickers`: sorted, filtered and chosen from on a page.

        Parameters
        ----------
        series : str, optional
            How the tickers of its markets begin, such as ``"KXHIGHNY"``; all markets unless told.
        **options
            ``sort`` (such as ``"-volume"``), ``filter``, ``columns``, ``limit``, and what :func:`kalshi_nb.show` takes
            for any view. While somebody has ``feed.positions()`` or ``feed.orders()``, a button on the page leaves
            one's own markets; which these are goes to a page alone, but for ``private=True``.

        Returns
        -------
        LiveView
            With ``selected``, the tickers of the markets that a person chose, ``pause()``, ``resume()``,
            ``snapshot()`` and ``close()``; the frame stays open until it is closed itself.

        Raises
        ------
        SubscriptionError, FeedClosedError
            As for :meth:`tickers`.
        UsageError, ConfigurationError
            When there is no such option, or its value will not do.
        """
        return self.tickers()._live_view(view="board", series=series, **options)  # noqa: SLF001  # the handles' own part

    def event(self, event_ticker: str, market_tickers: MarketTickers = None, **options: Any) -> LiveView:
        """Return a live view of the markets of one event beside each other, with what their prices add up to.

        It keeps the books of these markets until it is closed. As a cell's last expression it shows itself.

        Parameters
        ----------
        event_ticker : str
            The event, such as ``"KXHIGHNY-26NOV22"``.
        market_tickers : str or iterable of str, optional
            Its markets; those that the feed has heard of where they are left out: from the lifecycle channel while
            somebody has that, or from a simulated exchange in this process.
        **options
            ``sort``: ``"strike"`` or ``"probability"``, which can be chosen in the view as well; ``normalise``: add
            each mid in proportion to the sum of all mids, as a column of its own, where every open market has both
            sides; and ``unit`` and all else that :func:`kalshi_nb.show` takes.

        Returns
        -------
        LiveView
            With ``pause()``, ``resume()``, ``snapshot()``, ``close()`` and ``widget``; the same one for the same
            question, until it is closed. Prices are those of the YES legs as they are. They are added up only where
            the exchange says that the markets exclude each other; that one of them has to be YES it never says.

        Raises
        ------
        MarketTickerError
            When no market of the event is known and none is named, or a ticker is none.
        SubscriptionError
            When the exchange refuses a book.
        UsageError, ConfigurationError
            When there is no such option, or its value will not do.
        FeedClosedError
            When the feed is closed.
        """
        return self._ask().books.events.get(event_ticker, market_tickers, options)

    # What there is ------------------------------------------------------------------------------------

    def series(self, category: str | None = None, tags: str | Iterable[str] | None = None) -> pl.DataFrame:
        """Ask which series there are: the same question, asked again and again, such as a city's temperature.

        Parameters
        ----------
        category : str, optional
            Only of this category, letter for letter, such as ``"Climate and Weather"``.
        tags : str or iterable of str, optional
            Only those with one of these tags.

        Returns
        -------
        polars.DataFrame
            Columns ``series_ticker, title, category, tags, frequency, fee_type, fee_multiplier, contract_url``. All
            of Kalshi's are 12,000 rows, which take some seconds.

        Raises
        ------
        RestError
            When the exchange does not answer; its classes say why, and their text what to do.
        ConfigurationError
            When there is no such category; the message lists those there are.
        FeedClosedError
            When the feed is closed.

        Notes
        -----
        Source: Kalshi's ``GET /series``. This and what follows asks over REST, waits for the answer, and can be called
        on any thread of yours; in a coroutine, ``await feed.rest.series()``.
        """
        return self._ask().discovery.series(category, tags)

    def events(
        self,
        series: str | None = None,
        status: str | None = "open",
        *,
        limit: int | None = None,
        cursor: str = "",
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Ask which events there are; of each one's markets ask :meth:`markets`.

        Parameters
        ----------
        series : str, optional
            Only of this series, such as ``"KXHIGHNY"``.
        status : str or None
            ``"unopened"``, ``"open"``, ``"closed"``, ``"settled"``, or None for all there ever were.
        limit, cursor, progress
            As for :meth:`markets`.

        Returns
        -------
        polars.DataFrame
            Columns ``event_ticker, title, subtitle, series_ticker, mutually_exclusive, strike_date, strike_period``.

        Raises
        ------
        RestError, ConfigurationError, FeedClosedError
            As for :meth:`markets`.
        """
        return self._ask().discovery.events(series, status, limit, cursor, progress)

    def markets(
        self,
        series: str | None = None,
        event: str | None = None,
        tickers: str | Iterable[str] | None = None,
        status: str | None = "open",
        *,
        close_after: Moment | None = None,
        close_before: Moment | None = None,
        multivariate: bool = False,
        limit: int | None = None,
        cursor: str = "",
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Ask which markets there are, with their prices at this moment.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> feed.markets("KXHIGHNY").select("market_ticker", "subtitle").height
        6
        >>> feed.close()

        Parameters
        ----------
        series, event : str, optional
            Only of this series, such as ``"KXHIGHNY"``, or this event, such as ``"KXHIGHNY-26NOV28"``.
        tickers : str or iterable of str, optional
            Only these; one that does not exist is left out.
        status : str or None
            ``"unopened"``, ``"open"``, ``"paused"``, ``"closed"``, ``"settled"``, or None for all. Where series, event
            or tickers are named, also those that were settled more than two months ago.
        close_after, close_before : datetime, str or float, optional
            Only those that close from, and before, a moment: ``"2026-11-28T18:00"`` (UTC), a datetime, or seconds.
        multivariate : bool
            Those that combine others, too (KXMVE…), which are four fifths of all.
        limit : int, optional
            So many at most, whichever come first.
        cursor : str
            Where to go on: the ``cursor`` of an error that ended such a question.
        progress : callable, optional
            Called after each page of 1,000 with the number of rows so far, and the time when the oldest was made.

        Returns
        -------
        polars.DataFrame
            Those that close first in front. Columns ``market_ticker, title, subtitle, yes_bid, yes_ask, price, volume,
            close_time, status, spread, mid`` and more: dollars, contracts and UTC; no bid, no ask and no last price
            are null. ``status`` is the exchange's word, ``"active"`` of those that are open. ``series_ticker`` is
            known where the series was named or the event asked for before: no market says it.

        Raises
        ------
        RestError
            When the exchange does not answer, at any of several tries; what had come is in its ``partial``, and so it
            is after Ctrl-C.
        ConfigurationError
            When an argument cannot be asked for.
        FeedClosedError
            When the feed is closed.

        Notes
        -----
        Source: Kalshi's ``GET /markets`` and ``GET /historical/markets``. All open markets are some 100 pages. What
        is answered is also what views show from then on: titles, strikes, times. An answer may be 15 s old.
        """
        question = MarketQuestion(series, event, tickers, status, close_after, close_before, multivariate)
        return self._ask().discovery.markets(question, limit, cursor, progress)

    def market(self, market_ticker: str) -> pl.DataFrame:
        """Ask for one market: a frame of one row, with the columns of :meth:`markets`.

        Raises
        ------
        RestNotFoundError
            When there is none of that ticker.
        RestError, ConfigurationError, FeedClosedError
            As for :meth:`markets`.
        """
        return self._ask().discovery.market(market_ticker)

    def search(self, query: str, *, status: str | None = "open", limit: int = 50, cache: bool = True) -> pl.DataFrame:
        """Find markets by words, such as ``feed.search("high temp new york")``: best first.

        Parameters
        ----------
        query : str
            Words of titles, tickers, categories and tags, whole or their beginnings, in any order.
        status : str or None
            As for :meth:`markets`.
        limit : int
            How many at most.
        cache : bool
            Whether the table of all series may be a day old. It is kept in memory and in the user's cache directory;
            with False it is asked for anew, which takes seconds, and nothing is written.

        Returns
        -------
        polars.DataFrame
            The columns of :meth:`markets`, and ``event_title, series_title, score`` (1: every word, as it stands).

        Raises
        ------
        RestError, ConfigurationError, FeedClosedError
            As for :meth:`markets`.

        Notes
        -----
        The exchange itself cannot be asked by words. So its series are searched, a table here, and then the events of
        the eight that fit best are asked for with their markets; of those that are over, a thousand a series at most.
        """
        return self._ask().discovery.search(query, status, limit, cache=cache)

    def picker(self, query: str = "", *, status: str | None = "open", limit: int = 50) -> MarketPicker:
        """Search markets as words are typed, and choose some: as a cell's last expression it shows itself.

        ``picker.market_tickers`` has the tickers of those that are chosen, for any call that takes some; to be told
        when it changes, ``picker.observe(function, "market_tickers")``. The cell, run again, shows the same picker.

        Parameters
        ----------
        query : str
            Words to begin with.
        status, limit
            As for :meth:`search`, by which it finds.

        Returns
        -------
        ipywidgets.VBox
            With ``market_tickers``, ``market_ticker`` (the first) and ``query``; it needs a front end of notebooks.

        Raises
        ------
        ConfigurationError, FeedClosedError
            As for :meth:`markets`. What the exchange answers stands below the words.
        """
        return self._ask().pickers.open(query, status, limit)

    @property
    def rest(self) -> Rest:
        """The same questions for code that awaits: ``await feed.rest.markets("KXHIGHNY")``."""
        from kalshi_nb._feed.rest import Rest  # noqa: PLC0415  # it takes a feed, and only some await

        return Rest(self)

    def candles(
        self,
        market_tickers: MarketTickers,
        interval: str = "1h",
        since: Since = "24h",
        until: Since | None = None,
        *,
        filled: bool = False,
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Ask for candles that the exchange has made: of any market, back to its opening.

        >>> import kalshi_nb as kn
        >>> feed = kn.connect("sim")
        >>> feed.candles("KXSENATEOH-28-D", "1d", since="7d").height
        8
        >>> feed.close()

        Parameters
        ----------
        market_tickers : str or iterable of str
            One market, or several.
        interval : str
            ``"1m"``, ``"1h"`` or ``"1d"``; days begin at midnight in New York.
        since : str, timedelta, datetime or float
            So long ago, or a moment: the last 24 hours unless it is given, ``since=0`` for all since the opening.
        until : str, timedelta, datetime or float, optional
            As `since`; now when None.
        filled : bool
            Also the intervals between them in which nothing moved: with the quotes as they stood, and no volume.
        progress : callable, optional
            Called after each answer with the number of rows so far, and the time reached.

        Returns
        -------
        polars.DataFrame
            Columns ``market_ticker, start, end, open, high, low, close, volume, trades, yes_bid_open … yes_bid_close,
            yes_ask_open … yes_ask_close, open_interest, complete, mid``: dollars, contracts, UTC, by start. A row
            where a trade or a quote moved; prices are null without a trade, and ``mid`` is that of the quotes at the
            end. How many ``trades`` there were the exchange does not tell. ``complete`` is false of one that is not
            over, or was a moment ago.

        Raises
        ------
        RestNotFoundError, MarketTickerError
            When there is no such market; of an event the message names its markets. The candles of the others are in
            its ``partial``.
        RestError, ConfigurationError, FeedClosedError
            As for :meth:`markets`.

        Notes
        -----
        Source: Kalshi's ``GET /markets/candlesticks``, and ``GET /historical/markets/{ticker}/candlesticks`` of
        markets that were settled more than two months ago.
        """
        return self._ask().history.candles(market_tickers, interval, since, until, filled=filled, progress=progress)

    def live_candles(
        self, market_tickers: MarketTickers, interval: str = "1m", since: Since = "3h", *, filled: bool = False
    ) -> Candles:
        """Return candles that go on: those that the exchange has made, and behind them those of what comes.

        >>> import kalshi_nb as kn
        >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
        >>> feed = kn.connect(exchange)
        >>> candles = feed.live_candles("KXHIGHNY-26NOV22-B52.5", "1m", since="10m")
        >>> exchange.advance(120)
        >>> candles.wait(until="2026-11-22T15:01:00Z").df["complete"].any()
        True
        >>> feed.close()
        >>> exchange.close()

        Parameters
        ----------
        market_tickers : str or iterable of str
            One market, or several.
        interval, since, filled
            As for :meth:`candles`; the last three hours unless `since` is given.

        Returns
        -------
        Candles
            ``.df`` has them as :meth:`candles` has: each candle that is ``complete`` there is what :meth:`candles`
            says of it. The same call gives the same handle. ``.wait()`` waits for the next one that is complete,
            ``.complete_until`` says how far they are, ``.close()`` ends it.

        Raises
        ------
        RestNotFoundError
            When there is no such market.
        SubscriptionError
            When the exchange refuses what they are made of.
        RestError, ConfigurationError, FeedClosedError
            As for :meth:`markets`.

        Notes
        -----
        A candle that is not complete is made of trades, of best prices of the markets' books, which it keeps, and of
        open interest from tickers. 21 s after its end each is asked for over REST, and then complete: so it is by
        the exchange's own rules, whatever was lost in between. Where REST does not answer, what was heard stays.
        """
        return self._ask().candles.open(market_tickers, interval, since, filled=filled)

    # Pipelines ----------------------------------------------------------------------------------------

    def stream(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        exact: bool = False,
        backfill: bool = False,
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
        backfill : bool
            Have trades, too, that a gap took and that the feed fetched over REST (see ``backfill`` of
            :func:`kalshi_nb.connect`): each once, in a batch of their own, behind what came meanwhile. A last column
            ``backfilled`` is true of them; they have no ``received_at`` and no ``seq``. Only the channel ``trade`` has
            such rows.
        name : str, optional
            What to call it in reprs and messages. It takes the place of the feed's pipeline of that name, where
            there is one.

        Raises
        ------
        UnknownChannelError
            When there is no such channel; the message lists those there are.
        ConfigurationError
            When `backfill` is asked for of another channel than ``trade``.
        MarketTickerError, SubscriptionError, FeedClosedError
            As for :meth:`trades`.
        """
        return self._ask().attachments.stream(channel, market_tickers, exact=exact, backfill=backfill, name=name)

    def messages(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
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
        backfill : bool
            As for :meth:`stream`; ``message.backfilled`` says which trades were fetched.
        """
        return self._ask().attachments.messages(channel, market_tickers, gaps=gaps, backfill=backfill, name=name)

    def on(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
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
        `gaps` the function is called with each gap, too, and with `backfill` with trades that a gap took, once they
        are fetched: ``trade.backfilled`` is true then. A function that raises is called again with the next message;
        see :class:`kalshi_nb.Pipeline`.

        Raises
        ------
        PipelineError
            When the function is ``async``: use :meth:`listen` in a coroutine.
        """
        return self._ask().attachments.decorator(channel, market_tickers, gaps=gaps, backfill=backfill, name=name)

    def listen(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        gaps: bool = False,
        backfill: bool = False,
        name: str | None = None,
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
        backfill : bool
            As for :meth:`messages`.
        name : str, optional
            What to call it in :attr:`pipelines`.

        Returns
        -------
        Listener
            Yields the messages of :mod:`kalshi_nb.messages` one by one. Its ``pipeline`` counts what went because more
            than `max_pending_rows` of :func:`kalshi_nb.connect` waited.

        Raises
        ------
        UnknownChannelError, MarketTickerError, ConfigurationError, FeedClosedError
            As for :meth:`messages`.
        SubscriptionError
            At the first step, when the exchange refuses.
        PipelineError
            When it is used without ``async``.
        """
        return self._ask().attachments.listen(channel, market_tickers, gaps=gaps, backfill=backfill, name=name)

    def when(
        self, condition: Callable[[Quote], Any], call: Callable[[Quote], Any], market_tickers: MarketTickers = None
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
        return self._ask().attachments.call(QUOTES, check_tickers(market_tickers, QUOTES), alert)

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
        return datetime_of(self._engine.clock.now_us())

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
            goes on, or the exchange has taken the subscription again); ``reason``; ``seq_from``, ``seq_to`` (the
            missing sequence numbers, both included; null where none are known, or, of messages that came late and
            out of order, an earlier gap has them); ``repaired_by`` (``get_snapshot``, ``resubscribe``,
            ``reconnect``, ``rest``; null where nothing brought back what was lost); ``connection`` (which of the
            feed's connections has it, from 1).
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
        return self._views.health()

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
        self._standing.refuse_ended()
        self._pipelines.flush(deadline.left())

    def run(self, seconds: Duration | None = None) -> None:
        """Block while the data flows: the last line of a script whose callbacks do the work.

        It returns at Ctrl-C, without an error, after `seconds`, when the feed is closed by another thread, and at the
        end of a recording that is replayed. The feed stays open. What your callbacks raise is warned of meanwhile.

        >>> import kalshi_nb as kn
        >>> exchange = kn.sim.Exchange(seed=7, clock="manual")
        >>> feed = kn.connect(exchange)
        >>> trades = feed.trades()
        >>> feed.run("1m")
        >>> trades.total
        298
        >>> feed.close()
        >>> exchange.close()

        Parameters
        ----------
        seconds : str, timedelta or float, optional
            How long at most: ``"10m"``, a timedelta, or seconds. They are seconds of the market: where a simulated
            exchange's clock is moved by hand, it is moved by so much, and nothing is waited for.

        Raises
        ------
        FeedClosedError, ForkedError
            When nothing moves any more when it is called.
        ConfigurationError
            When `seconds` is no length of time.
        """
        run(self._standing, self.replaying, seconds, self._tell, self.exchange)

    def record(self, path: Folder, channels: Channels = None, market_tickers: MarketTickers = None) -> Recorder:
        """Record into a folder, every byte as it comes, until it is closed.

        Parameters
        ----------
        path : str or path
            The folder; it is made where it is not there. A recording goes on in it, beside what is there already.
        channels : str or iterable of str, optional
            What to record, by Kalshi's names; the recorder wants it by itself. Left out, all that the feed wants now
            and later, but for channels of the account (fills, orders, positions): these only where they are named.
        market_tickers : str or iterable of str, optional
            The markets of these channels, or of ``trade``, ``ticker`` and ``orderbook_delta``; all of them where it
            is left out.

        Returns
        -------
        Recorder
            ``close()`` seals the recording; ``open()`` reads what is on the disk so far. What stands there survives a
            kill; ``health()`` says until when that is, and what is wrong with the disk.

        Raises
        ------
        ConfigurationError
            When nothing is named and nothing is wanted, the path is none, a channel is none (UnknownChannelError), or
            books are to be recorded without a market's name (MarketTickerError).
        RecordingInUseError
            When somebody records into the folder.
        RecordingError
            When it cannot be written, or is the recording that the feed plays.
        """
        return self._ask().recorders.record(path, channels, market_tickers)

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
        if self._standing.is_forked:
            self._standing.refuse_ended()
        return self._engine.reconnect()

    # The end ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the feed and its threads within about 2 s; frames and books stay readable. Idempotent."""
        refuse_on(*FEED_ROLES, doing="feed.close()", instead="Close it in a cell, or set a flag that a cell looks at")
        # Said first, so that connect() on another thread makes a new feed instead of handing out this one.
        self._standing.close()
        if self._standing.is_forked:
            return  # threads, sockets and the exchange are the parent's
        self._parts.close(self._engine, self.exchange or self.replaying)
        self._on_close()

    def __enter__(self) -> Self:
        self._standing.refuse_ended()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_raised: object) -> None:
        # Elsewhere, since it takes up to 2 s. A task that is cancelled meanwhile does not wait; the closing goes on.
        await off_loop(self.close, "kalshi-closing")

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    def __repr__(self) -> str:
        return self._views.line()

    # What shows it ------------------------------------------------------------------------------------

    def widget(self, **options: Any) -> ViewWidget:
        """Return a live view of the feed itself as a widget, to be put together with others.

        Parameters
        ----------
        **options
            ``view``: ``"status"``, how it is doing, or ``"gaps"``, where its data is missing; and all else that
            :func:`kalshi_nb.show` takes.

        Returns
        -------
        anywidget.AnyWidget
            The same one for the same options, until it is closed; it moves until the feed is closed.

        Raises
        ------
        FeedClosedError, ForkedError
            When nothing moves any more.
        UsageError
            When there is no such option; the nearest is named.
        ConfigurationError
            When a value will not do.
        """
        return self._views.widget(options)

    def _live_view(self, **options: Any) -> LiveView:
        """Return the view with these options: how it is doing, or its gaps."""
        return self._views.get(options)

    def __reduce__(self) -> NoReturn:
        raise not_copied(self, "connect() in the other process, or pass on data, such as feed.trades().df")

    # Inside -------------------------------------------------------------------------------------------

    def _ask(self) -> FeedParts:
        """Begin a call that asks for something new, and return what it asks: refuse it where nothing new can come."""
        self._standing.refuse_ended()
        self._tell()
        return self._parts

    def _tell(self) -> None:
        """Say on the main thread what went wrong in the user's pipelines since the last call."""
        tell(self._standing, self._pipelines, self._parts.recorders)
