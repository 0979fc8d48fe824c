"""The hot path: what takes the frames of one read all the way into books and rows.

Every frame may go through :meth:`Receiver._take`, which knows all that can happen. Where the compiled part was built,
deltas to which nothing can happen, nine frames in ten, are applied there, and only the others come here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kalshi_nb._fixed_point import COUNTS
from kalshi_nb._rows.channels import BOOKS, traits_of
from kalshi_nb._rows.gaps import Gap, GapReason
from kalshi_nb._rows.rows import Row
from kalshi_nb._session.books import Books
from kalshi_nb._session.extension import straight_line
from kalshi_nb._session.reconciler import Reconciler
from kalshi_nb._session.state import SessionState
from kalshi_nb._session.subscription import Subscription
from kalshi_nb._wire.books import LEVEL_PRICES, DeltaFrame, SnapshotFrame, delta_row
from kalshi_nb._wire.control import ErrorFrame, OkFrame, SubscribedFrame, UnknownFrame, UnsubscribedFrame
from kalshi_nb._wire.decode import CONVERSIONS, REFUSED, TYPES, Rejected, second_look, typed
from kalshi_nb._wire.family import Frame
from kalshi_nb._wire.odd_fields import Odd, row_leniently
from kalshi_nb.errors import WireError

__all__ = ["Receive", "Receiver"]

Receive = Callable[[Sequence[bytes], int], None]

_MOST_NAMED: Final = 20
"""So many odd fields of one frame are named."""


class Receiver:
    """Takes frames into a session's state."""

    def __init__(self, state: SessionState, books: Books, reconciler: Reconciler) -> None:
        self._state = state
        self._books = books
        self._reconciler = reconciler
        self._odd: tuple[Frame | None, tuple[Odd, ...]] = None, ()  # the newest frame that lost fields, and which

    def bind(self, *, compiled: bool) -> Receive:
        """Return the function that takes what one read of the connection brought, and the microsecond of that read."""
        if compiled:
            return straight_line(self._state.rows)(self._state, BOOKS, self._look_again, self._take).receive
        return self._receive

    def _receive(self, messages: Sequence[bytes], received_at: int, /) -> None:
        """Take in what one read brought, one frame after the other."""
        look_again, take = self._look_again, self._take
        try:
            for data in messages:
                try:
                    frame = typed(data)
                except REFUSED as refusal:
                    again = look_again(data, refusal, received_at)
                    if again is None:
                        continue
                    frame = again
                take(frame, data, received_at)
        finally:
            # Last, since whoever sees a frame counted, on another thread, takes it for applied.
            self._state.messages += len(messages)

    def _take(self, frame: Frame, data: bytes, received_at: int) -> None:
        """Take in any frame."""
        try:
            if type(frame) is DeltaFrame:
                self._delta(frame, data, received_at)
            elif type(frame) in CONVERSIONS:
                self._message(frame, data, received_at)
            else:
                self._other(frame, data, received_at)
        except WireError as refusal:
            self._take_back(frame)
            self._state.reject(received_at, str(refusal), data)
            self._lost(frame)

    def _delta(self, frame: DeltaFrame, data: bytes, received_at: int) -> None:
        """Take up one level's change."""
        state = self._state
        subscription = state.by_sid.get(frame.sid)
        if subscription is None or subscription.channel != BOOKS:
            state.unrequested += 1
            return
        seq, msg, counting = frame.seq, frame.msg, subscription.counting
        if seq != counting.seq + 1 and not self._irregular(subscription, seq):  # type: ignore[operator]
            return
        counting.messages += 1
        counting.received_at = received_at
        counting.seq = seq
        counting.exchange_ms = msg.ts_ms
        price, change = LEVEL_PRICES[msg.price_dollars], COUNTS[msg.delta_fp]
        ladder = state.ladders.get(msg.market_ticker)
        if (ladder is None or not ladder.live) and (
            ladder := self._books.delta_without_book(subscription, msg.market_ticker, seq)
        ) is None:
            pass
        elif not ladder.apply(msg.side, price, change, received_at):
            self._books.open_gap(subscription, "negative_level", seq, seq, msg.market_ticker)
        if counting.listening:
            try:
                row = delta_row(msg, price, change, received_at, seq)
            except WireError:
                row = self._without_odd_fields(
                    frame, lambda frame, at: delta_row(frame.msg, price, change, at, seq), data, received_at
                )
            counting.rows.append(row)

    def _look_again(self, data: bytes, _refusal: Exception, received_at: int) -> Frame | None:
        """Return the frame that the straight way refused, None when it cannot be read at all."""
        try:
            frame, odd = second_look(data)
        except Rejected as rejected:
            self._state.reject(received_at, str(rejected), data)
            self._unreadable(rejected)
            return None
        if odd:
            self._leave_out(frame, odd, data, received_at)
        return frame

    def _without_odd_fields(self, frame: Any, row_of: Callable[[Any, int], Row], data: bytes, received_at: int) -> Row:
        """Return the row of a frame that `row_of` refused, without the fields that mean nothing, if it stands so."""
        row, odd = row_leniently(frame, received_at, row_of)
        self._leave_out(frame, odd, data, received_at)
        return row

    def _leave_out(self, frame: Frame, odd: tuple[Odd, ...], data: bytes, received_at: int) -> None:
        """Count a frame that stands although some of its fields mean nothing, once, and keep which."""
        odd = (self._take_back(frame) + odd)[:_MOST_NAMED]
        self._odd = frame, odd
        reason = "; ".join(f"{each.field}: {each.reason}" for each in odd)
        self._state.reject(received_at, f"{reason}; the row stands without", data, tuple(each.field for each in odd))

    def _take_back(self, frame: Frame) -> tuple[Odd, ...]:
        """Return what was left out of this very frame before; more is to be said of it than was."""
        if frame is not self._odd[0]:
            return ()
        _, odd = self._odd
        self._odd = None, ()
        self._state.rejects.pop()
        self._state.rejected -= 1
        return odd

    def _message(self, frame: Any, data: bytes, received_at: int) -> None:
        """Take up a frame with a channel's data, less books'."""
        state = self._state
        subscription = state.by_sid.get(frame.sid)
        if subscription is None:
            state.unrequested += 1
            return
        counting = subscription.counting
        if counting.sequenced and not self._count(subscription, getattr(frame, "seq", None)):
            return
        channels, row_of, stamped, catalog = CONVERSIONS[type(frame)]
        if subscription.channel not in channels:
            state.unrequested += 1
            return
        counting.messages += 1
        counting.received_at = received_at
        if stamped:
            counting.exchange_ms = frame.msg.ts_ms
        elif catalog is not None:
            self._reconciler.catalog(subscription, frame.id, catalog(frame))
        try:
            row = row_of(frame, received_at)
        except WireError:
            row = self._without_odd_fields(frame, row_of, data, received_at)
        if subscription.repair.open_gaps:
            # Data goes on. Nothing brought back what was lost, so repaired_by stays empty.
            state.close_gaps(subscription, received_at, None)
        if counting.listening:
            counting.rows.append(row)

    def _other(self, frame: Frame, data: bytes, received_at: int) -> None:
        """Take up an answer, a book, or what nobody knows."""
        if isinstance(frame, SubscribedFrame):
            self._reconciler.subscribed(frame)
            return
        sid, seq = frame.sid, frame.seq  # type: ignore[attr-defined]  # all that are left have both
        subscription = self._state.by_sid.get(sid) if sid is not None else None
        if subscription is not None and not self._count_any(subscription, frame, seq):
            return
        if isinstance(frame, OkFrame):
            self._reconciler.ok(frame)
        elif isinstance(frame, UnsubscribedFrame):
            self._reconciler.unsubscribed(frame)
        elif isinstance(frame, ErrorFrame):
            self._reconciler.error(frame)
        elif isinstance(frame, UnknownFrame):
            self._state.reject(received_at, f"unknown type {frame.type!r}", data)
            if subscription is not None and subscription.channel == BOOKS and seq is not None:
                self._unknown(subscription, frame.type, seq)
        elif subscription is None or subscription.channel != BOOKS:
            self._state.unrequested += 1
        else:
            assert isinstance(frame, SnapshotFrame)
            self._snapshot(subscription, frame, received_at)

    def _unknown(self, subscription: Subscription, kind: str, seq: int) -> None:
        """Take up a message of a type that nobody knows, whose number was counted among those of books.

        The first of its type may have changed a book. After it the type is known as one that does something else: all
        that books need of it is its number. Otherwise a new kind of message, twice a second, would keep them stale.
        """
        if self._state.hears_first_of(kind):
            self._books.open_gap(subscription, "rejected", seq, seq)

    def _snapshot(self, subscription: Subscription, frame: SnapshotFrame, received_at: int) -> None:
        counting = subscription.counting
        counting.messages += 1
        counting.received_at = received_at
        row = self._books.snapshot(subscription, frame, received_at)
        if row is not None:
            counting.rows.append(row)

    def _count_any(self, subscription: Subscription, frame: Frame, seq: int | None) -> bool:
        """Count an answer, a book, or what nobody knows; return False when it is to be passed over."""
        last = subscription.counting.seq
        if (
            isinstance(frame, SnapshotFrame)
            and subscription.channel == BOOKS
            and last is not None
            and frame.seq <= last
        ):
            return self._books.old_snapshot(subscription, frame)
        return self._count(subscription, seq)

    def _count(self, subscription: Subscription, seq: int | None) -> bool:
        """Count a frame's sequence number; return False when the frame is an old one."""
        counting = subscription.counting
        if seq is None or not counting.sequenced:
            return True
        last = counting.seq
        if last is not None and seq != last + 1 and not self._irregular(subscription, seq):
            return False
        counting.seq = seq
        return True

    def _irregular(self, subscription: Subscription, seq: int) -> bool:
        """Take up a number that is not the next one; return False when the frame is an old one."""
        due = subscription.counting.due
        assert due is not None
        if seq >= due:
            missed = subscription.counting.missed
            subscription.counting.passed_over = due, seq - 1
            if missed is None:
                self._open_gap(subscription, "sequence", due, seq - 1)
            else:
                # What is missing came, and could not be read: told already, and the snapshots that were asked for
                # then come after this frame.
                missed.seq_from, missed.seq_to = due, seq - 1
            return True
        self._state.duplicates += 1
        if subscription.counting.begins_anew():
            # Nothing but old numbers any more. Books, which have stood still since, are repaired by a new
            # connection; elsewhere data goes on from here.
            self._open_gap(subscription, "sequence", due, None)
            return subscription.channel != BOOKS
        if subscription.channel != BOOKS and subscription.counting.comes_late(seq):
            # Nobody has had it, and nobody gets it: its number is older than another one's, which may have been far
            # ahead of its own, so that all frames after it come late. The gap that it made is over by then, so there
            # is one of theirs until data goes on. It has no numbers: that other gap counts them as missing already.
            self._open_gap(subscription, "sequence", None, None)
        return False

    def _lost(self, frame: Any) -> None:
        """Take up a frame whose values mean nothing: a gap of its channel, of the market that it names."""
        subscription = self._state.by_sid[frame.sid]  # no frame of nobody's is looked into so far
        # A decoded frame was counted before its values were looked at.
        if isinstance(frame, SnapshotFrame):
            self._books.unreadable(subscription, frame.msg.market_ticker, frame.seq)
            return
        seq = frame.seq if subscription.counting.sequenced else None
        self._open_gap(subscription, "rejected", seq, seq, _subject(subscription, frame.msg))

    def _unreadable(self, rejected: Rejected) -> None:
        """Take up a frame that cannot be read: a gap of its channel, of whatever market."""
        channels, sid, seq = _channels_of(rejected.kind), rejected.sid, rejected.seq
        if sid is None:
            # Where there are numbers, the next one shows it.
            for subscription in map(self._state.subscriptions.get, sorted(channels)):
                if subscription is not None and subscription.sid is not None and not subscription.counting.sequenced:
                    self._miss(subscription)
            return
        subscription = self._state.by_sid.get(sid)
        if subscription is None:
            return
        sequenced = subscription.counting.sequenced
        if sequenced and seq is not None:
            if self._count(subscription, seq):
                self._open_gap(subscription, "rejected", seq, seq)
        elif subscription.channel in channels or (rejected.kind is None and not sequenced):
            self._miss(subscription)  # data, and not the answer to a command; what else has a number shows by the next

    def _miss(self, subscription: Subscription) -> None:
        """Take up a frame of a channel that cannot be read, nor its number, where it has one.

        Nothing new is said by the second of them before the next number, which shows how many there were.
        """
        if subscription.counting.missed is None:
            gap = self._open_gap(subscription, "rejected", None, None)
            if subscription.counting.sequenced:
                subscription.counting.miss(gap)

    def _open_gap(
        self,
        subscription: Subscription,
        reason: GapReason,
        seq_from: int | None,
        seq_to: int | None,
        market_ticker: str | None = None,
    ) -> Gap:
        """Write down a gap and return it; those of books put them in doubt."""
        opened = self._books if subscription.channel == BOOKS else self._state
        return opened.open_gap(subscription, reason, seq_from, seq_to, market_ticker)


def _channels_of(kind: str | None) -> frozenset[str]:
    """Return the channels that send frames of a type as their data; none for answers, and for what nobody knows."""
    found = TYPES.get(kind or "", Frame)
    if found in (DeltaFrame, SnapshotFrame):
        return frozenset({BOOKS})
    conversion = CONVERSIONS.get(found)
    return frozenset() if conversion is None else conversion.channels


def _subject(subscription: Subscription, msg: Any) -> str | None:
    """Return the market, index or underlying that a message is about, None where it is about none or many."""
    named: str | None = getattr(msg, traits_of(subscription.channel).subject or "", None)
    return named or getattr(msg, "ticker", None)  # as orders call it
