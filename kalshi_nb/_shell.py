"""The IPython shell that runs here, where there is one."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["shell"]


def shell() -> Any:
    """Return IPython's shell, None in a plain script; imports nothing, from any thread, at any moment.

    Another thread may be in the midst of importing IPython, which takes a second and is what showing the first widget
    does. A module stands in ``sys.modules`` from the first line of its import on, so it may lack any of its names, and
    calling one that is there may wait for the rest. Where it is not all there, no shell of its can run.
    """
    ipython = sys.modules.get("IPython")
    if ipython is None or getattr(getattr(ipython, "__spec__", None), "_initializing", False):
        return None
    get = getattr(ipython, "get_ipython", None)
    return None if get is None else get()
