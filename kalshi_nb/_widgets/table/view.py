"""The live table of a frame: what it is asked for, its forms, and its widget in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kalshi_nb._widgets import numbers
from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.kinds import KINDS
from kalshi_nb._widgets.options import Number, Option, resolved
from kalshi_nb._widgets.table.picture import RowsSource, TablePicture, table_picture
from kalshi_nb._widgets.view import LiveView, ViewWidget

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TableScene", "TableView", "TableWidget"]

OPTIONS: Final[Mapping[str, Option]] = {
    "rows": Number(1, 500, 50, True, "a table has so many rows, from", 50),
}
"""What a table takes beside the options of every view."""

_STILL_ROWS: Final = 10
_STILL_COLUMNS: Final = 8
_STILL_CELL: Final = 80
"""Rows, columns and characters a cell of a table that stands still."""

_STYLE: Final = (
    ".kalshi-rows{border-collapse:collapse;font:13px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}"
    ".kalshi-rows caption{text-align:left;padding:4px 0}"
    ".kalshi-rows th,.kalshi-rows td{padding:0 8px;border:0;white-space:nowrap;font-weight:400}"
)


class TableScene:
    """The last rows of a frame with the options that they are shown with.

    Parameters
    ----------
    source : RowsSource
        The frame.
    options : mapping
        Every option by name, checked.
    """

    kind = "table"

    def __init__(self, source: RowsSource, options: Mapping[str, Any]) -> None:
        self._source = source
        self.options = options

    @property
    def title(self) -> str:
        """What the frame is called."""
        return self._source.title

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called once when there may be news."""
        self._source.watch(wake)

    def take(self) -> TablePicture:
        """Return the last rows of now."""
        return table_picture(self._source, self.options["rows"])

    def body(self, picture: TablePicture) -> dict[str, Any]:
        """Return what the browser is sent of a picture."""
        return {
            "title": self.title,
            "clock": picture.clock,
            "note": picture.note,
            "columns": [list(each) for each in picture.columns],
            "rows": [list(each) for each in picture.rows],
            "total": picture.total,
        }

    def delta(self, before: TablePicture, picture: TablePicture) -> None:
        """Return None: fifty rows always travel whole."""

    def heard(self, words: Mapping[str, Any]) -> None:
        """Take up nothing: all that can be done to a table is done in the browser."""

    def text(self, picture: TablePicture) -> str:  # noqa: ARG002  # a line says it, as in a terminal
        """Return the line that the frame says of itself."""
        return self._source.described()

    def html(self, picture: TablePicture, note: str = "") -> str:
        """Return the last ten rows, of eight columns, as a table that stands still."""
        columns = picture.columns[:_STILL_COLUMNS]
        rows = [row[:_STILL_COLUMNS] for row in picture.rows[: -_STILL_ROWS - 1 : -1]]
        said = self._source.described().strip("<>")
        left = len(picture.columns) - len(columns)
        foot = [f"and {left} more column{'' if left == 1 else 's'}"] if left else []
        foot += [each for each in ("" if rows else "no rows", picture.note, note) if each]
        return "".join(
            (
                f'<style>{_STYLE}</style><table class="kalshi-rows">',
                f"<caption>{numbers.markup(said)}<br>newest first, snapshot {numbers.moment(picture.clock)}</caption>",
                "<thead><tr>",
                *(f'<th scope="col" align="{side}">{_cell(name)}</th>' for name, side in columns),
                "</tr></thead><tbody>",
                *(
                    "<tr>"
                    + "".join(
                        f'<td align="{side}">{_cell(each)}</td>' for each, (_, side) in zip(row, columns, strict=True)
                    )
                    + "</tr>"
                    for row in rows
                ),
                "</tbody><tfoot>",
                *(
                    f'<tr><td colspan="{max(1, len(columns))}" align="left">{numbers.markup(each)}</td></tr>'
                    for each in foot
                ),
                "</tfoot></table>",
            )
        )


def _cell(words: str) -> str:
    words = numbers.clean(words)
    return numbers.markup(words if len(words) <= _STILL_CELL else f"{words[: _STILL_CELL - 1]}…")


class TableWidget(ViewWidget):
    """The last rows of a frame in the browser. Made and fed by `TableView`."""

    _esm = bundle("table").text


class TableView(LiveView):
    """A live table of a frame's last rows."""

    widget_class = TableWidget

    @staticmethod
    def of(source: RowsSource, given: Mapping[str, Any]) -> TableScene:
        """Return the scene of a table with the options that it was given; the errors are those of `resolved`."""
        return TableScene(source, resolved("A table", OPTIONS, given, KINDS[TableScene.kind].hz))
