"""A recording as its reader has it: what is there, as polars frames."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kalshi_nb._durations import duration_us
from kalshi_nb._engine.offline import Recorded
from kalshi_nb._foreign_names import corrected, corrected_methods
from kalshi_nb._frames.addresses import address_of, told
from kalshi_nb._frames.gaps import gap_frame
from kalshi_nb._frames.polars_threads import refuse_without_polars
from kalshi_nb._frames.schema import MARKET, schema
from kalshi_nb._moments import Moment, datetime_of, moment_us
from kalshi_nb._recording.about import About, read_about
from kalshi_nb._recording.asked import MarketTickers, check_channel, check_recorded, job_of, span_of, tickers_of
from kalshi_nb._recording.backfilled import Backfilled, read
from kalshi_nb._recording.candles import CANDLE_SCHEMA, candles_of
from kalshi_nb._recording.export import ExportReport, Job, Part, Tables, export_segment, run
from kalshi_nb._recording.files import name_in
from kalshi_nb._recording.gap_tables import tables_of
from kalshi_nb._recording.info import RecordingInfo
from kalshi_nb._recording.kinds import needed
from kalshi_nb._recording.merging import CHANNEL as REPAIRED
from kalshi_nb._recording.merging import merged
from kalshi_nb._recording.missing import missing_trades
from kalshi_nb._recording.origin import origin_of
from kalshi_nb._recording.places import WHERE_RECORDED, check_folder, check_options, check_path
from kalshi_nb._recording.progress import SILENT, Meter, ProgressOption, Watch, check_progress, telling
from kalshi_nb._recording.reading import Info, Segments
from kalshi_nb._recording.repair import RepairReport, Where, asked_of, repair
from kalshi_nb._recording.sources import block_source
from kalshi_nb._recording.telling import (
    DEPTH_SCHEMA,
    books_at,
    books_every,
    carried_into,
    frames_of,
    gaps_in,
    gaps_of,
    recorded_of,
    rows_of,
)
from kalshi_nb._recording.workers import absolute, check_client, mapped
from kalshi_nb._redaction import shown
from kalshi_nb._rest.discovery import check_progress as check_progress_called
from kalshi_nb._rows.channels import BOOKS, QUOTES, ROWS, traits_of
from kalshi_nb._rows.heard import Heard
from kalshi_nb._usage import setter, whole
from kalshi_nb.errors import ConfigurationError, RecordingError

if TYPE_CHECKING:
    import datetime as dt

    from kalshi_nb._rest.discovery import Progress
    from kalshi_nb._rows.gaps import Gap

__all__ = ["Recording", "open_recording"]

_OF_CANDLES: Final = ("trade", QUOTES)


@corrected
def open_recording(path: str | os.PathLike[str], **options: Any) -> Recording:
    """Open what was recorded: it becomes typed frames, the same columns as live.

    Parameters
    ----------
    path : str or path
        The folder of a recording, one segment of it (a ``.part`` that is still being written, too), or either at an
        address that fsspec knows (``s3://…``; that takes ``pip install 'kalshi-nb[remote]'``).
    **options
        What fsspec needs to get to an address, such as ``key`` and ``secret``; a path of this computer has none.

    Returns
    -------
    Recording
        What is there now; while it is still being recorded, open it again for more.

    Raises
    ------
    RecordingError
        When there is no recording, or so many files that the folder of the recording is to be named.
    NewerRecordingError
        When a newer version of the package made it.
    UsageError
        When there is no such option; the nearest is named.

    Examples
    --------
    >>> import kalshi_nb as kn
    >>> recording = kn.open_recording("data/night")    # doctest: +SKIP
    >>> recording.trades().filter(pl.col("count") > 100).collect()    # doctest: +SKIP
    """
    place = check_path(path, WHERE_RECORDED)
    check_options(open_recording, place, options)
    check_folder(place)
    found = Recording(place, options)
    found._about()  # noqa: SLF001  # what a newer version made is refused at once
    return found


@corrected_methods
class Recording:
    """What was recorded at one place; made by :func:`kalshi_nb.open_recording`.

    Frames are polars LazyFrames: ``.collect()`` reads, block by block, what the query needs. They have the columns of
    the same frames of a feed; ``received_at`` is the recorded one.
    """

    __setattr__ = setter(instead="open another one, kn.open_recording(…)")

    def __init__(
        self,
        path: str,
        options: Mapping[str, Any],
        *,
        on_read: Callable[[int], None] | None = None,
        through: int | None = None,
        of: str | None = None,
    ) -> None:
        self._path = path if of is None else of
        self._place = path
        self._options = dict(options)
        self._segments = Segments(path, self._options, on_read=on_read, through=through, of=of)

    def __repr__(self) -> str:
        info = self._info
        if info.first is None or info.last is None:
            return f"<Recording {self._path}: empty>"
        count = sum(info.messages.values())
        return (
            f"<Recording {self._path}: {count:,} messages from {datetime_of(info.first):%Y-%m-%d %H:%M:%S} to "
            f"{datetime_of(info.last):%Y-%m-%d %H:%M:%S} UTC, {', '.join(sorted(self._recorded.channels))}>"
        )

    @property
    def path(self) -> str:
        """Where it is."""
        return self._path

    @cached_property
    def _info(self) -> Info:
        return self._segments.info()

    @cached_property
    def _recorded(self) -> Recorded:
        return recorded_of(self._path, self._info)

    @cached_property
    def _backfilled(self) -> Backfilled:
        return read(self._segments.folder, self._options, self._segments.files[0].open_file)

    def _about(self) -> About:
        """Return what the recording says of itself."""
        return read_about(self._segments.folder, self._segments.files[0].open_file)

    def _reach(self) -> tuple[int, int]:
        """Return the earliest and the latest time of it, in microseconds."""
        info = self._info
        if info.first is None or info.last is None:
            raise RecordingError(f"{self._path} is empty: nothing was recorded, or nothing of it can be read.")
        return info.first, info.last

    def _heard(self, start: int | None = None) -> Iterator[Heard]:
        """Return all that was heard, from the checkpoint before a moment on."""
        return self._segments.items(start)

    def info(self) -> RecordingInfo:
        """Return what is there, what was wanted and never came, and what a torn tail or flipped bits cost.

        Reads all of it once, to find what cannot be read.
        """
        info, report = self._info, self._segments.check()
        return RecordingInfo(
            path=self._path,
            start=None if info.first is None else datetime_of(info.first),
            end=None if info.last is None else datetime_of(info.last),
            segments=info.segments,
            sealed=info.sealed,
            messages=dict(sorted(report.messages.items())),
            unreadable=dict(sorted((Counter(info.messages) - report.messages).items())),
            wanted={channel: names for channel, names in info.asked.items() if channel in ROWS},
            missing=self._missing(),
            losses=[f"{datetime_of(at):%Y-%m-%d %H:%M:%S}: {kind}, {text}" for at, kind, text in info.losses],
            damages=[
                *filter(None, [self._about().damage]),
                *(f"{each.segment}: {each.text}" for each in report.damages),
                *(f"{each}: it cannot be read; repair again for what was in it" for each in self._backfilled.damaged),
            ],
            raw_bytes=info.raw,
            file_bytes=info.size,
            backfilled=self._backfilled.rows,
        )

    def _missing(self) -> dict[str, list[str]]:
        found = {}
        for channel, asked in self._info.asked.items():
            subject = traits_of(channel).subject if channel in ROWS else None
            if asked is not None and subject is not None:
                came = self.frame(channel).select(pl.col(subject).unique()).collect()[subject]
                if (
                    channel in self._recorded.channels and channel == BOOKS
                ):  # a quiet one has its snapshot, or stands in a checkpoint
                    came = pl.concat([came, self.depth(at=datetime_of(self._reach()[1]), levels=1).collect()[MARKET]])
                never = sorted({*asked} - {*came})
                if never:
                    found[channel] = never
        return found

    # Frames -------------------------------------------------------------------------------------------

    def frame(
        self,
        channel: str,
        market_tickers: MarketTickers = None,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pl.LazyFrame:
        """Return the rows of a channel, or ``"quotes"``, in the order in which they were received.

        Parameters
        ----------
        channel : str
            The channel, by Kalshi's name.
        market_tickers : str or iterable of str, optional
            The markets; all of them where it is left out.
        start, end : datetime, str or float, optional
            From when to when, by ``received_at``: ``"2026-11-28T06:30:00Z"``, a datetime, or seconds since 1970;
            UTC unless they say otherwise. Segments, and blocks of them, that are outside are not read.

        Returns
        -------
        polars.LazyFrame
            With the columns of the same frame of a feed.

        Raises
        ------
        UnknownChannelError
            When there is no such channel.
        MarketTickerError
            When a ticker is empty or none, or there is none in a list.
        ConfigurationError
            When a moment cannot be understood; when the channel was never recorded, or the market was not among those
            that were: without that there would be no rows, as if nothing had happened.
        """
        check_channel(channel)
        tickers, is_some = tickers_of(market_tickers), traits_of(channel).subject is not None
        if tickers is not None and not is_some:
            raise ConfigurationError(f"{channel} is about no market: leave market_tickers out.")
        found = self._rows_of(channel, tickers, *span_of(start, end))
        self._check_asked([channel], tickers)
        return found

    def _rows_of(
        self, channel: str, tickers: Sequence[str] | None, first: int | None, last: int | None
    ) -> pl.LazyFrame:
        columns = schema(channel, late=self._is_late(channel))
        made = block_source(partial(self._blocks, channel, first, last), columns)
        subject = traits_of(channel).subject
        return made if tickers is None or subject is None else made.filter(pl.col(subject).is_in(tickers))

    def _blocks(self, channel: str, first: int | None, last: int | None) -> Iterator[pl.DataFrame]:
        if (traits_of(channel).source or channel) not in self._recorded.channels:
            return iter(())
        return (frame for _, frame in self._blocks_of([channel], first, last))

    def _blocks_of(
        self, channels: Iterable[str], first: int | None, last: int | None, gaps: list[Gap] | None = None
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """Return the rows of several channels, read once; gaps that are met are put into a list."""
        there = self._kept(channels)
        items, lead_in = self._items(first, last, there), self._segments.lead_in(first)
        found = frames_of(there, self._recorded, items, first, lead_in, gaps=gaps)
        if not any(map(self._is_late, there)):
            return found
        names = [each.name for each in self._segments.files]
        return merged(found, self._backfilled.of(names), first, last)

    def _is_late(self, channel: str) -> bool:
        """Whether the rows of a channel say which of them were fetched later."""
        return channel == REPAIRED and bool(self._backfilled.files)

    def _kept(self, channels: Iterable[str]) -> list[str]:
        """Return those of some channels that were recorded."""
        return [each for each in channels if (traits_of(each).source or each) in self._recorded.channels]

    def _items(self, first: int | None, last: int | None, channels: Iterable[str] | None = None) -> Iterator[Heard]:
        there = self._info.messages
        types = None if channels is None else needed(channels, there)
        if types is not None and types >= there.keys():  # nothing to be left out is nothing to be looked for
            types = None
        return self._segments.items(first, last, types)

    def trades(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return the trades; as :meth:`frame`."""
        return self.frame("trade", market_tickers, start=start, end=end)

    def tickers(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return the tickers; as :meth:`frame`."""
        return self.frame("ticker", market_tickers, start=start, end=end)

    def deltas(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return the changes of books, level by level; as :meth:`frame`."""
        return self.frame(BOOKS, market_tickers, start=start, end=end)

    def quotes(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return best bid and ask with their sizes, one row a change, from the recorded books; as :meth:`frame`."""
        return self.frame(QUOTES, market_tickers, start=start, end=end)

    def fills(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return one's own fills, where the account's channels were recorded by name; as :meth:`frame`."""
        return self.frame("fill", market_tickers, start=start, end=end)

    def orders(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return one's own orders, as :meth:`fills`."""
        return self.frame("user_orders", market_tickers, start=start, end=end)

    def positions(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return one's own positions, as :meth:`fills`."""
        return self.frame("market_positions", market_tickers, start=start, end=end)

    def lifecycle(
        self, market_tickers: MarketTickers = None, *, start: Moment | None = None, end: Moment | None = None
    ) -> pl.LazyFrame:
        """Return what happened to markets; as :meth:`frame`."""
        return self.frame("market_lifecycle_v2", market_tickers, start=start, end=end)

    def gaps(self) -> pl.LazyFrame:
        """Return every gap: of the line, of the recorder (``dropped``, ``not_recorded``), of the disk (``torn``).

        Returns
        -------
        polars.LazyFrame
            The columns of ``feed.gaps``; ``closed_at`` null where the recording ends in it, ``repaired_by`` "rest"
            of gaps of trades that :meth:`repair` has proven to be whole.
        """
        return gap_frame(self._backfilled.mark(gaps_in(self._recorded, self._items(None, None)))).lazy()

    def depth(
        self,
        market_tickers: MarketTickers = None,
        *,
        at: Moment | None = None,
        every: str | float | dt.timedelta | None = None,
        levels: int = 10,
        start: Moment | None = None,
        end: Moment | None = None,
        client: Any = None,
    ) -> pl.LazyFrame:
        """Return books as they stood at a moment, or at the end of each interval.

        Parameters
        ----------
        market_tickers : str or iterable of str, optional
            The markets; all of them where it is left out.
        at : datetime, str or float, optional
            The moment.
        every : str, timedelta or float, optional
            Or the interval, such as ``"1s"``; intervals begin at multiples of it since 1970.
        levels : int
            Rows a book, at most.
        start, end : datetime, str or float, optional
            With `every`, from when to when.
        client : dask.distributed.Client, optional
            With `every`, whose workers do it when the frame is collected, a segment each; they need the same folders.

        Returns
        -------
        polars.LazyFrame
            ``at, market_ticker, level`` (1 is best), ``bid_size, bid, ask, ask_size``: YES dollars and contracts, by
            time and ticker. A book that could not be trusted at a moment has no rows there.

        Raises
        ------
        ConfigurationError
            When not exactly one of `at` and `every` is given, or one cannot be understood.
        """
        refuse_without_polars("depth()")
        levels = whole("levels", levels, "give how many rows a book you want, such as 10")
        if (at is None) == (every is None):
            raise ConfigurationError('depth() takes either a moment, at="…", or an interval, every="1s".')
        check_client(client, self._place)
        tickers = tickers_of(market_tickers)
        self._check_asked([BOOKS], tickers)
        if at is not None:
            if client is not None:
                raise ConfigurationError("depth(at=…) is read by one process: leave client out, or give every=.")
            moment = moment_us("at", at)
            if moment > self._reach()[1]:  # nobody knows how books went on
                return pl.LazyFrame(schema=DEPTH_SCHEMA)
            items, lead_in = self._items(moment, moment, [BOOKS]), self._segments.lead_in(moment)
            made = books_at(self._recorded, items, moment, levels, lead_in).lazy()
        else:
            interval, (first, last) = duration_us("every", every), span_of(start, end)
            if client is None:
                blocks = partial(self._depths, first, last, interval, levels)
            else:
                blocks = partial(self._depths_by, client, first, last, interval, levels)
            made = block_source(blocks, DEPTH_SCHEMA)
        return made if tickers is None else made.filter(pl.col(MARKET).is_in(tickers))

    def _depths(self, first: int | None, last: int | None, interval: int, levels: int) -> Iterator[pl.DataFrame]:
        items, lead_in = self._items(first, last, [BOOKS]), self._segments.lead_in(first)
        return books_every(self._recorded, items, first, interval, levels, lead_in)

    def _depths_by(
        self, client: Any, first: int | None, last: int | None, interval: int, levels: int
    ) -> Iterator[pl.DataFrame]:
        """Return the same, of pieces from the beginning of a segment to that of the next; each ends with its moment.

        Whoever reads a piece begins with the checkpoint before it, which the segment begins with as a rule.
        """
        inner = [
            each
            for each in self._segments.begins()[1:]
            if (first is None or each > first) and (last is None or each < last)
        ]
        pieces = list(zip([first, *inner], [*inner, last], strict=True))
        piece = partial(_depth_piece, absolute(self._place), self._options, interval, levels)
        return mapped(piece, pieces, client)

    def candles(
        self,
        interval: str | float | dt.timedelta,
        market_tickers: MarketTickers = None,
        *,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> pl.LazyFrame:
        """Return candles of the recorded trades and quotes.

        Parameters
        ----------
        interval : str, timedelta or float
            Such as ``"1m"``.
        market_tickers, start, end
            As for :meth:`frame`.

        Returns
        -------
        polars.LazyFrame
            ``market_ticker, start, end, open, high, low, close, volume, trades``, then open, high, low and close of
            ``yes_bid`` and ``yes_ask``, ``open_interest`` and ``complete``: one row where a trade or a quote moved,
            prices null without a trade. `complete` is false where a gap of the market overlaps the interval, or the
            recording does not reach over all of it.
        """
        every, info = duration_us("interval", interval), self._info
        first, last, tickers = *span_of(start, end), tickers_of(market_tickers)
        self._check_asked(self._kept(_OF_CANDLES) or _OF_CANDLES, tickers)
        trades, quotes = (self._rows_of(each, tickers, first, last) for each in _OF_CANDLES)
        reach = max(info.first or 0, first or 0), min(info.last or 0, last if last is not None else info.last or 0)
        return block_source(
            lambda: iter([candles_of(trades, quotes, self.gaps().collect(), every, reach)]), CANDLE_SCHEMA
        )

    # Beyond one frame ---------------------------------------------------------------------------------

    def export(
        self,
        out: str | os.PathLike[str],
        format: str = "parquet",  # noqa: A002  # as users of polars and pandas say it
        *,
        channels: str | Iterable[str] | None = None,
        market_tickers: MarketTickers = None,
        start: Moment | None = None,
        end: Moment | None = None,
        client: Any = None,
        progress: ProgressOption = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> ExportReport:
        """Write typed files, one a channel, UTC day and segment: ``out/channel=trade/date=2026-11-28/….parquet``.

        polars, DuckDB, pandas and pyarrow read the folder as it is, and :func:`kalshi_nb.open_export` does. A file is
        there whole or not at all; an export that broke off goes on where it was, and one of a recording that has grown
        adds what is new. The same recording gives the same bytes.

        Parameters
        ----------
        out : str or path
            A folder, which is made where it is not there and may be a link to one, or an address that fsspec knows
            (``s3://…``; that takes ``pip install 'kalshi-nb[s3]'``).
        format : str
            ``"parquet"``, ``"arrow"``, ``"csv"`` or ``"ndjson"``.
        channels : str or iterable of str, optional
            Of which channels, ``"quotes"`` among them; of all that were recorded where it is left out.
        market_tickers, start, end
            As for :meth:`frame`.
        client : dask.distributed.Client, optional
            Whose workers do it, a segment each; they need the same folders. A worker that dies costs its segment
            another try.
        progress : bool or callable, optional
            True shows rows, rate and time left: in a notebook in the cell, in a terminal as a bar (with rich:
            ``pip install 'kalshi-nb[cli]'``), else as a line on standard error every ten seconds. Left out, it does so
            in notebooks and terminals alone. A function is called with an ``ExportProgress``, once a block of rows.
        storage_options : mapping, optional
            What fsspec needs to get to an address, such as ``{"key": …, "secret": …}``.

        Returns
        -------
        ExportReport
            Rows by channel, and the files.

        Raises
        ------
        ConfigurationError
            When a value will not do.
        FileError
            When the files cannot be written.
        RecordingError
            When the place holds an export of another recording, of other markets or times, or in another format, or
            when a file does not hold the rows that were handed to it.
        RecordingInUseError
            When somebody else is exporting into that place.
        """
        refuse_without_polars("export()")
        check_progress(progress)
        job = job_of(out, format, channels, market_tickers, start, end, storage_options)
        if os.path.isfile(job.out):  # noqa: PTH113  # it may be an address
            raise ConfigurationError(
                f"{job.out} is a file: name a folder for the tables, which is made where it is missing."
            )
        check_client(client, self._place, job.out)
        named = sorted(self._recorded.channels) if job.channels is None else job.channels
        check_recorded(self._recorded.channels, named, job.market_tickers, self._path)
        with telling(progress, f"export to {told(job.out)}") as tell:
            return self._run(job, named, client, Meter(tell))

    def _run(self, job: Job, named: Sequence[str], client: Any = None, meter: Meter | None = None) -> ExportReport:
        meter = Meter(None) if meter is None else meter
        sizes = {each.path: self._segments.size_of(each.path) for each in self._segments.files}
        watch = meter if client is None else SILENT
        export = partial(_export, job, absolute(self._place), self._options, watch)

        def write(fresh: Sequence[str]) -> Generator[tuple[str, list[Part]]]:
            meter.expect({path: sizes[path] for path in fresh})
            here = (export(path) for path in meter.begun(fresh))
            with closing(here if client is None else mapped(export, fresh, client)) as exported:
                for path, parts in zip(fresh, exported, strict=True):
                    yield path, parts
                    told = sum(each.rows for each in parts if each.table == "rows")
                    meter.end(path, 0 if client is None else told)

        try:
            states = {path: self._backfilled.state(name_in(path)) for path in sizes}
            return run(job, list(sizes.items()), write, name_in, named, states, origin_of(self._segments.files))
        finally:
            meter.close()

    def _check_asked(self, channels: Sequence[str], market_tickers: Sequence[str] | None) -> None:
        """Refuse what was not recorded; of one segment among several, or of none yet, nobody knows that."""
        if self._place == self._path and self._recorded.channels:
            check_recorded(self._recorded.channels, channels, market_tickers, self._path)

    def _tables(self, job: Job) -> Tables:
        """Return what an export of this segment has, made while it is read."""
        channels = self._kept(sorted(self._recorded.channels) if job.channels is None else job.channels)
        tickers = None if job.market_tickers is None else list(job.market_tickers)
        begins = next(iter(self._segments.begins()), None)
        met: list[Gap] = []

        def blocks() -> Iterator[tuple[str, pl.DataFrame]]:
            for channel, frame in self._blocks_of(channels, job.start, job.end, met):
                subject = traits_of(channel).subject
                if tickers is None or subject is None:
                    yield channel, frame
                elif (some := frame.filter(pl.col(subject).is_in(tickers))).height:
                    yield channel, some

        def gaps() -> dict[str, pl.DataFrame]:
            if job.start is None or begins is None or begins >= job.start:
                found = [*carried_into(self._segments, self._path), *met]
            elif self._segments.goes_on and (self._segments.newest() or 0) < job.start:
                found = []  # what is open at its end is told by the next one, if it gets to the start
            else:  # rows are read from a checkpoint on, before which one may have been opened
                found = gaps_of(self._segments, self._path, job.end)
            return tables_of(self._backfilled.mark(found), channels, tickers, (job.start, job.end))

        return Tables(channels, begins, blocks(), gaps, frozenset(filter(self._is_late, channels)))

    def repair(self, where: Where = None, *, progress: Progress | None = None) -> RepairReport:
        """Fetch the trades that are missing in gaps, and keep them beside the segments, of which no byte changes.

        From then on :meth:`trades`, :meth:`candles` and exports have them: trades have one more column,
        ``backfilled``, which is true of those that were fetched; these stand where their ``ts`` belongs, to the
        microsecond, by ``ts`` and ``trade_id``, and have no ``received_at`` and no ``seq``. A gap is ``repaired_by``
        "rest" once the trades on either side of it, which the recording has, are among those that were fetched: then
        these are all. What is proven is on the disk piece by piece, so a repair that is broken off goes on where it
        was, and one that is done asks nobody anything. Needs no key. A replay plays what was recorded alone.

        Parameters
        ----------
        where : str or kalshi_nb.sim.Exchange, optional
            ``"prod"``, ``"demo"``, a WebSocket address or the simulated exchange that was recorded; the exchange that
            the recording says it came from where it is left out.
        progress : callable, optional
            Called after each page of 1,000 with the number of trades so far, and the time reached: newest come first.

        Returns
        -------
        RepairReport
            How many gaps of trades there are, how many are whole by now, how many trades were fetched, and in ``left``
            what is not repaired, and why: a gap behind which no trade came yet, or one whose trades on either side the
            exchange does not tell of, or not yet (trades are seen over REST up to some twenty seconds late).

        Raises
        ------
        ConfigurationError
            When there is no such exchange, no trades were recorded, the recording is at an address, or `progress`
            cannot be called.
        RecordingInUseError
            When somebody else is repairing it. That it is being recorded still is no obstacle.
        RestError
            When the exchange does not answer, at any of several tries; what was proven is kept.
        RecordingError
            When the disk does not take it.

        Examples
        --------
        >>> import kalshi_nb as kn
        >>> print(kn.open_recording("data/night").repair("prod"))    # doctest: +SKIP
        """
        if address_of(self._place) is not None:
            raise ConfigurationError(
                f"{told(self._place)} is at an address, and what is fetched is kept beside the segments: copy the "
                "recording to a folder of this computer, repair it there, and copy its folder 'backfilled' back."
            )
        check_progress_called(progress)
        folder = Path(self._segments.folder)
        asked, all_of_it = asked_of(where, folder), Recording(str(folder), {})
        wanted = all_of_it._recorded.channels.get(REPAIRED)
        if wanted is None:
            raise ConfigurationError(
                f"{folder} has no trades, and nothing else can be fetched for a time that is over."
            )
        gaps: list[Gap] = []
        rows = rows_of(REPAIRED, all_of_it._recorded, all_of_it._items(None, None, [REPAIRED]), gaps)
        missing, of_trades = missing_trades(rows, gaps, wanted, all_of_it._reach()[0])
        try:
            return repair(folder, missing, of_trades, asked, all_of_it._segments.begun(), progress)
        finally:
            vars(self).pop("_backfilled", None)

    def map_segments(self, function: Callable[[Recording], Any], *, client: Any = None) -> list[Any]:
        """Call a function with each segment, as a recording of its own; return what it returned, in their order.

        Segments are independent: each begins with a checkpoint of the books, or is read from the one before it on.

        Parameters
        ----------
        function : callable
            Called with a :class:`Recording` of one segment; with a `client` it must be picklable, and return what is.
        client : dask.distributed.Client, optional
            Whose workers call it; they need the same folders. A worker that dies costs its segment another try.
        """
        check_client(client, self._place)
        if not callable(function):
            raise ConfigurationError(f"function={shown(function)}: give one that is called with each segment.")
        paths = [each.path for each in self._segments.files]
        call = partial(_call, function, absolute(self._place), self._options)
        return list(map(call, paths) if client is None else mapped(call, paths, client))


def _call(function: Callable[[Recording], Any], place: str, options: Mapping[str, Any], path: str) -> Any:
    return function(Recording(place, options, of=path))


def _depth_piece(
    path: str, options: Mapping[str, Any], interval: int, levels: int, span: tuple[int | None, int | None]
) -> pl.DataFrame:
    """Return the books at the end of each interval of a piece; in whatever process."""
    blocks = Recording(path, options)._depths(*span, interval, levels)  # noqa: SLF001  # of this module
    return pl.concat([pl.DataFrame(schema=DEPTH_SCHEMA), *blocks])


def _export(job: Job, place: str, options: Mapping[str, Any], watch: Watch, path: str) -> list[Part]:
    """Export one segment of what is at a place; in whatever process."""
    segment = Recording(place, options, on_read=watch.read, of=path)
    return export_segment(job, name_in(path), segment._tables(job), watch)  # noqa: SLF001  # of this module
