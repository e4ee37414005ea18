"""After a merger of units: officials in roster form and in canonical form keep the history they had before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.key_file import key_file
from features.record.delivery import Chunk
from features.record.positions import positions
from features.record.record import Record
from features.signals.handled import handled
from features.sources.pseudonyms import Pseudonyms
from serving.access.permissions import Reach, scope_of
from serving.read.register import Register
from serving.work.intake import take_in
from tests.drawn_office import settings_of
from tests.drawn_record import progress, synced, write_json

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AN, BINH = "Nguyễn Văn An", "Trần Thị Bình"
OLD = [
    {"code": code, "name": name, "level": "COMMUNE", "parent": "H99", "valid_from": "2015-07-04",
     "valid_to": "2026-08-31"} for code, name in (("H99.104", "UBND xã Hòa Giả"), ("H99.105", "UBND xã Long Định"))
]  # fmt: skip
NEW = {"code": "H99.204", "name": "UBND xã Hòa Long", "level": "COMMUNE", "parent": "H99", "valid_from": "2026-09-01",
       "succeeds": ["H99.104", "H99.105"]}  # fmt: skip


def post(number: str, name: str, unit: str, begin: str, end: str | None = None) -> dict[str, Any]:
    """One line of a roster."""
    return {"id": number, "display_names": [name], "unit": unit, "position": "Chuyên viên", "is_head": False,
            "from": begin, "to": end}  # fmt: skip


BEFORE = [post("CB-1", AN, "H99.104", "2020-01-01", "2026-08-31"),
          post("CB-2", BINH, "H99.105", "2020-01-01", "2026-08-31")]  # fmt: skip
AFTER = [post("CB-1", AN, "H99.204", "2026-09-01"), post("CB-2", BINH, "H99.204", "2026-09-01")]


class Office:
    """A home into which deliveries come, as the command takes them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.settings = folder, settings_of(folder / "home")
        self.record = Record(self.settings.record_url)
        self.notes: list[str] = []

    def take(self, source: str, value: object) -> None:
        path = write_json(self.folder / f"in{len(list(self.folder.glob('in*')))}.json", value)
        made = take_in(self.settings, path, source, arrived_at=NOW)
        assert made.rejected == 0
        self.notes += made.notes

    def steps(self, *told: tuple[str, str, str]) -> None:
        """Work on dossiers: code, day, by whom."""
        self.take("dvcqg", [synced(code, f"{day}080000", "20261231170000") for code, day, _ in told]
                  + [progress(code, f"{day}093000", 4, "Thẩm định", who) for code, day, who in told])  # fmt: skip

    @property
    def workers(self) -> dict[str, str]:
        """Of each dossier who worked on it."""
        rows = self.record.connect().execute("SELECT dossier_id, official_id FROM event WHERE official_id IS NOT NULL")
        return {str(code): str(who) for code, who in rows.fetchall()}

    def key(self, name: str, unit: str) -> str:
        found = Pseudonyms(key_file(self.settings.keys / "pseudonyms.key")).official(name, unit)
        assert found
        return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


WORK = [("H99.104-260310-0001", "20260310", AN), ("H99.105-260310-0002", "20260310", BINH)]
LATER = [("H99.204-260910-0003", "20260910", AN), ("H99.204-260910-0004", "20260910", BINH)]


@pytest.mark.parametrize("way", ["both in one roster", "a roster before, another after", "the later one alone"])
def test_an_official_of_a_roster_keeps_the_key_through_a_merger(office: Office, way: str) -> None:
    """The earlier work stands with who did it, wherever they are now, and their new unit's head sees them with it."""
    if way == "both in one roster":
        office.take("roster", {"units": [*OLD, NEW], "officials": AFTER + BEFORE})
        office.steps(*WORK)
    else:
        first = BEFORE if way == "a roster before, another after" else []
        office.take("roster", {"units": OLD, "officials": first})
        office.steps(*WORK)
        office.take("roster", {"units": [NEW], "officials": AFTER})
    office.steps(*LATER)
    an, binh = office.key(AN, "H99.104"), office.key(BINH, "H99.105")
    assert office.workers == dict(zip((one[0] for one in WORK + LATER), (an, binh, an, binh), strict=True))
    con = office.record.connect()
    assert {who: post.unit_code for who, post in positions(con, NOW).items()} == dict.fromkeys((an, binh), "H99.204")
    done = {(row["official_id"], row["unit_code"]) for row in handled(con, NOW).to_pylist()}
    assert done >= {(an, "H99.104"), (an, "H99.204"), (binh, "H99.105"), (binh, "H99.204")}
    register = Register.read(con)
    assert dict(register.officials) == dict.fromkeys((an, binh), "H99.204")
    head = scope_of(Reach.SUBTREE, "H99.204", None, register.tree)
    assert all(head.covers(register.officials[who]) for who in (an, binh))
    units = con.execute("SELECT dossier_id, unit_code FROM dossier_latest").fetchall()
    assert len(units) == 4
    assert all(head.covers(unit) for _, unit in units)


def test_of_two_of_one_name_neither_gets_the_others_history(office: Office) -> None:
    """One name in both units that merged: who it was can't be told from a name, so it is told and kept apart."""
    office.take("roster", {"units": OLD, "officials": [BEFORE[0], post("CB-3", AN, "H99.105", "2020-01-01")]})
    office.steps(WORK[0], ("H99.105-260310-0002", "20260310", AN))
    office.take("roster", {"units": [NEW], "officials": AFTER[:1]})
    office.steps(LATER[0])
    assert len(set(office.workers.values())) == 3
    assert any("official_id: a name of several" in note for note in office.notes)


def test_a_unit_that_was_split_hands_nobody_on_by_name_alone(office: Office) -> None:
    heirs = [NEW | {"code": code, "name": code, "succeeds": ["H99.104"]} for code in ("H99.205", "H99.206")]
    office.take("roster", {"units": OLD, "officials": BEFORE})
    office.steps(*WORK)
    # the number of the roster is the source's own word: it goes on where a name would not
    moved = [post("CB-1", AN, "H99.205", "2026-09-01"), post("CB-9", AN, "H99.206", "2026-09-01")]
    office.take("roster", {"units": heirs, "officials": BEFORE + moved})
    office.steps(("H99.205-260910-0003", "20260910", AN), ("H99.206-260910-0004", "20260910", AN))
    who = office.workers
    assert who["H99.205-260910-0003"] == who["H99.104-260310-0001"] == office.key(AN, "H99.104")
    assert who["H99.206-260910-0004"] == office.key(AN, "H99.206")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("live", [False, True])
def test_an_official_of_canonical_tables_moves_with_the_unit(tmp_path: Path, live: bool, turned: bool) -> None:
    """Both posts under one key, told at once, in either order: the present one counts, the work of both stays."""
    units = [
        {"unit_code": "old 1", "valid_to": "2026-09-01"}, {"unit_code": "old 2", "valid_to": "2026-09-01"},
        {"unit_code": "new", "valid_from": "2026-09-01", "succeeds": "old 1;old 2"},
    ]  # fmt: skip
    posts = [
        {"official_id": f"o{n}", "unit_code": unit, "valid_from": begin, "valid_to": end}
        for n in range(8) for unit, begin, end in (
            (f"old {n % 2 + 1}", "2020-01-01", "2026-09-01"), ("new", "2026-09-01", None))
    ]  # fmt: skip
    dossiers = [
        {"dossier_id": f"{n} {unit}", "procedure_code": "p", "unit_code": unit, "received_at": at}
        for n in range(8) for unit, at in ((f"old {n % 2 + 1}", "2026-03-02T08:00"), ("new", "2026-09-09T08:00"))
    ]  # fmt: skip
    events = [
        {"dossier_id": one["dossier_id"], "kind": "assigned", "official_id": f"o{one['dossier_id'][0]}",
         "unit_code": one["unit_code"], "happened_at": one["received_at"]} for one in dossiers
    ]  # fmt: skip
    record = Record(tmp_path)
    tables = {"unit": units, "official": posts[::-1] if turned else posts, "dossier": dossiers, "event": events}
    chunks = [Chunk(name, rows) for name, rows in tables.items()]
    assert record.append(chunks, source="canonical", arrived_at=NOW, live=live).rejected == 0
    con = record.connect()
    register = Register.read(con)
    assert dict(register.officials) == {f"o{n}": "new" for n in range(8)}
    later = positions(con, NOW + timedelta(days=1))
    assert {who: post.unit_code for who, post in later.items()} == dict(register.officials)
    head = scope_of(Reach.SUBTREE, "new", None, register.tree)
    assert all(head.covers(str(one["unit_code"])) for one in dossiers)
    done = {(row["official_id"], row["unit_code"]) for row in handled(con, NOW + timedelta(days=1)).to_pylist()}
    assert done >= {(f"o{one['dossier_id'][0]}", one["unit_code"]) for one in dossiers}
