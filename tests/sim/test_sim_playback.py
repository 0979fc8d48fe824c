"""A recording is served as it was, over a real WebSocket, to clients who may come in."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kalshi_nb.errors import PortInUseError, SimulationError
from kalshi_nb.sim import Exchange
from tests import corpus, recordings
from tests.sim.conftest import PATIENCE

ACK = '{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}'
BOOK = '{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXB-1","market_id":""}}'
OK = '{"type":"ok","id":2,"sid":1,"seq":2,"msg":{"market_tickers":["KXA-1","KXB-1"]}}'


@pytest.fixture
def play():
    opened = []

    def make(path, **options):
        opened.append(Exchange.from_frames(path, **options))
        return opened[-1]

    yield make
    for exchange in opened:
        exchange.close()


def written(tmp_path, text):
    path = tmp_path / "frames.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_raw_lines_are_played_with_their_newline_and_blank_ones_passed_over(tmp_path, play, open_client):
    path = written(tmp_path, f"{ACK}\n\n{BOOK}\n   \n{OK}")
    exchange = play(path)
    assert (exchange.frames, exchange.market_tickers, exchange.markets) == (3, ("KXA-1", "KXB-1"), ())
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_ticker="KXB-1")
    client.wait_until(lambda: len(client.frames) == 3)
    assert client.frames == [ACK + "\n", BOOK + "\n", OK + "\n"]


def test_received_lines_are_played_to_the_letter_whatever_they_are(tmp_path, play, open_client):
    frames = ["{broken", "", BOOK, '{"type":"ü"}\n\n', "[]"]
    lines = [json.dumps({"recv_ts_ns": number, "raw": frame}) for number, frame in enumerate(frames)]
    exchange = play(written(tmp_path, "\n".join(lines)))
    client = open_client(exchange)
    client.subscribe("trade")
    client.wait_until(lambda: len(client.frames) == len(frames))
    assert client.frames == frames
    assert exchange.market_tickers == ("KXB-1",)


def test_nothing_is_played_before_the_first_subscribe_and_nothing_answered_after(tmp_path, play, open_client):
    exchange = play(written(tmp_path, f"{ACK}\n{BOOK}\n"))
    client = open_client(exchange)
    client.send(id=1, cmd="list_subscriptions")
    client.socket.send("nonsense")
    pong = client.socket.ping()
    assert pong.wait(PATIENCE)
    assert client.frames == []
    client.subscribe("trade")
    client.subscribe("trade", command_id=2)
    client.wait_until(lambda: len(client.frames) == 2)
    assert client.socket.ping().wait(PATIENCE)
    assert len(client.frames) == 2


def test_each_client_gets_the_whole_recording_and_a_slow_one_is_waited_for(tmp_path, play, open_client):
    lines = [f'{{"type":"x","msg":{{"n":{number},"pad":"{"p" * 2_000}"}}}}' for number in range(5_000)]
    exchange = play(written(tmp_path, "\n".join(lines)))
    slow = open_client(exchange, read=False)
    slow.subscribe("trade")
    for _ in range(2):
        client = open_client(exchange, compression="deflate")
        client.subscribe("trade")
        client.wait_until(lambda: len(client.frames) == len(lines))  # noqa: B023
        assert client.frames == [line + "\n" for line in lines]
    connection = exchange._server.connections[slow.port]
    assert connection.frames_sent < len(lines)
    slow._thread.start()
    slow.wait_until(lambda: len(slow.frames) == len(lines))


def test_handshakes_are_judged_as_ever_and_time_is_the_wall_s(tmp_path, play):
    exchange = play(written(tmp_path, ACK))
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(exchange.url, additional_headers={}, proxy=None),
    ):
        pass
    assert caught.value.response.status_code == 401
    assert exchange.clock == "wall"
    with pytest.raises(SimulationError, match="manual"):
        exchange.advance(1)
    with pytest.raises(SimulationError, match="played as it is"):
        exchange.faults.skip_frames("trade")
    assert Exchange.frames.fget(exchange) == 1


def test_connections_of_a_recording_can_be_cut(tmp_path, play, open_client):
    exchange = play(written(tmp_path, ACK))
    client = open_client(exchange)
    client.subscribe("trade")
    client.wait_until(lambda: client.frames)
    assert exchange.faults.drop_connections() == 1
    client.wait_until(lambda: client.closed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no frame"),
        ("\n \n", "holds no frame"),
        (f"{ACK}\nnonsense\n", "line 2 is no JSON object"),
        ("[1]", "line 1 is no JSON object"),
        ('{"raw": {"type": "ok"}}', "no text"),
    ],
)
def test_a_file_that_is_no_recording_is_an_error_that_says_where(tmp_path, text, words):
    with pytest.raises(SimulationError, match=words):
        Exchange.from_frames(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path, play):
    with pytest.raises(SimulationError, match="cannot be read"):
        Exchange.from_frames(tmp_path / "missing.jsonl")
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SimulationError, match="cannot be read"):
        Exchange.from_frames(binary)
    exchange = play(written(tmp_path, ACK))
    with pytest.raises(PortInUseError):
        Exchange.from_frames(written(tmp_path, ACK), port=int(exchange.url.split(":")[2].split("/")[0]))


def test_a_live_exchange_has_no_recorded_frames(exchange):
    assert exchange.frames is None


@pytest.mark.parametrize(
    ("folder", "name", "frames", "markets"),
    [
        (corpus.FOLDER, "books.jsonl", 843, 5),
        pytest.param(None, "demo-2026-07-01-books.jsonl", 2_898, 5, marks=pytest.mark.recordings),
    ],
)
def test_a_file_of_raw_frames_arrives_to_the_letter(folder, name, frames, markets, play, open_client):
    path = (folder or recordings.folder()) / name
    exchange = play(path)
    assert exchange.frames == frames
    assert len(exchange.market_tickers) == markets
    client = open_client(exchange)
    client.subscribe("orderbook_delta", market_tickers=list(exchange.market_tickers))
    client.wait_until(lambda: len(client.frames) == exchange.frames)
    text = path.read_text(encoding="utf-8")
    assert "".join(client.frames) == "".join(line + "\n" for line in text.split("\n") if line)


@pytest.mark.parametrize(
    ("folder", "name", "frames"),
    [
        (corpus.FOLDER, "errors.jsonl", 101),
        pytest.param(None, "prod-2026-04-18-errors.jsonl", 74, marks=pytest.mark.recordings),
    ],
)
def test_a_file_with_receive_times_arrives_to_the_letter(folder, name, frames, play, open_client):
    path = (folder or recordings.folder()) / name
    exchange = play(path)
    assert exchange.frames == frames
    client = open_client(exchange)
    client.subscribe("orderbook_delta", "trade")
    client.wait_until(lambda: len(client.frames) == exchange.frames)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert client.frames == [json.loads(line)["raw"] for line in lines]
