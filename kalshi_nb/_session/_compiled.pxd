# What one compiled module has of another.

cdef struct Side:
    # Prices ascending, so that the best, near which nearly all changes are, stands last. Forty levels are 400 bytes in
    # one piece; as a dictionary they are 2.5 KiB in forty, and waiting for those was a fifth of the time.
    int count
    int room
    long long *sizes
    short *prices  # behind the sizes, in the same piece


cdef class CompiledLadder:
    cdef Side _yes
    cdef Side _no
    cdef readonly str market_ticker
    cdef public bint live
    cdef public str status
    cdef public long long status_since
    cdef public str reason
    cdef public bint crossed
    cdef public long long changed_at
    cdef public long long version
    cdef public object watcher


cdef class StraightLine:
    cdef object _state, _by_sid, _look_again, _take
    cdef dict _ladders
    cdef str _channel
    # What is the same for all of a read, until a frame leaves the straight line:
    cdef object _sid, _counting
    cdef object _rows  # None while nobody listens
    # What has been applied, and not yet been written down there:
    cdef long long _deltas, _seq
    cdef object _exchange_ms

    cdef int _one(self, data, received_at) except -1
    cdef int _leave(self, received_at) except -1
    cdef int _write_down(self, received_at) except -1
    cdef bint _find(self, sid, received_at) except -1
    cdef bint _apply(self, frame, received_at) except -1
    cdef bint _change(
        self, CompiledLadder ladder, bint yes, int price, long long delta, long long seq, exchange_ms, received_at
    ) except -1
