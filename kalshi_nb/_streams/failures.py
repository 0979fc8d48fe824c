"""What was raised on one of the feed's threads, kept without anything that hangs on it."""

from __future__ import annotations

import datetime as dt
import time
import traceback
from dataclasses import dataclass
from typing import Final

__all__ = ["Failure"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was raised on one of the feed's threads.

    Attributes
    ----------
    pipeline : str
        The name of the pipeline it was raised in.
    channel : str
        What that pipeline listens to.
    error : BaseException
        The exception, without its traceback, which would keep the pipeline alive.
    traceback : str
        That traceback as text.
    at : datetime.datetime
        When, in UTC.
    text : str
        All of it in a sentence.
    noticed : float
        When, on the computer's monotonic clock, in seconds.
    """

    pipeline: str
    channel: str
    error: BaseException
    traceback: str
    at: dt.datetime
    text: str
    noticed: float

    @classmethod
    def of(cls, error: BaseException, *, pipeline: str, channel: str, now_us: int) -> Failure:
        """Keep an exception, and nothing that hangs on it.

        Parameters
        ----------
        error : BaseException
            What was raised.
        pipeline, channel : str
            Where.
        now_us : int
            When, in microseconds.
        """
        whole = "".join(traceback.format_exception(error))
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is not None and id(each) not in seen:
                seen.add(id(each))
                each.__traceback__ = None
                waiting += [each.__cause__, each.__context__]
        at = _EPOCH + dt.timedelta(microseconds=now_us)
        text = f"{pipeline!r} on {channel} raised {type(error).__name__}: {_text_of(error)}"
        return cls(pipeline, channel, error, whole, at, text, time.monotonic())

    def __str__(self) -> str:
        return self.text


def _text_of(error: BaseException) -> str:
    """Return an exception's own words; a user's class may raise when asked for them."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # whatever it is, it must not hurt anybody else
        return "(its text cannot be had)"
