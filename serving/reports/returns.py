"""Dossiers sent back again and again, and through whose fault: a person says so, case by case (S0 2b)."""

from serving.language import LazyText as lazy
from serving.read.caseload import MANY_TIMES, Case
from serving.reports.report import Column, Draft, Table
from serving.reports.report_context import ReportContext
from serving.work.annotations import marks_of

HEAD = ("Đơn vị", "Mã đơn vị", "Mã hồ sơ", "Thủ tục", "Số lần trả, yêu cầu làm lại", "Hồ sơ trước bị trả", "Kết luận")
FAULT_WORDS = {
    "official": lazy("do cán bộ (đã xem xét)"),
    "citizen": lazy("do người nộp (đã xem xét)"),
    "law": lazy("do quy định (đã xem xét)"),
    "system": lazy("do hệ thống (đã xem xét)"),
}
UNREVIEWED = "chưa xem xét"


def add_returns(draft: Draft, basis: ReportContext) -> None:
    """Figures of repeated returns; the table of units holds only those that a person put down to an official."""
    marks = marks_of(basis.session, "return", basis.as_of)
    repeated = [case for case in basis.caseload.cases if case.times_back >= MANY_TIMES]
    fault = {
        case.dossier_id: held["fault"].value
        for case in repeated
        if "fault" in (held := marks.get(f"return:{case.dossier_id}", {}))
    }

    def lines(cases: list[Case]) -> list[tuple[str | int | None, ...]]:
        return [
            (basis.register.unit(case.unit_code), case.unit_code, case.dossier_id, case.procedure_code,
             case.times_back, case.former, FAULT_WORDS.get(fault.get(case.dossier_id, ""), UNREVIEWED))
            for case in sorted(cases, key=lambda one: (one.unit_code, one.dossier_id))
        ]  # fmt: skip

    ours = [case for case in repeated if fault.get(case.dossier_id) == "official"]
    draft.count("Hồ sơ bị trả từ 2 lần", "sent back twice or more", HEAD, lines(repeated))
    draft.count(
        "Trong đó chưa được xem xét nguyên nhân", "of these not reviewed yet", HEAD,
        lines([case for case in repeated if case.dossier_id not in fault]),
    )  # fmt: skip
    key = draft.count(
        "Trong đó do lỗi chủ quan của cán bộ, đã xem xét", "of these through an official's fault, after review",
        HEAD, lines(ours),
    )  # fmt: skip
    units: dict[str, int] = {}
    for case in ours:
        units[case.unit_code] = units.get(case.unit_code, 0) + 1
    draft.tables.append(
        Table(
            "Đơn vị có hồ sơ bị trả nhiều lần do lỗi chủ quan của cán bộ",
            "units with dossiers sent back repeatedly through officials' fault",
            (Column("Đơn vị"), Column("Mã"), Column("Số hồ sơ", key)),
            tuple(
                (basis.register.unit(code), code, number)
                for code, number in sorted(units.items(), key=lambda one: (-one[1], one[0]))
            ),
            "Chỉ gồm hồ sơ đã được người có thẩm quyền xem xét nguyên nhân.",
        )
    )
