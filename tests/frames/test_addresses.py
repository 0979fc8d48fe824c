"""Files at addresses elsewhere: whole or not at all, and nothing else left behind."""

import pathlib
import sys

import fsspec
import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from kalshi_nb._frames.addresses import address_of
from kalshi_nb.errors import ConfigurationError, FileError, MissingPackageError
from tests.frames.test_files import READ, everything, write

KINDS = list(READ)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(autouse=True)
def memory():
    """The process's store in memory, empty."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.mark.parametrize("address", ["memory://deep/er/rows.x", "memory:/deep/er/rows.x"])
def test_an_address_is_written_and_given_back(kind, memory, address):
    assert write(kind, address) == "memory://deep/er/rows.x"
    assert list(memory.store) == ["/deep/er/rows.x"]
    with memory.open("/deep/er/rows.x") as file:
        assert READ[kind](file).height == 3


def test_a_path_that_was_an_address_is_one(kind, memory):
    write(kind, pathlib.Path("memory://deep/rows.x"))
    assert list(memory.store) == ["/deep/rows.x"]


def test_the_options_are_those_of_polars_and_of_fsspec(memory):
    write("csv", "memory://rows.csv", separator=";", storage_options={"skip_instance_cache": True})
    assert memory.cat_file("/rows.csv").startswith(b"ts;market_ticker;")


@pytest.mark.parametrize("when", ["put_file", "mv"])
def test_a_failed_write_leaves_what_was_there_and_nothing_else(kind, memory, monkeypatch, when):
    memory.pipe_file("/rows.x", b"old")
    put = MemoryFileSystem.put_file

    def refuse(self, *arguments, **options):
        if when == "put_file":  # a part of it is there by then
            put(self, *arguments, **options)
        raise OSError("the store went away")

    monkeypatch.setattr(MemoryFileSystem, when, refuse)
    with pytest.raises(FileError, match=r"memory://rows\.x cannot be written: the store went away\. What was there"):
        write(kind, "memory://rows.x")
    assert {name: bytes(file.getvalue()) for name, file in memory.store.items()} == {"/rows.x": b"old"}


def test_a_write_that_is_interrupted_leaves_nothing(kind, memory, monkeypatch):
    def interrupted(self, *_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryFileSystem, "mv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(kind, "memory://rows.x")
    assert not memory.store


def test_what_polars_refuses_is_no_fault_of_the_store(kind, memory):
    with pytest.raises(TypeError, match="compresion"):
        write(kind, "memory://rows.x", compresion="zstd")
    assert not memory.store


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nowhere://rows.x", "fsspec knows addresses such as"),
        ("memory://folder/", "is a folder: name a file in it"),
        ("https://example.com/rows.x", "can only be read|not installed"),
    ],
    ids=["unknown", "folder", "page"],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(kind, tmp_path, monkeypatch, address, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        write(kind, address)
    assert everything(tmp_path) == []


def test_options_that_a_kind_of_address_does_not_have_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be reached"):
        write("csv", "zip://rows.x", storage_options={"nothing": 1})


def test_without_fsspec_the_error_says_how_to_install_it(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'kalshi-nb\[remote\]'"):
        write(kind, "memory://rows.x")


def test_without_s3fs_the_error_says_how_to_install_it(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda *_, **__: (_ for _ in ()).throw(ImportError("Install s3fs")))
    with pytest.raises(MissingPackageError, match=r"pip install 'kalshi-nb\[s3\]'"):
        write(kind, "s3://bucket/rows.x")


def test_no_password_is_told(kind):
    with pytest.raises(ConfigurationError) as caught:
        write(kind, "nowhere://me:hunter2@host/rows.x")
    assert "hunter2" not in str(caught.value)


HERE = ["rows.x", "C:/rows.x", "a:b", "file:///rows.x", "FILE:/rows.x", "14:30/rows.x", 5, None]


@pytest.mark.parametrize("path", HERE)
def test_paths_of_this_computer_are_no_addresses(path):
    assert address_of(path) is None


def test_read_back_is_what_was_written(memory):
    write("parquet", "memory://rows.x")
    assert pl.read_parquet(memory.cat_file("/rows.x")).height == 3
