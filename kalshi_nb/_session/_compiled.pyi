from collections.abc import Callable, Sequence

from kalshi_nb._rows.ladders import Levels, Status, Top
from kalshi_nb._session.ladder import Watcher
from kalshi_nb._session.state import SessionState
from kalshi_nb._wire.family import Frame

class CompiledLadder:
    live: bool
    status: Status
    status_since: int
    reason: str
    changed_at: int
    version: int
    watcher: Watcher | None
    def __init__(self, market_ticker: str) -> None: ...
    @property
    def market_ticker(self) -> str: ...
    def replace(self, yes: dict[int, int], no: dict[int, int], received_at: int, /) -> None: ...
    def apply(self, side: str, price: int, delta: int, received_at: int, /) -> bool: ...
    def set_status(self, status: Status, at: int, /, reason: str = "") -> None: ...
    @property
    def best_yes(self) -> int: ...
    @property
    def best_no(self) -> int: ...
    def top(self) -> Top: ...
    def levels(self) -> tuple[Levels, Levels]: ...

class StraightLine:
    def __init__(
        self,
        state: SessionState,
        channel: str,
        look_again: Callable[[bytes, Exception, int], Frame | None],
        take: Callable[[Frame, bytes, int], None],
    ) -> None: ...
    def receive(self, messages: Sequence[bytes], received_at: int, /) -> None: ...
