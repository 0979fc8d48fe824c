"""The colours that ship: text stands out from every ground, bid from ask to every eye; worked out from the file."""

import re

import pytest

from kalshi_nb._widgets import assets

CSS = (assets._ROOM / "browser" / "tokens.css").read_text(encoding="utf-8")
GROUNDS = {"light": ["#ffffff", "#f7f7f7"], "dark": ["#111111", "#1e1e1e"]}
DARKEST_GROUND_OF_A_HOST = "#383838"
TEXTS = ["ink", "dim", "bid", "ask", "live", "warn", "bad"]

# Machado, Oliveira and Fernandes (2009), severity 1, for linear sRGB.
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
DISTANCES = {
    "light": {"normal": 28.7, "protan": 23.1, "deutan": 26.4, "tritan": 26.6},
    "dark": {"normal": 25.8, "protan": 21.8, "deutan": 24.8, "tritan": 25.1},
}


def tokens(theme):
    rule = re.search(
        {"light": r"\.card \{(.*?)\}", "dark": r':host\(\[data-theme="dark"\]\) \.card \{(.*?)\}'}[theme],
        CSS,
        re.DOTALL,
    )
    return dict(re.findall(r"--k-([\w-]+): (#\w{6}|[\d.]+);", rule[1]))


def linear(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one, other):
    light, dark = sorted(
        (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(each), strict=True)) for each in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def over(colour, ground, opacity):
    mixed = [
        round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(ground[i : i + 2], 16)) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{each:02x}" for each in mixed)


def oklab(colour, eye):
    r, g, b = (max(0.0, min(1.0, sum(m * c for m, c in zip(row, linear(colour), strict=True)))) for row in EYES[eye])
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def distance(one, other, eye):
    return 100 * sum((a - b) ** 2 for a, b in zip(oklab(one, eye), oklab(other, eye), strict=True)) ** 0.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_a_contrast_of_4_5_on_every_ground(theme):
    of = tokens(theme)
    low = {(name, ground): contrast(of[name], ground) for name in TEXTS for ground in [*GROUNDS[theme], of["bg"]]}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}


def test_dark_text_stands_out_from_the_palest_dark_ground_too():
    of = tokens("dark")
    assert all(contrast(of[name], DARKEST_GROUND_OF_A_HOST) >= 4.5 for name in TEXTS)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_numbers_stand_out_from_the_bars_and_their_flash(theme, side):
    of = tokens(theme)
    bar, flash = (over(of[side], of["bg"], opacity) for opacity in (float(of["fill"]), 0.36))
    assert contrast(of["ink"], bar) >= 8
    assert contrast(of[side], bar) >= 4.5
    assert contrast(of["ink"], flash) >= 6


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_have_borders_that_can_be_seen(theme):
    of = tokens(theme)
    assert contrast(of["rule"], of["bg"]) >= 2.99


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eye", EYES)
def test_bid_and_ask_are_far_apart_to_every_eye(theme, eye):
    of = tokens(theme)
    found = distance(of["bid"], of["ask"], eye)
    assert found >= 20
    assert found == pytest.approx(DISTANCES[theme][eye], abs=0.5)


def test_green_and_red_would_not_be():
    assert distance("#4ec994", "#ff8fa0", "deutan") < 5
