"""A plot as SVG, written by hand: panels beside each other, a logarithmic axis of sizes, CPU a message upwards from 0.

Its colours come in two sets, after the reader's preference, and it brings its own background, so that it can be read
whatever is behind it.
"""

from html import escape
from math import ceil, floor, log10
from pathlib import Path
from statistics import median

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 56, 54

STYLE = """
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .axis { stroke: #59636e; stroke-width: 1; }
  .line { fill: none; stroke: #0969da; stroke-width: 2; }
  .range { stroke: #0969da; stroke-width: 6; stroke-linecap: round; stroke-opacity: 0.35; }
  .dot { fill: #0969da; }
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #59636e; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .value { font-weight: 600; fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; stroke: #3d444d; }
    .grid { stroke: #3d444d; }
    .axis { stroke: #9198a1; }
    .line, .range { stroke: #4493f8; }
    .dot { fill: #4493f8; }
    text { fill: #9198a1; }
    .title, .value { fill: #f0f6fc; }
    .value { stroke: #0d1117; }
  }
"""


def write_plot(panels, path):
    """Write `panels`, pairs of a title and points, to `path`; a point is a size and the µs CPU a message of rounds."""
    width = WIDTH * len(panels)
    said = "; ".join(
        f"{title}: " + ", ".join(f"{median(values):.1f} µs at {size:,}" for size, values in points)
        for title, points in panels
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"',
        'role="img" aria-labelledby="title said">',
        '<title id="title">CPU time a message as the number of markets and the window grow</title>',
        f'<desc id="said">{escape(said)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{HEIGHT - 1}" rx="6"/>',
    ]
    for at, (title, points) in enumerate(panels):
        parts.append(f'<g transform="translate({at * WIDTH} 0)">{"".join(_panel(title, points))}</g>')
    Path(path).write_text("\n".join([*parts, "</svg>"]) + "\n")


def _panel(title, points):
    step, top = _steps(max(max(values) for _, values in points))
    logs = [log10(size) for size, _ in points]
    floor_at = HEIGHT - BOTTOM

    def across(size):
        inner = WIDTH - LEFT - RIGHT
        return LEFT + 24 + (log10(size) - logs[0]) / (logs[-1] - logs[0]) * (inner - 48)

    def up(value):
        return floor_at - value / top * (floor_at - TOP)

    yield _text(LEFT, 26, "CPU a message, µs", "title", "start")
    for number in range(round(top / step) + 1):
        value = number * step
        kind = "grid" if number else "axis"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>'
        yield _text(LEFT - 8, up(value) + 4, f"{value:g}", "tick", "end")
    for power in range(ceil(logs[0]), floor(logs[-1]) + 1):
        yield _text(across(10**power), floor_at + 18, f"{10**power:,}", "tick", "middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, title, "tick", "middle")
    middles = [(across(size), up(median(values))) for size, values in points]
    yield '<polyline class="line" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in middles) + '"/>'
    for (x, y), (_, values) in zip(middles, points, strict=True):
        highest = up(max(values))
        yield f'<line class="range" x1="{x:.1f}" x2="{x:.1f}" y1="{up(min(values)):.1f}" y2="{highest:.1f}"/>'
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield _text(x, highest - 12, f"{median(values):.1f}", "value", "middle")


def _text(x, y, words, kind, anchor):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _steps(highest):
    """Return the distance of grid lines and the top of the axis, with room for a word above `highest`."""
    rough = highest * 1.2 / 5
    power = 10 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    return step, step * ceil(highest * 1.2 / step)
