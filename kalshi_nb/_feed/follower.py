"""What a simulated exchange in this process waits for when its clock is moved by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kalshi_nb._rows.market_facts import PriceRange
from kalshi_nb._threads import FEED_ROLES, refuse_on

if TYPE_CHECKING:
    from kalshi_nb._engine.port import Engine
    from kalshi_nb._markets.registry import MarketRegistry
    from kalshi_nb._streams.runner import Pipelines

__all__ = ["Follower"]


class Follower:
    """A feed, as the simulated exchange knows it; see :class:`kalshi_nb.sim.Follower`.

    It holds parts of the feed and not the feed, so that one that nobody can reach any more goes.

    Parameters
    ----------
    engine : Engine
        Takes in what the exchange sends.
    pipelines : Pipelines
        Brings it to where it can be read.
    markets : MarketRegistry
        Learns what the exchange says of its markets beside its messages.
    """

    def __init__(self, engine: Engine, pipelines: Pipelines, markets: MarketRegistry) -> None:
        self._engine = engine
        self._pipelines = pipelines
        self._markets = markets

    def __repr__(self) -> str:
        return f"<Feed {self._engine.url} {self._engine.state}>"

    def has_applied(self, up_to: Mapping[int, int]) -> bool:
        """Tell whether as many frames were received and applied as `up_to` says, by the port of a connection."""
        return self._engine.applied(up_to)

    def flush(self, timeout: float) -> None:
        """Wait until all that the feed has received can be read."""
        self._pipelines.flush(timeout)

    def hold(self) -> None:
        """Deliver only when `flush` asks for it, so that a step of the clock is one batch."""
        self._pipelines.hold()

    def let_go(self) -> None:
        """Deliver by itself again."""
        self._pipelines.let_go()

    def learn(self, at: int, events: Iterable[Mapping[str, Any]], markets: Iterable[Mapping[str, Any]]) -> None:
        """Take up what the exchange says of events and markets; called on its thread, and here, with plain data.

        It is what an answer over REST would tell of a real exchange, so what is known of a market does not wait until
        somebody subscribes to its lifecycle.

        Parameters
        ----------
        at : int
            When it is so, in microseconds of the exchange's time.
        events, markets : iterable of mapping
            Facts by the names of :class:`kalshi_nb._rows.market_facts.MarketFacts`, tickers among them; a range of
            prices is a tuple.
        """
        for facts in events:
            event = dict(facts)
            self._markets.update_event(event.pop("event_ticker"), at, event)
        for facts in markets:
            market = dict(facts)
            if "price_ranges" in market:
                market["price_ranges"] = tuple(PriceRange(*each) for each in market["price_ranges"])
            self._markets.update(market.pop("market_ticker"), at, market)

    def may_wait(self) -> None:
        """Refuse to be waited for on a thread that the feed itself needs."""
        refuse_on(*FEED_ROLES, doing="exchange.advance()", instead="Call it in a cell; it would wait for this thread")
