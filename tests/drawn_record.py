"""Records drawn in a test: a dossier as a few lines of what happened, or a delivery of raw files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import orjson
import pyarrow as pa

from features.record.delivery import Chunk, DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES, FeedOptions
from features.sources.unit_directory import UnitDirectory

KEY = b"0123456789abcdef0123456789abcdef"
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ARRIVED = datetime(2027, 1, 1, tzinfo=UTC)


def local(text: str) -> datetime:
    """`2026-09-07 08:30` in Hà Nội as an aware moment."""
    return datetime.fromisoformat(text).replace(tzinfo=HANOI).astimezone(UTC)


def connect_drawn(folder: Path, **tables: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A connection to a record of these canonical rows (texts in Hà Nội's time)."""
    record = Record(folder / "record")
    record.append((Chunk(name, rows) for name, rows in tables.items()), source="drawn", arrived_at=ARRIVED)
    return record.connect()


def cases(as_of: datetime, *dossiers: str) -> pa.Table:
    """These dossiers as of one moment."""
    moments = pa.array([as_of] * len(dossiers), pa.timestamp("us", "UTC"))
    return pa.table({"dossier_id": pa.array(dossiers, pa.string()), "as_of": moments})


def deliver(
    record: Record, path: Path, source: str, *, live_at: datetime | None = None, **options: Any
) -> DeliveryReceipt:
    """One raw delivery into the record; the directory's rows are left out, as the command line does."""
    with record.connect() as con:
        units = UnitDirectory.from_rows(con.sql("SELECT * FROM unit").to_arrow_table().to_pylist())
    chunks = SOURCES[source].read(path, FeedOptions(key=KEY, units=units, arrived_at=live_at, **options))
    return record.append(
        (chunk for chunk in chunks if chunk.table != "directory"),
        source=source, arrived_at=live_at or ARRIVED, live=live_at is not None,
    )  # fmt: skip


def write_json(path: Path, value: object) -> Path:
    """`value` as a JSON file at `path`; gives the path back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(value))
    return path


def progress(dossier: str, at: str, status: int | str, action: str, who: str = "Nguyễn Văn Thử") -> dict[str, Any]:
    """One item of `CapNhatTienDoHoSoMC`; `at` as yyyyMMddHHmmss."""
    return {
        "MaHoSo": dossier, "NguoiXuLy": who, "ChucDanh": "", "ThoiDiemXuLy": at, "PhongBanXuLy": "",
        "NoiDungXuLy": action, "TrangThai": str(status), "NgayBatDau": "", "NgayKetThucTheoQuyDinh": "",
    }  # fmt: skip


def synced(dossier: str, received: str, due: str, **fields: Any) -> dict[str, Any]:
    """One item of `DongBoHoSoMC` with the fields a test cares for."""
    return {
        "MaHoSo": dossier, "MaTTHC": "1.990001", "TenTTHC": "Thủ tục hư cấu", "MaLinhVuc": "G99-NMT01",
        "TenLinhVuc": "Đất đai", "KenhThucHien": "1", "ChuHoSo": "Trần Thị Mẫu", "LoaiDoiTuong": "1",
        "NgayTiepNhan": received, "NgayHenTra": due, "TrangThaiHoSo": "4", "DonViXuLy": "", "NgayNopHoSo": received,
        "DanhSachHoSoBoSung": [],
    } | fields  # fmt: skip
