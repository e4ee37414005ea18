"""The Centre's monthly report: units with late dossiers, dossiers sent back through officials' fault (S0 2b, 1e)."""

from serving.reports.answers import add_complaints, add_explanations
from serving.reports.compared import add_compared
from serving.reports.conclusions import add_conclusions, add_remedies
from serving.reports.dossiers import add_counts, by
from serving.reports.narrative import add_narrative
from serving.reports.ratings import add_ratings
from serving.reports.report import Draft
from serving.reports.report_context import ReportContext
from serving.reports.returns import add_returns
from serving.reports.steps import add_backlog


def centre(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft; both classifications that the directive asks for are tables of units."""
    keys = add_counts(draft, basis)
    add_narrative(draft, basis, keys)
    register = basis.register
    by(draft, basis, keys, "Đơn vị có hồ sơ trễ hẹn hoặc quá hạn", "units with late dossiers", "Đơn vị",
       lambda case: case.unit_code, register.unit, only_late=True)  # fmt: skip
    add_compared(draft, basis, add_returns)
    by(draft, basis, keys, "Theo lĩnh vực", "by sector", "Lĩnh vực", lambda case: case.sector_code, register.sector)
    add_backlog(draft, basis, keys.open)
    add_compared(
        draft, basis, add_explanations, add_complaints, add_ratings, add_conclusions, add_remedies
    )  # fmt: skip
