"""The national portal's v1 items (domain.md 1.2, 1.3): a dossier's state at the end of a day, and its steps.

Field names are those of the portal; values are JSON strings, dates `yyyyMMddHHmmss` in local time.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.record.schema import ALL_ENDS, ENDS
from features.simulate.raw.people import Citizens

Row = Mapping[str, Any]
STATUS = {
    "received": "2", "refused": "3", "papers_requested": "5", "suspended": "6", "withdrawn": "7",
    "decided": "9", "delivered": "10", "note": "9",
}  # fmt: skip
CHANNEL = {"counter": "1", "online": "2", "post": "3"}
OWNER = {"citizen": "1", "business": "2", "agency": "3", "other": "4"}
CHANGES = frozenset({
    "received", "papers_requested", "papers_supplied", "extended", "reset", *ALL_ENDS, "reopened",
})  # fmt: skip
"""Events after which a one-stop system sends the dossier again."""
DESK, STAFF = "Cán bộ một cửa", "Chuyên viên"
DECOMPOSED = 29
"""Every so many-th dossier comes from a system that writes Unicode NFD."""


@dataclass(frozen=True)
class Directory:
    """What the codes of the history are called: officials, units, sectors by procedure."""

    official: Mapping[str, str]
    unit: Mapping[str, str]
    sector: Mapping[str, tuple[str, str]]
    citizens: Citizens


def clock(moment: Any) -> str:
    """A UTC moment as the portal writes it, empty where there is none."""
    return "" if moment is None or moment != moment else f"{moment:%Y%m%d%H%M%S}"


def steps(row: Row, events: Sequence[Row], book: Directory) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """(local day, service, item) of every step: progress, apologies and consultations."""
    for event in events:
        day = event["happened_at"].date()
        if event["kind"] == "apologised":
            yield day, "XinLoi", _apology(row, event, book)
        else:
            yield day, "CapNhatTienDoHoSoMC", _progress(row, event, book)
    asked = [event for event in events if event["kind"] == "consulted"]
    answers = [event for event in events if event["kind"] == "consultation_answered"]
    for k, event in enumerate(asked):
        answer = answers[k] if k < len(answers) else None
        day = (answer or event)["happened_at"].date()
        yield day, "LayYKienPhoiHop", _consultation(row, event, answer)


def _progress(row: Row, event: Row, book: Directory) -> dict[str, Any]:
    name = book.official.get(event["official_id"]) if event["official_id"] else None
    text = event["step"]
    if event["kind"] == "papers_requested" and event["papers"]:
        text = f"{text}: {event['papers']}"
    status = STATUS.get(event["kind"], "4")
    item = {
        "MaHoSo": row["portal_id"],
        "NguoiXuLy": name or (STAFF if event["kind"] == "consultation_answered" else DESK),
        "ChucDanh": "",
        "ThoiDiemXuLy": clock(event["happened_at"]),
        "PhongBanXuLy": book.unit.get(event["unit_code"] or "", ""),
        "NoiDungXuLy": text,
        "TrangThai": status,
        "NgayBatDau": "",
        "NgayKetThucTheoQuyDinh": clock(event["step_due_at"]),
    }
    return _written(row, item)


def _apology(row: Row, event: Row, book: Directory) -> dict[str, Any]:
    return {
        "MaHoSo": row["portal_id"], "LoaiDuThao": "Xin lỗi", "NgayHenTraCu": clock(row["due_at"]),
        "NgayHenTraMoi": clock(event["due_at"]), "TenDonVi": book.unit.get(row["unit_code"], ""),
        "NgayTiepNhan": clock(row["received_at"]), "TenThuTuc": row["procedure_name"],
        "ThoiDiemGui": clock(event["happened_at"]), "LyDo": event["reason"] or "",
    }  # fmt: skip


def _consultation(row: Row, asked: Row, answer: Row | None) -> dict[str, Any]:
    return {
        "MaHoSo": row["portal_id"],
        "CoQuanChuTri": asked["unit_code"], "CoQuanDuocLayYKien": asked["to_unit_code"],
        "NgayGui": clock(asked["happened_at"]), "HanTraLoi": clock(asked["step_due_at"]),
        "NgayTraLoi": clock(answer["happened_at"]) if answer else "",
        "NoiDungTraLoi": "Thống nhất đề nghị theo quy định." if answer else "", "DanhGiaTraLoi": "",
    }  # fmt: skip


def states(
    row: Row, events: Sequence[Row], moves: Sequence[tuple[Any, Any]], book: Directory
) -> Iterator[tuple[Any, bool, dict[str, Any]]]:
    """(local day, whether it is an update, item): the dossier at the end of each day on which it changed.

    `moves`: (moment, promise) in order.
    """
    first = True
    days = dict.fromkeys(event["happened_at"].date() for event in events if event["kind"] in CHANGES)
    for day in days:
        past = [event for event in events if event["happened_at"].date() <= day]
        promises = [due for at, due in moves if at.date() <= day]
        yield (
            day,
            not first,
            _written(row, _state(row, past, promises[-1] if promises else row["due_at"], moves, day, book)),
        )
        first = False


def _state(
    row: Row, past: Sequence[Row], due: Any, moves: Sequence[tuple[Any, Any]], day: Any, book: Directory
) -> dict[str, Any]:
    """One item of `DongBoHoSoMC`."""  # fmt: skip
    name, identity, phone, _ = book.citizens.person(row["applicant_id"])
    agent = book.citizens.person(row["agent_id"]) if row["agent_id"] else None
    unknown = row["unknown_owner"]
    sector, sector_name = book.sector[row["procedure_code"]]
    status, ended, returned, refused = _end(row, past)
    number = "000000001" if unknown else identity
    item = {
        "MaHoSo": row["portal_id"],
        "MaTTHC": row["procedure_code"],
        "TenTTHC": row["procedure_name"],
        "MaLinhVuc": sector,
        "TenLinhVuc": sector_name,
        "KenhThucHien": CHANNEL[row["channel"]],
        "SoGiayToChuHoSo": "" if unknown else identity,
        "ChuHoSo": name,
        "LoaiDoiTuong": OWNER[row["applicant_kind"]],
        "MaDoiTuong": None,
        "ThongTinKhac": "",
        "Email": "",
        "Fax": "",
        "SoDienThoai": phone,
        "TrichYeuHoSo": "Dinhkem" if unknown else row["procedure_name"],
        "NgayTiepNhan": clock(row["received_at"]),
        "NgayHenTra": clock(due),
        "TrangThaiHoSo": status,
        "NgayTra": clock(returned),
        "ThongTinTra": "",
        "HinhThuc": "0",
        "NgayKetThucXuLy": clock(ended),
        "DonViXuLy": book.unit[row["unit_code"]],
        "GhiChu": "",
        "TaiLieuNop": [],
        "DanhSachLePhi": [],
        "DanhSachTepDinhKemKhac": [],
        "DanhSachHoSoBoSung": [] if row["silent"] else _rounds(row, past, moves, day, book),
        "DanhSachGiayToKetQua": [],
        "NoiNopHoSo": "1" if row["channel"] == "online" else "2",
        "NgayTuChoi": clock(refused),
        "DinhDanhCHS": [{"LoaiDinhDanh": "2" if unknown else "1", "SoDinhDanh": number}],
        "NgayNopHoSo": clock(row["received_at"] if row["copied"] else row["submitted_at"]),
        "DSKetNoiCSDL": [{"MaCSDL": "7"}],
    }
    if row["portal_id"] != row["dossier_id"]:
        item["MaHoSoKhac"] = row["dossier_id"]
    if agent:
        item |= {"UyQuyen": "1", "NguoiUyQuyen": agent[0], "SoGiayToNguoiUyQuyen": agent[1]}
    return item


def _end(row: Row, past: Sequence[Row]) -> tuple[str, Any, Any, Any]:
    """Status, end of processing, return and refusal as the row has them on that day."""
    kind, ended, returned, refused = "received", None, None, None
    for event in past:
        if event["kind"] == "reopened":  # the way back clears the ends (T12)
            ended = returned = None
            kind = "reopened"
        elif event["kind"] in ENDS:
            if not (row["masked"] and event["happened_at"] == row["received_at"]):
                ended, kind = event["happened_at"], event["kind"]
                refused = event["happened_at"] if event["kind"] == "refused" else refused
        elif event["kind"] == "delivered":
            returned, kind = event["happened_at"], "delivered"
        elif event["kind"] != "note" and ended is None:
            kind = event["kind"]
    if row["masked"] and kind == "papers_requested":
        return "9", None, returned, refused
    return STATUS.get(kind, "4"), ended, returned, refused


def _rounds(
    row: Row, past: Sequence[Row], moves: Sequence[tuple[Any, Any]], day: Any, book: Directory
) -> list[dict[str, Any]]:
    """The supplement rounds up to that day, each with the promise before and after it."""
    asked = [event for event in past if event["kind"] == "papers_requested"]
    supplied = [event for event in past if event["kind"] == "papers_supplied"]
    rounds, due = [], row["due_at"]
    for k, request in enumerate(asked):
        papers = (request["papers"] or "").split(";")
        answer = supplied[k] if k < len(supplied) else None
        after = next((new for at, new in moves if answer and at == answer["happened_at"]), None)
        rounds.append({
            "HoSoBoSungId": k + 1,
            "NguoiYeuCauBoSung": book.official.get(request["official_id"] or "", STAFF),
            "NoiDungBoSung": f"Bổ sung: {request['papers']}",
            "NgayBoSung": clock(request["happened_at"]),
            "NguoiTiepNhanBoSung": DESK if answer else "",
            "ThongTinTiepNhan": "",
            "NgayTiepNhanBoSung": clock(answer["happened_at"]) if answer else "",
            "TrangThaiBoSung": answer is not None,
            "DanhSachGiayToBoSung": [{"TenGiayTo": paper} for paper in papers if paper],
            "DanhSachLePhiBoSung": [],
            "NgayHenTraTruoc": clock(due),
            "NgayHenTraMoi": clock(after),
        })  # fmt: skip
        due = after if after is not None else due
    return rounds


def _written(row: Row, item: dict[str, Any]) -> dict[str, Any]:
    """The item as its system encodes text: composed, or in some offices decomposed Unicode."""
    if row["number"] % DECOMPOSED:
        return item
    return {
        name: unicodedata.normalize("NFD", value) if isinstance(value, str) else value for name, value in item.items()
    }
