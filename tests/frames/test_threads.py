from __future__ import annotations

import threading

import pytest

from kalshi_nb import _threads
from kalshi_nb.errors import WrongThreadError


def test_a_role_belongs_to_one_thread():
    seen = []

    def run():
        _threads.set_role("io")
        seen.append(_threads.role())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert seen == ["io"]
    assert _threads.role() is None


def test_a_call_is_refused_on_the_named_threads_only_and_says_what_to_do():
    _threads.set_role("user")
    try:
        _threads.refuse_on("io", "pipeline", doing="f()", instead="Do g()")
        with pytest.raises(WrongThreadError, match=r"f\(\) was called on .*callbacks.*Do g\(\)\.$"):
            _threads.refuse_on("io", "user", doing="f()", instead="Do g()")
    finally:
        _threads.set_role(None)
    _threads.refuse_on("io", "pipeline", "user", "display", doing="f()", instead="Do g()")
