"""Alerts: a function called when a condition on a market's best prices becomes true, once a crossing."""

from __future__ import annotations

import dis
import inspect
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import TYPE_CHECKING, Any, Final, cast

from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._rows.steering import ResetRow
from kalshi_nb._streams.functions import refuse_arity, refuse_unstarted, unstarted_kind
from kalshi_nb._streams.user_delivery import CallbackDelivery
from kalshi_nb.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kalshi_nb._rows.steering import SteeringRow
    from kalshi_nb._streams.delivery import Opening
    from kalshi_nb._streams.schedule import Schedule
    from kalshi_nb.messages import Quote

__all__ = ["Alert", "AlertDelivery"]

_NO_STEPS: Final = frozenset({"RESUME", "NOP", "CACHE", "PRECALL", "PUSH_NULL", "COPY_FREE_VARS", "KW_NAMES"})
"""What the interpreter does on the way, in one version or another, and what says nothing of a function."""

_UNSTARTED: Final = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
"""Of functions of which a call runs nothing; what they return is something."""

_DEEPEST: Final = 5
"""Functions that hand on to one another are followed so far."""

_ANSWER_NOTHING: Final = frozenset({"print", "append", "appendleft", "extend", "add", "update", "put", "put_nowait"})
"""Functions of C that return None, by their names: of those nobody can look inside."""


class Alert:
    """Goes through the quotes of some markets and calls a function at each crossing.

    A crossing is a quote for which the condition is true, when it was not for the quote of that market before it, or
    when it is the first. While a book is not to be trusted nobody knows whether the condition is true: it stays as it
    was, so what is so before and after such a time is no crossing, and what became so meanwhile is one, once it is
    known. A quote for which the condition raises leaves it as it was, too; a crossing whose call raises was one.

    Parameters
    ----------
    condition : callable
        Given a quote, says whether it is so.
    call : callable
        Given the quote of each crossing.
    market_tickers : optional
        The markets, which are looked at here only as far as they are a function that stands in the wrong place.

    Raises
    ------
    ConfigurationError
        When one of the two cannot be called, or is an ``async`` function, which nothing would await; when the
        condition is a function that returns nothing, so that it stands where the other one goes.

    What either returns that would have to be awaited is an error of the pipeline, at the quote that it was given.
    """

    def __init__(
        self, condition: Callable[[Quote], Any], call: Callable[[Quote], Any], market_tickers: object = None
    ) -> None:
        if callable(market_tickers):
            raise ConfigurationError(
                "when() takes the condition, what to call, and then the markets: "
                "feed.when(lambda top: top.ask and top.ask < 0.30, print, 'KXHIGHNY-26NOV22-B52.5')."
            )
        for name, function in (("condition", condition), ("call", call)):
            if not callable(function):
                raise ConfigurationError(
                    f"when() takes a condition, what to call, and markets; {name} is a {type(function).__name__}, no "
                    "function: feed.when(lambda top: top.ask and top.ask < 0.30, print, 'KXHIGHNY-26NOV22-B52.5')."
                )
            unstarted = unstarted_kind(function)
            if unstarted is not None:
                raise ConfigurationError(
                    f"{name} is {unstarted}, and a call would run nothing of it; pass a plain one. To await each "
                    "quote, go through `async for quote in feed.listen('quotes', …)`."
                )
            refuse_arity(function, f"when() calls {name} with the best prices of a market", kind=ConfigurationError)
        if _answers_nothing(condition):
            raise ConfigurationError(
                "when() takes the condition first, and then what to call: feed.when(lambda top: top.ask and top.ask < "
                f"0.30, print). As a condition {_name(condition)} would never be true, since it returns nothing."
            )
        self.__name__: str = getattr(call, "__name__", "alert")
        self._condition = condition
        self._call = call
        self._was: dict[str, bool] = {}

    def __call__(self, quote: Quote) -> None:
        """Take note of a quote."""
        if quote.status != "live":
            return
        ticker = quote.market_ticker
        answer = self._condition(quote)
        refuse_unstarted(answer, QUOTES)  # a coroutine counts as true, whatever it would have come to
        is_so = bool(answer)
        was_so = self._was.get(ticker, False)
        self._was[ticker] = is_so
        if is_so and not was_so:
            refuse_unstarted(self._call(quote), QUOTES)

    def forget(self) -> None:
        """Begin anew: the next quote of each market is its first."""
        self._was.clear()


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _answers_nothing(function: Any, deep: int = _DEEPEST) -> bool:
    """Tell whether a function is known to return None whatever it is given, as what is called at a crossing does."""
    if isinstance(function, BuiltinFunctionType | MethodDescriptorType):
        return function.__name__ in _ANSWER_NOTHING
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, FunctionType) or plain.__code__.co_flags & _UNSTARTED:
        return False
    steps = list(dis.get_instructions(plain))
    handed_to = _handed_to(plain, steps)
    if handed_to is not None:
        return deep > 0 and _answers_nothing(handed_to, deep - 1)
    before, returns = None, []
    for each in steps:
        if each.opname == "RETURN_CONST":
            returns.append(each.argval is None)
        elif each.opname == "RETURN_VALUE":
            # Of what a jump leads to nobody knows what it returns.
            constant = before is not None and before.opname == "LOAD_CONST" and before.argval is None
            returns.append(constant and not each.is_jump_target)
        before = each
    return bool(returns) and all(returns)


def _handed_to(plain: FunctionType, steps: list[dis.Instruction]) -> Any:
    """Return what a function hands all on to and whose answer it returns, as ``lambda top: print(top)`` does.

    None where it does anything else, or nobody knows to what.
    """
    done = [each for each in steps if each.opname not in _NO_STEPS]
    calls = [at for at, each in enumerate(done) if each.opname.startswith("CALL")]
    is_straight = not any("JUMP" in each.opname or each.is_jump_target for each in done)
    if not is_straight or len(done) < len(("load", "call", "return")) or calls != [len(done) - 2]:
        return None
    first, then = done[0], done[1]
    if first.opname not in ("LOAD_GLOBAL", "LOAD_DEREF"):
        return None
    known = inspect.getclosurevars(plain)
    scopes: tuple[Mapping[str, Any], ...] = (known.nonlocals, known.globals, known.builtins)
    found = next((scope[first.argval] for scope in scopes if first.argval in scope), None)
    if then.opname in ("LOAD_ATTR", "LOAD_METHOD"):
        found = inspect.getattr_static(found, then.argval, None)  # nothing of anybody's is run
    return found


class AlertDelivery(CallbackDelivery):
    """Calls an alert with each quote.

    Parameters
    ----------
    opening : Opening
        What the pipeline is opened with.
    schedule : Schedule
        For later calls on the thread that delivers.
    alert : Alert
        The alert.
    """

    def __init__(self, opening: Opening, schedule: Schedule, alert: Alert) -> None:
        super().__init__(opening, schedule, cast("Callable[..., Any]", alert))
        self._alert = alert

    def _apply(self, row: SteeringRow) -> None:
        super()._apply(row)
        if isinstance(row, ResetRow):
            self._alert.forget()
