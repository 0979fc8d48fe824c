# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The straight line from frames as they lie to what they change: to books, and to rows.

As in :mod:`kalshi_nb._session._compiled` nothing is decided here. Read from their bytes are three kinds of frames that
are written as the exchange always writes them, to which nothing can happen, and whose values are what they are expected
to be: one line of ASCII without a backslash, every field's text, number or word of the type that its message has, the
next number of its channel, no gap. Every other frame is handed on as it came, with nothing changed by it, and comes to
its row, or to none, as it does elsewhere.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.string cimport memchr, memset

from kalshi_nb._session._compiled cimport CompiledLadder, StraightLine
from kalshi_nb._session._json_fields cimport (
    ANYTHING,
    FLAG,
    INTEGER,
    OBJECT,
    STAMP,
    TEXT,
    Field,
    Place,
    Value,
    amount,
    choice,
    decimal,
    is_field,
    is_plain,
    read_integer,
    read_word,
)
from kalshi_nb._session._row_columns cimport Names

from kalshi_nb._rows.words import LONGEST_NAME
from kalshi_nb._wire.field_types import LARGEST_INTEGER
from kalshi_nb._wire.field_values import AHEAD, FIRST

__all__ = ["StraightFrames"]

cdef long long _AHEAD = AHEAD, _FIRST = FIRST, _LARGEST = LARGEST_INTEGER, _LONGEST = LONGEST_NAME

cdef enum:
    DOLLAR = 10_000
    MOST_NAMES = 65_536


# Fields ----------------------------------------------------------------------------------------------------------

cdef Field[OUTER_FIELDS] OUTER
OUTER[TYPE] = Field(b"type", 4, TEXT)
OUTER[SID] = Field(b"sid", 3, INTEGER)
OUTER[SEQ] = Field(b"seq", 3, INTEGER)
OUTER[MSG] = Field(b"msg", 3, OBJECT)

cdef Field[D_FIELDS] DELTA
DELTA[D_TICKER] = Field(b"market_ticker", 13, TEXT)
DELTA[D_ID] = Field(b"market_id", 9, ANYTHING)
DELTA[D_CLOCK] = Field(b"clock", 5, INTEGER)
DELTA[D_PRICE] = Field(b"price_dollars", 13, TEXT)
DELTA[D_DELTA] = Field(b"delta_fp", 8, TEXT)
DELTA[D_SIDE] = Field(b"side", 4, TEXT)
DELTA[D_TS] = Field(b"ts", 2, STAMP)
DELTA[D_TS_MS] = Field(b"ts_ms", 5, INTEGER)
DELTA[D_ORDER] = Field(b"client_order_id", 15, TEXT)
DELTA[D_SUBACCOUNT] = Field(b"subaccount", 10, INTEGER)

cdef Field[T_FIELDS] TRADE
TRADE[T_ID] = Field(b"trade_id", 8, TEXT)
TRADE[T_TICKER] = Field(b"market_ticker", 13, TEXT)
TRADE[T_YES] = Field(b"yes_price_dollars", 17, TEXT)
TRADE[T_NO] = Field(b"no_price_dollars", 16, TEXT)
TRADE[T_COUNT] = Field(b"count_fp", 8, TEXT)
TRADE[T_TAKER] = Field(b"taker_side", 10, TEXT)
TRADE[T_OUTCOME] = Field(b"taker_outcome_side", 18, TEXT)
TRADE[T_BOOK] = Field(b"taker_book_side", 15, TEXT)
TRADE[T_BLOCK] = Field(b"is_block_trade", 14, FLAG)
TRADE[T_TS] = Field(b"ts", 2, STAMP)
TRADE[T_TS_MS] = Field(b"ts_ms", 5, INTEGER)

cdef Field[Q_FIELDS] TICKER
TICKER[Q_ID] = Field(b"market_id", 9, TEXT)
TICKER[Q_TICKER] = Field(b"market_ticker", 13, TEXT)
TICKER[Q_PRICE] = Field(b"price_dollars", 13, TEXT)
TICKER[Q_BID] = Field(b"yes_bid_dollars", 15, TEXT)
TICKER[Q_ASK] = Field(b"yes_ask_dollars", 15, TEXT)
TICKER[Q_VOLUME] = Field(b"volume_fp", 9, TEXT)
TICKER[Q_OPEN] = Field(b"open_interest_fp", 16, TEXT)
TICKER[Q_DOLLARS] = Field(b"dollar_volume", 13, INTEGER)
TICKER[Q_OPEN_DOLLARS] = Field(b"dollar_open_interest", 20, INTEGER)
TICKER[Q_BID_SIZE] = Field(b"yes_bid_size_fp", 15, TEXT)
TICKER[Q_ASK_SIZE] = Field(b"yes_ask_size_fp", 15, TEXT)
TICKER[Q_LAST_SIZE] = Field(b"last_trade_size_fp", 18, TEXT)
TICKER[Q_TS] = Field(b"ts", 2, STAMP)
TICKER[Q_TS_MS] = Field(b"ts_ms", 5, INTEGER)
TICKER[Q_TIME] = Field(b"time", 4, ANYTHING)


# Reading them ----------------------------------------------------------------------------------------------------

cdef inline bint read_value(Place *place, int holds, Value *found) noexcept nogil:
    """Read what a field has; False where that is something else than it holds."""
    cdef const char *ends
    cdef char first = place.at[0]
    if first == b'"':
        ends = <const char *>memchr(place.at + 1, b'"', place.end - place.at - 1)
        if not holds & TEXT or ends == NULL:
            return False
        found.text, found.number = place.at + 1, ends - place.at - 1
        place.at = ends + 1
        return True
    if first == b"n":
        return read_word(place, b"null", 4)
    found.text = place.at
    if first == b"t" or first == b"f":
        found.number = first == b"t"
        return holds & FLAG and (read_word(place, b"true", 4) if first == b"t" else read_word(place, b"false", 5))
    if not holds & INTEGER or not read_integer(place, &found.number):
        return False
    return holds == ANYTHING or -_LARGEST <= found.number <= _LARGEST


cdef bint read_fields(
    Place *place, const Field *known, int count, Value *values, const Field *inner, int inner_count, Value *inner_values
) noexcept nogil:
    """Read an object, whose values are set to none before; False where it has anything that is not expected of it."""
    cdef unsigned int seen = 0
    cdef int next = 0, each
    cdef const char *ends
    cdef Value nobodys
    if place.end - place.at < 2 or place.at[0] != b"{":
        return False
    while True:
        place.at += 1
        if place.at >= place.end or place.at[0] != b'"':
            return False
        place.at += 1
        each = next  # nearly always they come in the order in which they are known
        if each == count or not is_field(place, &known[each]):
            each = 0
            while each < count and not is_field(place, &known[each]):
                each += 1
        if each < count:
            if seen & <unsigned int>1 << each:
                return False
            seen |= <unsigned int>1 << each
            next = each + 1
            place.at += known[each].length + 2
            if known[each].holds == OBJECT:
                if not read_fields(place, inner, inner_count, inner_values, NULL, 0, NULL):
                    return False
            elif not read_value(place, known[each].holds, &values[each]):
                return False
        else:
            ends = <const char *>memchr(place.at, b'"', place.end - place.at)
            if ends == NULL or place.end - ends < 3 or ends[1] != b":":
                return False
            place.at = ends + 2
            if not read_value(place, ANYTHING, &nobodys):
                return False
        if place.at >= place.end:
            return False
        if place.at[0] == b"}":
            place.at += 1
            return True
        if place.at[0] != b",":
            return False


cdef inline bint is_name(const Value *value) noexcept nogil:
    return value.text != NULL and 0 < value.number <= _LONGEST


# The way of a read -----------------------------------------------------------------------------------------------

cdef class StraightFrames(StraightLine):
    """Takes in what reads of one connection brought; its rows are tuples, as elsewhere. See :class:`StraightLine`."""

    def __init__(self, state, str channel, look_again, take):
        super().__init__(state, channel, look_again, take)
        self._names = Names()

    def receive(self, messages, received_at, /):
        """Take in what one read brought, in its order; `received_at` is the microsecond of that read."""
        cdef long long at = received_at
        try:
            for data in messages:
                if not self._straight(data, received_at, at):
                    self._one(data, received_at)
        finally:
            self._leave(received_at)
            # Last, since whoever sees a frame counted, on another thread, takes it for applied.
            self._state.messages += len(messages)

    cdef bint _straight(self, data, received_at, long long at) except -1:
        """Take in a frame; return False, and change nothing, where that is not for here."""
        cdef const char *text
        cdef Py_ssize_t length
        cdef Place place
        if type(data) is bytes:
            text, length = PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
        elif type(data) is bytearray:  # as `websockets` has them; they are this read's alone, and nobody changes them
            text, length = PyByteArray_AS_STRING(data), PyByteArray_GET_SIZE(data)
        else:
            return False
        place = Place(text, text + length)
        if length and text[length - 1] == b"\n":
            place.end -= 1
        if read_word(&place, b'{"type":"orderbook_delta"', 25):
            return self._read(&place, text, DELTA, D_FIELDS) and self._delta(received_at, at)
        if read_word(&place, b'{"type":"ticker"', 16):
            return self._read(&place, text, TICKER, Q_FIELDS) and self._ticker(received_at, at)
        if read_word(&place, b'{"type":"trade"', 15):
            return self._read(&place, text, TRADE, T_FIELDS) and self._trade(received_at, at)
        return False

    cdef bint _read(self, Place *place, const char *text, const Field *known, int count) noexcept:
        """Read the fields of a frame; False where it is none that is read here."""
        place.at = text
        if not is_plain(text, place.end - text):
            return False
        memset(self._outer, 0, sizeof(self._outer))
        memset(self._values, 0, count * sizeof(Value))
        return (
            read_fields(place, OUTER, OUTER_FIELDS, self._outer, known, count, self._values)
            and place.at == place.end
            and self._outer[SID].text != NULL
        )

    cdef inline bint _is_timely(self, const Value *ms, long long at) noexcept:
        """Tell whether that is a time near the receipt."""
        return ms.text != NULL and _FIRST <= ms.number * 1000 < at + _AHEAD

    cdef bint _delta(self, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef long long seq = self._outer[SEQ].number
        cdef DeltaRead read = DeltaRead(0, 0, choice(&values[D_SIDE], b"yes", 3, b"no", 2))
        cdef CompiledLadder ladder
        if self._outer[SEQ].text == NULL or read.side < 0 or read.side == 2:
            return False
        if not is_name(&values[D_TICKER]) or not self._is_timely(&values[D_TS_MS], at):
            return False
        if values[D_PRICE].text == NULL or not decimal(&values[D_PRICE], 4, &read.price) or not 0 < read.price < DOLLAR:
            return False
        if values[D_DELTA].text == NULL or not decimal(&values[D_DELTA], 2, &read.delta):
            return False
        if values[D_ORDER].text != NULL and values[D_ORDER].number > _LONGEST:
            return False
        if self._sid is None or <long long>self._sid != self._outer[SID].number:
            if not self._find(self._outer[SID].number, received_at):
                return False
        rows = self._rows
        if seq != self._seq + 1 or not self._fits(rows):
            return False
        market = self._market(rows)
        ladder = self._ladders.get(market)
        if ladder is None or not ladder.live:
            return False
        if not self._change(
            ladder, read.side == 0, <int>read.price, read.delta, seq, values[D_TS_MS].number, received_at
        ):
            return False
        if rows is not None:
            self._add_delta(rows, market, &read, received_at, at)
        return True

    cdef bint _trade(self, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef TradeRead read = TradeRead(0, 0, 0, 0, 0)
        cdef int outcome = choice(&values[T_OUTCOME], b"yes", 3, b"no", 2)
        cdef int book = choice(&values[T_BOOK], b"bid", 3, b"ask", 3)
        cdef int taker = choice(&values[T_TAKER], b"yes", 3, b"no", 2)
        if outcome < 0 or book < 0 or taker < 0 or self._outer[SEQ].text == NULL:
            return False
        if not is_name(&values[T_TICKER]) or not is_name(&values[T_ID]) or not self._is_timely(&values[T_TS_MS], at):
            return False
        if not amount(&values[T_YES], 4, DOLLAR, &read.yes) or not amount(&values[T_NO], 4, DOLLAR, &read.no):
            return False
        if not amount(&values[T_COUNT], 2, _LARGEST, &read.count) or read.yes < 0 or read.no < 0 or read.count < 1:
            return False
        counting = self._counted("trade", sequenced=True)
        if counting is None:
            return False
        read.outcome = taker if outcome == 2 else outcome
        read.book = read.outcome if book == 2 else book  # in the same order: who takes YES takes it from a bid's side
        self._count(counting, self._outer[SEQ].number, values[T_TS_MS].number, received_at)
        self._add_trade(counting.rows, &read, received_at, at)
        return True

    cdef bint _ticker(self, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef TickerRead read
        if not is_name(&values[Q_TICKER]) or not self._is_timely(&values[Q_TS_MS], at):
            return False
        if values[Q_ID].text != NULL and values[Q_ID].number > _LONGEST:
            return False
        if not amount(&values[Q_PRICE], 4, DOLLAR, &read.price) or read.price < 0:
            return False
        if not amount(&values[Q_BID], 4, DOLLAR, &read.bid) or not amount(&values[Q_ASK], 4, DOLLAR, &read.ask):
            return False
        if not amount(&values[Q_BID_SIZE], 2, _LARGEST, &read.bid_size) or read.bid < 0:
            return False
        if not amount(&values[Q_ASK_SIZE], 2, _LARGEST, &read.ask_size) or read.ask < 0:
            return False
        if not amount(&values[Q_VOLUME], 2, _LARGEST, &read.volume):
            return False
        if not amount(&values[Q_OPEN], 2, _LARGEST, &read.open_interest):
            return False
        if not amount(&values[Q_LAST_SIZE], 2, _LARGEST, &read.last):
            return False
        counting = self._counted("ticker", sequenced=False)
        if counting is None:
            return False
        if read.price == 0:
            read.price = -1
        if read.bid == 0 and read.bid_size <= 0:
            read.bid = read.bid_size = -1
        if read.ask == DOLLAR and read.ask_size <= 0:
            read.ask = read.ask_size = -1
        self._count(counting, None, values[Q_TS_MS].number, received_at)
        self._add_ticker(counting.rows, &read, received_at, at)
        return True

    cdef object _counted(self, str channel, bint sequenced):
        """Return the counting of the frame's subscription, None where something happens by this frame."""
        subscription = self._by_sid.get(self._outer[SID].number)
        if subscription is None or subscription.channel != channel or subscription.repair.open_gaps:
            return None
        counting = subscription.counting
        if not counting.listening or not self._fits(counting.rows) or counting.sequenced != sequenced:
            return None
        if sequenced and (counting.seq is None or counting.seq + 1 != self._outer[SEQ].number):
            return None
        return counting

    cdef int _count(self, counting, seq, exchange_ms, received_at) except -1:
        if seq is not None:
            counting.seq = seq
        counting.messages += 1
        counting.received_at = received_at
        counting.exchange_ms = exchange_ms
        return 0

    # Where the rows go -------------------------------------------------------------------------------------------

    cdef bint _fits(self, rows) except -1:
        """Tell whether that takes the rows that are made here, or nobody listens."""
        return rows is None or type(rows) is list

    cdef object _market(self, rows):
        """Return the market of the delta that was read."""
        return self._name(&self._values[D_TICKER])

    cdef object _name(self, const Value *value):
        """Return a name that was met before as the very text that it was then: none is made again."""
        if len(self._names.texts) > MOST_NAMES:
            self._names = Names()
        return self._names.texts[self._names.code_at(value.text, value.number)]

    cdef int _add_delta(self, rows, market, const DeltaRead *read, received_at, long long at) except -1:
        """Add the row of the delta that was read."""
        cdef Value *values = self._values
        (<list>rows).append((
            values[D_TS_MS].number * 1000,
            market,
            YES_NO[read.side],
            read.price,
            read.delta,
            text_of(&values[D_ORDER]),
            number_of(&values[D_SUBACCOUNT]),
            number_of(&values[D_CLOCK]),
            received_at,
            self._outer[SEQ].number,
        ))
        return 0

    cdef int _add_trade(self, rows, const TradeRead *read, received_at, long long at) except -1:
        """Add the row of the trade that was read."""
        cdef Value *values = self._values
        (<list>rows).append((
            values[T_TS_MS].number * 1000,
            self._name(&values[T_TICKER]),
            read.yes,
            read.count,
            YES_NO[read.outcome],
            BID_ASK[read.book],
            read.no,
            None if values[T_BLOCK].text == NULL else values[T_BLOCK].number != 0,
            text_of(&values[T_ID]),
            received_at,
            self._outer[SEQ].number,
        ))
        return 0

    cdef int _add_ticker(self, rows, const TickerRead *read, received_at, long long at) except -1:
        """Add the row of the ticker that was read."""
        cdef Value *values = self._values
        cdef bint two_sided = read.bid >= 0 and read.ask >= 0
        (<list>rows).append((
            values[Q_TS_MS].number * 1000,
            self._name(&values[Q_TICKER]),
            amount_of(read.price),
            amount_of(read.bid),
            amount_of(read.ask),
            amount_of(read.volume),
            amount_of(read.open_interest),
            read.ask - read.bid if two_sided else None,
            read.ask + read.bid if two_sided else None,
            amount_of(read.bid_size),
            amount_of(read.ask_size),
            amount_of(read.last),
            number_of(&values[Q_DOLLARS]),
            number_of(&values[Q_OPEN_DOLLARS]),
            None if values[Q_ID].text == NULL else self._name(&values[Q_ID]),
            received_at,
        ))
        return 0


# Values of a tuple -----------------------------------------------------------------------------------------------

cdef tuple YES_NO = ("yes", "no", None), BID_ASK = ("bid", "ask", None)


cdef inline object text_of(const Value *value):
    return None if value.text == NULL else PyUnicode_DecodeASCII(value.text, value.number, NULL)


cdef inline object number_of(const Value *value):
    return None if value.text == NULL else value.number


cdef inline object amount_of(long long value):
    return None if value < 0 else value
