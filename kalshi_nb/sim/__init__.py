"""A simulated exchange: a real WebSocket server on 127.0.0.1 that speaks Kalshi's protocol.

It needs no key of anybody's and no network, and it tells a client the truth about a market of its own: books
whose changes add up, trades that take from them, tickers that agree with both. With ``clock="manual"`` it is
exact to the byte: the same seed and the same calls give the same frames.

>>> from kalshi_nb.sim import Exchange
>>> with Exchange(seed=7, clock="manual") as exchange:
...     "KXHIGHNY-26NOV22-B52.5" in exchange.market_tickers
True

It writes its frames itself and shares nothing with this package's client but its errors.
"""

from kalshi_nb.sim._exchange import Exchange
from kalshi_nb.sim._faults import Faults
from kalshi_nb.sim._followers import Follower
from kalshi_nb.sim._line import FaultPlan
from kalshi_nb.sim._market import Market
from kalshi_nb.sim._running import exchange

__all__ = ["Exchange", "FaultPlan", "Faults", "Follower", "Market", "exchange"]
