from __future__ import annotations

import subprocess
import sys
import threading

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kalshi_nb import _threads
from kalshi_nb._feed.frame import Frame
from kalshi_nb._frames.batch import Batch
from kalshi_nb._frames.files import whole_file
from kalshi_nb._frames.rolling import RollingFrame
from kalshi_nb._frames.schema import schema
from kalshi_nb.errors import ConfigurationError, FileError, MissingPackageError, WaitTimeoutError, WrongThreadError
from tests.frames.making import HandClock, trade


def a_frame(count=3, *, name="trades", exact=False, on_close=None, rows=100, market="KXA-1"):
    store = RollingFrame(schema("trade", exact), rows=rows, clock=HandClock())
    if count:
        store.append(Batch("trade", [trade(n, market) for n in range(count)]).df(exact))
    return Frame(store, name=name, on_close=on_close)


def test_a_frame_says_how_much_came_and_how_much_is_there():
    frame = a_frame(8, rows=5)
    assert len(frame) == frame.df.height == 5
    assert frame.total == 8
    assert frame.schema == schema("trade")
    assert frame.latest()["seq"].to_list() == [7]


def test_a_frame_without_rows_is_true():
    assert a_frame(0)
    assert len(a_frame(0)) == 0


def test_waiting_in_vain_tells_how_many_rows_came_and_what_to_check():
    with pytest.raises(WaitTimeoutError, match=r"trades: 3 of 5 rows came within 0.01 s\. Check .*health"):
        a_frame(3).wait(rows=5, timeout=0.01)


def test_rows_that_left_the_window_count_for_waiting():
    a_frame(8, rows=5).wait(rows=8, timeout=0)


@pytest.mark.parametrize("rows", [-1, 1.5, True])
def test_waiting_for_a_number_that_cannot_be_is_refused(rows):
    with pytest.raises(ConfigurationError, match="rows="):
        a_frame().wait(rows=rows)


@pytest.mark.parametrize("role", ["io", "pipeline", "user"])
def test_waiting_on_a_thread_that_brings_the_rows_is_refused_at_once(role):
    caught = []

    def wait():
        _threads.set_role(role)
        try:
            a_frame().wait(rows=1)
        except WrongThreadError as error:
            caught.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(30)
    assert "wait() of trades" in caught[0]
    assert "Wait in a cell" in caught[0]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["parquet", "csv", "ipc"])
def test_files_hold_what_the_frame_holds(tmp_path, kind, exact):
    frame = a_frame(exact=exact)
    path = getattr(frame, f"write_{kind}")(tmp_path / "new" / "folder" / f"trades.{kind}")
    assert path == tmp_path / "new" / "folder" / f"trades.{kind}"
    if kind == "csv":  # noqa: SIM108  # one line would hide the difference
        back = pl.read_csv(path, schema=frame.schema)
    else:
        back = getattr(pl, f"read_{kind}")(path)
    assert back.equals(frame.df)
    assert back.schema == frame.schema
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert a_frame().write_csv("~/trades.csv") == tmp_path / "trades.csv"
    assert (tmp_path / "trades.csv").exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "trades.csv"
    path.write_text("old")
    store = RollingFrame(None, rows=5, clock=HandClock())
    store.append(pl.DataFrame({"lists": [[1, 2]]}))  # CSV has no lists
    with pytest.raises(FileError, match="nested data") as caught:
        Frame(store, name="x").write_csv(path)
    assert isinstance(caught.value.__cause__, pl.exceptions.ComputeError)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_breaks_off_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "trades.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), whole_file(path) as (part, _):
        part.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(ConfigurationError, match="is a folder"):
        a_frame().write_parquet(tmp_path)


def test_pandas_and_arrow_get_the_same_rows():
    frame = a_frame()
    pandas = frame.to_pandas()
    assert isinstance(pandas, pd.DataFrame)
    assert pandas["yes_price"].tolist() == [0.47] * 3
    assert pandas["seq"].tolist() == [0, 1, 2]
    table = frame.to_arrow()
    assert isinstance(table, pa.Table)
    assert pl.from_arrow(table).equals(frame.df)


def test_the_arrow_stream_goes_into_pyarrow_and_polars():
    frame = a_frame()
    assert pa.table(frame).column("seq").to_pylist() == [0, 1, 2]
    assert pa.RecordBatchReader.from_stream(frame).read_all().num_rows == 3
    assert pl.DataFrame(frame).equals(frame.df)


@pytest.mark.parametrize(("package", "call"), [("pandas", "to_pandas"), ("pyarrow", "to_arrow")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, package, call):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{call}\(\) needs {package}, .* pip install {package}"):
        getattr(a_frame(), call)()


def test_the_repr_is_one_line_without_an_address():
    assert repr(a_frame()) == "<Frame trades: 3 rows, keeps 100 rows, newest 2025-10-09 08:53:20 UTC>"
    assert repr(a_frame(0)) == "<Frame trades: 0 rows, keeps 100 rows>"


def test_the_html_shows_the_newest_ten_rows_and_escapes_everything():
    html = a_frame(25, name="<b>", market="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;" in html
    assert html.count("<tr>") == 2 + 10
    assert "08:53:20.000024" in html
    assert "08:53:20.000014" not in html


def test_showing_a_frame_leaves_the_display_options_of_polars_alone():
    before = pl.Config.save()
    a_frame()._repr_html_()
    assert pl.Config.save() == before


def test_closing_calls_back_once_and_leaves_the_rows_readable():
    calls = []
    with a_frame(on_close=lambda: calls.append(1)) as frame:
        assert not calls
    frame.close()
    assert calls == [1]
    assert frame.df.height == 3
    a_frame().close()


def test_frames_and_streams_load_no_heavy_library_that_they_do_not_need():
    code = (
        "import sys, kalshi_nb._frames.reading, kalshi_nb._frames.rolling, kalshi_nb._frames.batch, "
        "kalshi_nb._streams.runner; "
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'dask', 'distributed') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def test_frames_load_without_streamz_and_widgets():
    code = (
        "import sys, kalshi_nb._frames.reading, kalshi_nb._frames.rolling, kalshi_nb.messages; "
        "print([m for m in ('streamz', 'tornado', 'ipywidgets') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
