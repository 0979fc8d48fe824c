"""The kit with one of its constants changed, by the same path as ever: what a default is worth.

None of this can be chosen by a user; what can be is an argument of ``connect()``.
"""

import asyncio.selector_events
from functools import partial

from tests.benchmarks.clients import kit
from tests.benchmarks.clients.protocol import Client


def changed(what):
    """Change the libraries' options for all connections that follow."""
    from kalshi_nb._engine import over_websockets

    options = {name: what[name] for name in ("compression", "max_queue") if name in what}
    if options:
        usual = over_websockets._Connect
        over_websockets._Connect = lambda url, **given: usual(url, **(given | options))
    if "read" in what:
        _replace(asyncio.selector_events._SelectorSocketTransport, "max_size", what["read"])
    if "buffer" in what:
        from kalshi_nb._engine import over_picows

        _replace(over_picows, "READ_BUFFER", what["buffer"])
    if "aiofastnet" in what:
        import picows

        picows.ws_connect = partial(picows.ws_connect, use_aiofastnet=what["aiofastnet"])


def _replace(owner, name, value):
    """Set what must have been there, or a later version would be measured unchanged."""
    assert type(getattr(owner, name)) is type(value)
    setattr(owner, name, value)


def main():
    changed(Client().options.get("changed", {}))
    kit.main()


if __name__ == "__main__":
    main()
