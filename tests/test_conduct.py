"""Conduct against peers: charged to whose act it was, held against the same procedures, silent on few dossiers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals import evaluate, evaluate_held
from features.signals.acts import acts
from features.signals.conduct_year import conduct_year
from features.signals.handled import FAMILIES, handled
from models.artefact import ArtefactError
from models.booster import TreeMember
from models.conduct import against_peers, dossiers
from models.conduct import forecast as told_forecast
from models.conduct_peers import officials, units
from models.finding_matrix import SHOWN
from models.official_artefact import load, save
from models.official_forecast import CountRule, OfficialForecast
from serving.scoring import conduct_lists
from tests import drawn_chances as drawn
from tests.drawn_record import connect_drawn

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
BEGIN = datetime(2026, 1, 5, 1, tzinfo=UTC)


def course(number: int, official: str, rounds: int) -> tuple[dict[str, object], list[dict[str, object]]]:
    """A dossier that `official` handles, who asks for papers `rounds` times; o9 forwards it to them."""
    key, at = f"d{number}", BEGIN + timedelta(days=number % 100)
    told = [("assigned", 1, "o9"), *(("papers_requested", 24 * (r + 1), official) for r in range(rounds))]
    told.append(("decided", 24 * 6, official))
    events: list[dict[str, object]] = [
        {
            "dossier_id": key,
            "kind": kind,
            "happened_at": (at + timedelta(hours=hours)).isoformat(),
            "official_id": who,
            "unit_code": "U" + who[1],
        }
        for kind, hours, who in told
    ]
    due = (at + timedelta(days=30)).isoformat()
    return {
        "dossier_id": key, "procedure_code": "P", "unit_code": "U1", "received_at": at.isoformat(), "due_at": due
    }, events  # fmt: skip


def office(tmp_path: Path, rounds: dict[str, list[int]]) -> Any:
    """A record in which each official handles one dossier for each entry of their list."""
    drawn = [course(n, who, k) for n, (who, k) in enumerate((w, k) for w, ks in rounds.items() for k in ks)]
    record = Record(tmp_path / "record")
    events = [event for _, told in drawn for event in told]
    record.append([Chunk("dossier", [d for d, _ in drawn]), Chunk("event", events)], source="t", arrived_at=AS_OF)
    return record.connect()


PEERS = {f"o{n}": [1] * 38 + [2] * 2 for n in range(1, 7)}
POSTS = {f"o{n}": "specialist" for n in range(9)} | {"o9": "desk"}


def test_a_signal_is_charged_to_whose_act_it_was_and_to_nobody_else(tmp_path: Path) -> None:
    told = handled(office(tmp_path, {"o1": [2, 1]}), AS_OF).to_pylist()
    charged = {(row["official_id"], row["dossier_id"]): row["papers"] for row in told}
    assert charged == {("o1", "d0"): True, ("o1", "d1"): False, ("o9", "d0"): False, ("o9", "d1"): False}


def test_who_asks_again_and_again_stands_out_and_peers_do_not(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2] * 30 + [1] * 10})
    standings = officials(handled(con, AS_OF), POSTS)
    first = standings[0]
    assert (first.key, first.family, first.flag, first.n, first.observed) == ("o7", "papers", True, 40, 30)
    assert first.low > 1.5
    assert not any(one.flag for one in standings[1:])


USUAL = {f"o{n}": 2 for n in range(1, 9)}
AGENT_CASES = [  # how many of 20 dossiers with an agent go fast, by official
    (USUAL | {"o1": 18}, ["o1"]),
    (USUAL | {"o1": 4}, []),
    ({f"o{n}": 18 for n in range(1, 9)}, []),
]


@pytest.mark.parametrize(("fast", "flagged"), AGENT_CASES)
def test_who_lets_dossiers_wait_until_an_agent_comes_stands_out(tmp_path: Path, fast: Any, flagged: Any) -> None:
    rows: drawn.Rows = {}
    for who, hits in fast.items():
        for number in range(20):
            for table, told in drawn.agent_at_half("A", int(who[1]), number, number < hits).items():
                rows.setdefault(table, []).extend(told)
    acted = handled(connect_drawn(tmp_path, **rows), drawn.AS_OF)
    charged = {(row["official_id"], row["agents"]) for row in acted.to_pylist()}
    assert charged >= {("A-o2", None), ("A-o2", True), ("A-o2", False)}
    post = {who: "specialist" if "-o" in who else "head" for who in acted["official_id"].to_pylist()}
    standings = officials(acted, post)
    assert [one.key for one in standings if one.flag] == [f"A-{who}" for who in flagged]
    if flagged:
        first = standings[0]
        assert (first.key, first.family, first.observed, first.n) == ("A-o1", "agents", 18, 40)


def test_under_twenty_dossiers_there_is_no_figure(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2] * 19})
    one = next(one for one in officials(handled(con, AS_OF), POSTS) if one.key == "o7")
    assert (one.score, one.flag, one.n) == (None, False, 19)


def test_a_unit_stands_as_its_officials_do(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2] * 30 + [1] * 10})
    assert units(handled(con, AS_OF), POSTS, {})[0].key == "U7"


def test_what_becomes_known_later_charges_nobody(tmp_path: Path) -> None:
    con = office(tmp_path, {"o1": [2] * 5})
    early = handled(con, BEGIN + timedelta(hours=30))
    assert not any(any(row[family] for family in FAMILIES) for row in early.to_pylist())


def test_a_dossier_is_ranked_by_how_unusual_its_signals_are_and_says_it_is_no_finding(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2]})
    lines = dossiers(con, ["d240", "d0"], conduct_year(con, AS_OF, SHOWN))
    assert [line.dossier_id for line in lines] == ["d240"]
    assert lines[0].score is not None
    assert 0.9 < lines[0].score < 1
    assert "không phải kết luận" in lines[0].reasons_vi
    assert "n = 241" in lines[0].reasons_vi


def test_the_year_told_at_once_says_what_each_question_says_by_itself(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2] * 30 + [1] * 10})
    later = AS_OF + timedelta(days=366)  # nothing happened in the year before
    for at in (AS_OF, BEGIN + timedelta(hours=30), later):
        year = conduct_year(con, at, SHOWN)
        acted = handled(con, at)
        assert year.handled.equals(acted)
        assert year.acts.equals(acts(con, acted, at))
        for grain, rows in year.held.items():
            assert rows == evaluate_held(con, at, grain).to_pylist()
        ids = pa.array([f"d{n}" for n in range(250)])
        asked = pa.table({"dossier_id": ids, "as_of": pa.array([at] * 250, pa.timestamp("us", "UTC"))})
        alone = evaluate(con, asked, SHOWN).select(["dossier_id", "signal", "value"])
        told = year.of_dossiers(con, ids)
        assert sorted(map(str, told.to_pylist())) == sorted(map(str, alone.to_pylist()))
    assert not year.handled.num_rows
    assert told.num_rows, "signals of dossiers outside the year are told all the same"


def test_lists_of_every_grain_are_written_whole_and_read_back(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2] * 30 + [1] * 10})
    found = conduct_lists.lines(con, tmp_path / "models", AS_OF)
    folder = conduct_lists.write(found, tmp_path / "scores", AS_OF)
    assert sorted(path.name for path in folder.iterdir()) == ["dossier.parquet", "official.parquet", "unit.parquet"]
    table = conduct_lists.read(tmp_path / "scores", AS_OF, "official")
    assert table is not None
    assert table.column_names == conduct_lists.COLUMNS
    assert table["official_id"][0].as_py() == "o7"
    assert table["rank"].to_pylist() == list(range(1, table.num_rows + 1))


def test_without_random_findings_every_dossier_line_says_that_it_is_no_probability(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS | {"o7": [2]})
    # o7's dossier is still open two days after it came in
    found = conduct_lists.lines(con, tmp_path / "models", BEGIN + timedelta(days=40 + 2, hours=6))["dossier"]
    assert found
    for line in found:
        assert "không phải là xác suất" in line.reasons_vi
        assert "no probability" in line.reasons_en


def test_a_rate_is_that_of_the_own_post_and_a_lone_expert_is_not_flagged(tmp_path: Path) -> None:
    con = office(tmp_path, {"o1": [1] * 40 + [2] * 12, "o2": [1] * 40})
    one = next(one for one in officials(handled(con, AS_OF), POSTS) if one.key == "o1")
    assert one.observed == 12
    assert one.low > 1.5
    assert not one.flag, "with one peer a hard procedure looks like a hard official"


def test_a_desk_gets_no_line(tmp_path: Path) -> None:
    con = office(tmp_path, PEERS)
    told = officials(handled(con, AS_OF), POSTS)
    desk = replace(told[0], key="Cán bộ một cửa")
    assert [line.official_id for line in against_peers([desk, told[1]], "official")] == [told[1].key]


def forecast() -> OfficialForecast:
    import lightgbm
    import numpy as np

    x = np.random.default_rng(0).normal(size=(200, 2))
    data = lightgbm.Dataset(x, x[:, 0] > 0)
    made = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 3)
    rule = CountRule("r", "reported_ever", "watched_years", 0.5)
    return OfficialForecast("reported", ("a", "b"), (TreeMember(made.model_to_string()),), rule, "model", {"low": 0.1})


def test_a_forecast_on_fewer_than_three_complainants_tells_no_figure(tmp_path: Path) -> Any:
    def complaint(key: str, official: str, who: str) -> dict[str, object]:
        at = (AS_OF - timedelta(days=20)).isoformat()
        return {"complaint_id": key, "official_id": official, "complainant_id": who, "filed_at": at}

    record = Record(tmp_path / "record")
    people = [{"official_id": key, "unit_code": "U"} for key in ("o1", "o2", "o3", "admin")]
    named = [complaint(f"{official}{n}", official, f"p{n}")
             for official, many in (("o1", 3), ("o2", 2), ("admin", 5)) for n in range(many)]  # fmt: skip
    record.append([Chunk("official", people), Chunk("complaint", named)], source="t", arrived_at=AS_OF)
    rule = OfficialForecast("reported", (), (), CountRule("r", "reported_ever", "watched_years", 0.5), "rule", {})
    lines = told_forecast(record.connect(), rule, AS_OF)
    assert [(line.official_id, line.score is None, line.n) for line in lines] == [
        ("o1", False, 3), ("o2", True, 2), ("o3", True, 0),
    ]  # fmt: skip
    assert "3 người" in lines[1].reasons_vi


def test_forecasts_survive_the_disk_and_a_changed_file_is_refused(tmp_path: Path) -> None:
    whole = forecast()
    sha256 = save({"reported": whole}, {"cutoff": "x"}, tmp_path)
    back = load(tmp_path, sha256=sha256)["reported"]
    history = pa.table({"a": [0.1, 2.0], "b": [1.0, None]})
    assert back.score(history).tolist() == whole.score(history).tolist()
    text = tmp_path / "reported_0.txt"
    text.write_bytes(text.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    with pytest.raises(ArtefactError, match="not those that were trained"):
        load(tmp_path, sha256=sha256)


def test_another_manifest_is_refused(tmp_path: Path) -> None:
    save({"reported": forecast()}, {}, tmp_path)
    with pytest.raises(ArtefactError, match="sha256"):
        load(tmp_path, sha256="0" * 64)


def lent(number: int, holder: str, account: str, rounds: int) -> tuple[dict[str, object], list[dict[str, object]]]:
    """A dossier assigned to `holder`, who has it before and after requests for papers under `account`."""
    dossier, events = course(number, account, rounds)
    asked = [event for event in events if event["kind"] == "papers_requested"]
    at = BEGIN + timedelta(days=number % 100)
    told = [("assigned", 1, holder), ("papers_supplied", 24 * 5, holder), ("decided", 24 * 6, "o9")]
    mine: list[dict[str, object]] = [
        {
            "dossier_id": f"d{number}",
            "kind": kind,
            "happened_at": (at + timedelta(hours=hours)).isoformat(),
            "official_id": who,
            "unit_code": "U" + holder[1],
        }
        for kind, hours, who in told
    ]
    return dossier, [*mine, *asked]


def test_acts_under_a_colleagues_account_flag_neither_the_colleague_nor_the_holder_but_the_office(
    tmp_path: Path,
) -> None:
    rows = [course(n, who, k) for n, (who, k) in enumerate((w, k) for w, ks in PEERS.items() for k in ks)]
    rows += [lent(1000 + n, "o7", "o8", 2) for n in range(30)] + [lent(1100 + n, "o7", "o7", 1) for n in range(10)]
    for _, events in rows:
        for event in events:
            if event["official_id"] == "o8":
                event["unit_code"] = "U7"
    record = Record(tmp_path / "record")
    told = [event for _, events in rows for event in events]
    record.append([Chunk("dossier", [d for d, _ in rows]), Chunk("event", told)], source="t", arrived_at=AS_OF)
    acted = handled(record.connect(), AS_OF)
    charged = {row["official_id"] for row in acted.to_pylist() if row["papers"] and row["official_id"] in ("o7", "o8")}
    assert charged == {"o7"}
    standing = {one.key: one for one in officials(acted, POSTS)}
    assert standing["o7"].observed == 30
    assert not any(one.flag for one in standing.values())
    assert [one.key for one in units(acted, POSTS, {}) if one.flag] == ["U7"]
