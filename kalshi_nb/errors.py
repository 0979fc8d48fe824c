"""Everything that kalshi_nb raises on purpose, and what to do about it.

::

    KalshiError
    ├── ConfigurationError (ValueError)       what was passed cannot work
    │   ├── UnknownEnvironmentError           connect() was told a place that does not exist
    │   ├── CredentialsError
    │   │   ├── MissingCredentialsError       no key id or no private key
    │   │   └── PrivateKeyError               a key that cannot be read or used
    │   ├── UnknownChannelError               no such channel
    │   ├── MarketTickerError                 an empty, missing or non-string ticker
    │   ├── FeedOptionsError                  connect() again, with other options
    │   ├── FileError (OSError)               a file that cannot be written
    │   └── MissingPackageError (ImportError)  an optional package is not installed
    ├── LinkError (ConnectionError)
    │   ├── UnreachableError                  nobody answers there
    │   ├── HandshakeError                    the exchange answered, but not with a WebSocket
    │   │   └── AuthenticationError           the exchange refuses the credentials
    │   │       └── ClockSkewError            401 because this computer's clock is off
    │   └── FeedClosedError                   the feed was closed; connect() again
    │       └── ForkedError                   its threads stayed with the parent of this process
    ├── HandleClosedError                     a frame, book or pipeline that was closed
    ├── UsageError (TypeError)                a handle used as what it is not
    ├── NoSuchAttributeError (AttributeError)  a handle that has no such attribute, or none to set
    ├── NoSuchBookError (KeyError)            a mapping of books without that market
    ├── SubscriptionError                     the exchange refused a subscription
    ├── WaitTimeoutError (TimeoutError)       what was waited for did not come
    ├── WrongThreadError (RuntimeError)       a call that would wait for its own thread
    ├── PipelineError                         a streamz node or callback that cannot work here
    ├── WireError (ValueError)                bytes of the exchange that mean nothing
    ├── RestError                             what was asked for over REST did not come, or not wholly
    │   ├── RestRequestError (ValueError)     the exchange does not take the question
    │   ├── RestCredentialsError              the exchange refuses the key, or wants one
    │   ├── RestNotFoundError (LookupError)   there is no such market, event or series
    │   ├── RateLimitError                    too many requests, for longer than was waited
    │   ├── RestUnavailableError (ConnectionError)  nobody answers, or only the edge
    │   ├── RestBodyError (ValueError)        an answer that means nothing
    │   └── PagingError                       pages that lead in a circle
    ├── RecordingError (OSError)              a recording that cannot be written or read
    │   ├── RecordingInUseError               somebody else is writing into that folder
    │   └── NewerRecordingError               a newer version of the package wrote it
    └── SimulationError                       the simulated exchange was told something impossible
        └── PortInUseError (OSError)

    KalshiWarning (UserWarning)
    ├── PipelineWarning                       a user's node raised, on the feed's thread
    ├── HandleWarning                         a handle that others hold was not closed
    ├── AccountWarning                        what one's account was before one listened cannot be had
    ├── HistoryWarning                        trades of the past that could not be read
    ├── RecordingWarning                      a recorder cannot keep what comes
    └── ClockWarning                          this computer's clock is off
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

__all__ = [
    "AccountWarning",
    "AuthenticationError",
    "ClockSkewError",
    "ClockWarning",
    "ConfigurationError",
    "CredentialsError",
    "FeedClosedError",
    "FeedOptionsError",
    "FileError",
    "ForkedError",
    "HandleClosedError",
    "HandleWarning",
    "HandshakeError",
    "HistoryWarning",
    "KalshiError",
    "KalshiWarning",
    "LinkError",
    "MarketTickerError",
    "MissingCredentialsError",
    "MissingPackageError",
    "NewerRecordingError",
    "NoSuchAttributeError",
    "NoSuchBookError",
    "PagingError",
    "PipelineError",
    "PipelineWarning",
    "PortInUseError",
    "PrivateKeyError",
    "RateLimitError",
    "RecordingError",
    "RecordingInUseError",
    "RecordingWarning",
    "RestBodyError",
    "RestCredentialsError",
    "RestError",
    "RestNotFoundError",
    "RestRequestError",
    "RestUnavailableError",
    "SimulationError",
    "SubscriptionError",
    "UnknownChannelError",
    "UnknownEnvironmentError",
    "UnreachableError",
    "UsageError",
    "WaitTimeoutError",
    "WireError",
    "WrongThreadError",
]


class KalshiError(Exception):
    """The root of every error that kalshi_nb raises on purpose."""


class ConfigurationError(KalshiError, ValueError):
    """What was passed cannot work; nothing was sent."""


class UnknownEnvironmentError(ConfigurationError):
    """``connect()`` was told a place that does not exist."""


class CredentialsError(ConfigurationError):
    """The key id or the private key cannot be used."""


class MissingCredentialsError(CredentialsError):
    """No key id or no private key was given or found in the environment."""


class PrivateKeyError(CredentialsError):
    """The private key cannot be read, is encrypted, or is of a type that Kalshi does not take."""


class UnknownChannelError(ConfigurationError):
    """There is no channel of that name."""


class MarketTickerError(ConfigurationError):
    """A market ticker is missing, empty or not a string."""


class FeedOptionsError(ConfigurationError):
    """``connect()`` was called again for a running feed, with other options."""


class MissingPackageError(ConfigurationError, ImportError):
    """An optional package is needed for this and is not installed; the message gives the command."""


class FileError(ConfigurationError, OSError):
    """A file cannot be written; what was there before is unchanged."""


class LinkError(KalshiError, ConnectionError):
    """The connection to the exchange could not be made or is gone."""


class UnreachableError(LinkError):
    """Nobody answered at the exchange's address."""


class HandshakeError(LinkError):
    """The exchange answered the handshake with something else than a WebSocket.

    Attributes
    ----------
    status : int
        The HTTP status of the answer; 0 where it is not at hand any more.
    body : str
        The first part of its body.
    retry_after : float or None
        Seconds to wait, where the answer said so.
    """

    def __init__(self, message: str, *, status: int, body: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.retry_after = retry_after


class AuthenticationError(HandshakeError):
    """The exchange itself refused the credentials (401, or 403 with JSON of its own); anything else is an outage."""


class ClockSkewError(AuthenticationError):
    """The exchange refused the signature's timestamp: this computer's clock is off."""


class FeedClosedError(LinkError):
    """The feed was closed; what it holds can still be read, but nothing new can be asked of it."""


class ForkedError(FeedClosedError):
    """The feed's threads stayed with the process that this one was forked from; connect() again here."""


class HandleClosedError(KalshiError):
    """A frame, a book or a pipeline was closed; what it holds can still be read, but nothing new comes."""


class UsageError(KalshiError, TypeError):
    """A handle was used as something that it is not; the message says what to write instead."""


class NoSuchAttributeError(KalshiError, AttributeError):
    """A handle has no such attribute, or none that can be set; the message says what to write instead."""


class NoSuchBookError(KalshiError, KeyError):
    """A mapping of books has none of that market."""

    __str__ = Exception.__str__  # a key's own shows the message as if it were one


class SubscriptionError(KalshiError):
    """The exchange refused a subscription.

    Attributes
    ----------
    channel : str
        The channel that was asked for.
    code : int
        The exchange's error code, 0 where it gave no answer at all.
    market_tickers : tuple of str
        The tickers the error is about, empty where it names none.
    """

    def __init__(self, message: str, *, channel: str, code: int, market_tickers: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.channel = channel
        self.code = code
        self.market_tickers = market_tickers


class WaitTimeoutError(KalshiError, TimeoutError):
    """What was waited for did not come in time; the message says what did come."""


class WrongThreadError(KalshiError, RuntimeError):
    """A call that would wait for the very thread it was made on."""


class PipelineError(KalshiError):
    """A streamz node or a callback that cannot work here; the message names what can."""


class WireError(KalshiError, ValueError):
    """Bytes or values of the exchange that mean nothing; the feed counts them and goes on."""


class RestError(KalshiError):
    """What was asked for over REST did not come, or not wholly.

    Attributes
    ----------
    status : int
        The HTTP status of the answer; 0 where there was none, or none that was wrong.
    code : str
        The exchange's own code, empty where it gave none.
    body : str
        The first part of the answer's body.
    partial : polars.DataFrame or None
        What had come before, of a list that has several pages; None where there was no list.
    cursor : str
        Where that list goes on: pass it as ``cursor=`` to ask for the rest. Empty where it begins.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body
        self.partial: object = None
        self.cursor = ""


class RestRequestError(RestError, ValueError):
    """The exchange does not take the question; asked again it is answered the same."""


class RestCredentialsError(RestError):
    """The exchange refuses the key over REST (401 or 403), or wants one."""


class RestNotFoundError(RestError, LookupError):
    """The exchange knows no such market, event or series, or not any more."""


class RateLimitError(RestError):
    """The exchange said that these are too many requests, at every try."""


class RestUnavailableError(RestError, ConnectionError):
    """Nobody answered, or only the edge before the exchange did, at every try."""


class RestBodyError(RestError, ValueError):
    """An answer that cannot be read, or a number in it that would have to be rounded."""


class PagingError(RestError):
    """The exchange's pages lead in a circle; what had come before is in ``partial``."""


class RecordingError(KalshiError, OSError):
    """A recording cannot be written, or there is none to read; nothing that was recorded before is harmed."""


class RecordingInUseError(RecordingError):
    """Somebody else is recording into that folder, or repairing it; the message says who."""


class NewerRecordingError(RecordingError):
    """A newer version of the package made the recording; the message says what to install."""


class SimulationError(KalshiError):
    """The simulated exchange was told something impossible."""


class PortInUseError(SimulationError, OSError):
    """The port asked for is taken by somebody else."""


class KalshiWarning(UserWarning):
    """The root of every warning that kalshi_nb gives on purpose."""


class PipelineWarning(KalshiWarning):
    """A user's node or callback raised on the feed's thread; told at the next call in a cell."""


class RecordingWarning(KalshiWarning):
    """A recorder cannot keep what comes; the message says why, and what to do."""


class HandleWarning(KalshiWarning):
    """A frame that others hold, too, was not closed at the end of a ``with``."""


class AccountWarning(KalshiWarning):
    """What one's own account was before somebody listened cannot be had; the message says why, and what to do."""


class HistoryWarning(KalshiWarning):
    """Trades that the exchange told of over REST could not be read and are left out; the message says how many."""


class ClockWarning(KalshiWarning):
    """The clock of this computer is off by so much that signatures may be refused."""


_ELSEWHERE: Final = {
    "KalshiAPIError": "what REST answers with an error is RestError, and all of ours KalshiError",
    "ResourceNotFoundError": "RestNotFoundError",
}
"""What other clients call what is here."""

if not TYPE_CHECKING:  # to a type checker no name is there but those that are

    def __getattr__(name: str) -> NoReturn:
        instead = _ELSEWHERE.get(name)
        told = f": {instead}." if instead else f"; it has {', '.join(sorted(__all__))}."
        raise AttributeError(f"{__name__} has no {name!r}{told}")
