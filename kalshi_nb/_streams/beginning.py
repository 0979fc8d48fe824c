"""What a pipeline of quotes begins with: the present quote of each of its markets, once."""

from __future__ import annotations

from kalshi_nb._frames.batch import Batch
from kalshi_nb._rows.quotes import QUOTES, PresentQuoteRow
from kalshi_nb._rows.rows import Row

__all__ = ["Beginning"]


class Beginning:
    """Takes quotes that were said again for one pipeline out of the batches of all.

    A pipeline is attached before its rows are asked for, so a change may arrive first: that is newer than what
    is said again, which is then left out.
    """

    def __init__(self) -> None:
        self._begun: set[str] = set()

    def of(self, batch: Batch) -> Batch:
        """Return `batch` as this pipeline has it; call it with every batch, in their order."""
        if PresentQuoteRow not in batch.kinds:
            self._begun |= batch.market_tickers
            return batch
        rows: list[Row] = []
        at = batch.subject_at
        assert at is not None  # quotes are about markets
        for row in batch.rows:
            plain = row.row if isinstance(row, PresentQuoteRow) else row
            if plain is row or plain[at] not in self._begun:
                self._begun.add(plain[at])
                rows.append(plain)
        return Batch(QUOTES, rows)

    def again(self) -> None:
        """Begin anew: the next present quote of each market is one that this pipeline does not have."""
        self._begun.clear()
