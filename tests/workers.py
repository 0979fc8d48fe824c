"""A Dask cluster of two processes on the loopback, and the death of one of its workers."""

import os
import signal
import warnings
from contextlib import contextmanager

from tests.engine.conftest import wait_until


@contextmanager
def cluster(workers=2):
    """Give a client of a cluster of so many processes."""
    from distributed import Client, LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own sockets and loops
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                worker_dashboard_address=None,
            ) as made,
            Client(made) as client,
        ):
            yield client


def processes(client):
    """Return the process of each worker, by its address."""
    return client.run(os.getpid)


def kill_one(client):
    """Kill a worker as the system does that is out of memory; return its process."""
    pid = min(processes(client).values())
    os.kill(pid, signal.SIGKILL)
    return pid


def wait_for_workers(client, count=2, without=None):
    """Wait until there are so many again, none of which is the process that was killed."""
    wait_until(lambda: len(found := processes(client)) == count and without not in found.values(), 60)
