"""One connection's subscriptions: sids, sequence numbers, and the answer to every command.

Without sockets: text comes in, frames go out through an `Outlet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from kalshi_nb.sim import _frames
from kalshi_nb.sim._announcements import Announcement, is_in_shard
from kalshi_nb.sim._channels import ACTIONS, FEEDS, UNFILTERED, UNSEQUENCED
from kalshi_nb.sim._channels import BOOK as _BOOK
from kalshi_nb.sim._commands import Listing, Refusal, Subscribe, Unsubscribe, Update, read
from kalshi_nb.sim._subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from kalshi_nb.sim._channels import Feed
    from kalshi_nb.sim._commands import Filter
    from kalshi_nb.sim._floor import Floor, Published

__all__ = ["TERMINAL_CODES", "Outlet", "Session"]

TERMINAL_CODES: Final = frozenset({10, 25})
"""The errors after which a subscription is gone."""


class Outlet(Protocol):
    """Where a session's frames go."""

    @property
    def is_full(self) -> bool:
        """Whether the reader is so slow that its subscriptions have to end."""
        ...

    def post(self, text: str, channel: str | None = None) -> None:
        """Take one frame; `channel` is that of the sid it carries, if it carries one."""
        ...


class Session:
    """The protocol state of one connection.

    Parameters
    ----------
    floor : Floor
        The markets.
    outlet : Outlet
        Where frames go.
    """

    def __init__(self, floor: Floor, outlet: Outlet) -> None:
        self._floor = floor
        self._outlet = outlet
        self._open: dict[str, Subscription] = {}
        self._last_sid = 0

    # -- the market speaks -------------------------------------------------------------------------------

    def publish(self, publication: Published) -> None:
        """Send one event, if this connection is subscribed to it."""
        subscription = self._open.get(publication.channel)
        if subscription is None:
            return
        if subscription.tickers is not None and publication.ticker not in subscription.tickers:
            return
        if publication.ticker in subscription.blank:
            return
        if subscription.shard is not None and not is_in_shard(publication.ticker, subscription.shard):
            return
        if self._outlet.is_full:
            self.fail(subscription.channel, 25)
            return
        body = publication.body(use_yes_price=subscription.use_yes_price)
        self._frame(publication.kind, body, subscription, None, publication.sending_ts_ms)

    def lose(self, channel: str, frames: int, tickers: AbstractSet[str] | None) -> None:
        """Leave numbers out, as if so many frames had been lost on the way; None loses some of every market.

        After a number that is left out a client trusts none of its books, so that all of them are sent anew once
        `send_due` finds them known; where no number is missing, only those named.
        """
        subscription = self._open.get(channel)
        if subscription is None:
            return
        held = subscription.tickers
        if tickers is not None and held is not None and not held & tickers:
            return
        if channel not in UNSEQUENCED:
            subscription.seq += frames
        if channel == _BOOK:
            for ticker in held or ():
                if frames or tickers is None or ticker in tickers:
                    subscription.due.setdefault(ticker, None)

    def send_due(self) -> None:
        """Send the snapshots that could not be had when they were asked for, as far as they can be had now."""
        subscription = self._open.get(_BOOK)
        if subscription is not None and subscription.due:
            self._snapshots(subscription, [*subscription.due], None)

    def announce(self, announced: Announcement) -> bool:
        """Send a message of somebody's own, if this connection is subscribed to it; say whether it was sent."""
        subscription = self._open.get(announced.channel)
        if subscription is None:
            return False
        subject = announced.subject
        if subscription.tickers is not None and subject not in subscription.tickers:
            return False
        is_request = announced.kind.startswith("rfq_")
        if subscription.only_own and is_request and not announced.own:
            return False
        if not is_in_shard(subject, subscription.shard):
            return False
        if self._outlet.is_full:
            self.fail(subscription.channel, 25)
            return False
        self._send(announced.kind, announced.body, subscription)
        return True

    def fail(self, channel: str, code: int, words: str | None = None) -> bool:
        """Send an error scoped to an open channel; some codes end it. Say whether it was open."""
        subscription = self._open.get(channel)
        if subscription is None:
            return False
        if code in TERMINAL_CODES:
            del self._open[channel]
        self._send("error", _frames.error_body(code, words=words), subscription)
        return True

    def send_unknown(self, channel: str, kind: str) -> bool:
        """Send a frame of a type that no client knows, as part of an open channel; say whether it was open."""
        subscription = self._open.get(channel)
        if subscription is None:
            return False
        self._send(kind, '{"market_ticker":"","value":1}', subscription)
        return True

    def is_open(self, channel: str) -> bool:
        """Say whether a channel is subscribed to."""
        return channel in self._open

    # -- the client speaks -------------------------------------------------------------------------------

    def receive(self, message: str | bytes) -> None:
        """Answer one command."""
        try:
            command = read(message)
            if isinstance(command, Subscribe):
                for channel in command.channels:
                    self._subscribe(channel, command)
            elif isinstance(command, Unsubscribe):
                for sid in command.sids:
                    self._unsubscribe(sid, command.command_id)
            elif isinstance(command, Update):
                self._update(command)
            else:
                self._list(command)
        except Refusal as refusal:
            self._refuse(refusal.code, refusal.command_id, words=refusal.words)

    def _subscribe(self, channel: str, command: Subscribe) -> None:
        if not self._floor.has_channel(channel):
            self._refuse(8, command.command_id)
            return
        try:
            wanted = self._wanted(channel, command.markets)
        except Refusal as refusal:
            self._refuse(refusal.code, command.command_id)
            return
        missing = [] if wanted is None else self._floor.take_missing(channel, wanted)
        excess = self._take_excess(self._open.get(channel), wanted)
        if wanted or wanted is None or not missing + excess:
            self._open_or_merge(channel, wanted, command)
        self._refuse_some(command.command_id, missing, excess)

    def _open_or_merge(self, channel: str, wanted: set[str] | None, command: Subscribe) -> None:
        subscription = self._open.get(channel)
        if subscription is not None:
            subscription.skip_ticker_ack |= command.skip_ticker_ack
            self._add(subscription, wanted, command.command_id, initial=command.send_initial_snapshot)
            return
        self._last_sid += 1
        subscription = Subscription(
            channel,
            self._last_sid,
            wanted,
            by_id=channel == "ticker" and command.markets.market_ids is not None,
            skip_ticker_ack=command.skip_ticker_ack,
            use_yes_price=self._floor.prefers_yes_prices if command.use_yes_price is None else command.use_yes_price,
            only_own=command.only_own,
            shard=command.shard if channel == "communications" else None,
        )
        self._open[channel] = subscription
        body = _frames.subscribed_body(channel, subscription.sid)
        self._post("subscribed", body, command_id=command.command_id)
        self._open_with(subscription, wanted, initial=command.send_initial_snapshot)

    def _unsubscribe(self, sid: int, command_id: int | None) -> None:
        subscription = self._by_sid(sid)
        if subscription is None:
            self._refuse(7, command_id)
            return
        del self._open[subscription.channel]
        self._send("unsubscribed", None, subscription, command_id=command_id)

    def _update(self, command: Update) -> None:
        subscription = self._by_sid(command.sid)
        if subscription is None:
            raise Refusal(7, command.command_id)
        if subscription.channel in FEEDS:
            self._update_feed(subscription, FEEDS[subscription.channel], command)
        else:
            self._update_markets(subscription, command)

    def _update_markets(self, subscription: Subscription, command: Update) -> None:
        if subscription.channel not in ACTIONS.get(command.action, ()):
            raise Refusal(13, command.command_id)
        try:
            wanted = self._wanted(subscription.channel, command.markets)
        except Refusal as refusal:
            raise Refusal(refusal.code, command.command_id) from None
        if wanted is None:
            raise Refusal(14, command.command_id)
        if command.action == "get_snapshot":
            self._resend(subscription, wanted, command.command_id)
            return
        if command.action == "delete_markets":
            if subscription.tickers is not None:
                subscription.tickers -= wanted
            subscription.blank -= wanted
            for ticker in wanted & subscription.due.keys():
                del subscription.due[ticker]
            self._ok(subscription, command.command_id)
            return
        missing = self._floor.take_missing(subscription.channel, wanted)
        excess = self._take_excess(subscription, wanted)
        if wanted or not missing + excess:
            self._add(subscription, wanted, command.command_id, initial=command.send_initial_snapshot)
        self._refuse_some(command.command_id, missing, excess)

    def _update_feed(self, subscription: Subscription, feed: Feed, command: Update) -> None:
        """Answer an action of a reference feed, which has words of its own for adding and removing."""
        if command.action == feed.listing:
            body = _frames.names_body(feed.names, self._floor.names_of(subscription.channel))
            kind = subscription.channel + feed.list_type
            self._send(kind, body, subscription, command_id=command.command_id)
            return
        if command.action not in (feed.add, feed.remove):
            raise Refusal(13, command.command_id)
        names = set(command.markets.names(feed.names) or ())
        if not names:
            raise Refusal(feed.missing_code, command.command_id, _missing_words(feed))
        if command.action == feed.add:
            everything = subscription.tickers is None or "all" in names
            subscription.tickers = None if everything else names.union(subscription.tickers or ())
        elif subscription.tickers is not None:
            subscription.tickers -= names
        elif "all" in names:
            subscription.tickers = set()
        self._ok(subscription, command.command_id)

    def _resend(self, subscription: Subscription, wanted: set[str], command_id: int | None) -> None:
        if self._floor.ignores_request():
            return
        missing = self._floor.take_missing(subscription.channel, wanted)
        self._snapshots(subscription, wanted, command_id)
        if missing:
            self._refuse(28, command_id, missing)

    def _list(self, command: Listing) -> None:
        by_sid = sorted((each.sid, each.channel) for each in self._open.values())
        body = _frames.subscriptions_body((channel, sid) for sid, channel in by_sid)
        self._post("ok", body, command_id=command.command_id)

    # -- markets of a subscription -----------------------------------------------------------------------

    def _wanted(self, channel: str, markets: Filter) -> set[str] | None:
        if channel in UNFILTERED:
            return None
        if channel in FEEDS:
            names = set(markets.names(FEEDS[channel].names) or ())
            return None if "all" in names else names
        if channel == "ticker" and markets.market_ids is not None:
            if not markets.market_ids:
                raise Refusal(11)
            return self._floor.tickers_of(markets.market_ids)
        if channel == _BOOK and not markets.tickers:
            raise Refusal(14)
        if markets.tickers is None:
            return None
        if not markets.tickers:
            raise Refusal(11)
        return set(markets.tickers)

    def _take_excess(self, subscription: Subscription | None, wanted: set[str] | None) -> list[str]:
        held = set() if subscription is None else subscription.tickers
        return [] if wanted is None or held is None else self._floor.take_excess(held, wanted)

    def _refuse_some(self, command_id: int | None, missing: list[str], excess: list[str]) -> None:
        for code, tickers in ((28, missing), (26, excess)):
            if tickers:
                self._refuse(code, command_id, tickers)

    def _add(
        self, subscription: Subscription, wanted: set[str] | None, command_id: int | None, *, initial: bool
    ) -> None:
        # All markets after some, or some after all, is undocumented; here "all" stays or becomes "all".
        added: set[str] = set()
        if subscription.tickers is not None:
            added = (set(self._floor.tickers) if wanted is None else wanted) - subscription.tickers
            subscription.tickers = None if wanted is None else subscription.tickers | added
        self._ok(subscription, command_id)
        self._open_with(subscription, added, initial=initial)

    def _open_with(self, subscription: Subscription, added: set[str] | None, *, initial: bool) -> None:
        if subscription.channel == _BOOK:
            subscription.blank |= added or set()
            self._snapshots(subscription, added or (), None)
        elif subscription.channel == "ticker" and initial:
            for ticker in sorted(self._floor.tickers if added is None else added):
                body = self._floor.ticker_body(ticker)
                if body is not None:
                    self._send("ticker", body, subscription)

    def _snapshots(self, subscription: Subscription, tickers: Iterable[str], command_id: int | None) -> None:
        for ticker in sorted(tickers):
            body = self._floor.snapshot_body(ticker, use_yes_price=subscription.use_yes_price)
            asked_by = subscription.due.pop(ticker, None) if command_id is None else command_id
            if body is None:
                subscription.due[ticker] = asked_by
                continue
            subscription.due.pop(ticker, None)
            subscription.blank.discard(ticker)
            self._send("orderbook_snapshot", body, subscription, command_id=asked_by)

    def _by_sid(self, sid: int) -> Subscription | None:
        return next((each for each in self._open.values() if each.sid == sid), None)

    # -- frames ------------------------------------------------------------------------------------------

    def _ok(self, subscription: Subscription, command_id: int | None) -> None:
        if subscription.channel in FEEDS:
            body = _frames.names_body(FEEDS[subscription.channel].names, subscription.tickers)
            self._send("ok", body, subscription, command_id=command_id)
            return
        listed: Iterable[str] | None = subscription.tickers
        if subscription.skip_ticker_ack:
            listed = None
        elif subscription.by_id and subscription.tickers is not None:
            listed = self._floor.ids_of(subscription.tickers)
        body = _frames.markets_body(listed, ids=subscription.by_id)
        self._send("ok", body, subscription, command_id=command_id)

    def _refuse(
        self, code: int, command_id: int | None, tickers: list[str] | None = None, *, words: str | None = None
    ) -> None:
        self._post("error", _frames.error_body(code, tickers, words=words), command_id=command_id)

    def _send(self, kind: str, body: str | None, subscription: Subscription, *, command_id: int | None = None) -> None:
        self._frame(kind, body, subscription, command_id, self._floor.sending_ts_ms())

    def _frame(
        self,
        kind: str,
        body: str | None,
        subscription: Subscription,
        command_id: int | None,
        sending_ts_ms: int | None,
    ) -> None:
        text = _frames.frame(
            kind,
            body,
            command_id=command_id,
            sid=subscription.sid,
            seq=subscription.next_seq(kind),
            sending_ts_ms=sending_ts_ms,
        )
        self._outlet.post(text, subscription.channel)

    def _post(self, kind: str, body: str, *, command_id: int | None) -> None:
        sending = self._floor.sending_ts_ms()
        self._outlet.post(_frames.frame(kind, body, command_id=command_id, sending_ts_ms=sending))


def _missing_words(feed: Feed) -> str | None:
    return _frames.UNDERLYINGS_REQUIRED if feed.field == "underlying_ticker" else None
