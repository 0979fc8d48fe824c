# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Messages joined to lines, where a compiler was at hand; :mod:`kalshi_nb._recording.joining` says how."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp, memcpy

__all__ = ["join"]

cdef enum:
    BEGIN = 9  # bytes of the next
    KNOWN = 8  # types that are counted without a look into the dictionary
cdef const char *TYPE_BEGINS = b'{"type":"'


def join(bytes head not None, messages, /):
    """Return the lines of some messages and their counts; see :func:`kalshi_nb._recording.joining.plain_join`."""
    cdef list whole = messages if type(messages) is list else list(messages)
    cdef Py_ssize_t count = len(whole), size = PyBytes_GET_SIZE(head), length, at
    cdef bint newline
    cdef bytes message, lines
    cdef char *to
    cdef const char *begin
    if count == 0:
        return None
    for at in range(count):
        if not PyBytes_CheckExact(whole[at]):
            return None
        message = <bytes>whole[at]
        length = PyBytes_GET_SIZE(message)
        begin = PyBytes_AS_STRING(message)
        if at == 0:
            newline = length > 0 and begin[length - 1] == b"\n"
        # A message of one line ends with "}", and with its newline where the first one has one.
        if length < BEGIN + 2 or memcmp(begin, TYPE_BEGINS, BEGIN) != 0:
            return None
        if newline:
            if begin[length - 1] != b"\n" or begin[length - 2] != b"}":
                return None
        elif begin[length - 1] != b"}":
            return None
        if memchr(begin, b"\n", length - newline) != NULL:
            return None
        size += length + (not newline)
    size += 2 if newline else 9  # what the head ends with
    lines = PyBytes_FromStringAndSize(NULL, size)
    to = PyBytes_AS_STRING(lines)
    memcpy(to, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
    to += PyBytes_GET_SIZE(head)
    if newline:
        memcpy(to, b"}\n", 2)
        to += 2
    else:
        memcpy(to, b',"nl":0}\n', 9)
        to += 9
    for at in range(count):
        message = <bytes>whole[at]
        length = PyBytes_GET_SIZE(message)
        memcpy(to, PyBytes_AS_STRING(message), length)
        to += length
        if not newline:
            to[0] = b"\n"
            to += 1
    if not is_ascii(PyBytes_AS_STRING(lines), size):
        return None
    types = types_of(whole)
    return None if types is None else (lines, types)


cdef dict types_of(list messages):
    """Count messages by what they begin with; None where a type has no end."""
    cdef const char *names[KNOWN]
    cdef Py_ssize_t lengths[KNOWN]
    cdef Py_ssize_t counts[KNOWN]
    cdef Py_ssize_t known = 0, each, at, length
    cdef const char *begin
    cdef const char *ends
    cdef bytes message
    cdef dict found = {}
    for at in range(len(messages)):
        message = <bytes>messages[at]
        begin = PyBytes_AS_STRING(message)
        ends = <const char *>memchr(begin + BEGIN, b'"', PyBytes_GET_SIZE(message) - BEGIN)
        if ends == NULL:
            return None
        length = ends - begin
        for each in range(known):
            if lengths[each] == length and memcmp(names[each], begin, length) == 0:
                counts[each] += 1
                break
        else:
            if known < KNOWN:
                names[known], lengths[known], counts[known] = begin, length, 1
                known += 1
            else:
                name = PyBytes_FromStringAndSize(begin, length)
                found[name] = found.get(name, 0) + 1
    for each in range(known):
        found[PyBytes_FromStringAndSize(names[each], lengths[each])] = counts[each]
    return found


cdef bint is_ascii(const char *text, Py_ssize_t size):
    cdef uint64_t seen = 0, word
    cdef Py_ssize_t at = 0
    while at + 8 <= size:
        memcpy(&word, text + at, 8)
        seen |= word
        at += 8
    while at < size:
        seen |= <unsigned char>text[at]
        at += 1
    return not seen & <uint64_t>0x8080808080808080
