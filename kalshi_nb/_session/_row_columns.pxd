# What the line that fills them has of them.

cdef struct Column:
    # Integers are long long; codes are unsigned int, places in `names`; texts are one more end than there are rows.
    int kind
    void *values
    unsigned char *valid  # a bit a row; NULL as long as no value is missing
    Py_ssize_t missing
    char *text
    long long text_room


cdef struct Place:
    # Where a name stands among the names: one that is looked up by its bytes.
    unsigned long long sum
    const char *text
    unsigned int length
    unsigned int code  # one more than that, 0 where nothing stands


cdef class Names:
    cdef readonly list texts
    cdef dict _codes
    cdef Place *_places
    cdef unsigned int _room

    cdef unsigned int code_of(self, name) except? 0
    cdef unsigned int code_at(self, const char *text, Py_ssize_t length) except? 0
    cdef int _put(self, name, unsigned int code) except -1
    cdef void _lay(self, Place one) noexcept


cdef class RowColumns:
    cdef Column *_columns
    cdef int _width
    cdef Py_ssize_t _count, _room
    cdef list _names  # of each column; None where it has none

    cdef int more(self) except -1
    cdef int integer(self, int column, long long value) except -1
    cdef int code(self, int column, unsigned int value) except -1
    cdef int text(self, int column, const char *text, Py_ssize_t length) except -1
    cdef int nothing(self, int column) except -1
    cdef int done(self) except -1
    cdef int _grow(self) except -1
