"""What is published tells of no few people: by itself, by sums and differences, and by two packs side by side."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from serving.reports import publication
from serving.reports.make import make_kind
from serving.reports.period import Period
from serving.reports.report import Column, Figure, Report, Rows, Table
from serving.reports.small_numbers import CountSpan, K, refuse_counts, share, whole, without
from serving.state import open_state
from serving.state.report import PublicationPack
from tests.drawn_people import NOW, staffed_office

MONTH = "2026-02"
OFFICES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)).map(lambda one: (sum(one), one[1])), min_size=1,
                   max_size=4)  # fmt: skip
"""Of each office: received, and of these overdue."""


def possible(parts: list[int], total: CountSpan) -> list[tuple[int, ...]]:
    """Every course that an onlooker can think of: counts in the bands told, and their sum in the whole's."""
    bands = [CountSpan.of(part) for part in parts]
    found = product(*(range(one.low, one.high + 1) for one in bands))
    return [counts for counts in found if total.low <= sum(counts) <= total.high]


@settings(max_examples=150)
@given(OFFICES)
def test_no_sum_or_whole_minus_parts_leaves_fewer_than_k_counts(offices: list[tuple[int, int]]) -> None:
    for column in (0, 1):
        parts = [one[column] for one in offices]
        total = whole(parts)
        courses = possible(parts, total)
        assert tuple(parts) in courses, "what is told is true"
        for n in range(len(parts)):
            assert len({course[n] for course in courses}) >= K
        assert len({sum(course) for course in courses}) >= K


@settings(max_examples=150)
@given(OFFICES, OFFICES)
def test_no_difference_of_two_months_or_complement_leaves_fewer_than_k(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    for (came, late), (came_then, late_then) in zip(one, other, strict=False):
        of, part, then = CountSpan.of(came), CountSpan.of(late), CountSpan.of(came_then)
        rests = {
            n - bad for n in range(of.low, of.high + 1) for bad in range(part.low, part.high + 1) if bad <= n
        }  # fmt: skip
        assert came - late in rests
        assert len(rests) >= K
        rest = without(part, of)
        assert (min(rests), max(rests)) == (rest.low, rest.high)
        for first, second in ((of, then), (part, CountSpan.of(late_then))):
            steps = {a - b for a in range(first.low, first.high + 1) for b in range(second.low, second.high + 1)}
            assert len(steps) >= 2 * K - 1


@given(st.integers(0, 200), st.integers(0, 200))
def test_points_say_no_more_than_the_bands_that_they_are_of(came: int, more: int) -> None:
    of = CountSpan.of(came + more)
    told = share(CountSpan.of(came), of, 20, 1)
    assert all(
        share(CountSpan.of(other), of, 20, 1) == told
        for other in range(CountSpan.of(came).low, CountSpan.of(came).high + 1)
    )
    assert not told or of.low >= 4 * K


def report_of(**parts: object) -> Report:
    period = Period.ending(MONTH, 1, ZoneInfo(VIETNAM.zone))
    plain = Report("publication", "v", "e", period, "tỉnh", NOW, 1, (), (), (), ())
    return replace(plain, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parts",
    [
        {"figures": (Figure("Quá hạn", "overdue", 3),)},
        {"figures": (Figure("Quá hạn", "overdue", "dưới 5", before=2),)},
        {"tables": (Table("t", "t", (Column("Đơn vị"), Column("Trễ")), (("x1", 1),)),)},
        {"tables": (Table("t", "t", (Column("Đơn vị"), Column("Trễ")), (), total=("cộng", 1.5)),)},
        {"rows": (Rows("R1", "hồ sơ", ("Mã",), (("H1",),)),)},
    ],
)  # fmt: skip
def test_a_bare_number_or_a_list_of_dossiers_stops_a_publication(parts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"publication|band"):
        refuse_counts(report_of(**parts), open_rows=["R9"])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return staffed_office(tmp_path_factory.mktemp("office"), dossiers=8).home


def test_a_second_pack_of_a_month_repeats_its_counts(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "add_published_positive", lambda draft, basis: None)
    record, state = Record(str(office / "record")), open_state(f"sqlite:///{office / 'state.db'}")
    later = NOW + timedelta(hours=2)
    with state.writing() as session:

        def pack(now: datetime) -> PublicationPack:
            return publication.propose(record, session, MONTH, now, VIETNAM, "công bố tháng", by=1, now=now)

        first, rival = pack(NOW), pack(NOW + timedelta(minutes=1))
        publication.decide(session, first, True, "đã đối chiếu", by=2, now=NOW + timedelta(minutes=2))
        with pytest.raises(ValueError, match="was approved since"):
            publication.decide(session, rival, True, "đã đối chiếu", by=2, now=later)
        received = datetime(2026, 2, 3, 2, tzinfo=UTC)
        known = {"known_at": NOW + timedelta(hours=1)}
        new = [
            {"dossier_id": f"N{n}", "procedure_code": "1.001000", "unit_code": "x2", "received_at": received,
             "due_at": received + timedelta(days=1), **known}
            for n in range(3 * K)
        ]  # fmt: skip
        record.append([Chunk("dossier", new)], source="canonical", arrived_at=NOW + timedelta(hours=1))
        told = [publication.pack_report(record, session, one, VIETNAM) for one in (first, pack(later))]
        assert told[0].figures == told[1].figures
        assert told[0].tables == told[1].tables
        fresh = make_kind(record, session, "publication", publication.PACK, MONTH, later, VIETNAM)
        assert fresh.figures != told[1].figures, "the record has moved on; what was published has not"
    state.close()
