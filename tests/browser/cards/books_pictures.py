"""Pictures of several books in one view, as the kernel would send them."""

import copy
import time

from tests.browser.cards.pictures import states as ladders

HEAD = ("v", "seq", "sent", "kernel", "model", "kind")


def shelf(*names, seq=1, **given):
    """A view of some books, each in the state of that name."""
    known = ladders()
    books = [copy.deepcopy({name: value for name, value in known[each].items() if name not in HEAD}) for each in names]
    for number, book in enumerate(books):
        book["market"] = {**book["market"], "ticker": f"{book['market']['ticker']}-{number}"}
    picture = {
        "v": 1,
        "seq": seq,
        "sent": time.time(),
        "kernel": "kernel-1",
        "model": "model-1",
        "kind": "books",
        "status": "live",
        "age": 1,
        "note": "",
        "title": f"{len(names)} books",
        "more": "",
        "books": books,
    }
    return picture | given


ALL = ("live", "stale", "no-asks", "empty", "connecting", "unknown", "handle-closed", "determined", "closed-by-clock")


def states():
    """The states of such a view by name."""
    return {
        "all": shelf(*ALL),
        "two": shelf("live", "live", more="3 more not shown: KX-A, KX-B, KX-C"),
        "silent": shelf("live", "stale", sent=time.time() - 3600),
        "ended": shelf("handle-closed", status="closed"),
    }
