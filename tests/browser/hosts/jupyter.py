"""JupyterLab and Notebook 7, which is made of the same parts: one server and one page's application."""

import json
import sys
import time
import urllib.parse
import urllib.request

from tests.browser.hosts.host import IS_ROOT, START_SECONDS, STEP_MILLISECONDS, Host
from tests.browser.page_account import failed_cells

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
SAVE = """async () => {
  await jupyterapp.commands.execute('docmanager:save');
  return !jupyterapp.shell.currentWidget.context.model.dirty;
}"""


def document(cells, outputs=(), kernel="python3"):
    """Return a notebook of these cells; what was put out is the last one's."""
    import nbformat  # it takes seconds, also where nothing of this is run

    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    if outputs:
        notebook.cells[-1].execution_count = 1
        notebook.cells[-1].outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
    return notebook


def folders_of_jupyter(folder):
    """Return the variables that keep Jupyter's settings, data and kernels in a folder."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {name: str(folder / sub) for name, sub in folders.items()}


class Lab(Host):
    """A running JupyterLab: its notebooks' folder, its REST API, and how a page works it."""

    name = "JupyterLab"
    served = "/api/status"
    module = "jupyterlab"
    address = "/doc/tree/"
    options = ("--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True")

    def __init__(self, folder):
        super().__init__(folder)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        # Nothing may be fetched, and no pop-up may lie over what is looked at.
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))

    def command(self):
        return [
            *(sys.executable, "-m", self.module),
            "--no-browser",
            *(["--allow-root"] if IS_ROOT else []),
            "--ip=127.0.0.1",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.terminals_enabled=False",
            *self.options,
        ]

    def environment(self):
        return folders_of_jupyter(self.folder)

    def api(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, method=method, data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def set_theme(self, name):
        setting = urllib.parse.quote("@jupyterlab/apputils-extension:themes", safe="")
        self.api(f"/lab/api/settings/{setting}", "PUT", {"raw": json.dumps({"theme": name})})

    def write_notebook(self, name, *cells, outputs=(), kernel="python3"):
        (self.root / name).write_text(json.dumps(document(cells, outputs, kernel)))

    def session(self, name):
        return next((each for each in self.sessions() if each["path"] == name), None)

    def sessions(self):
        return self.api("/api/sessions")

    def open(self, page, name):
        """Open a notebook on its own and wait until its kernel is idle and the page has a line to it."""
        page.goto(f"{self.base}{self.address}{name}")
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

    def save(self, page):
        """Save the open notebook, and return when there is nothing more to save."""
        page.wait_for_function(SAVE, polling=200, timeout=STEP_MILLISECONDS)

    def restart_kernel(self, name):
        self.api(f"/api/kernels/{self.session(name)['kernel']['id']}/restart", "POST")

    def end_sessions(self):
        for session in self.sessions():
            self.api(f"/api/sessions/{session['id']}", "DELETE")

    def failed_cells(self, page):
        return failed_cells(page)

    def _wait_until_idle(self, name):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            session = self.session(name)
            if session and session["kernel"]["execution_state"] == "idle" and session["kernel"]["connections"]:
                return
            time.sleep(0.1)
        raise TimeoutError(f"The kernel of {name} was not idle within {START_SECONDS} s.")

    # As a host among others --------------------------------------------------------------------------------------

    def add_kernel(self, name, python):
        """Offer the kernel of another environment."""
        spec = {"argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": name}
        folder = self.folder / "data" / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))

    def write(self, name, *cells, kernel="python3"):
        self.write_notebook(f"{name}.ipynb", *cells, kernel=kernel)

    def run(self, page, name):
        self.open(page, f"{name}.ipynb")
        self.run_all(page)

    def reload(self, page, name):
        self.save(page)
        page.reload()

    def go_dark(self, page):
        self.set_theme("JupyterLab Dark")

    def go_light(self, page):
        self.set_theme("JupyterLab Light")


class Notebook(Lab):
    """A running Notebook 7."""

    name = "Notebook 7"
    module = "notebook"
    address = "/notebooks/"
    options = ("--JupyterNotebookApp.expose_app_in_browser=True",)
