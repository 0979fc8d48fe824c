# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The straight line from a recording's frames to columns of rows: no tuple is made of what was read of a frame."""

from kalshi_nb._session._json_fields cimport Value
from kalshi_nb._session._row_columns cimport Names, RowColumns
from kalshi_nb._session._straight_frames cimport (
    D_CLOCK,
    D_ORDER,
    D_SUBACCOUNT,
    D_TICKER,
    D_TS_MS,
    Q_DOLLARS,
    Q_ID,
    Q_OPEN_DOLLARS,
    Q_TICKER,
    Q_TS_MS,
    SEQ,
    T_BLOCK,
    T_ID,
    T_TICKER,
    T_TS_MS,
    DeltaRead,
    StraightFrames,
    TickerRead,
    TradeRead,
)

__all__ = ["StraightRows"]


cdef class StraightRows(StraightFrames):
    """Takes in what reads of one connection brought, into :class:`RowColumns`; see :class:`StraightFrames`."""

    cdef unsigned int _code  # of the market of the delta that was read

    cdef bint _fits(self, rows) except -1:
        return type(rows) is RowColumns

    cdef object _market(self, rows):
        cdef Names names = (<RowColumns>rows)._names[1]
        self._code = names.code_at(self._values[D_TICKER].text, self._values[D_TICKER].number)
        return names.texts[self._code]

    cdef int _add_delta(self, rows, market, const DeltaRead *read, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef RowColumns to = rows
        to.more()
        to.integer(0, values[D_TS_MS].number * 1000)
        to.code(1, self._code)
        to.code(2, read.side)
        to.integer(3, read.price)
        to.integer(4, read.delta)
        if values[D_ORDER].text == NULL:
            to.nothing(5)
        else:
            to.text(5, values[D_ORDER].text, values[D_ORDER].number)
        self._number(to, 6, &values[D_SUBACCOUNT])
        self._number(to, 7, &values[D_CLOCK])
        to.integer(8, at)
        to.integer(9, self._outer[SEQ].number)
        return to.done()

    cdef int _add_trade(self, rows, const TradeRead *read, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef RowColumns to = rows
        to.more()
        to.integer(0, values[T_TS_MS].number * 1000)
        to.code(1, (<Names>to._names[1]).code_at(values[T_TICKER].text, values[T_TICKER].number))
        to.integer(2, read.yes)
        to.integer(3, read.count)
        self._choice(to, 4, read.outcome)
        self._choice(to, 5, read.book)
        to.integer(6, read.no)
        self._choice(to, 7, 2 if values[T_BLOCK].text == NULL else <int>values[T_BLOCK].number)
        to.text(8, values[T_ID].text, values[T_ID].number)
        to.integer(9, at)
        to.integer(10, self._outer[SEQ].number)
        return to.done()

    cdef int _add_ticker(self, rows, const TickerRead *read, received_at, long long at) except -1:
        cdef Value *values = self._values
        cdef RowColumns to = rows
        to.more()
        to.integer(0, values[Q_TS_MS].number * 1000)
        to.code(1, (<Names>to._names[1]).code_at(values[Q_TICKER].text, values[Q_TICKER].number))
        self._amount(to, 2, read.price)
        self._amount(to, 3, read.bid)
        self._amount(to, 4, read.ask)
        self._amount(to, 5, read.volume)
        self._amount(to, 6, read.open_interest)
        if read.bid < 0 or read.ask < 0:
            to.nothing(7)
            to.nothing(8)
        else:
            to.integer(7, read.ask - read.bid)
            to.integer(8, read.ask + read.bid)
        self._amount(to, 9, read.bid_size)
        self._amount(to, 10, read.ask_size)
        self._amount(to, 11, read.last)
        self._number(to, 12, &values[Q_DOLLARS])
        self._number(to, 13, &values[Q_OPEN_DOLLARS])
        if values[Q_ID].text == NULL:
            to.nothing(14)
        else:
            to.code(14, (<Names>to._names[14]).code_at(values[Q_ID].text, values[Q_ID].number))
        to.integer(15, at)
        return to.done()

    cdef inline int _amount(self, RowColumns rows, int column, long long value) except -1:
        return rows.nothing(column) if value < 0 else rows.integer(column, value)

    cdef inline int _number(self, RowColumns rows, int column, const Value *value) except -1:
        return rows.nothing(column) if value.text == NULL else rows.integer(column, value.number)

    cdef inline int _choice(self, RowColumns rows, int column, int value) except -1:
        return rows.nothing(column) if value == 2 else rows.code(column, value)
