"""Complaints read for triage: topics measured on sentences of their own, codes, copies, floods, nothing personal."""

import csv
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.complaints import triage
from features.complaints.topics import PHRASES, topics, wording
from features.complaints.triage import first_alike, floods
from features.spelling.names import plain
from serving.cli import app as command_line
from tests.drawn_record import connect_drawn

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
CORPUS = Path(__file__).with_name("complaints.toml")
HELD_OUT = Path(__file__).with_name("complaints_held_out.toml")
LEAST = {  # precision and recall that each topic keeps; measured 2026-11-22: see the docstring of the test
    "lateness": (0.85, 0.8), "conduct": (0.85, 0.85), "extra_papers": (0.85, 0.85), "bribe": (0.9, 0.7),
    "procedure": (0.8, 0.85), "other": (0.65, 0.8),
}  # fmt: skip


def corpus(path: Path = CORPUS) -> list[tuple[str, str]]:
    with path.open("rb") as file:
        return [(name, text) for name, texts in tomllib.load(file).items() for text in texts]


def precision_and_recall(told: list[str], meant: list[str]) -> dict[str, tuple[float, float]]:
    right = Counter(one for one, other in zip(told, meant, strict=True) if one == other)
    named, wanted = Counter(told), Counter(meant)
    return {name: (right[name] / max(named[name], 1), right[name] / wanted[name]) for name in wanted}


def test_topics_keep_their_precision_and_recall() -> None:
    """On 96 sentences, half of them typed without diacritics, precision and recall were measured as

    lateness 0.93, 0.88 · conduct 0.94, 0.94 · extra_papers 0.94, 0.94 · bribe 1.00, 0.81 · procedure 0.88, 0.94 ·
    other 0.74, 0.88 (86 of 96 right). The phrases were written with these in view: `test_new_wording_…` says what
    they reach elsewhere.
    """
    meant, texts = zip(*corpus(), strict=True)
    found = precision_and_recall([one.topic for one in topics(texts)], list(meant))
    short = {name: got for name, got in found.items() if got[0] < LEAST[name][0] or got[1] < LEAST[name][1]}
    assert found.keys() == LEAST.keys()
    assert not short


def test_new_wording_is_seldom_sorted_wrong_but_often_left_to_a_person() -> None:
    """On 72 sentences written afterwards, with teen spelling and slips, 45 were right (0.63), 19 left to a person and 8
    wrong. Precision and recall: lateness 0.60, 0.50 · conduct 0.88, 0.58 · extra_papers 0.88, 0.58 ·
    bribe 1.00, 0.75 · procedure 0.67, 0.33 · other 0.39, 1.00. Nothing was changed to meet them.
    """
    meant, texts = zip(*corpus(HELD_OUT), strict=True)
    told = [one.topic for one in topics(texts)]
    right = sum(one == other for one, other in zip(told, meant, strict=True))
    wrong = sum(one not in (other, "other") for one, other in zip(told, meant, strict=True))
    assert set(meant) == set(LEAST)
    assert right >= 43
    assert wrong <= 10


def test_no_measured_sentence_was_learnt_from() -> None:
    with PHRASES.open("rb") as file:
        learnt = {wording(text) for phrases in tomllib.load(file)["phrase"].values() for text in phrases}
    assert not learnt & {wording(text) for _, text in [*corpus(), *corpus(HELD_OUT)]}


def test_diacritics_capitals_and_codes_change_no_topic() -> None:
    texts = [text for _, text in corpus()]
    same = topics(texts)
    assert topics([plain(text) for text in texts]) == same
    assert topics([text.upper() for text in texts]) == same
    assert topics([f"{text} H99.24-260907-0012" for text in texts]) == same


def test_what_says_nothing_has_no_topic() -> None:
    assert [one.topic for one in topics(["", "12345 !!!", "xyz qwrt"])] == ["other"] * 3


LETTER = "Cán bộ yêu cầu nộp thêm giấy xác nhận không có trong danh mục niêm yết tại phường"


def test_the_same_letter_is_found_whoever_sends_it_and_other_words_are_not() -> None:
    texts = [
        LETTER,
        "Xin hướng dẫn cách làm lại khai sinh cho con tôi bị mất giấy tờ",
        plain(LETTER) + " ạ",  # without diacritics, one word more
        "Chưa có kết quả",
        "Chưa có kết quả",  # too short to be a copy
        LETTER,  # a hundred days later
        LETTER,  # about another unit
    ]
    where = ["U1"] * 6 + ["U2"]
    found = first_alike([wording(text) for text in texts], where, [0, 1, 2, 3, 4, 103, 5], 60)
    assert found == [0, 1, 0, 3, 4, 5, 6]


def flooded(people: int, filed: int, days: float) -> list[tuple[int, int]]:
    """Sizes and voices of the floods among complaints about one official by so many people in so many days."""
    day = [days * n / filed for n in range(filed)]
    who = [f"p{n % people}" for n in range(filed)]
    return [(len(one.places), one.voices) for one in floods(["o"] * filed, day, who, range(filed))]


MANY = [
    # people, complaints, days, floods as (size, voices)
    (1, 500, 60, [(500, 1)]), (5, 50, 20, [(50, 5)]), (12, 12, 5, []), (4, 10, 20, []), (3, 9, 5, []),
    (2, 12, 90, []),
]  # fmt: skip


@pytest.mark.parametrize(("people", "filed", "days", "found"), MANY)
def test_many_complaints_of_few_people_are_a_flood_and_of_many_people_are_not(
    people: Any, filed: Any, days: Any, found: Any
) -> None:
    assert flooded(people, filed, days) == found


def test_who_complains_once_is_not_swept_along() -> None:
    found = floods(["o"] * 20, list(range(20)), ["loud"] * 10 + [f"p{n}" for n in range(10)], range(20))
    assert [one.places for one in found] == [tuple(range(10))]


def test_the_same_words_from_many_hands_are_one_voice() -> None:
    found = floods(["U"] * 12, list(range(12)), [None] * 6 + [f"p{n}" for n in range(6)], [0] * 12)
    assert [(len(one.places), one.voices) for one in found] == [(12, 1)]


def complaint(number: int, day: float, **more: object) -> dict[str, object]:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day)
    words = {"complaint_id": f"c{number:02d}", "filed_at": at, "unit_code": "U1", "due_at": at + timedelta(days=21)}
    return words | {"complainant_id": f"secret{number}", "text": f"Hồ sơ quá hẹn đã lâu, lần {number}"} | more


@pytest.fixture
def con(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    rows = [
        complaint(1, 1, text=f"{LETTER}, hồ sơ H99.24-260302-0007", topic="other"),
        complaint(2, 2, text=f"{LETTER}. Hồ sơ H99.24-260302-0008\n[trả lời] Cán bộ có thái độ đúng mực",
                  answered_at=datetime(2026, 3, 9, tzinfo=UTC)),
        complaint(3, 200, text="sau này"),
        complaint(4, 3, text=None, topic="conduct"),
        *(complaint(10 + n, 10 + n, official_id="o1", complainant_id="secret", text=f"Chuyện {chr(97 + n) * 5} khác")
          for n in range(12)),
    ]  # fmt: skip
    dossier = {"dossier_id": "H99.24-260302-0007", "procedure_code": "P", "unit_code": "U1"}
    return connect_drawn(tmp_path, complaint=rows, dossier=[dossier | {"received_at": "2026-03-02T08:00:00"}])


def test_an_inbox_is_sorted_with_topic_dossier_copy_and_flood(con: duckdb.DuckDBPyConnection) -> None:
    found = triage(con, AS_OF)
    rows = {row["complaint_id"]: row for row in found.to_pylist()}
    assert len(rows) == 15  # the one filed after the moment is not known
    assert (rows["c01"]["topic"], rows["c01"]["topic_text"]) == ("other", "extra_papers")
    assert (rows["c01"]["dossier_id"], rows["c01"]["codes"]) == ("H99.24-260302-0007", ["H99.24-260302-0007"])
    assert rows["c02"]["dossier_id"] is None  # a code that the record doesn't hold
    assert (rows["c02"]["same_as"], rows["c01"]["same_as"]) == ("c01", None)
    assert rows["c02"]["topic_text"] == "extra_papers"  # the office's answer is not read as the complaint
    assert (rows["c04"]["topic"], rows["c04"]["topic_text"]) == ("conduct", None)
    assert {rows[f"c{n}"]["flood"] for n in range(10, 22)} == {"c10"}
    assert (rows["c10"]["flood_filed"], rows["c10"]["flood_people"]) == (12, 1)
    assert rows["c01"]["flood"] is None
    order = found["complaint_id"].to_pylist()
    assert order[-1] == "c02"  # answered ones last, others by the day an answer is due
    assert order[:-1] == sorted(order[:-1])


def test_triage_of_a_moment_does_not_move_with_what_comes_later(con: duckdb.DuckDBPyConnection) -> None:
    then = datetime(2026, 3, 6, tzinfo=UTC)
    rows = triage(con, then).to_pylist()
    assert [row["complaint_id"] for row in rows] == ["c01", "c02", "c04"]
    assert {row["answered_at"] for row in rows} == {None}


def test_neither_words_nor_complainants_leave_the_record(con: duckdb.DuckDBPyConnection) -> None:
    told = repr(triage(con, AS_OF).to_pylist())
    assert "secret" not in told
    assert "niêm yết" not in told


def test_the_command_writes_the_file_and_says_what_it_holds(tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    with (feed / "complaint.csv").open("w", newline="", encoding="utf-8") as file:
        lines = [complaint(n, n, text=LETTER) for n in range(3)]
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    home, runner, out = ["--home", str(tmp_path / "home")], CliRunner(), tmp_path / "inbox.parquet"
    assert runner.invoke(command_line, [*home, "ingest", str(feed), "--source", "canonical"]).exit_code == 0
    asked = [*home, "complaints", "triage", "--as-of", "2026-06-01", "--out", str(out)]
    told = runner.invoke(command_line, asked)
    assert told.exit_code == 0, told.output
    assert "complaints=3 unanswered=3 copies=2 floods=0 extra_papers=3" in told.output
    assert pq.read_table(out)["topic_text"].to_pylist() == ["extra_papers"] * 3
