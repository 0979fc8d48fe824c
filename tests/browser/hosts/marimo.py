"""marimo's editor, where a notebook is worked on, and its apps, where each visitor has a session of his own."""

import sys
import textwrap

from tests.browser.hosts.host import STEP_MILLISECONDS, Host


class _Marimo(Host):
    served = "/health"
    mode = ""
    options = ()

    def command(self):
        return [
            *(sys.executable, "-m", "marimo", "--quiet", self.mode),
            "--headless",
            "--no-token",
            "--host=127.0.0.1",
            f"--port={self.port}",
            *self.options,
        ]

    def environment(self):
        home = self.folder / "home"
        settings = home / ".config" / "marimo"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "marimo.toml").write_text('[display]\ntheme = "system"\n[runtime]\nauto_instantiate = true\n')
        return {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}

    def write(self, name, *cells):
        parts = ["import marimo", 'app = marimo.App(width="full")']
        # Which names a cell has of others marimo finds by itself.
        parts += [f"@app.cell\ndef _():\n{textwrap.indent(cell, '    ')}" for cell in cells]
        (self.root / f"{name}.py").write_text("\n\n".join(parts) + "\n")

    def run(self, page, name):
        page.goto(f"{self.base}/?file={name}.py", timeout=STEP_MILLISECONDS)

    def go_dark(self, page):
        page.emulate_media(color_scheme="dark")


class MarimoEdit(_Marimo):
    """A running editor; its kernels are processes."""

    name = "marimo edit"
    mode = "edit"

    options = ("--no-skew-protection", "--skip-update-check", ".")


class MarimoRun(_Marimo):
    """A running server of apps; the kernels are threads of it."""

    name = "marimo run"
    mode = "run"
    one_process = True
    options = ("--session-ttl=5", "app.py")  # a visitor who has left keeps nothing busy for long

    # It serves the files that there are at its start; each visitor's session reads them anew.

    def start(self):
        self.write("app")
        return super().start()

    def write(self, name, *cells):
        super().write("app", *cells)

    def run(self, page, name):
        super().run(page, "app")
