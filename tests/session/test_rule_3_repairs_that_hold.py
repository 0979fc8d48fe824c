"""Truth rule 3: delays between repairs grow with failures, and never with losses."""

import pytest

from tests.session.session_rig import BOOKS, Rig, delta, error, snapshot, subscribed, trade

A, B = "KXA-1", "KXB-2"


@pytest.fixture
def rig():
    return Rig()


class Line:
    """A line that loses a message now and then, and an exchange that answers after a while."""

    def __init__(self, rig, answer_after=0.05):
        self.rig, self.answer_after = rig, answer_after
        self.seq = rig.open_books(A, B)
        self.answers = []

    def run(self, seconds, every):
        """Return for how much of the time both books were live."""
        steps, live = round(seconds / 0.01), 0
        for step in range(steps):
            lost = step % round(every / 0.01) == 0
            self.seq += 1 + lost
            self.rig.receive(delta(1, self.seq, A))
            self.answers += [(step + round(self.answer_after / 0.01), each) for each in self.rig.commands()]
            while self.answers and self.answers[0][0] <= step:
                self.answer(self.answers.pop(0)[1])
            self.rig.wait(0.01, step=0.01)
            live += self.rig.status(A) == self.rig.status(B) == "live"
        return live / steps

    def answer(self, command):
        for ticker in command["params"]["market_tickers"]:
            self.seq += 1
            self.rig.receive(snapshot(1, self.seq, ticker, {4700: 1000}, id=command["id"]))


@pytest.mark.parametrize(("every", "least"), [(5.0, 0.97), (2.0, 0.96), (0.5, 0.85)])
def test_books_are_live_nearly_always_however_often_a_message_is_lost_if_each_repair_is_answered(rig, every, least):
    assert Line(rig).run(60, every) >= least
    assert {gap.repaired_by for gap in rig.gaps} == {"get_snapshot"}


def test_a_repair_that_held_earns_the_next_one_at_once(rig):
    seq = rig.open_books(A)
    for _ in range(50):
        seq += 2
        rig.receive(delta(1, seq, A))
        command = rig.command("get_snapshot")
        rig.receive(snapshot(1, seq + 1, A, id=command["id"]), delta(1, seq + 2, A))
        seq += 2
        assert rig.status(A) == "live"
        assert rig.session.subscriptions[BOOKS].repairs_in_vain(rig.seconds) == 0


def counting_by_two(rig, *tickers, seconds):
    """An exchange that counts its answers by two: each of them is a gap. Return how many questions it was asked."""
    rig.session.want(BOOKS, frozenset(tickers))
    command = rig.command("subscribe")
    rig.receive(subscribed(command["id"], BOOKS, 1))
    seq, sid, of_books, asked = 0, 10, 1, 0
    answers = [(ticker, {}) for ticker in sorted(tickers)]
    end = rig.seconds + seconds
    while rig.seconds < end:
        for ticker, top in answers:
            seq += 2
            rig.receive(snapshot(of_books, seq, ticker, {4700: 1000}, **top))
        answers = []
        for command in rig.commands():
            params = command.get("params", {})
            if command["cmd"] == "unsubscribe":
                rig.receive({"type": "unsubscribed", "id": command["id"], "sid": of_books})
            elif command["cmd"] == "subscribe":
                sid += 1
                (channel,) = params["channels"]
                rig.receive(subscribed(command["id"], channel, sid))
                if channel == BOOKS:
                    of_books, seq = sid, 0
                    answers += [(ticker, {}) for ticker in params["market_tickers"]]
            elif params.get("action") == "get_snapshot":
                asked += 1
                answers += [(ticker, {"id": command["id"]}) for ticker in params["market_tickers"]]
        rig.wait(0.01, step=0.01)
        if rig.reconnects():
            rig.session.disconnected()
            rig.session.connected()
    return asked


@pytest.mark.parametrize("tickers", [(A,), (A, B)], ids=["one book", "two books"])
def test_an_exchange_whose_every_answer_is_a_gap_is_not_asked_without_end(rig, tickers):
    rig.open("trade")
    rig.receive(trade(2, 1, A), trade(2, 3, A), trade(2, 4, A))
    assert counting_by_two(rig, *tickers, seconds=18) < 60
    assert rig.gaps[0].channel == "trade"


def test_repairs_before_whose_next_gap_no_data_comes_wait_ever_longer_and_are_told_of(rig):
    seq, waited, told = rig.open_books(A), [], []
    for _ in range(8):
        rig.receive(delta(1, seq + 2, A))
        began = rig.seconds
        while not (commands := rig.commands()):
            rig.wait(0.1)
        waited.append(rig.seconds - began)
        rig.receive(snapshot(1, seq + 3, A, id=commands[0]["id"]))
        seq += 3
        told.append(rig.session.subscriptions[BOOKS].repairs_in_vain(rig.seconds))
        assert rig.status(A) == "live"
    assert waited[0] == 0
    assert max(waited) > 1
    assert told == [0, 2, 3, 4, 5, 6, 7, 8]
    rig.receive(delta(1, seq + 1, A))
    assert rig.session.subscriptions[BOOKS].repairs_in_vain(rig.seconds) == 0
    rig.receive(delta(1, seq + 3, A))
    rig.command("get_snapshot")


def test_after_half_a_minute_of_calm_no_repair_was_in_vain(rig):
    seq = rig.open_books(A)
    for _ in range(2):
        rig.receive(delta(1, seq + 2, A))
        while not (commands := rig.commands()):
            rig.wait(0.1)
        rig.receive(snapshot(1, seq + 3, A, id=commands[0]["id"]))
        seq += 3
    subscription = rig.session.subscriptions[BOOKS]
    assert subscription.repairs_in_vain(rig.seconds + 29) == 2
    assert subscription.repairs_in_vain(rig.seconds + 31) == 0


def failing(rig, seq, refuse):
    """Repairs whose first step fails each time; how long each of them waited to be asked for."""
    sid, waited = 1, []
    for _ in range(6):
        rig.receive(delta(sid, seq + 2, A))
        began = rig.seconds
        while not (commands := rig.commands()):
            rig.wait(0.1)
        waited.append(rig.seconds - began)
        (ask,) = commands
        if refuse:
            rig.receive(error(18, "Command timeout", id=ask["id"]))
            rig.wait(0.1)
        else:
            rig.wait(3.2)
        rig.receive({"type": "unsubscribed", "id": rig.command("unsubscribe")["id"], "sid": sid, "seq": seq + 3})
        sid, seq = sid + 1, 1
        rig.receive(subscribed(rig.command("subscribe")["id"], BOOKS, sid), snapshot(sid, seq, A))
        assert rig.status(A) == "live"
    return waited


@pytest.mark.parametrize("refuse", [True, False], ids=["refused", "not answered"])
def test_repairs_that_fail_or_are_refused_wait_ever_longer(rig, refuse):
    waited = failing(rig, rig.open_books(A), refuse)
    assert waited[0] == 0
    assert sum(waited[1:3]) <= 2 * 1.1
    assert sum(waited) > 3
    assert max(waited) > 1


def test_one_repair_that_held_ends_the_waiting(rig):
    failing(rig, rig.open_books(A), refuse=True)
    sid, seq = 7, 1
    rig.receive(delta(sid, seq + 2, A))
    while not (commands := rig.commands()):
        rig.wait(0.1)
    rig.receive(snapshot(sid, seq + 3, A, id=commands[0]["id"]), delta(sid, seq + 4, A))
    rig.receive(delta(sid, seq + 6, A))
    rig.command("get_snapshot")


def test_half_a_minute_of_calm_ends_the_waiting_too(rig):
    failing(rig, rig.open_books(A), refuse=True)
    for _ in range(31):
        rig.wait(1)
        rig.receive({"type": "heartbeat"})
    rig.commands()
    rig.receive(delta(7, 3, A))
    rig.command("get_snapshot")


def nonsense(seq, ticker):
    frame = delta(1, seq, ticker)
    return {**frame, "msg": {**frame["msg"], "delta_fp": "-99999.00"}}


def test_a_loss_is_repaired_at_once_while_a_market_full_of_nonsense_waits(rig):
    seq = rig.open_books(A, B)
    while True:
        seq += 1
        rig.receive(nonsense(seq, A))
        commands = rig.commands()
        if not commands:
            break  # from the second on it waits, as a rule
        seq += 1
        rig.receive(snapshot(1, seq, A, id=commands[0]["id"]))
    assert (rig.status(A), rig.status(B)) == ("stale", "live")
    seq += 2
    rig.receive(delta(1, seq, B))
    assert rig.command("get_snapshot")["params"]["market_tickers"] == [A, B]


def test_a_slow_answer_to_many_is_no_failure_while_it_keeps_coming(rig):
    tickers = [f"KX-{number:02}" for number in range(40)]
    seq = rig.open_books(*tickers)
    rig.receive(delta(1, seq + 2, tickers[0]))
    command = rig.command("get_snapshot")
    for number, each in enumerate(tickers, seq + 3):
        rig.wait(2.5)
        rig.receive(snapshot(1, number, each, id=command["id"]))
    assert rig.commands() == []
    assert rig.gaps[0].repaired_by == "get_snapshot"


def test_a_snapshot_that_comes_by_itself_ends_a_repair_that_waits_for_its_moment(rig):
    seq = rig.open_books(A, B)
    while True:
        seq += 1
        rig.receive(nonsense(seq, A))
        commands = rig.commands()
        seq += 1
        rig.receive(snapshot(1, seq, A))
        assert rig.status(A) == "live"
        if not commands:
            break
    rig.wait(31)
    assert [each["cmd"] for each in rig.commands()] == ["list_subscriptions"]
    assert {gap.repaired_by for gap in rig.gaps} == {"get_snapshot"}
