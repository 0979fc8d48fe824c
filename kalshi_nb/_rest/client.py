"""GETs to the exchange: signed where there is a key, at the pace that it takes, again where that may help.

**Threads.** A client is used by any thread at once: by cells, by callbacks, by whoever looks for markets on a page. It
has one pool of connections, which httpx guards, one limiter with a lock of its own, and a lock around what it makes
once. Whoever waits, for a place in the line or before another try, waits on the event of the client's end, and so does
not outlive it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from kalshi_nb._environments import is_here
from kalshi_nb._moments import said_at
from kalshi_nb._offload import off_loop
from kalshi_nb._redaction import Secret, shown
from kalshi_nb._rest.bodies import LimitsBody
from kalshi_nb._rest.failures import Refusal, refusal_of
from kalshi_nb._rest.limiter import ANONYMOUS, HISTORICAL, Limiter, share_of
from kalshi_nb._rows.foreign import plain_text
from kalshi_nb._sealed import sealed, without
from kalshi_nb._threads import refuse_on
from kalshi_nb._version import __version__
from kalshi_nb.errors import (
    ConfigurationError,
    RestBodyError,
    RestError,
    RestRequestError,
    RestUnavailableError,
)

if TYPE_CHECKING:
    import ssl

    import httpx

    from kalshi_nb._auth import Credentials, Signer

__all__ = ["UNDER_WAY", "Answer", "Pacing", "Params", "RestClient", "refuse_here", "segment"]

T = TypeVar("T")
Params = Mapping[str, str | int | Sequence[str] | None]
"""Parameters of a query; those that are None are not sent."""

UNDER_WAY: Final = 4
"""Questions of one walk that may be under way at once: an answer is a quarter of a second on its way."""
_START_TOKENS: Final = 200
"""The budget of the lowest tier, until the exchange has said what one's own is."""
_TRIES: Final = 10
_TRIES_TO_REACH: Final = 4
"""Of a host that nobody answers at: a name with a slip in it will not be right in a minute."""
_FIRST_CEILING: Final = 0.5
_LAST_CEILING: Final = 30.0
_LONGEST_ASKED: Final = 120.0
"""Seconds of a ``Retry-After`` that are waited at most."""
_TIMEOUT: Final = 30.0
_SHORT_TIMEOUT: Final = 5.0
"""Of what one can do without."""
_WHOLE: Final = 10
"""So many times as long as it may be silent an answer may take as a whole: one that trickles is never silent."""
_LARGEST_ANSWER: Final = 100_000_000
"""Bytes of the largest body that is taken, unpacked; the largest real ones, of all series, are a tenth of that."""
_PACKINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
"""How a body may be packed, once: of these a piece is unpacked to a thousand times its size at most."""
_HISTORICAL_TIER: Final = "/historical/"
_CLOSED: Final = "The feed was closed before the exchange had answered; connect() again."


@dataclass(frozen=True, slots=True)
class Pacing:
    """The time that a client goes by.

    Attributes
    ----------
    now : callable
        A clock that is never set, in seconds.
    wait : callable or None
        Waits so many seconds; None for the client's own, which ends with it.
    chance : callable
        A number from 0 to 1.
    """

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] | None = None
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What the exchange answered, and when that was so by its own clock: microseconds since 1970, None if unsaid."""

    body: T
    at: int | None


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came of asking once; status 0 where nobody answered, and why.

    The reason is text: the library's own error leads to frames in which all headers stand, a password among them. What
    was sent is kept, sealed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)  # it may say back what was sent
    reason: str = ""
    is_connected: bool = True
    sent: Mapping[str, str] = field(default_factory=dict)

    @property
    def quotable(self) -> bytes:
        """The body as an error may quote it: some servers say back what they were sent, a signature too."""
        return without(self.body, self.sent)

    @property
    def is_answer(self) -> bool:
        """Whether it is one: there are pages of HTML with status 200, too, and answers that break off on their way."""
        return self.status == 200 and self.body.lstrip()[:1] == b"{" and _is_whole(self.body)


@dataclass(slots=True)
class _Key:
    """The key that is in use; read again where the exchange refuses it, since it may have been rotated."""

    credentials: Credentials
    signer: Signer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, *, instead_of: Signer | None = None) -> Signer:
        with self.lock:
            if self.signer is None or self.signer is instead_of:
                self.signer = self.credentials.signer()
            return self.signer


class RestClient:
    """One exchange over REST. Nothing is sent, and httpx not imported, before the first question.

    Parameters
    ----------
    base : str
        Its address, such as ``https://external-api.kalshi.com/trade-api/v2``.
    credentials : Credentials, optional
        Signs every request; without it only what is public can be asked for.
    verify : ssl.SSLContext, optional
        Whom to trust; those whom this computer trusts when None.
    proxy : str or bool, optional
        The proxy on the way; False for none; what the environment says, but for this computer itself, when None.
    pacing : Pacing, optional
        The time that it goes by.
    """

    def __init__(
        self,
        base: str,
        *,
        credentials: Credentials | None = None,
        verify: ssl.SSLContext | None = None,
        proxy: str | bool | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self._prefix = urlsplit(self.base).path
        self._key = None if credentials is None else _Key(credentials)
        self._verify = verify
        self._proxy = Secret(proxy)
        pacing = Pacing() if pacing is None else pacing
        self._pacing = pacing
        self._closed = threading.Event()
        self._wait: Callable[[float], object] = self._closed.wait if pacing.wait is None else pacing.wait
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._under_way = 0
        self._has_limits = credentials is None
        most = ANONYMOUS if credentials is None else share_of(_START_TOKENS)
        self.limiter: Final = Limiter(most, pacing.now)
        """How many requests a second are made."""
        self.historical: Final = Limiter(min(most, HISTORICAL), pacing.now)
        """How many of these to the historical tier, which takes fewer."""

    def get(
        self,
        path: str,
        kind: type[T],
        params: Params | None = None,
        given_up: threading.Event | None = None,
        *,
        tries: int = _TRIES,
        timeout: float = _TIMEOUT,
    ) -> Answer[T]:
        """Ask, and return the answer; on any thread but those that the feed's data goes through.

        Parameters
        ----------
        path : str
            Such as ``/markets``, behind the prefix that all have.
        kind : type
            The structure that the body is read as.
        params : mapping, optional
            The query.
        given_up : threading.Event, optional
            Set when nobody waits for the answer any more: then it is not asked again.
        tries : int
            How often it is asked at most.
        timeout : float
            Seconds that the exchange may be silent; ten times as many it may take to answer whole.

        Raises
        ------
        RestError
            When there is no answer, whatever was tried; its class says why, and its text what to do.
        CredentialsError
            When the key cannot be read.
        """
        refuse_here()
        self._ask_for_limits()
        reply = self._answered(path, params or {}, tries=tries, timeout=timeout, given_up=given_up)
        try:
            return Answer(msgspec.json.decode(reply.body, type=kind), _said_at(reply.headers))
        except _UNREADABLE as problem:
            raise RestBodyError(
                f"GET {path}: the answer cannot be read ({plain_text(str(problem))}). Try again; where it stays so, "
                "the exchange has changed its answers, and a newer version of this package may know them.",
                status=reply.status,
                body=plain_text(reply.quotable[:1200].decode(errors="replace"), 300),
            ) from problem

    async def get_async(self, path: str, kind: type[T], params: Params | None = None) -> Answer[T]:
        """Ask as :meth:`get` does, on a thread of its own, and leave the event loop free meanwhile."""
        return await off_loop(lambda: self.get(path, kind, params), "kalshi-rest")

    def close(self) -> None:
        """End its connections, and whatever waits; a question that is under way ends first. Idempotent."""
        self._closed.set()
        self._end_pool()

    def __repr__(self) -> str:
        return f"<RestClient {self.base}{', closed' if self._closed.is_set() else ''}>"

    # Inside -------------------------------------------------------------------------------------------

    def _ask_for_limits(self) -> None:
        """Learn, once and before anything else, how much one's key is allowed; not to know it is no error."""
        with self._lock:
            is_known, self._has_limits = self._has_limits, True
        if is_known:
            return
        try:
            reply = self._answered("/account/limits", {}, tries=1, timeout=_SHORT_TIMEOUT)
            rate = msgspec.json.decode(reply.body, type=LimitsBody).read.refill_rate
        except (RestError, *_UNREADABLE):
            return
        if rate > 0:
            self.limiter.set_most(share_of(rate))

    def _answered(
        self, path: str, params: Params, *, tries: int, timeout: float, given_up: threading.Event | None = None
    ) -> _Reply:
        """Ask until there is an answer, or nothing more to hope for."""
        limiters = [self.limiter, *([self.historical] if path.startswith(_HISTORICAL_TIER) else [])]
        is_read_again = False
        number = 0
        while True:
            self._pause(max(each.reserve() for each in limiters))
            signer = None if self._key is None else self._key.read()
            reply = self._asked_once(path, params, signer, timeout)
            if reply.is_answer:
                for each in limiters:
                    each.answered()
                return reply
            number += 1
            refusal = self._refusal(path, reply, number, is_signed=signer is not None)
            if refusal.is_too_many:
                limiters[-1].refused()  # of the two that of the tier is the narrower one
            if reply.status == 401 and not is_read_again and self._is_rotated(signer):
                is_read_again = True
            elif not refusal.is_worth_another or number >= tries or (given_up is not None and given_up.is_set()):
                raise refusal.error
            else:
                self._pause(self._before_next(reply, number))

    def _asked_once(self, path: str, params: Params, signer: Signer | None, timeout: float) -> _Reply:
        import httpx  # noqa: PLC0415  # nobody who does not ask needs it

        sent = {name: value for name, value in params.items() if value is not None}
        headers = {} if signer is None else sealed(signer.headers(self._prefix + path))
        try:
            with (
                self._pool(httpx) as pool,
                pool.stream(
                    "GET",
                    self.base + path,
                    params=sent,
                    timeout=timeout,
                    headers=headers,
                ) as answer,
            ):
                reply = self._read(path, answer, time.monotonic() + _WHOLE * timeout)
        except httpx.InvalidURL as problem:
            reason = plain_text(str(problem))
            raise RestRequestError(f"GET {path}: nothing can be asked like that ({reason}). Ask for less.") from None
        except httpx.RequestError as problem:  # a body that cannot be unpacked is one, too
            reason = plain_text(str(problem)) or type(problem).__name__
            return _Reply(0, {}, b"", reason, is_connected=not isinstance(problem, httpx.ConnectError))
        except BaseException as problem:  # noqa: BLE001  # raised again
            # Ctrl-C, for one. The library's frames are left behind: in them the headers stand open, as they are sent.
            problem.__context__ = None
            raise problem.with_traceback(None)  # noqa: B904  # it is the same
        return replace(reply, sent=headers)

    @staticmethod
    def _read(path: str, answer: httpx.Response, until: float) -> _Reply:
        """Read an answer to its end; what has not ended by a moment of the monotonic clock is none.

        Raises
        ------
        RestBodyError
            When it is larger than any of the exchange's, or packed as nobody asked for: a kilobyte that was packed
            twice may be gigabytes.
        """
        packing = answer.headers.get("content-encoding", "").strip().lower()
        if packing not in _PACKINGS:
            raise _unasked(path, answer, f"is packed as nobody asked for ({plain_text(packing, 40)})")
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > _LARGEST_ANSWER:
                raise _unasked(path, answer, f"is larger than {_LARGEST_ANSWER // 1_000_000} MB")
            if time.monotonic() > until:
                return _Reply(0, {}, b"", "the answer began, and did not end")
        return _Reply(answer.status_code, answer.headers, b"".join(parts))

    def _refusal(self, path: str, reply: _Reply, number: int, *, is_signed: bool) -> Refusal:
        if reply.status:
            return refusal_of(path, reply.status, reply.quotable, is_signed=is_signed)
        told = (
            f"GET {path}: {urlsplit(self.base).netloc} does not answer ({reply.reason}), at any of several tries. "
            "Look at the network, and at proxy= and ssl= where there is something between."
        )
        return Refusal(RestUnavailableError(told), reply.is_connected or number < _TRIES_TO_REACH)

    def _is_rotated(self, signer: Signer | None) -> bool:
        """Tell whether there is another key now than the one that was refused."""
        if self._key is None or signer is None:
            return False
        now = self._key.read(instead_of=signer)
        return (now.key_id, now.fingerprint()) != (signer.key_id, signer.fingerprint())

    @contextmanager
    def _pool(self, library: Any) -> Iterator[httpx.Client]:
        """Give the pool of connections for one question."""
        with self._lock:
            if self._closed.is_set():
                raise RestUnavailableError(_CLOSED)
            if self._http is None:
                self._http = self._made(library)
            http = self._http
            self._under_way += 1
        try:
            yield http
        finally:
            with self._lock:
                self._under_way -= 1
            self._end_pool()

    def _end_pool(self) -> None:
        """Close the pool, once the client is closed and no question under way.

        To close a socket under a thread that reads from it does not wake that thread: it would wait for as long as the
        exchange may be silent.
        """
        with self._lock:
            if not self._closed.is_set() or self._under_way:
                return
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _made(self, library: Any) -> httpx.Client:
        """Make the pool of connections."""
        try:
            made: httpx.Client = library.Client(
                # Where nothing is encrypted nobody is to be trusted, and to read whom one would trust takes a while.
                verify=self.base.startswith("https:") if self._verify is None else self._verify,
                proxy=self._proxy.reveal() or None,
                trust_env=self._proxy.reveal() is None and not is_here(self.base),
                timeout=_TIMEOUT,
                headers={
                    "User-Agent": f"kalshi_nb/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip, deflate",
                },
                event_hooks={"response": [_lead_nowhere]},
            )
        except (ImportError, ValueError, library.InvalidURL):
            pass  # the library's error may show the address, and a password in it
        else:
            return made
        raise ConfigurationError(
            "REST cannot go by this proxy; pass one of http:// or https://, or for socks5:// pip install "
            "'httpx[socks]'."
        )

    def _before_next(self, reply: _Reply, number: int) -> float:
        asked = _asked_wait(reply.headers)
        return self._ceiling(number - 1) if asked is None else min(asked, _LONGEST_ASKED)

    def _ceiling(self, number: int) -> float:
        """Return how long to wait before another try: anything from nothing to a ceiling that doubles."""
        ceiling: float = min(_LAST_CEILING, _FIRST_CEILING * 2**number)
        return self._pacing.chance() * ceiling

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._wait(seconds)
        if self._closed.is_set():
            raise RestUnavailableError(_CLOSED)


_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""How a body says that it cannot be read as what it is to be."""


def _lead_nowhere(answer: httpx.Response) -> None:
    """Forget where an answer leads to: nobody goes there, and the library fails at addresses that are none."""
    answer.headers.pop("location", None)


def _unasked(path: str, answer: httpx.Response, what: str) -> RestBodyError:
    """Return that an answer is not read, since it is something that none of the exchange's is."""
    return RestBodyError(
        f"GET {path}: the answer {what}, as none of the exchange's is, and was not read. Look at the address, and at "
        "proxy= where there is something between.",
        status=answer.status_code,
    )


def _is_whole(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)  # goes through it, and makes nothing of it
    except msgspec.DecodeError:
        return False
    except RecursionError:
        pass  # whoever reads it says so
    return True


def refuse_here() -> None:
    """Refuse to ask on a thread that the feed's data goes through; WrongThreadError where it is one."""
    refuse_on("io", "pipeline", "display", doing="A question over REST", instead="Ask in a cell or in a callback")


def segment(text: str) -> str:
    """Return a ticker as a part of a path.

    Raises
    ------
    ConfigurationError
        When it is no text, or none at all.
    """
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"{shown(text)} is no ticker; pass one, such as 'KXHIGHNY-26NOV22-B52.5'.")
    return quote(text.strip(), safe="")


def _said_at(headers: Mapping[str, str]) -> int | None:
    """Return when an answer was made by the exchange's clock; what lay in a cache is older than its date."""
    date = said_at(headers.get("date"))
    return None if date is None else round((date - (_seconds(headers.get("age")) or 0)) * 1e6)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return how long a Retry-After asks to wait: seconds, or a date, which is by the clock of the other end."""
    text = headers.get("retry-after")
    moment = said_at(text)
    if moment is None:
        return _seconds(text)
    return max(0.0, moment - (said_at(headers.get("date")) or time.time()))


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
