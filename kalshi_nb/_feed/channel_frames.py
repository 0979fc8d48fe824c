"""The part of a feed that gives rolling frames: one method for each channel, and one for any."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Literal

from kalshi_nb._feed.coverage import Coverage
from kalshi_nb._feed.demand import Ending, MarketTickers, check_channel, check_tickers
from kalshi_nb._feed.running import Running
from kalshi_nb._rows.channels import REFERENCE_FEEDS, traits_of
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.wanted import Params
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._feed.frame import Frame

__all__ = ["ChannelFrames"]

_MOST_SHARDS: Final = 100


class ChannelFrames(Running):
    """A running feed whose channels can be read as rolling frames."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lock = threading.RLock()
        self._frames: dict[object, Frame] = {}

    def frame(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        rows: int | None = None,
        seconds: float | None = None,
        exact: bool = False,
        gaps: bool = False,
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
        return self._frame(channel, market_tickers, rows, seconds, exact=exact, gaps=gaps)

    # Markets and events -------------------------------------------------------------------------------------

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
            sent it.

        Notes
        -----
        Source: Kalshi's channels ``market_lifecycle_v2`` and ``multivariate_market_lifecycle``. Nothing is
        sent when a market opens or closes at its time. New events and changes of their fees are about no
        market and so not in the frame: ``messages()`` and ``on()`` give them.
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
            Which of them this feed takes, from 0.

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
        params = _rfq_params(user_filter, shard_factor, shard_key)
        return self._frame("communications", market_tickers, rows, seconds, exact=exact, gaps=gaps, params=params)

    # Reference feeds ----------------------------------------------------------------------------------------

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
            Such as ``"BRTI"``; None as for :meth:`trades`: all of them, unless some were asked for already.
        five_hz : bool
            Raw ticks, up to five a second, in place of one a second with its averages.
        rows, seconds, exact, gaps
            As for :meth:`trades`; ``gap`` is true on each index's first row after a hole.

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
        self._tell()
        check_channel(channel)
        if channel not in REFERENCE_FEEDS:
            raise ConfigurationError(
                f"{channel} has no list of what there is; these have one: {', '.join(REFERENCE_FEEDS)}."
            )
        return self._wishes.offered(channel)

    # Inside -------------------------------------------------------------------------------------------------

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
    ) -> Frame:
        from kalshi_nb._feed.frame import Frame  # noqa: PLC0415  # as below
        from kalshi_nb._frames.rolling import window  # noqa: PLC0415  # polars loads when it is needed

        self._tell()
        tickers = check_tickers(market_tickers, channel)
        window(rows, seconds)  # refuses what cannot be a key, too
        key = (channel, tickers, rows, seconds, exact, gaps, params)
        with self._lock:
            found = self._frames.get(key)
            if found is not None and self.state != "closed":
                return found
            ending = Ending()
            ending.add(lambda: self._forget_frame(key))
            node = self._pipelines.frame(
                channel,
                tickers,
                rows=rows,
                seconds=seconds,
                exact=exact,
                gaps=gaps,
                name=traits_of(channel).title,
                on_close=ending,
            )
            frame = Frame(node.store, name=node.pipeline.name, on_close=node.pipeline.close)
            try:
                ending.add(self._wishes.rows(channel, tickers, params))
            except BaseException:
                frame.close()
                raise
            source = traits_of(channel).source or channel
            connections = self._engine.homes(source, tickers)
            frame.cover(Coverage(self._engine.gaps, source, tickers, self._clock, connections=connections))
            self._frames[key] = frame
            return frame

    def _forget_frame(self, key: object) -> None:
        with self._lock:
            self._frames.pop(key, None)

    def _close_handles(self) -> None:
        with self._lock:
            frames = list(self._frames.values())
        for frame in frames:
            frame.close()


def _rfq_params(user_filter: object, shard_factor: object, shard_key: object) -> Params:
    """Return the parameters of ``communications``, refused where the exchange would refuse them."""
    if user_filter not in (None, "self"):
        raise ConfigurationError(
            f"user_filter is {user_filter!r}; pass 'self' for your own requests, or leave it out."
        )
    params: list[tuple[str, str | int]] = [] if user_filter is None else [("user_filter", "self")]
    if shard_factor is None and shard_key is None:
        return tuple(params)
    if isinstance(shard_factor, bool) or not isinstance(shard_factor, int) or not 1 <= shard_factor <= _MOST_SHARDS:
        raise ConfigurationError(
            f"shard_factor is {shard_factor!r}; say into how many parts to cut the channel, 1 to {_MOST_SHARDS}."
        )
    params.append(("shard_factor", shard_factor))
    if shard_key is not None:
        if isinstance(shard_key, bool) or not isinstance(shard_key, int) or not 0 <= shard_key < shard_factor:
            raise ConfigurationError(f"shard_key is {shard_key!r}; pass which part to take, 0 to {shard_factor - 1}.")
        params.append(("shard_key", shard_key))
    return tuple(params)
