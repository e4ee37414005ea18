"""Malformed deliveries over all one-stop sources: no crash, and read = appended + known + rejected always.

A grammar bends good items: fields lost, doubled, of another kind or nested, moments out of any form, text with
control characters or in old encodings; then wrappings, and damage to the bytes themselves.
"""

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.record.delivery import DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.unit_directory import UnitDirectory
from serving.state.official_names import Names
from tests.drawn_record import ARRIVED, KEY, progress, synced

CODE = "H99.24-260907-0012"
GOOD: dict[str, list[dict[str, Any]]] = {
    "dvcqg": [
        synced(
            CODE,
            "20260907083000",
            "20260921083000",
            NgayTra="20260918083000",
            DanhSachHoSoBoSung=[
                {
                    "NgayBoSung": "20260915101500",
                    "NgayTiepNhanBoSung": "20260917140000",
                    "NoiDungBoSung": "Bổ sung",
                    "NgayHenTraTruoc": "20260921083000",
                    "NgayHenTraMoi": "20260923083000",
                    "DanhSachGiayToBoSung": [],
                }
            ],
        ),
        progress(CODE, "20260908083000", 4, "Thẩm định hồ sơ"),
        {
            "IdHoSo": "x",
            "MaHoSo": CODE,
            "TrangThai": 5,
            "NoiDungYKien": "Đề nghị bổ sung",
            "NoiDungXuLy": "Yêu cầu bổ sung",
        },
        {
            "MaHoSo": CODE,
            "LoaiDuThao": "Xin lỗi",
            "NgayHenTraMoi": "2026-10-08T08:30:00",
            "ThoiDiemGui": "2026-10-05T09:00:00",
        },
        {"MaHoSo": CODE, "CoQuanChuTri": "H99.18", "CoQuanDuocLayYKien": "H99.24", "NgayGui": "2026-09-08T09:00:00"},
    ],
    "opencps": [
        {
            "dossierId": 7,
            "serviceCode": "1.990001",
            "dossierNo": CODE,
            "govAgencyCode": "000.00.24.H99",
            "receiveDate": "07/09/2026 08:30:00",
            "dueDate": "21/09/2026 08:30:00",
            "dossierStatus": "done",
            "actions": [],
        },
        {
            "dossierActionId": 1,
            "dossierId": 7,
            "actionUser": "Lê Thị Cửa",
            "actionName": "Tiếp nhận hồ sơ",
            "state": 1,
            "createDate": "2026-09-07T08:30:00.000Z",
            "fromStepCode": "400",
            "stepCode": "200",
        },
        {"month": 9, "year": 2026, "govAgencyCode": "000.00.24.H99", "totalCount": 5, "receivedCount": 4},
        {"holidays": [{"holidayDate": "2026-01-01", "holidayType": 0, "description": "Tết"}], "worktime": []},
    ],
    "igate": [
        {
            "code": "000.00.13.H99-260914-0021",
            "acceptedDate": "2026-09-14T08:12:00.000+0700",
            "agency": {"code": "H99.13"},
            "procedure": {"code": "1.001612.000.00.00.H99", "sector": {"id": "s", "name": [{"name": "Đất đai"}]}},
            "task": [
                {"createdDate": "2026-09-14T08:12:00.000+0700", "assignee": {"fullname": "Mai Văn Xét"}, "isCurrent": 1}
            ],
        },
    ],
    "petition": [
        {
            "code": "1022-1",
            "createdDate": "2026-09-23T08:05:00.000+0700",
            "description": f"Hồ sơ {CODE} chậm",
            "status": 3,
            "reporter": {"fullname": "Trần Thị Mẫu", "phone": "0900000001"},
            "tag": [{"name": "Chậm"}],
            "history": [{"date": "2026-09-24T08:05:00.000+0700"}],
            "agency": {"name": "Sở"},
            "isAnonymous": False,
        },
        {"HoTen": "A", "NgayGui": "2026-09-23T08:05:00", "NoiDung": "Chậm"},
    ],
    "rating": [
        {"MaHoSo": CODE, "ThoiGianDanhGia": "2026-09-07T08:36:00", "DanhGia": "RẤT HÀI LÒNG", "CreatedBy": "citizen"}
    ],
    "api766": [
        {
            "request": {"body": {"timeType": "quarter", "year": 2026, "quarter": 3}},
            "response": {
                "data": {
                    "items": [
                        {"departmentCode": "H99.24", "totalReceived": 5, "metrics": [{"code": "A", "numerator": 1}]}
                    ]
                }
            },
        },
    ],
    "roster": [
        {
            "units": [{"code": "H99.24", "name": "Sở", "valid_from": "2025-03-01", "succeeds": ["000.00.12.H99"]}],
            "officials": [{"display_names": ["Nguyễn Văn Thử"], "unit": "H99.24", "from": "2025-07-01"}],
        },
    ],
}
JUNK: list[Any] = [
    None,
    "",
    " ",
    0,
    -1,
    3,
    10**15,
    10**30,
    1.5,
    1e300,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"a": {"b": []}},
    "x" * 5000,
    "\x00\x01\x1b[31m",
    "\u202e\ufeff",
    "NaN",
    "null",
    "20261332256199",
    "1889-01-01",
    "9999-12-31",
    "31/02/2026",
    "2026-09-07",
    "20260907083000",
    "07/09/2026 08:30:00",
    "2026-09-07T08:30:00.000Z",
    "NguyÔn V¨n Thö hå s¬ ®¨ng",
    "🙂" * 50,
    "'; DROP TABLE dossier; --",
    "=HYPERLINK(1)",
    "..\\..\\etc",
    "H99.24-260907-0012",
    "000.00.24.H99",
    "\ud800".encode("utf-8", "replace").decode(),
    "Ⅷ",
    "١٢٣",
    "²",
]


def bent(draw: random.Random, value: Any, depth: int = 0) -> Any:
    """`value` with some of its parts bent, lost, doubled or moved elsewhere."""
    if isinstance(value, dict):
        out = {}
        for name, cell in value.items():
            chance = draw.random()
            if chance < 0.06:
                continue
            key = draw.choice((name.lower(), name + " ", "", draw.choice(list(value)))) if chance > 0.97 else name
            out[key] = draw.choice(JUNK) if chance < 0.16 else bent(draw, cell, depth + 1)
        return out
    if isinstance(value, list):
        return [bent(draw, one, depth + 1) for one in value for _ in range(draw.choice((0, 1, 1, 1, 2)))]
    return draw.choice(JUNK) if draw.random() < 0.03 else value


def damaged(draw: random.Random, raw: bytes) -> bytes:
    """The bytes cut, flipped, doubled, filled or in another encoding."""
    at = draw.randrange(len(raw) + 1)
    return draw.choice(
        (
            lambda: raw[:at],
            lambda: raw[at:],
            lambda: raw[:at] + raw[at + draw.randrange(1, 40) :],
            lambda: raw + raw,
            lambda: raw[:at] + bytes([draw.randrange(256)]) + raw[at:],
            lambda: raw.replace(b'"', b"'", 3),
            lambda: b"",
            lambda: raw[:at] + draw.choice((b"}", b"]", b"{", b"[", b",", b'"', b"\\", b"\0")) + raw[at:],
            lambda: b"\xef\xbb\xbf" + raw,
            lambda: raw.decode("utf-8", "ignore").encode("utf-16"),
            lambda: raw.decode("utf-8", "ignore").encode("latin-1", "ignore"),
            lambda: b"[" * draw.randrange(1, 3000) + raw,
            lambda: gzip.compress(raw),
            lambda: raw.replace(b":", b": \n\t", 9),
        )
    )()


def delivery(draw: random.Random, source: str) -> tuple[bytes, str]:
    """One malformed delivery and the ending of its file."""
    items = [bent(draw, draw.choice(GOOD[source])) for _ in range(draw.choice((1, 1, 2, 3, 5)))]
    if draw.random() < 0.1:
        items.insert(draw.randrange(len(items) + 1), draw.choice(JUNK))
    wrapped: Any = draw.choice(
        (items, items[0], {"data": items}, {"session": "s", "madonvi": draw.choice(JUNK), "data": items})
    )
    raw = orjson.dumps(_finite(wrapped))
    if draw.random() < 0.1:
        raw = b"\n".join(orjson.dumps(_finite(item)) for item in items)
    if draw.random() < 0.5:
        raw = damaged(draw, raw)
    if draw.random() < 0.05:
        packed = gzip.compress(raw)
        return packed[: draw.randrange(len(packed) + 1)], ".json.gz"
    return raw, draw.choice((".json", ".json", ".jsonl", ".txt"))


def _finite(value: Any) -> Any:
    """`value` as JSON can say it: numbers beyond 64 bits as text."""
    if isinstance(value, dict):
        return {str(name): _finite(cell) for name, cell in value.items()}
    if isinstance(value, list):
        return [_finite(cell) for cell in value]
    return str(value) if isinstance(value, int) and abs(value) >= 2**63 else value


def write_deliveries(folder: Path, source: str, count: int, seed: int) -> Iterator[bytes]:
    folder.mkdir(parents=True)
    draw = random.Random(f"{source} {seed}")
    for number in range(count):
        raw, ending = delivery(draw, source)
        (folder / f"{number:06d}{ending}").write_bytes(raw)
        yield raw


def taken_in(record: Record, path: Path, source: str, names: Names) -> DeliveryReceipt:
    """A delivery as an installation reads it (`serving.work.intake`): with its units and its officials' names."""
    with record.connect() as con:
        units = UnitDirectory.from_rows(con.sql("SELECT * FROM unit").to_arrow_table().to_pylist())
        posts = con.execute("SELECT DISTINCT official_id, unit_code FROM official").fetchall()
    known = [(who, name, unit) for who, (unit, name) in names.entries.items()]
    known += [(who, names.entries[who][1], unit) for who, unit in posts if who in names.entries]
    options = FeedOptions(key=KEY, units=units, officials=tuple(dict.fromkeys(known)))
    return record.append(names.apart(SOURCES[source].read(path, options)), source=source, arrived_at=ARRIVED)


def take_all(folder: Path, count: int, seed: int) -> None:
    """Every source's deliveries in one folder each, into one record; then the same once more."""
    record, names = Record(folder / "record"), Names()
    for source in GOOD:
        told = list(write_deliveries(folder / source, source, count, seed))
        assert len(set(told)) > count / 4, "the grammar repeats itself"
        receipt = taken_in(record, folder / source, source, names)
        assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
        assert receipt.rejected > 0
        assert receipt.appended > 0
        again = taken_in(record, folder / source, source, names)
        assert (again.read, again.rejected, again.appended) == (receipt.read, receipt.rejected, 0)
    con = record.connect()
    kept = con.execute("SELECT sum(appended), sum(rejected) FROM delivery").fetchall()[0]
    tables = (
        "dossier_raw",
        "event_raw",
        "complaint_kept",
        "rating_raw",
        "alias",
        "counter",
        "holiday",
        "unit",
        "official",
        "procedure",
        "sector",
    )
    held = sum(con.execute(f"SELECT count(DISTINCT row_id) FROM {table}").fetchall()[0][0] for table in tables)
    assert held == kept[0]
    assert con.execute("SELECT count(*) FROM reject").fetchall()[0][0] == kept[1]
    assert con.execute("SELECT count(*) FROM event").fetchall()[0][0] > 0


def test_malformed_deliveries_are_counted_and_never_crash(tmp_path: Path) -> None:
    take_all(tmp_path, 60, seed=1)


@pytest.mark.slow
def test_fifty_thousand_malformed_deliveries(tmp_path: Path) -> None:
    take_all(tmp_path, 50_000 // len(GOOD) + 1, seed=2)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([one for one in JUNK if isinstance(one, str)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("source", list(GOOD))
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_in_the_fields_of_an_item(source: str, data: st.DataObject, tmp_path: Path) -> None:
    good = data.draw(st.sampled_from(GOOD[source]))
    names = data.draw(st.sets(st.sampled_from(sorted(good)), min_size=1, max_size=4))
    item = good | {name: data.draw(values) for name in sorted(names)}
    path = tmp_path / "item.json"
    path.write_bytes(orjson.dumps([item], option=orjson.OPT_NON_STR_KEYS))
    for chunk in SOURCES[source].read(path, FeedOptions(key=KEY)):
        assert all(len(reject.came) <= 80 for reject in chunk.rejects)
