"""Figures beside those of the period before and of the same period a year before, counted in the same way."""

from collections.abc import Callable

from serving.reports.report import Draft
from serving.reports.report_context import ReportContext


def add_compared(draft: Draft, basis: ReportContext, *sections: Callable[[Draft, ReportContext], None]) -> None:
    """Adds sections; where the record reaches back, each of their figures has the earlier ones beside it."""
    first = len(draft.figures)
    for add in sections:
        add(draft, basis)
    for place, months in (("before", basis.period.months), ("year_before", 12)):
        earlier = basis.earlier(months)
        if earlier is not None:
            then = Draft()
            for add in sections:
                add(then, earlier)
            draft.compare(first, place, then)
