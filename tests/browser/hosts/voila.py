"""Voila: a notebook as a page, with a kernel a visit; the page comes when all of its cells have ended."""

import json
import sys

from tests.browser.hosts.host import STEP_MILLISECONDS, Host
from tests.browser.hosts.jupyter import document, folders_of_jupyter


class Voila(Host):
    """A running Voila over a folder of notebooks."""

    name = "Voila"
    shows_while_busy = False

    def __init__(self, folder):
        super().__init__(folder)
        self._theme = "light"

    def command(self):
        return [
            *(sys.executable, "-m", "voila", str(self.root)),
            "--no-browser",
            "--Voila.ip=127.0.0.1",
            f"--port={self.port}",
            "--show_tracebacks=True",
        ]

    def environment(self):
        return folders_of_jupyter(self.folder)

    def write(self, name, *cells):
        (self.root / f"{name}.ipynb").write_text(json.dumps(document(cells)))

    def run(self, page, name):
        page.goto(f"{self.base}/voila/render/{name}.ipynb?theme={self._theme}", timeout=STEP_MILLISECONDS)

    def go_dark(self, page):
        self._theme = "dark"

    def go_light(self, page):
        self._theme = "light"
