"""For people who paste ``asyncio.run(…)`` code into a cell. Nothing in the kit needs it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util

from kalshi_nb.errors import ConfigurationError

__all__ = ["nested_asyncio"]


def nested_asyncio() -> None:
    """Let ``asyncio.run(…)`` work inside a cell, where a loop is running already.

    Patches asyncio for the whole process with nest-asyncio2 where that is installed (it is maintained), else
    with nest-asyncio. Kalshi's own quick-start script runs in a cell after this. It is never applied by
    itself, and calling it twice is harmless.

    Raises
    ------
    ConfigurationError
        When the running loop cannot be patched (uvloop's).
    """
    name = "nest_asyncio2" if importlib.util.find_spec("nest_asyncio2") else "nest_asyncio"
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    try:
        importlib.import_module(name).apply(loop)
    except ValueError as refusal:
        raise ConfigurationError(
            f"This loop cannot be patched ({refusal}). Run the code in a thread of its own instead: "
            "threading.Thread(target=lambda: asyncio.run(main())).start()."
        ) from None
