"""One measurement: the sender in its process, a client in a fresh one, and what they said."""

import json
import os
import subprocess
import sys
from array import array
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.tls import CERTIFICATE

ROOT = Path(__file__).parents[2]
PATH = "/trade-api/ws/v2"
TIMEOUT = 300.0


class NotAvailableError(Exception):
    """What was to be measured is not there."""


@dataclass(frozen=True)
class Measured:
    """What one run of a client came to."""

    messages: int
    seconds: float
    cpu: float
    sender_share: float
    """Share of the time for which the sender itself was at work: near 1 it would be what was measured."""
    wrong: dict
    more: dict

    @property
    def rate(self):
        return self.messages / self.seconds

    def record(self):
        return {
            "messages": self.messages,
            "messages_per_second": round(self.rate),
            "cpu_us": round(self.cpu / self.messages * 1e6, 3),
            "sender_share": round(self.sender_share, 3),
            "wrong": self.wrong,
            **self.more,
        }


class _Lines:
    """A process that is spoken to in lines of JSON."""

    def __init__(self, python, module, argument, env=None):
        self.module = module
        self.process = subprocess.Popen(
            [str(python), "-m", module, argument],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hear(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.module} ended with status {self.process.wait()} before it had said everything")

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def spoken_to(module, argument):
    """A module of these, started as a process of its own, and ended at the end."""
    process = _Lines(sys.executable, module, argument)
    try:
        yield process
    finally:
        process.end()


@contextmanager
def sending(folder):
    """The sender of a folder's frames, for as many clients as there are, one after the other."""
    sender = _Lines(sys.executable, "tests.benchmarks.sender", str(folder))
    try:
        yield sender, sender.hear()["port"]
    finally:
        sender.end()


def measure(sending_now, folder, client, *, python=sys.executable, rate=None, stamps=None, env=None, **options):
    """Run a client once and return what it came to; `stamps` is where the sender leaves when it sent what, `env` what
    the client's environment has besides.

    Raises
    ------
    NotAvailableError
        When the client says that what it should use is not there.
    """
    sender, port = sending_now
    certificate = Path(folder) / CERTIFICATE
    scheme, trust = ("wss", {"SSL_CERT_FILE": str(certificate)}) if certificate.exists() else ("ws", {})
    wanted = {"url": f"{scheme}://127.0.0.1:{port}{PATH}", "folder": str(folder), **options}
    parts = json.loads((Path(folder) / "session.json").read_text())["parts"]
    process = _Lines(python, f"tests.benchmarks.clients.{client}", json.dumps(wanted), {**trust, **(env or {})})
    try:
        said = _hear(process, "ready")
        sender.tell(send=0, rate=None)
        _sent(sender)
        _hear(process, "warm")
        sender.tell(send=1, rate=rate, last=client == "naive", stamps=stamps)
        sent = _sent(sender)
        said = _hear(process, "done")
    finally:
        process.end()
    seconds = (said.pop("ended") - sent["began"]) / 1e9
    at_work = sent["cpu"] / max((sent["ended"] - sent["began"]) / 1e9, 1e-9)
    messages = parts[1]["frames"] - parts[0]["frames"]
    said.pop("at")
    return Measured(messages, seconds, said.pop("cpu"), at_work, said.pop("wrong"), said)


def each_part(sending_now, folder, client, rates, stamps, **options):
    """Run a client once through all parts of the frames, each at its own rate.

    Returns
    -------
    (list of array, list of float)
        When each frame of a part was handed to the socket, in nanoseconds; and the CPU seconds that the client says
        it took.

    Raises
    ------
    NotAvailableError
        As `measure` does.
    """
    sender, port = sending_now
    wanted = {"url": f"ws://127.0.0.1:{port}{PATH}", "folder": str(folder), **options}
    process = _Lines(sys.executable, f"tests.benchmarks.clients.{client}", json.dumps(wanted))
    handed, spent = [], []
    try:
        _hear(process, "ready")
        sender.tell(send=0, rate=None)
        _sent(sender)
        _hear(process, "warm")
        for number, rate in enumerate(rates, 1):
            sender.tell(send=number, rate=rate, stamps=f"{stamps}-{number}.bin")
            _sent(sender)
            spent.append(_hear(process, "heard")["cpu"])
            times = array("q")
            times.frombytes(Path(f"{stamps}-{number}.bin").read_bytes())
            handed.append(times)
        said = _hear(process, "done")
    finally:
        process.end()
    if said["wrong"]:
        raise RuntimeError(f"{client} came to something else: {said['wrong']}")
    return handed, spent


def _hear(process, what):
    said = process.hear()
    if said["at"] == "not available":
        raise NotAvailableError(said["why"])
    if said["at"] != what:
        raise RuntimeError(f"{process.module} said {said} where it should be {what}")
    return said


def _sent(sender):
    answer = sender.hear()
    if "failed" in answer:
        raise RuntimeError(f"the sender could not send: {answer['failed']}")
    return answer


def evaluate(module, options, *, python=sys.executable):
    """Run a module that measures by itself, in a fresh process, and return what it prints."""
    process = _Lines(python, f"tests.benchmarks.clients.{module}", json.dumps(options))
    try:
        said = process.hear()
    finally:
        process.end()
    if said.get("at") == "not available":
        raise NotAvailableError(said["why"])
    return said
