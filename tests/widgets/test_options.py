"""Options: checked where they are set, named when they are not known, and given back after a block."""

import asyncio
import threading

import pytest

import kalshi_nb as kn
from kalshi_nb._widgets.ladder.view import OPTIONS
from kalshi_nb._widgets.options import ViewOptions, options, resolved
from kalshi_nb.errors import ConfigurationError, UsageError


@pytest.fixture(autouse=True)
def _as_they_were(monkeypatch):
    monkeypatch.delenv("KALSHI_NB_RENDERER", raising=False)
    with options():
        yield


def ladder(**given):
    return resolved("A ladder", OPTIONS, given, 10.0)


def test_the_processs_options_are_those_of_every_view_that_does_not_say_otherwise():
    assert kn.options is options
    options.theme, options.unit = "dark", "dollars"
    assert (ladder()["theme"], ladder()["unit"]) == ("dark", "dollars")
    assert ladder(unit="cents")["unit"] == "cents"
    del options.theme
    assert options.theme == "auto"


def test_options_hold_in_a_block_and_are_as_before_after_it_even_if_it_raised():
    options.theme = "light"
    with pytest.raises(ZeroDivisionError), options(theme="dark", max_hz=2) as inside:
        assert (inside.theme, options.max_hz) == ("dark", 2)
        options.palette = "classic"
        raise ZeroDivisionError
    assert (options.theme, options.max_hz, options.palette) == ("light", 10, "default")


def test_blocks_of_two_threads_end_each_by_itself_and_leave_the_process_as_it_was():
    process = ViewOptions()
    process.unit = "dollars"
    both, first_is_over = threading.Barrier(2, timeout=10), threading.Event()
    seen = {}

    def first():
        with process(theme="dark"):
            both.wait()
            seen["first"] = process.theme
        first_is_over.set()

    def second():
        with process(theme="light"):
            both.wait()
            process.palette = "classic"
            del process.unit
            assert first_is_over.wait(10)
            seen["second"] = process.theme, process.palette, process.unit

    threads = [threading.Thread(target=each) for each in (first, second)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert seen == {"first": "dark", "second": ("light", "classic", "cents")}
    assert (process.theme, process.palette, process.unit) == ("auto", "default", "dollars")


def test_blocks_of_two_tasks_end_each_by_itself():
    process = ViewOptions()

    async def one(theme, turns):
        with process(theme=theme):
            for _ in range(turns):
                await asyncio.sleep(0)
            assert process.theme == theme

    async def both():
        await asyncio.gather(one("dark", 1), one("light", 3))

    asyncio.run(both())
    assert process.theme == "auto"


def test_a_block_whose_options_are_wrong_changes_nothing():
    with pytest.raises(ConfigurationError, match="'dark'"):
        options(palette="classic", theme="drak")
    assert options.palette == "default"


@pytest.mark.parametrize(
    ("name", "near"), [("themes", "theme"), ("render", "renderer"), ("Unit", "unit"), ("maxhz", "max_hz")]
)
def test_an_option_that_is_not_known_names_the_nearest(name, near):
    for refused in (lambda: setattr(options, name, "x"), lambda: options(**{name: "x"})):
        with pytest.raises(UsageError, match=f"no option '{name}'. Did you mean '{near}'"):
            refused()
    with pytest.raises(AttributeError, match=f"Did you mean '{near}'"):
        getattr(options, name)
    assert issubclass(UsageError, TypeError)


def test_a_view_that_has_no_such_option_names_the_nearest_of_its_own():
    with pytest.raises(UsageError, match=r"A ladder has no option 'level'\. Did you mean 'levels'"):
        ladder(level=None)
    with pytest.raises(UsageError, match=r"no option 'xyzzy'\. It takes"):
        ladder(xyzzy=1)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("theme", "drak", "'dark'"),
        ("theme", None, "'auto', 'light', 'dark'"),
        ("unit", 3, "'cents', 'dollars', 'probability'"),
        ("renderer", "htm", "'html'"),
        ("timezone", "PST", "'UTC', 'local'"),
        ("max_hz", 11, "from 0.1 to 10"),
        ("max_hz", 0, "from 0.1 to 10"),
        ("max_hz", True, "from 0.1 to 10"),
        ("max_hz", float("nan"), "from 0.1 to 10"),
    ],
)
def test_a_value_that_will_not_do_says_what_would(name, value, says):
    with pytest.raises(ConfigurationError, match=says):
        setattr(options, name, value)


@pytest.mark.parametrize(
    ("name", "value"), [("levels", 2.5), ("levels", "5"), ("max_hz", 11), ("height", 10), ("side", "Y")]
)
def test_a_view_is_refused_a_value_that_will_not_do(name, value):
    with pytest.raises(ConfigurationError, match=f"{name}="):
        ladder(**{name: value})


def test_no_view_is_faster_than_its_kind_the_process_or_what_was_asked_for():
    assert resolved("A board", {}, {}, 2.0)["max_hz"] == 2.0
    assert resolved("A board", {}, {"max_hz": 5}, 2.0)["max_hz"] == 5
    options.max_hz = 1
    assert ladder()["max_hz"] == 1
    assert ladder(max_hz=0.5)["max_hz"] == 0.5


@pytest.mark.parametrize("word", ["hz", "rate", "fps", "HZ"])
def test_a_rate_by_another_name_is_told_the_one_that_views_and_the_process_share(word):
    with pytest.raises(UsageError, match=f"A ladder has no option '{word}'. Did you mean 'max_hz'"):
        ladder(**{word: 2})
    with pytest.raises(UsageError, match="Did you mean 'max_hz'"):
        options(**{word: 2})


def test_the_renderer_comes_from_the_environment_where_nobody_set_it(monkeypatch):
    monkeypatch.setenv("KALSHI_NB_RENDERER", "html")
    assert ladder()["renderer"] == "html"
    assert ladder(renderer="text")["renderer"] == "text"
    with options(renderer="widget"):
        assert ladder()["renderer"] == "widget"
    monkeypatch.setenv("KALSHI_NB_RENDERER", "htlm")
    with pytest.raises(ConfigurationError, match="KALSHI_NB_RENDERER='htlm': Did you mean 'html'"):
        ladder()


def test_options_list_themselves():
    fresh = ViewOptions()
    assert dir(fresh) == ["max_hz", "palette", "renderer", "theme", "timezone", "unit"]
    assert repr(fresh).startswith("options(max_hz=10.0, palette='default', renderer='auto'")
