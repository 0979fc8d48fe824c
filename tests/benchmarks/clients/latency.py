"""The kit in a real kernel, where a cell reads a frame and ladders are on show; see `latency_cell`."""

import ast
import json
import sys

from jupyter_client.manager import start_new_kernel

from tests.benchmarks.clients.protocol import Client
from tests.benchmarks.running import ROOT

PATIENCE = 300


class Kernel:
    """A kernel whose cells are run as a notebook runs them."""

    def __init__(self):
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(ROOT), extra_arguments=["--log-level=ERROR"]
        )

    def run(self, code):
        """Run a cell and return its last expression, a str; raise what it raised."""
        found, problems = [], []

        def hear(message):
            content = message["content"]
            if message["msg_type"] == "execute_result":
                found.append(content["data"]["text/plain"])
            elif message["msg_type"] == "error":
                problems.append("\n".join(content["traceback"]))

        self.client.execute_interactive(code, timeout=PATIENCE, output_hook=hear)
        if problems:
            raise RuntimeError(problems[0])
        return ast.literal_eval(found[-1]) if found else None

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main():
    client = Client()
    kernel = Kernel()
    try:
        kernel.run(f"import sys\nsys.argv[1:] = [{sys.argv[1]!r}]")
        kernel.run("from tests.benchmarks.clients.latency_cell import Cell\ncell = Cell()")
        client.ready()
        kernel.run("cell.warm()")
        client.warm()
        said = json.loads(kernel.run("cell.read()"))
        client.stop()
        client.done(said.pop("found"), said.pop("expected"), **said)
    finally:
        kernel.end()


if __name__ == "__main__":
    main()
