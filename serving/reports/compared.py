"""Figures beside those of the period before and of the same period a year before, counted in the same way."""

from collections.abc import Callable, Sequence

from serving.reports.report import Draft
from serving.reports.report_context import ReportContext


def add_compared(draft: Draft, basis: ReportContext, *sections: Callable[[Draft, ReportContext], None]) -> None:
    """Adds sections; where the record reaches back, each of their figures has the earlier ones beside it."""
    first = len(draft.figures)
    for add in sections:
        add(draft, basis)
    draft.compare(first, _earlier(basis, basis.period.months, sections), _earlier(basis, 12, sections))


def _earlier(
    basis: ReportContext, months: int, sections: Sequence[Callable[[Draft, ReportContext], None]]
) -> Draft | None:
    earlier = basis.earlier(months)
    if earlier is None:
        return None
    draft = Draft()
    for add in sections:
        add(draft, earlier)
    return draft
