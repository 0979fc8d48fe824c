"""What a pipeline of quotes begins with: the present quote of each of its markets, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.channels import position
from kalshi_nb._rows.quotes import QUOTES, PresentQuoteRow
from kalshi_nb._rows.rows import Row

__all__ = ["Beginning"]

_TICKER: Final = position(QUOTES, "market_ticker")
_STATUS: Final = position(QUOTES, "status")


class Beginning:
    """Takes quotes that were said again for one pipeline out of the batches of all.

    A pipeline is attached before its rows are asked for, so a change may arrive first: that is newer than what
    is said again, which is then left out. A market whose book was closed is forgotten: whoever opens it again begins
    with it anew, and markets that come and go leave nothing behind.
    """

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def of(self, batch: Batch) -> Batch:
        """Return `batch` as this pipeline has it; call it with every batch, in their order."""
        if PresentQuoteRow not in batch.kinds:
            self._begun |= batch.market_tickers
            self._forget_closed(batch.rows)
            return batch
        rows: list[Row] = []
        at = batch.subject_at
        assert at is not None  # quotes are about markets
        for row in batch.rows:
            plain = row.row if isinstance(row, PresentQuoteRow) else row
            if plain is row or plain[at] not in self._begun:
                self._begun.add(plain[at])
                rows.append(plain)
        self._forget_closed(rows)
        return Batch(QUOTES, rows)

    def _forget_closed(self, rows: Sequence[Row]) -> None:
        last = {row[_TICKER]: row[_STATUS] for row in rows if type(row) is tuple}
        self._begun -= {ticker for ticker, status in last.items() if status == "closed"}

    def again(self) -> None:
        """Begin anew: the next present quote of each market is one that this pipeline does not have."""
        self._begun.clear()
