# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Rows that are columns from the beginning, for whoever reads a recording: no tuple is made, and none taken apart.

They stand in the place of a list of rows, and take rows as one does. What was taken goes to polars as Arrow's C arrays
(https://arrow.apache.org/docs/format/CDataInterface.html), without a copy, and without a package for it.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_GET_LENGTH
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

__all__ = ["RowColumns", "Values"]

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char *PyUnicode_1BYTE_DATA "(const char *)PyUnicode_1BYTE_DATA" (object text)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    INTEGER, CODE, TEXT
    FEWEST = 1_024
    MOST_NAMES = 65_536
    FEWEST_PLACES = 1_024

_KINDS = {"market": CODE, "name": CODE, "outcome": CODE, "book": CODE, "flag": CODE, "text": TEXT, "json": TEXT}
_FIXED = {"outcome": ["yes", "no"], "book": ["bid", "ask"], "flag": [False, True]}
_FLOATS = ("number",)


# Names -----------------------------------------------------------------------------------------------------------

cdef inline unsigned long long sum_of(const char *text, Py_ssize_t length) noexcept nogil:
    cdef unsigned long long found = length, part
    while length > 0:
        part = 0
        memcpy(&part, text, 8 if length > 8 else length)
        found = (found ^ part) * 0x9E3779B97F4A7C15ULL
        found ^= found >> 32
        text += 8
        length -= 8
    return found


cdef class Names:
    """Names by their numbers, which are theirs as long as these are not forgotten."""

    def __cinit__(self, texts=()):
        self.texts = []
        self._codes = {}
        self._room = FEWEST_PLACES
        self._places = <Place *>calloc(self._room, sizeof(Place))
        if self._places == NULL:
            raise MemoryError
        for each in texts:
            self.code_of(each)

    def __dealloc__(self):
        free(self._places)

    cdef unsigned int code_of(self, name) except? 0:
        """Return a name's number."""
        found = self._codes.get(name)
        if found is not None:
            return found
        cdef unsigned int code = len(self.texts)
        self._codes[name] = code
        self.texts.append(name)
        if isinstance(name, str) and PyUnicode_IS_COMPACT_ASCII(name):
            self._put(name, code)
        return code

    cdef unsigned int code_at(self, const char *text, Py_ssize_t length) except? 0:
        """Return the number of a name of ASCII characters."""
        cdef unsigned long long total = sum_of(text, length)
        cdef unsigned int at = total & (self._room - 1)
        cdef Place *place
        while True:
            place = &self._places[at]
            if place.code == 0:
                return self.code_of(PyUnicode_DecodeASCII(text, length, NULL))
            if place.sum == total and place.length == length and memcmp(place.text, text, length) == 0:
                return place.code - 1
            at = (at + 1) & (self._room - 1)

    cdef int _put(self, name, unsigned int code) except -1:
        cdef Place *before = self._places
        cdef Place one
        cdef unsigned int room = self._room, at
        if <unsigned int>len(self.texts) * 2 > room:
            self._places = <Place *>calloc(room * 2, sizeof(Place))
            if self._places == NULL:
                self._places = before
                raise MemoryError
            self._room = room * 2
            for at in range(room):
                if before[at].code:
                    self._lay(before[at])
            free(before)
        one.text = PyUnicode_1BYTE_DATA(name)  # which lives as long as `texts` has it
        one.length = PyUnicode_GET_LENGTH(name)
        one.sum = sum_of(one.text, one.length)
        one.code = code + 1
        self._lay(one)
        return 0

    cdef void _lay(self, Place one) noexcept:
        cdef unsigned int at = one.sum & (self._room - 1)
        while self._places[at].code:
            at = (at + 1) & (self._room - 1)
        self._places[at] = one


# Columns ---------------------------------------------------------------------------------------------------------

cdef class RowColumns:
    """The rows of a channel, column by column.

    Parameters
    ----------
    kinds : sequence of str
        What kind of value each column holds (:mod:`kalshi_nb._rows.columns`).
    """

    def __cinit__(self, kinds):
        cdef int column
        self._width = len(kinds)
        self._columns = <Column *>calloc(self._width, sizeof(Column))
        if self._columns == NULL:
            raise MemoryError
        self._names = []
        for column, kind in enumerate(kinds):
            if kind in _FLOATS:
                raise ValueError(f"no column of the kind {kind}")
            self._columns[column].kind = _KINDS.get(kind, INTEGER)
            self._names.append(Names(_FIXED.get(kind, ())) if self._columns[column].kind == CODE else None)

    def __dealloc__(self):
        cdef int column
        if self._columns != NULL:
            for column in range(self._width):
                free_column(&self._columns[column])
            free(self._columns)

    def __len__(self):
        return self._count

    def append(self, row, /):
        """Take a row; one that frames leave out is left out."""
        cdef int column
        cdef Py_ssize_t length = 0
        cdef const char *text
        if type(row) is not tuple:
            return
        self.more()
        for column, value in enumerate(row):
            if value is None:
                self.nothing(column)
            elif self._columns[column].kind == INTEGER:
                self.integer(column, value)
            elif self._columns[column].kind == CODE:
                self.code(column, (<Names>self._names[column]).code_of(value))
            else:
                text = PyUnicode_AsUTF8AndSize(value, &length)
                self.text(column, text, length)
        self.done()

    def extend(self, rows, /):
        """Take some rows."""
        for each in rows:
            self.append(each)

    def take(self):
        """Return what there is, and have nothing any more.

        Returns
        -------
        list of (Values, list or None)
            For each column its values; where they are places in a list of names, that list, which may grow.
        """
        cdef int column
        cdef list found = []
        for column in range(self._width):
            names = self._names[column]
            found.append((values_of(&self._columns[column], self._count), None if names is None else names.texts))
            if names is not None and len(names.texts) > MOST_NAMES:
                self._names[column] = Names()
        self._count = self._room = 0
        return found

    # A row is begun by `more`, has every column said once, by one of the four, and is ended by `done`; one that is not
    # ended was never there.

    cdef int more(self) except -1:
        if self._count == self._room:
            self._grow()
        return 0

    cdef int integer(self, int column, long long value) except -1:
        cdef Column *one = &self._columns[column]
        (<int64_t *>one.values)[self._count] = value
        if one.valid != NULL:
            one.valid[self._count >> 3] |= 1 << (self._count & 7)
        return 0

    cdef int code(self, int column, unsigned int value) except -1:
        cdef Column *one = &self._columns[column]
        (<unsigned int *>one.values)[self._count] = value
        if one.valid != NULL:
            one.valid[self._count >> 3] |= 1 << (self._count & 7)
        return 0

    cdef int text(self, int column, const char *text, Py_ssize_t length) except -1:
        cdef Column *one = &self._columns[column]
        cdef int64_t *ends = <int64_t *>one.values
        cdef long long end = ends[self._count] + length, room = one.text_room
        cdef char *larger
        if end > room:
            room = max(end, 2 * room, <long long>FEWEST)
            larger = <char *>realloc(one.text, room)
            if larger == NULL:
                raise MemoryError
            one.text, one.text_room = larger, room
        memcpy(one.text + ends[self._count], text, length)
        ends[self._count + 1] = end
        if one.valid != NULL:
            one.valid[self._count >> 3] |= 1 << (self._count & 7)
        return 0

    cdef int nothing(self, int column) except -1:
        cdef Column *one = &self._columns[column]
        cdef Py_ssize_t count = self._count
        if one.valid == NULL:
            one.valid = <unsigned char *>calloc((self._room + 7) >> 3, 1)
            if one.valid == NULL:
                raise MemoryError
            memset(one.valid, 0xFF, count >> 3)
            one.valid[count >> 3] = (1 << (count & 7)) - 1
        one.valid[count >> 3] &= ~(1 << (count & 7))
        if one.kind == INTEGER:
            (<int64_t *>one.values)[count] = 0
        elif one.kind == CODE:
            (<unsigned int *>one.values)[count] = 0
        else:
            (<int64_t *>one.values)[count + 1] = (<int64_t *>one.values)[count]
        one.missing += 1
        return 0

    cdef int done(self) except -1:
        self._count += 1
        return 0

    cdef int _grow(self) except -1:
        cdef Py_ssize_t room = max(2 * self._room, <Py_ssize_t>FEWEST), before = (self._room + 7) >> 3
        cdef Py_ssize_t size
        cdef int column
        cdef Column *one
        cdef void *larger
        for column in range(self._width):
            one = &self._columns[column]
            size = room * sizeof(unsigned int) if one.kind == CODE else (room + 1) * sizeof(int64_t)
            larger = realloc(one.values, size)
            if larger == NULL:
                raise MemoryError
            if one.values == NULL and one.kind == TEXT:
                (<int64_t *>larger)[0] = 0
            one.values = larger
            if one.valid != NULL:
                larger = realloc(one.valid, (room + 7) >> 3)
                if larger == NULL:
                    raise MemoryError
                one.valid = <unsigned char *>larger
                memset(one.valid + before, 0, ((room + 7) >> 3) - before)
        self._room = room
        return 0


cdef void free_column(Column *one) noexcept nogil:
    free(one.values)
    free(one.valid)
    free(one.text)
    one.values = one.text = NULL
    one.valid = NULL
    one.missing = one.text_room = 0


# Arrow's C arrays ------------------------------------------------------------------------------------------------

cdef struct ArrowSchema:
    const char *format
    const char *name
    const char *metadata
    int64_t flags
    int64_t n_children
    ArrowSchema **children
    ArrowSchema *dictionary
    void (*release)(ArrowSchema *) noexcept nogil
    void *private_data


cdef struct ArrowArray:
    int64_t length
    int64_t null_count
    int64_t offset
    int64_t n_buffers
    int64_t n_children
    const void **buffers
    ArrowArray **children
    ArrowArray *dictionary
    void (*release)(ArrowArray *) noexcept nogil
    void *private_data


cdef void release_schema(ArrowSchema *schema) noexcept nogil:
    schema.release = NULL


cdef void release_array(ArrowArray *array) noexcept nogil:
    free_column(<Column *>array.private_data)
    free(array.private_data)
    free(array.buffers)
    array.release = NULL


cdef void end_schema(object capsule) noexcept:
    cdef ArrowSchema *schema = <ArrowSchema *>PyCapsule_GetPointer(capsule, b"arrow_schema")
    if schema.release != NULL:
        schema.release(schema)
    free(schema)


cdef void end_array(object capsule) noexcept:
    cdef ArrowArray *array = <ArrowArray *>PyCapsule_GetPointer(capsule, b"arrow_array")
    if array.release != NULL:
        array.release(array)
    free(array)


cdef class Values:
    """The values of one column, for whoever takes Arrow's arrays, once."""

    cdef Column *_column
    cdef Py_ssize_t _count

    def __dealloc__(self):
        if self._column != NULL:
            free_column(self._column)
            free(self._column)

    def __len__(self):
        return self._count

    def __arrow_c_array__(self, requested_schema=None):
        """Return schema and array; whoever takes them owns the memory."""
        cdef ArrowSchema *schema
        cdef ArrowArray *array
        if self._column == NULL:
            raise ValueError("these values were handed on already")
        schema = <ArrowSchema *>calloc(1, sizeof(ArrowSchema))
        if schema == NULL:
            raise MemoryError
        schema.format = b"l" if self._column.kind == INTEGER else b"I" if self._column.kind == CODE else b"U"
        schema.name = b""
        schema.flags = 2  # a value may be missing
        schema.release = release_schema
        said = PyCapsule_New(schema, b"arrow_schema", end_schema)
        array = <ArrowArray *>calloc(1, sizeof(ArrowArray))
        if array == NULL:
            raise MemoryError
        array.buffers = <const void **>calloc(3, sizeof(void *))
        if array.buffers == NULL:
            free(array)
            raise MemoryError
        array.length = self._count
        array.null_count = self._column.missing
        array.n_buffers = 3 if self._column.kind == TEXT else 2
        array.buffers[0] = self._column.valid
        array.buffers[1] = self._column.values
        array.buffers[2] = self._column.text
        array.release = release_array
        array.private_data = self._column
        self._column = NULL
        return said, PyCapsule_New(array, b"arrow_array", end_array)


cdef Values values_of(Column *column, Py_ssize_t count):
    """Return what a column has, which has nothing then."""
    cdef Values found = Values.__new__(Values)
    cdef int kind = column.kind
    if column.kind == TEXT and column.text == NULL:
        column.text = <char *>malloc(1)
        if column.text == NULL:
            raise MemoryError
    found._column = <Column *>malloc(sizeof(Column))
    if found._column == NULL:
        raise MemoryError
    found._column[0] = column[0]
    found._count = count
    memset(column, 0, sizeof(Column))
    column.kind = kind
    return found
