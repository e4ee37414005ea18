"""What late dossiers owe equals an independent recount, and `risk doctor --agreement` tells one reader who lies."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from hypothesis import Phase, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import delete, select
from typer.testing import CliRunner

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import evaluate
from features.simulate import simulate
from features.simulate.raw import write_raw
from features.sources import SOURCES, FeedOptions
from features.sources.unit_directory import UnitDirectory
from serving.app import create_app
from serving.cli import app
from serving.pages.board import _counts as board_counts
from serving.pages.board import to_do
from serving.read.caseload import Caseload
from serving.read.on_time_statistics import OnTimeStatistics
from serving.reports.dossiers import late_share
from serving.scoring.batch import score_open
from serving.scoring.open_dossiers import OpenDossiers
from serving.scoring.risk_list import Filters, RiskList, latest_list
from serving.scoring.score_files import ListMeta, write_scores
from serving.settings import Settings
from serving.state import ExplanationSlip, State, open_state
from serving.use_cases import agreement
from serving.words import days_left
from serving.work import apologies
from serving.work.trackers import BACK, Tracked, read_tracked
from tests.drawn_model import drawn_model
from tests.drawn_office import settings_of
from tests.drawn_record import local
from tests.recount import OfficeHours, Recount, Told, recount

END = date(2026, 1, 1)
NOW = datetime(2025, 12, 24, 3, 20, tzinfo=UTC)
SCORED = NOW - timedelta(days=1)
KEY = b"k" * 32


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small province as its sources send it, traps and all, scored a day ago."""
    folder, settings = tmp_path_factory.mktemp("raw"), settings_of(tmp_path_factory.mktemp("home"))
    write_raw(simulate(seed=5, dossiers=900, end=pd.Timestamp(END).date()), folder)
    record, options = Record(settings.record_url), FeedOptions(key=KEY)
    for source, name in (
        ("canonical", "reference"), ("canonical", "inspectorate"), ("roster", "roster"), ("dvcqg", "dvcqg"),
        ("opencps", "opencps"), ("petition", "petition"), ("rating", "rating"),
    ):  # fmt: skip
        with record.connect() as con:
            units = UnitDirectory.from_rows(con.sql("SELECT * FROM unit").to_arrow_table().to_pylist())
        chunks = SOURCES[source].read(folder / name, replace(options, units=units))
        told = (chunk for chunk in chunks if chunk.table != "directory")
        record.append(told, source=source, arrived_at=datetime(2026, 1, 2, tzinfo=UTC))
    with record.connect(cutoff=SCORED) as con:
        table = score_open(con, SCORED, drawn_model(), VIETNAM)
    meta = ListMeta("lateness", SCORED, "v1", "ab" * 32, record.version(), "cd" * 32, table.num_rows)
    write_scores(settings.scores, table, meta)
    return settings


def agreed(settings: Settings, at: datetime = NOW) -> tuple[int, str]:
    words = ["--home", str(settings.home), "doctor", "--agreement", "--as-of", at.isoformat()]
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_every_reader_says_the_same_of_a_province_with_traps(province: Settings) -> None:
    assert agreed(province) == (0, "differences=0\n")


def test_out_of_hours_a_list_says_overdue_of_what_the_lawful_clock_does(tmp_path: Path) -> None:
    """Due at closing time: at the moment itself without added time, with it once more is worked than it allows."""
    settings, due = settings_of(tmp_path), local("2026-09-10 17:30")
    dossiers = [
        {"dossier_id": name, "procedure_code": "P", "unit_code": "U", "received_at": _START, "due_at": due,
         "known_at": _START} for name in ("plain", "added", "next week")
    ]  # fmt: skip
    dossiers[2]["due_at"] = local("2026-09-15 17:00")
    events = [
        {"dossier_id": "added", "kind": kind, "happened_at": local(at), "known_at": local(at), "event_id": at}
        for kind, at in (("papers_requested", "2026-09-03 08:00"), ("resumed", "2026-09-04 08:00"))
    ]  # fmt: skip
    record = Record(settings.record_url)
    record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="canonical", arrived_at=NOW)
    for at, overdue in (
        ("2026-09-10 16:59", []), ("2026-09-10 21:00", ["plain"]), ("2026-09-11 21:00", ["plain"]),
        ("2026-09-13 12:00", ["plain"]), ("2026-09-14 09:00", ["added", "plain"]),
    ):  # fmt: skip
        now = local(at)
        with record.connect(cutoff=now) as con:
            table = score_open(con, now, drawn_model(), VIETNAM)
        write_scores(
            settings.scores, table,
            ListMeta("lateness", now, "v1", "ab" * 32, record.version(), "cd" * 32, table.num_rows),
        )  # fmt: skip
        listed = latest_list(settings.scores, "lateness")
        lines = {key: listed.line(key) for key in ("plain", "added", "next week")}
        late = listed.page(Filters(overdue=True)).lines
        assert sorted(one.dossier_id for one in late) == overdue, at
        assert listed.page(Filters(ahead=True)).total == 3 - len(overdue)
        assert board_counts(listed, Filters())["overdue"] == len(overdue)
        for key, line in lines.items():
            assert line is not None
            assert (to_do(line) == "Xin lỗi, hẹn lại ngày trả; nêu nguyên nhân") == (key in overdue), (at, key)
            assert days_left(line.left_hours).startswith("quá" if key in overdue else "còn")
        assert agreed(settings, now) == (0, "differences=0\n")


def _told(settings: Settings, dossiers: list[dict[str, Any]], events: list[dict[str, Any]]) -> Record:
    """A record of these rows of one procedure and unit."""
    record = Record(settings.record_url)
    base = {"procedure_code": "P", "unit_code": "U"}
    chunks = [
        Chunk("unit", [{"unit_code": "U", "unit_name": "Phường"}]),
        Chunk("dossier", [base | one for one in dossiers]),
    ]
    receipt = record.append([*chunks, Chunk("event", events)], source="canonical", arrived_at=NOW + timedelta(days=400))
    assert not receipt.rejected
    return record


def _scored(settings: Settings, record: Record, at: datetime) -> RiskList:
    with record.connect(cutoff=at) as con:
        table = score_open(con, at, drawn_model(), VIETNAM)
    meta = ListMeta("lateness", at, "v1", "ab" * 32, record.version(), "cd" * 32, table.num_rows)
    write_scores(settings.scores, table, meta)
    return RiskList(table, meta)


def test_an_end_put_right_long_ago_leaves_a_dossier_open_for_every_reader(tmp_path: Path) -> None:
    """Told as decided, later as forwarded, nothing since for more than a year: figures of the year left it out."""
    settings, now = settings_of(tmp_path), local("2026-09-16 10:00")
    begun, right = local("2025-05-05 08:00"), local("2025-06-16 09:00")
    event = {"dossier_id": "D", "event_id": "e", "happened_at": local("2025-05-09 09:00")}
    record = _told(
        settings,
        [{"dossier_id": "D", "received_at": begun, "due_at": local("2025-05-20 17:00"), "known_at": begun}],
        [event | {"kind": "decided", "known_at": begun}, event | {"kind": "forwarded", "known_at": right}],
    )  # fmt: skip
    _told(
        settings, [{"dossier_id": "new", "received_at": now, "due_at": None, "known_at": now - timedelta(hours=1)}], []
    )
    assert _scored(settings, record, now).line("D") is not None
    with record.connect(cutoff=now) as con:
        total = OnTimeStatistics.read(con, now, VIETNAM).total
        assert OpenDossiers(con).of("D") is not None
    assert (total.open, total.overdue) == (1, 1)
    assert agreed(settings, now) == (0, "differences=0\n")


def test_a_dossier_is_open_once_it_was_received_though_its_source_tells_it_ahead(tmp_path: Path) -> None:
    settings, told, received = settings_of(tmp_path), local("2026-09-14 08:00"), local("2026-09-16 10:00")
    due = local("2026-09-23 17:00")
    record = _told(settings, [{"dossier_id": "D", "received_at": received, "due_at": due, "known_at": told}], [])
    for minutes, there in ((-30, 0), (0, 0), (30, 1)):
        at = received + timedelta(minutes=minutes)
        assert len(_scored(settings, record, at)) == there
        with record.connect(cutoff=at) as con:
            assert OnTimeStatistics.read(con, at, VIETNAM).total.open == there
        assert agreed(settings, at) == (0, "differences=0\n")


def test_a_list_made_after_the_last_news_is_read_where_they_stopped(tmp_path: Path) -> None:
    """Scored in the afternoon, when news of the evening before were still fresh; two days later they are not."""
    settings, news = settings_of(tmp_path), local("2026-09-15 20:00")
    due, scored, now = (local(f"2026-09-{at}") for at in ("16 10:00", "16 15:00", "18 10:00"))
    record = _told(
        settings,
        [{"dossier_id": "D", "received_at": _START, "due_at": due, "known_at": _START},
         {"dossier_id": "late", "received_at": _START, "due_at": local("2026-09-10 17:00"), "known_at": news}], [],
    )  # fmt: skip
    assert _scored(settings, record, scored).page(Filters(overdue=True)).total == 2
    with TestClient(create_app(settings, now=lambda: now, poll_seconds=60)) as client:
        context: Any = client.app.state.context  # type: ignore[attr-defined]
        listed, standing = context.serving.listed("lateness"), context.read_model.standing
        owes = [one.case.dossier_id for one in context.trackers.of().apologies]
    assert listed.read_at == standing.until < due
    late = [one.dossier_id for one in listed.page(Filters(overdue=True)).lines]
    assert late == owes == ["late"]
    assert (standing.total.overdue, standing.total.open) == (1, len(listed))
    assert agreed(settings, now) == (0, "differences=0\n")


def test_a_share_of_late_dossiers_is_the_same_in_reports_and_among_leaders(tmp_path: Path) -> None:
    """Nobody can say whether a dossier without a promise or a published term ended late."""
    due, now = local("2026-09-10 17:30"), local("2026-09-30 09:00")
    dossiers = [
        {"dossier_id": f"D{n}", "procedure_code": "P", "unit_code": "U", "received_at": _START, "known_at": _START,
         "due_at": due if n < 25 else None} for n in range(60)
    ]  # fmt: skip
    events = [
        {"dossier_id": f"D{n}", "kind": "decided", "happened_at": at, "known_at": at, "event_id": f"e{n}"}
        for n in range(60) for at in [due + timedelta(hours=1 if n < 5 else -1)]
    ]  # fmt: skip
    record = Record(tmp_path / "record")
    record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="canonical", arrived_at=NOW)
    with record.connect(cutoff=now) as con:
        total = OnTimeStatistics.read(con, now, VIETNAM).total
        load = Caseload.read(con, _START - timedelta(days=1), now, now, VIETNAM)
    assert (total.late, total.ended, total.share) == (5, 25, 0.2)
    assert len(load.ended) == 60
    assert late_share(load.ended)[0] == 20.0


def test_papers_asked_after_the_promise_ran_out_are_no_difference_of_two_ways_to_count(tmp_path: Path) -> None:
    """It waits, so no list calls it late; by both classes it is overdue."""
    now = local("2026-09-30 09:00")
    dossier = {"dossier_id": "D", "procedure_code": "P", "unit_code": "U", "received_at": _START, "known_at": _START,
               "due_at": local("2026-09-10 17:30")}  # fmt: skip
    at = local("2026-09-15 09:00")
    asked = {"dossier_id": "D", "kind": "papers_requested", "happened_at": at, "known_at": at}
    record = Record(tmp_path / "record")
    record.append([Chunk("dossier", [dossier]), Chunk("event", [asked])], source="canonical", arrived_at=NOW)
    with record.connect(cutoff=now) as con:
        (case,) = Caseload.read(con, _START, now, now, VIETNAM).cases
    assert (case.late, case.waits, case.late_766, case.late_by_events) == (False, True, True, True)


@pytest.mark.parametrize("liar", ["owed", "explained", "ledger", "state_at"])
def test_one_reader_who_lies_is_told_with_the_dossier(
    province: Settings, monkeypatch: pytest.MonkeyPatch, liar: str
) -> None:
    named = _who_lies(liar, monkeypatch)
    code, told = agreed(province)
    assert code == 1, told
    assert named
    assert named[0] in told
    assert "differences=0" not in told


def _who_lies(liar: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes a reader say something else of one dossier; gives its id once asked."""
    named: list[str] = []
    truth = getattr(agreement, liar)

    def owed(load: Any) -> Any:
        found = truth(load)
        named.append(found[0].dossier_id)
        return found[1:]

    def explained(con: Any) -> Any:
        with_slip = con.execute("SELECT dossier_id FROM dossier_latest ORDER BY dossier_id").fetchall()
        named.extend(row[0] for row in with_slip)
        return truth(con)

    def ledger(case: Any, as_of: datetime, calendar: Any) -> Any:
        found = truth(case, as_of, calendar)
        named.append(case.dossier_id)
        return replace(found, stays=tuple(replace(one, hours=one.hours + 1) for one in found.stays))

    def state_at(dossier: Any, *rest: Any) -> Any:
        named.append(dossier["dossier_id"])
        return replace(truth(dossier, *rest), lawful_due_at=NOW)

    if liar == "explained":  # a reader of slips who forgets what is late
        whole = Caseload.read

        def read(*given: Any) -> Any:
            load = whole(*given)
            late = next(case for case in load.cases if case.late)
            named.append(late.dossier_id)
            return replace(load, cases=tuple(replace(one, late=one.late and one is not late) for one in load.cases))

        monkeypatch.setattr(Caseload, "read", read)
        return named
    lies = {"owed": owed, "ledger": ledger, "state_at": state_at}
    monkeypatch.setattr(agreement, liar, lies[liar])
    return named


@pytest.mark.parametrize("rows", [
    {}, {"complaint": [{"complaint_id": "C1", "filed_at": "2026-01-05 08:00", "known_at": "2026-01-05 08:00"}]},
])  # fmt: skip
def test_a_record_without_dossiers_has_nothing_to_differ_in(
    rows: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    if rows:
        chunks = [Chunk(name, told) for name, told in rows.items()]
        receipt = Record(settings.record_url).append(chunks, source="canonical", arrived_at=NOW)
        assert receipt.appended == 1
    assert agreed(settings, NOW + timedelta(days=90)) == (0, "differences=0\n")


def recounted(con: duckdb.DuckDBPyConnection, until: datetime) -> dict[str, Recount]:
    """Every dossier known to `con`, counted anew at `until`, by rows as they were told."""
    calendar = as_delivered(con, VIETNAM)
    hours = OfficeHours(calendar, date(2020, 1, 1), date(2030, 1, 1))
    told: dict[str, list[Told]] = {}
    events = con.execute(
        "SELECT dossier_id, kind, happened_at, due_at, reason, coalesce(event_id, row_id) AS id, known_at, row_id"
        " FROM event ORDER BY happened_at, known_at, row_id"
    ).fetchall()
    last = {(row[0], row[5]): row for row in sorted(events, key=lambda row: (row[6], row[7]))}
    for row in events:
        if last[row[0], row[5]] is row:
            told.setdefault(row[0], []).append(Told(row[1], _utc(row[2]), _utc(row[3]), row[4]))
    terms = dict(con.execute("SELECT procedure_code, legal_working_days FROM procedure_latest").fetchall())
    found = {}
    versions: dict[str, list[tuple[Any, ...]]] = {}
    rows = con.execute(
        "SELECT dossier_id, received_at, due_at, known_at, procedure_code FROM dossier ORDER BY known_at, row_id"
    )
    for row in rows.fetchall():
        versions.setdefault(row[0], []).append(row)
    for dossier_id, held in versions.items():
        found[dossier_id] = recount(
            _utc(held[-1][1]), _first_promise(held), terms.get(held[-1][4]), told.get(dossier_id, ()), until, hours
        )
    return found


def _first_promise(versions: list[tuple[Any, ...]]) -> datetime | None:
    """The slip as first told, or as it was put right within a day; the earliest of one moment."""
    gives = [row for row in versions if row[2] is not None]
    if not gives:
        return None
    right = [row for row in gives if row[3] <= gives[0][3] + timedelta(days=1)]
    return _utc(min(row[2] for row in right if row[3] == right[-1][3]))


def _utc(moment: datetime | None) -> Any:
    return moment and moment.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    opened = open_state(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    yield opened
    opened.close()


def compared(record: Record, state: State, now: datetime) -> Tracked:
    """Tracks at `now`, and holds letters and slips against the recount; gives what was tracked."""
    with state.writing() as session:
        session.execute(delete(ExplanationSlip))
    tracked = read_tracked(record, state, VIETNAM, now)
    until = tracked.moment.as_of
    with record.connect(cutoff=until) as con:
        counted = recounted(con, until)
        said = con.execute(
            "SELECT dossier_id, accepted FROM explanation ORDER BY given_at, known_at, row_id"
        ).fetchall()
    late = {
        key for key, one in counted.items()
        if one.late and not one.waits and (one.ended_at is None or one.ended_at >= until - BACK)
    }  # fmt: skip
    assert {one.case.dossier_id for one in tracked.apologies} == late
    accepted = {key for key, verdict in dict(said).items() if verdict is not False}
    with state.reading() as session:
        slips = set(session.scalars(select(ExplanationSlip.dossier_id)))
    assert slips == (set() if tracked.moment.behind else late - accepted)
    _letters(record, tracked, counted)
    return tracked


def _letters(record: Record, tracked: Tracked, counted: dict[str, Recount]) -> None:
    """A letter stands for the day that was missed: not the extension that set this very day."""
    with record.connect(cutoff=tracked.moment.as_of) as con:
        rows = con.execute("SELECT dossier_id, kind, happened_at, reason FROM event_latest").fetchall()
    for one in tracked.apologies:
        key = one.case.dossier_id
        wrote = any(
            kind == "apologised" or (kind == "extended" and reason and _utc(at) != counted[key].extended_at)
            for dossier, kind, at, reason in rows
            if dossier == key and _utc(at) >= counted[key].begun_at
        )
        assert (one.sent_at is not None) == wrote, key


def test_what_a_province_owes_is_as_recounted(province: Settings, state: State) -> None:
    tracked = compared(Record(province.record_url), state, NOW)
    assert len(tracked.apologies) > 10


_KINDS = ("papers_requested", "papers_supplied", "suspended", "resumed", "assigned", "extended", "reset", "apologised",
          "decided", "delivered", "refused", "reopened", "consulted")  # fmt: skip
_START = local("2026-09-01 08:00")
_event = st.tuples(
    st.integers(-30, 45 * 24 * 60), st.sampled_from(_KINDS), st.none() | st.integers(60, 45 * 24 * 60), st.booleans()
)
_course = st.tuples(st.none() | st.integers(60, 15 * 24 * 60), st.lists(_event, max_size=7), st.booleans())


@given(st.lists(_course, min_size=1, max_size=15), st.integers(60, 50 * 24 * 60))
@hypothesis(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_what_drawn_dossiers_owe_is_as_recounted(
    tmp_path_factory: pytest.TempPathFactory, state: State, courses: list[Any], until: int
) -> None:
    """Dossiers of September to the minute, with events of any kind in any order, some explained."""
    folder = tmp_path_factory.mktemp("drawn")
    now = _START + timedelta(minutes=until)
    rows: dict[str, list[dict[str, Any]]] = {"dossier": [], "event": [], "explanation": []}
    for number, (due, events, explained) in enumerate(courses):
        name, due_at = f"D{number}", None if due is None else _START + timedelta(minutes=due)
        rows["dossier"].append(
            {"dossier_id": name, "procedure_code": "P", "unit_code": "U", "received_at": _START, "due_at": due_at,
             "known_at": _START}
        )  # fmt: skip
        for place, (at, kind, promised, why) in enumerate(events):
            moment = _START + timedelta(minutes=at)
            rows["event"].append(
                {"dossier_id": name, "kind": kind, "happened_at": moment, "known_at": max(moment, _START),
                 "event_id": f"{name}-{place}", "reason": "lý do" if why else None,
                 "due_at": None if promised is None else _START + timedelta(minutes=promised)}
            )  # fmt: skip
        if explained:
            rows["explanation"].append(
                {"dossier_id": name, "official_id": "o1", "given_at": _START, "known_at": _START, "cause": "workload",
                 "accepted": random.Random(number).choice([None, True, False])}
            )  # fmt: skip
    record = Record(folder / "record")
    chunks = [Chunk(name, told) for name, told in rows.items() if told]
    chunks.append(Chunk("procedure", [{"procedure_code": "P", "sector_code": "S", "legal_working_days": 5.0}]))
    receipt = record.append(chunks, source="canonical", arrived_at=_START + timedelta(days=400))
    assert not receipt.rejected, record.rejects(receipt.delivery_id)[:2]
    compared(record, state, now)


def test_a_kept_extension_owes_nothing_more_and_a_broken_one_owes_another_letter(tmp_path: Path, state: State) -> None:
    """Mẫu 04 is apology and new appointment in one: it answers for the day given up, not for the one it promises."""
    due, new = local("2026-09-10 17:00"), local("2026-09-16 17:00")
    courses: dict[str, list[tuple[str, str, datetime | None]]] = {
        "kept": [("extended", "2026-09-08 09:00", new), ("decided", "2026-09-16 16:00", None)],
        "broken": [("extended", "2026-09-08 09:00", new), ("decided", "2026-09-17 10:00", None)],
        "answered": [("extended", "2026-09-08 09:00", new), ("apologised", "2026-09-16 09:00", None),
                     ("decided", "2026-09-17 10:00", None)],
        "too late": [("extended", "2026-09-11 09:00", new), ("decided", "2026-09-16 16:00", None)],
        "twice": [("extended", "2026-09-08 09:00", new), ("extended", "2026-09-15 09:00", local("2026-09-18 17:00")),
                  ("decided", "2026-09-17 10:00", None)],
        "after": [("apologised", "2026-09-14 09:00", None), ("decided", "2026-09-16 16:00", None)],
    }  # fmt: skip
    dossiers = [
        {"dossier_id": name, "procedure_code": "P", "unit_code": "U", "received_at": _START, "due_at": due,
         "known_at": _START} for name in courses
    ]  # fmt: skip
    events = [
        {"dossier_id": name, "kind": kind, "happened_at": local(at), "known_at": local(at), "due_at": promised,
         "event_id": f"{name}-{place}", "reason": "chờ xác minh" if kind == "extended" else None}
        for name, told in courses.items()
        for place, (kind, at, promised) in enumerate(told)
    ]  # fmt: skip
    record = Record(tmp_path / "record")
    record.append([Chunk("dossier", dossiers), Chunk("event", events)], source="canonical", arrived_at=NOW)
    tracked = compared(record, state, local("2026-09-17 11:00"))
    found = {one.case.dossier_id: one for one in tracked.apologies}
    assert "kept" not in found
    assert {key: (one.sent_at is not None, one.promise, one.in_time, one.times) for key, one in found.items()} == {
        "broken": (False, "broken", False, 1),
        "answered": (True, "broken", True, 1),
        "too late": (True, "kept", False, 1),
        "twice": (True, "kept", True, 2),
        "after": (True, "none", False, 0),
    }
    at = local("2026-09-17 11:00")
    cases = pa.table({"dossier_id": list(courses), "as_of": pa.array([at] * len(courses), pa.timestamp("us", "UTC"))})
    with record.connect(cutoff=at) as con:
        shown = evaluate(con, cases).to_pylist()
    signals = {(row["dossier_id"], row["signal"]) for row in shown if "APOLOGY" in row["signal"]}
    assert signals == {
        ("broken", "NO_APOLOGY"), ("broken", "APOLOGY_PROMISE_BROKEN"), ("answered", "APOLOGY_PROMISE_BROKEN"),
        ("too late", "LATE_APOLOGY"), ("twice", "APOLOGY_PROMISE_BROKEN"), ("after", "LATE_APOLOGY"),
    }  # fmt: skip
    assert apologies.PROMISES.keys() >= {one.promise for one in found.values()}
