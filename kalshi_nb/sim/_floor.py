"""What a session asks of whatever it speaks for: markets that live, or markets that were recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

__all__ = ["Floor", "Published"]


class Published(Protocol):
    """One message on its way to those who are subscribed to it."""

    @property
    def channel(self) -> str:
        """The channel it belongs to."""
        ...

    @property
    def kind(self) -> str:
        """The type of its frame."""
        ...

    @property
    def ticker(self) -> str | None:
        """The market, index or underlying it is about; None where it is about none."""
        ...

    @property
    def sending_ts_ms(self) -> int | None:
        """What its frame gives as the time of sending, if any."""
        ...

    def body(self, *, use_yes_price: bool) -> str:
        """Return the text of its ``msg``."""
        ...


class Floor(Protocol):
    """The markets behind a session, and which commands about them can be answered."""

    @property
    def prefers_yes_prices(self) -> bool:
        """What ``use_yes_price`` is for a subscribe that does not say."""
        ...

    @property
    def tickers(self) -> Collection[str]:
        """All markets."""
        ...

    def has_channel(self, channel: str) -> bool:
        """Say whether there is such a channel; error 8 where there is not."""
        ...

    def names_of(self, channel: str) -> Iterable[str]:
        """Return what there is on a reference feed."""
        ...

    def take_missing(self, channel: str, wanted: set[str]) -> list[str]:
        """Take out the tickers of no market, where these are to be answered with error 28."""
        ...

    def take_excess(self, held: set[str], wanted: set[str]) -> list[str]:
        """Take out the tickers for which a subscription that holds some already has no more room: error 26."""
        ...

    def ignores_request(self) -> bool:
        """Say whether a ``get_snapshot`` that was just received stays without an answer."""
        ...

    def tickers_of(self, market_ids: tuple[str, ...]) -> set[str]:
        """Return the tickers of uuids; those of no market are passed over."""
        ...

    def ids_of(self, tickers: set[str]) -> list[str]:
        """Return the uuids of known tickers."""
        ...

    def snapshot_body(self, ticker: str, *, use_yes_price: bool) -> str | None:
        """Return a market's whole book as it is now; None where nobody knows it now."""
        ...

    def ticker_body(self, ticker: str) -> str | None:
        """Return a market's ticker as it would be now; None where there is none."""
        ...

    def sending_ts_ms(self) -> int | None:
        """Return what a frame sent now carries as its time of sending, if any."""
        ...
