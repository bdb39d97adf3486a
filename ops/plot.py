"""A report as a picture (SVG): a bar for each day, stacked by reason; cancels above, requests below where any are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from ops.counting import Period, Report, days
from ops.output import printable

# Okabe and Ito's colours, which colour-blind readers can distinguish, with indigo instead of yellow; the rest is grey.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#332288")
REST_COLOUR, INK, GRID = "#8a939d", "#1f2933", "#d8dee4"
REST = "all other reasons"
LONGEST_LABEL = 40
LEFT, RIGHT, TOP, HEIGHT, BELOW, LEGEND_ROW = 64, 24, 56, 200, 54, 20
LEAST_WIDTH, LEAST_DAY, WIDEST_BAR = 860, 4, 48
MOST_DATES = 10


def svg(report: Report, period: Period, store_id: str | None = None) -> str:
    """The picture. If there are many reasons, only the most frequent ones are drawn separately."""
    dates = list(days(period))
    width = max(LEAST_WIDTH, LEFT + LEAST_DAY * len(dates) + RIGHT)
    reasons = _most(report)
    where = f" in store {printable(store_id)}" if store_id is not None else ""
    measures = [name for name in ("cancels", "requests") if name == "cancels" or _total(report, name)]
    title = f"{' and '.join(measures).capitalize()} by day and reason{where}, {period.first} to {period.last} (UTC)"
    parts = [_text(LEFT, 26, title, size=15, weight="bold")]
    top = TOP
    for name in measures:
        parts += _panel(name, _by_day(report, name, reasons), dates, reasons, top, width)
        top += HEIGHT + BELOW
    parts += _legend(reasons, top)
    height = top + LEGEND_ROW * max(1, len(reasons)) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="title described" font-family="system-ui, sans-serif">\n'
        f'<title id="title">{escape(title)}</title>\n'
        f'<desc id="described">{escape(_described(report, measures))}</desc>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _total(report: Report, measure: str) -> int:
    return sum(measures[measure] for measures in report.rows.values())


def _most(report: Report) -> dict[str, str]:
    """The colour of each reason that is drawn separately, most frequent first; and of the rest, if there is one."""
    numbers: Counter[str] = Counter()
    for key, measures in report.rows.items():
        numbers[key.reason] += measures["cancels"] + measures["requests"]
    ranked = sorted(numbers, key=lambda reason: (-numbers[reason], reason))
    colours = dict(zip(ranked, COLOURS, strict=False))
    return colours | ({REST: REST_COLOUR} if len(ranked) > len(COLOURS) else {})


def _by_day(report: Report, measure: str, reasons: Mapping[str, str]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for key, measures in report.rows.items():
        reason = key.reason if key.reason in reasons else REST
        found.setdefault(key.day, Counter())[reason] += measures[measure]
    return found


def _described(report: Report, measures: Sequence[str]) -> str:
    """A text alternative of the picture."""
    sentences = []
    for measure in measures:
        numbers: Counter[str] = Counter()
        for key, counted in report.rows.items():
            numbers[key.reason] += counted[measure]
        told = [f"{printable(reason)} {number}" for reason, number in numbers.most_common(len(COLOURS)) if number]
        sentences.append(f"{_total(report, measure)} {measure}" + (f": {', '.join(told)}." if told else "."))
    return " ".join(sentences)


def _panel(
    measure: str,
    numbers: Mapping[str, Counter[str]],
    dates: Sequence[str],
    reasons: Mapping[str, str],
    top: int,
    width: int,
) -> Iterator[str]:
    step = _step(max([1, *(counted.total() for counted in numbers.values())]))
    most = step * -(-max([1, *(counted.total() for counted in numbers.values())]) // step)
    bottom, room = top + HEIGHT, (width - LEFT - RIGHT) / len(dates)
    bar = min(WIDEST_BAR, room * 0.8)
    yield _text(LEFT, top - 10, measure, weight="bold")
    for value in range(0, most + 1, step):
        y = bottom - value / most * HEIGHT
        yield f'<line x1="{LEFT}" x2="{width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield _text(LEFT - 8, y + 4, f"{value:,}", size=11, anchor="end")
    every = -(-len(dates) // MOST_DATES)
    for place, day in enumerate(dates):
        middle = LEFT + room * (place + 0.5)
        counted, y = numbers.get(day, Counter()), float(bottom)
        for reason, colour in reasons.items():
            if number := counted[reason]:
                tall = number / most * HEIGHT
                y -= tall
                said = escape(f"{day}, {_label(reason)}: {number:,} {measure}")
                yield (
                    f'<rect x="{middle - bar / 2:.1f}" y="{y:.1f}" width="{bar:.1f}" height="{tall:.1f}" '
                    f'fill="{colour}"><title>{said}</title></rect>'
                )
        if place % every == 0:
            yield _text(middle, bottom + 18, day, size=11, anchor="middle")


def _step(most: int) -> int:
    """The distance between two grid lines: 1, 2 or 5 times a power of ten, for four to ten lines."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if most <= 5 * step:
                return step
        power *= 10


def _legend(reasons: Mapping[str, str], top: int) -> Iterator[str]:
    if not reasons:
        yield _text(LEFT, top, "Nothing was cancelled or asked for.")
    for place, (reason, colour) in enumerate(reasons.items()):
        y = top + LEGEND_ROW * place
        yield f'<rect x="{LEFT}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        yield _text(LEFT + 20, y, _label(reason))


def _label(reason: str) -> str:
    text = printable(reason)
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{INK}">{escape(text)}</text>'
    )
