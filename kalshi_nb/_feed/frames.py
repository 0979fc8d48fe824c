"""The rolling frames of a feed: opened, shared, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kalshi_nb._feed.coverage import Coverage
from kalshi_nb._feed.demand import Demand
from kalshi_nb._feed.handles import Ending, Handles
from kalshi_nb._rows.channels import source_of, traits_of
from kalshi_nb._rows.tickers import about, hints

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._feed.frame import Frame
    from kalshi_nb._rows.wanted import Params
    from kalshi_nb._streams.runner import Pipelines

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
    """

    channel: str
    market_tickers: frozenset[str] | None
    rows: int | None
    seconds: float | None
    exact: bool = False
    gaps: bool = False
    params: Params = ()


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
    """

    def __init__(self, engine: Engine, demand: Demand, pipelines: Pipelines) -> None:
        self._engine = engine
        self._demand = demand
        self._pipelines = pipelines
        self._handles: Handles[FrameRequest, Frame] = Handles()

    def open(self, request: FrameRequest) -> Frame:
        """Return the frame of a request, which has been checked; a new one where there is none."""
        (frame,) = self._handles.get([request], lambda _: {request: self._make(request)})
        return frame

    def __len__(self) -> int:
        return len(self._handles)

    def close(self) -> None:
        """Close all of them, so that whoever waits for rows knows that none will come."""
        for each in self._handles.shut():
            each.close()

    def _make(self, request: FrameRequest) -> Frame:
        from kalshi_nb._feed.frame import Frame  # noqa: PLC0415  # polars loads when it is needed

        ending = Ending([lambda: self._handles.discard(request)])
        node = self._pipelines.frame(
            request.channel,
            request.market_tickers,
            rows=request.rows,
            seconds=request.seconds,
            exact=request.exact,
            gaps=request.gaps,
            name=traits_of(request.channel).title,
            on_close=ending,
        )
        try:
            held = self._demand.rows(request.channel, request.market_tickers, request.params)
            ending.add(held.release)
            coverage = Coverage(self._engine, source_of(request.channel), request.market_tickers, held.connections)
            return Frame(
                node.store,
                name=node.pipeline.name,
                on_close=node.pipeline.close,
                coverage=coverage,
                about=", ".join([about(request.channel, request.market_tickers), *_told(held.params)]),
                hint=hints(request.channel, request.market_tickers),
            )
        except BaseException:
            node.pipeline.close()
            raise


def _told(params: Params) -> list[str]:
    return [f"{name}={value!r}" for name, value in params]
