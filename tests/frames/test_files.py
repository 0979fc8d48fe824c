"""Files: whole or not at all, only where they are meant to be, and nothing else left behind."""

import errno
import io
import os
import pathlib
import stat
import subprocess
import sys
import textwrap

import polars as pl
import pytest

from kalshi_nb.errors import ConfigurationError, FileError, KalshiError
from tests.frames.test_frame import a_frame

KINDS = ["parquet", "csv", "ipc"]
READ = {"parquet": pl.read_parquet, "csv": pl.read_csv, "ipc": pl.read_ipc}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def write(kind, path, **options):
    return getattr(a_frame(), f"write_{kind}")(path, **options)


def everything(folder):
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


@pytest.mark.parametrize("name", ["trades.x", "with space.x", "with#hash.x", "with?mark.x", "with%percent.x", "ü.x"])
def test_a_file_address_is_the_file(kind, tmp_path, name):
    path = tmp_path / "new" / name
    assert write(kind, path.as_uri()) == path
    assert READ[kind](path).height == 3
    assert write(kind, f"file://localhost{path.as_uri().removeprefix('file://')}") == path
    assert write(kind, path.as_uri().replace("file:///", "file:/")) == path
    assert everything(tmp_path) == ["new", f"new/{name}"]


@pytest.mark.parametrize("address", ["file://trades.csv", "file://server/share/trades.csv"])
def test_a_file_address_of_another_computer_is_refused(kind, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="file:///"):
        write(kind, address)
    assert everything(tmp_path) == []


def test_names_with_a_colon_are_names(kind, tmp_path):
    assert write(kind, tmp_path / "14:30" / "a:b.x") == tmp_path / "14:30" / "a:b.x"


def test_a_link_is_followed_and_stays_a_link(kind, tmp_path):
    target, link = tmp_path / "real" / "trades.x", tmp_path / "latest.x"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(pathlib.Path("real", "trades.x"))
    assert write(kind, link) == link
    assert link.is_symlink()
    assert READ[kind](target).height == 3
    assert everything(tmp_path) == ["latest.x", "real", "real/trades.x"]


def test_a_link_to_nothing_yet_makes_its_target(kind, tmp_path):
    link = tmp_path / "latest.x"
    link.symlink_to(tmp_path / "new" / "trades.x")
    write(kind, link)
    assert link.is_symlink()
    assert READ[kind](tmp_path / "new" / "trades.x").height == 3


def test_a_link_to_a_folder_is_a_folder(kind, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(ConfigurationError, match="is a folder"):
        write(kind, tmp_path / "link")


def test_the_permissions_of_a_file_that_is_replaced_stay(kind, tmp_path):
    path = tmp_path / "private.x"
    path.touch(mode=0o600)
    write(kind, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_options_of_polars_are_passed_on(tmp_path):
    large = write("parquet", tmp_path / "a.parquet", compression="uncompressed")
    small = write("parquet", tmp_path / "b.parquet", compression="zstd", compression_level=3, statistics=False)
    assert large.read_bytes() != small.read_bytes()
    assert pl.read_parquet(large).equals(pl.read_parquet(small))
    assert write("csv", tmp_path / "a.csv", separator=";").read_text().startswith("ts;market_ticker;")
    assert pl.read_ipc(write("ipc", tmp_path / "a.ipc", compression="zstd")).height == 3


def test_an_option_that_polars_does_not_know_leaves_nothing(kind, tmp_path):
    with pytest.raises(TypeError, match="compresion"):
        write(kind, tmp_path / "new" / "trades.x", compresion="zstd")
    assert everything(tmp_path) == []


def test_an_option_that_would_make_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="partition_by"):
        write("parquet", tmp_path / "trades", partition_by="market_ticker")
    assert everything(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "folder", "folder/"])
def test_a_folder_is_refused_in_a_sentence(kind, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder: name a file in it"):
        write(kind, name)
    assert everything(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    "path", [5, None, b"trades.csv", io.BytesIO(), ["a"], "a\0b"], ids=lambda each: type(each).__name__
)
def test_what_is_no_name_is_refused_in_a_sentence(kind, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"A file's name is text or a path.*use \.df"):
        write(kind, path)
    assert everything(tmp_path) == []


def test_somebody_whom_nobody_knows_has_no_home(kind):
    with pytest.raises(ConfigurationError, match="home"):
        write(kind, "~nobody-of-that-name/trades.x")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_what_is_no_ordinary_file_is_neither_replaced_nor_waited_for(kind, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(ConfigurationError, match="no ordinary file"):
            write(kind, path)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert pathlib.Path("/dev/null").is_char_device()
    assert everything(tmp_path) == ["pipe"]


def test_a_file_where_a_folder_should_be_is_a_refusal(kind, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="cannot be written: Not a directory") as caught:
        write(kind, tmp_path / "file" / "deep" / "trades.x")
    assert isinstance(caught.value, OSError)
    assert (tmp_path / "file").read_text() == "mine"
    assert everything(tmp_path) == ["file"]


def test_a_name_as_long_as_names_may_be_is_written_and_a_longer_one_refused(kind, tmp_path):
    write(kind, tmp_path / ("n" * 255))
    with pytest.raises(FileError, match="cannot be written: File name too long"):
        write(kind, tmp_path / "new" / ("n" * 256))
    assert everything(tmp_path) == ["n" * 255]


REFUSED = """
import pathlib, sys
from tests.frames.test_files import everything, write
from kalshi_nb.errors import FileError, KalshiError
folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
{before}
try:
    write(kind, {path})
except FileError as refusal:
    print(type(refusal).__name__, "cannot be written" in str(refusal), len(str(refusal).splitlines()))
print(everything(folder))
"""


def refused(before, path, folder, kind):
    """Run a write that the system refuses, in a process that may be limited."""
    script = textwrap.dedent(REFUSED).format(before=textwrap.dedent(before), path=path)
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), kind], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not pathlib.Path("/proc/self").exists(), reason="there is no folder that root may not use")
def test_a_folder_that_nothing_may_be_written_into_is_a_refusal(kind):
    for path in ("/proc/trades.x", "/proc/new/trades.x"):
        with pytest.raises(FileError, match="cannot be written"):
            write(kind, path)


def test_a_full_disk_is_a_refusal_and_leaves_the_old_file_and_nothing_else(kind, tmp_path):
    (tmp_path / "trades.x").write_text("old")
    before = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
    """
    assert refused(before, "folder / 'trades.x'", tmp_path, kind) == ["FileError True 1", "['trades.x']"]
    assert refused(before, "folder / 'new' / 'trades.x'", tmp_path, kind) == ["FileError True 1", "['trades.x']"]
    assert (tmp_path / "trades.x").read_text() == "old"


def test_a_write_that_is_interrupted_leaves_nothing(kind, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, f"write_{kind}", lambda self, path: (path.write_text("half"), interrupted()))
    with pytest.raises(KeyboardInterrupt):
        write(kind, tmp_path / "new" / "trades.x")
    assert everything(tmp_path) == []


def test_every_refusal_of_the_system_is_one_of_ours(kind, tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(errno.EACCES, "Permission denied", str(target))

    monkeypatch.setattr(pathlib.Path, "replace", refuse)
    with pytest.raises(KalshiError, match=r"trades\.x cannot be written: Permission denied\. What was there"):
        write(kind, tmp_path / "trades.x")
    assert everything(tmp_path) == []
