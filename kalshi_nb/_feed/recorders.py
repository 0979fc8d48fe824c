"""The recorders of a feed: what each of them wants, and how it is doing."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._engine.port import Engine
from kalshi_nb._feed.demand import Demand, Held, MarketTickers, check_subjects
from kalshi_nb._frames.addresses import address_of
from kalshi_nb._moments import datetime_of
from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import BOOKS, CHANNELS, NEVER_DROPPED, source_of
from kalshi_nb._sizes import size
from kalshi_nb._usage import iterated
from kalshi_nb._version import __version__
from kalshi_nb.errors import ConfigurationError, MarketTickerError, RecordingWarning, UnknownChannelError

if TYPE_CHECKING:
    from kalshi_nb._recording.kept import Kept
    from kalshi_nb._recording.recorder import Recorder

__all__ = ["Channels", "Folder", "Recorders"]

Folder = str | os.PathLike[str]
"""Where to record."""

_PATIENCE: Final = 10.0
"""Seconds that the end of a feed waits for exports that follow its recorders."""

Channels = str | Iterable[str] | None
"""What to record; None for what the feed wants."""


class Recorders:
    """Those that record what a feed hears.

    Parameters
    ----------
    engine : Engine
        What hears it.
    demand : Demand
        What is wanted of it.
    played : str, optional
        Where the recording is that it plays.
    """

    def __init__(self, engine: Engine, demand: Demand, played: str | None = None) -> None:
        self._engine = engine
        self._played = played
        self._demand = demand
        self._every: list[Recorder] = []
        self._warned: set[int] = set()

    def record(
        self, path: str | os.PathLike[str], channels: str | Iterable[str] | None, market_tickers: MarketTickers
    ) -> Recorder:
        """Record into a folder; see :meth:`kalshi_nb.Feed.record`."""
        from kalshi_nb._recording.kept import Kept  # noqa: PLC0415  # most feeds are not recorded
        from kalshi_nb._recording.places import check_place  # noqa: PLC0415  # as above
        from kalshi_nb._recording.recorder import Recorder  # noqa: PLC0415  # as above

        folder = _folder(path)
        named = None if channels is None and market_tickers is None else self._named(channels, market_tickers)
        kept = Kept(self._wanted(), {}) if named is None else _kept(named)
        held: list[Held] = []
        recorder: Recorder | None = None

        def end() -> None:
            for each in held:
                each.release()
            self._every = [each for each in self._every if each is not recorder]

        check_place(folder, self._engine.clock.now_us(), self._played)
        about = {"kit": __version__, "from": self._engine.url, "channels": sorted(kept.channels)}
        is_new = not folder.exists()
        recorder = Recorder(self._engine, folder, kept, end, about)
        # It hears before anything is asked for: the first rows come with the answer.
        try:
            for channel, some in named or ():
                held.append(self._demand.rows(channel, some, are_taken=False))
        except BaseException:
            recorder.close()
            if is_new:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        self._every = [*self._every, recorder]
        return recorder

    def _wanted(self) -> list[str]:
        """Return all channels but those of the account, of a feed that wants some of them already."""
        if not self._demand.channels() - NEVER_DROPPED:
            raise ConfigurationError(
                "Nothing is named, and the feed wants nothing yet that could be recorded: name channels and "
                "markets, record(path, ['trade', 'orderbook_delta'], ['KXHIGHNY-26NOV22-B52.5']), or open "
                "frames and books first. Channels of the account are recorded only where they are named."
            )
        return [each for each in CHANNELS if each not in NEVER_DROPPED]

    def _named(
        self, channels: str | Iterable[str] | None, market_tickers: MarketTickers
    ) -> list[tuple[str, frozenset[str] | None]]:
        """Return the channels that are named, with what is wanted of each."""
        if channels is None:
            channels = ["trade", "ticker", BOOKS]
        through = iterated(channels)
        named: list[Any] | None = None if through is None else list(through)
        if named is None or any(isinstance(each, bytes | bytearray) for each in named):
            raise UnknownChannelError(
                f"channels={shown(channels)}: name a channel as text, or a list of them, of {', '.join(CHANNELS)}."
            )
        if not named:
            raise ConfigurationError(f"channels is empty; leave it out, or name some of {', '.join(CHANNELS)}.")
        tickers = market_tickers
        if isinstance(tickers, Iterable) and not isinstance(tickers, str):
            tickers = list(tickers)  # an iterator gives them once, and each channel asks
        found = [(each, check_subjects(each, tickers)) for each in named]
        if any(some is None and source_of(each) == BOOKS for each, some in found) and not self._demand.keeps_books():
            raise MarketTickerError(
                "Name the markets whose books to record: the exchange has no channel of all books. For instance "
                f"record(path, {[each for each, _ in found]}, ['KXHIGHNY-26NOV22-B52.5']); or open books first, and "
                "record those that the feed keeps."
            )
        return found

    def close(self) -> None:
        """Seal all of them, before the connection ends: that end is no loss."""
        for each in self._every:
            each.close(timeout=_PATIENCE)

    def told(self) -> tuple[str, ...]:
        """Say what of them somebody should look at, a sentence each."""
        return tuple(f"{about[:1].lower()}{about[1:]}: {trouble}" for _, about, trouble in self._troubles())

    def lines(self) -> tuple[str, ...]:
        """Say how they are doing, a line each."""
        return tuple(
            line
            for each in self._every
            for line in (_line(each), *(f"export into {export.line()}" for export in each.exports))
        )

    def _troubles(self) -> Iterator[tuple[int, str, str]]:
        """Return what tells each trouble from the others, what it is of, and itself."""
        for each in self._every:
            trouble = each.status.trouble
            if trouble is not None:
                yield id(each), f"Recording into {each.folder}", trouble
            for export in each.exports:
                if export.trouble is not None:
                    yield id(export), f"Export of {each.folder}", export.trouble

    def warn(self, stacklevel: int) -> None:
        """Warn of a trouble that was not told before, on the thread of whoever asks for something."""
        found = list(self._troubles())
        now = {each for each, _, _ in found}
        news, self._warned = [each for each in found if each[0] not in self._warned], now
        for _, about, trouble in news:
            warnings.warn(f"{about}: {trouble}", RecordingWarning, stacklevel=stacklevel)


def _kept(named: Iterable[tuple[str, frozenset[str] | None]]) -> Kept:
    """Return what is kept, by the names that the exchange has for it."""
    from kalshi_nb._recording.kept import Kept  # noqa: PLC0415  # most feeds are not recorded

    wanted: dict[str, list[str] | None] = {}
    channels = []
    for channel, some in named:
        source = source_of(channel)
        channels.append(source)
        if some is not None or source != BOOKS:  # there is no channel of all books: it is those that the feed keeps
            wanted[source] = None if some is None else sorted(some)
    return Kept(list(dict.fromkeys(channels)), wanted)


def _folder(path: object) -> Path:
    from kalshi_nb._frames.files import local_path  # noqa: PLC0415  # most feeds are not recorded
    from kalshi_nb._recording.places import check_path  # noqa: PLC0415  # as above

    text = check_path(path, "the folder to record into, such as 'data/night'")
    if address_of(text) is not None:
        raise ConfigurationError(
            f"path={shown(path)}: a recording is written to a folder of this computer, since a store shows a file "
            "only when it is closed. Record here, and have it exported there meanwhile: "
            "recorder.export('s3://…', follow=True)."
        )
    return local_path(text)


def _line(recorder: Recorder) -> str:
    status = recorder.status
    until = f"{datetime_of(status.durable_until):%H:%M:%S} UTC" if status.durable_until else "nothing yet"
    return (
        f"{recorder.folder}: {status.messages:,} messages ({status.messages_per_second:,.0f}/s), "
        f"{size(status.written_bytes)} for {size(status.raw_bytes)}, kept until {until}, "
        f"{size(status.free_bytes)} free"
    )
