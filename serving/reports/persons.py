"""Monthly sheets of officials and of heads: figures with intervals, for people who rate (S2, S1 1e)."""

from collections import Counter, defaultdict

from sqlalchemy import select

from serving.access.permissions import Scope
from serving.read.caseload import Case
from serving.read.official_sheet import OfficialSheets
from serving.read.on_time_statistics import LEAST
from serving.reports.conclusions import HEAD as FINDING_HEAD
from serving.reports.conclusions import confirmed
from serving.reports.conclusions import lines as finding_lines
from serving.reports.dossiers import add_counts, by
from serving.reports.narrative import add_narrative
from serving.reports.report import Cell, Column, Draft, Table
from serving.reports.report_context import ReportContext
from serving.state import EarlyWarning, ExplanationAct
from serving.work.explanations import explanations, state_of

_RATED = """
SELECT dossier_id, avg(score), count(*) FROM rating
WHERE rated_at >= $start AND rated_at < $until AND NOT coalesce(by_staff, false) GROUP BY dossier_id
"""


def official(draft: Draft, basis: ReportContext) -> None:
    """One line an official: what ended in their hands this month, and the year against peers doing the same.

    Ratings given by staff are left out (trap T6). The ratio is shown from 20 comparable dossiers on.
    """
    keys = add_counts(draft, basis, listed=False)
    add_narrative(draft, basis, keys)
    findings = confirmed(basis)
    found_key = draft.count("Kết luận đã xác nhận", "confirmed findings", FINDING_HEAD, finding_lines(basis, findings))
    of_official = Counter(one.official_id for one in findings if one.official_id)
    holder = {case.dossier_id: case.official_id for case in basis.caseload.cases}
    of_holder = Counter(
        held_by for one in findings if not one.official_id and (held_by := holder.get(one.dossier_id or ""))
    )  # fmt: skip
    held: dict[str, list[Case]] = defaultdict(list)
    for case in basis.caseload.cases:
        if case.official_id is not None:
            held[case.official_id].append(case)
    sheets = OfficialSheets.read(basis.con, basis.until, basis.calendar)
    ratings = {row[0]: row[1:] for row in basis.con.execute(_RATED, basis.moments).fetchall()}
    table: list[tuple[Cell, ...]] = []
    for official_id, cases in sorted(held.items(), key=lambda one: (one[1][0].unit_code, one[0])):
        sheet = sheets.of(official_id)
        shown: tuple[Cell, ...] = (None, None, None)
        if sheet.enough:
            shown = (round(sheet.ratio, 2), *(round(one, 2) for one in sheet.interval))
        ended = [case for case in cases if case.ended_at is not None]
        rated = [ratings[case.dossier_id] for case in cases if case.dossier_id in ratings]
        number = sum(one[1] for one in rated)
        mean = round(sum(one[0] * one[1] for one in rated) / number, 2) if number else None
        table.append(
            (basis.official(official_id), basis.register.unit(basis.register.officials.get(official_id)), len(ended),
             sum(case.late for case in ended), sum(case.is_open for case in cases), sheet.n, sheet.observed,
             round(sheet.expected, 1), *shown, number, mean, of_official[official_id],
             of_holder[official_id])
        )  # fmt: skip
    columns = (
        Column("Cán bộ"), Column("Đơn vị"), Column("Xong trong kỳ", keys.ended), Column("Trễ", keys.late),
        Column("Đang giữ", keys.open), Column("12 tháng: hồ sơ so được"), Column("trễ"), Column("theo mức chung"),
        Column("tỷ số"), Column("từ"), Column("đến"), Column("Lượt đánh giá"), Column("Điểm trung bình (1–5)"),
        Column("Kết luận đã xác nhận, nêu tên", found_key),
        Column("Kết luận về hồ sơ đang giữ, chưa nêu ai", found_key),
    )  # fmt: skip
    note = (
        f"Tỷ số trễ so với người làm cùng thủ tục, khoảng 95 % (Byar); chỉ nêu từ {LEAST} hồ sơ. Trễ là của cả hồ sơ: "
        "ai giữ bao lâu xem ở sổ trách nhiệm. Bảng này không tự xếp loại ai. "
        f"{sum(of_official.values())} kết luận đã xác nhận nêu tên cán bộ, {len(findings) - sum(of_official.values())} "
        f"không nêu ai, trong đó {sum(of_holder.values())} về hồ sơ có người giữ rõ: gắn với người giữ khi quá hạn "
        "hoặc khi xong, không phải kết luận về người đó."
    )
    draft.tables.append(Table("Cán bộ", "officials", columns, tuple(table), note))


def head(draft: Draft, basis: ReportContext) -> None:
    """One line a unit, with its head's joint responsibility: confirmed findings, unanswered alerts, explanations."""
    keys = add_counts(draft, basis, listed=False)
    add_narrative(draft, basis, keys)
    register = basis.register
    by(draft, basis, keys, "Đơn vị", "units", "Đơn vị", lambda case: case.unit_code, register.unit)
    findings = confirmed(basis)
    key = draft.count("Kết luận đã xác nhận", "confirmed findings", FINDING_HEAD, finding_lines(basis, findings))
    alerts = [
        one
        for one in basis.session.scalars(
            select(EarlyWarning)
            .where(EarlyWarning.told_at >= basis.period.start, EarlyWarning.told_at < basis.until)
            .order_by(EarlyWarning.head_unit, EarlyWarning.id)
        )
        if basis.covers(one.head_unit) and (one.acknowledged_at is None or one.acknowledged_at >= basis.until)
    ]
    alert_key = draft.count(
        "Cảnh báo chưa ai xác nhận", "warnings nobody acknowledged", ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Báo lúc"),
        [(register.unit(one.head_unit), one.head_unit, one.dossier_id, one.told_at) for one in alerts],
    )  # fmt: skip
    waiting = [
        one
        for one in explanations(basis.session, Scope(basis.units), basis.until, most=10**9)
        if one.slip.opened_at < basis.until and _unanswered(one.acts, basis)
    ]
    slip_key = draft.count(
        "Phiếu giải trình quá hạn", "explanations overdue", ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Hạn giải trình"),
        [
            (register.unit(one.slip.unit_code), one.slip.unit_code, one.slip.dossier_id, one.slip.answer_due_at)
            for one in waiting
            if one.slip.answer_due_at < basis.until and state_of(one.slip, ()) != "excused"
        ],
    )  # fmt: skip
    rows = []
    for code in sorted(register.units):
        below = register.tree.subtree(code)
        numbers = (
            sum(one.unit_code in below for one in findings),
            len({one.official_id for one in findings if one.unit_code in below and one.official_id}),
            sum(one.head_unit in below for one in alerts),
            sum(str(line[1]) in below for line in draft.rows[-1].lines),
        )
        if basis.covers(code) and any(numbers):
            rows.append((register.unit(code), code, *numbers))
    draft.tables.append(
        Table(
            "Trách nhiệm liên đới của người đứng đầu", "joint responsibility of heads",
            (Column("Đơn vị, gồm các đơn vị bên dưới"), Column("Mã"), Column("Kết luận đã xác nhận", key),
             Column("Số cán bộ liên quan", key), Column("Cảnh báo chưa xác nhận", alert_key),
             Column("Giải trình quá hạn", slip_key)),
            tuple(rows),
            "Chỉ gồm kết luận đã xác nhận; mức trách nhiệm do người có thẩm quyền xác định.",
        )
    )  # fmt: skip


def _unanswered(acts: tuple[ExplanationAct, ...], basis: ReportContext) -> bool:
    """Whether nothing had been explained by the end of the period."""
    return all(act.acted_at >= basis.until for act in acts)
