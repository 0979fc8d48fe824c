"""Views on pages of our own, in a real Chromium, without a notebook: what a host does to a view, one by one."""

from pathlib import Path

import pytest

from kalshi_nb._widgets.assets import bundle

ORIGIN = "http://host.invalid/"
HOST = Path(__file__).with_name("host.js").read_text(encoding="utf-8")
CELL = "<main><div id='cell'></div></main>"
POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'"
"""What a strict server lets a page do, and no more: a widget host must import from blobs."""


class HostPage:
    """A page that stands in for a notebook's: its attributes, its rules, and views put on it."""

    def __init__(self, page):
        self.page = page
        self.errors = []
        self.asked = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, *, head="", body=CELL, html_tag="<html lang='en'>", body_tag="<body>", is_still=False):
        """Load a page. Everything outside it is refused. One that is still ages no view, however slow the machine."""
        head = f"<head><meta charset='utf-8'><title>host</title>{head}</head>"
        document = f"<!doctype html>{html_tag}{head}{body_tag}{body}"

        def answer(route):
            if route.request.url == ORIGIN:
                headers = {"content-security-policy": POLICY, "content-type": "text/html; charset=utf-8"}
                route.fulfill(body=f"{document}<script>{HOST}</script>", headers=headers)
            elif route.request.url.startswith("blob:"):
                route.continue_()
            else:
                route.abort()

        self.page.route("**/*", answer)
        self.page.goto(ORIGIN)
        if is_still:
            self.page.evaluate("hosting.stop_clock()")
        return self

    def show(self, picture, settings=None, *, at="#cell", text=None, kind="ladder"):
        """Put a view on the page, and return the number of its model."""
        state = {"picture": picture, "delta": {}, "settings": settings or {}}
        text = text or bundle(kind).text
        script = """async ([text, state, at]) => {
            const down = (root, name) => (root.shadowRoot ?? root).querySelector(name);
            const el = at.split(" >> ").reduce(down, document);
            await hosting.open(text, state, el);
            return hosting.models.length - 1;
        }"""
        number = self.page.evaluate(script, [text, state, at])
        self.settle()
        return number

    def send(self, picture, model=0, name="picture"):
        """Have the kernel send, and wait for the paint that follows."""
        self.page.evaluate("([n, name, value]) => hosting.models[n].arrive(name, value)", [model, name, picture])
        self.settle()

    def settle(self, frames=3):
        """Let some frames go by, and what observers do between them: a view paints in the frame after it is told."""
        script = """async (n) => {
            for (let i = 0; i < 2 * n; i++) {
                await new Promise((next) => requestAnimationFrame(next));
                await new Promise((next) => setTimeout(next, 20));
            }
        }"""
        self.page.evaluate(script, frames)

    def sent(self, model=0):
        """Return what the browser has told the kernel by a model."""
        return self.page.evaluate("(n) => hosting.models[n].sent", model)

    def data(self, name, at=0):
        """Return a fact that a view tells on its host element."""
        return self.page.locator(".kalshi-nb").nth(at).get_attribute(f"data-{name}")

    def texts(self, selector):
        """Return the texts that a person can see, top to bottom."""
        script = """(nodes) => nodes.filter((n) => n.checkVisibility()).map((n) => n.innerText.trim())"""
        return self.page.locator(selector).evaluate_all(script)

    def focus(self):
        """Focus the first view's card."""
        self.page.locator(".kalshi-nb .card").first.focus()


@pytest.fixture
def make_host(browser):
    contexts = []

    def make(**options):
        context = browser.new_context(**({"viewport": {"width": 760, "height": 760}} | options))
        context.set_default_timeout(20_000)
        contexts.append(context)
        return HostPage(context.new_page())

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def host(make_host):
    """A host whose page nothing goes wrong on, and which asks for nothing outside itself."""
    made = make_host()
    yield made
    assert made.errors == []
    assert [
        url for url in made.asked if not url.startswith(("blob:", ORIGIN)) and not url.endswith("favicon.ico")
    ] == []
