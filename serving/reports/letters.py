"""Letters on what offices owe: apologies, explanations, minutes of visits, remedies, reminders of consultations.

Each kind is made of the rows that its page lists, for the units of a scope; nobody is named whom no confirmed finding
names, and of what was found not to hold nothing is told.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.sources.vietnamese_number import decimal
from serving.access.permissions import Scope
from serving.documents.apology import ApologyLetter
from serving.documents.letter import BLANK, LETTER, MINUTES, SLIP, Letter
from serving.documents.letterhead import Letterhead, Letterheads
from serving.read.caseload import Case
from serving.read.finding_words import CAUSE_WORDS, KIND_WORDS
from serving.read.register import Register
from serving.state import Apology, Finding
from serving.words import Clockface, step_words
from serving.work import findings, remediation
from serving.work.consultations import Consultation
from serving.work.explanations import Explanation, explanations
from serving.work.trackers import Tracked

KINDS = {
    "apologies": "Phiếu xin lỗi và hẹn lại", "explanations": "Phiếu giải trình", "minutes": "Biên bản kiểm tra",
    "remedies": "Văn bản yêu cầu khắc phục", "consultations": "Văn bản đôn đốc trả lời ý kiến",
}  # fmt: skip
MOST = 500
"""Letters made at once."""
_BY_HAND = 5
"""Lines of minutes for dossiers that are chosen on the spot."""
Visit = Mapping[str, Any]
_ASKED_TO_REMEDY = (
    "Qua kiểm tra công vụ, trách nhiệm giải quyết thủ tục hành chính, đề nghị đơn vị khắc phục {number} việc sau đây "
    "và báo cáo kết quả đúng hạn:"
)
_REMINDED = "{lead} đã lấy ý kiến {asked} để giải quyết hồ sơ; đến nay {number} lượt đã quá hạn chưa có trả lời:"


@dataclass(frozen=True)
class LetterDesk:
    """What letters are written with. name: what an official is called by whoever asks."""

    register: Register
    letterheads: Letterheads
    zone: ZoneInfo
    now: datetime
    name: Callable[[str | None], str]

    def head(self, unit_code: str, kind: str = "") -> Letterhead:
        """Who issues a letter of a unit, or of the whole province."""
        return self.letterheads.of(self.register, unit_code, kind)

    def moment(self, moment: datetime | None) -> str:
        """A moment in words."""
        return Clockface(self.zone).moment(moment)

    def letter(self, file: str, template: Any, head: Letterhead, **fields: Any) -> Letter:
        """A letter of today."""
        return Letter(_name(file), template, head, self.now.astimezone(self.zone).date(), fields)


def letters_of(
    kind: str, desk: LetterDesk, session: Session, tracked: Tracked, scope: Scope, *, only: str = "",
    visits: Iterable[Visit] = (),
) -> list[Letter]:  # fmt: skip
    """The letters of a kind of `KINDS` for a scope, at most `MOST`; ValueError for another kind.

    only: number of the apology or slip, the visit, the unit that remedies are asked of, or the unit that was consulted;
    all that wait where left out. visits: those that may be seen, for minutes.
    """
    if kind == "apologies":
        return _apologies(desk, session, tracked, scope, only)
    if kind == "explanations":
        slips = explanations(session, scope, desk.now, most=MOST, slip_id=int(only) if only.isdecimal() else None)
        waiting = [one for one in slips if only or one.state != "closed"]
        return [_slip(desk, one, tracked.late.get(one.slip.dossier_id)) for one in waiting]
    if kind == "minutes":
        asked = [one for one in visits if only in ("", one["visit_id"])]
        return [_minutes(desk, one, findings.standing(session, inspection_id=one["visit_id"])) for one in asked[:MOST]]
    if kind == "remedies":
        return _remedies(desk, session, scope, only)
    if kind == "consultations":
        return _reminders(desk, tracked.consultations, scope, only)
    raise ValueError(f"kind: wanted one of {', '.join(KINDS)}, got {kind[:40]!r}")


def _apologies(desk: LetterDesk, session: Session, tracked: Tracked, scope: Scope, only: str) -> list[Letter]:
    cases = {one.case.dossier_id: one.case for one in tracked.apologies}
    query = select(Apology).order_by(Apology.id)
    query = query.where(Apology.id == int(only)) if only.isdecimal() else query.where(Apology.sent_at.is_(None))
    found = [one for one in session.scalars(query) if scope.covers(one.unit_code) and one.dossier_id in cases]
    return [apology_letter(desk, one, cases[one.dossier_id]) for one in found[:MOST]]


def apology_letter(desk: LetterDesk, one: Apology, case: Case) -> Letter:
    """Mẫu 04 of one drafted apology; name, address and phone are left open."""
    unit = desk.register.unit(one.unit_code)
    return ApologyLetter(
        letterhead=desk.head(one.unit_code), day=one.drafted_at.astimezone(desk.zone).date(),
        dossier_id=one.dossier_id, procedure=desk.register.procedure(case.procedure_code),
        received_on=Clockface(desk.zone).day(case.received_at), receiving_unit=unit, unit=unit,
        old_due_at=desk.moment(one.old_due_at), new_due_at=desk.moment(one.new_due_at), reason=one.reason,
    ).letter(f"xin-loi-{one.id}")  # fmt: skip


def _slip(desk: LetterDesk, one: Explanation, case: Case | None) -> Letter:
    slip, unit = one.slip, desk.register.unit(one.slip.unit_code)
    procedure = f"; {desk.register.procedure(case.procedure_code)}" if case else ""
    lines = [f"1. Hồ sơ: {slip.dossier_id}{procedure}."]
    lines.append(f"2. Người giữ hồ sơ khi quá hạn: {desk.name(slip.official_id)}; bước: {step_words(slip.step)}.")
    lines.append(
        f"3. Hẹn trả: {desk.moment(slip.missed_due_at)}; đã quá {decimal(slip.over_hours / 8, 1)} ngày làm việc khi mở "
        f"phiếu; giải trình trước {desk.moment(slip.answer_due_at)}."
    )
    if slip.outage_hours > 0:
        lines.append(f"Hệ thống ngừng {decimal(slip.outage_hours, 1)} giờ làm việc trong thời gian giải quyết.")
    lines.append(f"4. Nguyên nhân: {CAUSE_WORDS[one.cause] if one.cause else BLANK}")
    lines.append(f"5. Nội dung giải trình: {one.text or _by_hand(4)}")
    opinion = next((act for act in reversed(one.acts) if act.act != "explained"), None)
    lines.append(f"6. Ý kiến của người đứng đầu: {opinion.text if opinion else _by_hand(2)}")
    return desk.letter(
        f"giai-trinh-{slip.id}", SLIP, desk.head(slip.unit_code), title="PHIẾU GIẢI TRÌNH", kind="PGT",
        subject="Hồ sơ thủ tục hành chính quá hẹn trả", addressee=f"Thủ trưởng {unit}", lines=lines,
        left="NGƯỜI GIẢI TRÌNH",
    )  # fmt: skip


def _minutes(desk: LetterDesk, visit: Visit, recorded: Sequence[Finding]) -> Letter:
    unit, by = desk.register.unit(visit["unit_code"]), visit["by"]
    own = by == "own_head"
    head = desk.head(visit["unit_code"] if own else "", "mission" if by == "home_affairs" else "")
    told = [one for one in head.recipients if one != "Như trên"]
    head = replace(head, recipients=tuple(told if own else [unit, *told]))
    results = {one.dossier_id: _result(one) for one in recorded}
    pulled = [line["dossier_id"] for line in visit["sheet"]]
    rows = [
        [one, results.get(one, ""), ""] for one in [*pulled, *(key for key in results if key not in pulled)]
    ]  # fmt: skip
    looked = f"{len(rows)} hồ sơ" if rows else "các hồ sơ chọn tại chỗ,"
    at = datetime.fromisoformat(visit["at"])
    return desk.letter(
        f"bien-ban-{visit['visit_id']}", MINUTES, head,
        subject=f"{'Tự kiểm tra' if own else 'Kiểm tra công vụ,'} việc giải quyết thủ tục hành chính",
        opening=[
            f"Thời gian bắt đầu: {desk.moment(at)}. Địa điểm: {unit}.",
            *([f"Thành phần tự kiểm tra: {BLANK}"] if own else
              [f"Đoàn kiểm tra của {head.issuer}: {BLANK}", f"Đại diện {unit}: {BLANK}"]),
            f"Chủ trì: {BLANK}", f"Người ghi biên bản: {BLANK}",
            f"Nội dung: kiểm tra {looked} như sau; “không có vấn đề” cũng là một kết quả.",
        ],
        table={"head": ["STT", "Mã hồ sơ", "Kết quả ghi nhận", "Ghi chú tại chỗ"],
               "rows": _numbered(rows or [["", "", ""]] * _BY_HAND)},
        closing=[
            f"Ý kiến của {'những người được kiểm tra' if own else 'đơn vị được kiểm tra'}: {_by_hand(2)}",
            f"Kết luận tại buổi kiểm tra: {_by_hand(2)}",
            "Biên bản kết thúc vào ….. giờ …..; đã đọc lại cho các bên cùng nghe, lập thành 02 bản như nhau.",
        ],
        left="NGƯỜI GHI BIÊN BẢN" if own else "ĐẠI DIỆN ĐƠN VỊ",
        right="NGƯỜI ĐỨNG ĐẦU ĐƠN VỊ" if own else "TRƯỞNG ĐOÀN KIỂM TRA",
    )  # fmt: skip


def _result(one: Finding) -> str:
    """What minutes say of a conclusion: its content only once it is confirmed."""
    if one.kind == "none":
        return KIND_WORDS["none"]
    if one.confirmed:
        return f"{KIND_WORDS[one.kind]} (đã xác nhận)"
    return "Không xác nhận có vấn đề" if one.confirmed is False else "Đã ghi nhận, chờ người có thẩm quyền xác nhận"


def _remedies(desk: LetterDesk, session: Session, scope: Scope, only: str) -> list[Letter]:
    units: dict[str, list[remediation.RemedyStanding]] = defaultdict(list)
    for one in remediation.standing(session, desk.now.astimezone(desk.zone).date(), scope.units):
        if one.state != "done" and scope.covers(one.unit_code) and only in ("", one.unit_code):
            units[one.unit_code].append(one)
    return [
        desk.letter(
            f"khac-phuc-{code}", LETTER, desk.head("", "mission"), about="khắc phục sau kiểm tra",
            addressee=desk.register.unit(code),
            opening=[_ASKED_TO_REMEDY.format(number=len(held))],
            table={
                "head": ["STT", "Việc phải khắc phục", "Hạn", "Tình trạng"],
                "rows": _numbered(
                    [[one.what, f"{one.due_on:%d/%m/%Y}", remediation.STATES[one.state]] for one in held]
                ),
            },
            closing=["Đề nghị đơn vị thực hiện và gửi báo cáo kèm căn cứ; việc khó khăn đề nghị nêu rõ, đề xuất hạn."],
        )
        for code, held in sorted(units.items())[:MOST]
    ]  # fmt: skip


def _reminders(desk: LetterDesk, asked: Iterable[Consultation], scope: Scope, only: str) -> list[Letter]:
    """One letter from each asking unit to each that has not answered within its term."""
    pairs: dict[tuple[str, str], list[Consultation]] = defaultdict(list)
    for one in asked:
        if one.state == "overdue" and one.asked_unit and scope.covers(one.lead_unit) and only in ("", one.asked_unit):
            pairs[one.lead_unit, one.asked_unit].append(one)
    return [
        desk.letter(
            f"don-doc-{lead}-{unit}", LETTER, desk.head(lead), about="đôn đốc trả lời ý kiến phối hợp",
            addressee=desk.register.unit(unit),
            opening=[
                _REMINDED.format(lead=desk.register.unit(lead), asked=desk.register.unit(unit), number=len(held))
            ],
            table={
                "head": ["STT", "Mã hồ sơ", "Thủ tục", "Ngày hỏi", "Hạn trả lời", "Đã chờ (giờ làm việc)"],
                "rows": _numbered(
                    [[one.dossier_id, desk.register.procedure(one.procedure_code), desk.moment(one.asked_at),
                      desk.moment(one.due_at), decimal(one.hours, 1)] for one in held]
                ),
            },
            closing=["Đề nghị quý cơ quan trả lời sớm để hồ sơ được giải quyết đúng hẹn với người dân, doanh nghiệp."],
        )
        for (lead, unit), held in sorted(pairs.items())[:MOST]
    ]  # fmt: skip


def _by_hand(lines: int) -> str:
    """So many lines to write on, the first where the text ends."""
    return "\n".join([BLANK] * lines)


def _numbered(rows: Sequence[Sequence[str]]) -> list[dict[str, list[str]]]:
    return [{"cells": [str(place), *row]} for place, row in enumerate(rows, 1)]


def _name(file: str) -> str:
    """A file's name of letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", file)
