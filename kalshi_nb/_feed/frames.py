"""The rolling frames of a feed: opened, shared, closed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kalshi_nb._durations import Duration
from kalshi_nb._feed.coverage import ASKING, Coverage, first_mark
from kalshi_nb._feed.demand import Demand, MarketTickers, check_channel, check_tickers
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb._feed.history import Reach, reach_of
from kalshi_nb._feed.standing import unknown_market
from kalshi_nb._rows.channels import BOOKS, QUOTES, source_of, traits_of
from kalshi_nb._rows.tickers import about, hints
from kalshi_nb._streams.pipeline import know_gaps
from kalshi_nb._usage import flag
from kalshi_nb._widgets.sources import FrameSource
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.account import Account
    from kalshi_nb._feed.backfill import Backfill
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._feed.history import History, Since
    from kalshi_nb._feed.standing import FeedStanding
    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb._rows.wanted import Params
    from kalshi_nb._streams.runner import Pipelines
    from kalshi_nb._widgets.sources import FeedSource
    from kalshi_nb.errors import SubscriptionError

__all__ = ["FrameRequest", "Frames"]


class FrameRequest(NamedTuple):
    """What a frame was asked for; the same request gives the same frame.

    Attributes
    ----------
    channel : str
        The channel, or ``quotes``.
    market_tickers : frozenset of str or None
        The markets; None for all, or, of what is made from books, for the books that the feed keeps.
    rows, seconds : int or None, float or None
        How much it keeps.
    exact : bool
        Decimals in place of floats.
    gaps : bool
        With a column that says which rows follow a gap.
    params : tuple of pairs
        What else the exchange is told.
    latest_keys : int or None
        How many last rows it keeps beside its window; None for as many as any frame.
    since : Reach or None
        How far back, over REST; None for what comes by itself alone.
    holder : str
        Whose it is where it is not for whoever asks the same: nobody else's ``close()`` is to end it.
    """

    channel: str
    market_tickers: frozenset[str] | None
    rows: int | None
    seconds: float | None
    exact: bool = False
    gaps: bool = False
    params: Params = ()
    latest_keys: int | None = None
    since: Reach | None = None
    holder: str = ""


class Frames:
    """The frames of one feed.

    Parameters
    ----------
    engine : Engine
        Has the gaps that concern them.
    demand : Demand
        Asks for their rows.
    pipelines : Pipelines
        Fills them.
    standing : FeedStanding
        Tells them how the feed stands.
    source : FeedSource
        What their views are made of.
    history : History
        What was before.
    backfill : Backfill
        Looks again for what could not be seen at once.
    account : Account
        Has those of one's own account begin with what there is.
    """

    def __init__(
        self,
        engine: Engine,
        demand: Demand,
        pipelines: Pipelines,
        standing: FeedStanding,
        source: FeedSource,
        history: History,
        backfill: Backfill,
        account: Account,
    ) -> None:
        self._history = history
        self._backfill = backfill
        self._account = account
        self._source = source
        self._engine = engine
        self._demand = demand
        self._pipelines = pipelines
        self._standing = standing
        self._handles: Handles[FrameRequest, Frame] = Handles()

    def of(
        self,
        channel: str,
        market_tickers: MarketTickers,
        rows: int | None,
        seconds: Duration | None,
        params: Params = (),
        *,
        exact: bool,
        gaps: bool = False,
        keys: int | None = None,
        since: Since | None = None,
        progress: Progress | None = None,
    ) -> Frame:
        """Return the frame that a user asks for, or raise what is wrong with the question."""
        from kalshi_nb._frames.rolling import most_keys, window  # noqa: PLC0415  # polars loads when it is needed

        if progress is not None:
            from kalshi_nb._rest.discovery import check_progress  # noqa: PLC0415  # as above

            check_progress(progress)
        check_channel(channel)
        tickers = check_tickers(market_tickers, channel)
        kept = window(rows, seconds)
        most = None if keys is None else most_keys(keys)
        decimals, marked = flag("exact", exact), flag("gaps", gaps)
        if marked and channel == QUOTES:
            raise ConfigurationError("quotes have no column gap; their column status says when a book is not live.")
        span = None if seconds is None else kept.seconds
        reach = reach_of(since)
        return self.open(
            FrameRequest(channel, tickers, rows and kept.rows, span, decimals, marked, params, most, reach), progress
        )

    def open(self, request: FrameRequest, progress: Progress | None = None) -> Frame:
        """Return the frame of a request, which has been checked; a new one where there is none.

        Progress is told of what a new one fetches.
        """
        (frame,) = self._handles.get([request], lambda _: {request: self._make(request, progress)})
        frame.held()
        return frame

    def __len__(self) -> int:
        return len(self._handles)

    def close(self) -> None:
        """Close all of them, so that whoever waits for rows knows that none will come."""
        for each in self._handles.shut():
            each.close()

    def loosen(self) -> None:
        """Leave them to those who hold them: the feed is gone, and nobody can ask for one again."""
        self._handles.loosen(lambda frame: frame._on_close)  # noqa: SLF001  # made here

    def _make(self, request: FrameRequest, progress: Progress | None) -> Frame:
        from kalshi_nb._feed.frame import Frame  # noqa: PLC0415  # polars loads when it is needed

        ending = Ending([lambda: self._handles.discard(request)])
        node = self._pipelines.frame(
            request.channel,
            request.market_tickers,
            rows=request.rows,
            seconds=request.seconds,
            exact=request.exact,
            gaps=request.gaps,
            fetched=request.since is not None,
            latest_keys=request.latest_keys,
            name=traits_of(request.channel).title,
            on_close=ending,
        )
        try:
            know_gaps(node.pipeline, ASKING)
            held = self._demand.rows(
                request.channel, request.market_tickers, request.params, is_views=bool(request.holder)
            )
            know_gaps(node.pipeline, first_mark(self._engine, source_of(request.channel)))
            ending.add(held.release)
            coverage = Coverage(self._engine, source_of(request.channel), request.market_tickers, held.connections)
            if request.since is not None:
                seam = self._history.fill(node, request.market_tickers, request.since, coverage, progress)
                if seam is not None:
                    self._backfill.later(seam)
            frame = Frame(
                node.store,
                name=node.pipeline.name,
                on_close=node.pipeline.close,
                coverage=coverage,
                about=", ".join([about(request.channel, request.market_tickers), *_told(held.params)]),
                hint=hints(request.channel, request.market_tickers),
                standing=self._standing,
                unknown=partial(_unknown, self._engine, request),
                channel=request.channel,
                source=FrameSource(
                    self._source,
                    node.store,
                    channel=request.channel,
                    name=node.pipeline.name,
                    market_tickers=request.market_tickers,
                ),
            )
            self._account.begin(request.channel, request.market_tickers)
            return frame  # noqa: TRY300  # Ctrl-C between this and an else: would find nobody who ends it
        except BaseException:
            node.pipeline.close()
            raise


def _unknown(engine: Engine, request: FrameRequest) -> SubscriptionError | None:
    """Return the error of a frame that lives by books of markets none of which the exchange knows, as it has said."""
    tickers = request.market_tickers
    if tickers is None or source_of(request.channel) != BOOKS:
        return None
    ladders = (engine.ladder(each) for each in tickers)
    nobody = all(each is not None and each.status == "unknown" for each in ladders)
    return unknown_market(tickers) if nobody else None


def _told(params: Params) -> list[str]:
    return [f"{name}={value!r}" for name, value in params]
