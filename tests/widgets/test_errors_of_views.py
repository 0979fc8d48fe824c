"""What a view raises is told by the feed whose view it is, and by no other of the process."""

import threading

import kalshi_nb as kn
from kalshi_nb._widgets.display import display
from tests.widgets.conftest import wait_until

MARKET = "KXHIGHNY-26NOV22-B52.5"


def test_health_counts_the_errors_of_the_feeds_own_views(messages, monkeypatch):
    with (
        kn.sim.Exchange(seed=7, clock="manual") as exchange,
        kn.connect(exchange) as feed,
        kn.connect(exchange, new=True) as other,
    ):
        for each in (feed, other):
            each.book(MARKET).wait()._repr_mimebundle_()
        book = feed.book(MARKET)
        with monkeypatch.context() as broken:
            broken.setattr(
                book._live_view().widget.comm, "send", lambda *_, **__: 1 / 0
            )  # as if the browser were gone
            before = display.errors
            for _ in range(20):
                exchange.advance(2)
                if display.errors > before:
                    break
                threading.Event().wait(0.05)
            wait_until(lambda: feed.health().warnings)
        (told,) = feed.health().warnings
        assert "errors while showing what this feed has, the last ZeroDivisionError" in told
        assert other.health().warnings == ()
        book.close()
