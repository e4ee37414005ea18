"""The national public-service portal's own exchange: v1 envelopes and the API of 2026 (domain.md 1.1–1.5).

What an item is follows from its own fields, not from the envelope: systems send bare arrays, and dossier and
progress in one object. A dossier's row is its state at the sync, the record wants what happened: supplement rounds
become requests and supplies, moved due dates new promises, end dates ends; the dossier's own row holds only what was
so at receipt. Beside them stand the apology and consultation rows that one-stop systems keep (domain.md 2.7).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from features.case_state.kinds import STOPS, TURNED_AWAY
from features.record.delivery import Chunk, Chunks
from features.record.schema import ALL_ENDS
from features.sources import FeedOptions
from features.sources.actions import is_bare
from features.sources.json_stream import Item, items
from features.sources.nested import objects, string
from features.sources.portal_status import KINDS, event_kind, status
from features.sources.pseudonyms import identity_is_missing
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.codes import dossier_code, unit_code, unit_of_dossier

TRANSPORT = frozenset({"error_code", "session", "auth_request", "auth_response", "username"})
"""Fields of logins and answers, which carry no dossier."""


def read(path: Path, options: FeedOptions) -> Chunks:
    """The dossiers and events of the delivery at `path`: file, folder or zip of JSON."""
    yield from read_items(items(path), options)


def read_items(found: Iterator[Item], options: FeedOptions) -> Iterator[Chunk]:
    """The rows of items already at hand, as the receiving endpoint has them."""
    return harvested(found, options, lambda harvest, value: _read(harvest, value, harvest.header))


def _read(harvest: RowBuilder, value: Mapping[str, Any], header: Mapping[str, Any]) -> None:
    if "ThoiDiemXuLy" in value:
        read_progress(harvest, value)
    elif "MaTTHC" in value or ("NgayTiepNhan" in value and "TrangThaiHoSo" in value):
        read_dossier(harvest, value, header)
    elif "LoaiDuThao" in value or "NgayHenTraCu" in value:
        read_apology(harvest, value)
    elif "CoQuanDuocLayYKien" in value:
        read_consultation(harvest, value)
    elif "MaHoSo" in value and "TrangThai" in value:
        read_status(harvest, value)
    elif isinstance(value.get("dossier"), dict) or isinstance(value.get("tien_do"), list):
        for part in [*objects({"dossier": [value.get("dossier")]}, "dossier"), *objects(value, "tien_do")]:
            _read(harvest, part, value)
    elif not TRANSPORT & value.keys():
        harvest.reject("", "a dossier, a progress event or a status of the portal", "an object of another kind")


CHANNELS = {"1": "counter", "2": "online", "3": "post", "": "counter"}
APPLICANTS = {"1": "citizen", "2": "business", "3": "agency", "4": "other"}


def read_dossier(harvest: RowBuilder, item: Mapping[str, Any], header: Mapping[str, Any]) -> None:
    """The rows of one dossier item; `header` is its envelope, whose `madonvi` is the sender."""
    portal_code = harvest.dossier("dossier_id", item.get("MaHoSo"))
    received = harvest.moment("received_at", item.get("NgayTiepNhan"))
    if portal_code is None:
        return
    dossier_id = _own_code(harvest, portal_code, item, received)
    procedure = harvest.procedure(
        item.get("MaTTHC"), item.get("TenTTHC"), item.get("MaLinhVuc"), item.get("TenLinhVuc")
    )
    if received is None or procedure is None:
        column = "received_at" if received is None else "procedure_code"
        harvest.reject(column, "a value", None)
        return
    unit = harvest.unit(received, name=item.get("DonViXuLy"), dossier=portal_code) or harvest.unit(
        received, code=header.get("madonvi")
    )
    if unit is None:
        harvest.reject("unit_code", "a unit, by name or in the dossier's code", item.get("DonViXuLy"))
        return
    rounds = harvest.objects(item, "DanhSachHoSoBoSung")
    due = harvest.moment("due_at", item.get("NgayHenTra"))
    promises = [harvest.moment("due_at", one.get("NgayHenTraTruoc")) for one in rounds]
    first_due = next((moment for moment in promises if moment), due)
    identity = _identity(item)
    channel = harvest.word("dossier.channel", CHANNELS, item.get("KenhThucHien"))
    submitted = harvest.moment("submitted_at", item.get("NgayNopHoSo"))
    copied = channel == "online" and submitted == received  # T11: how long the dossier waited before receipt is unknown
    harvest.row(
        "dossier", dossier_id=dossier_id, procedure_code=procedure, unit_code=unit,
        receiving_unit_code=_receiving(portal_code, header), channel=channel,
        applicant_id=harvest.people.citizen(identity, string(item, "ChuHoSo"), string(item, "SoDienThoai")),
        applicant_kind=harvest.word("dossier.applicant_kind", APPLICANTS, item.get("LoaiDoiTuong")),
        agent_id=harvest.people.citizen(string(item, "SoGiayToNguoiUyQuyen"), string(item, "NguoiUyQuyen"), None),
        submitted_at=None if copied else harvest.submission(submitted, received),
        received_at=received, due_at=harvest.promise(first_due, received),
        x_identity_placeholder=int(_is_filler(item)),
        x_abstract_placeholder=int((string(item, "TrichYeuHoSo") or "").strip().lower() == "dinhkem"),
        x_submitted_copied=int(copied), known_at=harvest.known_from(received),
    )  # fmt: skip
    harvest.event(dossier_id, "received", received, state=True, unit_code=unit)
    people = (string(item, "ChuHoSo"), identity, string(item, "SoDienThoai"), string(item, "Email"))
    for one in rounds:
        _read_round(harvest, dossier_id, unit, one, people)
    _read_ends(harvest, dossier_id, unit, item)


def _own_code(harvest: RowBuilder, portal_code: str, item: Mapping[str, Any], received: datetime | None) -> str:
    """The dossier's own code where the portal got another in its place (T7); the pair becomes an alias."""
    other = item.get("MaHoSoKhac")
    own = dossier_code(other) if isinstance(other, str) and unit_of_dossier(other) else portal_code
    if own != portal_code and received is not None:
        harvest.once("alias", portal_code, dossier_id=own, other_id=portal_code, known_at=received)
    return own


def _receiving(portal_code: str, header: Mapping[str, Any]) -> str | None:
    sender = header.get("madonvi")
    return unit_of_dossier(portal_code) or (unit_code(sender) if isinstance(sender, str) and sender else None)


def _identity(item: Mapping[str, Any]) -> str | None:
    """The owner's identity number from either of its two places."""
    return next((number for number in _identity_cells(item) if not identity_is_missing(number)), None)


def _is_filler(item: Mapping[str, Any]) -> bool:
    """Whether a filler, such as 000000000, stands in place of the identity number (T10)."""
    return any(number and identity_is_missing(number) for number in _identity_cells(item))


def _identity_cells(item: Mapping[str, Any]) -> list[str | None]:
    return [string(item, "SoGiayToChuHoSo"), *(string(one, "SoDinhDanh") for one in objects(item, "DinhDanhCHS"))]


def _read_round(
    harvest: RowBuilder, dossier_id: str, unit: str, one: Mapping[str, Any], people: tuple[str | None, ...]
) -> None:
    """A supplement round: the request and the supply, with the promise by which the citizen's time is booked; where
    nothing has been supplied yet, the request has given it."""
    before, after = (harvest.moment("due_at", one.get(name)) for name in ("NgayHenTraTruoc", "NgayHenTraMoi"))
    asked = harvest.moment("happened_at", one.get("NgayBoSung"))
    supplied = harvest.moment("happened_at", one.get("NgayTiepNhanBoSung"))
    papers = [
        name
        for paper in harvest.objects(one, "DanhSachGiayToBoSung")
        if (name := harvest.text("papers", paper.get("TenGiayTo")))
    ]
    moved = after if after != before else None
    harvest.event(
        dossier_id, "papers_requested", asked, state=True, unit_code=unit,
        official_id=harvest.official(one.get("NguoiYeuCauBoSung"), unit), due_at=None if supplied else moved,
        reason=scrub(harvest.text("reason", one.get("NoiDungBoSung")), people), papers=";".join(papers),
    )  # fmt: skip
    harvest.event(
        dossier_id, "papers_supplied", supplied, state=True, unit_code=unit,
        official_id=harvest.official(one.get("NguoiTiepNhanBoSung"), unit), due_at=moved,
    )  # fmt: skip


def _read_ends(harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any]) -> None:
    """The end of processing, the return to the citizen and the refusal, where the state dates them."""
    code = status(item.get("TrangThaiHoSo"))
    refused = harvest.moment("happened_at", item.get("NgayTuChoi"))
    ended = harvest.moment("happened_at", item.get("NgayKetThucXuLy"))
    kind = {3: "refused", 7: "withdrawn"}.get(code or 0, "decided")
    if refused is not None:
        harvest.event(dossier_id, "refused", refused, state=True, unit_code=unit)
    if ended is not None and not (refused is not None and kind == "refused"):
        harvest.event(dossier_id, kind, ended, state=True, unit_code=unit)
    returned = harvest.moment("happened_at", item.get("NgayTra"))
    harvest.event(dossier_id, "delivered", returned, state=True, unit_code=unit)
    if KINDS.get(code or 0) in ALL_ENDS:
        harvest.ended(refused, ended, returned)


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
