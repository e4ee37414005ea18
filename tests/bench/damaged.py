"""Damaged deliveries without end: good items of every source, bent by chance in their values, shapes and bytes."""

import json
import random
from pathlib import Path
from typing import Any

CODE = "H99.24-260907-0012"
ITEMS: dict[str, list[dict[str, Any]]] = {
    "dvcqg": [
        {"MaHoSo": CODE, "MaTTHC": "1.990001", "NgayTiepNhan": "20260907083000", "NgayHenTra": "20260921083000",
         "TrangThaiHoSo": "4", "DonViXuLy": "Sở Xây dựng", "DanhSachHoSoBoSung": [{"NgayBoSung": "20260915101500"}]},
        {"MaHoSo": CODE, "NguoiXuLy": "Lê Thị Cửa", "ThoiDiemXuLy": "20260908083000", "TrangThai": 4,
         "NoiDungXuLy": "Thẩm định hồ sơ", "PhongBanXuLy": "Phòng A"},
        {"MaHoSo": CODE, "LoaiDuThao": "Xin lỗi", "NgayHenTraMoi": "2026-10-08T08:30:00",
         "ThoiDiemGui": "2026-10-05T09:00:00"},
    ],
    "opencps": [
        {"dossierId": 7, "serviceCode": "1.990001", "dossierNo": CODE, "govAgencyCode": "000.00.24.H99",
         "receiveDate": "07/09/2026 08:30:00", "dueDate": "21/09/2026 08:30:00", "dossierStatus": "done"},
        {"dossierActionId": 1, "dossierId": 7, "actionUser": "Lê Thị Cửa", "actionName": "Tiếp nhận hồ sơ", "state": 1,
         "createDate": "2026-09-07T08:30:00.000Z", "fromStepCode": "400", "stepCode": "200"},
    ],
    "igate": [
        {"code": "000.00.13.H99-260914-0021", "acceptedDate": "2026-09-14T08:12:00.000+0700",
         "agency": {"code": "H99.13"}, "procedure": {"code": "1.001612.000.00.00.H99"},
         "task": [{"createdDate": "2026-09-14T08:12:00.000+0700", "assignee": {"fullname": "Mai Văn Xét"}}]},
    ],
    "petition": [
        {"code": "1022-1", "createdDate": "2026-09-23T08:05:00.000+0700", "description": f"Hồ sơ {CODE} chậm",
         "status": 3, "reporter": {"fullname": "Trần Thị Mẫu", "phone": "0900000001"}, "tag": [{"name": "Chậm"}]},
    ],
    "rating": [
        {"MaHoSo": CODE, "ThoiGianDanhGia": "2026-09-07T08:36:00", "DanhGia": "RẤT HÀI LÒNG", "CreatedBy": "citizen"},
    ],
    "api766": [
        {"request": {"body": {"timeType": "quarter", "year": 2026, "quarter": 3}},
         "response": {"data": {"items": [{"departmentCode": "H99.24", "totalReceived": 5}]}}},
    ],
    "roster": [
        {"units": [{"code": "H99.24", "name": "Sở", "valid_from": "2025-03-01"}],
         "officials": [{"display_names": ["Nguyễn Văn Thử"], "unit": "H99.24", "from": "2025-07-01"}]},
    ],
}  # fmt: skip
TABLES = {
    "event.csv": "dossier_id,kind,happened_at,official_id\nd1,forwarded,2026-03-01T08:00:00,o1\nd2,note,,o2\n",
    "dossier.csv": "dossier_id,procedure_code,unit_code,received_at,due_at\nd1,p,u,2026-03-01T08:00:00,2026-03-09\n",
}
LOG = (
    '<log><trace><string key="concept:name" value="c1"/><string key="department" value="u"/>'
    '<date key="startdate" value="2026-03-01T08:00:00+07:00"/><event><string key="concept:name" value="a"/>'
    '<date key="time:timestamp" value="2026-03-02T08:00:00+07:00"/><string key="org:resource" value="o1"/></event>'
    "</trace></log>"
)
SHEET = (
    "Mã hồ sơ;Mã TTHC;Mã đơn vị;Ngày tiếp nhận;Ngày hẹn trả\nH99.24-260907-d1;1.990001;H99.24;07/09/2026;21/09/2026\n"
    "H99.24-260908-d2;1.9900;H99.24;08/09/2026 08:00;N/A\nTổng cộng: 2;;;;\n"
)
SHEET_MAPPING = """
[dossier]
dossier_id = "Mã hồ sơ"
procedure_code = "Mã TTHC"
unit_code = { from = "Mã đơn vị", fill = true }
received_at = { from = "Ngày tiếp nhận", format = "%d/%m/%Y" }
due_at = { from = "Ngày hẹn trả", format = "%d/%m/%Y" }
"""
SOURCES = (*ITEMS, "canonical", "xes", "table")
JUNK: tuple[Any, ...] = (
    None, "", " ", 0, -1, 10**15, 10**30, 1.5, 1e300, True, [], {}, [[]], {"a": {}}, "x" * 3_000, "\x00", "\ud7ff",
    "=1+1", "../../etc/passwd", "99999999999999", "2026-13-45T99:99:99", "20260230083000", "'; DROP TABLE dossier; --",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "NguyÔn V¨n A", "0001-01-01T00:00:00Z", "９９９", -(10**18), "NaN", "∞",
)  # fmt: skip


def delivery(source: str, chance: random.Random, folder: Path, number: int) -> None:
    """Writes one damaged delivery of `source` as a file of `folder`."""
    if source == "xes":
        name, data = f"{number}.xes", LOG.replace("c1", f"c{number}").encode()
    elif source == "table":
        name, data = f"{number}.csv", SHEET.replace("d1", f"{number:04d}").encode()
    elif source == "canonical":
        name, text = chance.choice(list(TABLES.items()))
        name, data = f"{number}/{name}", text.replace("d1", f"d{number}").encode()
    else:
        items = [_bent(item, chance) for item in chance.choices(ITEMS[source], k=chance.randint(1, 3))]
        wrapped = chance.choice([items, {"data": items, "service": "x"}, items[0], {"session": "s", "data": items}])
        name, data = f"{number}.json", json.dumps(wrapped, ensure_ascii=chance.random() < 0.5).encode("utf-8")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_torn(data, chance))


def _bent(item: Any, chance: random.Random) -> Any:
    """The item with some of its fields lost, replaced, doubled or nested."""
    if isinstance(item, list):
        return [_bent(one, chance) for one in item] * chance.choice((1, 1, 1, 0, 3))
    if not isinstance(item, dict):
        return item
    bent = {}
    for name, value in item.items():
        fate = chance.random()
        if fate < 0.08:
            continue
        if fate < 0.2:
            bent[name] = chance.choice(JUNK)
        elif fate < 0.23:
            bent[name] = [value]
        else:
            bent[name] = _bent(value, chance)
        if fate > 0.97:
            bent[name.upper()] = value
    return bent


def _torn(data: bytes, chance: random.Random) -> bytes:
    """The bytes, one in three times cut, overwritten, doubled or in another encoding."""
    fate = chance.random()
    at = chance.randrange(len(data)) if data else 0
    if fate < 0.08:
        return data[:at]
    if fate < 0.18:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if fate < 0.24:
        return data[:at] + data[at // 2 : at] + data[at:]
    if fate < 0.28:
        return data.decode("utf-8", "replace").encode(chance.choice(("utf-16", "cp1258", "utf-8-sig")), "replace")
    return data
