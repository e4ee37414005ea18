"""Jobs: due by the calendar, done once whoever dies, caught up once, and told where they don't keep their time."""

import errno
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from features.calendar.vietnam import VIETNAM
from serving.app import create_app
from serving.cli import app
from serving.cli.job_actions import action_of, intake
from serving.jobs.job_status import data_promise, job_promises, job_statuses, list_promise
from serving.jobs.run_log import RunLog
from serving.jobs.runner import Run, run_slot, sole_runner
from serving.jobs.schedule import JOBS, NAMES, JobRules
from serving.settings import Settings
from serving.state import State, open_state
from tests.drawn_office import AS_OF, draw_office, settings_of
from tests.drawn_people import NOW, sit_down, staffed_office

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)  # nine in the morning


def rules_of(home: Path) -> JobRules:
    return JobRules.of(home, ZONE)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("job", "now", "last", "following"),
    [
        ("score", "2026-11-30T09:00", "2026-11-30T01:30", "2026-12-01T01:30"),
        ("score", "2026-11-30T01:30", "2026-11-30T01:30", "2026-12-01T01:30"),
        ("score", "2026-11-30T01:29", "2026-11-29T01:30", "2026-11-30T01:30"),
        ("weekly", "2026-12-02T00:00", "2026-11-30T03:00", "2026-12-07T03:00"),
        ("monthly", "2026-11-30T09:00", "2026-11-01T04:00", "2026-12-01T04:00"),
        ("warnings", "2026-11-30T09:04", "2026-11-30T09:00", "2026-11-30T09:05"),
        ("drill", "2026-11-30T09:00", "2026-11-29T05:30", "2026-12-06T05:30"),
    ],
)
def test_slots_of_the_calendar(tmp_path: Path, job: str, now: str, last: str, following: str) -> None:
    rules = rules_of(tmp_path)
    assert rules.last_slot(rules.job(job), local(now)) == local(last)
    assert rules.next_slot(rules.job(job), local(now)) == local(following)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[jobs.scroe]\ncron = '1 1 * * *'", "unknown job 'scroe'"),
        ("[jobs.score]\ncron = '99 1 * * *'", "jobs.score.cron: wanted five fields"),
        ("[promises]\ndata = 'soon'", "wanted a span such as 36h or 3d, got 'soon'"),
        ("inbox = [", "jobs.toml"),
        ("keepbackups = 3", "unknown key 'keepbackups'"),
    ],
)
def test_a_wrong_file_of_rules_says_what_was_wanted(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "jobs.toml").write_text(text)
    with pytest.raises(ValueError, match=wrong):
        rules_of(tmp_path)


def test_rules_change_calendars_and_switch_jobs_off(tmp_path: Path) -> None:
    (tmp_path / "jobs.toml").write_text("[jobs.score]\ncron = '0 22 * * *'\n[jobs.drill]\noff = true\n")
    rules = rules_of(tmp_path)
    assert rules.job("score").cron == "0 22 * * *"
    assert {job.name for job in rules.jobs} == set(NAMES) - {"drill"}
    with pytest.raises(ValueError, match="wanted one of"):
        rules.job("drill")


def test_every_job_has_an_action() -> None:
    assert all(callable(action_of(name)) for name in NAMES)


def one_run(state: State, home: Path, slot: datetime, action: object, now: datetime = MONDAY) -> Run:
    return run_slot(settings_of(home), state, rules_of(home), JOBS[1], slot, action, lambda: now, patience=0.2)  # type: ignore[arg-type]


def test_a_slot_is_done_once_and_a_failed_one_tried_again_later(database_url: str, tmp_path: Path) -> None:
    state, done = open_state(database_url), []

    def works(*_: object) -> str:
        done.append(1)
        return "90 scored"

    def fails(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    log, slot = RunLog(state), MONDAY
    assert one_run(state, tmp_path, slot, fails).outcome == "failed"
    state_of = log.slot("score", slot)
    assert (state_of.done, state_of.attempts, state_of.retry_at) == (False, 1, MONDAY + timedelta(minutes=1))
    assert one_run(state, tmp_path, slot, works) == Run("done", "90 scored")
    assert one_run(state, tmp_path, slot, works).result == "this slot is done"
    assert done == [1]
    (last, first) = log.latest("score", 2)
    assert (first.outcome, first.result) == ("failed", "OSError: [Errno 28] No space left on device")
    assert (last.outcome, last.attempt) == ("done", 2)
    assert last.seconds is not None
    state.close()


def test_what_an_engine_says_of_rows_is_not_noted(tmp_path: Path) -> None:
    import duckdb

    state = open_state(f"sqlite:///{tmp_path / 's.db'}")

    def fails(*_: object) -> str:
        raise duckdb.ConversionException("Could not convert string 'Nguyễn Văn A' to INT32")

    assert one_run(state, tmp_path, MONDAY, fails).result == "ConversionException"
    state.close()


def hold(database_url: str, home: Path, ready: object, dies: bool) -> None:
    """Runs in a process of its own: holds the job's lock, then is killed or stays."""
    state = State(database_url)

    def action(*_: object) -> str:
        ready.set()  # type: ignore[attr-defined]
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        return ""

    one_run(state, home, MONDAY, action)


@pytest.mark.parametrize(("engine", "dies"), [("sqlite", False), ("postgresql", True)])
def test_one_of_many_runs_a_job_and_a_killed_run_is_done_again(
    engine: str, dies: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database_url = f"sqlite:///{tmp_path / 's.db'}" if engine == "sqlite" else request.getfixturevalue("postgres_url")
    state = open_state(database_url)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=hold, args=(database_url, tmp_path, ready, dies))
    other.start()
    assert ready.wait(60)
    if dies:
        other.join(30)
        until = time.monotonic() + 10  # the server notices a dead client by itself
        while (found := one_run(state, tmp_path, MONDAY, lambda *_: "again")).outcome is None:
            assert time.monotonic() < until, found
            time.sleep(0.1)
        assert found == Run("done", "again")
        assert [run.outcome for run in RunLog(state).latest("score", 2)] == ["done", "killed"]
    else:
        assert one_run(state, tmp_path, MONDAY, lambda *_: "me too").result == "another process runs it"
        with sole_runner(state, tmp_path, "backup") as ours:
            assert ours, "another job may run"
        other.kill()
        other.join(30)
    state.close()


def test_a_result_waits_for_a_database_that_went_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, tries = open_state(f"sqlite:///{tmp_path / 's.db'}"), []
    end = RunLog.end

    def flaky(self: RunLog, *words: object) -> None:
        tries.append(1)
        if len(tries) < 2:
            raise OperationalError("UPDATE", {}, Exception("away"))
        end(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(RunLog, "end", flaky)
    assert one_run(state, tmp_path, MONDAY, lambda *_: "done").outcome == "done"
    assert RunLog(state).slot("score", MONDAY).done
    state.close()


def test_intake_stops_before_the_disk_is_full_and_a_full_one_refuses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    (tmp_path / "jobs.toml").write_text("least_free_gib = 1000000")
    with pytest.raises(OSError, match=r"wanted 1000000\.0"):
        intake(settings, rules_of(tmp_path), MONDAY, MONDAY)
    (tmp_path / "jobs.toml").write_text("least_free_gib = 0")
    drop = tmp_path / "inbox" / "canonical"
    drop.mkdir(parents=True)
    (drop / "dossier.csv").write_text("dossier_id,procedure_code,unit_code,received_at\nd1,p,u,2026-11-01\n")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("serving.cli.job_actions.REST", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr("serving.work.intake.Record.append", full)
        with pytest.raises(OSError, match="No space"):
            intake(settings, rules_of(tmp_path), MONDAY, MONDAY)
    assert (drop / "dossier.csv").exists()
    assert intake(settings, rules_of(tmp_path), MONDAY, MONDAY) == "1 files, 1 new rows, 0 refused"


def test_promises_name_what_is_broken(tmp_path: Path) -> None:
    rules, state = rules_of(tmp_path), open_state(f"sqlite:///{tmp_path / 's.db'}")
    friday = MONDAY - timedelta(days=3)
    assert data_promise(rules, friday, VIETNAM, MONDAY).holds, "a week-end is no silence"
    silent = data_promise(rules, MONDAY - timedelta(days=10), VIETNAM, MONDAY)
    assert not silent.holds
    assert "working days" in silent.cause
    assert list_promise(rules, MONDAY - timedelta(days=59), MONDAY).cause.startswith("the list is 1416 hours old")
    log = RunLog(state)
    assert [one.holds for one in job_promises(rules, job_statuses(rules, log, MONDAY), MONDAY)] == [None, None]
    one_run(state, tmp_path, MONDAY, lambda *_: "done")
    jobs, backup = job_promises(rules, job_statuses(rules, log, MONDAY), MONDAY)
    assert (jobs.holds, backup.holds) == (True, None)
    later = MONDAY + timedelta(days=4)
    (jobs, _) = job_promises(rules, job_statuses(rules, log, later), later)
    assert (jobs.holds, jobs.cause) == (False, "late: score; risk jobs shows why")
    state.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return staffed_office(tmp_path_factory.mktemp("office"))


def test_the_page_and_the_api_show_jobs_to_those_who_run_the_service(office: Settings) -> None:
    state = open_state(office.database_url)
    one_run(state, office.home, NOW - timedelta(minutes=30), lambda *_: "90 open dossiers", NOW)
    state.close()
    with TestClient(create_app(office, now=lambda: NOW, poll_seconds=60)) as client:
        sit_down(client, "quantri")
        page = client.get("/jobs")
        assert page.status_code == 200
        assert "90 open dossiers" in page.text
        told = {one["job"]: one for one in client.get("/api/v1/jobs").json()["jobs"]}
        assert told["score"]["outcome"] == "done"
        assert told["weekly"]["outcome"] is None
        metrics = client.get("/api/v1/metrics").text
        assert 'risk_job_last_success_timestamp_seconds{job="score"}' in metrics
        assert 'risk_job_late{job="score"} 0.0' in metrics
        sit_down(client, "thanhtra")
        assert client.get("/jobs").status_code == 403
        ready = client.get("/api/v1/ready")
        assert ready.status_code == 200, ready.text


def test_an_old_list_or_foreign_tables_are_503_with_the_cause(office: Settings) -> None:
    clock = [NOW]
    with TestClient(create_app(office, now=lambda: clock[0], poll_seconds=60)) as client:
        clock[0] = NOW + timedelta(days=59)
        told = client.get("/api/v1/ready")
        assert told.status_code == 503
        broken = {one["name"]: one["cause"] for one in told.json()["promises"] if one["holds"] is False}
        assert "the list is" in broken["list"]
        assert client.get("/api/v1/health").status_code == 200


def test_the_commands_run_and_show_jobs(tmp_path: Path) -> None:
    settings = draw_office(tmp_path / "home")
    words = ["--home", str(settings.home), "jobs"]
    ran = CliRunner().invoke(app, [*words, "run", "weekly", "--as-of", (AS_OF + timedelta(days=1)).isoformat()])
    assert ran.exit_code == 0, ran.output
    assert "2026-W10: 50 of dossier" in ran.output
    again = CliRunner().invoke(app, [*words, "run", "weekly", "--as-of", (AS_OF + timedelta(days=1)).isoformat()])
    assert "left: this slot is done" in again.output
    shown = CliRunner().invoke(app, [*words, "--as-of", (AS_OF + timedelta(days=1)).isoformat()])
    assert "50 of dossier" in shown.output.replace("\n", " ")
    unknown = CliRunner().invoke(app, [*words, "run", "sleep"])
    assert isinstance(unknown.exception, ValueError)
