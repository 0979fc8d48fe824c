"""A ladder that a thread moves, for the cells of the notebooks that the browser tests open."""

import random
import threading
import time

from IPython.display import display as show

from kalshi_nb._widgets.ladder.picture import LadderPicture, Market
from kalshi_nb._widgets.ladder.view import LadderView as Ladder


class MovingLadder:
    """Ten levels a side whose sizes wander; every change is a whole new picture."""

    def __init__(self, market_ticker="KXHIGHNY-26NOV22-B52.5", *, changes_a_second=40, seed=7, decimals=0):
        self.market_ticker = market_ticker
        self._random = random.Random(seed)
        self._pause = 1 / changes_a_second
        step = 10 ** -(decimals + 2)
        self._asks = [[round(0.50 + i * step, 4), 0.0] for i in range(10)]
        self._bids = [[round(0.47 - i * step, 4), 0.0] for i in range(10)]
        for level in [*self._asks, *self._bids]:
            level[1] = float(round(self._random.lognormvariate(5.5, 1.1)))
        self._stopped = threading.Event()
        self._mover = threading.Thread(target=self._move, daemon=True, name="mover")
        now = time.time()
        self._picture = LadderPicture(0, "connecting", now, now, Market(market_ticker), decimals=decimals)

    def watch(self, wake):
        """Tell of nothing: the display thread looks ten times a second by itself."""

    def picture(self, levels):
        picture = self._picture
        return picture._replace(asks=picture.asks[:levels], bids=picture.bids[:levels])

    def start(self):
        self.show("live")
        self._mover.start()
        return self

    def stop(self):
        """End the moving, so that what is shown next stays."""
        self._stopped.set()
        self._mover.join()

    def show(self, status, note="", **fields):
        """Show one status, with the levels as they are unless told."""
        moved = {
            "asks": tuple(map(tuple, self._asks)),
            "bids": tuple(map(tuple, self._bids)),
            "changed_at": time.time(),
        }
        since = time.time() if status != self._picture.status else self._picture.status_since
        version = self._picture.version + 1
        self._picture = self._picture._replace(
            **{"version": version, "changes": version, "status": status, "status_since": since, "note": note}
            | moved
            | fields,
        )

    def _move(self):
        while not self._stopped.wait(self._pause):
            level = self._random.choice([*self._asks, *self._bids])
            level[1] = max(1.0, round(level[1] * self._random.uniform(0.7, 1.45)))
            self.show("live")


def LadderView(presenter, **options):  # reads as what it makes
    """A live ladder of what is moved here."""
    return Ladder(Ladder.of(presenter, options))


class Shown:
    """Shows a view the way a public handle does."""

    def __init__(self, presenter, **options):
        self.view = LadderView(presenter, **options)

    def _ipython_display_(self):
        self.view._ipython_display_()


__all__ = ["LadderPicture", "LadderView", "MovingLadder", "Shown", "show"]
