"""``doctor()`` finds what is wrong, names it, and says the next step."""

import json
import os
import platform
import re
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import kalshi_nb as kn
from kalshi_nb._cli.main import main
from kalshi_nb._feed import doctor as _doctor

NAMES = ["package", "environment", "key id", "private key", "handshake", "clock", "subscription", "data"]


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def key():
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def path(key, tmp_path):
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of(key))
    path.chmod(0o600)
    return path


@pytest.fixture
def known(exchange, key):
    exchange.add_key("known-key-1234", key.public_key())
    return exchange


def outcomes(report):
    return {each.name: each.outcome for each in report.checks}


def failed_at(report, name):
    assert not report.ok
    assert report.problem.name == name
    found = outcomes(report)
    at = NAMES.index(name)
    assert [found[each] for each in NAMES] == ["ok"] * at + ["failed"] + ["skipped"] * (len(NAMES) - at - 1)
    return report.problem.text


def test_everything_is_looked_at_in_turn_and_may_be_well():
    report = kn.doctor("sim")
    assert [each.name for each in report.checks] == NAMES
    assert report.ok
    assert report.problem is None
    assert repr(report).endswith("All is well.")


def test_rest_is_looked_at_where_that_is_wanted(capsys, known, path):
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path, rest=True, timeout=0.5)
    found = {each.name: each for each in report.checks if each.name.startswith("rest")}
    assert {name: each.outcome for name, each in found.items()} == dict.fromkeys(
        ("rest", "rest key", "rest limit"), "ok"
    ) | {"rest clock": "warning", "rest trades": "skipped"}  # the exchange's is moved by hand
    assert known.rest_url in found["rest"].text
    assert "tokens a second" in found["rest limit"].text
    assert main(["doctor", "--rest", "--timeout", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "ok    rest clock" in out
    assert "ok    rest key" in out


def test_a_key_that_rest_does_not_take_is_named_and_the_feed_is_looked_at_all_the_same(exchange, path):
    report = kn.doctor(exchange.url, key_id="unknown-key-1234", private_key=path, rest=True)
    assert outcomes(report)["rest"] == "ok"
    assert report.problem.name == "rest key"
    assert outcomes(report)["handshake"] == "failed"


def test_rest_that_does_not_answer_fails_and_the_feed_is_looked_at_all_the_same(exchange):
    exchange.faults.rest(refuse=100, refusal="gateway")
    report = kn.doctor(exchange, rest=True, timeout=0.5)
    assert report.problem.name == "rest"
    assert "502" in report.problem.text
    assert outcomes(report)["subscription"] == "ok"


@pytest.mark.parametrize(
    ("built", "compiled", "outcome", "said"),
    [
        (True, True, "ok", "with its compiled part"),
        (True, False, "ok", "switched off by KALSHI_NB_NO_EXTENSIONS"),
        (False, False, "warning", "about half of the speed. With a C compiler at hand: pip install"),
    ],
)
def test_the_package_says_whether_its_compiled_part_is_in_use(monkeypatch, built, compiled, outcome, said):
    monkeypatch.setattr(_doctor, "BUILT", built)
    monkeypatch.setattr(_doctor, "COMPILED", compiled)
    report = kn.doctor("sim")
    assert report.ok
    package = report.checks[0]
    assert (package.name, package.outcome) == ("package", outcome)
    assert package.text.startswith(f"kalshi_nb {kn.__version__} on Python {platform.python_version()}")
    assert said in package.text


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ('{"url": "file:///somewhere/a%20path/kit", "dir_info": {}}', "'/somewhere/a path/kit'"),
        ('{"url": "file:///somewhere/kit", "dir_info": {"editable": true}}', "--editable /somewhere/kit"),
        ('{"url": "file:///somewhere/kalshi_nb-0.1.0-py3-none-any.whl", "archive_info": {}}', "/path/to/checkout"),
        (None, "/path/to/checkout"),
    ],
    ids=["a checkout", "an editable checkout", "a wheel", "an index"],
)
def test_to_have_it_compiled_it_is_installed_from_where_its_source_is(monkeypatch, tmp_path, told, source):
    monkeypatch.setattr(_doctor, "BUILT", False)
    monkeypatch.setattr(_doctor, "COMPILED", False)
    here = tmp_path / "kalshi_nb-0.1.0.dist-info"
    here.mkdir()
    (here / "METADATA").write_text("Name: kalshi-nb\nVersion: 0.1.0\n")
    if told:
        (here / "direct_url.json").write_text(told)
    monkeypatch.syspath_prepend(tmp_path)
    text = kn.doctor("moon").checks[0].text
    assert text.endswith(f"pip install --force-reinstall --no-deps --no-cache-dir {source}")


def test_a_key_of_ones_own_is_described_and_not_shown(known, path):
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path, timeout=0.5)
    found = {each.name: each for each in report.checks}
    assert "Ed25519" in found["private key"].text
    assert "…1234" in found["key id"].text
    assert "known-key" not in repr(report) + report._repr_html_()
    assert found["data"].outcome == "warning"  # the clock of this exchange stands still
    assert report.ok
    assert repr(report).endswith("Working; look at data.")


def test_the_environment_is_looked_at(known, path, monkeypatch):
    monkeypatch.setenv("KALSHI_ENV", known.url)
    monkeypatch.setenv("KALSHI_KEY_ID", "known-key-1234")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", str(path))
    report = kn.doctor(timeout=0.5)
    assert report.ok
    for name in ("KALSHI_ENV", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY_PATH"):
        assert name in repr(report)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_key_that_can_be_read_once_serves_the_whole_report(known, key, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pem_of(key),))
    writer.start()
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path, timeout=0.5)
    writer.join(10)
    assert report.ok


def test_a_key_in_the_place_of_the_key_id_is_named_and_not_shown(known, key, path):
    line = pem_of(key).decode().splitlines()[1]
    report = kn.doctor(known.url, key_id=line, private_key=path)
    assert "swapped" in failed_at(report, "key id")
    assert line[-8:] not in repr(report)


def test_nowhere_and_an_unknown_place_fail_first():
    assert "KALSHI_ENV" in failed_at(kn.doctor(), "environment")
    assert "'demo'" in failed_at(kn.doctor("moon"), "environment")


def test_a_missing_key_id_and_a_missing_key_are_told_apart(known, path):
    assert "KALSHI_API_KEY_ID" in failed_at(kn.doctor(known.url, private_key=path), "key id")
    assert "KALSHI_PRIVATE_KEY_PATH" in failed_at(kn.doctor(known.url, key_id="known-key-1234"), "private key")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "PEM"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "type"),
        (
            rsa.generate_private_key(65537, 2048)
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "public key",
        ),
    ],
    ids=["empty", "elliptic", "public"],
)
def test_an_unusable_key_says_why(known, path, content, word):
    path.write_bytes(content)
    assert word in failed_at(kn.doctor(known.url, key_id="known-key-1234", private_key=path), "private key")


def test_a_missing_file_is_named(known, tmp_path):
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=tmp_path / "none.pem")
    assert "none.pem" in failed_at(report, "private key")


def test_a_key_that_others_can_read_is_a_warning(known, path):
    path.chmod(0o644)
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path, timeout=0.5)
    assert outcomes(report)["private key"] == "warning"
    assert "chmod 600" in repr(report)
    assert report.ok


def test_a_key_of_another_environment_fails_at_the_handshake(known, path):
    report = kn.doctor(known.url, key_id="0d7e5f6c-0000-4000-8000-000000000000", private_key=path)
    assert "environment" in failed_at(report, "handshake")


def test_nobody_there_fails_at_the_handshake(path):
    report = kn.doctor("ws://127.0.0.1:9/trade-api/ws/v2", key_id="i", private_key=path, timeout=2)
    assert "Nobody answers" in failed_at(report, "handshake")


def test_a_clock_that_is_off_fails_at_the_clock(known, path):
    body = json.dumps({"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}})
    known.faults.refuse_handshakes(401, body=body)
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path)
    assert "NTP" in failed_at(report, "clock")


def test_maintenance_says_so(known, path):
    known.faults.begin_maintenance()
    report = kn.doctor(known.url, key_id="known-key-1234", private_key=path)
    assert "maintenance" in failed_at(report, "handshake")


def test_no_feed_is_left_behind(known, path, feed):
    kn.doctor(known, timeout=0.5)
    assert feed.state == "connected"
    assert kn.connect(known) is feed


def test_the_command_prints_the_report_and_its_status(known, path, capsys):
    arguments = ["doctor", known.url, "--key-id", "known-key-1234", "--timeout", "0.5"]
    assert main([*arguments, "--private-key", str(path)]) == 0
    assert "handshake" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "Not working yet: private key." in capsys.readouterr().out


def test_how_late_rest_shows_a_trade_and_whether_a_cache_answers_is_said_where_there_is_a_key():
    with kn.sim.Exchange(seed=7, speed=20) as exchange:
        exchange.faults.rest(late=2, cache=15)
        report = kn.doctor(exchange, rest=True)
    found = {each.name: each for each in report.checks if each.name.startswith("rest ")}
    assert report.ok
    after = float(re.search(r"was there by its id after ([\d.]+) s", found["rest trades"].text)[1])
    assert 0.9 < after < 20
    assert "all of that second" in found["rest window"].text
    assert found["rest cache"].text == "what is asked again with a key is answered from a cache"
