"""A failing browser test tells what happened, and none passes in whose notebook a cell has failed."""

import json

import pytest

from tests.browser.conftest import DIARY, pytest_runtest_call, pytest_runtest_makereport
from tests.browser.page_account import failed_cells, sections
from tests.browser.test_ladder_in_lab import START, wait_for_status


@pytest.fixture
def told(lab, page, request):
    """The sections of a report, by title, of a page with a ladder and a cell that printed."""
    lab.show(page, "told.ipynb", START, "print('printed by a cell')")
    lab.wait_until_run(page)
    wait_for_status(page, "live")
    page.evaluate("console.error('said on the console')")
    with page.expect_event("pageerror"):
        page.evaluate("() => { setTimeout(() => { throw new Error('thrown on the page'); }); }")
    return dict(sections(page, request.node.stash[DIARY], lab))


def test_a_failure_tells_of_views_cells_console_kernel_and_host(told):
    page = json.loads(told["the page"])
    assert page["views"][0]["status"] == "live"
    assert "KXHIGHNY" in page["views"][0]["text"]
    assert [cell["prompt"] for cell in page["cells"]] == ["[1]:", "[2]:"]
    assert page["cells"][1]["outputs"] == ["printed by a cell\n"]
    assert (page["connection"], page["dialogs"]) == ("connected", [])
    notes = told["the page's console, errors and sockets"]
    assert "error: said on the console" in notes
    assert "thrown on the page" in notes
    assert "/channels" in notes
    assert json.loads(told["the host's sessions"])[0]["path"] == "told.ipynb"
    assert "Kernel started" in told["the host's log"]


def test_what_cannot_be_had_says_why_and_hides_nothing_else(lab, page, request):
    page.close()
    told = dict(sections(page, request.node.stash[DIARY], lab))
    del request.node.stash[DIARY]
    assert told["the page"].startswith("could not be had: TargetClosedError")
    assert "Kernel" in told["the host's log"] or "Serving" in told["the host's log"]


def finish(wrapper, outcome):
    """Run a hook wrapper to its end around an outcome, as pytest does."""
    next(wrapper)
    with pytest.raises(StopIteration) as end:
        wrapper.send(outcome)
    return end.value.value


def test_a_failed_cell_fails_the_test_and_the_report_of_a_failure_has_the_account(lab, page, request):
    lab.write_notebook("fails.ipynb", "1 / 0")
    lab.open(page, "fails.ipynb")
    lab.run_all(page)
    lab.wait_until_run(page)
    page.wait_for_function("document.querySelector('.jp-OutputArea-output')?.innerText.includes('by zero')")
    assert failed_cells(page) == ["ZeroDivisionError: division by zero"]
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        finish(pytest_runtest_call(request.node), None)

    class Report:
        when, failed, sections = "call", True, []

    report = finish(pytest_runtest_makereport(request.node, None), Report())
    assert "ZeroDivisionError" in dict(report.sections)["the page"]
    page.goto("about:blank")  # this test is not to fail of it
