"""Messages as ``feed.messages()`` and ``feed.on()`` give them: numbers and times, not wire strings.

Fields are named as the columns of the frames. Prices, costs and values are dollars, counts are contracts, all
floats made by one division from exact integers; times are in UTC. None is what the exchange writes as "none".

Where it is asked for with ``gaps=True``, a `Gap` stands between them wherever some may be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kalshi_nb._messages import account, communications, gaps, lifecycle, market, quotes, reference_feeds
from kalshi_nb._messages.account import *
from kalshi_nb._messages.communications import *
from kalshi_nb._messages.gaps import *
from kalshi_nb._messages.lifecycle import *
from kalshi_nb._messages.market import *
from kalshi_nb._messages.quotes import *
from kalshi_nb._messages.reading import Message, from_row, from_rows
from kalshi_nb._messages.reference_feeds import *
from kalshi_nb._rows.channels import ROWS, traits_of

# A module's own list says what of it is exported, so that a class needs no second place. Type checkers follow this
# form, and no other.
__all__ = ["Message", "from_row", "from_rows"]
__all__ += account.__all__
__all__ += communications.__all__
__all__ += gaps.__all__
__all__ += lifecycle.__all__
__all__ += market.__all__
__all__ += quotes.__all__
__all__ += reference_feeds.__all__

if __doc__:
    # Which channel gives which is known from the table of channels, so it is not said again by hand.
    __doc__ += "\nWhich messages a channel gives:\n\n" + "".join(
        f"``{name}``\n    {', '.join(f'`{each}`' for each in traits_of(name).messages)}\n" for name in ROWS
    )

if not TYPE_CHECKING:  # to a type checker no name is there but those that are

    def __getattr__(name: str) -> NoReturn:
        bare = name.removesuffix("Message")
        told = f": {bare}." if bare in __all__ else f"; it has {', '.join(sorted(__all__))}."
        raise AttributeError(f"kalshi_nb.messages has no {name!r}{told}")
