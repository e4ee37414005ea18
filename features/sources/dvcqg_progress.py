"""Progress of dossiers: `CapNhatTienDoHoSoMC` of v1, `CapNhatTienTrinh` and `CapNhatTrangThai` of 2026.

domain.md 1.3 and 1.5; beside them the apology and consultation rows that one-stop systems keep (domain.md 2.7).
"""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from features.case_state.kinds import STOPS, TURNED_AWAY
from features.sources.actions import is_bare
from features.sources.portal_status import event_kind, status
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder

WITH_REASON = frozenset({*STOPS, *TURNED_AWAY, "returned", "extended"})
"""Kinds of which the text is the reason given, not only the name of a step."""


def read_progress(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """One progress event. Without a moment, or with a status outside 0–10, the item is rejected."""
    dossier_id = harvest.dossier("dossier_id", item.get("MaHoSo"))
    at = harvest.moment("happened_at", item.get("ThoiDiemXuLy"))
    code = status(item["TrangThai"]) if item.get("TrangThai") not in (None, "") else 4
    if dossier_id is None:
        return
    if at is None or code is None:
        harvest.reject("kind" if code is None else "happened_at", "a status from 0 to 10 and a moment", None)
        return
    action = scrub(harvest.text("step", item.get("NoiDungXuLy")))
    step, _, detail = (action or "").partition(":")
    kind = event_kind(code, action)
    home = harvest.unit(at, dossier=dossier_id)
    room = item.get("PhongBanXuLy")
    unit = (harvest.units.named(room, at) if isinstance(room, str) else None) or home
    official = harvest.official(item.get("NguoiXuLy"), home)
    mark = crc32(f"{code}|{official}|{action}".encode())
    harvest.row(
        "event", dossier_id=dossier_id, kind=kind, happened_at=at, official_id=official, unit_code=unit,
        step=step[:120], reason=_reason(step, detail) if kind in WITH_REASON else None,
        step_due_at=harvest.moment("step_due_at", item.get("NgayKetThucTheoQuyDinh")),
        event_id=f"{kind}@{at:%Y%m%d%H%M%S}-{mark:08x}",
    )  # fmt: skip


def _reason(step: str, detail: str) -> str | None:
    """What follows the name of the action, else the action's text where it is more than a name."""
    return detail.strip() or (None if is_bare(step) else step)


def read_status(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """A status of v2, which has no moment: its opinion is the reason of the dossier's event of that status.

    The row is a `note` dated to the day in the dossier's code; `features.record.event_reconciliation` puts it beside
    the event that it speaks of, and shows it to nobody before that one is known.
    """
    dossier_id = harvest.dossier("dossier_id", item.get("MaHoSo"))
    code = status(item.get("TrangThai"))
    if dossier_id is None:
        return
    day = dossier_id.rsplit("-", 2)[-2] if dossier_id.count("-") >= 2 else ""
    at = harvest.moment("happened_at", f"20{day}") if len(day) == 6 else None
    if code is None or at is None:
        wanted = "a status from 0 to 10" if code is None else "a dossier code with its day"
        harvest.reject("kind" if code is None else "dossier_id", wanted, None)
        return
    opinion = scrub(harvest.text("reason", item.get("NoiDungYKien")))
    kind = event_kind(code, harvest.text("step", item.get("NoiDungXuLy")))
    harvest.row(
        "event", dossier_id=dossier_id, kind="note", happened_at=at, reason=opinion,
        step=f"Trạng thái {code}", event_id=f"status:{kind}@{crc32((opinion or '').encode()):08x}",
    )  # fmt: skip


def read_apology(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """An apology with a new promise (`Phiếu xin lỗi và hẹn lại ngày trả kết quả`)."""
    dossier_id = harvest.dossier("dossier_id", item.get("MaHoSo"))
    sent = harvest.moment("happened_at", item.get("ThoiDiemGui") or item.get("NgayHenTraCu"))
    if dossier_id is None or sent is None:
        return
    harvest.event(
        dossier_id, "apologised", sent, due_at=harvest.moment("due_at", item.get("NgayHenTraMoi")),
        unit_code=harvest.unit(sent, name=item.get("TenDonVi"), dossier=dossier_id),
        reason=scrub(harvest.text("reason", item.get("LyDo"))),
    )  # fmt: skip


def read_consultation(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """A consultation: the question with the deadline of its answer, and the answer where there is one."""
    dossier_id = harvest.dossier("dossier_id", item.get("MaHoSo"))
    asked = harvest.moment("happened_at", item.get("NgayGui"))
    if dossier_id is None or asked is None:
        return
    lead = harvest.unit(asked, code=item.get("CoQuanChuTri"), dossier=dossier_id)
    other = harvest.unit(asked, code=item.get("CoQuanDuocLayYKien"))
    harvest.event(
        dossier_id, "consulted", asked, unit_code=lead, to_unit_code=other,
        step_due_at=harvest.moment("step_due_at", item.get("HanTraLoi")),
    )  # fmt: skip
    answered = harvest.moment("happened_at", item.get("NgayTraLoi"))
    judged = harvest.text("step", item.get("DanhGiaTraLoi"))
    harvest.event(
        dossier_id, "consultation_answered", answered, unit_code=other, to_unit_code=lead, step=judged,
        reason=scrub(harvest.text("reason", item.get("NoiDungTraLoi"))),
    )  # fmt: skip
