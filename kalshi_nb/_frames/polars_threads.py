"""Whether polars can work here: its threads stay with the parent of a forked process, and it would wait for ever."""

from __future__ import annotations

import threading
from typing import Final

from kalshi_nb._threads import forks
from kalshi_nb.errors import ForkedError

__all__ = ["refuse_without_polars"]

PATIENCE: Final = 3.0
"""Seconds that a forked process gives polars for what takes a thousandth of one."""


class _Probe:
    """One small question to polars, asked on a thread beside: nobody can end a thread that waits inside polars."""

    def __init__(self) -> None:
        self.forks = forks()
        self._answered = threading.Event()
        self._is_patient = True
        threading.Thread(target=self._ask, name="polars-probe", daemon=True).start()

    def _ask(self) -> None:
        import polars as pl  # noqa: PLC0415  # loads when it is needed

        number = pl.col("number")
        numbers = pl.DataFrame({"number": range(1_000)})
        numbers.filter(number > 1).select(number, (number * 2).alias("twice")).sort("twice", descending=True)
        self._answered.set()

    def is_answered(self) -> bool:
        """Tell whether polars has answered; waited for once, so that a slow answer counts when it is there."""
        answered = self._answered.wait(PATIENCE if self._is_patient else 0)
        self._is_patient = False
        return answered


_probe: _Probe | None = None


def refuse_without_polars(doing: str) -> None:
    """Refuse what polars would compute, in a process that was forked from one in which it had begun to.

    Parameters
    ----------
    doing : str
        What was called, as its user wrote it: ``"latest()"``.

    Raises
    ------
    ForkedError
        When polars does not answer here.
    """
    global _probe  # noqa: PLW0603  # there is one polars a process
    if not forks():
        return
    if _probe is None or _probe.forks != forks():
        _probe = _Probe()
    if not _probe.is_answered():
        raise ForkedError(
            f"{doing} would never return here: the threads of polars stayed with the process that this one was forked "
            "from. Take .df, which can be read, before the fork, or begin such processes by 'spawn' (in "
            "multiprocessing, get_context('spawn')) and connect() there."
        )
