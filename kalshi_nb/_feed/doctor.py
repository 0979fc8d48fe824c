"""``doctor()``: looks at key, environment, clock, handshake and one subscription in turn, and says what is wrong."""

from __future__ import annotations

import html
import importlib.metadata
import json
import os
import platform
import shlex
import ssl as _ssl
import stat
import urllib.parse
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._auth import GIVEN, Credentials
from kalshi_nb._clock import WallClock
from kalshi_nb._engine.port import BUILT, COMPILED
from kalshi_nb._environments import ENVIRONMENTS, Place, rest_of
from kalshi_nb._extensions import NO_EXTENSIONS
from kalshi_nb._feed.asked import whereabouts
from kalshi_nb._feed.connect import WORST_CLOCK, connect
from kalshi_nb._feed.doctor_rest import Outcome, rest_checks, trade_checks
from kalshi_nb._feed.options import ProxyAddress
from kalshi_nb._feed.routes import checked_proxy, checked_ssl, context_of
from kalshi_nb._redaction import Secret
from kalshi_nb._rest.client import RestClient
from kalshi_nb._settings import KEY_ID_VARIABLES, KEY_PATH_VARIABLE, Setting
from kalshi_nb._terminal import hanging
from kalshi_nb._threads import refuse_on
from kalshi_nb._usage import flag
from kalshi_nb._version import __version__
from kalshi_nb.errors import (
    AuthenticationError,
    ClockSkewError,
    CredentialsError,
    KalshiError,
    UnknownEnvironmentError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from kalshi_nb._feed.feed import Feed
    from kalshi_nb.sim import Exchange

__all__ = ["Check", "Report", "doctor"]

_SIGNS: Final[dict[Outcome, str]] = {"ok": "ok  ", "warning": "look", "failed": "FAIL", "skipped": "-   "}
_NAMES: Final = ("package", "environment", "key id", "private key", "handshake", "clock", "subscription", "data")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What: ``package``, ``environment``, ``key id``, ``private key``, ``handshake``, ``clock``, ``subscription``,
        ``data``; and of REST ``rest``, ``rest clock``, ``rest key``, ``rest limit``, ``rest trades``, ``rest window``
        and ``rest cache``.
    outcome : str
        ``ok``, ``warning`` (it works, but look at it), ``failed``, or ``skipped`` because of one before.
    text : str
        What was found, and the next step where there is one. Never a part of a key.
    """

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What :func:`kalshi_nb.doctor` found.

    Attributes
    ----------
    checks : tuple of Check
        In the order they were made.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings are allowed."""
        return all(each.outcome != "failed" for each in self.checks)

    @property
    def problem(self) -> Check | None:
        """The check that failed, None where none did."""
        return next((each for each in self.checks if each.outcome == "failed"), None)

    def __repr__(self) -> str:
        width = max(len(each.name) for each in self.checks)
        lines = [hanging(f"{_SIGNS[each.outcome]}  {each.name:<{width}}  ", each.text) for each in self.checks]
        return "\n".join([*lines, "", self._conclusion()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_SIGNS[each.outcome].strip()}</td>"
            f"<th style='text-align:left'>{html.escape(each.name)}</th>"
            f"<td style='text-align:left'>{html.escape(each.text)}</td></tr>"
            for each in self.checks
        )
        return f"<table>{rows}</table><div><b>{html.escape(self._conclusion())}</b></div>"

    def _conclusion(self) -> str:
        problem = self.problem
        if problem is not None:
            return f"Not working yet: {problem.name}."
        looks = [each.name for each in self.checks if each.outcome == "warning"]
        return f"Working; look at {', '.join(looks)}." if looks else "All is well."


class _Failed(Exception):  # noqa: N818  # not an error: the way out of the checks
    """A check failed, so that the ones behind it have no meaning."""


class _Examination:
    """The checks made so far."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def ok(self, name: str, text: str) -> None:
        self.checks.append(Check(name, "ok", text))

    def warn(self, name: str, text: str) -> None:
        self.checks.append(Check(name, "warning", text))

    def fail(self, name: str, text: str) -> _Failed:
        self.checks.append(Check(name, "failed", text))
        return _Failed()

    def report(self) -> Report:
        done = {each.name for each in self.checks}
        left = [Check(name, "skipped", "not looked at") for name in _NAMES if name not in done]
        return Report((*self.checks, *left))


def doctor(
    where: str | Exchange | None = None,
    *,
    key_id: str | None = None,
    private_key: Any = None,
    timeout: float = 10.0,
    ssl: _ssl.SSLContext | str | os.PathLike[str] | None = None,
    proxy: str | bool | None = None,
    rest: bool = False,
) -> Report:
    """Look at everything a feed needs, in turn, and say in plain words what is wrong and what to do.

    Parameters
    ----------
    where : str or kalshi_nb.sim.Exchange, optional
        As for :func:`kalshi_nb.connect`.
    key_id : str, optional
        As for :func:`kalshi_nb.connect`.
    private_key : str, path, bytes or key object, optional
        As for :func:`kalshi_nb.connect`.
    timeout : float
        Seconds that the handshake, and then the first row of data, may take.
    ssl, proxy
        As for :func:`kalshi_nb.connect`.
    rest : bool
        Look at REST, too: whether it answers, its clock, whether it takes the key, how many requests a second are
        made, and how late it shows a trade that the socket has brought. That takes half a minute at most.

    Returns
    -------
    Report
        Prints as a table, in a cell, too. ``report.ok`` says whether a feed would work now, ``report.problem``
        is the check that failed. No part of a private key is in it, and of a key id the last four characters.

    Examples
    --------
    >>> import kalshi_nb as kn
    >>> kn.doctor("sim").ok
    True
    """
    given = Secret(dict(locals()))  # from here on, no traceback can show any of it
    del where, key_id, private_key, timeout, ssl, proxy, rest
    is_rest_wanted = flag("rest", given.reveal().pop("rest"))
    refuse_on("io", "pipeline", "user", "display", doing="doctor()", instead="Call it in a cell")
    found = _Examination()
    _look_at_package(found)
    try:
        place = _look_at_environment(found, Secret(given.reveal()["where"]))
        if is_rest_wanted:
            _look_at_rest(found, given)
        if place is None:
            found.ok("key id", "the simulated exchange brings its own")
            found.ok("private key", "the simulated exchange brings its own")
        else:
            _look_at_key(found, Credentials(Secret(given.reveal()["key_id"]), Secret(given.reveal()["private_key"])))
        with _look_at_handshake(found, given) as feed:
            _look_at_clock(found, feed)
            _look_at_data(found, feed, given.reveal()["timeout"])
            if is_rest_wanted:
                _look_at_trades(found, feed, given.reveal()["timeout"])
    except _Failed:
        pass
    return found.report()


def _look_at_package(found: _Examination) -> None:
    here = f"kalshi_nb {__version__} on Python {platform.python_version()}"
    if COMPILED:
        found.ok("package", f"{here}, with its compiled part")
    elif BUILT:
        found.ok("package", f"{here}; its compiled part is switched off by {NO_EXTENSIONS}")
    else:
        found.warn(
            "package",
            f"{here}, without its compiled part: all works, at about half of the speed. With a C compiler at hand: "
            f"pip install --force-reinstall --no-deps --no-cache-dir {_source()}",
        )


def _source() -> str:
    """Return what to tell pip for the same package once more: the checkout, where it was installed from one."""
    try:
        told = importlib.metadata.distribution("kalshi-nb").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        told = None
    origin = json.loads(told) if told else {}
    if "dir_info" not in origin:
        return "/path/to/checkout"  # a wheel, and what an index gave, has no source to compile
    path = shlex.quote(urllib.request.url2pathname(urllib.parse.urlsplit(origin["url"]).path))
    return f"--editable {path}" if origin["dir_info"].get("editable") else path


def _look_at_environment(found: _Examination, where: Secret) -> Place | None:
    """Return the address, None for a simulated exchange."""
    try:
        there = whereabouts(where)
    except UnknownEnvironmentError as unknown:
        raise found.fail("environment", str(unknown)) from None
    said = f"from {there.origin}" if there.origin else "as given"
    if there.place is None:
        found.ok("environment", f"a simulated exchange, {said}")
        return None
    name = next((name for name, each in ENVIRONMENTS.items() if each == there.place.url), "an address")
    login = "" if there.place.login is None else ", with a user name and a password"
    found.ok("environment", f"{name}, {said}: {there.place.url}{login}")
    return there.place


def _look_at_rest(found: _Examination, given: Secret) -> None:
    """Look at REST; what is wrong with it keeps nobody from looking further."""
    there = whereabouts(Secret(given.reveal()["where"]))
    exchange = there.exchange
    if there.embedded:
        from kalshi_nb.sim._running import embedded  # noqa: PLC0415  # a server nobody needs who asks Kalshi

        exchange = embedded()
    if exchange is not None:
        base, now_us = exchange.rest_url, exchange.now_us
        credentials = Credentials(exchange.key_id, Secret(exchange.private_key), environ={})
    else:
        assert there.place is not None
        base, now_us = rest_of(there.place.url), WallClock().now_us
        credentials = Credentials(Secret(given.reveal()["key_id"]), Secret(given.reveal()["private_key"]))
    try:
        context = context_of(checked_ssl(Secret(given.reveal()["ssl"])))
        way = checked_proxy(Secret(given.reveal()["proxy"]))
        proxy = way.url if isinstance(way, ProxyAddress) else way
        has_key = credentials.key_id() is not None and credentials.private_key() is not None
        public = RestClient(base, verify=context, proxy=proxy)
        signed = RestClient(base, credentials=credentials, verify=context, proxy=proxy) if has_key else None
        with closing(public), closing(signed or public):
            for name, outcome, text in rest_checks(public, signed, given.reveal()["timeout"], now_us):
                found.checks.append(Check(name, outcome, text))
    except KalshiError as problem:
        found.checks.append(Check("rest", "failed", str(problem)))


def _look_at_trades(found: _Examination, feed: Feed, timeout: float) -> None:
    """Look over REST for what the socket brings; whatever comes of it, a feed works."""
    try:
        client = feed._parts.discovery.client  # noqa: SLF001  # of this room
        for name, outcome, text in trade_checks(client, feed.trades(), timeout):
            found.checks.append(Check(name, outcome, text))
    except KalshiError as problem:
        found.checks.append(Check("rest trades", "warning", f"not known: {problem}"))


def _look_at_key(found: _Examination, credentials: Credentials) -> None:
    key_id = credentials.key_id()
    if key_id is None:
        raise found.fail(
            "key id",
            f"none: pass key_id (the command: --key-id), or set {KEY_ID_VARIABLES[0]} to the id "
            f"that Kalshi's API-keys page shows. Looked {credentials.looked_in()}",
        )
    try:
        credentials.check_key_id()
    except CredentialsError as problem:
        raise found.fail("key id", str(problem)) from None
    found.ok("key id", f"…{str(key_id.value.reveal()).strip()[-4:]}, {_from(key_id)}")
    key = credentials.private_key()
    if key is None:
        raise found.fail(
            "private key",
            f"none: pass private_key (the command: --private-key), or set {KEY_PATH_VARIABLE} to the PEM "
            f"file that Kalshi gave you. Looked {credentials.looked_in()}",
        )
    try:
        signer = credentials.signer()
    except CredentialsError as problem:
        raise found.fail("private key", str(problem)) from None
    text = f"{signer.key_type}, {_from(key)}"
    readers = _readable_by_others(key.value)
    if readers is None:
        found.ok("private key", text)
    else:
        found.warn("private key", f"{text}; {readers}")


def _from(setting: Setting) -> str:
    return setting.origin if setting.origin == GIVEN else f"from {setting.origin}"


def _readable_by_others(private_key: Secret) -> str | None:
    """Say whether the key's file, where it is one, is open to other users of this computer."""
    path = _file_of(private_key)
    if path is None or os.name != "posix":
        return None
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"other users of this computer may read {str(path)!r}: chmod 600 it"
    return None


def _file_of(private_key: Secret) -> Path | None:
    try:
        path = Path(os.fsdecode(private_key.reveal())).expanduser()
        return path if path.is_file() else None
    except (OSError, ValueError, TypeError, RuntimeError):  # the text of a key is no path
        return None


def _look_at_handshake(found: _Examination, given: Secret) -> Feed:
    try:
        feed = connect(**given.reveal(), new=True)
    except ClockSkewError as refusal:
        found.ok("handshake", "answered, but the signature's time was refused")
        raise found.fail("clock", str(refusal)) from None
    except AuthenticationError as refusal:
        raise found.fail("handshake", str(refusal)) from None
    except KalshiError as problem:
        raise found.fail("handshake", str(problem)) from None
    found.ok("handshake", f"accepted by {feed.url}")
    return feed


def _look_at_clock(found: _Examination, feed: Feed) -> None:
    skew = feed.clock_skew
    if skew is None:
        found.ok("clock", "good enough for the handshake; the exchange did not say its own time")
    elif abs(skew) > WORST_CLOCK:
        side = "ahead of" if skew > 0 else "behind"
        found.warn("clock", f"{abs(skew):.0f} s {side} the exchange's: switch on automatic time (NTP)")
    else:
        found.ok("clock", f"within {max(1.0, abs(skew)):.0f} s of the exchange's")


def _look_at_data(found: _Examination, feed: Feed, timeout: float) -> None:
    try:
        tickers = feed.tickers(rows=1_000)
    except KalshiError as refusal:
        raise found.fail("subscription", str(refusal)) from None
    found.ok("subscription", "the tickers of all markets, acknowledged")
    try:
        tickers.wait(rows=1, timeout=timeout)
    except WaitTimeoutError:
        found.warn(
            "data",
            f"no ticker changed within {timeout:g} s; markets may be quiet, or in maintenance (Thursdays 03:00 to "
            "05:00 New York time)",
        )
    else:
        found.ok("data", "tickers come")
