"""What a feed's state looks like in a line, and in the rows behind it: all words, so that every form has the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from kalshi_nb._sizes import size
from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.gaps.words import gap_line, lasts
from kalshi_nb._widgets.status.picture import ChannelLine, Piece, State, StatusPicture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from kalshi_nb._widgets.status.picture import ChannelReading, FeedReading
    from kalshi_nb._widgets.status.source import Course, HealthSource

__all__ = ["MOST_GAPS", "state_of", "status_picture"]

MOST_GAPS: Final = 10
"""Gaps that are told one by one."""

_MOST_WARNINGS: Final = 8
_MOST_VIEWS: Final = 12

_NO_VIEWS: Final = "no other view is open; a book or a frame as a cell's last expression opens one"
_LONGEST: Final = 300
"""Characters of a text of somebody else's."""

_BARS: Final = "▁▂▃▄▅▆▇█"
_DASH: Final = "\N{EN DASH}"

_STATES: Final = {
    "connecting": ("○", "connecting", "dim"),
    "reconnecting": ("▲", "reconnecting", "warn"),
    "refused": ("✕", "refused: the exchange does not take the credentials", "bad"),
    "closed": ("■", "closed", "dim"),
    "forked": ("■", "stands still in this forked process", "dim"),
}
"""Glyph, words and tone of a feed that is not connected."""


def status_picture(source: HealthSource) -> StatusPicture:
    """Return what the status strip shows now."""
    reading, course = source.read()
    state = state_of(reading)
    pieces = tuple(_pieces(reading, course))
    counts = _Counts.of(reading)
    channels = tuple(_channel_line(each, counts, course) for each in reading.channels)
    gaps = tuple(gap_line(each) for each in reversed(reading.gaps[-MOST_GAPS:]))
    last_error = _text(reading.last_error or "")
    warnings = tuple(_text(each) for each in reading.warnings[:_MOST_WARNINGS])
    views = _views(reading)
    count = len(reading.gaps) + reading.gaps_dropped
    return StatusPicture(
        version=(state, pieces, channels, gaps, count, last_error, reading.last_error_at, warnings, views),
        status=reading.status,
        clock=reading.now,
        title=_text(reading.url),
        state=state,
        pieces=pieces,
        channels=channels,
        gaps=gaps,
        gap_count=count,
        last_error=last_error,
        last_error_at=reading.last_error_at,
        warnings=warnings,
        views=views,
        changes=reading.messages,
    )


def state_of(reading: FeedReading) -> State:
    """Return what is worst of a feed now; what is over, such as a gap that was closed, does not count."""
    if reading.state != "connected":
        glyph, words, tone = _STATES.get(reading.state, ("?", reading.state, "dim"))
    elif reading.stale_books:
        glyph, words, tone = "▲", "partly stale", "warn"
    elif _open_gaps(reading):
        glyph, words, tone = "▲", "a gap is open", "warn"
    elif reading.lag_grows:
        glyph, words, tone = "▲", "live, lag grows", "warn"
    else:
        glyph, words, tone = "●", "live", "live"
    return State(glyph, words, tone)


def _pieces(reading: FeedReading, course: Course) -> Iterable[Piece]:
    if reading.origin:
        yield Piece("origin", reading.origin)
    yield Piece("rate", f"{_rate(reading.rate)} msg/s")
    yield Piece("course", _course(course.rates))
    yield Piece("lag", _lag(reading), "warn" if reading.lag_grows else "")
    yield Piece("books", _books(reading), "warn" if reading.stale_books else "")
    yield _gaps(reading)
    yield Piece("dropped", f"{reading.dropped_rows:,} dropped", "warn" if reading.dropped_rows else "")
    if reading.warnings:
        yield Piece("warnings", _number(len(reading.warnings), "warning"), "warn")
    if reading.memory is not None:
        yield Piece("memory", size(reading.memory, decimals=0))
    yield Piece("uptime", f"up {lasts(reading.uptime)}")


def _rate(rate: float) -> str:
    return f"{rate:.1f}" if 0.05 <= rate < 9.95 else f"{rate:,.0f}"


def _course(rates: tuple[float, ...]) -> str:
    if len(rates) < 2:
        return ""
    top = max(*rates, 1e-9)
    return "".join(_BARS[round(rate / top * (len(_BARS) - 1))] for rate in rates)


def _lag(reading: FeedReading) -> str:
    middle, most = reading.lag_p50, reading.lag_p99
    if middle is None or most is None:
        return f"lag {_DASH}"
    if max(abs(middle), abs(most)) < 10:
        return f"lag {_signed(middle * 1e3)} ms (p99 {_signed(most * 1e3)})"
    return f"lag {_signed(middle)} s (p99 {_signed(most)})"


def _signed(value: float) -> str:
    rounded = round(value)
    return f"{numbers.MINUS if rounded < 0 else ''}{abs(rounded):,}"


def _books(reading: FeedReading) -> str:
    if not reading.books:
        return "no books"
    if not reading.stale_books:
        return _number(reading.books, "book")
    return f"{reading.stale_books:,} of {_number(reading.books, 'book')} stale"


def _gaps(reading: FeedReading) -> Piece:
    count = len(reading.gaps) + reading.gaps_dropped
    if not count:
        return Piece("gaps", "no gaps")
    is_open = _open_gaps(reading)
    words = f"{_number(count, 'gap')}, {f'{is_open:,} open, ' if is_open else ''}last"
    return Piece("gaps", words, "warn" if is_open else "", reading.gaps[-1].opened_at / 1e6)


def _open_gaps(reading: FeedReading) -> int:
    return [each.closed_at for each in reading.gaps].count(None)


class _Counts(NamedTuple):
    """How many gaps each channel has, and how many of them are open; counted once, since there may be thousands."""

    all: Counter[str]
    open: Counter[str]

    @classmethod
    def of(cls, reading: FeedReading) -> Self:
        """Count those of a reading."""
        return cls(
            Counter([each.channel for each in reading.gaps]),
            Counter([each.channel for each in reading.gaps if each.closed_at is None]),
        )


def _channel_line(channel: ChannelReading, counts: _Counts, course: Course) -> ChannelLine:
    count, is_open = counts.all[channel.name], counts.open[channel.name]
    rate = course.of_channels.get(channel.name)
    return ChannelLine(
        name=_text(channel.name),
        markets="all" if channel.markets is None else f"{channel.markets:,}",
        age=_DASH if channel.age is None else f"{lasts(channel.age)} ago",
        rate=_DASH if rate is None else _rate(rate),
        seq=_DASH if channel.seq is None else f"{channel.seq:,}",
        gaps=f"{count:,}, {is_open:,} open" if is_open else f"{count:,}",
    )


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _views(reading: FeedReading) -> str:
    if reading.status == "closed":
        return "no view is open: nothing moves any more"
    views = list(_counted(_text(each) for each in reading.views))
    more = len(views) - _MOST_VIEWS
    told = [*views[:_MOST_VIEWS], *([f"{more:,} more"] if more > 0 else [])]
    return f"views: {', '.join(told)}" if told else _NO_VIEWS


def _counted(words: Iterable[str]) -> Iterable[str]:
    """Return each text once, with how often it is there."""
    counts: dict[str, int] = {}
    for each in words:
        counts[each] = counts.get(each, 0) + 1
    return (each if count == 1 else f"{count} \N{MULTIPLICATION SIGN} {each}" for each, count in counts.items())


def _text(text: str) -> str:
    text = numbers.clean(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
