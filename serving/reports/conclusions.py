"""Visits and what they concluded, as the record held it. A conclusion waits, is confirmed, or was found not to hold.

Only what is confirmed is ever named; what was found not to hold is counted and named nowhere.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from features.record.utc import aware_utc
from serving.read.finding_words import KIND_WORDS
from serving.reports.report import Cell, Column, Draft, Figure, Table
from serving.reports.report_context import ReportContext
from serving.work.remediation import STATES, standing

HEAD = (
    "Đơn vị",
    "Mã đơn vị",
    "Mã kết luận",
    "Cuộc kiểm tra",
    "Mã hồ sơ",
    "Cán bộ",
    "Nội dung",
    "Mức",
    "Xác nhận lúc",
)
VISIT_HEAD = ("Đơn vị", "Mã đơn vị", "Cuộc kiểm tra", "Đoàn", "Ngày kiểm tra")

_FINDINGS = """
SELECT f.finding_id, f.inspection_id, i.unit_code, f.dossier_id, f.official_id, f.kind, f.severity,
       f.confirmed, f.confirmed_at, coalesce(f.confirmed_at, f.known_at) AS said_at
FROM finding_latest f LEFT JOIN inspection_latest i USING (inspection_id)
WHERE said_at >= $start AND said_at < $until ORDER BY i.unit_code, f.finding_id
"""
VISITS = """
SELECT inspection_id, unit_code, team_id, chosen_by, visited_at FROM inspection_latest
WHERE visited_at >= $start AND visited_at < $until
ORDER BY unit_code, visited_at, inspection_id
"""


class Adjudication(StrEnum):
    """What those entitled have decided on a finding."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True)
class RecordedFinding:
    """One finding's latest version. confirmed, confirmed_at: the decision of those entitled, and when; said_at: that
    moment, else when the finding was recorded."""

    finding_id: str
    inspection_id: str
    unit_code: str | None
    dossier_id: str | None
    official_id: str | None
    kind: str
    severity: int | None
    confirmed: bool | None
    confirmed_at: datetime | None
    said_at: datetime

    @property
    def adjudication(self) -> Adjudication:
        """Confirmed, found not to hold (said no, with a day), or still waiting."""
        if self.confirmed:
            return Adjudication.CONFIRMED
        return Adjudication.WAITING if self.confirmed_at is None else Adjudication.NOT_CONFIRMED

    @property
    def stands(self) -> bool:
        """Whether something was found, and confirmed."""
        return self.adjudication is Adjudication.CONFIRMED and self.kind != "none"


def conclusions(basis: ReportContext) -> list[RecordedFinding]:
    """What was recorded or confirmed in the period, of the report's units, as known then."""
    rows = basis.con.execute(_FINDINGS, basis.moments).fetchall()
    findings = (replace(RecordedFinding(*row), said_at=aware_utc(row[-1])) for row in rows)
    return [one for one in findings if basis.covers(one.unit_code)]


def confirmed(basis: ReportContext) -> list[RecordedFinding]:
    """Of these what was found and confirmed: all that a publication may ever hold."""
    return [one for one in conclusions(basis) if one.stands]


def lines(basis: ReportContext, found: list[RecordedFinding]) -> list[tuple[Cell, ...]]:
    """One row a conclusion, under `HEAD`."""
    return [
        (basis.register.unit(one.unit_code), one.unit_code, one.finding_id, one.inspection_id, one.dossier_id,
         basis.official(one.official_id), KIND_WORDS[one.kind], one.severity, one.said_at if one.confirmed else None)
        for one in found
    ]  # fmt: skip


def add_conclusions(draft: Draft, basis: ReportContext) -> None:
    """Figures of visits and conclusions, and the confirmed ones by kind."""
    visits = [row for row in basis.con.execute(VISITS, basis.moments).fetchall() if basis.covers(row[1])]
    # how a visit was chosen stays out: units read these reports, and would learn what brings an inspection
    shown = [(basis.register.unit(row[1]), row[1], row[0], row[2], aware_utc(row[4])) for row in visits]
    draft.count("Cuộc kiểm tra trong kỳ", "visits", VISIT_HEAD, shown)
    findings = conclusions(basis)
    clean = [one for one in findings if one.kind == "none"]
    stands = [one for one in findings if one.stands]
    found = [one for one in findings if one.kind != "none"]
    draft.count("Hồ sơ kiểm tra không phát hiện vấn đề", "dossiers found clean", HEAD, lines(basis, clean))
    key = draft.count("Kết luận có vấn đề, đã xác nhận", "confirmed findings", HEAD, lines(basis, stands), listed=True)
    for state, vi, en in _UNNAMED:
        number = sum(one.adjudication is state for one in found)
        draft.figures.append(Figure(vi, en, number))
    kinds = sorted({one.kind for one in stands})
    draft.tables.append(
        Table(
            "Kết luận đã xác nhận theo nội dung", "confirmed findings by kind",
            (Column("Nội dung"), Column("Số kết luận", key)),
            tuple((KIND_WORDS[kind], sum(one.kind == kind for one in stands)) for kind in kinds),
        )
    )  # fmt: skip


_UNNAMED = (
    (Adjudication.WAITING, "Kết luận chờ xác nhận (không nêu tên)", "findings waiting"),
    (Adjudication.NOT_CONFIRMED, "Kết luận không được xác nhận (không nêu tên)", "findings not confirmed"),
)
"""Findings that are counted and never listed: a row would name somebody."""


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
