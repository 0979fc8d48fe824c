"""Those who wait for the exchange's word on what they want."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from kalshi_nb._session.requests import Outcome, Request

__all__ = ["Answers"]


class Answers:
    """One future a request that somebody waits for; filled on the io thread, waited for on any other."""

    def __init__(self) -> None:
        self._waiting: dict[Request, Future[Outcome]] = {}

    def expect(self, requests: Sequence[Request]) -> list[Future[Outcome]]:
        """Return the futures of `requests`."""
        futures: list[Future[Outcome]] = [Future() for _ in requests]
        self._waiting.update(zip(requests, futures, strict=True))
        return futures

    def answered(self, request: Request) -> None:
        """Take up a request that ended."""
        future = self._waiting.pop(request, None)
        if future is not None and request.outcome is not None:
            future.set_result(request.outcome)

    def forget(self, requests: Sequence[Request]) -> None:
        """Expect nothing for `requests` any more."""
        for each in requests:
            self._waiting.pop(each, None)

    def let_go(self, problem: Exception | None = None) -> None:
        """Let everybody go: the link is down and what is wanted stays wanted, or there is a `problem`."""
        while self._waiting:
            _, future = self._waiting.popitem()
            if problem is None:
                future.set_result(Outcome())
            else:
                future.set_exception(problem)
