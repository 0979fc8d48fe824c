"""A real JupyterLab, a real kernel and a real Chromium.

Skipped with a reason where Chromium or playwright is missing, except in continuous integration (the
environment variable CI is set), where that is a failure. Screenshots go into a temporary folder, or into the
one that KALSHI_NB_SCREENSHOTS names. KALSHI_NB_CHROMIUM names another Chromium than the one on the path.
"""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.browser.page_account import Diary, failed_cells, sections

CHROMIUM_FLAGS = [
    "--no-sandbox",  # root has none, nor has anybody where there are no namespaces; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
DIARY = pytest.StashKey[Diary]()
READY = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return context?.isReady && context.session?.kernel?.connectionStatus === 'connected'
    && context.session.kernel.status === 'idle' && jupyterapp.commands.isEnabled('notebook:run-all-cells');
}"""
"""The notebook has the focus, and its kernel answers over an open socket."""
RUN_ALL = """() => {
  window.allCellsHaveRun = false;
  jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.allCellsHaveRun = true; });
}"""
START_SECONDS = 120
STEP_MILLISECONDS = 60_000


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Let no test pass in whose notebook a cell has failed."""
    result = yield
    if DIARY in item.stash:
        assert failed_cells(item.funcargs["page"]) == []
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let a failure tell what the page, the kernel and the lab looked like."""
    report = yield
    if report.when == "call" and report.failed and DIARY in item.stash:
        report.sections += sections(item.funcargs["page"], item.stash[DIARY], item.funcargs["lab"])
    return report


def missing(reason):
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (the variable CI is set, so this is a failure)")
    pytest.skip(reason)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """A running JupyterLab: its notebooks' folder, its REST API, and how a page works it."""

    def __init__(self, base, root, log):
        self.base = base
        self.root = root
        self.log = log
        self._looks = itertools.count(1)

    def api(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, method=method, data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def set_theme(self, name):
        setting = urllib.parse.quote("@jupyterlab/apputils-extension:themes", safe="")
        self.api(f"/lab/api/settings/{setting}", "PUT", {"raw": json.dumps({"theme": name})})

    def write_notebook(self, name, *cells, outputs=()):
        import nbformat

        notebook = nbformat.v4.new_notebook()
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        if outputs:
            notebook.cells[-1].execution_count = 1
            notebook.cells[-1].outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
        nbformat.write(notebook, self.root / name)

    def session(self, name):
        return next((each for each in self.api("/api/sessions") if each["path"] == name), None)

    def open(self, page, name):
        """Open a notebook on its own and wait until its kernel is idle and the page has a line to it."""
        page.goto(f"{self.base}/doc/tree/{name}")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=STEP_MILLISECONDS)
        self._wait_until_idle(name)
        page.wait_for_function(READY, timeout=STEP_MILLISECONDS)

    def run_all(self, page):
        """Have all cells run, once; returns when they are on their way."""
        page.evaluate(RUN_ALL)

    def wait_until_run(self, page, timeout=STEP_MILLISECONDS):
        """Wait until `run_all` has come to its end."""
        page.wait_for_function("window.allCellsHaveRun", timeout=timeout)

    def show(self, page, name, *cells):
        """Write, open and run a notebook, and wait until its ladder is on the page."""
        self.write_notebook(name, *cells)
        self.open(page, name)
        self.run_all(page)
        page.wait_for_selector(".kalshi-nb", timeout=STEP_MILLISECONDS)

    def until_looked(self, meanwhile="time.sleep(0.05)"):
        """Code that a cell begins with which is to wait until the test has seen enough and calls `looked`.

        Each has a file of its own: what one test leaves behind lets no cell of another one through.
        """
        self._looked = self.root / f"looked-{next(self._looks)}"
        return f"import pathlib, time\nwhile not pathlib.Path({str(self._looked)!r}).exists(): {meanwhile}\n"

    def looked(self):
        """Let the cell go on that waits by the newest `until_looked`."""
        self._looked.touch()

    def restart_kernel(self, name):
        self.api(f"/api/kernels/{self.session(name)['kernel']['id']}/restart", "POST")

    def end_sessions(self):
        for session in self.api("/api/sessions"):
            self.api(f"/api/sessions/{session['id']}", "DELETE")

    def _wait_until_idle(self, name):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            session = self.session(name)
            if session and session["kernel"]["execution_state"] == "idle" and session["kernel"]["connections"]:
                return
            time.sleep(0.1)
        raise TimeoutError(f"The kernel of {name} was not idle within {START_SECONDS} s.")


def _lab_command(port, root):
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        *(["--allow-root"] if is_root else []),
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={root}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.terminals_enabled=False",
    ]


def _lab_environment(folder):
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # Nothing may be fetched, and no pop-up may lie over what is looked at.
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    return os.environ | {name: str(folder / sub) for name, sub in folders.items()}


@pytest.fixture(scope="session")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install 'kalshi-nb[dev]'")
    executable = os.environ.get("KALSHI_NB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing("no chromium on the path: install it, or name one in KALSHI_NB_CHROMIUM")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    root = folder / "notebooks"
    root.mkdir()
    shutil.copy(Path(__file__).with_name("moving_ladder.py"), root)
    port = free_port()
    log = folder / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            _lab_command(port, root), env=_lab_environment(folder), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        running = Lab(f"http://127.0.0.1:{port}", root, log)
        _wait_until_served(running, server, log)
        yield running
        running.end_sessions()
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(15)


def _wait_until_served(lab, server, log):
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            lab.api("/api/status")
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def page(browser, lab, request):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    context.set_default_timeout(STEP_MILLISECONDS)
    opened = context.new_page()
    request.node.stash[DIARY] = Diary(opened)
    yield opened
    context.close()
    lab.end_sessions()


@pytest.fixture
def screenshot(tmp_path):
    folder = Path(os.environ.get("KALSHI_NB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(target, name):
        path = folder / f"{name}.png"
        target.screenshot(path=str(path))
        return path

    return take
