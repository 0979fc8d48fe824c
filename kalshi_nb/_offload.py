"""Work that may hang, such as a read of a network disk, done on a thread of its own.

Nobody can end a thread that hangs in the kernel. So it is a daemon, and whoever waits for it does so for a time, or as
a task that can be cancelled; its answer, should it ever come, is then nobody's.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import TypeVar

__all__ = ["off_loop", "offloaded", "several_at_once"]

T = TypeVar("T")


def offloaded(work: Callable[[], T], name: str) -> Future[T]:
    """Begin `work` on a daemon thread of this name; what it returns or raises is in the future."""
    answer: Future[T] = Future()

    def run() -> None:
        if not answer.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as problem:  # noqa: BLE001  # raised again where it is waited for
            answer.set_exception(problem)
        else:
            answer.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer


async def off_loop(work: Callable[[], T], name: str) -> T:
    """Wait for `work` without holding up the event loop.

    The loop's own pool of threads would not do: a loop waits for these at its end, however long they hang.
    """
    return await asyncio.wrap_future(offloaded(work, name))


def several_at_once(works: Sequence[Callable[[threading.Event], T]], most: int, name: str) -> Iterator[T]:
    """Yield what some work returns, in its order, with at most so much of it under way.

    What raises is raised, after what else was under way and did not. Nothing is begun after that, nor when nobody
    goes on to iterate, and the event that each is handed says that it is not to be tried for long any more.
    """
    given_up = threading.Event()
    left = iter([partial(each, given_up) for each in works])
    begun: deque[Future[T]] = deque()
    try:
        while True:
            begun.extend(offloaded(work, name) for work in islice(left, most - len(begun)))
            if not begun:
                return
            try:
                result = begun.popleft().result()
            except Exception:
                given_up.set()
                yield from (each.result() for each in begun if each.exception() is None)
                raise
            yield result
    finally:
        given_up.set()
