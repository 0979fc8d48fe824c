"""In a terminal what is printed has the terminal's width; in a file and a pipe each line is whole."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from kalshi_nb._terminal import hanging

COLUMNS = 80


def in_a_terminal(*words, cwd, columns=COLUMNS):
    """Return the lines that a program prints where its output is a terminal of so many columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    left_out = ("COLUMNS", "KALSHI_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    process = subprocess.Popen([sys.executable, *words], cwd=cwd, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:
        pass  # so it ends where nobody holds the other side any more
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return b"".join(parts).decode().replace("\r", "").split("\n")


@pytest.mark.parametrize(
    ("command", "last"),
    [
        ("demo --seconds 1", "trades.parquet"),
        ("doctor", "All is well."),
        ("doctor prod", "Not working yet: key id."),
        ("markets weather --env sim", "° "),
    ],
    ids=str,
)
def test_no_line_of_a_command_is_broken_by_a_terminal_of_80_columns(tmp_path, command, last):
    lines = in_a_terminal("-m", "kalshi_nb", *command.split(), cwd=tmp_path)
    assert any(last in line for line in lines), lines
    assert [line for line in lines if len(line) > COLUMNS] == []


SCRIPT = """
import kalshi_nb as kn

with kn.sim.Exchange(seed=7, clock="manual") as exchange, kn.connect(exchange) as feed:
    books = feed.books(exchange.market_tickers).wait()
    exchange.advance(30)
    print(books)
    print(feed.health())
"""


def test_books_and_health_fit_a_terminal_and_say_the_same_in_a_file(tmp_path):
    lines = in_a_terminal("-c", SCRIPT, cwd=tmp_path)
    assert [line for line in lines if len(line) > COLUMNS] == []
    whole = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert max(map(len, whole.stdout.splitlines())) > COLUMNS
    for each in ("KXHIGHNY-26NOV22-B52.5", "KXSENATEOH-28-D"):
        begins = f"{each}  live  YES bid"
        assert any(line.startswith(begins) and "chance" in line for line in whole.stdout.splitlines())
        assert any(line.startswith(begins) for line in lines)


def test_a_market_whose_line_is_cut_keeps_what_tells_it_from_the_others(tmp_path):
    lines = in_a_terminal("-m", "kalshi_nb", "markets", "weather", "--env", "sim", cwd=tmp_path)
    (line,) = (each for each in lines if each.startswith("KXHIGHNY-26NOV22-B52.5"))
    assert line.endswith("… · 52° to 53°")
    wide = in_a_terminal("-m", "kalshi_nb", "markets", "weather", "--env", "sim", cwd=tmp_path, columns=200)
    (line,) = (each for each in wide if each.startswith("KXHIGHNY-26NOV22-B52.5"))
    assert line.endswith("be 52-53° on Nov 22, 2026? · 52° to 53°")


def test_where_there_is_no_terminal_a_line_stays_whole(monkeypatch, capsys):
    text = "word " * 50
    assert hanging("name  ", text) == f"name  {text}"
    monkeypatch.setattr(sys, "stdout", None)  # as in a program without a console
    assert hanging("name  ", text) == f"name  {text}"


@pytest.mark.parametrize("columns", [1, 10, 20, 21])
def test_a_terminal_too_narrow_for_two_columns_has_none(tmp_path, columns):
    code = "from kalshi_nb._terminal import hanging; print(hanging('ten chars ', 'a b c d e f g h i j k l m n'))"
    lines = in_a_terminal("-c", code, cwd=tmp_path, columns=columns)
    if columns < 20:
        assert lines[0] == "ten chars a b c d e f g h i j k l m n"
    else:
        assert lines[0].startswith("ten chars a b c")
        assert all(each.startswith(" " * 10) for each in lines[1:] if each)
        assert max(map(len, lines)) <= columns
