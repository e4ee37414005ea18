"""One dossier of `DongBoHoSoMC` (domain.md 1.2): its first promise, and its dates as events.

The row is the dossier's state at the sync; the record wants what happened. So supplement rounds become requests
and supplies, moved due dates new promises, end dates ends. The dossier's own row holds only what was so at
receipt: a later date in it would tell the future.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from features.record.schema import ALL_ENDS
from features.sources.nested import objects, string
from features.sources.portal_status import KINDS, status
from features.sources.pseudonyms import identity_is_missing
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder
from features.spelling.codes import dossier_code, unit_code, unit_of_dossier

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
