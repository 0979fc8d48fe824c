"""The live price chart: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kalshi_nb._durations import duration_us
from kalshi_nb._redaction import shown
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.chart.lines import MOST_LINES, LinesPresenter
from kalshi_nb._widgets.chart.presenter import ChartPresenter
from kalshi_nb._widgets.chart.text import chart_html, chart_text
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import PRIVATE, Choice, Option, resolved
from kalshi_nb._widgets.view import LiveView, ViewWidget
from kalshi_nb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kalshi_nb._widgets.chart.picture import ChartPicture
    from kalshi_nb._widgets.sources import FrameSource

__all__ = ["ChartScene", "ChartView", "ChartWidget"]

_WINDOWS: Final = {"1m": 60.0, "5m": 300.0, "15m": 900.0, "1h": 3600.0, "6h": 21600.0, "all": None}


class _Interval(NamedTuple):
    """The length of a candle; None for none."""

    default: None = None

    def check(self, name: str, value: object) -> str | None:
        """Return it as it was written."""
        duration_us(name, value)
        return value if isinstance(value, str) else f"{duration_us(name, value)}us"


OPTIONS: Final[Mapping[str, Option]] = {
    **PRIVATE,
    "bars": _Interval(),
    "side": Choice(("yes", "no"), "yes"),
    "window": Choice(tuple(_WINDOWS), "1h"),
    "y": Choice(("auto", "full"), "auto"),
}
"""What a price chart takes beside the options of every view."""


class ChartScene:
    """A price chart with the options that it is shown with.

    Parameters
    ----------
    sources : FrameSource or tuple of FrameSource
        A frame of the trades or quotes of some markets, or several. What they all have of one market is shown of the
        first of them.
    options : mapping
        Every option by name, checked.

    Raises
    ------
    UsageError
        When there are more markets than can be told apart, or candles are asked for of several.
    """

    kind = "chart"

    def __init__(self, sources: FrameSource | tuple[FrameSource, ...], options: Mapping[str, Any]) -> None:
        frames = sources if isinstance(sources, tuple) else (sources,)
        every = options["bars"]
        seconds = _WINDOWS[options["window"]]
        markets = _markets(frames)
        self._presenter: ChartPresenter | LinesPresenter
        if len(markets) == 1:
            every = None if every is None else duration_us("bars", every)
            self._presenter = ChartPresenter(frames[0], seconds=seconds, every=every)
        elif every is None:
            self._presenter = LinesPresenter(markets, seconds=seconds)
        else:
            raise UsageError(f"bars={shown(every)}: candles are of one market, and here are {len(markets)}.")
        self._feed = frames[0].feed
        self.options = options

    @property
    def title(self) -> str:
        """The market's ticker; of several what they are in a word."""
        return self._presenter.title

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._presenter.watch(wake)

    @property
    def is_private(self) -> bool:
        """Whether somebody hears of one's own fills, and these are to be masked where they would be stored."""
        return not self.options["private"] and bool(self._feed.frames_of("fill"))

    def take(self) -> ChartPicture:
        """Return the prices of now, as anybody may see them."""
        picture = self.complete()
        return picture if self.options["private"] else self.masked(picture)

    def complete(self) -> ChartPicture:
        """Return the prices of now with one's own fills, as far as these are asked for."""
        picture = self._presenter.picture()
        return self.masked(picture) if self.options["mask"] else picture

    def masked(self, picture: ChartPicture) -> ChartPicture:
        """Return a picture without one's own fills, which are trades as everybody sees them."""
        return picture._replace(fills=())

    def body(self, picture: ChartPicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return picture.body()

    def delta(self, before: ChartPicture, picture: ChartPicture) -> dict[str, Any] | None:
        """Return the points that are new, or others now, and how many have left the window."""
        return picture.delta(before)

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up how much of the past a person wants to see."""
        window = words.get("window")
        if isinstance(window, str) and window in _WINDOWS:
            self._presenter.show_last(_WINDOWS[window])

    def text(self, picture: ChartPicture) -> str:
        """Return it as plain text."""
        return chart_text(picture, unit=self.options["unit"])

    def html(self, picture: ChartPicture, note: str = "") -> str:
        """Return it as a drawing and a table that stand still."""
        return chart_html(picture, unit=self.options["unit"], note=note)


class ChartWidget(ViewWidget):
    """Prices over time in the browser. Made and fed by `ChartView`."""

    _esm = bundle("chart").text


class ChartView(LiveView):
    """A live price chart of a market, or of several."""

    widget_class = ChartWidget

    @staticmethod
    def of(sources: FrameSource | tuple[FrameSource, ...], given: Mapping[str, Any]) -> ChartScene:
        """Return the scene of a chart with the options that it was given; the errors are those of `resolved`."""
        return ChartScene(sources, resolved("A price chart", OPTIONS, given, KINDS[ChartScene.kind].hz))


def _markets(frames: Iterable[FrameSource]) -> dict[str, FrameSource]:
    """Return the markets of some frames, in their order, each with the first frame that has it."""
    markets: dict[str, FrameSource] = {}
    for frame in frames:
        for ticker in sorted(frame.market_tickers or ()):
            markets.setdefault(ticker, frame)
    if any(frame.market_tickers is None for frame in frames) or len(markets) > MOST_LINES:
        raise UsageError(
            f"A price chart is of one market, or of {MOST_LINES} at most: ask for a frame of those, such as "
            "feed.trades('KXHIGHNY-26NOV22-B52.5')."
        )
    return markets
