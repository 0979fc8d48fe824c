# cython: language_level=3
"""A wakeup that is rung without the interpreter.

Whoever rings a lock of Python's holds the interpreter while the sleeper wakes, and on a busy machine the sleeper wakes
on the same core, finds the interpreter taken, and sleeps once more. Here the interpreter is let go of for the ring, so
that who is woken can begin.
"""

from cpython.exc cimport PyErr_CheckSignals

import threading
import time

__all__ = ["Wakeup"]

cdef extern from "pythread.h" nogil:
    ctypedef void *PyThread_type_lock
    ctypedef long long PY_TIMEOUT_T
    ctypedef enum PyLockStatus:
        PY_LOCK_FAILURE
        PY_LOCK_ACQUIRED
        PY_LOCK_INTR
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock lock)
    int PyThread_acquire_lock(PyThread_type_lock lock, int wait)
    PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, PY_TIMEOUT_T microseconds, int interruptible)
    void PyThread_release_lock(PyThread_type_lock lock)

cdef double LONGEST = threading.TIMEOUT_MAX
cdef object _now = time.monotonic


cdef class Wakeup:
    """See :class:`kalshi_nb._wakeup.PlainWakeup`, which does the same."""

    cdef PyThread_type_lock _lock

    def __cinit__(self):
        self._lock = PyThread_allocate_lock()
        if self._lock == NULL:
            raise MemoryError
        PyThread_acquire_lock(self._lock, 1)

    def __dealloc__(self):
        if self._lock != NULL:
            PyThread_acquire_lock(self._lock, 0)
            PyThread_release_lock(self._lock)
            PyThread_free_lock(self._lock)

    def ring(self):
        """End the present sleep, or the next; callable from any thread, never waits."""
        # Two that ring at the same moment may end one sleep more, and who sleeps looks again whenever a sleep ends.
        with nogil:
            PyThread_acquire_lock(self._lock, 0)
            PyThread_release_lock(self._lock)

    def sleep(self, timeout):
        """Sleep for at most `timeout` seconds, None for as long as it takes; return whether a ring ended it."""
        cdef PY_TIMEOUT_T left = -1
        cdef PyLockStatus status
        cdef double until = 0.0
        if timeout is not None:
            left = _microseconds(timeout)
            until = _now() + timeout
        while True:
            with nogil:
                status = PyThread_acquire_lock_timed(self._lock, left, 1)
            if status != PY_LOCK_INTR:
                return status == PY_LOCK_ACQUIRED
            PyErr_CheckSignals()  # on the main thread, Ctrl-C is raised here
            if timeout is not None:
                left = _microseconds(until - _now())


cdef PY_TIMEOUT_T _microseconds(double seconds):
    return <PY_TIMEOUT_T>(min(max(0.0, seconds), LONGEST) * 1_000_000)
