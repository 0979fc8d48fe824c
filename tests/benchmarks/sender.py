"""The exchange's end of the line, in a process of its own: ``python -m tests.benchmarks.sender FOLDER``.

It answers the handshake and the commands of one client at a time, and sends prepared frames when it is told to. It
is told in lines of JSON on its standard input and answers on its standard output:

- ``{"send": 1, "rate": null}``: send part 1 of the frames, as fast as the line takes them, or so many a second with
  one packet for each; answered with ``began``, ``ended`` (nanoseconds of the monotonic clock) and ``cpu`` (seconds);
- ``"stamps": path`` leaves there when each frame was handed to the socket, 64-bit nanoseconds of the same clock;
- ``"last": true`` closes the connection after it, which ends a loop of ``async for``.

The folder says what kind of line it is: with a certificate in it, it is TLS, and ``extension`` in ``session.json`` is
agreed to in the handshake. All its work while it sends is one copy into the socket, so that it is never what is
measured.
"""

import base64
import hashlib
import json
import mmap
import socket
import sys
import threading
import time
from array import array
from pathlib import Path

from tests.benchmarks.deflated import COMPRESSED, inflating
from tests.benchmarks.frames import SIDS
from tests.benchmarks.texts import websocket_frame
from tests.benchmarks.tls import CERTIFICATE, Encrypted, server_context

CHUNK = 256 * 1024
BURST = 0.0005
"""Rates above one message in so many seconds are sent some messages at a time."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Line:
    """One client's connection."""

    def __init__(self, connection, session):
        self.connection = connection
        self.session = session
        self.writing = threading.Lock()
        self.seq = 0
        self.wanted = []
        self.opened = set()
        self.inflate = inflating()

    def write(self, data):
        with self.writing:
            self.connection.sendall(data)

    def handshake(self):
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            data = self.connection.recv(65_536)
            if not data:
                raise ConnectionError("the client hung up")
            request += data
        key = next(
            line.split(b":", 1)[1].strip()
            for line in request.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key:")
        )
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + self.extension(request) + b"\r\n"
        )

    def extension(self, request):
        """Return the header that agrees to what the frames were made with; without it no client could read them."""
        extension = self.session.get("extension")
        if extension is None:
            return b""
        if extension.encode() not in request:
            raise ConnectionError(f"the client does not offer {extension}, which these frames are written with")
        return f"Sec-WebSocket-Extensions: {extension}\r\n".encode()

    def serve(self):
        """Answer whatever the client says until it hangs up."""
        self.handshake()
        buffer = self.connection.makefile("rb")
        while True:
            head = buffer.read(2)
            if len(head) < 2:
                return
            opcode, size = head[0] & 0x0F, head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(buffer.read(2 if size == 126 else 8), "big")
            mask = buffer.read(4)
            body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(buffer.read(size)))
            if head[0] & COMPRESSED:
                body = self.inflate(body)
            if opcode == 0x1:
                self.command(json.loads(body))
            elif opcode == 0x8:
                self.write(b"\x88" + bytes((len(body),)) + body)
                return
            elif opcode == 0x9:
                self.write(b"\x8a" + bytes((len(body),)) + body)

    def say(self, kind, **envelope):
        self.write(websocket_frame(json.dumps({"type": kind, **envelope}, separators=(",", ":")) + "\n"))

    def command(self, command):
        params, number = command.get("params", {}), command.get("id")
        if command["cmd"] == "subscribe":
            for channel in params["channels"]:
                self.subscribe(number, channel, params)
        elif params.get("action") in ("add_markets", "get_snapshot"):
            self.book_command(number, params)

    def subscribe(self, number, channel, params):
        sid = SIDS[channel]
        named = params.get("market_tickers", [])
        if channel == "orderbook_delta" and channel in self.opened:
            self.book_command(number, params)
        elif channel in self.opened:
            self.say("ok", id=number, sid=sid, msg={"market_tickers": named})
        else:
            self.opened.add(channel)
            self.say("subscribed", id=number, msg={"channel": channel, "sid": sid})
            if channel == "orderbook_delta":
                self.want(named)

    def book_command(self, number, params):
        named = params.get("market_tickers", [])
        self.seq += 1
        listed = sorted({*self.wanted, *named})
        self.say("ok", id=number, sid=SIDS["orderbook_delta"], seq=self.seq, msg={"market_tickers": listed})
        self.want(named)

    def want(self, tickers):
        """Send all snapshots once every market is asked for; the deltas count on from the last one."""
        self.wanted += tickers
        if set(self.wanted) != set(self.session["tickers"]):
            return
        snapshots = self.session["snapshots"]
        missing = self.session["snapshot_seqs"] - self.seq - len(snapshots)
        sid = SIDS["orderbook_delta"]
        for body in snapshots + snapshots[:1] * missing:
            self.seq += 1
            self.write(websocket_frame(f'{{"type":"orderbook_snapshot","sid":{sid},"seq":{self.seq},"msg":{body}}}\n'))


class Sender:
    """Listens on a port of its own choice, and sends parts of the prepared frames to the present client."""

    def __init__(self, folder):
        place = Path(folder)
        self.session = json.loads((place / "session.json").read_text())
        self.ends = array("Q")
        self.ends.frombytes((place / "index.bin").read_bytes())
        with (place / "frames.bin").open("rb") as file:
            self.frames = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.ends else b"")
        sum(self.frames[:: mmap.PAGESIZE])  # in memory from here on
        self.server = socket.create_server(("127.0.0.1", 0))
        certificate = place / CERTIFICATE
        self.context = server_context(certificate) if certificate.exists() else None
        self.line = None

    @property
    def port(self):
        return self.server.getsockname()[1]

    def accept(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                connection = Encrypted(connection, self.context)
            self.line = Line(connection, self.session)
            threading.Thread(target=self.answer, args=(self.line,), daemon=True).start()

    @staticmethod
    def answer(line):
        try:
            line.serve()
        except OSError:
            pass  # a client that has seen enough goes as it likes
        finally:
            line.connection.close()

    def send(self, part, rate, last, stamps=None):
        parts = self.session["parts"]
        first, end = parts[part - 1]["frames"] if part else 0, parts[part]["frames"]
        cpu, began = time.process_time(), time.monotonic_ns()
        if rate:
            handed = self.paced(first, end, rate)
        else:
            self.blast(first, end)
        if last:
            self.line.write(b"\x88\x02\x03\xe8")
        answer = {"began": began, "ended": time.monotonic_ns(), "cpu": time.process_time() - cpu}
        if stamps is not None:
            Path(stamps).write_bytes(handed.tobytes())
        return answer

    def at(self, frame):
        return self.ends[frame - 1] if frame else 0

    def blast(self, first, end):
        ends, write = self.ends, self.line.write
        while first < end:
            start, following = self.at(first), first + 1
            while following < end and ends[following] - start <= CHUNK:
                following += 1
            write(self.frames[start : ends[following - 1]])
            first = following

    def paced(self, first, end, rate):
        """Send at a steady rate; return when each frame was handed to the socket."""
        together = max(1, round(rate * BURST))
        handed = array("q")
        began = time.perf_counter()
        for frame in range(first, end, together):
            due = began + (frame - first) / rate
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            for each in range(frame, min(frame + together, end)) if together <= 5 else (frame,):
                until = each + 1 if together <= 5 else min(frame + together, end)
                handed.extend([time.monotonic_ns()] * (until - each))
                self.line.write(self.frames[self.at(each) : self.at(until)])
        return handed

    def obey(self):
        """Do as the lines on standard input say, until there are no more."""
        print(json.dumps({"port": self.port}), flush=True)
        for text in sys.stdin:
            order = json.loads(text)
            try:
                answer = self.send(order["send"], order.get("rate"), order.get("last"), order.get("stamps"))
            except OSError as gone:
                answer = {"failed": f"{type(gone).__name__}: {gone}"}
            print(json.dumps(answer), flush=True)


def main():
    sender = Sender(sys.argv[1])
    threading.Thread(target=sender.accept, daemon=True).start()
    sender.obey()


if __name__ == "__main__":
    main()
