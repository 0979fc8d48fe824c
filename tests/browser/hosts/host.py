"""What all hosts are to a test: a server of their own, notebooks put before it, a page that opens them."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
import urllib.request

from tests.browser.hosts.kernel_line import KernelLine

START_SECONDS = 120
STEP_MILLISECONDS = 60_000
# Whatever the environment of who runs the tests says: the simulated exchange, by the wall's clock.
SIMULATED = {"KALSHI_ENV": "sim", "KALSHI_NB_CLOCK": "wall"}
VIEWS_IN_KERNEL = """[{
    "view": repr(view),
    "sent": view.widget.picture.get("seq"),
    "pace": str(view._host.hearing.pace(view.widget.model_id, view._opened, time.monotonic(), 0.1)),
    "thread": repr(view._thread),
    "last error": repr(view._thread.last_error),
} for view in views.values()]"""
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Host:
    """A host of notebooks that runs, in a folder of its own.

    Parameters
    ----------
    folder : pathlib.Path
        Where its settings, its log and, in ``notebooks``, what it opens lie.
    """

    name = ""
    served = "/"
    """What it answers as soon as it serves."""
    shows_while_busy = True
    """Whether a page has the views while a cell still runs."""
    one_process = False
    """Whether server and kernel are one process, so that who kills the kernel has to start anew."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "notebooks"
        self.root.mkdir()
        self.log = folder / "host.log"
        self._process = None
        self._looks = itertools.count(1)
        self._lines = []

    def command(self):
        """The command that serves, on `port`."""
        raise NotImplementedError

    def environment(self):
        """Variables of its process, beside those that there are."""
        return {}

    def start(self):
        """Start it, and return when it serves."""
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        with self.log.open("a") as out:
            self._process = subprocess.Popen(
                self.command(), cwd=self.root, env=os.environ | SIMULATED | self.environment(), stdout=out, stderr=out
            )
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.base + self.served, timeout=30).close()
            except OSError:
                if not self.is_running or time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}") from None
                time.sleep(0.1)
            else:
                return self

    @property
    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(15)

    # What a test does with it --------------------------------------------------------------------------------------

    def write(self, name, *cells):
        """Put a notebook of these cells before it."""
        raise NotImplementedError

    def run(self, page, name):
        """Open a notebook, with all of its cells run or on their way."""
        raise NotImplementedError

    def reload(self, page, name):
        """Load its page anew, as a person does."""
        page.reload()

    def go_dark(self, page):
        """Have the pages that are opened from now on be dark ones."""
        raise NotImplementedError

    def go_light(self, page):
        """Undo `go_dark`."""

    def end_sessions(self):
        """End all kernels, or all that can be told to."""

    def failed_cells(self, page):
        """What cells of the open notebook have raised."""
        return []

    def sessions(self):
        """What there is to know about its sessions, for the report of a failure."""

    def until_looked(self, meanwhile="time.sleep(0.05)"):
        """Code that a cell begins with which is to wait until the test has seen enough and calls `looked`.

        Each has a file of its own: what one test leaves behind lets no cell of another one through.
        """
        self._looked = self.root / f"looked-{next(self._looks)}"
        return f"import pathlib, time\nwhile not pathlib.Path({str(self._looked)!r}).exists(): {meanwhile}\n"

    def looked(self):
        """Let the cell go on that waits by the newest `until_looked`."""
        self._looked.touch()

    # A test's lines to the kernels that it has opened ---------------------------------------------------------------

    @property
    def lines_folder(self):
        """Where a cell that calls `kernel_line.answer` says where it answers."""
        return self.folder / "lines"

    def lines(self):
        """Return where kernels have answered so far."""
        return {path.name for path in self.lines_folder.glob("*.line")}

    def line(self, before):
        """Return the line of the kernel that has begun to answer since `before`."""
        end = time.monotonic() + START_SECONDS
        while not (new := self.lines() - before):
            if time.monotonic() > end:
                raise TimeoutError(f"No kernel of {self.name} answered:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)
        assert len(new) == 1, "more than one kernel has begun since"
        self._lines.append(KernelLine(int(new.pop().removesuffix(".line"))))
        return self._lines[-1]

    def kernels(self):
        """What the kernels that answered last say of their views: what was sent of each, how often each may send."""
        return [_answer(line) for line in self._lines[-2:]]

    def kill_kernel(self, line):
        """Kill the process of a kernel, which says nothing more."""
        process = line.ask("os.getpid()")
        assert (process == self._process.pid) == self.one_process
        os.kill(process, signal.SIGKILL)


def _answer(line):
    try:
        return line.ask(VIEWS_IN_KERNEL)
    except OSError as error:  # it has ended
        return repr(error)
