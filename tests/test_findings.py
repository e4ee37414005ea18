"""Findings: immutable, corrected by new versions, handed to the record once; remediation followed to its end."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from features.record.record import Record
from serving.plan.outcome import outcome
from serving.plan.sampled_dossiers import pulled, pulled_at
from serving.plan.store import PlanStore, Sealed
from serving.state import State, open_state
from serving.work.findings import Conclusion, SampledDossier, add, correct, deliver, latest, standing
from serving.work.remediation import act, demand
from serving.work.remediation import standing as remedies
from tests.drawn_month import office

NOW = datetime(2026, 12, 20, 9, tzinfo=UTC)
NOTHING = Conclusion("none")
LATE = Conclusion("lateness", 2, True, "Sổ làm việc của đoàn, trang 3", "workload", "Thẩm định")


def one(dossier: str = "D1", visit: str = "V1") -> SampledDossier:
    return SampledDossier(visit, "U1", NOW, dossier, "O1", "T1", NOW, "draw", 0.25, "draw", 0.5)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(f"sqlite:///{tmp_path / 'state.db'}")


def rows(record: Record, cutoff: datetime | None = None) -> list[tuple[object, ...]]:
    con = record.connect(cutoff=cutoff)
    return con.execute("SELECT finding_id, kind, severity, confirmed FROM finding ORDER BY known_at").fetchall()


def test_a_conclusion_stands_and_a_correction_is_a_new_version(state: State) -> None:
    with state.writing() as session:
        first = add(session, one(), NOTHING, now=NOW)
        with pytest.raises(ValueError, match="has a conclusion"):
            add(session, one(), LATE, now=NOW)
        with pytest.raises(ValueError, match="needs a reason"):
            correct(session, first.finding_id, LATE, " ", now=NOW + timedelta(days=1))
        with pytest.raises(LookupError):
            correct(session, "V9/D9", LATE, "bổ sung chứng cứ", now=NOW)
        second = correct(session, first.finding_id, LATE, "bổ sung chứng cứ", now=NOW + timedelta(days=1))
    with state.reading() as session:
        assert (first.version, second.version) == (1, 2)
        assert [row.kind for row in standing(session)] == ["lateness"]
        held = latest(session, first.finding_id)
        assert held is not None
        assert (held.probability, held.unit_probability, held.chosen_by) == (0.5, 0.25, "draw")
        assert standing(session, units=["U2"]) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "bribe"}, "kind: wanted one of none"),
        ({"kind": "none", "severity": 2}, "severity"),
        ({"kind": "lateness", "evidence": "x"}, "severity"),
        ({"kind": "lateness", "severity": 4, "evidence": "x"}, "severity: wanted 1, 2 or 3"),
        ({"kind": "lateness", "severity": 1}, "evidence"),
        ({"kind": "none", "cause": "moon"}, "cause"),
    ],
)
def test_contradictions_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Conclusion(**values)


def test_the_record_gets_each_version_once_whatever_dies_in_between(state: State, tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    with state.writing() as session:
        add(session, one("D1"), NOTHING, now=NOW)
        add(session, one("D2"), LATE, now=NOW)

    class Dies(Record):
        """A record after whose append the process is gone before the state could note it."""

        def append(self, *args: Any, **kwargs: Any) -> NoReturn:
            super().append(*args, **kwargs)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(state, Dies(tmp_path / "record"), now=NOW)
    again = deliver(state, record, now=NOW + timedelta(hours=1))
    assert again is not None
    assert (again.appended, again.duplicates, again.rejected) == (0, 3, 0)
    assert deliver(state, record, now=NOW) is None
    with state.writing() as session:
        correct(session, "V1/D1", LATE, "bổ sung chứng cứ", now=NOW + timedelta(days=2))
    deliver(state, record, now=NOW + timedelta(days=2))
    assert rows(record) == [
        ("V1/D1", "none", None, None), ("V1/D2", "lateness", 2, True), ("V1/D1", "lateness", 2, True),
    ]  # fmt: skip
    assert len(rows(record, NOW + timedelta(days=1))) == 2, "as known then, the first conclusion holds"


def test_a_plans_visit_brings_its_chances_and_its_outcome_is_weighed(state: State, tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans", tmp_path / "keys")
    plan_id, _ = store.commit("2026-12", NOW - timedelta(days=30), seed="findings")
    kept = store.seal(plan_id, office(40), NOW - timedelta(days=29))
    visits = [visit for visit in kept.plan["visits"] if visit["team_id"]]
    with pytest.raises(Sealed, match="has not begun"):
        pulled(store, visits[-1]["visit_id"], "D", datetime(2026, 12, 1, tzinfo=UTC))
    with pytest.raises(LookupError):
        pulled(store, "2026-12/U999/team", "D", NOW)
    end = datetime(2027, 1, 1, tzinfo=UTC)
    record = Record(tmp_path / "record")
    with state.writing() as session:
        for visit in visits:
            for line in visit["sheet"]:
                chosen = pulled_at(visit, line["dossier_id"])
                assert (chosen.chosen_by, chosen.probability) == (line["chosen_by"], line["probability"])
                add(session, chosen, LATE if line["dossier_id"].endswith("00") else NOTHING, now=end)
        other = pulled(store, visits[0]["visit_id"], "not on the sheet", end)
        assert (other.chosen_by, other.probability) == ("other", None)
    deliver(state, record, now=end)
    found = outcome(record.connect(), kept)
    assert found.visits == len(visits)
    assert found.pulled == 20 * len(visits)
    assert found.found == len(visits), "the riskiest of each unit"
    truth = 1 / 30
    assert found.hajek.low <= truth <= found.hajek.high
    assert found.robust.n == found.pulled
    assert found.loop.targeted.rate > found.loop.random.rate
    assert len(found.loop.never) == 40 - len(visits)


def test_remediation_goes_from_open_over_overdue_to_done(state: State) -> None:
    with state.writing() as session:
        add(session, one("D1"), NOTHING, now=NOW)
        add(session, one("D2"), LATE, now=NOW)
        with pytest.raises(ValueError, match="nothing to put right"):
            demand(session, "V1/D1", "Trả kết quả", date(2027, 1, 15), now=NOW)
        with pytest.raises(ValueError, match="a day to come"):
            demand(session, "V1/D2", "Trả kết quả", date(2026, 1, 15), now=NOW)
        row = demand(session, "V1/D2", "Trả kết quả và xin lỗi", date(2027, 1, 15), now=NOW)

        def stands(on: date) -> tuple[str, date]:
            (only,) = remedies(session, on)
            return only.state, only.due_on

        assert stands(date(2027, 1, 15)) == ("open", date(2027, 1, 15))
        assert stands(date(2027, 1, 16)) == ("overdue", date(2027, 1, 15))
        with pytest.raises(ValueError, match="due_on"):
            act(session, row.id, "extended", "", now=NOW)
        act(session, row.id, "extended", "", now=NOW, due_on=date(2027, 2, 1))
        assert stands(date(2027, 1, 16)) == ("open", date(2027, 2, 1))
        act(session, row.id, "reported", "đã trả", now=NOW)
        assert stands(date(2027, 3, 1))[0] == "reported"
        act(session, row.id, "refused", "chưa xin lỗi", now=NOW)
        assert stands(date(2027, 3, 1))[0] == "overdue"
        act(session, row.id, "accepted", "", now=NOW)
        assert stands(date(2027, 3, 1))[0] == "done"
