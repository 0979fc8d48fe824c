"""An address that cannot be dialed is refused before anything is, by one error that says why, and where it is from."""

import pytest

import kalshi_nb as kn
from kalshi_nb._environments import ENVIRONMENTS, SIMULATED, named, place_of
from kalshi_nb.errors import ConfigurationError, UnknownEnvironmentError

PATH = "/trade-api/ws/v2"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    for name in ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY", "KALSHI_PRIVATE_KEY_PATH", "KALSHI_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


BAD = {
    "port above 65535": ("ws://127.0.0.1:87600/x", "1 to 65535"),
    "port below 0": ("ws://127.0.0.1:-5", "1 to 65535"),
    "port of letters": ("ws://127.0.0.1:abc/x", "1 to 65535"),
    "port 0": ("ws://127.0.0.1:0/x", "1 to 65535"),
    "no port behind the colon": ("ws://127.0.0.1:/x", "1 to 65535"),
    "port with a sign": ("ws://127.0.0.1:+80/x", "1 to 65535"),
    "port of other digits": ("ws://127.0.0.1:\u0668\u0660/x", "1 to 65535"),
    "blank in the host": ("wss://exam ple.com/x", "blanks"),
    "blank in the path": ("wss://example.com/a b", "blanks"),
    "blank before the host": ("wss:// example.com/x", "blanks"),
    "line break": ("wss://example.com/\nx", "line breaks"),
    "line break in the slashes": ("wss:/\n/example.com/x", "line breaks"),
    "tab": ("wss://exa\tmple.com/x", "control characters"),
    "NUL": ("wss://exam\0ple.com/x", "control characters"),
    "escape sequence": ("wss://example.com/\x1b[31m", "control characters"),
    "empty host": ("wss:///x", "no host"),
    "only a scheme": ("wss://", "no host"),
    "only a port": ("wss://:443/x", "no host"),
    "only a login": ("wss://user:word@/x", "no host"),
    "one slash": ("wss:/example.com/x", "no host"),
    "no slash": ("ws:127.0.0.1", "no host"),
    "no scheme": ("api.example.com/trade-api/ws/v2", "'wss://api.example.com/trade-api/ws/v2'"),
    "no scheme, a port": ("localhost:8765", "'wss://localhost:8765'"),
    "https": ("https://api.kalshi.com/trade-api/ws/v2", "begins with wss://"),
    "http": ("http://127.0.0.1:8765", "begins with wss://"),
    "another scheme": ("ftp://example.com", "wss://"),
    "two schemes": ("wss://wss://example.com", "1 to 65535"),
    "fragment": ("wss://example.com/x#part", "#"),
    "label over 63": (f"wss://{'a' * 64}.com/x", "63"),
    "name over 253": (f"wss://{'.'.join(['abcdefgh'] * 40)}/x", "63"),
    "empty label": ("wss://a..b/x", "dots"),
    "a dot first": ("wss://.example.com/x", "dots"),
    "hyphen first": ("wss://-example.com/x", "hyphens"),
    "odd letter in the host": ("wss://exa$mple.com/x", "letters"),
    "long label of another alphabet": (f"wss://{'ü' * 60}.com/x", "host's name"),
    "path of another alphabet": ("wss://example.com/ü", "percent-encoded"),
    "bare IPv6": ("ws://::1/x", "brackets"),
    "bare IPv6 with a port": ("wss://fe80::1:8765/x", "brackets"),
    "bracket not closed": ("wss://[::1/x", "brackets"),
    "bracket not opened": ("wss://::1]/x", "brackets"),
    "name in brackets": ("wss://[example.com]/x", "brackets"),
    "IPv4 in brackets": ("ws://[127.0.0.1]/x", "brackets"),
    "IPv6 of nine parts": ("wss://[1:2:3:4:5:6:7:8:9]/x", "brackets"),
    "two logins": ("wss://a:b@c:d@example.com/x", "percent-encoded"),
    "no user": ("wss://:word@example.com/x", "before the @"),
    "no password": ("wss://user@example.com/x", "before the @"),
    "control character in a password": ("wss://user:%00@example.com/x", "cannot be sent"),
    "not encrypted": ("ws://example.com/x", "not encrypted"),
    "too long": ("wss://example.com" + "/word" * 700, "2,000"),
    "nothing": ("   ", "Say where"),
    "a word": ("somewhere", "'demo', 'prod'"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_address_is_refused_with_what_is_wrong(kind):
    where, word = BAD[kind]
    with pytest.raises(UnknownEnvironmentError) as caught:
        kn.connect(where, key_id="i", private_key="-----BEGIN")
    assert word in str(caught.value)
    assert "wss://" in str(caught.value) or "'prod'" in str(caught.value)
    assert "KALSHI_ENV" not in str(caught.value) or kind == "nothing"


@pytest.mark.parametrize("kind", [kind for kind, (where, _) in BAD.items() if "\0" not in where])  # none can hold that
def test_a_bad_address_of_the_environment_names_its_variable(kind, monkeypatch):
    where, word = BAD[kind]
    monkeypatch.setenv("KALSHI_ENV", where)
    with pytest.raises(UnknownEnvironmentError, match="KALSHI_ENV") as caught:
        kn.connect()
    assert word in str(caught.value)


@pytest.mark.parametrize("kind", BAD)
def test_the_doctor_fails_at_the_environment(kind):
    where, word = BAD[kind]
    report = kn.doctor(where)
    assert report.problem.name == "environment"
    assert word in report.problem.text


@pytest.mark.parametrize(
    "url",
    [
        "wss://example.com",
        "wss://example.com/",
        "wss://example.com:1/x",
        "wss://example.com:65535/x?a=b",
        "wss://example.com./x",
        "wss://under_score.example.com/x",
        f"wss://{'a' * 63}.com/x",
        "wss://[2001:db8::1]:8443/x",
        "wss://bücher.example/x",
        "wss://example.com/%C3%BC",
        "ws://[::1]:8765/x",
        "ws://127.0.0.1:8765" + PATH,
        "ws://localhost/",
    ],
)
def test_a_good_address_stays_letter_for_letter(url):
    assert place_of(url).url == url
    assert place_of(f"  {url}\n").url == url
    assert place_of(url).login is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Prod", "prod"), ("PROD", "prod"), (" demo\n", "demo"), ("'demo'", "demo"), ('"prod"', "prod"), ("Sim", "sim")],
)
def test_a_name_is_taken_whatever_its_case_blanks_and_quotes(said, meant, monkeypatch):
    assert named(said) == meant
    if meant == SIMULATED:
        monkeypatch.setenv("KALSHI_ENV", said)
        with kn.connect() as feed:
            assert feed.state == "connected"
    else:
        assert place_of(said).url == ENVIRONMENTS[meant]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("production", "prod"),
        ("Production", "prod"),
        ("live", "prod"),
        ("porduction", None),
        ("prd", "prod"),
        ("prod.", "prod"),
        ("sandbox", "demo"),
        ("demoo", "demo"),
        ("dmeo", "demo"),
        ("simm", "sim"),
        ("simulation", "sim"),
        ("rubbish", None),
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_another_name_is_asked_about_and_never_guessed(said, meant, by_environment, monkeypatch):
    if by_environment:
        monkeypatch.setenv("KALSHI_ENV", said)
    with pytest.raises(UnknownEnvironmentError) as caught:
        kn.connect(None if by_environment else said)
    assert (f"Did you mean {meant!r}?" in str(caught.value)) == (meant is not None)
    assert ("KALSHI_ENV" in str(caught.value)) == by_environment
    assert "'sim'" in str(caught.value)


@pytest.mark.parametrize("where", [7, 1.5, b"demo", ["demo"], object(), True])
def test_what_is_no_text_is_refused_by_its_type(where):
    with pytest.raises(UnknownEnvironmentError, match=type(where).__name__):
        kn.connect(where)


def test_the_errors_are_those_of_the_tree():
    assert issubclass(UnknownEnvironmentError, ConfigurationError)
