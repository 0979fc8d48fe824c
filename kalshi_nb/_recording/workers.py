"""Work on segments, done by the workers of a Dask client."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from kalshi_nb._frames.addresses import address_of
from kalshi_nb.errors import ConfigurationError

__all__ = ["absolute", "check_client", "mapped"]

A = TypeVar("A")
T = TypeVar("T")


def absolute(path: str) -> str:
    """Return a path as another process finds it, which may stand in another folder; an address as it is."""
    return path if address_of(path) is not None else os.path.abspath(path)  # noqa: PTH100  # links stay as they are


def check_client(client: object, *places: str) -> None:
    """Refuse what has no workers, and places that workers cannot get to.

    Raises
    ------
    ConfigurationError
        When `client` is neither None nor one of Dask's, or a place is in the memory of this process.
    """
    own = next((each for each in places if each.startswith("memory:")), None)
    if client is not None and own is not None:
        raise ConfigurationError(
            f"{own} is in the memory of this process, where no worker finds it: leave client out."
        )
    if client is not None and not (hasattr(client, "map") and hasattr(client, "gather")):
        raise ConfigurationError(f"client={client!r}: pass a dask.distributed.Client (pip install 'kalshi-nb[dask]').")


def mapped(function: Callable[[A], T], arguments: Sequence[A], client: Any) -> Generator[T]:
    """Have the workers of a client call a function, and return what it returned, in the order of its arguments.

    What a worker had when it died is done again by another. Whoever does not want the rest closes it, on a thread that
    may wait for the cluster: then nobody works on.

    Parameters
    ----------
    function : callable
        It and what it returns must be picklable; called twice with the same it must do no harm.
    arguments : sequence
        What it is called with, each once.
    client : dask.distributed.Client
        Whose workers.
    """
    waiting = deque(client.map(function, list(arguments), retries=2, pure=False))
    try:
        while waiting:
            (found,) = client.gather([waiting[0]])
            waiting.popleft()
            yield found
    finally:
        if waiting:
            client.cancel(list(waiting))
