"""How violations are handled: what units must put right after visits, and how that stands (S0 3, S3 2, S4 3)."""

from collections import Counter
from zoneinfo import ZoneInfo

from serving.reports.report import Column, Draft, Table
from serving.reports.report_context import ReportContext
from serving.work.remediation import STATES, standing


def add_remedies(draft: Draft, basis: ReportContext) -> None:
    """What was demanded, by state; of the report's units, as entered by the period's end."""
    on = basis.until.astimezone(ZoneInfo(basis.calendar.zone)).date()
    entered = min(basis.as_of, basis.period.until)
    found = [one for one in standing(basis.session, on, basis.units, before=entered) if basis.covers(one.unit_code)]
    head = ("Đơn vị", "Mã đơn vị", "Kết luận", "Phải khắc phục", "Hạn", "Tình trạng")
    rows = [
        (basis.register.unit(one.unit_code), one.unit_code, one.finding_id, one.what, one.due_on, STATES[one.state])
        for one in found
    ]
    key = draft.count("Việc phải khắc phục sau kiểm tra", "remedies demanded", head, rows)
    states = Counter(one.state for one in found)
    draft.tables.append(
        Table(
            "Khắc phục sau kiểm tra", "remedies by state", (Column("Tình trạng"), Column("Số việc", key)),
            tuple((words, states[state]) for state, words in STATES.items()),
        )
    )  # fmt: skip
