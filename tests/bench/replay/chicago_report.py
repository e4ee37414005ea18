"""The Chicago replay in words: what is printed and what the card holds."""

from tests.bench.replay.chicago import ChicagoReplay, Row

OFFICIAL = """# Replay: food inspections of Chicago, 2011–2014

Official window 2014-09-02 to 2014-10-31: {visits} visits, {critical} with critical findings, reordered by
what was known before the first day. 95 % intervals: bootstrap over visits (for random: over orders).

| order | AUC | days earlier, all slots | days earlier, inside groups |
|---|---|---|---|"""

ROLLING = """
Eleven rolling two-month windows (2012-07 to 2014-04), each less a random order; mean ± standard error:

| order | AUC | all slots | inside groups |
|---|---|---|---|"""

WHAT_DID_IT = """
What did it inside the groups, step by step on the rolling windows (one run each, standard error about 0.5):
plain LightGBM +2.9; severity of the group as offset +3.4; history as found against expected of the team that
came +3.6; fewer rounds +3.8; what earlier visits to the same postcode found beyond their teams' averages +4.0;
blend 7 : 3 with ridge +4.3; extremely randomised trees, mean of eight seeds +4.4. Every choice was made on the
rolling windows, so their figures are those of a selected model; the official window was scored with that choice.
Over all slots the severity does most: it alone makes the difference between the two rows on risk.

The day's weather, which the city's model uses, is left out: in a reordering the date is what is chosen.
Inspections of May to August 2014, whose group is not known, count towards the number of visits and the days
since the last one, not towards what was found. Severity moves places between groups only: inside the groups
the last two rows of the first table are the same order. `risk alone` is what a score may show; the severity
is added where all slots are compared because the published model, too, knows who comes."""


def report(done: ChicagoReplay) -> list[str]:
    """The lines of the report, in Markdown: official window, rolling windows, what was done."""
    lines = [OFFICIAL.format(visits=done.visits, critical=done.critical)]
    lines += [_row(row) for row in done.official]
    lines.append(ROLLING)
    for line in done.rolling:
        auc, days, inside = line.mean("auc"), line.mean("days"), line.mean("inside")
        lines.append(
            f"| {line.name} | {auc[0]:.3f} ± {auc[1]:.3f} | {days[0]:+.2f} ± {days[1]:.2f} "
            f"| {inside[0]:+.2f} ± {inside[1]:.2f} |"
        )
    own = done.rolling[-1]
    each = [f"{first:%Y-%m} {one.inside:+.2f}" for first, one in zip(own.first, own.gains, strict=True)]
    return [*lines, "", f"Inside groups, window by window, the last row: {', '.join(each)}.", WHAT_DID_IT]


def _row(row: Row) -> str:
    cells = [row.name]
    for figure, digits in (("auc", 3), ("days", 2), ("inside", 2)):
        at, low, high = (getattr(one, figure) for one in (row.at, row.low, row.high))
        cells.append(f"{at:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})")
    return f"| {' | '.join(cells)} |"
