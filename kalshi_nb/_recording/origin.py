"""Which recording segments are of: what is exported of two recordings must not get mixed in one place.

A recording may be moved, put into a store, pruned, or opened by one segment alone. So there are two things to know it
by: when it was created, which ``recording.json`` says, and the first lines of its segments, which no two runs share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec

from kalshi_nb._recording.about import read_about
from kalshi_nb._recording.blocks import Blocks
from kalshi_nb._recording.files import SegmentFile, find, folder_of
from kalshi_nb._recording.layout import read_name
from kalshi_nb._recording.marks import read_first
from kalshi_nb.errors import RecordingError

__all__ = ["Origin", "origin_in", "origin_of"]


@dataclass(frozen=True)
class Origin:
    """What tells a recording from others.

    Attributes
    ----------
    created : str
        When it was created; empty where nothing says so.
    firsts : mapping of str to str
        By the name of each segment what stands for its first line; empty where that cannot be read.
    """

    created: str = ""
    firsts: Mapping[str, str] = field(default_factory=dict)

    def is_other(self, known: Mapping[str, tuple[str, str]]) -> bool:
        """Whether segments are of another recording than this one, as far as anything says so.

        Parameters
        ----------
        known : mapping of str to (str, str)
            By the name of each segment what stands for its first line, and when its recording was created; either is
            empty where it is not known.
        """
        both = [(first, known[name][0]) for name, first in self.firsts.items() if name in known]
        if any(here and there and here != there for here, there in both):
            return True
        if both:
            return False
        created = {each for _, each in known.values() if each}
        if self.created and created:
            return self.created not in created
        # A recording has each number once, unless somebody took all segments out of its folder, which says when it
        # was created.
        numbers = defaultdict(set)
        for name, (first, _) in known.items():
            numbers[_number(name)].add(first)
        return any(first and numbers.get(_number(name)) not in (None, {""}) for name, first in self.firsts.items())


def origin_of(files: Sequence[SegmentFile]) -> Origin:
    """Return what tells the recording of some segments from others.

    Raises
    ------
    RecordingError
        When a segment cannot be opened.
    """
    firsts: dict[str, str] = {}
    for each in files:
        firsts.setdefault(each.name, _first_of(each))
    return Origin(read_about(folder_of(files[0].path), files[0].open_file).created, firsts)


def origin_in(folder: Path) -> Origin:
    """Return what tells the recording in a folder of this computer from others, also before it has a segment."""
    try:
        return origin_of(find(folder))
    except RecordingError:
        return Origin(read_about(str(folder)).created)


def _first_of(file: SegmentFile) -> str:
    with file.opened() as source:
        block = next(iter(Blocks(source, 0, source.size)), None)
    first = None if block is None or block.missing else read_first(block.text[: block.text.find(b"\n")])
    if first is None:
        return ""
    said = first.segment, first.t, first.wall, first.monotonic, first.host, first.pid
    return blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


def _number(name: str) -> int | str:
    """Return the number of a segment, by its name; of one that has no such name the name."""
    said = read_name(f"{name}.jsonl.zst")
    return name if said is None else said.number
