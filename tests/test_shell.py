"""IPython may be half imported at any moment, by whichever thread shows the first widget: nobody stumbles over it."""

import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
import importlib.util, sys, threading, types

half = types.ModuleType("IPython")
half.__spec__ = importlib.util.spec_from_loader("IPython", None)
half.__spec__._initializing = True
sys.modules["IPython"] = half
{more}
import kalshi_nb as kn
from kalshi_nb._shell import shell

assert shell() is None
with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange) as feed:
    frame = feed.stream("trade").rolling_frame()
    feed.on("trade")(print if False else (lambda trade: None))
    feed.trades()
    feed.when(lambda top: False, print, exchange.market_tickers[0])
    feed.health()
    exchange.advance(5)
print("went on")
"""


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.mark.parametrize(
    "more",
    [
        "",
        "half.get_ipython = None",
        "def stumbles():\n    raise ImportError('half of it')\nhalf.get_ipython = stumbles",
        "half.__spec__ = None",
    ],
    ids=["without the name", "with the name and nothing in it", "with a name that stumbles", "without a spec"],
)
def test_a_module_that_is_half_imported_is_no_shell(more):
    assert run(SCRIPT.format(more=more)) == ("went on\n", "", 0)


def test_one_thread_shows_the_first_ladder_while_another_builds_a_pipeline():
    script = textwrap.dedent("""
        import threading
        import kalshi_nb as kn

        with kn.sim.Exchange(clock="manual") as exchange, kn.connect(exchange) as feed:
            book = feed.book(exchange.market_tickers[0]).wait()
            problems, begun = [], threading.Event()

            def build():
                begun.set()
                while not shown.is_set():
                    try:
                        feed.stream("trade").map(len)
                        feed.health()
                    except BaseException as problem:
                        problems.append(repr(problem))

            shown = threading.Event()
            thread = threading.Thread(target=build)
            thread.start()
            begun.wait()
            bundle = book._repr_mimebundle_()
            shown.set()
            thread.join()
            print(sorted(bundle), problems[:1])
    """)
    out, err, status = run(script)
    assert (err, status) == ("", 0)
    assert out.startswith("['application/vnd.jupyter.widget-view+json', 'text/html', 'text/plain'] []")
