"""A session whose line is written down, and the one that is told of it afterwards."""

import json

from kalshi_nb._rows.heard import Checkpoint, Event, Read, Sent
from kalshi_nb._rows.quotes import QUOTES
from kalshi_nb._session.recorded import RecordedSession
from tests.session import session_rig
from tests.session.session_rig import BOOKS, Rig


class Heard(Rig):
    """A rig that writes down what its connection hears and says, as an engine tells a recorder."""

    def __init__(self, *, connected=True, **options):
        super().__init__(connected=False, **options)
        self.heard = []
        self.checkpoint()
        if connected:
            self.connect()

    def checkpoint(self):
        """Write down how all stands, and what is not answered yet."""
        self.flush()
        subscriptions, books = self.session.standing()
        there = (1,) if self.session.is_connected else ()
        self.heard.append(Checkpoint(self.now_us(), there, tuple(subscriptions), tuple(books)))
        self.heard += [Sent(self.now_us(), 1, each) for each in self.session.unanswered()]

    def event(self, kind, text=""):
        self.flush()
        self.heard.append(Event(self.now_us(), 1, kind, text))

    def connect(self):
        self.event("connected")
        self.session.connected()

    def disconnect(self):
        self.event("lost")
        self.session.disconnected()

    def release(self, request):
        self.session.release(request)
        if self.session.subscriptions[request.channel].wanted is None:
            self.heard.append(Event(self.now_us(), 1, "released", request.channel))

    def take(self, messages):
        self.flush()
        self.heard.append(Read(self.now_us(), 1, tuple(messages)))
        super().take(messages)

    def flush(self):
        """Send what is to be sent; return it."""
        sent = list(self.session.outgoing)
        self.session.outgoing.clear()
        self.heard += [Sent(self.now_us(), 1, each) for each in sent]
        return sent

    def commands(self):
        return [json.loads(each) for each in self.flush()]


class Told:
    """A recorded session in the hands of a test."""

    def __init__(self, heard=(), *, wanted=(), listened=(), compiled=None, recorded=None):
        self.at = 0
        self.recorded = recorded or {}
        compiled = session_rig.compiled_here if compiled is None else compiled
        self.session = RecordedSession(now_us=lambda: self.at, compiled=compiled)
        for channel in listened:
            self.session.listen(channel, on=True)
        if wanted:
            self.session.want(BOOKS, frozenset(wanted))
        self.hear(*heard)

    def hear(self, *heard):
        for each in heard:
            self.at = each.at
            getattr(self, f"_{type(each).__name__.lower()}")(each)
        return self

    def _read(self, read):
        self.session.receive(read.messages, read.at)
        self.session.events.clear()

    def _sent(self, sent):
        self.session.sent(sent.command)

    def _event(self, event):
        if event.kind == "connected":
            self.session.connected()
        elif event.kind == "lost":
            self.session.disconnected()
        elif event.kind == "released":
            self.session.released(event.text)
        else:
            self.session.lose_some(event.kind, self.recorded)

    def _checkpoint(self, stood):
        if bool(stood.connected) != self.session.is_connected:
            (self.session.connected if stood.connected else self.session.disconnected)()
        self.session.restore(stood.subscriptions, stood.books)

    def status(self, ticker):
        ladder = self.session.ladder(ticker)
        return None if ladder is None else (ladder.status, ladder.reason)


def books_of(session):
    """The books that are kept: what they may be trusted for, and what they hold."""
    return {
        ticker: (ladder.status, ladder.reason, ladder.changed_at, *ladder.levels())
        for ticker, ladder in session._state.ladders.items()
    }


def rows_of(session, *channels):
    return {channel: list(session.rows(channel)) for channel in channels or (BOOKS, "trade", "ticker", QUOTES)}


def counts_of(session):
    return session.messages, session.data_messages, session.rejected, session.duplicates
