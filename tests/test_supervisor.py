"""The supervisor over days and jumping clocks: every slot once and in order, whatever fails, hangs or goes away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from serving.jobs.run_log import MOST_ATTEMPTS, RunLog
from serving.jobs.schedule import Job, JobRules
from serving.jobs.supervisor import SETTLE, Supervisor
from serving.state import State, open_state

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # nine in the morning


@dataclass
class Child:
    """A run that ends when the test says so."""

    code: int | None = None
    killed: bool = False

    def poll(self) -> int | None:
        return -9 if self.killed else self.code

    def kill(self) -> None:
        self.killed = True


@dataclass
class Scene:
    """A supervisor over a real log, a clock that the test moves, runs that end at once."""

    home: Path
    state: State
    takes: float = 0.0
    log: RunLog = field(init=False)
    runs: list[tuple[str, datetime]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    wall: datetime = MONDAY
    elapsed: float = 0.0
    broken: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.log = RunLog(self.state)
        self.supervisor = Supervisor(JobRules.of(self.home, ZONE), self.log, self.start, self.say)

    def start(self, job: Job, slot: datetime) -> Child:
        run_id = self.log.begin(job.name, slot, "test", self.wall)
        assert run_id is not None, "begun twice"
        self.runs.append((job.name, slot))
        self.log.end(run_id, "failed" if job.name in self.broken else "done", "", self.wall, 0.1)
        return Child(0)

    def say(self, event: str, fields: Mapping[str, object]) -> None:
        self.said.append(event)

    def go(self, span: timedelta, step: timedelta = timedelta(minutes=5)) -> None:
        """Time passes and the supervisor looks."""
        for _ in range(int(span / step)):
            self.wall += step
            self.elapsed += step.total_seconds()
            self.supervisor.look(self.wall, self.elapsed)
            self.supervisor.look(self.wall, self.elapsed)

    def slots(self, job: str) -> list[datetime]:
        return [slot for name, slot in self.runs if name == job]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "jobs.toml").write_text("[jobs.intake]\noff = true\n[jobs.warnings]\noff = true\n")
    return Scene(tmp_path, open_state(f"sqlite:///{tmp_path / 'state.db'}"))


def test_three_days_have_three_nights_each_once_and_in_order(scene: Scene) -> None:
    scene.go(timedelta(days=3), timedelta(minutes=30))
    assert scene.slots("score") == [MONDAY.replace(hour=18, minute=30) + timedelta(days=n) for n in (-1, 0, 1, 2)]
    assert len(scene.slots("backup")) == 4
    assert len(scene.slots("weekly")) == 1
    names = [name for name, _ in scene.runs]
    assert names.index("score") < names.index("monitor") < names.index("weekly")
    assert names.index("backup") < names.index("drill")


def test_two_days_away_are_caught_up_once(scene: Scene) -> None:
    scene.go(timedelta(hours=1))
    scene.runs.clear()
    scene.wall += timedelta(days=2)  # the machine was off: a new process begins with a new view of time
    scene.supervisor = Supervisor(JobRules.of(scene.home, ZONE), scene.log, scene.start, scene.say)
    scene.go(timedelta(hours=1))
    assert scene.slots("score") == [datetime(2026, 12, 1, 18, 30, tzinfo=UTC)]
    assert len(scene.slots("backup")) == 1


def test_a_clock_set_a_year_ahead_and_back_again_at_once_runs_nothing(scene: Scene) -> None:
    scene.go(timedelta(hours=1))
    scene.runs.clear()
    scene.wall += timedelta(days=365)
    scene.go(timedelta(minutes=5))
    scene.wall -= timedelta(days=365)
    scene.go(timedelta(minutes=20))
    assert "clock" in scene.said
    assert {name for name, _ in scene.runs} <= {"heads"}
    assert SETTLE <= 600


def test_a_clock_set_back_repeats_nothing(scene: Scene) -> None:
    scene.go(timedelta(days=1), timedelta(minutes=30))
    before = list(scene.runs)
    scene.wall -= timedelta(days=1)
    scene.go(timedelta(days=1), timedelta(minutes=30))
    assert scene.runs == before


@given(st.lists(st.sampled_from([-2880, -90, -3, 7, 45, 600, 4320]), max_size=8))
@hypothesis_settings(max_examples=8)
def test_however_the_clock_jumps_no_slot_is_run_twice(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[int]
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "jobs.toml").write_text("[jobs.intake]\noff = true\n[jobs.warnings]\noff = true\n")
    state = open_state(f"sqlite:///{home / 'state.db'}")
    scene = Scene(home, state)
    for jump in jumps:
        scene.wall += timedelta(minutes=jump)
        scene.go(timedelta(hours=2), timedelta(minutes=20))
    assert len(scene.runs) == len(set(scene.runs))
    state.close()


def test_a_job_that_fails_is_tried_a_few_times_and_those_behind_it_go_on(scene: Scene) -> None:
    scene.broken = frozenset({"score"})
    scene.go(timedelta(hours=12))
    night = scene.slots("score")
    assert len(night) == MOST_ATTEMPTS
    assert scene.slots("monitor"), "what waits for the list has its turn when nobody tries any more"


def test_a_dead_database_stops_nobody_for_good(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "slot", away)
        with pytest.raises(OperationalError):
            scene.supervisor.look(scene.wall, 0.0)
    scene.go(timedelta(minutes=5))
    assert scene.slots("score")


def test_a_run_that_hangs_is_ended(scene: Scene) -> None:
    child = Child()
    scene.supervisor.start = lambda job, slot: child
    scene.supervisor.look(scene.wall, 0.0)
    scene.supervisor.look(scene.wall + timedelta(hours=9), 9 * 3600.0)
    assert child.killed
    assert "killed" in scene.said
