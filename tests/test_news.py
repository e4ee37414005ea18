"""News of single dossiers: what one process took in another one knows, row by row, as the whole record tells it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from serving.scoring import record_delta as news
from serving.scoring.online import OnlineScorer
from serving.scoring.record_delta import RecordDelta
from serving.scoring.record_snapshot import RecordSnapshot
from tests.drawn_office import settings_of

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


def dossier(number: int, **other: object) -> dict[str, object]:
    return {"dossier_id": f"d{number}", "procedure_code": "p", "unit_code": "u", "received_at": NOW, **other}


def event(number: int, kind: str, minute: int) -> dict[str, object]:
    return {"dossier_id": f"d{number}", "kind": kind, "happened_at": NOW + timedelta(minutes=minute)}


def post(record: Record, minute: int, *chunks: Chunk, source: str = "api") -> int:
    at = NOW + timedelta(minutes=minute)
    return record.append(chunks, source=source, arrived_at=at, live=True, tidy=False).version


@pytest.fixture
def record(tmp_path: Path) -> Record:
    record = Record(tmp_path)
    post(record, 0, Chunk("dossier", [dossier(1, x_area="12.5")]), Chunk("event", [event(1, "received", 0)]))
    return record


def test_what_others_took_in_is_followed_row_by_row(record: Record, tmp_path: Path) -> None:
    known = RecordDelta(record.version())
    other = Record(tmp_path)
    post(other, 1, Chunk("event", [event(1, "assigned", 1)]))
    post(other, 2, Chunk("dossier", [dossier(2, x_area=3)]), Chunk("event", [event(2, "received", 2)]))
    version = post(other, 3, Chunk("event", [event(1, "forwarded", 3)]))
    assert known.follow(record, version)
    assert [row["kind"] for row in known.of("d1")[1]] == ["assigned", "forwarded"]
    changed, events = known.of("d2")
    told, happened = RecordSnapshot(other, VIETNAM, version).history("d2")
    assert changed is not None
    assert told is not None
    assert {name: changed[name] for name in ("dossier_id", "received_at", "known_at", "x_area")} == {
        name: told[name] for name in ("dossier_id", "received_at", "known_at", "x_area")
    }
    assert [(row["kind"], row["known_at"]) for row in events] == [(row["kind"], row["known_at"]) for row in happened]


def test_a_file_another_table_or_too_much_is_left_to_a_new_pass(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = RecordDelta(record.version())
    assert not known.follow(record, post(record, 1, Chunk("event", [event(1, "note", 1)]), source="canonical"))
    known = RecordDelta(record.version())
    assert not known.follow(record, post(record, 2, Chunk("unit", [{"unit_code": "u"}])))
    known = RecordDelta(record.version())
    monkeypatch.setattr(news, "MOST_ROWS", 1)
    version = post(record, 3, Chunk("event", [event(1, "note", 3), event(1, "note", 4)]))
    assert not known.follow(record, version)
    assert known.of("d1") == (None, [])


def test_news_join_without_a_gap_and_are_let_go_when_the_record_was_read() -> None:
    known = RecordDelta(4)
    known.add((5, [], [{"dossier_id": "d1", "known_at": NOW}]))
    with pytest.raises(ValueError, match="version 6 was wanted, 7 came"):
        known.add((7, [], []))
    known.add((6, [], [{"dossier_id": "d1", "known_at": NOW + timedelta(hours=1)}]))
    assert len(known.of("d1")[1]) == 2
    assert len(known.after(5).of("d1")[1]) == 1
    assert known.after(9).version == 9
    assert known.after(9).of("d1") == (None, [])


def test_news_that_were_known_before_today_change_what_groups_show() -> None:
    known = RecordDelta(0)
    known.add((1, [], [{"dossier_id": "d1", "known_at": NOW}]))
    assert known.bearable(NOW)
    assert not known.bearable(NOW + timedelta(seconds=1))


def test_a_desk_follows_news_of_others_and_reads_the_record_for_a_new_day_or_a_restored_one(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    other = Record(settings.record_url)
    post(other, 0, Chunk("dossier", [dossier(1)]), Chunk("event", [event(1, "received", 0)]), source="canonical")
    shutil.copytree(tmp_path / "record", tmp_path / "backup")
    desk = OnlineScorer(settings, VIETNAM)
    desk.refresh(NOW)
    ground = desk._ground
    post(other, 1, Chunk("event", [event(1, "assigned", 1)]))
    desk.refresh(NOW + timedelta(minutes=2))
    assert kinds(desk) == ["received", "assigned"]
    assert desk._ground is ground, "taken over without reading the record"
    desk.refresh(NOW + timedelta(days=1))
    assert kinds(desk) == ["received", "assigned"]
    assert desk._ground is not ground, "a new day begins with all that is known"
    shutil.rmtree(tmp_path / "record")
    shutil.copytree(tmp_path / "backup", tmp_path / "record")
    desk.refresh(NOW + timedelta(days=1))
    assert kinds(desk) == ["received"]


def kinds(desk: OnlineScorer) -> list[str]:
    return [row["kind"] for row in sorted(desk.history("d1")[1], key=lambda row: row["happened_at"])]
