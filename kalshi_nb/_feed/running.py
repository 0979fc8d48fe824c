"""A feed as something that runs: its threads, its condition, its end."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from kalshi_nb._auth import Credentials
from kalshi_nb._clock import Clock
from kalshi_nb._engine.link import Link
from kalshi_nb._engine.live import Engine
from kalshi_nb._engine.transport import TransportName
from kalshi_nb._feed.attached import Attached
from kalshi_nb._feed.cells import frames_inside
from kalshi_nb._feed.demand import Wishes
from kalshi_nb._feed.health import Health, health_of, market_counts
from kalshi_nb._rows.channels import ROWS
from kalshi_nb._rows.rejects import MOST_REJECTS, Reject
from kalshi_nb._streams.runner import Pipelines
from kalshi_nb._threads import FEED_ROLES, refuse_on, role
from kalshi_nb.errors import PipelineWarning

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DEFAULT_OPTIONS", "Options", "Running"]


@dataclass(frozen=True)
class Options:
    """What a feed was made with, beside its address and key."""

    flush_interval: float = 0.05
    max_pending_rows: int = 1_000_000
    connections: int = 1
    transport: TransportName = "websockets"


DEFAULT_OPTIONS: Final = Options()


class Running:
    """The part of a feed that is the same whatever is asked of it.

    Attributes
    ----------
    url : str
        Where the exchange is.
    options : Options
        What the feed was made with.
    exchange : kalshi_nb.sim.Exchange or None
        The simulated exchange in this process, None when there is a real one at the other end.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        options: Options = DEFAULT_OPTIONS,
        exchange: Any = None,
        on_close: Callable[[Any], None] | None = None,
    ) -> None:
        self.url = url
        self.options = options
        self.exchange = exchange
        self._clock = clock
        self._on_close = on_close
        self._engine = Engine(
            url, credentials, clock=clock, connections=options.connections, transport=options.transport
        )
        self._pipelines = Pipelines(
            self._engine.take,
            ROWS,
            clock,
            flush_interval=options.flush_interval,
            max_pending_rows=options.max_pending_rows,
        )
        self._followers = [Follower(self, link) for link in self._engine.links]
        self._wishes = Wishes(self._engine)
        self._attached = Attached(self._pipelines, self._wishes)

    def open(self, timeout: float) -> None:
        """Dial, and wait for the first handshake; :func:`kalshi_nb.connect` does this."""
        self._engine.start(timeout)
        self._pipelines.start()
        if self.exchange is not None:
            for each in self._followers:
                self.exchange.attach(each)

    # How it is doing ------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
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
            back what was lost); ``connection`` (which of the feed's connections has it, from 1).
        """
        from kalshi_nb._frames.gaps import gap_frame  # noqa: PLC0415  # polars loads when it is needed

        self._tell()
        return gap_frame(self._engine.gaps.snapshot())

    @property
    def rejects(self) -> list[Reject]:
        """The newest 100 frames that meant nothing, each with the reason and its first bytes."""
        self._tell()
        found = [each for link in self._engine.links for each in link.session.rejects.copy()]
        return sorted(found, key=lambda each: each.received_at)[-MOST_REJECTS:]

    def health(self) -> Health:
        """Return how the feed is doing: state, rates, lag, ages, errors."""
        self._tell()
        return health_of(self._engine, self._pipelines, self._clock.now_us())

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
            for each in self._followers:
                self.exchange.detach(each)
        self._engine.gaps.seal()
        self._engine.close()
        self._pipelines.stop()
        self._close_handles()
        self._attached.close()
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close(self)

    def _close_handles(self) -> None:
        """Let whoever waits for rows know that none will come."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        markets = ", ".join(
            f"{channel} {'all markets' if count is None else count}"
            for channel, count in market_counts(self._engine).items()
        )
        return f"<Feed {self.url} {self.state}{': ' + markets if markets else ''}>"

    def _link_down(self) -> str:
        if self.state == "connected":
            return ""
        return f"The link is {self.state}: {self._engine.last_error or 'no connection'}"

    def _tell(self) -> None:
        """Say on the main thread what went wrong in the user's pipelines since the last call."""
        if role() is None and threading.current_thread() is threading.main_thread():
            for text in self._pipelines.take_notices():
                warnings.warn(text, PipelineWarning, stacklevel=frames_inside())


class Follower:
    """What a simulated exchange in this process waits for: one connection of a feed, and what it feeds.

    Parameters
    ----------
    feed : Running
        The feed.
    link : Link
        One of its connections.
    """

    def __init__(self, feed: Running, link: Link) -> None:
        self._feed = feed
        self._link = link

    def __repr__(self) -> str:
        return repr(self._feed)

    def local_port(self) -> int | None:
        """Return this side's port of the connection, None while there is none."""
        return self._link.local_port()

    def frames_received(self) -> int:
        """Return how many frames of the present connection were received and applied."""
        return self._link.frames_received

    def flush(self, timeout: float) -> None:
        """Wait until all that the feed has received can be read."""
        self._feed.flush(timeout)

    def may_wait(self) -> None:
        """Refuse to be waited for on a thread that the feed itself needs."""
        refuse_on(*FEED_ROLES, doing="exchange.advance()", instead="Call it in a cell; it would wait for this thread")
