# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Lines of a recording cut into frames, where a compiler was at hand; :mod:`kalshi_nb._recording.cutting` says how."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

__all__ = ["find_line", "frames_in", "lines_in"]


def frames_in(bytes text not None, Py_ssize_t begin, tuple own not None, bint newline, /):
    """Return the frames at the beginning of some lines; see :func:`kalshi_nb._recording.cutting.frames_in`."""
    cdef const char *at = PyBytes_AS_STRING(text) + begin
    cdef const char *end = PyBytes_AS_STRING(text) + PyBytes_GET_SIZE(text)
    cdef const char *line_ends
    cdef list found = []
    while at < end and not begins_with(at, end, own):
        line_ends = <const char *>memchr(at, b"\n", end - at)
        if line_ends == NULL:
            raise ValueError("a line without an end")
        found.append(PyBytes_FromStringAndSize(at, line_ends - at + newline))
        at = line_ends + 1
    return found, at - PyBytes_AS_STRING(text)


def lines_in(bytes text not None, Py_ssize_t end, /):
    """Return how many lines end before a place; see :func:`kalshi_nb._recording.cutting.lines_in`."""
    cdef const char *at = PyBytes_AS_STRING(text)
    cdef const char *stop = at + min(end, PyBytes_GET_SIZE(text))
    cdef Py_ssize_t found = 0
    while at < stop:
        at = <const char *>memchr(at, b"\n", stop - at)
        if at == NULL:
            break
        at += 1
        found += 1
    return found


def find_line(bytes text not None, bytes begins not None, Py_ssize_t looked, /):
    """Return where the first line is that begins so; see :func:`kalshi_nb._recording.cutting.find_line`."""
    cdef const char *at = PyBytes_AS_STRING(text) + looked
    cdef const char *end = PyBytes_AS_STRING(text) + PyBytes_GET_SIZE(text)
    cdef const char *sought = PyBytes_AS_STRING(begins)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(begins)
    while end - at >= size:
        if memcmp(at, sought, size) == 0:
            return at - PyBytes_AS_STRING(text)
        at = <const char *>memchr(at, b"\n", end - at)
        if at == NULL:
            return -1
        at += 1
    return -1


cdef inline bint begins_with(const char *at, const char *end, tuple some):
    cdef Py_ssize_t size
    for each in some:
        size = PyBytes_GET_SIZE(each)
        if end - at >= size and memcmp(at, PyBytes_AS_STRING(each), size) == 0:
            return True
    return False
