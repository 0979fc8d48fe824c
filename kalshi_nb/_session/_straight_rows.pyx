# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The straight line from a recording's frames to columns of rows.

As in :mod:`kalshi_nb._session._compiled` nothing is decided here. Three kinds of frames that are written as the
exchange always writes them, to which nothing can happen, and whose values are what they are expected to be, go from
their bytes into columns: one line of ASCII without a backslash, every field's text, number or word of the type that its
message has, the next number of its channel, no gap. Every other frame is handed on as it came, with nothing changed by
it, and comes to its row, or to none, as it does elsewhere.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
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
from kalshi_nb._session._row_columns cimport Names, RowColumns

from kalshi_nb._rows.words import LONGEST_NAME
from kalshi_nb._wire.field_types import LARGEST_INTEGER
from kalshi_nb._wire.field_values import AHEAD, FIRST

__all__ = ["StraightRows"]

cdef long long _AHEAD = AHEAD, _FIRST = FIRST, _LARGEST = LARGEST_INTEGER, _LONGEST = LONGEST_NAME

cdef enum:
    DOLLAR = 10_000


# Fields ----------------------------------------------------------------------------------------------------------

cdef enum:
    TYPE, SID, SEQ, MSG, OUTER_FIELDS
    MOST_FIELDS = 20

cdef Field[OUTER_FIELDS] OUTER
OUTER[TYPE] = Field(b"type", 4, TEXT)
OUTER[SID] = Field(b"sid", 3, INTEGER)
OUTER[SEQ] = Field(b"seq", 3, INTEGER)
OUTER[MSG] = Field(b"msg", 3, OBJECT)

# In the order in which the exchange writes them. Those that nobody reads are there since the order is known, too.
cdef enum:
    D_TICKER, D_ID, D_CLOCK, D_PRICE, D_DELTA, D_SIDE, D_TS, D_TS_MS, D_ORDER, D_SUBACCOUNT, D_FIELDS

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

cdef enum:
    T_ID, T_TICKER, T_YES, T_NO, T_COUNT, T_TAKER, T_OUTCOME, T_BOOK, T_BLOCK, T_TS, T_TS_MS, T_FIELDS

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

cdef enum:
    Q_ID, Q_TICKER, Q_PRICE, Q_BID, Q_ASK, Q_VOLUME, Q_OPEN, Q_DOLLARS, Q_OPEN_DOLLARS, Q_BID_SIZE, Q_ASK_SIZE
    Q_LAST_SIZE, Q_TS, Q_TS_MS, Q_TIME, Q_FIELDS

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

cdef class StraightRows(StraightLine):
    """Takes in what reads of one connection brought, into :class:`RowColumns`; see :class:`StraightLine`."""

    cdef Value[OUTER_FIELDS] _outer
    cdef Value[MOST_FIELDS] _values

    def receive(self, messages, received_at, /):
        """Take in what one read brought, in its order; `received_at` is the microsecond of that read."""
        cdef long long at = received_at
        try:
            for data in messages:
                if type(data) is not bytes or not self._straight(data, received_at, at):
                    self._one(data, received_at)
        finally:
            self._leave(received_at)
            # Last, since whoever sees a frame counted, on another thread, takes it for applied.
            self._state.messages += len(messages)

    cdef bint _straight(self, data, received_at, long long at) except -1:
        """Take in a frame; return False, and change nothing, where that is not for here."""
        cdef const char *text = PyBytes_AS_STRING(data)
        cdef Py_ssize_t length = PyBytes_GET_SIZE(data)
        cdef Place place = Place(text, text + length)
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
        cdef long long seq = self._outer[SEQ].number, price = 0, delta = 0
        cdef int side = choice(&values[D_SIDE], b"yes", 3, b"no", 2)
        cdef unsigned int code
        cdef RowColumns rows
        cdef CompiledLadder ladder
        if self._outer[SEQ].text == NULL or side < 0 or side == 2:
            return False
        if not is_name(&values[D_TICKER]) or not self._is_timely(&values[D_TS_MS], at):
            return False
        if values[D_PRICE].text == NULL or not decimal(&values[D_PRICE], 4, &price) or not 0 < price < DOLLAR:
            return False
        if values[D_DELTA].text == NULL or not decimal(&values[D_DELTA], 2, &delta):
            return False
        if values[D_ORDER].text != NULL and values[D_ORDER].number > _LONGEST:
            return False
        if self._sid is None or <long long>self._sid != self._outer[SID].number:
            if not self._find(self._outer[SID].number, received_at):
                return False
        if seq != self._seq + 1 or type(self._rows) is not RowColumns:
            return False
        rows = self._rows
        code = (<Names>rows._names[1]).code_at(values[D_TICKER].text, values[D_TICKER].number)
        ladder = self._ladders.get((<Names>rows._names[1]).texts[code])
        if ladder is None or not ladder.live:
            return False
        if not self._change(ladder, side == 0, <int>price, delta, seq, values[D_TS_MS].number, received_at):
            return False
        rows.more()
        rows.integer(0, values[D_TS_MS].number * 1000)
        rows.code(1, code)
        rows.code(2, side)
        rows.integer(3, price)
        rows.integer(4, delta)
        if values[D_ORDER].text == NULL:
            rows.nothing(5)
        else:
            rows.text(5, values[D_ORDER].text, values[D_ORDER].number)
        self._number(rows, 6, &values[D_SUBACCOUNT])
        self._number(rows, 7, &values[D_CLOCK])
        rows.integer(8, at)
        rows.integer(9, seq)
        rows.done()
        return True

    cdef bint _trade(self, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef long long yes = 0, no = 0, count = 0
        cdef int outcome = choice(&values[T_OUTCOME], b"yes", 3, b"no", 2)
        cdef int book = choice(&values[T_BOOK], b"bid", 3, b"ask", 3)
        cdef int taker = choice(&values[T_TAKER], b"yes", 3, b"no", 2)
        cdef RowColumns rows
        if outcome < 0 or book < 0 or taker < 0 or self._outer[SEQ].text == NULL:
            return False
        if not is_name(&values[T_TICKER]) or not is_name(&values[T_ID]) or not self._is_timely(&values[T_TS_MS], at):
            return False
        if not amount(&values[T_YES], 4, DOLLAR, &yes) or not amount(&values[T_NO], 4, DOLLAR, &no):
            return False
        if not amount(&values[T_COUNT], 2, _LARGEST, &count) or yes < 0 or no < 0 or count < 1:
            return False
        counting = self._counted("trade", sequenced=True)
        if counting is None:
            return False
        rows = counting.rows
        self._count(counting, self._outer[SEQ].number, values[T_TS_MS].number, received_at)
        outcome = taker if outcome == 2 else outcome
        book = outcome if book == 2 else book  # in the same order: who takes YES takes it from a bid's side
        rows.more()
        rows.integer(0, values[T_TS_MS].number * 1000)
        rows.code(1, (<Names>rows._names[1]).code_at(values[T_TICKER].text, values[T_TICKER].number))
        rows.integer(2, yes)
        rows.integer(3, count)
        self._choice(rows, 4, outcome)
        self._choice(rows, 5, book)
        rows.integer(6, no)
        self._choice(rows, 7, 2 if values[T_BLOCK].text == NULL else <int>values[T_BLOCK].number)
        rows.text(8, values[T_ID].text, values[T_ID].number)
        rows.integer(9, at)
        rows.integer(10, self._outer[SEQ].number)
        rows.done()
        return True

    cdef bint _ticker(self, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef long long price = 0, bid = 0, ask = 0, bid_size = 0, ask_size = 0, volume = 0, open_interest = 0, last = 0
        cdef RowColumns rows
        if not is_name(&values[Q_TICKER]) or not self._is_timely(&values[Q_TS_MS], at):
            return False
        if values[Q_ID].text != NULL and values[Q_ID].number > _LONGEST:
            return False
        if not amount(&values[Q_PRICE], 4, DOLLAR, &price) or price < 0:
            return False
        if not amount(&values[Q_BID], 4, DOLLAR, &bid) or bid < 0 or not amount(&values[Q_ASK], 4, DOLLAR, &ask) or ask < 0:
            return False
        if not amount(&values[Q_BID_SIZE], 2, _LARGEST, &bid_size) or not amount(&values[Q_ASK_SIZE], 2, _LARGEST, &ask_size):
            return False
        if not amount(&values[Q_VOLUME], 2, _LARGEST, &volume) or not amount(&values[Q_OPEN], 2, _LARGEST, &open_interest):
            return False
        if not amount(&values[Q_LAST_SIZE], 2, _LARGEST, &last):
            return False
        counting = self._counted("ticker", sequenced=False)
        if counting is None:
            return False
        rows = counting.rows
        self._count(counting, None, values[Q_TS_MS].number, received_at)
        if bid == 0 and bid_size <= 0:
            bid = bid_size = -1
        if ask == DOLLAR and ask_size <= 0:
            ask = ask_size = -1
        rows.more()
        rows.integer(0, values[Q_TS_MS].number * 1000)
        rows.code(1, (<Names>rows._names[1]).code_at(values[Q_TICKER].text, values[Q_TICKER].number))
        self._amount(rows, 2, price if price else -1)
        self._amount(rows, 3, bid)
        self._amount(rows, 4, ask)
        self._amount(rows, 5, volume)
        self._amount(rows, 6, open_interest)
        if bid < 0 or ask < 0:
            rows.nothing(7)
            rows.nothing(8)
        else:
            rows.integer(7, ask - bid)
            rows.integer(8, ask + bid)
        self._amount(rows, 9, bid_size)
        self._amount(rows, 10, ask_size)
        self._amount(rows, 11, last)
        self._number(rows, 12, &values[Q_DOLLARS])
        self._number(rows, 13, &values[Q_OPEN_DOLLARS])
        if values[Q_ID].text == NULL:
            rows.nothing(14)
        else:
            rows.code(14, (<Names>rows._names[14]).code_at(values[Q_ID].text, values[Q_ID].number))
        rows.integer(15, at)
        rows.done()
        return True

    cdef object _counted(self, str channel, bint sequenced):
        """Return the counting of the frame's subscription, None where something happens by this frame."""
        subscription = self._by_sid.get(self._outer[SID].number)
        if subscription is None or subscription.channel != channel or subscription.repair.open_gaps:
            return None
        counting = subscription.counting
        if not counting.listening or type(counting.rows) is not RowColumns or counting.sequenced != sequenced:
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

    cdef inline int _amount(self, RowColumns rows, int column, long long value) except -1:
        return rows.nothing(column) if value < 0 else rows.integer(column, value)

    cdef inline int _number(self, RowColumns rows, int column, const Value *value) except -1:
        return rows.nothing(column) if value.text == NULL else rows.integer(column, value.number)

    cdef inline int _choice(self, RowColumns rows, int column, int value) except -1:
        return rows.nothing(column) if value == 2 else rows.code(column, value)
