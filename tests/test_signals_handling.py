"""Signals of handling and of voices: each with a drawn case that fires and a near miss that does not.

A course is drawn as lines `day hour kind who [key=value …]`; days count from Monday, 2 March 2026, local time.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import DOSSIER_SIGNALS, evaluate
from features.signals.handling import HANDLING
from features.signals.voice import VOICE

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - local times of the feed, as sources write them
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
UNKNOWN = {"-": None}


def at(day: str, hour: str) -> str:
    return (MONDAY + timedelta(days=int(day), hours=float(hour))).isoformat()


def events(dossier: str, course: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for line in course.strip().splitlines():
        day, hour, kind, who, *more = line.split()
        told = dict(part.split("=", 1) for part in more)
        rows.append({
            "dossier_id": dossier, "kind": kind, "happened_at": at(day, hour), "official_id": UNKNOWN.get(who, who),
            "unit_code": "U1",
            **{key: value.replace("_", " ") if key == "reason" else value for key, value in told.items()},
        })  # fmt: skip
    return rows


def dossier(key: str, received: str = "0 8", due: str = "14 17", **more: object) -> dict[str, object]:
    promise = {"received_at": at(*received.split()), "due_at": at(*due.split())}
    return {"dossier_id": key, "procedure_code": "P1", "unit_code": "U1"} | promise | more


def shown(tmp_path: Path, case: str, **tables: list[dict[str, object]]) -> set[str]:
    record = Record(tmp_path / "record")
    chunks = [Chunk(name, rows) for name, rows in tables.items()]
    record.append(chunks, source="test", arrived_at=AS_OF)
    moment = pa.array([AS_OF], pa.timestamp("us", "UTC"))
    found = evaluate(record.connect(), pa.table({"dossier_id": [case], "as_of": moment}), (*HANDLING, *VOICE))
    return set(found["signal"].to_pylist())


OTHERS = [dossier(f"x{n}", received=f"{n % 5} 8") for n in range(30)]
CONSULTED = [row for n in range(30) for row in events(f"x{n}", "6 9 consulted o9 to_unit_code=V1\n20 9 decided o9")]
EARLIER = {"applicant_id": "p", "received_at": "2026-01-05T08:00:00", "due_at": "2026-02-05T08:00:00"}

CASES = {
    "PROLONGED_WITHOUT_REASON": (
        [dossier("d"), dossier("x")],
        "3 9 suspended o1",
        "3 9 suspended o1 reason=chờ_trích_lục",
        events("x", "2 9 suspended o1 reason=mất_điện"),
    ),
    "RETURN_WITHOUT_REASON": (
        [dossier("d"), dossier("x")],
        "3 9 refused o1",
        "3 9 refused o1 reason=thiếu_bản_vẽ",
        events("x", "2 9 refused o1 reason=sai_mẫu"),
    ),
    "REFUSED_AFTER_DUE": ([dossier("d")], "15 9 refused o1", "14 16 refused o1", []),
    "PING_PONG": (
        [dossier("d")],
        "\n".join(f"{n} 9 forwarded o{n % 2}" for n in range(1, 7)),
        "\n".join(f"{n} 9 forwarded o{n}" for n in range(1, 7)),
        [],
    ),
    "IDLE_IN_ONE_HAND": (
        [dossier("d")],
        "0 9 assigned o1\n14 16 decided o1",
        "0 9 assigned o1\n1 9 papers_requested o1\n14 16 papers_supplied -\n15 9 decided o1",
        [],
    ),
    "CONSULTATION_UNUSUAL": (
        [dossier("d"), *OTHERS],
        "3 9 consulted o1 to_unit_code=V7",
        "3 9 consulted o1 to_unit_code=V1",
        CONSULTED,
    ),
    "CONSULTATION_VAGUE": (
        [dossier("d")],
        "3 9 consultation_answered o1 reason=đề_nghị_thực_hiện_theo_quy_định",
        "3 9 consultation_answered o1 reason=thửa_đất_phù_hợp_quy_hoạch_đến_2030",
        [],
    ),
    "QUEUE_JUMPED": (
        [dossier("d", received="5 8", agent_id="a"), *OTHERS],
        "6 9 decided o9",
        "21 9 decided o9",
        CONSULTED,
    ),
    "WITHDRAWN_AND_RESUBMITTED": (
        [dossier("d", applicant_id="p"), dossier("x") | EARLIER],
        "1 9 assigned o1",
        None,
        events("x", "-9 9 papers_requested o1\n-5 9 withdrawn -"),
    ),
    "RETURNED_REPEATEDLY": (
        [dossier("d", applicant_id="p"), dossier("x") | EARLIER, dossier("y") | EARLIER],
        "1 9 assigned o1",
        None,
        [*events("x", "-40 9 returned o1"), *events("y", "-30 9 refused o1")],
    ),
}


@pytest.mark.parametrize("signal", CASES)
def test_fires_where_drawn_and_not_beside_it(tmp_path: Path, signal: Any) -> None:
    dossiers, fires, misses, others = CASES[signal]
    told = shown(tmp_path / "fires", "d", dossier=dossiers, event=[*events("d", fires), *others])
    assert signal in told
    if misses is None:  # the near miss: the same course by another applicant
        dossiers, misses = [dossiers[0] | {"applicant_id": "q"}, *dossiers[1:]], fires
    told = shown(tmp_path / "misses", "d", dossier=dossiers, event=[*events("d", misses), *others])
    assert signal not in told


def complaint(**more: object) -> dict[str, object]:
    return {
        "complaint_id": "c",
        "filed_at": at("3", "9"),
        "dossier_id": "d",
        "topic": "other",
        "channel": "phone",
    } | more


VOICES = {
    "COMPLAINT_DELAY": ([complaint(topic="lateness")], [complaint(topic="conduct")]),
    "COMPLAINT_EXTERNAL": ([complaint(channel="press")], [complaint(channel="portal")]),
    "COMPLAINT_REPEATED": ([complaint(), complaint(complaint_id="e")], [complaint(), complaint()]),
    "COMPLAINT_UNANSWERED": (
        [complaint(due_at=at("10", "9"), answered_at=at("12", "9"))],
        [complaint(due_at=at("10", "9"), answered_at=at("9", "9"))],
    ),
}


@pytest.mark.parametrize("signal", VOICES)
def test_voices_fire_where_drawn_and_not_beside_it(tmp_path: Path, signal: Any) -> None:
    fires, misses = VOICES[signal]
    assert signal in shown(tmp_path / "fires", "d", dossier=[dossier("d")], complaint=fires)
    assert signal not in shown(tmp_path / "misses", "d", dossier=[dossier("d")], complaint=misses)


@pytest.mark.parametrize(("day", "by_staff", "fires"), [("9", False, True), ("1", False, False), ("9", True, False)])
def test_only_a_citizens_rating_after_the_result_counts(tmp_path: Path, day: Any, by_staff: Any, fires: Any) -> None:
    rating = {"rating_id": "r", "dossier_id": "d", "score": 1, "rated_at": at(day, "9"), "by_staff": by_staff}
    told = shown(tmp_path, "d", dossier=[dossier("d")], event=events("d", "8 9 decided o1"), rating=[rating])
    assert ("LOW_RATING" in told) is fires


def test_every_signal_says_what_it_rests_on_in_two_languages_and_accuses_nobody() -> None:
    for signal in DOSSIER_SIGNALS:
        assert all([signal.words_vi, signal.words_en, signal.source, signal.owner])
        assert "vi phạm" not in signal.words_vi.lower()
    names = [signal.name for signal in DOSSIER_SIGNALS]
    assert len(names) == len(set(names))
