"""Events dated back: told at intake, in the preview, by doctor, at the gate and on the card of the model."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.record.claimed_knowledge import LAGS, ClaimedKnowledge, claimed_knowledge, note_of
from features.record.delivery import Chunk
from features.record.dry_run import dry_run
from features.record.record import Record
from serving.cli import app
from serving.read.intake_words import note_words
from tests.drawn_model import drawn_model
from training.card import card
from training.gates import gates_of

CAME = datetime(2026, 9, 1, tzinfo=UTC)
WEEK, QUARTER, LONGER = (note_of(lag) for *_, lag in LAGS)


def events(days: tuple[float, ...], known_after: float | None = 0.0) -> list[Chunk]:
    """One event so many days before the delivery; known_after: days after it happened, None: not told."""
    rows = []
    for number, before in enumerate(days):
        at = CAME - timedelta(days=before)
        row = {"dossier_id": f"d{number}", "kind": "received", "happened_at": at}
        rows.append(row if known_after is None else row | {"known_at": at + timedelta(days=known_after)})
    return [Chunk("event", rows)]


@pytest.mark.parametrize(
    ("days", "known_after", "live", "told"),
    [
        ((0.9, 1.5, 6.9, 8.0, 91.0), 0.0, True, {WEEK: 2, QUARTER: 1, LONGER: 1}),
        ((12.0, 12.0), 0.0, False, {QUARTER: 2}),
        ((12.0, 12.0), None, False, {}),  # the first back-fill: nobody looked before
        ((12.0, 12.0), None, True, {}),  # known when they came
        ((12.0, 12.0), 5.0, True, {}),  # the source tells another moment
        ((0.2, 0.9), 0.0, True, {}),  # a nightly delivery
        ((12.0,), -3.0, True, {QUARTER: 1}),  # before they happened
    ],
)
def test_the_receipt_tells_how_many_and_how_late(
    tmp_path: Path, days: tuple[float, ...], known_after: float | None, live: bool, told: dict[str, int]
) -> None:
    record = Record(tmp_path)
    words = {"source": "canonical", "arrived_at": CAME, "live": live}
    assert dry_run(events(days, known_after), record, **words).notes == told  # type: ignore[arg-type]
    assert dict(record.append(events(days, known_after), **words).counts) == told  # type: ignore[arg-type]


def test_a_later_back_fill_takes_the_events_own_moments_and_says_so(tmp_path: Path) -> None:
    record = Record(tmp_path)
    words = {"source": "canonical", "arrived_at": CAME}
    assert record.append(events((50.0,), None), **words).notes == ()  # type: ignore[arg-type]
    late = events((12.0, 11.0, 3.0), None)
    assert dry_run(late, record, **words).notes == {QUARTER: 2, WEEK: 1}  # type: ignore[arg-type]
    assert dict(record.append(late, **words).counts) == {QUARTER: 2, WEEK: 1}  # type: ignore[arg-type]
    with record.connect() as con:
        found = claimed_knowledge(con)
    assert (found.events, found.of, found.days) == (4, 4, 11.5), "those of the first back-fill are counted with them"


def test_the_notes_are_said_in_vietnamese() -> None:
    assert [note_words(note) for note in (WEEK, QUARTER, LONGER)] == [
        f"sự kiện ghi là biết ngay lúc xảy ra, nhưng gửi đến sau {days} ngày: khi đó thực ra chưa ai biết"
        for days in ("1 đến 7", "7 đến 90", "hơn 90")
    ]


def test_doctor_tells_it_and_finds_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_HOME", str(tmp_path))
    record = Record(tmp_path / "record")
    record.append(events((12.0, 30.0, 0.5)), source="canonical", arrived_at=CAME, live=True)
    said = CliRunner().invoke(app, ["doctor"]).output
    assert "– moments of knowing: 2 of 3 events (66.7%) carry a moment of knowing that is their moment of" in said
    assert "21 days by the median" in said


def test_gate_and_card_tell_it() -> None:
    about = {
        "time_travel": {"holds": True, "words": "same"},
        "claimed_knowledge": {"events": 1607, "of": 20_000, "days": 12.0},
    }
    gate = gates_of(about)[0]
    assert (gate.name, gate.holds) == ("time travel", True)
    assert "not seen by it: 1,607 of 20,000 events (8.0%)" in gate.words
    model = drawn_model()
    model.about.update(about)  # type: ignore[attr-defined]
    assert "| dated back | 1,607 of 20,000 events (8.0%)" in card(model, "ab")
    none = gates_of(about | {"claimed_knowledge": {"events": 0, "of": 5, "days": 0.0}})[0]
    assert none.words == "same"
    assert str(ClaimedKnowledge(0, 5, 0.0)).startswith("no event")
