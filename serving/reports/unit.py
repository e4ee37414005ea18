"""A unit's own monthly report: its dossiers by procedure and step, what it answered, what was found (S0 1e, 1d)."""

from serving.reports.answers import add_apologies, add_complaints, add_consultations, add_explanations
from serving.reports.compared import add_compared
from serving.reports.conclusions import add_conclusions, add_remedies
from serving.reports.dossiers import add_counts, by
from serving.reports.narrative import add_narrative
from serving.reports.ratings import add_ratings
from serving.reports.report import Draft
from serving.reports.report_context import ReportContext
from serving.reports.returns import add_returns
from serving.reports.steps import add_backlog, add_steps


def unit(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft."""
    keys = add_counts(draft, basis)
    add_narrative(draft, basis, keys)
    procedure = basis.register.procedure
    by(draft, basis, keys, "Theo thủ tục", "by procedure", "Thủ tục", lambda case: case.procedure_code, procedure)
    by(
        draft, basis, keys, "Hồ sơ trễ theo bước đang hoặc vừa qua", "late dossiers by step", "Bước",
        lambda case: case.step, lambda step: step or "–", only_late=True,
    )  # fmt: skip
    add_compared(draft, basis, add_steps)
    add_backlog(draft, basis, keys.open)
    add_compared(
        draft, basis, add_explanations, add_apologies, add_consultations, add_complaints, add_returns, add_ratings,
        add_conclusions, add_remedies,
    )  # fmt: skip
