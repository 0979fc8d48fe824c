"""A kind of view with deltas, made up for what is put together of several: it counts, and sends what was added."""

from typing import NamedTuple

from kalshi_nb._widgets.options import Number, resolved

OPTIONS = {"least": Number(0, 9, 1, True, "counted from", 1)}


class CountingPicture(NamedTuple):
    version: int
    status: str = "live"

    @property
    def changes(self):
        return self.version


class CountingScene:
    kind = "counting"
    title = "counting"

    def __init__(self, source, options):
        self.source = source
        self.options = options
        self.asked = []
        self.selected = []

    def watch(self, wake):
        pass

    def take(self):
        if self.source.trouble:
            raise self.source.trouble
        self.source.taken += 1
        return CountingPicture(self.source.count)

    def body(self, picture):
        return {"points": list(range(picture.version)), "note": ""}

    def delta(self, before, picture):
        return {"points": list(range(before.version, picture.version))}

    def heard(self, words):
        self.asked.append(dict(words))
        self.selected = list(words.get("select", []))

    def text(self, picture):
        return f"counted to {picture.version}"

    def html(self, picture, note=""):
        return f"<p>counted to {picture.version}</p>"


class CountingView:
    @staticmethod
    def of(source, given):
        return CountingScene(source, resolved("A counting", OPTIONS, given, 4.0))


class Counter:
    """What a counting is made of."""

    def __init__(self):
        self.count = 0
        self.taken = 0
        self.trouble = None
