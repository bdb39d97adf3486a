"""Ratios to the floor as a picture: a dot for the median, a bar for the quartiles, lines at floor and budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.bench.measure import Spread

ROW, LABELS, WIDTH, MARGIN = 18, 300, 860, 24
INK, DOT, BUDGET = "#1f2933", "#2563a8", "#b5462f"


@dataclass(frozen=True)
class Group:
    """Rows under a title. `budget`: the ratio that they are held to, where there is one."""

    title: str
    rows: Sequence[tuple[str, Spread]]
    budget: float | None = None


def svg(groups: Sequence[Group]) -> str:
    """The picture. Its scale begins at 0, so that lengths can be compared."""
    most = max([1.6, *(spread.high for group in groups for _, spread in group.rows)]) * 1.04
    lines: list[str] = []
    y = MARGIN

    def x(ratio: float) -> float:
        return LABELS + ratio / most * (WIDTH - LABELS - MARGIN)

    for group in groups:
        lines.append(_text(MARGIN, y, group.title, "bold"))
        top = y + 6
        y += ROW + 4
        for label, spread in group.rows:
            lines.append(_text(LABELS - 10, y, label, anchor="end"))
            middle = y - 4
            lines.append(
                f'<line x1="{x(spread.low):.1f}" x2="{x(spread.high):.1f}" y1="{middle}" y2="{middle}" '
                f'stroke="{DOT}" stroke-width="3" opacity="0.45"/>'
                f'<circle cx="{x(spread.median):.1f}" cy="{middle}" r="4" fill="{DOT}"/>'
            )
            # Beside the bar, where it is in nobody's way.
            lines.append(_text(x(spread.high) + 8, y, f"{spread.median:.2f}", size=11))
            y += ROW
        for ratio, colour in ((1.0, INK), (group.budget, BUDGET)):
            if ratio is not None:
                lines.insert(0, _line(x(ratio), top, y - ROW + 6, colour))
                lines.append(_text(x(ratio), top + 2, f"{ratio:g}", size=10, anchor="middle", colour=colour))
        y += 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" '
        f'font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, weight: str = "normal", *, size: int = 12, anchor: str = "start", colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _line(x: float, top: float, bottom: float, colour: str) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 4}" y2="{bottom}" stroke="{colour}" stroke-width="1" '
        f'stroke-dasharray="3 3" opacity="0.7"/>'
    )
