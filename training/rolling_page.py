"""The report of a rolling backtest as one HTML page that needs nothing else: tables, and plots as inline SVG."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from training.evaluate import Metric
from training.origin import AGAINST_PEERS, BEFORE, CHAMPION, DAYS_LEFT, PRODUCT, RULE, Origin
from training.rolling_figures import LIST, PRECISION, SIZES, UNSEEN

WORDS = {
    "auc": "AUC",
    "auc_within_week": "AUC within a landmark week",
    "ap": "average precision",
    "brier": "Brier score (less is better)",
    "slope": "calibration slope (1 is right)",
    **{
        f"{of}_at_{round(100 * share)}": f"{of} of the top {share:.0%}{tail}"
        for share in SIZES
        for of, tail in (("precision", ", ties at random"), ("recall", ""), ("lift", ""))
    },
    **{
        f"precision_{ties}_at_{round(100 * share)}": f"precision of the top {share:.0%}, {ties} ties"
        for share in SIZES
        for ties in ("best", "worst")
    },
    "lead_days": f"days of lead at precision {PRECISION:.0%}",
    "list_days": f"days before the promise that a late dossier stands on the top {LIST:.0%}",
    "cost": f"cost a landmark (a look 1, an unseen late one {UNSEEN:.0f})",
    "change_a_week": "change of a dossier's score in a week",
}
"""What each figure is called on the page, in the order of its rows."""
GROUP_WORDS = {
    "gap": "mean distance of expected and late share (less is better)",
    "rank": "rank correlation of expected and late share",
    "lift_at_10": "lift of the top tenth of groups",
}
SAVED = "share of the cost saved"
COLOURS = {PRODUCT: "#0b5394", RULE: "#b45f06", DAYS_LEFT: "#666", AGAINST_PEERS: "#38761d", BEFORE: "#674ea7",
           CHAMPION: "#990000"}  # fmt: skip
_STYLE = (
    "body{font:15px/1.45 sans-serif;max-width:75em;margin:1em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em;display:block;overflow-x:auto}"
    "td,th{padding:.2em .6em;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#f3f3f3}"
    "b{color:#0b5394}svg{max-width:100%;height:auto;margin-right:1em}.note{color:#555}"
)


def as_page(found: Sequence[Origin], title: str = "Backtest") -> str:
    """The page. A difference whose whole interval lies on one side of zero stands in bold."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    if not found:
        body.append("<p>No origin could be judged.</p>")
    else:
        body += [_summary(found), _over_time(found), _calibration(found)]
        body += [_one(origin) for origin in found]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{''.join(body)}</html>"
    )


def _summary(found: Sequence[Origin]) -> str:
    wins = {
        metric: sum(_better(metric, origin.differences[RULE][metric]) for origin in found)
        for metric in ("auc", "ap", "brier")
    }
    tally = ", ".join(f"{WORDS[metric]} {n} of {len(found)}" for metric, n in wins.items())
    head = ["origin", "judged until", "learnt", "landmarks", "dossiers", "late", "labels not ripe", "best rule",
            "champion beside"]  # fmt: skip
    rows = [
        [f"{one.cutoff:%Y-%m-%d}", f"{one.until:%Y-%m-%d}", f"{one.learnt:,}", f"{one.n:,}", f"{one.dossiers:,}",
         f"{one.late:.1%}", f"{one.unripe:,}", one.rule, one.champion or "none that had not seen the origin"]
        for one in found
    ]  # fmt: skip
    return (
        "<p>At every origin the model is trained again on what was known then, and scores the weekly landmarks of open "
        "dossiers that came after it; labels were read when they had ripened. 95 % intervals by bootstrap over "
        f"dossiers, differences paired. Better than the best rule by an interval: {html.escape(tally)} origins.</p>"
        + _table(head, rows)
    )


def _one(origin: Origin) -> str:
    names = list(origin.figures)
    head = ["", *names]
    rows = [[words, *(_cell(origin.figures[name][key]) for name in names)] for key, words in WORDS.items()]
    against = [f"{PRODUCT} − {name}" for name in origin.differences]
    paired = [
        [
            words,
            *(
                _cell(by_measure[key], signed=True, bold=_better(key, by_measure[key]))
                for by_measure in origin.differences.values()
            ),
        ]
        for key, words in WORDS.items()
        if not key.startswith(("precision_best", "precision_worst"))
    ]
    paired.append(
        [
            SAVED,
            *(
                _cell(by_measure["cost_saved"], signed=True, bold=by_measure["cost_saved"].low > 0)
                for by_measure in origin.differences.values()
            ),
        ]
    )
    return (
        f"<h2>Origin {origin.cutoff:%Y-%m-%d}</h2>{_table(head, rows)}"
        f"<h3>Paired differences</h3>{_table(['', *against], paired)}{_groups(origin)}"
    )


def _groups(origin: Origin) -> str:
    """Officials and units: every score's figures, then the product minus each other, one table a grain."""
    parts = []
    for grain, figures in origin.by_group.items():
        if not figures:
            continue
        apart = origin.by_group_differences[grain]
        rows = [
            [words, *(_cell(by_measure[key]) for by_measure in figures.values()),
             *(_cell(gap[key], signed=True, bold=_better(key, gap[key])) for gap in apart.values())]
            for key, words in GROUP_WORDS.items()
        ]  # fmt: skip
        head = ["", *figures, *(f"{PRODUCT} − {name}" for name in apart)]
        parts.append(f"<h3>By {grain}: probabilities of open dossiers added up</h3>{_table(head, rows)}")
    return "".join(parts)


def _better(key: str, figure: Metric) -> bool:
    if key in ("brier", "cost", "change_a_week", "gap"):
        return figure.high < 0
    return figure.low > 0 if key != "slope" else False


def _cell(figure: Metric, *, signed: bool = False, bold: bool = False) -> str:
    if np.isnan(figure.value):
        return "–"
    form = "+.3f" if signed else ".3f"
    text = f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
    return f"<b>{text}</b>" if bold else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    safe = [[cell if cell.startswith("<b>") else html.escape(cell) for cell in row] for row in rows]
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in safe)
    return f"<table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in head)}</tr>{lines}</table>"


def _over_time(found: Sequence[Origin]) -> str:
    parts = ["<h2>Over time</h2><p class='note'>A dot an origin, a line its 95 % interval.</p>"]
    parts += [_dots(found, metric) for metric in ("auc", "auc_within_week", "ap", "brier", "precision_at_10")]
    return "".join(parts)


def _dots(found: Sequence[Origin], metric: str) -> str:
    wide, high, margin = 420, 220, 34
    named = [name for name in COLOURS if any(name in origin.figures for origin in found)]
    drawn = [
        (place, rank, name, origin.figures[name][metric])
        for place, origin in enumerate(found)
        for rank, name in enumerate(named)
        if name in origin.figures and not np.isnan(origin.figures[name][metric].value)
    ]
    ends = [number for *_, f in drawn for number in (f.low, f.high, f.value) if not np.isnan(number)]
    low, top = min(ends), max(ends)
    span = max(top - low, 1e-9)

    def y(value: float) -> float:
        return high - margin - (value - low) / span * (high - 2 * margin)

    marks = []
    for place, rank, name, f in drawn:
        x = margin + 20 + place * (wide - 2 * margin) / max(len(found), 1) + rank * 5
        if not np.isnan(f.low):
            marks.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{y(f.low):.1f}' y2='{y(f.high):.1f}' "
                         f"stroke='{COLOURS[name]}'/>")  # fmt: skip
        marks.append(f"<circle cx='{x:.1f}' cy='{y(f.value):.1f}' r='3' fill='{COLOURS[name]}'/>")
    marks += [
        f"<text x='{margin + 10 + place * (wide - 2 * margin) / len(found):.1f}' y='{high - 14}' font-size='10'>"
        f"{origin.cutoff:%m/%y}</text>"
        for place, origin in enumerate(found)
    ]
    marks += [f"<text x='2' y='{y(v) + 4:.1f}' font-size='10'>{v:.2f}</text>" for v in (low, top)]
    marks += [f"<text x='{margin + place * 62}' y='12' font-size='9' fill='{COLOURS[name]}'>{name}</text>"
              for place, name in enumerate(named)]  # fmt: skip
    label = html.escape(WORDS[metric])
    return (
        f"<figure style='display:inline-block;margin:0'><figcaption>{label}</figcaption>"
        f"<svg role='img' aria-label='{label} at every origin' width='{wide}' height='{high}' "
        f"viewBox='0 0 {wide} {high}'>{''.join(marks)}</svg></figure>"
    )


def _calibration(found: Sequence[Origin]) -> str:
    size, margin = 260, 26

    def at(score: float, rate: float) -> tuple[float, float]:
        room = size - 2 * margin
        return margin + score * room, size - margin - rate * room

    drawn = []
    for number, origin in enumerate(found):
        shade = f"hsl(210,70%,{75 - 45 * number / max(len(found) - 1, 1):.0f}%)"
        points = [at(score, rate) for score, rate, _ in origin.curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(f"<polyline points='{line}' fill='none' stroke='{shade}' stroke-width='1.5'/>")
        drawn += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='2.5' fill='{shade}'/>" for x, y in points]
    (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
    return (
        "<h2>Calibration</h2><p class='note'>Late rate (upwards) against mean score in ten bands of equal size, a line "
        "an origin, the latest darkest; on the diagonal a score means what it says.</p>"
        f"<svg role='img' aria-label='calibration at every origin' width='{size}' height='{size}' "
        f"viewBox='0 0 {size} {size}'><line x1='{x1}' y1='{y1}' x2='{x2}' y2='{y2}' stroke='#aaa'/>"
        f"<rect x='{margin}' y='{margin}' width='{size - 2 * margin}' height='{size - 2 * margin}' fill='none' "
        f"stroke='#ccc'/>{''.join(drawn)}</svg>"
    )
