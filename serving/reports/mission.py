"""The Department of Home Affairs' report on public-duty inspections: quotas, conclusions, remedies (S0 3, S1 1g 3c)."""

from collections import Counter
from zoneinfo import ZoneInfo

from features.record.utc import aware_utc
from serving.reports.compared import add_compared
from serving.reports.conclusions import VISITS, add_conclusions
from serving.reports.remedies import add_remedies
from serving.reports.report import Draft, Figure
from serving.reports.report_context import ReportContext

LEAST_MISSIONS, LEAST_VISITS = 2, 1
"""A month: missions of the Department (S1 3c), visits to each unit (S1 1g)."""


def mission(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft. A mission is the work of one team on one day."""
    visits = [row for row in basis.con.execute(VISITS, basis.moments).fetchall() if basis.covers(row[1])]
    zone = ZoneInfo(basis.calendar.zone)
    days = Counter((row[2] or "–", aware_utc(row[4]).astimezone(zone).date()) for row in visits)
    key = draft.count(
        "Đợt kiểm tra (mỗi đoàn, mỗi ngày)", "missions", ("Đoàn", "Ngày", "Số đơn vị"),
        [(team, day, number) for (team, day), number in sorted(days.items(), key=lambda one: (one[0][1], one[0][0]))],
    )  # fmt: skip
    wanted = LEAST_MISSIONS * basis.period.months
    draft.figures.append(Figure("– yêu cầu ít nhất trong kỳ", "least asked for", wanted, key))
    times = Counter(row[1] for row in visits)
    active = sorted({case.unit_code for case in basis.caseload.cases})
    draft.count(
        "Đơn vị có hồ sơ nhưng chưa được kiểm tra trong kỳ", "units with dossiers not visited",
        ("Đơn vị", "Mã đơn vị"),
        [(basis.register.unit(code), code) for code in active if times[code] < LEAST_VISITS],
    )  # fmt: skip
    add_compared(draft, basis, add_conclusions)
    add_remedies(draft, basis)
