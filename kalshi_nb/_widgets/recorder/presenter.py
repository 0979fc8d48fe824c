"""A recorder's figures in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from kalshi_nb._sizes import size
from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.recorder.picture import Fact, RecorderPicture

__all__ = ["RecorderSource", "Status", "recorder_picture"]

_STATUSES: Final = {"recording": "live", "waiting": "stale", "closed": "closed", "forked": "closed"}


class Status(Protocol):
    """How a recorder is doing, as far as it is shown; see ``JournalStatus``."""

    @property
    def state(self) -> str:
        """``recording``, ``waiting``, ``closed`` or ``forked``."""
        ...

    @property
    def trouble(self) -> str | None:
        """What is wrong."""
        ...

    @property
    def durable_until(self) -> int:
        """The time of the newest item that is on the disk to stay, in microseconds; 0 before the first."""
        ...

    @property
    def messages(self) -> int:
        """Messages heard."""
        ...

    @property
    def messages_per_second(self) -> float:
        """The same over the last seconds."""
        ...

    @property
    def durable_messages(self) -> int:
        """How many of them are on the disk to stay."""
        ...

    @property
    def dropped(self) -> int:
        """How many of them are lost to it."""
        ...

    @property
    def raw_bytes(self) -> int:
        """Bytes as they came."""
        ...

    @property
    def written_bytes(self) -> int:
        """Bytes of the files."""
        ...

    @property
    def free_bytes(self) -> int:
        """What is free on the disk."""
        ...


class RecorderSource(Protocol):
    """What is shown of a recorder."""

    @property
    def status(self) -> Status:
        """How it is doing now."""
        ...

    @property
    def name(self) -> str:
        """Where it records."""
        ...

    @property
    def channels(self) -> Sequence[str]:
        """What it keeps."""
        ...

    @property
    def now(self) -> float:
        """The present by the feed's clock, epoch seconds."""
        ...

    def exporting(self) -> Sequence[str]:
        """Return a line for each export that follows it."""
        ...


def recorder_picture(source: RecorderSource) -> RecorderPicture:
    """Return what the view of a recorder shows now."""
    status = source.status
    until = numbers.moment(status.durable_until / 1e6) if status.durable_until else "nothing yet"
    share = f", {status.raw_bytes / status.written_bytes:.1f} times less" if status.written_bytes else ""
    facts = [
        Fact("messages", f"{status.messages:,}, {status.messages_per_second:,.0f}/s"),
        Fact("on the disk", f"{status.durable_messages:,} messages, until {until}"),
        Fact("lost", f"{status.dropped:,} messages"),
        Fact("size", f"{size(status.written_bytes)} of {size(status.raw_bytes)} that came{share}"),
        Fact("free", size(status.free_bytes)),
        Fact("channels", ", ".join(source.channels)),
        *(Fact("export", each) for each in source.exporting()),
    ]
    told = tuple(Fact(each.name, numbers.clean(each.words)[:300]) for each in facts)
    trouble = numbers.clean(status.trouble or "")[:300]
    shown = _STATUSES[status.state]
    title = numbers.clean(source.name)[:300]
    return RecorderPicture((shown, told, trouble), shown, source.now, title, told, trouble, status.messages)
