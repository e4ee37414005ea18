"""What was answered in the period: explanations and their causes, apologies, consultations, complaints."""

from collections import Counter

from features.record.latest import newest
from features.record.utc import aware_utc, naive_utc
from serving.read.finding_words import CAUSE_WORDS
from serving.reports.dossiers import HEAD, lines
from serving.reports.report import Cell, Column, Draft, Figure, Table
from serving.reports.report_context import ReportContext
from serving.work.annotations import marks_of
from serving.work.apologies import PROMISES, owed, standings
from serving.work.complaints import STATES as COMPLAINT_STATES
from serving.work.complaints import complaints
from serving.work.consultations import STATES as CONSULTATION_STATES
from serving.work.consultations import answerers, consultations

_EXPLAINED = f"""
SELECT dossier_id, official_id, given_at, cause, accepted FROM explanation WHERE given_at < $until
{newest("dossier_id", first="given_at DESC")}
"""


ACCEPTED = {True: "có", False: "không", None: "chưa xem xét"}


def explained(basis: ReportContext) -> dict[str, tuple[str, str]]:
    """By dossier: the cause given last, and whether it was accepted, in words."""
    rows = basis.con.execute(_EXPLAINED, {"until": naive_utc(basis.until)}).fetchall()
    return {row[0]: (CAUSE_WORDS[row[3] or ""], ACCEPTED[row[4]]) for row in rows}


def add_explanations(draft: Draft, basis: ReportContext) -> None:
    """Late dossiers with and without an explanation, and the causes that were accepted."""
    rows = basis.con.execute(_EXPLAINED, {"until": naive_utc(basis.until)}).fetchall()
    explanations = {dossier_id: (at, cause or "", accepted) for dossier_id, _, at, cause, accepted in rows}
    late = [case for case in basis.caseload.cases if case.late]
    explained = [case for case in late if case.dossier_id in explanations]
    in_order = [
        explanations[case.dossier_id] for case in sorted(explained, key=lambda one: (one.unit_code, one.dossier_id))
    ]
    head = (*HEAD, "Nguyên nhân đã nêu", "Chấp nhận", "Giải trình lúc")
    key = draft.count(
        "Hồ sơ trễ đã có giải trình", "late dossiers explained", head,
        [
            (*line, CAUSE_WORDS[cause], ACCEPTED[accepted], aware_utc(at))
            for line, (at, cause, accepted) in zip(lines(basis.register, explained), in_order, strict=True)
        ],
    )  # fmt: skip
    draft.count(
        "Hồ sơ trễ chưa có giải trình", "late dossiers without an explanation", HEAD,
        lines(basis.register, [case for case in late if case.dossier_id not in explanations]),
    )  # fmt: skip
    answers = (explanations[case.dossier_id] for case in explained)
    causes = Counter(cause for _, cause, accepted in answers if accepted)
    draft.tables.append(
        Table(
            "Nguyên nhân trễ hẹn đã được chấp nhận", "accepted causes of being late",
            (Column("Nguyên nhân"), Column("Số hồ sơ", key)),
            tuple((CAUSE_WORDS[cause], number) for cause, number in causes.most_common()),
        )
    )  # fmt: skip


def add_apologies(draft: Draft, basis: ReportContext) -> None:
    """Late dossiers with and without an apology, and whether the new day was met."""
    found = standings(basis.con, basis.session, owed(basis.caseload), basis.until)
    head = (
        "Đơn vị",
        "Mã đơn vị",
        "Mã hồ sơ",
        "Hẹn lần đầu",
        "Xin lỗi lúc",
        "Hẹn mới",
        "Hẹn mới ra sao",
        "Số lần hẹn lại",
    )
    rows: list[tuple[Cell, ...]] = [
        (basis.register.unit(one.case.unit_code), one.case.unit_code, one.case.dossier_id, one.case.first_due_at,
         one.sent_at, one.new_due_at, PROMISES[one.promise], one.times)
        for one in found
    ]  # fmt: skip
    draft.count("Hồ sơ phải xin lỗi", "apologies owed", head, rows)
    draft.count("Trong đó chưa xin lỗi", "of these not sent", head, [row for row in rows if row[4] is None])
    draft.count("Lỡ hẹn mới", "new day missed", head, [row for row in rows if row[6] == PROMISES["broken"]])


def add_consultations(draft: Draft, basis: ReportContext) -> None:
    """Questions to other agencies, late answers, and the agencies in order of them."""
    marks = marks_of(basis.session, "consultation", basis.as_of)
    found = [
        one
        for one in consultations(basis.con, basis.period.start, basis.until, basis.calendar, marks)
        if basis.covers(one.lead_unit)
    ]
    head = ("Cơ quan được hỏi", "Mã", "Mã hồ sơ", "Đơn vị hỏi", "Hỏi lúc", "Hạn trả lời", "Trả lời lúc", "Tình trạng")
    rows: list[tuple[Cell, ...]] = [
        (basis.register.unit(one.asked_unit), one.asked_unit, one.dossier_id, one.lead_unit, one.asked_at, one.due_at,
         one.answered_at, CONSULTATION_STATES[one.state])
        for one in found
    ]  # fmt: skip
    key = draft.count("Lượt lấy ý kiến phối hợp", "consultations", head, rows)
    late = [row for row, one in zip(rows, found, strict=True) if one.state in ("late", "overdue")]
    late_key = draft.count("Trong đó trả lời trễ hoặc quá hạn chưa trả lời", "of these late or overdue", head, late)
    draft.tables.append(
        Table(
            "Cơ quan được lấy ý kiến", "consulted agencies",
            (Column("Cơ quan"), Column("Mã"), Column("Được hỏi", key), Column("Trả lời trễ", late_key),
             Column("Quá hạn chưa trả lời", late_key), Column("Trả lời chung chung (đã xem xét)", key),
             Column("Giờ chờ trung bình", key)),
            tuple(
                (basis.register.unit(one.unit_code), one.unit_code, one.asked, one.late, one.overdue, one.vague,
                 round(one.hours, 1))
                for one in answerers(found)
            ),
        )
    )  # fmt: skip


def add_complaints(draft: Draft, basis: ReportContext) -> None:
    """Complaints of the period and those past their term; nothing that shows who complained."""
    marks = marks_of(basis.session, "complaint", basis.as_of)
    found = [
        one
        for one in complaints(basis.con, basis.period.start, basis.until, basis.calendar, marks)
        if basis.covers(one.unit_code)
    ]
    head = ("Đơn vị", "Mã đơn vị", "Mã phản ánh", "Kênh", "Nội dung", "Gửi lúc", "Hạn", "Trả lời lúc", "Tình trạng")
    rows: list[tuple[Cell, ...]] = [
        (basis.register.unit(one.unit_code), one.unit_code, one.complaint_id, one.channel, one.topic, one.filed_at,
         one.due_at, one.answered_at, COMPLAINT_STATES[one.state])
        for one in found
    ]  # fmt: skip
    start = basis.period.start
    draft.count(
        "Phản ánh, kiến nghị nhận trong kỳ", "complaints filed", head,
        [row for row, one in zip(rows, found, strict=True) if one.filed_at >= start],
    )  # fmt: skip
    handled = [one for one in found if one.answered_at is not None and one.answered_at >= start]
    in_time = sum(not one.late for one in handled)
    key = draft.count(
        "Phản ánh đã trả lời trong kỳ", "complaints answered", head,
        [row for row, one in zip(rows, found, strict=True) if one in handled],
    )  # fmt: skip
    draft.figures.append(
        Figure("– trong hạn (%)", "in time, per cent", round(100 * in_time / len(handled), 1) if handled else None, key)
    )
    draft.count(
        "Phản ánh quá hạn chưa trả lời", "complaints overdue", head,
        [row for row, one in zip(rows, found, strict=True) if one.state == "overdue"],
    )  # fmt: skip
