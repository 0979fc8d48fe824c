"""What a notebook's front end does: it runs cells by their ids, interrupts them, and passes on clicks."""

import json
import os
import queue
import time

from jupyter_client.manager import start_new_kernel


class Kernel:
    """A kernel whose cells are run as a notebook runs them."""

    def __init__(self, folder, **environment):
        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), env={**os.environ, **environment}
        )

    def run(self, code, timeout=60):
        """Run a cell and return the text of its last expression; raise what it raised."""
        found, problems = [], []

        def hear(message):
            content = message["content"]
            if message["msg_type"] == "execute_result":
                found.append(content["data"]["text/plain"])
            elif message["msg_type"] == "error":
                problems.append("\n".join(content["traceback"]))

        self.client.execute_interactive(code, timeout=timeout, output_hook=hear, store_history=True)
        if problems:
            raise AssertionError(problems[0])
        return found[-1] if found else None

    def value(self, code, timeout=60):
        return json.loads(eval(self.run(code, timeout)))  # the repr of a str of ours

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


class FrontEnd(Kernel):
    """A kernel whose cells are run as JupyterLab runs them: each request names its cell."""

    def send(self, code, cell, *, silent=False):
        """Ask for a cell to be run, None for one that has no id; return the id of the request."""
        content = {"code": code, "silent": silent, "store_history": not silent, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        metadata = {} if cell is None else {"cellId": cell, "deletedCells": [], "recordTiming": False}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def heard(self, request, timeout=60):
        """What a request was answered with: its value, its errors, and what it wrote."""
        value, errors, written = None, [], []
        end = time.monotonic() + timeout
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the request {request} is not over after {timeout} s") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_result":
                value = content["data"]["text/plain"]
            elif kind == "error":
                errors.append(content["ename"])
            elif kind == "stream":
                written.append(content["text"])
            elif kind == "status" and content["execution_state"] == "idle":
                return value, errors, "".join(written)

    def cell(self, cell, code, *, silent=False, raises=None):
        """Run a cell; return what it wrote."""
        _, errors, written = self.heard(self.send(code, cell, silent=silent))
        assert errors == ([] if raises is None else [raises]), written
        return written

    def ask(self, expression):
        """The value of an expression, as JSON has it."""
        value, errors, written = self.heard(self.send(f"import json; json.dumps({expression})", None))
        assert errors == [], written
        return json.loads(eval(value))  # the repr of a str of ours

    def click(self, comm_id):
        """Click a button, and wait until the kernel has dealt with it."""
        self.heard(self.press(comm_id))

    def press(self, comm_id):
        """Click a button, as the browser does; return the id of the request."""
        data = {"method": "custom", "content": {"event": "click"}}
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]
