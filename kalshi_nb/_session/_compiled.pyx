# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The part of the hot path that is compiled, where a compiler was at hand when the package was installed.

It decides nothing. A delta to which nothing can happen (the next number of its subscription, a price and a size as the
exchange writes them, a live book that it leaves whole) is applied here; every other frame is handed, as it came and
with nothing changed by it, to the session's own code, which knows what it means. So what is true stands there alone,
and a package without this module works the same, at about half of the speed.
"""

from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

from kalshi_nb._session.ladder import MOST_CONTRACTS
from kalshi_nb._rows.ladders import Top
from kalshi_nb._wire.books import DeltaFrame, delta_row
from kalshi_nb._wire.decode import CONVERSIONS, REFUSED, typed
from kalshi_nb.errors import WireError

__all__ = ["CompiledLadder", "StraightLine"]

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)

cdef enum:
    DOLLAR = 10_000
    PRICE_LENGTH = 6  # 0.4700
    LONGEST_COUNT = 16  # fifteen digits are below the largest size whatever they are
    FEWEST_LEVELS = 16

cdef long long MOST = MOST_CONTRACTS
cdef object _new = tuple.__new__  # half the time of a named tuple's own


# One side of a book ----------------------------------------------------------------------------------------------

cdef inline int place_of(const Side *side, int price) noexcept:
    """Return the first place whose price is not below `price`."""
    cdef int low = 0, high = side.count, middle
    while low < high:
        middle = (low + high) >> 1
        if side.prices[middle] < price:
            low = middle + 1
        else:
            high = middle
    return low


cdef Side copy_of(const Side *side, int room) except *:
    """Return a copy that nobody else changes, with room for so many levels."""
    cdef Side copy
    copy.count, copy.room = side.count, room
    copy.sizes = <long long *>malloc(room * (sizeof(long long) + sizeof(short)) + 1)
    if copy.sizes == NULL:
        raise MemoryError
    copy.prices = <short *>(copy.sizes + room)
    if side.count:
        memcpy(copy.sizes, side.sizes, side.count * sizeof(long long))
        memcpy(copy.prices, side.prices, side.count * sizeof(short))
    return copy


cdef inline int make_room(Side *side) except -1:
    """Have room for one level more."""
    cdef Side larger
    if side.count == side.room:
        larger = copy_of(side, max(<int>FEWEST_LEVELS, side.room * 2))
        free(side.sizes)
        side[0] = larger
    return 0


cdef int change(Side *side, int price, long long delta) except -1:
    """Add `delta` to a level; return 0, and change nothing, when that leaves less than none or too much."""
    cdef int place = place_of(side, price)
    cdef bint there = place < side.count and side.prices[place] == price
    cdef long long size
    if delta > MOST or delta < -MOST:
        return 0
    size = side.sizes[place] + delta if there else delta
    if size < 0 or size > MOST:
        return 0
    if there and size:
        side.sizes[place] = size
    elif there:
        side.count -= 1
        memmove(side.prices + place, side.prices + place + 1, (side.count - place) * sizeof(short))
        memmove(side.sizes + place, side.sizes + place + 1, (side.count - place) * sizeof(long long))
    elif size:
        make_room(side)
        memmove(side.prices + place + 1, side.prices + place, (side.count - place) * sizeof(short))
        memmove(side.sizes + place + 1, side.sizes + place, (side.count - place) * sizeof(long long))
        side.prices[place] = price
        side.sizes[place] = size
        side.count += 1
    return 1


cdef Side laid_out(dict levels) except *:
    """Return price to size as a side of its own."""
    cdef Side side = Side(0, 0, NULL, NULL)
    cdef int price
    try:
        for price in sorted(levels):
            check(price)
            make_room(&side)
            side.prices[side.count] = price
            side.sizes[side.count] = levels[price]
            side.count += 1
    except BaseException:
        free(side.sizes)
        raise
    return side


cdef list listed(const Side *side):
    """Return price and size of all levels, best first."""
    cdef int place
    cdef list found = []
    for place in range(side.count - 1, -1, -1):
        found.append((side.prices[place], side.sizes[place]))
    return found


cdef int check(int price) except -1:
    if not 0 < price < DOLLAR:
        raise ValueError(f"a level at {price}/{DOLLAR} dollars")
    return 0


# A book ----------------------------------------------------------------------------------------------------------

cdef class CompiledLadder:
    """A :class:`kalshi_nb._session.ladder.Ladder` of two sorted arrays."""

    # One thread writes, any thread reads, and the lock of the interpreter is the only one. It is held from the first
    # byte of a change to the last, version included, since nothing in between makes a Python object, calls Python code
    # or gives the lock away: a new snapshot is laid out beside the old one and then put in its place, and a change is
    # arithmetic and memmove. A reader holds it just so: best prices go to plain variables, and whole sides are copied
    # byte by byte, before anything is made of them that might start the garbage collector, and with it another thread.
    # So no reader ever sees half a change, and none has to look at `version` and read again.

    def __init__(self, str market_ticker not None):
        self.market_ticker = market_ticker
        self.status = "connecting"
        self.reason = ""

    def __dealloc__(self):
        free(self._yes.sizes)
        free(self._no.sizes)

    def replace(self, dict yes not None, dict no not None, long long received_at, /):
        """Lay in a snapshot; see :class:`kalshi_nb._session.ladder.Ladder`."""
        cdef Side new_yes = laid_out(yes)
        cdef Side new_no
        try:
            new_no = laid_out(no)
        except BaseException:
            free(new_yes.sizes)
            raise
        free(self._yes.sizes)
        free(self._no.sizes)
        self._yes, self._no = new_yes, new_no
        self.changed_at = received_at
        self.version += 1
        if self.watcher is not None:
            self.watcher(self, received_at, by_delta=False)

    def apply(self, str side not None, int price, long long delta, long long received_at, /):
        """Add `delta` to one level; see :class:`kalshi_nb._session.ladder.Ladder`."""
        check(price)
        if not change(&self._yes if side == "yes" else &self._no, price, delta):
            return False
        self.changed_at = received_at
        self.version += 1
        if self.watcher is not None:
            self.watcher(self, received_at, by_delta=True)
        return True

    def set_status(self, str status not None, long long at, /, str reason not None=""):
        """Say what the book may be trusted for from `at` on."""
        self.live = status == "live"
        if status != self.status:
            self.status_since = at
        self.status = status
        self.reason = reason
        self.version += 1
        if self.watcher is not None:
            self.watcher(self, at, by_delta=False)

    def set_crossed(self, bint crossed, /):
        """Say whether the book is crossed by the exchange's own word."""
        if crossed != self.crossed:
            self.crossed = crossed
            self.version += 1

    @property
    def nbytes(self):
        """Bytes of both sides; see :class:`kalshi_nb._session.ladder.Ladder`."""
        return (self._yes.room + self._no.room) * (sizeof(long long) + sizeof(short))

    @property
    def best_yes(self):
        """The best YES price; see :class:`kalshi_nb._session.ladder.Ladder`."""
        return self._yes.prices[self._yes.count - 1] if self._yes.count else 0

    @property
    def best_no(self):
        """The best NO price; see :class:`kalshi_nb._session.ladder.Ladder`."""
        return self._no.prices[self._no.count - 1] if self._no.count else 0

    @property
    def is_crossed(self):
        """Whether bid and ask are crossed; see :class:`kalshi_nb._session.ladder.Ladder`."""
        if not (self._yes.count and self._no.count):
            return False
        return self._yes.prices[self._yes.count - 1] + self._no.prices[self._no.count - 1] >= DOLLAR

    def top(self):
        """Return best prices and sizes of one moment, from any thread."""
        cdef int yes = 0, no = 0
        cdef long long yes_size = 0, no_size = 0
        if self._yes.count:
            yes, yes_size = self._yes.prices[self._yes.count - 1], self._yes.sizes[self._yes.count - 1]
        if self._no.count:
            no, no_size = self._no.prices[self._no.count - 1], self._no.sizes[self._no.count - 1]
        return _new(Top, (yes, yes_size, no, no_size))

    def levels(self):
        """Return all YES bids and all NO bids of one moment, best first, from any thread."""
        # Copies, since making a list may let the garbage collector run, and with it another thread.
        cdef Side yes = Side(0, 0, NULL, NULL), no = Side(0, 0, NULL, NULL)
        try:
            yes = copy_of(&self._yes, self._yes.count)
            no = copy_of(&self._no, self._no.count)
            return listed(&yes), listed(&no)
        finally:
            free(yes.sizes)
            free(no.sizes)


# Numbers as the exchange writes them -----------------------------------------------------------------------------

cdef inline int price_in(str text) noexcept:
    """Return 1/10000 dollar of a price such as 0.4700, or 0 where it is written in another way, or is none."""
    cdef const unsigned char *digits
    cdef int place, price = 0
    if not PyUnicode_IS_COMPACT_ASCII(text) or PyUnicode_GET_LENGTH(text) != PRICE_LENGTH:
        return 0
    digits = PyUnicode_1BYTE_DATA(text)
    if digits[0] != b"0" or digits[1] != b".":
        return 0
    for place in range(2, PRICE_LENGTH):
        if not b"0" <= digits[place] <= b"9":
            return 0
        price = price * 10 + (digits[place] - <int>b"0")
    return price


cdef inline bint count_in(str text, long long *count) noexcept:
    """Set 1/100 contract of a count such as -12.00; return whether it is written in that way."""
    cdef const unsigned char *digits
    cdef Py_ssize_t place, length = PyUnicode_GET_LENGTH(text)
    cdef long long found = 0
    if not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    digits = PyUnicode_1BYTE_DATA(text)
    place = 1 if length and digits[0] == b"-" else 0
    if length - place < 4 or length > LONGEST_COUNT or digits[length - 3] != b".":
        return False
    while place < length:
        if place != length - 3:
            if not b"0" <= digits[place] <= b"9":
                return False
            found = found * 10 + (digits[place] - <int>b"0")
        place += 1
    count[0] = -found if digits[0] == b"-" else found
    return True


# The way of a read -----------------------------------------------------------------------------------------------

cdef class StraightLine:
    """Takes in what reads of one connection brought.

    Parameters
    ----------
    state : SessionState
        Its ladders are compiled ones.
    channel : str
        The channel of books.
    look_again : callable
        Given the bytes that could not be decoded, why, and when they were received; returns the frame, or None.
    take : callable
        Given a frame, its bytes, and when they were received; takes in whatever has not been taken in here.
    """

    def __init__(self, state, str channel, look_again, take):
        self._state = state
        self._by_sid = state.by_sid
        self._ladders = state.ladders
        self._channel = channel
        self._look_again = look_again
        self._take = take

    def receive(self, messages, received_at, /):
        """Take in what one read brought, in its order; `received_at` is the microsecond of that read."""
        try:
            for data in messages:
                self._one(data, received_at)
        finally:
            self._leave(received_at)
            # Last, since whoever sees a frame counted, on another thread, takes it for applied.
            self._state.messages += len(messages)

    cdef int _one(self, data, received_at) except -1:
        """Take in one frame."""
        try:
            frame = typed(data)
        except REFUSED as refusal:
            self._leave(received_at)
            frame = self._look_again(data, refusal, received_at)
            if frame is None:
                return 0
        if type(frame) is DeltaFrame:
            if self._apply(frame, received_at):
                return 0
            self._leave(received_at)
        elif type(frame) not in CONVERSIONS or frame.sid == self._sid:
            self._leave(received_at)  # an answer may change what a sid stands for, and nonsense its count
        self._take(frame, data, received_at)
        return 0

    cdef int _leave(self, received_at) except -1:
        """Write down what was applied, and look everything up anew for the next frame."""
        self._write_down(received_at)
        self._sid = None
        return 0

    cdef int _write_down(self, received_at) except -1:
        if self._deltas:
            counting = self._counting
            counting.seq = self._seq
            counting.exchange_ms = self._exchange_ms
            counting.messages += self._deltas
            counting.received_at = received_at
            self._deltas = 0
        return 0

    cdef bint _find(self, sid, received_at) except -1:
        """Look up the subscription of the sid; return whether it is one of books."""
        self._leave(received_at)
        subscription = self._by_sid.get(sid)
        if subscription is None or subscription.channel != self._channel:
            return False
        counting = subscription.counting
        self._seq = counting.seq
        self._rows = counting.rows if counting.listening else None
        self._counting, self._sid = counting, sid
        return True

    cdef bint _apply(self, frame, received_at) except -1:
        """Apply a delta to which nothing can happen; return False, and change nothing, for any other."""
        cdef CompiledLadder ladder
        cdef long long seq = frame.seq, delta = 0
        cdef int price
        cdef str side
        sid, msg = frame.sid, frame.msg
        if sid is not self._sid and sid != self._sid and not self._find(sid, received_at):
            return False
        if seq != self._seq + 1:
            return False
        price = price_in(msg.price_dollars)
        if price == 0 or not count_in(msg.delta_fp, &delta):
            return False
        ladder = self._ladders.get(msg.market_ticker)
        if ladder is None or not ladder.live:
            return False
        row = None
        if self._rows is not None:
            try:
                row = delta_row(msg, price, delta, received_at, seq)
            except WireError:
                return False
        side = msg.side
        if not self._change(ladder, side == "yes", price, delta, seq, msg.ts_ms, received_at):
            return False
        if row is not None:
            self._rows.append(row)
        return True

    cdef bint _change(
        self, CompiledLadder ladder, bint yes, int price, long long delta, long long seq, exchange_ms, received_at
    ) except -1:
        """Change a level and count that; return False, and change nothing, where the book does not allow it."""
        if not change(&ladder._yes if yes else &ladder._no, price, delta):
            return False
        ladder.changed_at = received_at
        ladder.version += 1
        self._seq = seq
        self._exchange_ms = exchange_ms
        self._deltas += 1
        if ladder.watcher is not None:
            self._write_down(received_at)
            ladder.watcher(ladder, received_at, by_delta=True)
        return True
