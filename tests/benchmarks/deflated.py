"""Prepared frames, compressed as permessage-deflate has it (RFC 7692): one window over all of a connection."""

import json
import zlib
from array import array

from tests.benchmarks.clients.protocol import messages_of
from tests.benchmarks.texts import websocket_frame

EXTENSION = "permessage-deflate"
COMPRESSED = 0x40
"""The bit of a frame's first byte that says that its message is compressed."""

_TAIL = b"\x00\x00\xff\xff"


def deflated(folder):
    """Return a folder of the same messages, compressed.

    Answers to commands and snapshots are sent as they are, which the extension allows: they stay out of the window.
    """
    place = folder.with_name(f"{folder.name}-deflated")
    if (place / "session.json").exists():
        return place
    place.mkdir(exist_ok=True)
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    ends = array("Q")
    with (place / "frames.bin").open("wb") as file:
        for message in messages_of(folder):
            data = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
            file.write(_frame(data.removesuffix(_TAIL)))
            ends.append(file.tell())
    (place / "index.bin").write_bytes(ends.tobytes())
    session = json.loads((folder / "session.json").read_text()) | {"extension": EXTENSION}
    (place / "session.json").write_text(json.dumps(session))
    return place


def _frame(data):
    frame = bytearray(websocket_frame(data))
    frame[0] |= COMPRESSED
    return frame


def inflating():
    """Return a function that reads the compressed messages of one connection, in their order."""
    decompressor = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    return lambda data: decompressor.decompress(data + _TAIL)
