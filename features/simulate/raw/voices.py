"""Complaints as a 1022-type platform sends them, and ratings as one-stop systems do (domain.md 1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from features.simulate.raw.people import Citizens

CHANNELS = {
    "hotline_1022": (1, "Tổng đài 1022"),
    "portal": (3, "Cổng DVCQG"),
    "phone": (2, "Đường dây nóng qua điện thoại"),
    "box": (4, "Hòm thư góp ý"),
    "press": (5, "Báo chí"),
    "front": (6, "Mặt trận Tổ quốc"),
}
TAGS = {
    "lateness": ("t-cham", "Chậm trễ giải quyết TTHC"),
    "conduct": ("t-hanhvi", "Hành vi cán bộ, công chức, viên chức"),
    "procedure": ("t-quydinh", "Quy định thủ tục hành chính"),
}
RATING_WORDS = {5: "RẤT HÀI LÒNG", 4: "HÀI LÒNG", 3: "BÌNH THƯỜNG", 2: "KHÔNG HÀI LÒNG", 1: "KHÔNG HÀI LÒNG"}
PLATFORM_CLOCK = "%Y-%m-%dT%H:%M:%S.000+0700"


def petition(
    first: Mapping[str, Any], last: Mapping[str, Any], units: Mapping[str, str], citizens: Citizens
) -> dict[str, Any]:
    """One `PhanAnh`; `first` as filed, `last` as it stands at the export (local moments)."""  # fmt: skip
    who = citizens.person(first["complainant_id"]) if first["complainant_id"] else None
    method, words = CHANNELS[first["channel"]]
    filed = first["filed_at"].strftime(PLATFORM_CLOCK)
    answered = last["answered_at"] if last["answered_at"] == last["answered_at"] else None
    greeting = f"Tôi tên {who[0]}, số điện thoại {who[2]}. " if who else ""
    steps = [{"type": 4, "date": filed, "content": "Thêm mới"}]
    if answered is not None:
        steps.append({"type": 3, "date": answered.strftime(PLATFORM_CLOCK), "content": "Trả lời người dân"})
    tag = TAGS.get(first["topic"])
    return {
        "id": f"id-{first['complaint_id']}",
        "code": first["complaint_id"],
        "title": "Phản ánh, kiến nghị",
        "description": greeting + first["text"],
        "createdDate": filed,
        "dueDate": first["due_at"].strftime(PLATFORM_CLOCK),
        "status": 3 if answered is not None else 2,
        "statusDescription": "Đã xử lý" if answered is not None else "Đang xử lý",
        "receptionMethod": method,
        "receptionMethodDescription": words,
        "typeRequest": 1,
        "isAnonymous": bool(first["anonymous"]),
        "isPublic": False,
        "agency": {"id": first["unit_code"], "name": units[first["unit_code"]]},
        "tag": [{"id": tag[0], "parentId": "t-pakn", "name": tag[1]}] if tag else [],
        "takePlaceAt": None,
        "takePlaceOn": None,
        "reporter": {"fullname": who[0], "identityId": who[1], "phone": who[2], "address": who[3]} if who else None,
        "file": [],
        "result": _answer(last["verdict"]) if answered is not None else None,
        "history": steps,
    }


def _answer(verdict: str) -> str:
    if verdict == "upheld":
        return "Qua kiểm tra, phản ánh là đúng. Đơn vị đã chấn chỉnh và xin lỗi người dân."
    return "Đơn vị ghi nhận ý kiến và sẽ rút kinh nghiệm."


def ratings(rows: Iterable[Mapping[str, Any]], citizens: Citizens) -> Iterator[dict[str, Any]]:
    """`DanhGiaHaiLong` rows of rating_id, dossier_id, rated_at (local), score, by_staff, owner."""
    for row in rows:
        account = f"cb.{int(row['rating_id'][1:]) % 97:02d}.motcua" if row["by_staff"] else "citizen"
        rater = account if row["by_staff"] else citizens.person(row["applicant_id"])[0]
        yield {
            "MaHoSo": row["dossier_id"],
            "LoaiDanhGia": "CongDan",
            "NguoiDanhGia": rater,
            "NoiDungDanhGia": "Công dân đánh giá cán bộ tại quầy" if row["by_staff"] else "",
            "ThoiGianDanhGia": row["rated_at"].strftime("%Y-%m-%dT%H:%M:%S"),
            "DanhGia": RATING_WORDS[int(row["score"])],
            "CreatedBy": account,
        }
