"""The segments of a recording as files: in a folder here, alone, or at an address elsewhere."""

from __future__ import annotations

import contextlib
import glob
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from kalshi_nb._frames.addresses import address_of, reach, told
from kalshi_nb._frames.files import local_path, reason_of
from kalshi_nb._recording.disk import refusals
from kalshi_nb._recording.layout import ABOUT, DAY, PART, read_name
from kalshi_nb._recording.lock import is_held
from kalshi_nb._recording.unwritten import note_in
from kalshi_nb._rows.heard import Event
from kalshi_nb.errors import RecordingError

__all__ = ["SegmentFile", "find", "folder_of", "name_in"]

_NOTHING: Final = (
    "There is no recording at {}: name the folder that was recorded into, or one of its segments (….jsonl.zst, "
    "….jsonl.zst.part)."
)


def name_in(path: str) -> str:
    """Return what a segment at a path is called, sealed or not."""
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".part").removesuffix(".jsonl.zst")


class _Bytes:
    """A file as bytes that can be read from any place on."""

    def __init__(self, file: BinaryIO, size: int, on_read: Callable[[int], None] | None) -> None:
        self._file = file
        self._on_read = on_read
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        self._file.seek(offset)
        found = self._file.read(size)
        if self._on_read is not None:
            self._on_read(len(found))
        return found


@dataclass(frozen=True)
class SegmentFile:
    """One segment.

    Attributes
    ----------
    path : str
        Where it is.
    number : int
        Its number in the recording; 0 where its name does not say it.
    sealed : bool
        Whether it was closed in good order, by its name.
    open_file : callable
        Opens what is at its path.
    on_read : callable, optional
        Is told how many bytes were read of it.
    """

    path: str
    number: int
    sealed: bool
    open_file: Callable[[str], BinaryIO]
    on_read: Callable[[int], None] | None = None

    @property
    def name(self) -> str:
        """What it is called, sealed or not."""
        return name_in(self.path)

    def is_written(self) -> bool:
        """Whether somebody may be writing it; of what is not on this computer nobody knows."""
        if address_of(self.path) is not None:
            return True
        return any(is_held(each) for each in Path(self.path).absolute().parents[:2])

    def unwritten(self) -> list[Event]:
        """Return what says that something could not be written after it; nothing while somebody tries still."""
        above = self.path.replace("\\", "/").rsplit("/", 2)
        note = note_in(above[0] if len(above) == len(("folder", "day", "name")) else ".", self.open_file)
        is_tried = address_of(self.path) is None and self.is_written()
        return [note.event()] if note is not None and note.segment == self.number and not is_tried else []

    @contextlib.contextmanager
    def opened(self) -> Iterator[_Bytes]:
        """Give its bytes, as many as there are now.

        Raises
        ------
        RecordingError
            When it cannot be read.
        """
        try:
            file = self._open()
        except OSError as refusal:
            raise RecordingError(f"{self.path} cannot be read: {refusal.strerror or refusal}.") from refusal
        with file:
            yield _Bytes(file, file.seek(0, 2), self.on_read)

    def _open(self) -> BinaryIO:
        try:
            return self.open_file(self.path)
        except FileNotFoundError:
            if self.path.endswith(PART):  # it may have been sealed since somebody looked
                with contextlib.suppress(FileNotFoundError):
                    return self.open_file(self.path.removesuffix(PART))
            raise


def find(
    path: str | Path, options: Mapping[str, Any] | None = None, on_read: Callable[[int], None] | None = None
) -> list[SegmentFile]:
    """Return the segments at a path, in their order.

    Parameters
    ----------
    path : str or Path
        A folder, a segment, or either at an address that fsspec knows.
    options : mapping, optional
        What fsspec needs to get there.
    on_read : callable, optional
        Is told how many bytes were read of them, whenever some were.

    Raises
    ------
    RecordingError
        When there is none, or it cannot be reached.
    MissingPackageError
        When fsspec is needed and not installed.
    """
    address = address_of(path)
    if address is None:
        with refusals(f"{told(str(path))} cannot be read"):
            names, opener = _here(local_path(path))
    else:
        names, opener = _elsewhere(address, options)
    found: dict[tuple[int, str], SegmentFile] = {}
    for name in sorted(names):  # what is sealed comes before the .part of the same name
        said = read_name(name)
        if said is not None:
            found.setdefault((said.number, name.removesuffix(".part")), SegmentFile(name, *said, opener, on_read))
        elif len(names) == 1:  # somebody gave it another name
            found[0, name] = SegmentFile(name, 0, sealed=False, open_file=opener, on_read=on_read)
    if not found:
        raise RecordingError(_nothing_in(local_path(path)) if address is None else _NOTHING.format(told(address)))
    some = sorted({folder_of(each.path) for each in found.values()})
    if len(some) > 1:
        which = ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
        raise RecordingError(f"{_told(path)} has {len(some)} recordings in it, {which}: name one of them.")
    once: dict[str, SegmentFile] = {}
    for place in sorted(found):  # a copy in the folder of another day says nothing that the first one does not
        once.setdefault(found[place].name, found[place])
    return list(once.values())


def folder_of(segment: str) -> str:
    """Return the folder of the recording that a segment is of, by its path."""
    above = segment.replace("\\", "/").rpartition("/")[0]
    folder, _, day = above.rpartition("/")
    return folder if DAY.fullmatch(day) else above


def _told(path: str | Path) -> str:
    address = address_of(path)
    return str(path) if address is None else told(address)


def _nothing_in(path: Path) -> str:
    """Say why nothing was found at a path of this computer."""
    if next(path.glob("channel=*"), None) is not None:
        return f"{path} holds exported tables and no recording: kn.open_export({str(path)!r}) reads them."
    if not (path / ABOUT).is_file():
        return _NOTHING.format(path)
    note = note_in(str(path), _open_here)
    why = "nothing was recorded yet" if note is None else f"nothing could be written, {note.event().text}"
    return f"{path} is a recording without any message: {why}. Record into it, and open it again when something came."


def _here(path: Path) -> tuple[list[str], Callable[[str], BinaryIO]]:
    # glob's own walk follows links to folders: a day may have been moved to another disk.
    found = glob.glob("**/*.jsonl.zst*", root_dir=path, recursive=True)  # noqa: PTH207  # as above
    names = [str(path)] if path.is_file() else [str(path / each) for each in found]
    return names, _open_here


def _open_here(name: str) -> BinaryIO:
    return open(name, "rb", buffering=0)  # noqa: PTH123  # closed by whoever opened it


def _elsewhere(address: str, options: Mapping[str, Any] | None) -> tuple[list[str], Callable[[str], BinaryIO]]:
    system, path = reach(address, options, "Reading")

    def opened(name: str) -> BinaryIO:
        file: BinaryIO = system.open(name, "rb")
        # A store in memory hands out one file to all, who would move its place under each other.
        return io.BytesIO(file.getvalue()) if isinstance(file, io.BytesIO) else file

    try:
        system.invalidate_cache()  # it may have grown since somebody looked
        found = system.find(path)
    except FileNotFoundError:
        found = []
    except Exception as refusal:
        raise RecordingError(f"{told(address)} cannot be read: {reason_of(refusal, of_store=True)}.") from refusal
    return [str(system.unstrip_protocol(each)) for each in found], opened
