"""Key files that hang, that can be read once, and that change: read in time, off the loop, kept where they must be."""

import asyncio
import os
import sys
import threading
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from kalshi_nb import _key_files
from kalshi_nb._auth import Credentials, Secret
from kalshi_nb._clock import WallClock
from kalshi_nb._engine.live import LiveEngine
from kalshi_nb.errors import PrivateKeyError
from tests.engine.conftest import TinyExchange
from tests.feed.conftest import until

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def key():
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def written(path, *parts, pause=0.0):
    def write():
        with path.open("wb") as writer:
            for each in parts:
                writer.write(each)
                writer.flush()
                time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def credentials(source):
    return Credentials("an-id", Secret(source), environ={})


def test_a_key_from_a_pipe_is_kept_for_as_long_as_the_process_lives(pipe, key):
    writer = written(pipe, pem_of(key))
    first = credentials(pipe)
    fingerprint = first.signer().fingerprint()
    writer.join(10)
    assert first.signer().fingerprint() == fingerprint  # at a reconnect
    assert credentials(str(pipe)).signer().fingerprint() == fingerprint  # when the cell runs again


def test_a_pipe_that_is_written_in_pieces_is_read_to_its_end(pipe, key):
    pem = pem_of(key)
    writer = written(pipe, pem[:20], pem[20:70], pem[70:], pause=0.1)
    assert credentials(pipe).signer().key_type == "Ed25519"
    writer.join(10)


def test_a_pipe_that_an_open_descriptor_names_is_read(key):
    reading, writing = os.pipe()
    try:
        os.write(writing, pem_of(key))
        os.close(writing)
        source = credentials(f"/dev/fd/{reading}")
        fingerprint = source.signer().fingerprint()
        assert source.signer().fingerprint() == fingerprint
    finally:
        os.close(reading)


def test_a_pipe_that_nobody_writes_into_is_an_error_in_time(pipe, monkeypatch):
    monkeypatch.setattr(_key_files, "PATIENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(PrivateKeyError, match=r"did not answer within 0\.3 s.*pipe"):
        credentials(pipe).signer()
    assert time.monotonic() - began < 2
    until(lambda: not any(each.name == "kalshi-key" for each in threading.enumerate()), "its thread ends")


def test_a_rotated_file_is_taken_up(tmp_path, key):
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of(key))
    source = credentials(path)
    before = source.signer().fingerprint()
    path.write_bytes(pem_of(ed25519.Ed25519PrivateKey.generate()))
    assert source.signer().fingerprint() != before


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_what_has_no_end_is_refused_and_not_kept_in_memory(path):
    with pytest.raises(PrivateKeyError, match="more than 262,144 bytes"):
        credentials(path).signer()


def test_an_empty_device_is_an_empty_file():
    with pytest.raises(PrivateKeyError, match="is empty"):
        credentials("/dev/null").signer()


@pytest.fixture
def hanging(monkeypatch):
    """A disk that hangs: what opens a file of this name does not return. No such disk can be had here."""
    gate, opened, really = threading.Event(), [], os.open

    def open_(path, *arguments, **options):
        if str(path).endswith("hanging.pem"):
            opened.append(path)
            gate.wait(60)
        return really(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_)
    yield opened
    gate.set()


def test_a_disk_that_hangs_costs_one_thread_however_often_it_is_asked(hanging, tmp_path, key, monkeypatch):
    monkeypatch.setattr(_key_files, "PATIENCE", 0.1)
    path = tmp_path / "hanging.pem"
    path.write_bytes(pem_of(key))
    for _ in range(5):
        with pytest.raises(PrivateKeyError, match="did not answer"):
            credentials(path).signer()
    assert len(hanging) == 1


class Steps:
    """Credentials whose file hangs from the second handshake on."""

    def __init__(self, key, path):
        self.asked = 0
        self._key, self._path = credentials(key), credentials(path)

    def signer(self):
        self.asked += 1
        return (self._key if self.asked <= 2 else self._path).signer()


@pytest.mark.parametrize("transport", ["websockets", "picows"])
def test_a_key_that_hangs_at_a_reconnect_holds_up_no_link_and_no_close(hanging, tmp_path, key, transport):
    path = tmp_path / "hanging.pem"
    path.write_bytes(pem_of(key))
    tiny, steps = TinyExchange(), Steps(key, path)
    engine = LiveEngine(tiny.url, steps, clock=WallClock(), connections=2, transport=transport)
    try:
        engine.start(10)
        one, two = engine.links
        loop = two.local_port()
        assert loop is not None
        asyncio.run_coroutine_threadsafe(drop(one), engine._io._loop).result(5)
        until(lambda: hanging, "it is read")
        assert one.state == "reconnecting"
        assert two.state == "connected"
        assert engine._io.call(lambda: "answered") == "answered"  # the loop goes on
    finally:
        began = time.monotonic()
        engine.close()
        assert time.monotonic() - began < 2
        assert not engine._io.is_alive
        tiny.close()


async def drop(link):
    link._connection.abort()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_waits_for_no_read_of_its_parent(hanging, tmp_path, key, monkeypatch):
    monkeypatch.setattr(_key_files, "PATIENCE", 0.1)
    path = tmp_path / "hanging.pem"
    path.write_bytes(pem_of(key))
    with pytest.raises(PrivateKeyError):
        credentials(path).signer()
    assert _key_files._pending
    child = os.fork()
    if child == 0:
        os._exit(1 if _key_files._pending else 0)
    assert os.waitpid(child, 0)[1] == 0
