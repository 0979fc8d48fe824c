"""What a browser test's page, kernel and host look like, told in text: a failure on a far machine has nothing else."""

import json

CONSOLE_LINES = 60
LOG_CHARACTERS = 6000
PAGE_MILLISECONDS = 10_000
PAGE = """() => { const everywhere = (words, root = document) => [...root.querySelectorAll('*')].flatMap(
  (each) => [...(each.matches(words) ? [each] : []), ...(each.shadowRoot ? everywhere(words, each.shadowRoot) : [])]);
return JSON.stringify({
  url: location.href,
  visibility: document.visibilityState,
  text: document.body.innerText.slice(0, 2000),
  views: everywhere('.kalshi-nb').map(
    (view) => ({ ...view.dataset, text: view.shadowRoot?.querySelector('.card')?.innerText.slice(0, 400) })),
  cells: [...document.querySelectorAll('.jp-CodeCell')].map((cell) => ({
    prompt: cell.querySelector('.jp-InputPrompt')?.innerText.trim(),
    code: cell.querySelector('.jp-InputArea-editor')?.innerText.slice(0, 200),
    outputs: [...cell.querySelectorAll('.jp-OutputArea-output')].map((output) => output.innerText.slice(-1500)),
  })),
  dialogs: [...document.querySelectorAll('.jp-Dialog, .Toastify__toast')].map((dialog) => dialog.innerText),
  connection: window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus,
  kernel: window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status,
}); }"""
# The notebook's own model is asked: on the page a traceback has the looks and the type of anything on stderr.
FAILED_CELLS = """() => (window.jupyterapp?.shell.currentWidget?.content?.widgets ?? [])
  .flatMap((cell) => cell.model.outputs?.toJSON() ?? [])
  .filter((output) => output.output_type === 'error')
  .map((output) => `${output.ename}: ${output.evalue}`)"""


class Diary:
    """A page's console messages and uncaught errors, from its beginning."""

    def __init__(self, page):
        self.lines = []
        page.on("console", lambda message: self.lines.append(f"{message.type}: {message.text[:500]}"))
        page.on("pageerror", lambda error: self.lines.append(f"uncaught: {error.stack or error.message}"[:1500]))
        page.on("crash", lambda _: self.lines.append("the page crashed"))
        page.on("websocket", self._follow)

    def _follow(self, socket):
        self.lines.append(f"websocket opened: {socket.url}")
        socket.on("close", lambda _: self.lines.append(f"websocket closed: {socket.url}"))
        socket.on("socketerror", lambda error: self.lines.append(f"websocket failed: {error}"))


def sections(page, diary, host):
    """Titles and texts of all there is to know; what cannot be had says why."""
    yield "the page", _or_why(lambda: page_text(page))
    yield "the page's console, errors and sockets", "\n".join(diary.lines[-CONSOLE_LINES:])
    yield "the host's sessions", _or_why(lambda: json.dumps(host.sessions(), indent=1))
    yield "the kernel's views", _or_why(lambda: json.dumps(host.kernels(), indent=1))
    yield "the host's log", _or_why(lambda: host.log.read_text(errors="replace")[-LOG_CHARACTERS:])


def page_text(page):
    # A page that hangs answers nothing: only what waits on a function of the page has a timeout.
    page.wait_for_function("() => true", polling=100, timeout=PAGE_MILLISECONDS)
    return json.dumps(json.loads(page.evaluate(PAGE)), indent=1, ensure_ascii=False)


def failed_cells(page):
    """What cells of the open notebook have raised."""
    return page.evaluate(FAILED_CELLS)


def _or_why(tell):
    try:
        return tell()
    except Exception as error:
        return f"could not be had: {type(error).__name__}: {error}"
