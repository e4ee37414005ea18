"""Counts as they may be published: in bands of `K`, so that no figure, sum or difference shows few people.

A count is told as the band it lies in (`0–4`, `5–9`, …). Bands are wide enough for what an onlooker can do with them:

* one figure leaves `K` counts possible, and the complement of a share (all minus some) more than `K`;
* the difference of two figures, of two months or of two units, leaves 2 K − 1 differences possible;
* a whole told beside its parts (`whole`) is told more widely where its own band would narrow a part below `K`
  (secondary disclosure);
* what is computed for publication, such as points, is computed from bands alone (`share`), so it adds nothing.

Two packs of one month hold the same counts (`serving.reports.publication`), so their difference is nothing. Terms and
attacks: Sweeney, *k-anonymity* (2002); Hundepool et al., *Statistical Disclosure Control* (2012), chapter 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.reports.report import Cell, Report

K = 5
"""Counts that stay possible for whatever is published."""


@dataclass(frozen=True)
class CountSpan:
    """The counts [low, high], both possible."""

    low: int
    high: int

    @classmethod
    def of(cls, count: int, width: int = K) -> "CountSpan":
        """The band of `width` counts that `count` lies in. ValueError for a count below 0."""
        if count < 0:
            raise ValueError(f"wanted a count from 0, got {count}")
        low = count // width * width
        return cls(low, low + width - 1)

    @property
    def words(self) -> str:
        """Such as `từ 10 đến 14`, `dưới 5`."""
        return f"dưới {self.high + 1}" if self.low == 0 else f"từ {self.low} đến {self.high}"


def whole(parts: Sequence[int]) -> CountSpan:
    """The band of the sum of `parts`, each shown as `CountSpan.of`; it leaves `K` possible counts of each part."""
    bands = [CountSpan.of(part) for part in parts]
    least, most = sum(one.low for one in bands), sum(one.high for one in bands)
    total, width = sum(parts), K
    while width <= most - least:
        band = CountSpan.of(total, width)
        # a part is at least what the whole leaves over when all others are as large as they can be, and so on
        if all(
            min(one.high, band.high - (least - one.low)) - max(one.low, band.low - (most - one.high)) + 1 >= K
            for one in bands
        ):
            return band
        width *= 2
    return CountSpan(least, most)  # what anybody can add up


def share(part: CountSpan, of: CountSpan, scale: float, digits: int) -> str:
    """scale × part / of, as the range that both bands allow: `từ 18,4 đến 20`. Empty where `of` may be few."""
    if of.low < 4 * K:
        return ""
    low, high = scale * part.low / of.high, min(scale, scale * part.high / of.low)
    return f"từ {low:.{digits}f} đến {high:.{digits}f}".replace(".", ",")


def without(part: CountSpan, of: CountSpan) -> CountSpan:
    """The band of `of` minus `part`, where part is some of it."""
    return CountSpan(max(0, of.low - part.high), of.high - part.low)


def refuse_counts(report: Report, *, open_rows: Sequence[str]) -> None:
    """ValueError where a report for publication holds a number that is no band, or rows behind one.

    open_rows: keys of the rows that may be shown one by one, and counted: confirmed findings alone.
    """
    allowed = set(open_rows)
    if left := [rows.words for rows in report.rows if rows.key not in allowed and rows.lines]:
        raise ValueError(f"a publication shows no rows of {left[0]}: tell bands")
    for figure in report.figures:
        if _number(figure.value) and figure.rows not in allowed:
            raise ValueError(f"figure {figure.en}: wanted a band in a publication, got a number")
        if _number(figure.before) or _number(figure.year_before):
            raise ValueError(f"figure {figure.en}: a publication compares no numbers")
    for table in report.tables:
        for line in (*table.lines, table.total):
            for column, cell in zip(table.columns, line, strict=False):
                if _number(cell) and column.rows not in allowed:
                    raise ValueError(f"table {table.en}, {column.words}: wanted a band in a publication, got a number")


def _number(cell: Cell) -> bool:
    return isinstance(cell, int | float)
