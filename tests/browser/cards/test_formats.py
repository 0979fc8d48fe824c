"""Numbers, prices and times as the browser writes them: exact, for every price there can be."""

from decimal import Decimal

import pytest

from kalshi_nb._widgets.assets import bundle
from kalshi_nb._widgets.gaps.words import lasted

THIN = "\u202f"


@pytest.fixture(scope="module")
def words(browser):
    """The module of formats, called by name."""
    context = browser.new_context()
    page = context.new_page()
    source = bundle("ladder").text
    assert source.startswith("const text=")
    page.add_script_tag(content=source[: source.index("const page=")] + "\nglobalThis.text = text;")

    def call(script, value=None):
        return page.evaluate(script, value)

    yield call
    context.close()


@pytest.mark.parametrize(("decimals", "step"), [(0, 100), (1, 10), (2, 1)])
def test_every_price_of_every_grid_is_written_exactly(words, decimals, step):
    prices = list(range(0, 10_001, step))
    written = words("([all, n]) => all.map((p) => text.money(text.price(p / 10000), 'cents', n))", [prices, decimals])
    assert written == [f"{Decimal(p) / 100:.{decimals}f}¢" for p in prices]
    written = words(
        "([all, n]) => all.map((p) => text.money(text.price(p / 10000), 'probability', n))", [prices, decimals]
    )
    assert written == [f"{Decimal(p) / 100:.{decimals}f}{THIN}%" for p in prices]
    written = words("(all) => all.map((p) => text.money(text.price(p / 10000), 'dollars', 0))", prices)
    assert written == [f"${Decimal(p) / 10000:.4f}" for p in prices]


def test_a_price_is_never_rounded_to_its_grid(words):
    assert words("() => text.money(text.price(0.4825), 'cents', 0)") == "48.25¢"
    assert words("() => text.money(text.price(0.1 + 0.2), 'cents', 0)") == "30¢"


def test_the_middle_of_two_prices_is_exact(words):
    pairs = [(low, high) for low in range(1, 400, 7) for high in range(low + 1, low + 40, 3)]
    written = words("(all) => all.map(([a, b]) => text.middle(a, b, 'cents', 0))", pairs)
    assert [Decimal(each.rstrip("¢")) for each in written] == [Decimal(a + b) / 200 for a, b in pairs]
    assert words("() => text.middle(4800, 4850, 'cents', 1)") == "48.25¢"


@pytest.mark.parametrize("hundredths", [1, 99, 100, 101, 123_456_789, 99_999_999_999])
def test_a_size_keeps_its_hundredths(words, hundredths):
    assert words("(n) => text.count(text.size(n / 100), true)", hundredths) == f"{Decimal(hundredths) / 100:,.2f}"


@pytest.mark.parametrize(
    ("contracts", "short"),
    [(12, "12"), (999.5, "999.50"), (1000, "1k"), (12_400, "12.4k"), (999_960, "1M"), (2.5e6, "2.5M")],
)
def test_a_size_is_short_where_there_is_no_room(words, contracts, short):
    assert words("(n) => text.compact(text.size(n))", contracts) == short


@pytest.mark.parametrize(
    ("bid", "ask", "last", "said", "label"),
    [
        (4700, 4850, 5000, "48", "mid"),
        (4700, 5700, 5000, "52", "mid"),
        (4700, 5701, 5000, "50", "last"),  # too wide for a middle to mean anything
        (None, 4850, 4000, "40", "last"),
        (None, 4850, 4900, "\u2013", ""),  # who sells for less says that it is not worth that any more
        (4700, None, 4600, "\u2013", ""),
        (4700, None, 4700, "47", "last"),
        (4700, None, None, "\u2013", ""),
        (None, None, None, "\u2013", ""),
        (50, 100, None, "< 1", "mid"),
        (9900, 9950, None, "> 99", "mid"),
        (9800, 9900, None, "99", "mid"),
    ],
)
def test_which_probability_is_told(words, bid, ask, last, said, label):
    found = words("([b, a, l]) => text.probability(b ?? undefined, a ?? undefined, l ?? undefined)", [bid, ask, last])
    assert found == {"text": said if said == "\u2013" else f"{said}{THIN}%", "label": label}


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        (3 * 86400 + 4 * 3600 + 5, "3 d 4 h"),
        (3 * 3600 + 12 * 60, "3 h 12 min"),
        (12 * 60 + 4, "12:04"),
        (59.2, "01:00"),
        (0, "00:00"),
        (-5, "00:00"),
    ],
)
def test_how_long_is_left(words, seconds, left):
    assert words("(s) => text.countdown(s)", seconds) == left


def test_a_title_loses_what_turns_or_ends_a_line(words):
    assert words("(t) => text.clean(t)", "\u202eab\u2066c\n d\x00\u200fe ") == "ab c d e"
    assert words("() => [text.clean(null), text.clean(undefined), text.clean(7)]") == ["", "", "7"]


def test_how_long_a_gap_lasted_is_written_as_the_kernel_writes_it(words):
    lengths = [0, 0.0004, 0.0996, 0.9994, 1, 1.75, 9.949, 9.96, 12.4, 59.6, 60, 214.2, 3_599.9, 3_600, 86_399, 90_000]
    assert words("(all) => all.map((s) => text.lasted(s))", lengths) == [lasted(each) for each in lengths]
