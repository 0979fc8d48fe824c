"""streamz graphs, their sources and nodes, and the threads that run them.

streamz imports its bridge to Dask wherever Dask is installed, which takes half a second and brings numpy with it. So
it is imported here without, before any module of this room imports it. What it has of Dask at its top is loaded when
somebody asks for it, ``scatter()`` when it is called, and that it looks for the loop of a client is as it was: where
nobody has loaded Dask there is no client.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

_WITH_DASK = ("distributed", "streamz.dask")


def _import_streamz() -> None:
    known = [each for each in ("streamz", *_WITH_DASK) if each in sys.modules]
    if known or importlib.util.find_spec("distributed") is None:
        return  # somebody has all of it, or nobody can have it
    sys.modules.update(dict.fromkeys(_WITH_DASK))  # type: ignore[arg-type]  # None makes an import fail, as if missing
    try:
        streamz = importlib.import_module("streamz")
    finally:
        for each in _WITH_DASK:
            del sys.modules[each]
    streamz.__getattr__ = _ask_streamz  # type: ignore[method-assign]
    streamz.core._dask_default_client = _default_client  # noqa: SLF001  # as its own import would have set it


def _ask_streamz(name: str) -> Any:
    if name not in ("DaskStream", "scatter"):
        raise AttributeError(f"module 'streamz' has no attribute {name!r}")
    return getattr(importlib.import_module("streamz.dask"), name)


def _default_client() -> Any:
    if "distributed" not in sys.modules:
        raise ValueError("No clients found")
    return importlib.import_module("distributed.client").default_client()


_import_streamz()
