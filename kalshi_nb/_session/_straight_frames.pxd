# What the line into columns has of the line that reads frames.

from kalshi_nb._session._compiled cimport StraightLine
from kalshi_nb._session._json_fields cimport Field, Place, Value
from kalshi_nb._session._row_columns cimport Names

# In the order in which the exchange writes them. Those that nobody reads are there since the order is known, too.
cdef enum:
    TYPE, SID, SEQ, MSG, OUTER_FIELDS
    MOST_FIELDS = 20

cdef enum:
    D_TICKER, D_ID, D_CLOCK, D_PRICE, D_DELTA, D_SIDE, D_TS, D_TS_MS, D_ORDER, D_SUBACCOUNT, D_FIELDS

cdef enum:
    T_ID, T_TICKER, T_YES, T_NO, T_COUNT, T_TAKER, T_OUTCOME, T_BOOK, T_BLOCK, T_TS, T_TS_MS, T_FIELDS

cdef enum:
    Q_ID, Q_TICKER, Q_PRICE, Q_BID, Q_ASK, Q_VOLUME, Q_OPEN, Q_DOLLARS, Q_OPEN_DOLLARS, Q_BID_SIZE, Q_ASK_SIZE
    Q_LAST_SIZE, Q_TS, Q_TS_MS, Q_TIME, Q_FIELDS


cdef struct DeltaRead:
    long long price, delta
    int side  # 0 yes, 1 no


cdef struct TradeRead:
    long long yes, no, count
    int outcome, book  # 0 yes or bid, 1 no or ask, 2 none


cdef struct TickerRead:
    long long price, bid, ask, bid_size, ask_size, volume, open_interest, last  # -1 for none


cdef class StraightFrames(StraightLine):
    cdef Value[OUTER_FIELDS] _outer
    cdef Value[MOST_FIELDS] _values
    cdef Names _names  # of markets, and their ids

    cdef bint _straight(self, data, received_at, long long at) except -1
    cdef bint _read(self, Place *place, const char *text, const Field *known, int count) noexcept
    cdef bint _is_timely(self, const Value *ms, long long at) noexcept
    cdef bint _delta(self, received_at, long long at) except -1
    cdef bint _trade(self, received_at, long long at) except -1
    cdef bint _ticker(self, received_at, long long at) except -1
    cdef object _counted(self, str channel, bint sequenced)
    cdef int _count(self, counting, seq, exchange_ms, received_at) except -1

    cdef object _name(self, const Value *value)

    # What is another thing where rows are columns:
    cdef bint _fits(self, rows) except -1
    cdef object _market(self, rows)
    cdef int _add_delta(self, rows, market, const DeltaRead *read, received_at, long long at) except -1
    cdef int _add_trade(self, rows, const TradeRead *read, received_at, long long at) except -1
    cdef int _add_ticker(self, rows, const TickerRead *read, received_at, long long at) except -1
