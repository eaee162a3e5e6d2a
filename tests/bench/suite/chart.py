"""The results as an SVG: bars for the medians, whiskers from the lowest to the highest."""

from __future__ import annotations

from xml.sax.saxutils import escape

from suite.figures import Results, Row, Summary
from suite.rows import (ECHO, GATEWAY, OTHER_BUILD, PARTS, PGBENCH, PGBOUNCER, PSQL, SQLALCHEMY,
                        SQLITE)

WIDTH, LABELS, VALUES = 1000, 380, 130
LINE, BAR, TITLE = 20, 13, 34
# By who it is, so that a contender looks alike in all parts.
COLOURS = {GATEWAY: "#1f6fb2", ECHO: "#8a8f98", PGBENCH: "#4f9d69", PGBOUNCER: "#c58a1b",
           SQLALCHEMY: "#b5483a", PSQL: "#4f9d69", OTHER_BUILD: "#8c6bb1"}
OF_SQLITE = "#6fb1e0"


def label(row: Row) -> str:
    words = [row.who, row.engine if row.engine == SQLITE else "",
             f"pool {row.pool}" if row.pool is not None and row.who == GATEWAY else "",
             row.detail,
             "" if row.in_flight is None else
             f"{row.in_flight:,} {'clients' if row.part == 'idle' else 'in flight'}"]
    return ", ".join(word for word in words if word)


def colour(row: Row) -> str:
    return OF_SQLITE if row.engine == SQLITE else COLOURS.get(row.who, "#666666")


def text(x: float, y: float, words: str, how: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{escape(words)}</text>'


def bar(row: Row, value: Summary, most: float, y: float) -> list[str]:
    scale = (WIDTH - LABELS - VALUES) / most
    middle = y + BAR / 2
    left, right = LABELS + value.lowest * scale, LABELS + value.highest * scale
    return [
        text(LABELS - 8, y + BAR - 2, label(row), 'text-anchor="end"'),
        f'<rect x="{LABELS}" y="{y:.1f}" width="{value.median * scale:.1f}" height="{BAR}" '
        f'fill="{colour(row)}"/>',
        f'<path d="M{left:.1f} {middle:.1f}H{right:.1f}" stroke="#222" stroke-width="1.5"/>',
        text(max(right, LABELS + value.median * scale) + 6, y + BAR - 2, f"{value.median:,.0f}")]


def part(results: Results, name: str, top: float) -> tuple[list[str], float]:
    """One part's picture, and where the next one begins."""
    values = [(row, results.of(row)) for row in results.samples if row.part == name]
    known = [(row, value) for row, value in values if value is not None]
    if not known:
        return [], top
    unit = known[0][0].unit
    most = max(value.highest for _, value in known) or 1.0
    shapes = [text(10, top + TITLE - 12, f"{PARTS[name]}, {unit}", 'class="title"')]
    y = top + TITLE
    for row, value in known:
        shapes += bar(row, value, most, y)
        y += LINE
    return shapes, y


def svg(results: Results, heading: str) -> str:
    shapes, y = [text(10, 22, heading)], 30.0
    for name in results.parts():
        more, y = part(results, name, y)
        shapes += more
    height = y + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" font-family="sans-serif" font-size="12">',
        "<style>.title{font-size:15px;font-weight:bold}</style>",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>', *shapes, "</svg>", ""])
