"""The Department of Home Affairs' report on public-duty inspections: quotas, conclusions, remedies (S0 3, S1 1g 3c)."""

from collections import Counter
from zoneinfo import ZoneInfo

from features.record.utc import aware_utc
from serving.reports.compared import add_compared
from serving.reports.conclusions import VISITS, add_conclusions, add_remedies
from serving.reports.narrative import against
from serving.reports.report import Draft, Figure
from serving.reports.report_context import ReportContext

LEAST_MISSIONS, LEAST_VISITS = 2, 1
"""A month: missions of the Department (S1 3c), visits to each unit (S1 1g)."""


def mission(draft: Draft, basis: ReportContext) -> None:
    """Fills the draft."""
    add_compared(draft, basis, _add_missions, add_conclusions, add_remedies)
    _say(draft, basis)


def _add_missions(draft: Draft, basis: ReportContext) -> None:
    """Missions against what is asked for, units that nobody visited. A mission is the work of one team on one day."""
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


def _say(draft: Draft, basis: ReportContext) -> None:
    """A first draft of the text; nobody is named in it whom no confirmed finding names."""
    told = {one.en: one for one in draft.figures}
    missions, visits, least = told["missions"], told["visits"], told["least asked for"]
    stands, waits, refuted = (
        told[name] for name in ("confirmed findings", "findings waiting", "findings not confirmed")
    )
    enough = "đạt" if int(str(missions.value)) >= int(str(least.value)) else "chưa đạt"
    draft.say(
        "results",
        f"Trong {basis.period.words}, tiến hành {missions.value} đợt kiểm tra ({enough} yêu cầu ít nhất {least.value} "
        f"đợt), gồm {visits.value} cuộc{against(visits)}.",
        missions.rows,
    )  # fmt: skip
    draft.say(
        "results",
        f"Có {stands.value} kết luận có vấn đề đã xác nhận{against(stands)}; {waits.value} kết luận chờ xác nhận, "
        f"{refuted.value} kết luận không được xác nhận; {told['dossiers found clean'].value} hồ sơ kiểm tra không phát "
        "hiện vấn đề.",
        stands.rows,
    )  # fmt: skip
    remedies, unseen = told["remedies demanded"], told["units with dossiers not visited"]
    draft.say("results", f"Sau kiểm tra có {remedies.value} việc phải khắc phục.", remedies.rows)
    if unseen.value:
        words = (
            f"Còn {unseen.value} đơn vị có hồ sơ nhưng chưa được kiểm tra trong kỳ; đề nghị đưa vào kế hoạch kỳ tới."
        )
        draft.say("proposals", words, unseen.rows)
    if stands.value:
        words = "Đề nghị các đơn vị có kết luận đã xác nhận khắc phục đúng hạn, báo cáo kết quả kèm căn cứ."
        draft.say("proposals", words, stands.rows)
