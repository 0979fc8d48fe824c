"""What is known of one channel, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from kalshi_nb._rows.columns import Column
from kalshi_nb._rows.words import MARKETS, Words

__all__ = ["Channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of the exchange, or one kind of rows that the kit makes from another's.

    Attributes
    ----------
    name : str
        Kalshi's name.
    title : str
        What its frame is called.
    columns : tuple of Column
        Its plain rows, one value a column; the first eight are what people look at.
    messages : tuple of str
        The classes in ``kalshi_nb._messages`` that its rows are given as: the first those of plain rows.
    wire : str or None
        The module in ``kalshi_nb._wire`` that reads its messages; None where `source` is set.
    source : str or None
        The channel that these rows are made from; None for what the exchange sends.
    event_column : str or None
        The column that says which class a plain row is given as, by the name of the class in snake case, and of the
        first where no class is called so; None where all are of the first.
    key : tuple of str
        The columns whose newest row is the present state of one thing.
    identity : str or None
        The column that names a row, for all time; None where nothing does.
    ended : tuple of str and frozenset of str, or None
        A column, and what it says in the last row that there is to be about one thing; None where nothing does.
    subject : str or None
        The column that says what a row is about, by which frames choose their rows; None where rows are not
        about anything that could be named.
    words : Words
        How to speak of what rows are about, to the exchange and to people.
    filtered : bool
        Whether the exchange itself takes a list of subjects; elsewhere it sends everything.
    sequenced : bool
        Whether its messages have sequence numbers.
    from_one : bool
        Whether those are known to begin with 1 at each subscription. Elsewhere counting begins at the first
        number seen: the lifecycle channel was seen to begin in the hundred thousands.
    account : bool
        Whether it is about one's own money: these rows wait for a slow pipeline however many they
        are.
    params : tuple of pairs
        Further parameters of every subscription. ``use_yes_price`` is always sent for books: the exchange has
        announced that its default will change one day.
    params_of_named : tuple of pairs
        Further parameters wherever subjects are named, at first or later.
    short_answers : bool
        Whether the answer to a long list need not list it again. Of books it must, since it is compared with
        what was asked for; the reference feeds do not know the question.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    messages: tuple[str, ...]
    wire: str | None = None
    source: str | None = None
    event_column: str | None = None
    key: tuple[str, ...] = ("market_ticker",)
    identity: str | None = None
    ended: tuple[str, frozenset[str]] | None = None
    subject: str | None = "market_ticker"
    words: Words = MARKETS
    filtered: bool = True
    sequenced: bool = True
    from_one: bool = False
    account: bool = False
    params: tuple[tuple[str, str | int], ...] = ()
    params_of_named: tuple[tuple[str, str | int], ...] = ()
    short_answers: bool = True
