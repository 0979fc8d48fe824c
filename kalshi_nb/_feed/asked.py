"""What ``connect()`` is asked for: each argument is looked at, and none is kept where a traceback could show it."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from kalshi_nb._durations import seconds
from kalshi_nb._environments import ENVIRONMENTS, SIMULATED, Place, named, place_of
from kalshi_nb._feed.options import Options
from kalshi_nb._feed.routes import checked_proxy, checked_ssl
from kalshi_nb._redaction import Secret, hidden, shown
from kalshi_nb._settings import ENVIRONMENT_VARIABLE, Settings
from kalshi_nb._usage import as_bool, as_int, flag, whole
from kalshi_nb.errors import UnknownEnvironmentError

if TYPE_CHECKING:
    from kalshi_nb.sim import Exchange

__all__ = ["Asked", "Whereabouts", "asked_for", "whereabouts"]

MOST_CONNECTIONS: Final = 200
"""What the exchange allows one user, unless the usage tier says otherwise."""

_MANY_CONNECTIONS: Final = (
    f"pass how many to keep, 1 to {MOST_CONNECTIONS}; more than that Kalshi allows nobody by default"
)
_LONGEST: Final = 3_600

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of ``connect()``, looked at.

    Attributes
    ----------
    where, key_id, private_key : Secret
        Hold what was passed; the first two may be, and the last one is, what nobody else may see.
    options : Options
        What the feed is to be made with.
    timeout : float
        Seconds that the first handshake may take.
    new : bool
        Whether the feed is to be one of its own.
    """

    where: Secret
    key_id: Secret
    private_key: Secret
    options: Options
    timeout: float
    new: bool


def asked_for(given: Secret) -> Asked:
    """Look at the arguments of ``connect()``, a dictionary of them.

    Raises
    ------
    ConfigurationError
        When one cannot work; the message never repeats what could be a key.
    """

    def value(name: str) -> Any:
        return given.reveal()[name]

    return Asked(
        where=Secret(value("where")),
        key_id=Secret(value("key_id")),
        private_key=Secret(value("private_key")),
        timeout=seconds("timeout", _plain(value("timeout")), "pass seconds, such as 10.0", most=_LONGEST),
        options=Options(
            flush_interval=seconds(
                "flush_interval", _plain(value("flush_interval")), "pass seconds, such as 0.05", most=_LONGEST
            ),
            max_pending_rows=whole(
                "max_pending_rows", _plain(value("max_pending_rows")), "pass a number of rows, such as 1_000_000"
            ),
            connections=whole("connections", _plain(value("connections")), _MANY_CONNECTIONS, most=MOST_CONNECTIONS),
            transport=cast("Any", hidden(value("transport"))),  # looked at where the engine is made
            ssl=checked_ssl(Secret(value("ssl"))),
            proxy=checked_proxy(Secret(value("proxy"))),
            backfill=None if value("backfill") is None else flag("backfill", _plain(value("backfill"))),
        ),
        new=flag("new", _plain(value("new"))),
    )


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where to connect: one of the first three.

    Attributes
    ----------
    place : Place or None
        An address.
    exchange : Exchange or None
        A simulated exchange that somebody holds.
    embedded : bool
        A simulated exchange that is to be started.
    origin : str
        Which variable said so, empty where it was passed.
    """

    place: Place | None = None
    exchange: Exchange | None = None
    embedded: bool = False
    origin: str = ""


def whereabouts(where: Secret) -> Whereabouts:
    """Return where to connect.

    Raises
    ------
    UnknownEnvironmentError
        When nobody said so, or there is no such place.
    """
    origin = ""
    if where.reveal() is None:
        settings = Settings()
        found = settings.find(ENVIRONMENT_VARIABLE)
        if found is None:
            raise UnknownEnvironmentError(_nowhere(settings))
        where, origin = found.value, found.origin
    if hasattr(where.reveal(), "attach") and not isinstance(where.reveal(), type):
        return Whereabouts(exchange=cast("Exchange", where.reveal()))
    if not isinstance(where.reveal(), str):
        meant = _meant(where) or f" It is of type {type(where.reveal()).__name__}."
        raise UnknownEnvironmentError(
            f"connect() takes {', '.join(map(repr, (SIMULATED, *ENVIRONMENTS)))}, a WebSocket address or a simulated "
            f"exchange; that was {shown(where)}.{meant}"
        )
    if not where.reveal().strip():
        raise UnknownEnvironmentError(_nowhere(Settings()))
    if named(where.reveal()) == SIMULATED:
        return Whereabouts(embedded=True, origin=origin)
    return Whereabouts(place=place_of(where, origin), origin=origin)


def _meant(where: Secret) -> str:
    """Say what to write in place of what is nearly an exchange."""
    given = where.reveal()
    name = getattr(given, "__name__", "")
    module = getattr(given, "__module__", None) or ""
    if name == "kalshi_nb.sim":
        return " Did you mean 'sim', or kalshi_nb.sim.Exchange()?"
    if callable(given) and module.startswith("kalshi_nb.sim"):
        return f" Write the brackets, too: connect(kalshi_nb.sim.{name}())."
    if hasattr(given, "trades") and not isinstance(given, type):
        return " That is a feed already: use it as it is."
    return ""


def _nowhere(settings: Settings) -> str:
    return (
        "Say where to connect: 'sim' is a simulated exchange (no key, no network), 'demo' and 'prod' are Kalshi. "
        f"Write connect('sim'), or --env sim behind a command; or set {ENVIRONMENT_VARIABLE}. "
        f"Looked {settings.looked_in()}."
    )


def _plain(value: Any) -> Any:
    """Return a number of any library's as Python's own, and what could be a key where no traceback shows it."""
    return hidden(as_int(value) if isinstance(value, numbers.Real) else as_bool(value))
