"""Prepared frames, compressed as permessage-deflate has it (RFC 7692): one window over all of a connection."""

import json
import zlib
from array import array

from tests.benchmarks.clients.protocol import messages_of

EXTENSION = "permessage-deflate"
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
    """A whole text frame with the bit that says that it is compressed."""
    size = len(data)
    if size < 126:
        return bytes((0xC1, size)) + data
    if size < 65_536:
        return b"\xc1\x7e" + size.to_bytes(2, "big") + data
    return b"\xc1\x7f" + size.to_bytes(8, "big") + data
