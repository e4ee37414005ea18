"""The lawful state by hand: a drawn table that relation and twin must both give, and a slow oracle beside the twin.

Cases a–g are those of the issue, T1–T12 the traps of domain.md 1.9, rules those of DOC766 (domain.md 1.7).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.calendar.working_time import PLAIN_WEEK, Calendar
from features.case_state.kinds import RUNS, STOPS, SUPPLIES
from features.case_state.relation import case_states
from features.case_state.replay import Happening, replay
from features.record.delivery import Chunk
from features.record.record import Record
from features.record.schema import ALL_ENDS, ENDS
from tests.drawn_record import ARRIVED, local

# Of 2026, received Monday 7 September 8:00 unless a row's events begin with `received`. An event is `moment kind`, then
# `>moment` for a new promise, `!` for a reason. late, first: late by the lawful clock, the first promise missed.
TABLE = """
case                      | due         | events | until       | phase | late | first | lawful | flags
on time at the moment     | 09-09 17:30 | 09-09 17:30 decided | 10-01 08:00 | ended | no | no | 09-09 17:30 |
rule 1 a minute late      | 09-09 17:30 | 09-09 17:31 decided | 10-01 08:00 | ended | yes | yes | 09-09 17:30 |
after hours of the day    | 09-09 17:30 | 09-09 20:00 decided | 10-01 08:00 | ended | yes | yes | 09-09 17:30 |
promised for 17:00        | 09-09 17:00 | 09-09 17:15 decided | 10-01 08:00 | ended | yes | yes | 09-09 17:00 |
rule 2 decided counts     | 09-09 17:30 | 09-09 10:00 decided; 09-15 10:00 delivered | 10-01 08:00 | ended | no | no | 09-09 17:30 |
handed out alone          | 09-09 17:30 | 09-15 10:00 delivered | 10-01 08:00 | ended | yes | yes | 09-09 17:30 |
refused                   | 09-09 17:30 | 09-09 10:00 refused | 10-01 08:00 | ended | no | no | 09-09 17:30 |
withdrawn late            | 09-09 17:30 | 09-10 10:00 withdrawn | 10-01 08:00 | ended | yes | yes | 09-09 17:30 |
rule 6 open, not yet due  | 09-09 17:30 | 09-08 10:00 assigned | 09-09 17:30 | running | no | no | 09-09 17:30 |
rule 6 open and overdue   | 09-09 17:30 | 09-08 10:00 assigned | 09-09 17:31 | running | yes | yes | 09-09 17:30 |
rule 7 within the term    | | 09-08 17:00 decided | 10-01 08:00 | ended | no | no | 09-09 17:30 |
rule 7 beyond the term    | | 09-11 10:00 decided | 10-01 08:00 | ended | yes | no | 09-09 17:30 |
promised when it was past | | 09-09 10:00 papers_supplied >09-09 09:00; 09-09 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-09 09:00 |
a citizen's time          | 09-08 17:30 | 09-07 12:00 papers_requested; 09-10 12:00 papers_supplied; 09-11 08:30 decided | 10-01 08:00 | ended | no | yes | 09-11 17:30 |
a and yet too late        | 09-08 17:30 | 09-07 12:00 papers_requested; 09-10 12:00 papers_supplied; 09-14 08:30 decided | 10-01 08:00 | ended | yes | yes | 09-11 17:30 |
a evening after a pause   | 09-08 17:30 | 09-07 12:00 papers_requested; 09-10 12:00 papers_supplied; 09-11 21:00 decided | 10-01 08:00 | ended | no | yes | 09-11 17:30 |
b asked after it passed   | 09-08 17:30 | 09-09 09:00 papers_requested | 09-15 08:00 | citizen | yes | yes | 09-08 17:30 |
b asked, brought, too late| 09-08 17:30 | 09-09 09:00 papers_requested; 09-11 09:00 papers_supplied; 09-11 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 |
asked in time, not come   | 09-08 17:30 | 09-08 17:00 papers_requested | 09-15 12:00 | citizen | no | yes | 09-15 14:00 |
c extended when missed    | 09-08 17:30 | 09-09 09:00 extended !>09-15 17:30; 09-14 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 | moved_after_missed
c reset when missed       | 09-08 17:30 | 09-09 09:00 reset >09-15 17:30; 09-14 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 | moved_after_missed
c reset 30 minutes before | 09-08 17:30 | 09-08 17:00 reset >09-15 17:30; 09-14 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 | moved_last_minute
c extended 30 min before  | 09-08 17:30 | 09-08 17:00 extended !>09-15 17:30; 09-14 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 | moved_last_minute
T8 reset well before      | 09-16 17:30 | 09-08 09:00 reset >09-25 17:30; 09-22 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-16 17:30 |
one lawful extension kept | 09-10 17:30 | 09-08 09:00 extended !>09-14 17:30; 09-14 17:30 decided | 10-01 08:00 | ended | no | yes | 09-14 17:30 |
one extension missed      | 09-10 17:30 | 09-08 09:00 extended !>09-14 17:30; 09-14 17:31 decided | 10-01 08:00 | ended | yes | yes | 09-14 17:30 |
extension without reason  | 09-10 17:30 | 09-08 09:00 extended >09-14 17:30; 09-14 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-10 17:30 |
d extended twice          | 09-10 17:30 | 09-08 09:00 extended !>09-14 17:30; 09-10 09:00 extended !>09-18 17:30; 09-17 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-14 17:30 | extended_twice
extended, then a pause    | 09-10 17:30 | 09-08 09:00 extended !>09-14 17:30; 09-11 08:00 suspended; 09-14 08:00 resumed; 09-15 17:30 decided | 10-01 08:00 | ended | no | yes | 09-15 17:30 |
f skew of minutes         | 09-10 17:30 | 09-07 07:56 decided | 10-01 08:00 | ended | no | no | 09-10 17:30 |
f a day before receipt    | 09-10 17:30 | 09-04 10:00 decided | 10-01 08:00 | set_aside | no | no | 09-10 17:30 | end_before_receipt
f and a true end          | 09-10 17:30 | 09-04 10:00 decided; 09-10 10:00 decided | 10-01 08:00 | ended | no | no | 09-10 17:30 | end_before_receipt
g T2 ended at receipt     | 09-10 17:30 | 09-07 08:00 decided | 10-01 08:00 | ended | no | no | 09-10 17:30 |
T4 no promise, at receipt | | 09-07 08:00 decided | 10-01 08:00 | ended | no | no | 09-09 17:30 |
T1 end set to the promise | 09-09 17:30 | 09-09 17:30 decided; 09-15 10:00 delivered | 10-01 08:00 | ended | no | no | 09-09 17:30 |
T9 more than the pause    | 09-09 17:30 | 09-08 08:00 suspended; 09-09 08:00 resumed >09-16 17:30; 09-15 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-10 17:30 | moved_beyond_pause
booked to the day's close | 09-09 16:00 | 09-08 08:00 papers_requested; 09-09 08:00 papers_supplied >09-10 17:30; 09-10 17:00 decided | 10-01 08:00 | ended | no | yes | 09-10 17:30 |
booked less than the pause| 09-09 17:30 | 09-08 08:00 papers_requested; 09-10 08:00 papers_supplied >09-10 17:30; 09-11 17:00 decided | 10-01 08:00 | ended | no | yes | 09-11 17:30 |
T12 reopened, then late   | 09-09 17:30 | 09-08 10:00 decided; 09-10 08:00 reopened; 09-11 10:00 decided | 10-01 08:00 | ended | yes | yes | 09-09 17:30 |
T12 reopened, in time     | 09-15 17:30 | 09-08 10:00 decided; 09-10 08:00 reopened; 09-11 10:00 decided | 10-01 08:00 | ended | no | no | 09-15 17:30 |
reopened and open         | 09-15 17:30 | 09-08 10:00 decided; 09-10 08:00 reopened | 09-14 08:00 | running | no | no | 09-15 17:30 |
reopened long after       | 09-15 17:30 | 09-08 10:00 decided; 10-20 08:00 reopened | 11-02 08:00 | running | no | no | |
a new clock, a new promise| 09-15 17:30 | 09-08 10:00 decided; 10-20 08:00 reopened >10-22 17:30; 10-23 08:00 decided | 11-02 08:00 | ended | yes | yes | 10-22 17:30 |
the office works on       | 09-08 17:30 | 09-07 12:00 papers_requested; 09-08 12:00 assigned; 09-09 17:30 decided | 10-01 08:00 | ended | no | yes | 09-09 17:30 |
a note starts nothing     | 09-08 17:30 | 09-07 12:00 papers_requested; 09-08 12:00 note | 09-10 12:00 | citizen | no | yes | 09-11 17:30 |
asked twice, one pause    | 09-08 17:30 | 09-07 12:00 papers_requested; 09-08 12:00 papers_requested; 09-09 12:00 papers_supplied | 09-10 08:00 | running | no | yes | 09-10 17:30 |
a consultation runs       | 09-08 17:30 | 09-07 12:00 consulted | 09-09 08:01 | other_office | yes | yes | 09-08 17:30 |
a consultation answered   | 09-08 17:30 | 09-07 12:00 consulted; 09-08 09:00 consultation_answered | 09-08 12:00 | running | no | no | 09-08 17:30 |
a financial duty          | 09-08 17:30 | 09-07 12:00 suspended | 09-10 12:00 | suspended | no | yes | 09-11 17:30 |
a pause on a weekend      | 09-14 17:30 | 09-12 08:00 papers_requested; 09-13 17:00 papers_supplied; 09-14 17:31 decided | 10-01 08:00 | ended | yes | yes | 09-14 17:30 |
a pause over Tết          | 02-24 17:30 | 02-10 08:00 received; 02-13 16:30 papers_requested; 02-23 09:00 papers_supplied; 02-25 09:30 decided | 03-10 08:00 | ended | no | yes | 02-25 10:00 |
Saturday made up          | 01-12 17:30 | 01-08 08:00 received; 01-10 08:00 papers_requested; 01-12 08:00 papers_supplied; 01-13 17:30 decided | 02-01 08:00 | ended | no | yes | 01-13 17:30 |
exchanged 31 August       | 09-03 17:30 | 08-27 08:00 received; 08-28 08:00 suspended; 09-03 08:00 resumed; 09-04 17:30 decided | 10-01 08:00 | ended | no | yes | 09-04 17:30 |
lunch costs nothing       | 09-08 17:30 | 09-08 12:00 papers_requested; 09-08 13:30 papers_supplied; 09-08 17:31 decided | 10-01 08:00 | ended | yes | yes | 09-08 17:30 |
read before it happened   | 09-09 17:30 | 09-09 10:00 decided | 09-09 09:00 | running | no | no | 09-09 17:30 |
21 back and forth         | 09-21 17:00 | 09-10 08:00 received; 09-18 09:00 reset >09-30 17:00; 09-22 09:00 reset >09-21 17:00; 09-25 10:00 decided | 10-15 08:00 | ended | yes | yes | 09-21 17:00 |
21 and once more          | 09-21 17:00 | 09-10 08:00 received; 09-22 09:00 reset >10-15 17:00; 09-23 09:00 reset >09-21 17:00; 09-24 09:00 reset >10-15 17:00 | 10-15 08:00 | running | yes | yes | 09-21 17:00 | moved_after_missed
"""  # noqa: E501
TERM_DAYS = 3.0
Drawn = dict[str, Any]


def _at(text: str) -> datetime:
    return local(f"2026-{text.strip()}")


def _rows() -> Iterator[Drawn]:
    names, *lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    for line in lines:
        row = dict(zip(names, [*line, ""], strict=False))
        events = [_event(text) for text in row["events"].split(";")]
        received = _at("09-07 08:00")
        if events[0].kind == "received":
            received = events.pop(0).at
        yield {
            "name": row["case"], "received": received, "due": _at(row["due"]) if row["due"] else None,
            "events": events, "until": _at(row["until"]),
            "expected": (
                row["phase"], row["late"] == "yes", row["first"] == "yes",
                _at(row["lawful"]) if row["lawful"] else None, set(row["flags"].split()),
            ),
        }  # fmt: skip


def _event(text: str) -> Happening:
    text, _, promised = text.strip().partition(">")
    day, clock, kind, *reason = text.split()
    return Happening(kind, _at(f"{day} {clock}"), _at(promised) if promised else None, "lý do" if reason else None)


DRAWN = list(_rows())


@pytest.mark.parametrize("row", DRAWN, ids=lambda row: row["name"].replace(" ", "-"))
def test_the_twin_by_hand(row: Drawn) -> None:
    state = replay(row["received"], row["due"], row["events"], row["until"], VIETNAM, TERM_DAYS)
    found = (state.phase.value, state.late, state.late_first, state.lawful_due_at, {str(one) for one in state.flags})
    assert found == row["expected"]
    if state.waits:
        assert not state.overdue, "a dossier whose clock stands is never overdue"


def test_the_relation_by_hand(tmp_path: Path) -> None:
    record = Record(tmp_path)
    base = {"procedure_code": "P", "unit_code": "U"}
    dossiers = [base | {"dossier_id": row["name"], "received_at": row["received"], "due_at": row["due"]}
                for row in DRAWN]  # fmt: skip
    events = [{"dossier_id": row["name"], "kind": one.kind, "happened_at": one.at, "due_at": one.due_at,
               "reason": one.reason} for row in DRAWN for one in row["events"]]  # fmt: skip
    term = {"procedure_code": "P", "procedure_name": "P", "sector_code": "S", "legal_working_days": TERM_DAYS}
    chunks = [Chunk("procedure", [term]), Chunk("dossier", dossiers), Chunk("event", events)]
    record.append(iter(chunks), source="drawn", arrived_at=ARRIVED)
    with record.connect() as con:
        for until in sorted({row["until"] for row in DRAWN}):
            with case_states(con, ARRIVED, VIETNAM, until=until) as relation:
                found = {row["dossier_id"]: row for row in relation.to_arrow_table().to_pylist()}
            for row in DRAWN:
                if row["until"] != until:
                    continue
                got = found[row["name"]]
                lawful = got["lawful_due_at"] and got["lawful_due_at"].replace(tzinfo=UTC)
                said = (got["phase"], got["late"], got["late_first"], lawful, set(got["flags"]))
                assert said == row["expected"], row["name"]


def test_the_table_has_the_cases_of_the_issue_and_thirty_more() -> None:
    assert len(DRAWN) >= 37
    assert {name[0] for name in (row["name"] for row in DRAWN)} >= set("abcdfg")


def test_half_a_day_counts_half() -> None:
    half = PLAIN_WEEK.with_days({date(2026, 9, 8): PLAIN_WEEK.week[0][:1]})
    events = [Happening("papers_requested", _at("09-08 08:00")), Happening("papers_supplied", _at("09-09 08:00"))]
    state = replay(_at("09-07 08:00"), _at("09-09 17:30"), events, _at("09-09 12:00"), half)
    assert (state.citizen_hours, state.lawful_due_at) == (4, _at("09-10 12:00"))


def test_a_row_told_anew_does_not_move_the_first_promise(tmp_path: Path) -> None:
    """T8: a portal sends the row again with whatever date now stands in it; within a day that corrects the slip."""
    record = Record(tmp_path)
    base = {"procedure_code": "P", "unit_code": "U", "received_at": _at("09-07 08:00")}

    def row(name: str, due: str, known: str) -> Drawn:
        return base | {"dossier_id": name, "due_at": _at(due), "known_at": _at(known)}

    rows = [
        row("moved", "09-09 17:30", "09-07 08:00"), row("moved", "09-18 17:30", "09-10 09:00"),
        row("corrected", "09-08 17:30", "09-07 08:00"), row("corrected", "09-18 17:30", "09-07 15:00"),
        row("at once", "09-18 17:30", "09-07 08:00"), row("at once", "09-09 17:30", "09-07 08:00"),
    ]  # fmt: skip
    record.append(iter([Chunk("dossier", rows)]), source="drawn", arrived_at=ARRIVED)
    with record.connect() as con, case_states(con, _at("09-15 08:00"), VIETNAM) as relation:
        found = {row["dossier_id"]: row for row in relation.to_arrow_table().to_pylist()}
    assert {name: (one["late"], one["lawful_due_at"].replace(tzinfo=UTC)) for name, one in found.items()} == {
        "moved": (True, _at("09-09 17:30")), "corrected": (False, _at("09-18 17:30")),
        "at once": (True, _at("09-09 17:30")),
    }  # fmt: skip


# --- the slow oracle: quarter of an hour after quarter of an hour, a promise that is pushed on while the clock stands

QUARTER = timedelta(minutes=15)


class Oracle:
    """The lawful clock by brute force; every moment lies on a quarter of an hour, every office opens on one."""

    def __init__(self, received: datetime, due: datetime | None, events: list[Happening], calendar: Calendar) -> None:
        self.calendar, self.received = calendar, received
        self.events = [one for one in events if one.at >= received or
                       (one.kind in ALL_ENDS and received - one.at <= timedelta(minutes=15))]  # fmt: skip
        self.first = due
        self.base: tuple[datetime, bool] | None = None
        self.source: tuple[datetime, bool] | None = None
        self.stopped = self.missed = False

    def works(self, at: datetime) -> bool:
        return self.calendar.working_hours(at, at + QUARTER) > 0

    def push(self, at: datetime) -> datetime:
        """One working quarter after the worked time of `at`."""
        while not self.works(at):
            at += QUARTER
        return at + QUARTER

    def behind(self, promise: datetime, pushed: bool, at: datetime) -> bool:
        if not pushed:
            return at > promise
        return self.calendar.working_hours(promise, at) > 0

    def ends(self, events: list[Happening]) -> list[Happening]:
        """The event that ends each round between reopenings."""
        rounds: list[list[Happening]] = [[]]
        for one in events:
            if one.kind == "reopened":
                rounds.append([])
            rounds[-1].append(one)
        found = []
        for part in rounds:
            for kinds in (ENDS, ("delivered",)):
                hits = [one for one in part if one.kind in kinds]
                if hits:
                    found.append(hits[0])
                    break
        return found

    def late(self, until: datetime) -> bool:
        events = sorted((one for one in self.events if one.at < until), key=lambda one: one.at)
        ends = [id(one) for one in self.ends(events)]
        self.start(self.first)
        at, ended_at = self.received, None
        queue = list(events)
        while True:
            while queue and max(queue[0].at, self.received) <= at:
                one = queue.pop(0)
                if one.kind == "reopened" and ended_at is not None:
                    if at - ended_at > timedelta(days=30):
                        self.start(one.due_at)
                        ended_at = None
                        continue
                    ended_at = None
                if ended_at is None:
                    self.take(one, at)
                    if id(one) in ends:
                        ended_at, self.stopped = at, False
            if at >= until:
                runs = ended_at is None and not self.stopped
                return self.missed or (runs and self.behind(self.lawful(), self.pushed(), at))
            following = at + QUARTER
            if ended_at is None and self.stopped:
                if self.works(at) and not self.missed:
                    self.base, self.source = self.pushed_on(self.base), self.pushed_on(self.source)
            elif ended_at is None and not self.missed and self.behind(self.lawful(), self.pushed(), following):
                self.missed = True
            at = following

    def pushed_on(self, promise: tuple[datetime, bool] | None) -> tuple[datetime, bool] | None:
        return promise and (self.push(promise[0]), True)

    def start(self, due: datetime | None) -> None:
        self.base = (due, False) if due else None
        self.source = None
        self.stopped = self.missed = False
        self.extended = 0

    def anchor(self) -> tuple[datetime, bool] | None:
        if self.base and self.source:
            ahead = self.calendar.working_hours(self.base[0], self.source[0])
            return self.source if 0 <= ahead <= 8 else self.base
        return self.base

    def lawful(self) -> datetime:
        anchor = self.anchor()
        return anchor[0] if anchor else datetime.max.replace(tzinfo=UTC)

    def pushed(self) -> bool:
        anchor = self.anchor()
        return bool(anchor and anchor[1])

    def take(self, one: Happening, at: datetime) -> None:
        # a promise past when given, an end or a request in the same moment: the clock ran, for no time, past it
        self.missed = self.missed or (not self.stopped and self.behind(self.lawful(), self.pushed(), at))
        if one.kind in STOPS:
            self.stopped = True
        elif one.kind in (*RUNS, "reopened"):
            self.stopped = False
        if one.due_at is None:
            return
        if self.base is None:
            self.base = (one.due_at, False)
        elif one.kind in SUPPLIES:
            self.source = (one.due_at, False)
        elif one.kind == "extended":
            self.extended += 1
            in_time = self.calendar.working_hours(at, self.lawful()) >= 8
            if self.extended == 1 and one.reason and not self.missed and in_time:
                self.base, self.source = (one.due_at, False), None


_START = local("2026-09-01 08:00")
_KINDS = ("papers_requested", "papers_supplied", "suspended", "resumed", "assigned", "extended", "reset", "decided",
          "delivered", "reopened", "note", "consulted")  # fmt: skip
_quarters = st.integers(-2, 20 * 96)
_course = st.lists(
    st.tuples(_quarters, st.sampled_from(_KINDS), st.none() | st.integers(4, 20 * 96), st.booleans()), max_size=8
)


@given(st.none() | st.integers(4, 12 * 96), _course, st.integers(0, 20 * 96))
@example(due=None, course=[(5, "papers_supplied", 4, False), (5, "decided", None, False)], until=6)
@settings(max_examples=150)
def test_the_twin_is_as_the_slow_oracle_has_it(
    due: int | None, course: list[tuple[int, str, int | None, bool]], until: int
) -> None:
    """Moments a quarter of an hour apart, in any order; ends, pauses, promises, reopenings as they fall."""
    first = None if due is None else _START + due * QUARTER
    events = [
        Happening(
            kind, _START + at * QUARTER, _START + promised * QUARTER if promised else None, "lý do" if why else None
        )
        for at, kind, promised, why in course
    ]
    at = _START + until * QUARTER
    state = replay(_START, first, events, at, VIETNAM)
    early = any(one.kind in ALL_ENDS and one.at < _START - QUARTER and one.at < at for one in events)
    if early and state.ended_at is None:
        assert not state.late
    else:
        assert state.late == Oracle(_START, first, events, VIETNAM).late(at)
