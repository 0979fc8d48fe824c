"""What other clients of this exchange were seen to get wrong, each a law for this one.

Every line of `LAWS` names the tests that hold it: those of this file run over a real socket against the simulated
exchange, whose own books are the judge; those named elsewhere are laws of the session and are not written twice.
"""

import ast
import json
import pathlib
import threading

import pytest

import kalshi_nb as kn
from tests.feed.conftest import until
from tests.venue import books_of, kept_books, settle

ROOT = pathlib.Path(__file__).parent.parent
HERE = "conformance/test_conformance.py"
BACKOFF = "session/test_backoff_and_reconnecting.py"
BOOK = "orderbook_delta"

LAWS = {
    "a gap on the book channel": [
        f"{HERE}::test_a_lost_book_frame_is_repaired",
        "session/test_rule_3_gaps_and_repair.py::test_rule_3_a_gap_makes_every_book_of_the_sid_stale_at_once",
    ],
    "a gap on the trade channel": [
        f"{HERE}::test_a_lost_trade_is_a_gap_and_the_channel_goes_on",
        "session/test_rule_3_gaps_and_repair.py::test_rule_3_a_gap_on_trade_is_recorded_and_closed_when_data_goes_on",
    ],
    "a gap on the first frame after a snapshot": [f"{HERE}::test_a_gap_right_behind_the_snapshot_is_seen"],
    "numbers taken by ok, unsubscribed and error": [
        f"{HERE}::test_control_frames_leave_no_phantom_gap",
        "session/test_rules_1_and_2_counting.py::test_rule_2_ok_unsubscribed_and_error_take_numbers_and_leave_no_gap",
        "session/test_rules_1_and_2_counting.py::test_rule_2_a_lost_ok_is_a_gap_like_any_other",
    ],
    "a second subscribe merged into ok without snapshots": [
        "session/test_acknowledgements.py::test_a_merged_subscribe_takes_the_sid_and_asks_for_the_snapshots_that_will_not_come",
    ],
    "acknowledgements out of order": [
        f"{HERE}::test_answers_in_any_order_lead_to_the_same_books",
        "session/test_acknowledgements.py::test_a_request_is_acknowledged_by_its_own_answer_only",
    ],
    "duplicate and backward numbers": [
        f"{HERE}::test_a_doubled_frame_is_applied_once",
        f"{HERE}::test_an_overtaken_frame_leaves_no_wrong_book",
        "session/test_rules_1_and_2_counting.py::test_rule_1_a_duplicate_or_old_delta_is_never_applied",
    ],
    "an abrupt kill": [f"{HERE}::test_any_end_of_a_connection_is_recovered_from"],
    "close 1000 and 1001, without spinning": [
        f"{HERE}::test_any_end_of_a_connection_is_recovered_from",
        f"{BACKOFF}::test_the_first_attempt_is_made_at_once_and_the_others_within_a_ceiling_that_doubles",
    ],
    "a close right behind a gap": [f"{HERE}::test_a_close_right_behind_a_gap_leaves_no_wrong_book"],
    "a server that accepts, then closes": [
        f"{HERE}::test_a_server_that_accepts_and_closes_is_an_outage_like_any_other",
        f"{BACKOFF}::test_an_accepted_handshake_forgives_refusals_but_not_the_delays",
    ],
    "an outage of more than three minutes": [f"{HERE}::test_an_outage_of_an_hour_is_waited_out"],
    "401 at the start": ["feed/test_connect.py::test_a_wrong_key_says_which_pair_to_check"],
    "401 at a reconnect": [
        f"{HERE}::test_refused_reconnects_are_tried_again_and_three_in_a_row_are_named",
        f"{BACKOFF}::test_refused_credentials_are_named_after_three_in_a_row_and_tried_again_ever_more_rarely",
    ],
    "a fresh signature for each attempt": [f"{HERE}::test_every_attempt_is_signed_anew"],
    "errors 8, 26 and 27": [
        "session/test_refusals.py::test_a_refused_channel_ends_the_request",
        "session/test_refusals.py::test_markets_beyond_the_limit_are_refused_but_not_called_unknown",
        "session/test_refusals.py::test_the_exchanges_own_trouble_is_no_refusal",
    ],
    "errors 10 and 25": [
        f"{HERE}::test_an_ended_subscription_is_made_again",
        "session/test_rules_5_to_7_ends.py::test_rule_5_errors_10_and_25_end_the_subscription_which_is_made_again_at_once",
    ],
    "a snapshot with one side or none": [
        "session/test_rule_4_snapshots.py::test_rule_4_a_snapshot_replaces_whole_and_a_missing_side_is_an_empty_side",
        "session/test_rule_4_snapshots.py::test_rule_4_an_empty_snapshot_without_an_id_is_of_an_unknown_market_until_it_trades",
    ],
    "a delta before its snapshot": [
        "session/test_rule_4_snapshots.py::test_rule_4_a_delta_before_its_snapshot_is_one_gap_however_many_follow"
    ],
    "get_snapshot: a reply with an id, a lost reply": [
        f"{HERE}::test_a_lost_book_frame_is_repaired",
        f"{HERE}::test_lost_snapshot_replies_lead_to_the_next_step_of_the_repair",
        "session/test_rule_3_gaps_and_repair.py::test_rule_3_each_step_comes_only_after_the_one_before_had_its_time",
    ],
    "bad JSON, a list, null, an unknown type, numbers for texts": [
        f"{HERE}::test_nonsense_is_set_aside_and_disturbs_nothing",
        "session/test_rule_9_nonsense.py::test_rule_9_nonsense_is_counted_and_kept_and_harms_nothing",
        "session/test_rule_9_nonsense.py::test_rule_9_numbers_where_strings_are_expected_are_taken_exactly",
    ],
    "fields that nobody knows, frames of another era, another default": [
        f"{HERE}::test_neither_new_fields_nor_an_older_era_nor_a_flipped_default_make_a_wrong_book",
    ],
    "a raising callback": [
        "feed/test_handles.py::test_a_raising_pipeline_is_told_at_the_next_call_and_disturbs_nobody",
        "streams/test_runner.py::test_a_failing_pipeline_disturbs_no_other_and_no_frame_nor_itself_afterwards",
    ],
    "a slow consumer": [
        "feed/test_handles.py::test_a_slow_pipeline_delays_no_frame_and_no_book",
        "streams/test_runner.py::test_past_the_bound_the_oldest_batches_go_and_are_counted",
    ],
    "subscribing in the middle of a burst": [f"{HERE}::test_subscribing_in_a_burst_loses_nothing"],
    "deleting the last market": [
        f"{HERE}::test_the_last_market_let_go_does_not_become_all_markets",
        "session/test_letting_go.py::test_the_last_market_let_go_unsubscribes_and_never_sends_an_empty_list",
    ],
    "four seconds of a busy cell under pings": [
        "notebook/test_kernel.py::test_frames_and_books_fill_while_the_main_thread_is_busy_for_five_seconds",
    ],
    "fractional and sub-cent levels return to exactly empty": [
        "session/test_ladder.py::test_levels_return_to_exactly_empty_when_everything_is_taken_back",
    ],
    "a silent line": [
        f"{HERE}::test_a_stalled_line_is_caught_up_with",
        "session/test_rules_5_to_7_ends.py::test_rule_7_no_answer_asks_for_a_new_connection",
    ],
    "maintenance": [f"{HERE}::test_maintenance_is_an_outage_that_ends"],
}


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_the_tests_it_names(law):
    for name in LAWS[law]:
        path, _, function = name.partition("::")
        defined = {
            each.name for each in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(each, ast.FunctionDef)
        }
        assert function in defined, name


def test_every_test_of_this_file_holds_a_law():
    mine = {
        each.name for each in ast.parse(pathlib.Path(__file__).read_text()).body if isinstance(each, ast.FunctionDef)
    }
    named = {name.partition("::")[2] for names in LAWS.values() for name in names}
    about = {"test_every_law_has_the_tests_it_names", "test_every_test_of_this_file_holds_a_law"}
    assert {each for each in mine if each.startswith("test_")} - named == about


# Over a real socket ---------------------------------------------------------------------------------------


@pytest.fixture
def books(feed, exchange):
    return feed.books(exchange.market_tickers[:6]).wait()


@pytest.fixture
def agree(feed, exchange, books):
    """Let the market settle, and hold every kept book against the exchange's own."""

    def agree():
        settle(exchange, books)
        assert kept_books(feed, books) == books_of(exchange, books)
        assert feed.gaps["closed_at"].null_count() == 0

    return agree


def reasons(feed):
    return feed.gaps["reason"].to_list()


def repairs(feed):
    return feed.gaps["repaired_by"].to_list()


def test_a_lost_book_frame_is_repaired(feed, exchange, agree):
    exchange.advance(5)
    exchange.faults.skip_frames(BOOK)
    exchange.advance(5)
    agree()
    assert (reasons(feed), repairs(feed)) == (["sequence"], ["get_snapshot"])


def test_a_lost_trade_is_a_gap_and_the_channel_goes_on(feed, exchange):
    trades = feed.trades()
    exchange.advance(10)
    exchange.faults.skip_frames("trade", 2)
    before = trades.total
    while trades.total < before + 3:
        exchange.advance(1)
    (gap,) = feed.gaps.iter_rows(named=True)
    assert gap["seq_to"] - gap["seq_from"] == 1
    assert gap["closed_at"] is not None
    assert gap["repaired_by"] is None
    numbers = trades.df["seq"].to_list()
    assert numbers == [each for each in range(1, numbers[-1] + 1) if not gap["seq_from"] <= each <= gap["seq_to"]]


def test_a_gap_right_behind_the_snapshot_is_seen(feed, exchange, agree):
    exchange.faults.skip_frames(BOOK)
    exchange.advance(5)
    agree()
    assert feed.gaps["seq_from"].to_list() == [7]  # six snapshots, and the first delta is lost
    assert repairs(feed) == ["get_snapshot"]


def test_control_frames_leave_no_phantom_gap(feed, exchange, agree):
    for ticker in exchange.market_tickers[6:9]:
        feed.book(ticker).wait()
        exchange.advance(2)
    feed.book(exchange.market_tickers[6]).close()
    exchange.advance(5)
    agree()
    assert not reasons(feed)


@pytest.mark.parametrize("trouble", ["late", "swapped"])
def test_answers_in_any_order_lead_to_the_same_books(feed, exchange, books, agree, trouble):
    if trouble == "late":
        exchange.faults.delay_answers(2, behind=4)
    else:
        exchange.faults.swap_commands()
    made = {}
    asking = [
        threading.Thread(target=lambda: made.update(trades=feed.trades())),
        threading.Thread(target=lambda: made.update(tickers=feed.stream("ticker").rolling_frame())),
    ]
    for each in asking:
        each.start()
    while any(each.is_alive() for each in asking):  # an answer that is held comes behind frames of the market
        exchange.advance(0.25)
        asking[0].join(0.01)
    exchange.advance(20)
    agree()
    assert made["trades"].total
    assert made["tickers"].total
    assert not reasons(feed)


def test_a_doubled_frame_is_applied_once(feed, exchange, agree):
    exchange.faults.duplicate_frames(BOOK, 20)
    exchange.advance(10)
    agree()
    assert feed.health().duplicates == 20
    assert not reasons(feed)


def test_an_overtaken_frame_leaves_no_wrong_book(feed, exchange, agree):
    exchange.faults.reorder_frames(BOOK, 3, behind=2)
    exchange.advance(10)
    agree()
    assert set(reasons(feed)) == {"sequence"}


ENDS = {
    "kill": lambda faults: faults.drop_connections(),
    "inside a frame": lambda faults: faults.drop_connections(inside_a_frame=True),
    "1000": lambda faults: faults.close_connections(1000),
    "1001": lambda faults: faults.close_connections(1001),
    "1011": lambda faults: faults.close_connections(1011),
}


@pytest.mark.parametrize("end", ENDS)
def test_any_end_of_a_connection_is_recovered_from(feed, exchange, agree, end):
    exchange.advance(5)
    ENDS[end](exchange.faults)
    until(lambda: feed.health().reconnects == 1, "connected again")
    agree()
    assert feed.health().reconnects == 1  # and not again and again
    assert reasons(feed) == ["connection_lost"]
    assert repairs(feed) == ["reconnect"]


def test_a_close_right_behind_a_gap_leaves_no_wrong_book(feed, exchange, agree):
    exchange.faults.skip_frames(BOOK)
    exchange.faults.ignore_snapshot_requests(10)
    exchange.advance(3)
    exchange.faults.close_connections(1001)
    until(lambda: feed.health().reconnects == 1, "connected again")
    agree()
    assert set(reasons(feed)) == {"sequence", "connection_lost"}


@pytest.mark.parametrize("code", [1000, None])
def test_a_server_that_accepts_and_closes_is_an_outage_like_any_other(feed, exchange, agree, code):
    exchange.faults.close_on_arrival(3, code=code)
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 4, "connected for good", timeout=30)
    agree()
    assert feed.health().reconnects == 4


def test_an_outage_of_an_hour_is_waited_out():
    from random import Random

    from kalshi_nb._session.reconnecting import Reconnecting

    reconnecting = Reconnecting(Random(1))
    passed, attempts = 0.0, 0
    while passed < 3600:
        delay = reconnecting.delay()
        assert delay is not None
        assert delay <= 30
        passed += delay
        attempts += 1
    assert 120 < attempts < 400  # never gives up, never spins


def test_refused_reconnects_are_tried_again_and_three_in_a_row_are_named(feed, exchange, agree):
    exchange.faults.refuse_handshakes(401)
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1, "connected again")
    agree()
    exchange.faults.refuse_handshakes(401, count=3)
    exchange.faults.drop_connections()
    until(lambda: feed.state == "refused", "it is said")
    with pytest.raises(kn.errors.FeedClosedError, match="refuses the credentials"):
        feed.trades()
    until(lambda: feed.health().reconnects == 2, "the fourth attempt is taken", timeout=60)
    agree()


def test_every_attempt_is_signed_anew(feed, exchange, agree, monkeypatch):
    seen = []
    judge = exchange._keyring.verdict

    def watching(headers):
        seen.append((headers["KALSHI-ACCESS-TIMESTAMP"], headers["KALSHI-ACCESS-SIGNATURE"]))
        return judge(headers)

    monkeypatch.setattr(exchange._keyring, "verdict", watching)
    for number in range(1, 4):
        exchange.advance(2)  # data came, so the next loss is followed up at once
        exchange.faults.drop_connections()
        until(lambda n=number: feed.health().reconnects == n, "connected again")
    stamps, signatures = zip(*seen, strict=True)
    assert len(seen) == len(set(stamps)) == len(set(signatures)) == 3
    agree()


@pytest.mark.parametrize("code", [10, 25])
def test_an_ended_subscription_is_made_again(feed, exchange, books, agree, code):
    exchange.advance(3)
    exchange.faults.send_error(BOOK, code)
    until(lambda: feed.gaps.height == 1, "the end is known")
    agree()
    assert (reasons(feed), repairs(feed)) == ([f"error_{code}"], ["resubscribe"])


def test_lost_snapshot_replies_lead_to_the_next_step_of_the_repair(feed, exchange, agree):
    exchange.faults.ignore_snapshot_requests()
    exchange.faults.skip_frames(BOOK)
    exchange.advance(5)
    agree()
    assert repairs(feed) == ["resubscribe"]


NONSENSE = ["{", "[]", "null", "3", '"text"', "[" * 20_000, '{"type":null}', '{"type":"ok","msg":7}', "\x00", "{}"]


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_set_aside_and_disturbs_nothing(feed, exchange, agree, text):
    before = feed.health().messages
    exchange.faults.send_raw(text)
    exchange.faults.send_raw(json.dumps({"type": "weather", "msg": {"sun": 1}}))
    until(lambda: feed.health().messages >= before + 2, "both frames")
    exchange.advance(5)
    agree()
    assert feed.health().rejects >= 1
    assert not reasons(feed)


def test_neither_new_fields_nor_an_older_era_nor_a_flipped_default_make_a_wrong_book(feed, exchange, books, agree):
    exchange.faults.prefer_yes_prices()
    exchange.faults.add_fields()
    exchange.faults.send_unknown(BOOK)
    exchange.advance(5)
    exchange.faults.set_era("captures")
    exchange.faults.drop_connections()
    until(lambda: feed.health().reconnects == 1, "connected again")
    exchange.advance(5)
    agree()
    exchange.faults.set_era("2026-10")
    agree()


def test_subscribing_in_a_burst_loses_nothing(feed, exchange):
    trades = feed.trades()
    done = threading.Event()

    def burst():
        for _ in range(60):
            exchange.advance(1)
        done.set()

    bursting = threading.Thread(target=burst)
    bursting.start()
    books = {}
    for ticker in exchange.market_tickers:
        books |= feed.books([ticker])
    bursting.join(60)
    assert done.is_set()
    settle(exchange, books)
    assert kept_books(feed, books) == books_of(exchange, books)
    assert not reasons(feed)
    assert trades.df["seq"].to_list() == list(range(1, trades.total + 1))


def test_the_last_market_let_go_does_not_become_all_markets(feed, exchange):
    frame = feed.trades(exchange.market_tickers[0])
    frame.close()
    until(lambda: "trade" not in feed.health().markets, "let go")
    until(lambda: feed._engine.links[0].session.subscriptions["trade"].sid is None, "unsubscribed")
    before = feed.health().messages
    exchange.advance(30)
    assert feed.health().messages == before


def test_a_stalled_line_is_caught_up_with(feed, exchange, books, agree):
    exchange.faults.stall()
    exchange.advance(30)
    assert kept_books(feed, books) != books_of(exchange, books)
    exchange.faults.resume()
    agree()
    assert not reasons(feed)


def test_maintenance_is_an_outage_that_ends(feed, exchange, agree):
    exchange.advance(3)
    exchange.faults.begin_maintenance(status=502)
    until(lambda: "maintenance" in (feed.health().last_error or ""), "the refusal")
    exchange.faults.end_maintenance()
    until(lambda: feed.state == "connected", "connected again", timeout=30)
    agree()
    assert reasons(feed) == ["connection_lost"]
