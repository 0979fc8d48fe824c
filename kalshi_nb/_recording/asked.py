"""What is asked of a recording: channels, markets, times, a place to export to; looked at before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kalshi_nb._frames.addresses import address_of
from kalshi_nb._frames.files import local_path
from kalshi_nb._moments import Moment, moment_us
from kalshi_nb._recording.export import FORMATS, Job
from kalshi_nb._recording.places import check_out, check_path
from kalshi_nb._recording.workers import absolute
from kalshi_nb._redaction import shown
from kalshi_nb._rows.channels import ROWS, traits_of
from kalshi_nb._rows.wanted import Wanted
from kalshi_nb._usage import meant
from kalshi_nb.errors import ConfigurationError, MarketTickerError, UnknownChannelError

__all__ = ["MarketTickers", "check_channel", "check_recorded", "job_of", "span_of", "tickers_of"]

MarketTickers = str | Iterable[str] | None


def job_of(
    out: str | os.PathLike[str],
    format: str,  # noqa: A002  # as users of polars and pandas say it
    channels: str | Iterable[str] | None,
    market_tickers: MarketTickers,
    start: Moment | None,
    end: Moment | None,
    storage_options: Mapping[str, Any] | None,
) -> Job:
    """Return what an export is to do with each segment; the arguments are those of :meth:`Recording.export`.

    Raises
    ------
    ConfigurationError
        When one will not do.
    """
    named_out = check_path(out, "a folder for the tables, such as 'tables', or an address, such as s3://bucket/tables")
    place = address_of(named_out) or absolute(os.fspath(local_path(named_out)))
    if not isinstance(format, str) or format not in FORMATS:
        said = meant(format, FORMATS)
        raise ConfigurationError(f"format={format!r}: there is no such format.{said} There is {', '.join(FORMATS)}.")
    if not isinstance(storage_options, Mapping | None):
        raise ConfigurationError(
            f"storage_options={shown(storage_options)}: give what fsspec needs to get there, such as "
            '{"key": …, "secret": …}.'
        )
    if address_of(place) is None:
        check_out(place)
    named = [channels] if isinstance(channels, str) else channels
    if not isinstance(named, Iterable | None):
        raise UnknownChannelError(f"channels={shown(named)}: name a channel, or a list of them, of {', '.join(ROWS)}.")
    wanted = None if named is None else list(named)
    if wanted == []:
        raise ConfigurationError("channels is empty: name some, or leave it out for all that were recorded.")
    for each in wanted or ():
        check_channel(each)
    some = None if wanted is None else tuple(dict.fromkeys(wanted))
    tickers = tickers_of(market_tickers)
    those = None if tickers is None else tuple(tickers)
    return Job(place, format, some, those, *span_of(start, end), dict(storage_options or {}))


def check_channel(channel: object) -> None:
    """Refuse what is no channel."""
    if not isinstance(channel, str) or channel not in ROWS:
        raise UnknownChannelError(
            f"channel={channel!r}: there is no such channel.{meant(channel, ROWS)} There is {', '.join(ROWS)}."
        )


def span_of(start: Moment | None, end: Moment | None) -> tuple[int | None, int | None]:
    """Return from when to when, in microseconds."""
    first = None if start is None else moment_us("start", start)
    last = None if end is None else moment_us("end", end)
    if first is not None and last is not None and first > last:
        raise ConfigurationError(f"start={start!r} is later than end={end!r}.")
    return first, last


def tickers_of(market_tickers: MarketTickers) -> list[str] | None:
    """Return market tickers as a list; None for all.

    Raises
    ------
    MarketTickerError
        When one is empty or not a string, or there is none at all.
    """
    if market_tickers is None:
        return None
    several = isinstance(market_tickers, Iterable) and not isinstance(market_tickers, str)
    found: list[Any] = list(market_tickers) if several else [market_tickers]
    if not found:
        raise MarketTickerError("market_tickers is empty: name some, or leave it out for all that were recorded.")
    for each in found:
        if not isinstance(each, str) or not each.strip():
            raise MarketTickerError(
                f"market_tickers: {shown(each)} is no market ticker; give one as text, or a list of them."
            )
    return [*dict.fromkeys(each.strip() for each in found)]


def check_recorded(
    there: Mapping[str, Wanted], channels: Sequence[str], market_tickers: Sequence[str] | None, place: str
) -> None:
    """Refuse a question that can have no answer, as if nothing had happened.

    Parameters
    ----------
    there : mapping
        What was recorded of which channel.
    channels : sequence of str
        What is asked for.
    market_tickers : sequence of str or None
        Of which markets; None for all. Where all were recorded nobody knows which there are.
    place : str
        Where the recording is.

    Raises
    ------
    ConfigurationError
        When a channel, or a market, was never asked for while it was recorded; it says what was.
    """
    odd = [each for each in channels if (traits_of(each).source or each) not in there]
    known = sorted(there)
    if not odd and market_tickers is not None:
        kept = [there[traits_of(each).source or each] for each in channels]
        if any(not isinstance(each, frozenset) for each in kept):
            return
        known = sorted(frozenset().union(*kept))  # type: ignore[arg-type]  # as was looked for
        odd = sorted({*market_tickers} - {*known})
    if odd and not there:
        raise ConfigurationError(
            f"{', '.join(odd[:5])}: nothing can be read of {place}. What became of it is in "
            f"kn.open_recording({place!r}).info().damages."
        )
    if odd:
        more = f" and {len(known) - 10:,} more" if len(known) > 10 else ""
        raise ConfigurationError(
            f"{', '.join(odd[:5])}: not recorded in {place}. What it has: {', '.join(known[:10])}{more}."
        )
