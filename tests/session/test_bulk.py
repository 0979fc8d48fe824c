"""Ten thousand books cost what ten thousand times one costs: work is counted here, not time."""

import json
import sys
from contextlib import contextmanager

import pytest

from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._session.reconciler import LOOKED_AT
from kalshi_nb._session.requests import Request
from tests.session.model_exchange import ModelExchange
from tests.session.session_rig import BOOKS, Rig, delta, ok, snapshot, subscribed

FEW, MANY = 300, 2_000


def names(count):
    return [f"KX-{number:05}" for number in range(count)]


class Counted:
    """Steps of the interpreter taken inside of the kit, loops in comprehensions included."""

    def __init__(self):
        self.steps = 0

    def _trace(self, frame, event, _):  # before Python 3.12
        if "kalshi_nb/_" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.steps += event == "opcode"
        return self._trace

    def _step(self, code, _):
        if "kalshi_nb/_" not in code.co_filename:
            return sys.monitoring.DISABLE
        self.steps += 1
        return None

    @contextmanager
    def work(self):
        if sys.version_info >= (3, 12):  # where steps are traced, code that nobody traced before has some left out
            with self._monitored():
                yield self
            return
        before, self.steps = sys.gettrace(), 0
        sys.settrace(self._trace)
        try:
            yield self
        finally:
            sys.settrace(before)

    @contextmanager
    def _monitored(self):
        monitoring, self.steps = sys.monitoring, 0
        monitoring.use_tool_id(monitoring.OPTIMIZER_ID, "steps")
        monitoring.register_callback(monitoring.OPTIMIZER_ID, monitoring.events.INSTRUCTION, self._step)
        monitoring.set_events(monitoring.OPTIMIZER_ID, monitoring.events.INSTRUCTION)
        monitoring.restart_events()
        try:
            yield
        finally:
            monitoring.set_events(monitoring.OPTIMIZER_ID, 0)
            monitoring.free_tool_id(monitoring.OPTIMIZER_ID)


class Many:
    """A session and an honest exchange with so many books."""

    def __init__(self, count, **options):
        self.tickers = names(count)
        self.rig = Rig(**options)
        self.session = self.rig.session
        self.exchange = ModelExchange(self.tickers)
        for each in self.exchange.truth.values():
            each["yes"][4700] = 1000
        self.counted = Counted()

    def talk(self):
        """Let both have their say until neither has any more; return the commands."""
        said = []
        while self.session.outgoing or self.exchange.inbox:
            said += [json.loads(each) for each in self.session.outgoing]
            self.exchange.inbox += self.session.outgoing
            self.session.outgoing.clear()
            while self.exchange.inbox:
                self.exchange.process(0)
            read = [frame for _, _, frame in self.exchange.wire]
            self.exchange.wire.clear()
            self.rig.receive(*read)
        self.session.events.clear()
        return said

    def open(self):
        self.requests = [Request(BOOKS, frozenset({each}), None) for each in self.tickers]
        self.session.want_together(self.requests)
        said = self.talk()
        assert {self.rig.status(each) for each in self.tickers} == {"live"}
        return said

    def lose_a_message(self):
        for _ in range(2):
            self.exchange.move(self.tickers[0], "yes", 4700, 100)
        del self.exchange.wire[0]
        self.rig.receive(self.exchange.wire.pop()[2])
        assert {self.rig.status(each) for each in self.tickers} == {"stale"}

    def steps(self, call):
        with self.counted.work():
            call()
        return self.counted.steps


def of_one(many):
    """The work of opening, of a tick, and of closing one more book."""
    request = Request(BOOKS, frozenset({"KX-MORE"}), None)
    opening = many.steps(lambda: many.session.want_together([request]))
    many.rig.seconds += 0.1
    tick = many.steps(many.session.tick)
    closing = many.steps(lambda: many.session.release(request))
    return opening, tick, closing


@pytest.mark.parametrize("watched", [False, True], ids=["", "quotes"])
def test_one_more_book_is_opened_and_closed_by_the_same_work_however_many_there_are(watched):
    few, many = Many(FEW), Many(MANY)
    for each in (few, many):
        each.session.listen(QUOTES, on=watched)
        each.open()
    for (opened, _, closed), (opened_then, _, closed_then) in [(of_one(few), of_one(many))]:
        assert opened_then <= 1.1 * opened
        assert closed_then <= 1.1 * closed


def test_one_more_book_is_opened_by_the_same_work_while_many_are_on_their_way():
    few, many = Many(FEW), Many(MANY)
    for each in (few, many):
        each.session.want_together([Request(BOOKS, frozenset({ticker}), None) for ticker in each.tickers])
    (opened, tick, closed), (opened_then, tick_then, closed_then) = of_one(few), of_one(many)
    assert opened_then <= 1.1 * opened
    assert closed_then <= 1.1 * closed
    assert tick_then <= tick + 120 * LOOKED_AT  # however many more there are, a thousand at most are looked at


def per_book(count, prepare, call):
    many = Many(count)
    prepare(many)
    return many.steps(lambda: call(many)) / count


@pytest.mark.parametrize(
    ("prepare", "call"),
    [
        pytest.param(lambda many: None, lambda many: many.open(), id="opening"),
        pytest.param(lambda many: (many.open(), many.lose_a_message()), lambda many: many.talk(), id="repairing"),
        pytest.param(
            lambda many: many.open(), lambda many: (many.session.release(*many.requests), many.talk()), id="closing"
        ),
        pytest.param(
            lambda many: many.open(),
            lambda many: ([many.session.release(each) for each in many.requests], many.talk()),
            id="closing one by one",
        ),
        pytest.param(
            lambda many: many.open(),
            lambda many: ([many.session.release(each) for each in many.requests[:-1]], many.talk()),
            id="closing all but one, one by one",
        ),
        pytest.param(
            lambda many: many.open(),
            lambda many: ([many.session.release(each) for each in many.requests], many.open()),
            id="closing and opening again",
        ),
    ],
)
def test_the_work_for_many_books_is_as_many_times_that_for_one(prepare, call):
    assert per_book(1_500, prepare, call) <= 1.35 * per_book(FEW, prepare, call)


def test_books_are_asked_for_a_hundred_a_command_and_none_of_them_twice():
    many = Many(MANY)
    asked = [ticker for command in many.open() for ticker in command["params"]["market_tickers"]]
    assert sorted(asked) == many.tickers
    many.lose_a_message()
    repairs = many.talk()
    assert len(repairs) == MANY / 100
    assert sorted(ticker for command in repairs for ticker in command["params"]["market_tickers"]) == many.tickers
    many.session.release(*many.requests)
    assert [command["cmd"] for command in many.talk()] == ["unsubscribe"]
    assert len(many.rig.gaps) == 1


def test_books_let_go_and_wanted_again_one_by_one_are_each_asked_for_once():
    many = Many(FEW)
    many.open()
    for request in many.requests[1:]:
        many.session.release(request)
    many.rig.command("delete_markets")  # of the first of them
    for ticker in many.tickers[1:]:
        many.session.want(BOOKS, frozenset({ticker}))
    asked = [each for each in many.rig.commands() if each["params"].get("action") == "get_snapshot"]
    assert sorted(each for command in asked for each in command["params"]["market_tickers"]) == many.tickers[2:]


def test_a_message_that_means_nothing_is_the_same_work_among_many_books():
    found = []
    for count in (FEW, MANY):
        many = Many(count)
        many.open()
        seq = many.session.subscriptions[BOOKS].counting.seq + 1
        frame = json.dumps(delta(1, seq, many.tickers[7], change=-(10**9))).encode()
        found.append(many.steps(lambda many=many, frame=frame: many.session.receive([frame], many.rig.now_us())))
        assert many.rig.status(many.tickers[7]) == "stale"
    assert found[1] <= 1.1 * found[0]


def test_a_snapshot_is_the_same_work_among_many_requests():
    found = []
    for count in (FEW, MANY):
        many = Many(count)
        many.session.want_together([Request(BOOKS, frozenset({ticker}), None) for ticker in many.tickers])
        many.rig.receive(subscribed(many.rig.command("subscribe")["id"], BOOKS, 1))
        frame = json.dumps(snapshot(1, 1, many.tickers[0], {4700: 100})).encode()
        found.append(many.steps(lambda many=many, frame=frame: many.session.receive([frame], many.rig.now_us())))
    assert found[1] <= 1.1 * found[0]


def test_of_more_requests_than_are_looked_at_in_one_go_each_has_its_turn():
    rig, count = Rig(), LOOKED_AT + 200
    rig.session.want_together([Request(BOOKS, frozenset({ticker}), None) for ticker in names(count)])
    seq, sent, command = 0, [], rig.command("subscribe")
    rig.receive(subscribed(command["id"], BOOKS, 1))
    while len(sent) < count:  # acknowledged, and no snapshot of any of them comes
        if sent:
            command = rig.command("add_markets")
            seq += 1
            rig.receive(ok(command["id"], 1, seq, [*sent, *command["params"]["market_tickers"]]))
        sent += command["params"]["market_tickers"]
    assert rig.outcomes() == []
    rig.wait(0.6)
    assert len(rig.outcomes()) == LOOKED_AT
    rig.wait(0.1)
    assert len(rig.outcomes()) == 200
    assert rig.session.subscriptions[BOOKS].wanted is rig.session.subscriptions[BOOKS].wanted == frozenset(sent)
