"""The portal's exchange read directly: every form of it, names and codes, order and repetition, the samples' oracle."""

import gzip
import unicodedata
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from features.calendar.vietnam import VIETNAM
from features.case_state.cases import recorded_cases
from features.case_state.official_class import OfficialClass, class_766, class_recomputed
from features.key_file import key_file
from features.record.delivery import Chunk, DeliveryError
from features.record.record import Record
from features.signals import evaluate
from features.signals.conduct_of_dossier import CONDUCT_OF_DOSSIER
from features.signals.integrity import INTEGRITY
from features.sources import SOURCES, FeedOptions
from features.sources.moments import NotAMoment, parse
from features.sources.pseudonyms import Pseudonyms
from features.sources.redact import scrub
from features.sources.unit_directory import BookedUnit, UnitDirectory
from features.spelling.codes import dossier_code, dossier_codes_in, procedure_code, unit_code
from features.spelling.names import canonical, is_placeholder
from features.spelling.vietnamese_text import suspect
from tests.drawn_record import KEY, cases, deliver, local, progress, synced, write_json

CODE = "H99.24-260907-0012"
SAMPLES = {
    "01": "dvcqg", "02": "dvcqg", "03": "dvcqg", "04": "dvcqg", "05": "dvcqg", "06": "dvcqg", "07": "dvcqg",
    "08": "opencps", "09": "opencps", "10": "opencps", "11": "igate", "12": "petition", "13": "rating",
    "14": "api766", "15": "api766", "16": "roster", "17": "opencps", "18": "dvcqg", "19": "dvcqg",
}  # fmt: skip


def rows(path: Path, table: str, source: str = "dvcqg", **options: Any) -> list[dict[str, Any]]:
    chunks = SOURCES[source].read(path, FeedOptions(key=KEY, **options))
    return [row for chunk in chunks if chunk.table == table for row in chunk.rows]


@pytest.fixture(scope="module")
def samples(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    record = Record(tmp_path_factory.mktemp("samples") / "record")
    for number, source in SAMPLES.items():
        path = next((shared / "samples").glob(f"{number}_*.json"))
        numbers = {"opencps:730011": "H99.24"} if number == "09" else {}
        assert deliver(record, path, source, unit_of=numbers).rejected == 0, path.name
    return record


def test_all_samples_load_and_load_once(samples: Record, shared: Path) -> None:
    version = samples.version()
    for number in ("01", "05", "08", "11", "12"):
        path = next((shared / "samples").glob(f"{number}_*.json"))
        assert deliver(samples, path, SAMPLES[number]).appended == 0
    assert samples.version() == version + 5


def test_the_oracle_is_met_to_the_flag(samples: Record, shared: Path) -> None:
    oracle = orjson.loads((shared / "samples" / "20_expected_findings.json").read_bytes())
    at = datetime.fromisoformat(oracle["as_of"])
    ids = [case["MaHoSo"] for case in oracle["cases"]]
    found: dict[str, dict[str, float]] = {name: {} for name in ids}
    for row in evaluate(samples.connect(), cases(at, *ids), (*INTEGRITY, *CONDUCT_OF_DOSSIER)).to_pylist():
        found[row["dossier_id"]][row["signal"]] = row["value"]
    for case in oracle["cases"]:
        assert found[case["MaHoSo"]].keys() == set(case["flags"]), case["MaHoSo"]
    first = oracle["cases"][0]
    assert found[CODE]["REPEATED_SUPPLEMENT"] == first["supplement_requests"]
    close = found[CODE]["SUPPLEMENT_CLOSE_TO_DEADLINE"]
    assert close == pytest.approx(first["second_request_working_hours_before_due"], abs=0.25)
    moved = first["due_extension_working_days"][1] * 8 - first["citizen_supplement_working_hours"][1]
    assert found[CODE]["DUE_EXTENDED_MORE_THAN_CITIZEN_TIME"] == pytest.approx(moved, abs=0.25)


def test_the_oracles_classes_and_hours(samples: Record, shared: Path) -> None:
    oracle = orjson.loads((shared / "samples" / "20_expected_findings.json").read_bytes())
    at = datetime.fromisoformat(oracle["as_of"])
    found = {case.dossier_id: case for case in recorded_cases(samples.connect(), at, VIETNAM)}
    supplements, _, reset, masked, receipt = (found[case["MaHoSo"]].state for case in oracle["cases"])
    assert supplements.supplement_hours == pytest.approx(18.25 + 17.5, abs=0.25)
    assert supplements.late
    assert class_766(supplements, VIETNAM) == OfficialClass.OVERDUE
    assert class_766(reset, VIETNAM) not in (OfficialClass.OVERDUE, OfficialClass.OVERDUE_OPEN)  # what is claimed
    assert class_recomputed(reset, VIETNAM) == OfficialClass.OVERDUE
    assert masked.paused_since == local("2026-09-23 15:55")  # 8, paused, whatever status 9 says
    assert masked.ended_at is None
    waited = VIETNAM.working_hours(local("2026-09-11 09:58:10"), receipt.received_at)
    assert waited == pytest.approx(6 + 14 / 60, abs=0.25)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("20260907083000", "2026-09-07 08:30"),
        ("2026-09-07T08:30:00.000", "2026-09-07 08:30"),
        ("2026-09-07T08:30:00.000Z", "2026-09-07 08:30"),  # the false Z
        ("2026-09-07T08:30:00.000+0700", "2026-09-07 08:30"),
        ("2026-09-07T01:30:00+00:00", "2026-09-07 08:30"),
        ("07/09/2026 08:30:00", "2026-09-07 08:30"),
        ("07/09/2026", "2026-09-07 00:00"),
        ("7/9/2026 8:30 SA", "2026-09-07 08:30"),
        ("7/9/2026 2:05 CH", "2026-09-07 14:05"),
        ("2026-09-07 08:30:00", "2026-09-07 08:30"),
        (1788744600000, "2026-09-07 08:30"),
        ("202609070830", "2026-09-07 08:30"),
    ],
)
def test_moments_in_every_form(value: object, moment: str) -> None:
    assert parse(value, zone="Asia/Ho_Chi_Minh", false_z=True) == local(moment)


def test_a_true_z_is_believed_where_the_source_says_so() -> None:
    assert parse("2026-09-07T01:30:00Z", zone="Asia/Ho_Chi_Minh") == local("2026-09-07 08:30")


@pytest.mark.parametrize(
    "value", ["hôm qua", "20261307083000", "20260907256000", "1889-01-01", "31/02/2026", 5, 1.5, [], True]
)
def test_no_moment_is_guessed(value: object) -> None:
    with pytest.raises(NotAMoment):
        parse(value, zone="Asia/Ho_Chi_Minh")


@pytest.mark.parametrize("value", [None, "", "  ", "0001-01-01T00:00:00", "00010101000000", "null"])
def test_nothing_is_nothing(value: object) -> None:
    assert parse(value, zone="Asia/Ho_Chi_Minh") is None


def test_codes_have_one_form() -> None:
    assert dossier_code("000.00.13.H99-260914-0021") == dossier_code(" h99.13-260914-0021 ") == "H99.13-260914-0021"
    assert dossier_code("000.17.22.H56-210531-0001") == "H56.22.17-210531-0001"
    assert (unit_code("000.00.24.H99"), unit_code("H99.137"), unit_code("Sở X")) == ("H99.24", "H99.137", "Sở X")
    assert procedure_code("1.001612.000.00.00.H48") == procedure_code("1.001612") == "1.001612"
    text = "Hồ sơ H99.24-260907-0012, rồi 000.00.18.H99-260903-0007; số 260907-0012 thì không."
    assert dossier_codes_in(text) == ["H99.24-260907-0012", "H99.18-260903-0007"]


def test_one_name_however_written() -> None:
    told = "Nguyễn Thị Hoà"
    same = (unicodedata.normalize("NFD", told), "NGUYỄN  THỊ HÒA", "Bà Nguyễn Thị Hoà", " nguyễn thị hòa ")
    assert {canonical(name) for name in same} == {canonical(told)}
    assert canonical("Ðặng Văn A") == canonical("Đặng Văn A")
    long = "Công Tằng Tôn Nữ Nguyễn Phúc Thị Hoàng Lan Hương Giang"
    assert canonical(long[:46] + "...") == canonical(long)
    assert canonical("Nguyễn Văn Thủ") != canonical("Nguyễn Văn Thử") != canonical("Nguyen Van Thu")


def test_officials_are_keys_by_unit_and_placeholders_nobody() -> None:
    people = Pseudonyms(KEY)
    assert people.official("Nguyễn Văn Thử", "H99.24") == people.official("NGUYỄN VĂN THỬ", "H99.24")
    assert people.official("Nguyễn Văn Thử", "H99.24") != people.official("Nguyễn Văn Thử", "H99.18")
    assert people.official("Nguyễn Văn Thử", "H99.24") != Pseudonyms(b"x" * 32).official("Nguyễn Văn Thử", "H99.24")
    for name in ("Cán bộ một cửa", "Chuyên viên", "", "...", "admin", "Hệ thống", "123"):
        assert is_placeholder(name)
        assert people.official(name, "H99.24") is None
    assert people.citizen("000000001") is None
    assert people.citizen("099088000123") == people.citizen(" 0990 8800 0123 ")


def test_a_name_without_marks_is_the_one_the_directory_knows(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [progress(CODE, "20260907083000", 4, "Thẩm định", "Nguyen Van Thu")])
    known = rows(path, "event", officials=(("o-known", "Nguyễn Văn Thử", "H99.24"),))
    assert known[0]["official_id"] == "o-known"
    assert rows(path, "event")[0]["official_id"] != known[0]["official_id"]


def test_units_by_name_code_and_succession() -> None:
    reform = local("2025-07-01 00:00")
    book = UnitDirectory([
        BookedUnit("H99.37", "UBND huyện Bến Thử", valid_to=reform),
        BookedUnit("H99.137", "UBND phường Bến Thử", reform, None, ("000.05.37.H99",)),
        BookedUnit("H99.12", "Sở Tài nguyên và Môi trường", valid_to=local("2025-03-01 00:00")),
        BookedUnit("H99.24", "Sở Nông nghiệp và Môi trường", local("2025-03-01 00:00"), None, ("H99.12", "H99.15")),
        BookedUnit("H99.18", "Sở Xây dựng", local("2025-03-01 00:00")),
        BookedUnit("H99.19", "Sở Xây dựng", valid_to=local("2025-03-01 00:00")),
    ])  # fmt: skip
    now, before = local("2026-09-07 08:00"), local("2024-09-07 08:00")
    assert book.named("Sở Nông nghiệp và Môi trường - tỉnh Minh Hải (hư cấu)", now) == "H99.24"
    assert book.named("Sở NN&MT tỉnh Minh Hải", now) == "H99.24"
    assert book.named("Ủy ban nhân dân P. Bến Thử", now) == "H99.137"
    assert book.named("UBND phường Bến Thử", before) is None  # it did not exist
    assert (book.named("Sở Xây dựng", now), book.named("Sở Xây dựng", before)) == ("H99.18", "H99.19")
    assert (book.coded("000.00.12.H99", now), book.coded("000.00.12.H99", before)) == ("H99.24", "H99.12")
    assert book.coded("000.05.37.H99", now) == "H99.137"
    assert book.named("Sở Không Có", now) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("NguyÔn V¨n Thö hå s¬ ®¨ng ký", "TCVN3 (ABC)"), ("Nguyeãn Vaên Thöû hoà sô ñaêng kyù", "VNI")],
)
def test_text_from_before_unicode_is_refused_by_name(text: str, name: str, tmp_path: Path) -> None:
    assert suspect(text) == name
    path = write_json(tmp_path / "a.json", [progress(CODE, "20260907083000", 4, text)])
    rejects = [one for chunk in SOURCES["dvcqg"].read(path, FeedOptions(key=KEY)) for one in chunk.rejects]
    assert [(one.column, one.came) for one in rejects] == [("step", f"text in {name}")]


def test_good_text_is_never_taken_for_an_old_encoding() -> None:
    for text in ("Lê Xuân Hoà", "Thuý Kiều", "Phường Hoà Khánh, quận Liên Chiểu", "São Tomé", "François Müller"):
        assert suspect(text) is None


@pytest.mark.parametrize("encoding", ["utf-16", "cp1258"])
def test_bytes_that_are_no_utf8_are_refused_clearly(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('[{"MaHoSo": "Lê Thị Cửa"}]'.encode(encoding, "ignore"))
    rejects = [one for chunk in SOURCES["dvcqg"].read(path, FeedOptions(key=KEY)) for one in chunk.rejects]
    assert rejects
    assert "UTF" in rejects[0].came


def test_every_wrapping_gives_the_same_rows(tmp_path: Path) -> None:
    items = [progress(CODE, f"202609070{n}3000", 4, "Thẩm định") for n in range(1, 8)]
    plain = rows(write_json(tmp_path / "array.json", items), "event")
    envelope = {"session": "s", "madonvi": "000.00.24.H99", "service": "CapNhatTienDoHoSoMC", "data": items}
    lines = tmp_path / "lines.jsonl"
    lines.write_bytes(b"\n".join(map(orjson.dumps, items)))
    packed = tmp_path / "packed.json.gz"
    packed.write_bytes(gzip.compress(orjson.dumps(envelope)))
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("a.json", orjson.dumps(envelope))
    numbers = [item | {"TrangThai": 4, "IDHoSo": "x"} for item in items]
    iso = [item | {"ThoiDiemXuLy": f"2026-09-07T0{n}:30:00.000"} for n, item in enumerate(items, 1)]
    for path in (
        write_json(tmp_path / "envelope.json", envelope), lines, packed, tmp_path / "zipped.zip",
        write_json(tmp_path / "numbers.json", numbers), write_json(tmp_path / "iso.json", iso),
        write_json(tmp_path / "both.json", {"dossier": None, "tien_do": items}),
    ):  # fmt: skip
        assert rows(path, "event") == plain, path.name
    assert len(plain) == 7


def test_a_damaged_item_costs_itself_alone(tmp_path: Path) -> None:
    items = [orjson.dumps(progress(CODE, f"202609070{n}3000", 4, "Thẩm định")) for n in range(1, 8)]
    broken = [*items[:3], items[3][:-20] + b"}", *items[4:]]
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b",".join(broken) + b"]")
    assert len(rows(path, "event")) == 6
    path.write_bytes((b"[" + b",".join(items) + b"]")[:-100])  # the file ends early
    found = list(SOURCES["dvcqg"].read(path, FeedOptions(key=KEY)))
    assert sum(len(chunk.rows) for chunk in found if chunk.table == "event") == 6
    assert sum(len(chunk.rejects) for chunk in found) >= 1


def test_supplement_rounds_become_events_and_the_first_promise_stays_first(tmp_path: Path) -> None:
    one = {
        "HoSoBoSungId": 1, "NguoiYeuCauBoSung": "Nguyễn Văn Thử", "NoiDungBoSung": "Bổ sung giấy khai sinh",
        "NgayBoSung": "20260915101500", "NguoiTiepNhanBoSung": "Cán bộ một cửa", "NgayTiepNhanBoSung": "20260917140000",
        "DanhSachGiayToBoSung": [{"TenGiayTo": "Giấy khai sinh"}], "NgayHenTraTruoc": "20260921083000",
        "NgayHenTraMoi": "20260923083000",
    }  # fmt: skip
    path = write_json(tmp_path / "a.json", [synced(CODE, "20260907083000", "20260923083000", DanhSachHoSoBoSung=[one])])
    assert rows(path, "dossier")[0]["due_at"] == local("2026-09-21 08:30")
    events = {row["kind"]: row for row in rows(path, "event")}
    assert events["papers_requested"]["papers"] == "Giấy khai sinh"
    assert events["papers_requested"]["reason"] == "Bổ sung giấy khai sinh"
    assert "official_id" not in events["papers_supplied"]
    assert events["papers_supplied"]["due_at"] == local("2026-09-23 08:30")
    assert events["papers_supplied"]["happened_at"] == local("2026-09-17 14:00")
    assert set(events) == {"received", "papers_requested", "papers_supplied"}  # nobody extended anything
    waits = {name: value for name, value in one.items() if not name.startswith(("NguoiTiep", "NgayTiep"))}
    path = write_json(
        tmp_path / "b.json", [synced(CODE, "20260907083000", "20260923083000", DanhSachHoSoBoSung=[waits])]
    )
    events = {row["kind"]: row for row in rows(path, "event")}
    assert events["papers_requested"]["due_at"] == local("2026-09-23 08:30")
    assert set(events) == {"received", "papers_requested"}


def test_the_citizens_time_is_booked_by_whichever_telling_of_the_supply_gives_it_first(tmp_path: Path) -> None:
    """Steps come at once, the dossier's state at the end of the day, and again every day: it is booked once."""
    one = {
        "HoSoBoSungId": 1, "NgayBoSung": "20260915101500", "NgayTiepNhanBoSung": "20260917140000",
        "NgayHenTraTruoc": "20260921083000", "NgayHenTraMoi": "20260923083000",
    }  # fmt: skip
    steps = write_json(tmp_path / "steps.json", [
        progress(CODE, "20260915101500", 5, "Yêu cầu bổ sung giấy tờ", "Nguyễn Văn Thử"),
        progress(CODE, "20260917140000", 4, "Công dân đã gửi bổ sung", "Nguyễn Văn Thử"),
    ])  # fmt: skip
    state = write_json(
        tmp_path / "state.json", [synced(CODE, "20260907083000", "20260923083000", DanhSachHoSoBoSung=[one])]
    )
    later = write_json(
        tmp_path / "later.json",
        [synced(CODE, "20260907083000", "20260923083000", TrichYeuHoSo="x", DanhSachHoSoBoSung=[one])],
    )
    told: dict[str, list[tuple[str, str | None]]] = {}
    for name, order in {"steps first": (steps, state, later), "state first": (state, steps, later)}.items():
        record = Record(tmp_path / name)
        for day, path in enumerate(order):
            chunks = SOURCES["dvcqg"].read(path, FeedOptions(key=KEY))
            record.append(
                (chunk for chunk in chunks if chunk.table != "directory"), source="dvcqg",
                arrived_at=local("2026-09-18 09:00") + timedelta(days=day), live=True,
            )  # fmt: skip
        with record.connect() as con:
            told[name] = con.execute(
                "SELECT kind, CAST(due_at AS VARCHAR) FROM event_latest WHERE happened_at > TIMESTAMP '2026-09-08'"
                " AND kind <> 'note' ORDER BY happened_at, known_at"
            ).fetchall()
    booked = "2026-09-23 01:30:00"
    asked, supplied = ("papers_requested", None), "papers_supplied"
    assert told["steps first"] == [asked, (supplied, None), ("resumed", booked)]
    assert told["state first"] == [asked, (supplied, booked)]


def test_one_event_told_by_row_and_progress_counts_once(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    state = synced(CODE, "20260907083000", "20260921083000", NgayKetThucXuLy="20260918160000", TrangThaiHoSo="9")
    steps = [progress(CODE, "20260907083000", 2, "Tiếp nhận hồ sơ"), progress(CODE, "20260918160000", 9, "Ký kết quả")]
    deliver(record, write_json(tmp_path / "a.json", [state]), "dvcqg")
    deliver(record, write_json(tmp_path / "b.json", steps), "dvcqg")
    told = record.connect().execute("SELECT kind, official_id IS NOT NULL FROM event ORDER BY happened_at").fetchall()
    assert told == [("received", True), ("decided", True)]


def test_the_same_code_under_another_name_is_one_dossier(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    portal = "H99.24-260907-48213"
    deliver(record, write_json(tmp_path / "b.json", [progress(portal, "20260908083000", 4, "Thẩm định")]), "dvcqg")
    state = synced(portal, "20260907083000", "20260921083000", MaHoSoKhac="000.00.24.H99-260907-0012")
    deliver(record, write_json(tmp_path / "a.json", [state]), "dvcqg")
    con = record.connect()
    assert con.execute("SELECT DISTINCT dossier_id FROM event").fetchall() == [(CODE,)]
    assert con.execute("SELECT dossier_id FROM dossier").fetchall() == [(CODE,)]


def test_placeholders_of_trap_10_and_11_are_missing_data(tmp_path: Path) -> None:
    odd = synced(
        CODE, "20260907083000", "20260921083000", KenhThucHien="2", SoGiayToChuHoSo="", ChuHoSo="",
        TrichYeuHoSo="Dinhkem",
        DinhDanhCHS=[{"LoaiDinhDanh": "2", "SoDinhDanh": "000000001"}],
    )  # fmt: skip
    row = rows(write_json(tmp_path / "a.json", [odd]), "dossier")[0]
    assert "applicant_id" not in row
    assert "submitted_at" not in row
    assert (row["x_identity_placeholder"], row["x_abstract_placeholder"], row["x_submitted_copied"]) == (1, 1, 1)


def test_people_are_taken_out_of_free_text() -> None:
    told = "Tôi là Trần Thị Mẫu, CCCD 099088000123, số 0900.000.001, hồ sơ H99.24-260907-0012, gặp ông Chậm. a@b.vn"
    kept = scrub(told)
    assert kept is not None
    for secret in ("Mẫu", "099088000123", "0900", "Chậm", "a@b.vn"):
        assert secret not in kept
    assert "H99.24-260907-0012" in kept
    assert scrub("thiếu giấy của tran thi mau", ["Trần Thị Mẫu"]) == "thiếu giấy của [tên]"
    assert scrub("Bổ sung giấy khai sinh; Sở Nông nghiệp và Môi trường") is not None
    assert "Sở Nông nghiệp" in str(scrub("Sở Nông nghiệp và Môi trường"))


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonyms.key"
    key = key_file(path)
    assert key_file(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="0600"):
        key_file(path)
    with pytest.raises(DeliveryError, match="key"):
        list(SOURCES["dvcqg"].read(write_json(tmp_path / "a.json", []), FeedOptions()))


def test_the_pilot_of_2016_loads(shared: Path, tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    receipt = deliver(record, shared / "data" / "opencps_demo", "opencps")
    con = record.connect()
    assert receipt.read == receipt.appended + receipt.duplicates + receipt.rejected
    assert con.execute("SELECT count(DISTINCT dossier_id) FROM dossier").fetchall()[0][0] > 180
    assert con.execute("SELECT count(*) FROM event").fetchall()[0][0] > 500
    assert con.execute("SELECT count(*) FROM dossier WHERE due_at IS NOT NULL").fetchall()[0][0] > 100


def test_what_an_older_version_took_in_as_an_extension_books_the_citizens_time(tmp_path: Path) -> None:
    """Records are never rewritten: the round's due moment stands there as an `extended` of its own."""
    at = local("2026-09-17 14:00")
    base = {"dossier_id": CODE, "happened_at": at, "known_at": at, "unit_code": "H99.24"}
    rows = [
        base | {"kind": "papers_supplied", "event_id": "state:papers_supplied@20260917140000"},
        base | {"kind": "extended", "event_id": "extended@20260917140000", "step": "Bổ sung hồ sơ",
                "due_at": local("2026-09-23 08:30")},
        base | {"kind": "extended", "event_id": "extended@20260917140000-0badcafe", "step": "Gia hạn",
                "due_at": local("2026-09-28 08:30"), "happened_at": at + timedelta(hours=1)},
    ]  # fmt: skip
    record = Record(tmp_path / "record")
    record.append([Chunk("event", rows)], source="dvcqg", arrived_at=at)
    with record.connect() as con:
        told = con.execute("SELECT kind FROM event ORDER BY happened_at, kind").fetchall()
    assert told == [("papers_supplied",), ("resumed",), ("extended",)]
