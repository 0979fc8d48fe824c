"""Items of every kind, made up: for hypothesis, and by the thousand for segments."""

from random import Random

from hypothesis import strategies as st

from kalshi_nb._rows.heard import BookState, Checkpoint, Event, Read, Sent, SubscriptionState

NUMBERS = st.integers(-(2**62), 2**62)
CONNECTIONS = st.integers(0, 9)
FRAMES = st.sampled_from(
    [
        b'{"type":"trade","sid":1,"seq":2,"msg":{"market_ticker":"A"}}\n',
        b'{"type":"ticker","msg":{}}',
        b'{"type":"ticker","msg":{}}\n',
        b'{"type":"ok","id":1,"msg":"\xc3\xa9"}\n',
        b'{"type":"ok","id":1,"msg":"\xc3"}\n',
        b'{"type":"ok"\n}\n',
        b'{"type":"ok"}\n\n',
        b'{"type":"ok"}\n{"type":"ok"}\n',
        b'{"type":"o',
        b'{"id":1,"type":"subscribed"}\n',
        b'{"id":1,"type":"subscribed"',
        b' {"type":"ok"}\n',
        b'{"type":"ok"} \n',
        b'{"type":"ok"}\r\n',
        b'{"t":1,"c":1}\n',
        b'{"t":1,"c":1,"more":1}\n',
        b'{"t":1,"event":"lost"}',
        b'{"mark":1,"n":1,"crc":0}\n',
        b'{"kalshi_nb":1}\n',
        b'{"end":1}\n',
        b"",
        b"\n",
        b"[1]\n",
        b"\x00\xff",
        b"\x28\xb5\x2f\xfd",
    ]
)
TEXTS = st.text(max_size=12)
LEVELS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3)
SUBSCRIPTIONS = st.builds(
    SubscriptionState,
    CONNECTIONS,
    TEXTS,
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    st.none() | st.lists(TEXTS, max_size=3).map(tuple),
)
STATUSES = st.sampled_from(["connecting", "live", "stale", "unknown", "closed"])
BOOKS = st.builds(BookState, CONNECTIONS, TEXTS, STATUSES, TEXTS, NUMBERS, LEVELS, LEVELS)
KINDS = st.sampled_from(["connected", "lost", "clock", "dropped", "torn", "unreadable", "stopped"])
ITEMS = st.one_of(
    st.builds(Read, NUMBERS, CONNECTIONS, st.lists(FRAMES | st.binary(max_size=20), max_size=5)),
    st.builds(Sent, NUMBERS, CONNECTIONS, FRAMES | st.just(b'{"id":1,"cmd":"subscribe", "params":{}}')),
    st.builds(Event, NUMBERS, CONNECTIONS, KINDS, TEXTS),
    st.builds(
        Checkpoint,
        NUMBERS,
        st.lists(CONNECTIONS, max_size=3).map(tuple),
        st.lists(SUBSCRIPTIONS, max_size=3).map(tuple),
        st.lists(BOOKS, max_size=3).map(tuple),
    ),
)

MORNING = 1_795_842_000_000_000  # 2026-11-28T05:00:00Z


def checkpoint(at, markets=3, levels=4):
    return Checkpoint(
        at,
        (1,),
        (SubscriptionState(1, "orderbook_delta", 1, 7, tuple(f"M{each}" for each in range(markets))),),
        tuple(
            BookState(1, f"M{each}", "live", "", at, [(4000 - one, 100) for one in range(levels)], [(5000, 300)])
            for each in range(markets)
        ),
    )


def some_items(count, seed=1, *, began=MORNING, apart=100_000):
    """Reads, now and then a command or an event; `at` grows from item to item, so that it names one."""
    random = Random(seed)
    made = [checkpoint(began)]
    for number in range(1, count):
        at = began + number * apart
        kind = random.random()
        if kind < 0.02:
            made.append(Event(at, 1, "clock", f"number {number}"))
        elif kind < 0.04:
            made.append(Sent(at, 1, b'{"id":%d,"cmd":"subscribe","params":{"channels":["trade"]}}' % number))
        elif kind < 0.05:
            made.append(Read(at, 1, [b"\x00\n\xff" + random.randbytes(9)]))
        else:
            made.append(Read(at, random.randint(1, 4), [_frame(random, number) for _ in range(random.randint(1, 6))]))
    return made


def _frame(random, number):
    name = random.choice(["orderbook_delta", "orderbook_delta", "orderbook_delta", "trade", "ticker"])
    return (
        b'{"type":"%s","sid":1,"seq":%d,"msg":{"market_ticker":"KXHIGHNY-26NOV28-B%d.5","price_dollars":"0.%04d",'
        b'"delta_fp":"%d.00","side":"yes","ts_ms":%d}}\n'
        % (name.encode(), number, random.randint(40, 60), random.randint(1, 9999), random.randint(-900, 900), number)
    )
