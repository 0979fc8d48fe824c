"""Ways to break a frame: in its bytes, in its values, in its build."""

import json
from copy import deepcopy

TOKENS = [
    *(b'"', b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"e9", b"E-9", b"-", b".", b"{}", b"[]", b"{", b"]"),
    *(b"null", b"true", b"NaN", b"1e999999999", b"9" * 400, b",", b":", b"\n", b'"sid":1,', b'"seq":2,'),
]
VALUES = [
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**53, 2**53 + 1, 2**63, -(2**63), 10**400, 0.47, -0.0, 1e-4, 1e308),
    *("", "0", "-0", "0.47", "0.00005", "1e9", "1e999999999", "-", "NaN", "\x00", "\ud800", "x" * 5_000, "9" * 40),
    *([], [None], [[]], [["0.47", "1.00"]], [[1, 2, 3]], {}, {"": ""}, {"a": {"a": {}}}, ["KXA-1"], ["KXA-1", 5]),
    *("yes", "no", "bid", "all", "orderbook_delta", "ok", "error", "2026-13-01T00:00:00Z"),
]
NAMES = ["type", "id", "sid", "seq", "msg", "market_ticker", "market_tickers", "code", "ts_ms", "", "x" * 300]


def encoded(frame):
    """As the exchange sends it: compact, with one line break at the end."""
    # Lone surrogates cannot be encoded; as escapes they can.
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def _place(random, frame):
    """A dictionary of the frame: the envelope, the message, or one inside it."""
    places = [frame]
    for _ in range(2):
        inner = [value for value in places[-1].values() if isinstance(value, dict) and value]
        if not inner or random.random() < 0.3:
            break
        places.append(random.choice(inner))
    return places[-1]


# In its values and its build: each takes a frame that is its own to change, and a source of others.


def swap_types(random, frame, _):
    where = _place(random, frame)
    where[random.choice([*where, *NAMES])] = deepcopy(random.choice(VALUES))


def swap_values(random, frame, _):
    where = _place(random, frame)
    one, two = random.choice([*where]), random.choice([*where])
    where[one], where[two] = where[two], where[one]


def drop(random, frame, _):
    where = _place(random, frame)
    del where[random.choice([*where])]


def rename(random, frame, _):
    where = _place(random, frame)
    where[random.choice(NAMES)] = where.pop(random.choice([*where]))


def wrap(random, frame, _):
    where = _place(random, frame)
    name = random.choice([*where])
    where[name] = random.choice(([where[name]], {name: where[name]}, [where[name]] * 50))


def graft(random, frame, other):
    body = json.loads(json.dumps(other().get("msg")))  # a copy: the next change must not reach the corpus
    frame["msg" if random.random() < 0.7 else random.choice(("type", "sid", "seq", "id"))] = body


# In its bytes.


def flip(random, raw, _):
    for _ in range(random.randint(1, 4)):
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)


def cut(random, raw, _):
    start = random.randrange(len(raw))
    del raw[start : random.choice((len(raw), start + random.randint(1, 40)))]


def splice(random, raw, other):
    tail = encoded(other())
    raw[random.randrange(len(raw)) :] = tail[random.randrange(len(tail)) :]


def double(random, raw, _):
    start = random.randrange(len(raw))
    raw[start:start] = raw[start : start + random.randint(1, 60)]


def insert(random, raw, _):
    at = random.randrange(len(raw) + 1)
    raw[at:at] = random.choice(TOKENS)


def nest(random, raw, _):
    depth = random.choice((100, 480, 990, 1_000, 5_000, 50_000))
    # Where a value begins: inside a text it would be no nesting.
    at = random.choice([at for at, each in enumerate(raw, 1) if each in b":["] or [0])
    raw[at:at] = random.choice((b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth))


BUILDS = (swap_types, swap_values, drop, rename, wrap, graft)
BYTES = (flip, cut, splice, double, insert)
MUTATIONS = (*(each.__name__ for each in (*BUILDS, *BYTES, nest)), "whole")


def mutated(random, source, *, nested):
    """Return the bytes of a frame of `source`, broken in up to three ways, and the names of those ways.

    One in seven is left whole, and of those broken in their bytes a share of `nested` nests deep, which is dear.
    """
    frame, told = source(), []
    if random.random() < 1 / 7:
        return encoded(frame), ["whole"]
    if random.random() < 0.6:
        frame = json.loads(json.dumps(frame))
        for _ in range(random.randint(1, 2)):
            change = random.choice(BUILDS)
            if frame:
                change(random, frame, source)
                told.append(change.__name__)
    raw = bytearray(encoded(frame))
    if not told or random.random() < 0.3:
        change = nest if random.random() < nested else random.choice(BYTES)
        change(random, raw, source)
        told.append(change.__name__)
    return bytes(raw), told
