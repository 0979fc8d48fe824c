"""How an engine is doing, as plain data made from its links."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from kalshi_nb._engine.link import Link
from kalshi_nb._engine.metering import lag_of
from kalshi_nb._engine.port import ChannelStatus, ClockStep, EngineState, EngineStatus

__all__ = ["state_of", "status_of"]


def state_of(links: Sequence[Link]) -> EngineState:
    """Return what a feed's state is, of which each link has its own.

    The trouble of one link is its own: credentials that one of several is refused with leave the others connected, so
    the whole is "refused", or "closed", only where all of them are. It is "connected" only where all of them are.
    """
    states = {each.state for each in links}
    if len(states) == 1:
        return states.pop()
    return "connecting" if states <= {"connected", "connecting"} else "reconnecting"


def status_of(
    state: EngineState,
    links: Sequence[Link],
    *,
    clock_steps: tuple[ClockStep, ...],
    faults: int,
    troubles: Iterable[tuple[float, str]],
) -> EngineStatus:
    """Return how the engine of these links is doing."""
    sessions = [each.session for each in links]
    lag_p50, lag_p99 = lag_of(each.meter for each in links)
    found = list(troubles)
    found += [(each.failed_at, each.last_error) for each in links if each.last_error is not None]
    found += [each.complaint for each in sessions if each.complaint is not None]
    now = time.monotonic()
    skews = (each.clock_skew for each in links)
    return EngineStatus(
        state=state,
        links=tuple(each.status() for each in links),
        channels=_channels(links),
        messages=sum(each.messages for each in sessions),
        messages_per_second=sum(each.meter.rate(now) for each in links),
        lag_p50=lag_p50,
        lag_p99=lag_p99,
        lag_grows=any(each.meter.lag_grows() for each in links),
        duplicates=sum(each.duplicates for each in sessions),
        rejected=sum(each.rejected for each in sessions),
        clock_skew=next((each for each in skews if each is not None), None),
        clock_steps=clock_steps,
        troubles=tuple(found),
        faults=faults,
    )


def _channels(links: Iterable[Link]) -> dict[str, ChannelStatus]:
    found: dict[str, ChannelStatus] = {}
    now = time.monotonic()
    for link in links:
        for each in list(link.session.subscriptions.values()):
            if not each.requests:
                continue
            is_first = each.channel not in found
            before = found.get(each.channel, ChannelStatus(0))
            markets = None if each.all_markets or before.markets is None else before.markets + len(each.market_tickers)
            found[each.channel] = ChannelStatus(
                markets,
                max(before.received_at, each.received_at),
                before.messages + each.messages,
                each.seq if is_first else None,
                max(before.vain_repairs, each.repairs_in_vain(now)),
            )
    return found
