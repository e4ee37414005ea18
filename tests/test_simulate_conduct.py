"""The province in full form: culprits, complaints, inspections, the reform, a change of process."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.calendar.vietnam import VIETNAM
from features.simulate import KINDS, Province, every_unit_monthly, simulate


@pytest.fixture(scope="module")
def province() -> Province:
    return simulate(seed=11, dossiers=40_000)


@pytest.fixture(scope="module")
def dossiers(province: Province) -> pd.DataFrame:
    return province.truth["dossier"].join(province.tables["dossier"], "dossier_id", right_suffix="_row").to_pandas()


def test_every_kind_of_culprit_does_its_kind_of_harm(province: Province, dossiers: pd.DataFrame) -> None:
    official = province.truth["official"].to_pandas().set_index("official_id")
    assert set(official.culprit.dropna()) == set(KINDS)
    harmed = dossiers[dossiers.harm.notna()]
    by_desk = harmed[harmed.harm != "tampering"]
    assert (official.culprit.loc[by_desk.official_id].to_numpy() == by_desk.harm.to_numpy()).all()
    tampered = harmed[harmed.harm == "tampering"]
    assert (official.culprit.loc[tampered.head_id] == "tampering").all()
    assert by_desk.agent_id.isna().all()
    assert harmed.harm_at.notna().all()


def test_what_harm_looks_like_in_the_record(province: Province, dossiers: pd.DataFrame) -> None:
    events = province.tables["event"].to_pandas()
    published = set(";".join(province.tables["procedure"]["papers"].to_pylist()).split(";"))
    asked = events[events.kind == "papers_requested"]
    outside = asked[~asked.papers.isin(published)].dossier_id
    harm = dossiers.set_index("dossier_id").harm
    assert (harm.loc[outside.unique()] == "extra_papers").mean() > 0.5
    rounds = asked.groupby("dossier_id").size()
    repeated = harm[harm == "repeated_supplements"].index.intersection(rounds.index)
    assert rounds.loc[repeated].mean() > 1.5
    assert rounds.loc[rounds.index.difference(repeated)].mean() < 1.3
    pushed = events[events.step == "Chuyển bộ phận khác xem xét"].groupby("dossier_id").size()
    assert (harm.loc[pushed[pushed >= 4].index] == "ping_pong").mean() > 0.8


def test_a_tampering_head_makes_late_dossiers_look_punctual(province: Province, dossiers: pd.DataFrame) -> None:
    tampered = dossiers[dossiers.harm == "tampering"].set_index("dossier_id")
    assert tampered.late.all()
    events = province.tables["event"].to_pandas()
    ends = events[(events.kind == "decided") & events.dossier_id.isin(tampered.index)]
    closed = ends[ends.official_id.isna()].set_index("dossier_id").happened_at
    assert len(closed) > 0
    assert (closed == tampered.due_at.loc[closed.index]).all()
    resets = events[(events.kind == "reset") & events.dossier_id.isin(tampered.index)]
    assert (resets.due_at.to_numpy() > tampered.ended_at.loc[resets.dossier_id].to_numpy()).all()


def test_complaints_are_as_rare_and_as_uneven_as_the_public_figures(province: Province) -> None:
    filed = province.tables["complaint"].to_pandas().drop_duplicates("complaint_id")
    false = province.truth["complaint"].to_pandas().set_index("complaint_id")["false"]
    real = filed[~false.loc[filed.complaint_id].to_numpy()]
    received = province.tables["dossier"].num_rows
    staff = real.topic.isin(["conduct", "extra_papers", "bribe"])
    assert 5 <= len(real) / received * 10_000 <= 14
    assert 0.5 <= staff.sum() / received * 10_000 <= 5
    flooded = province.truth["official"].filter(pc.field("flooded"))["official_id"].to_pylist()
    victims = filed[false.loc[filed.complaint_id].to_numpy()]
    assert set(victims.official_id) == set(flooded)
    assert victims.complainant_id.dropna().groupby(victims.official_id).nunique().max() <= 5


def test_nothing_planted_is_nothing_done() -> None:
    clean = simulate(seed=5, dossiers=5_000, culprits=0)
    official = clean.truth["official"]
    assert official["culprit"].null_count == official.num_rows
    assert not pc.any(official["hard"]).as_py()
    assert not pc.any(official["flooded"]).as_py()
    assert clean.truth["dossier"]["harm"].null_count == clean.truth["dossier"].num_rows
    assert not pc.any(clean.truth["complaint"]["false"]).as_py()


def test_numbers_of_culprits_are_kept_or_refused() -> None:
    official = simulate(seed=5, dossiers=3_000, culprits={"agent": 2}, hard=1, flooded=0).truth["official"]
    assert official["culprit"].drop_null().to_pylist() == ["agent"] * 2
    assert pc.sum(official["hard"]).as_py() == 1
    with pytest.raises(ValueError, match="kinds"):
        simulate(seed=5, dossiers=500, culprits={"rude": 1})
    with pytest.raises(ValueError, match="at most"):
        simulate(seed=5, dossiers=500, culprits=400)


def test_findings_are_what_the_team_can_see(province: Province, dossiers: pd.DataFrame) -> None:
    finding = province.tables["finding"].to_pandas().drop_duplicates("finding_id")
    visit = province.tables["inspection"].to_pandas().set_index("inspection_id")
    severity = province.truth["team"].to_pandas().set_index("team_id").severity
    finding["visited_at"] = visit.visited_at.loc[finding.inspection_id].to_numpy()
    finding["eye"] = severity.loc[visit.team_id.loc[finding.inspection_id]].to_numpy()
    seen = finding.merge(dossiers[["dossier_id", "harm", "harm_at"]], on="dossier_id")
    there = seen[seen.harm.notna() & (seen.harm_at < seen.visited_at)]
    found = ~there.kind.isin(["none", "lateness"])
    assert found[there.eye > 0.8].mean() > found[there.eye < 0.6].mean()
    honest = seen[seen.harm.isna()]
    assert honest.kind.isin(["harassment", "other"]).mean() < 0.02
    assert (finding.known_at > finding.visited_at).all()
    drawn = finding[finding.chosen_by == "draw"]
    assert drawn.probability.between(0, 1, inclusive="right").all()
    assert finding[finding.chosen_by != "draw"].probability.isna().all()


def test_each_unit_is_visited_once_a_month(province: Province) -> None:
    visits = province.tables["inspection"].to_pandas()
    months = visits.groupby(["unit_code", visits.visited_at.dt.strftime("%Y-%m")]).size()
    assert (months == 1).all()
    pulled = province.tables["finding"].to_pandas().drop_duplicates("finding_id").groupby("inspection_id").size()
    assert pulled.max() == 20


def test_two_policies_see_the_same_finding_on_the_same_dossier(province: Province) -> None:
    few, many = every_unit_monthly(visits=4), every_unit_monthly(visits=12, random_share=1.0)
    found = []
    for policy in (few, many):
        inspectorate, rng = province.inspectorate(), np.random.default_rng(0)
        month = inspectorate.months()[2]
        rows = inspectorate.visit(month, policy(inspectorate.eligible(month), month, rng))["finding"].to_pandas()
        found.append(rows.drop_duplicates("finding_id").set_index("dossier_id").kind)
    both = found[0].index.intersection(found[1].index)
    assert len(both) > 20
    assert (found[0].loc[both] == found[1].loc[both]).all()


def test_a_dossier_is_pulled_once_and_bad_choices_are_named(province: Province) -> None:
    inspectorate = province.inspectorate()
    month = inspectorate.months()[0]
    chosen = inspectorate.eligible(month).slice(0, 5).select(["dossier_id"])
    inspectorate.visit(month, chosen)
    after = inspectorate.eligible(month)["dossier_id"].to_pylist()
    assert not set(chosen["dossier_id"].to_pylist()) & set(after)
    with pytest.raises(ValueError, match="dossiers of this province"):
        inspectorate.visit(month, pa.table({"dossier_id": ["nobody's"]}))
    with pytest.raises(ValueError, match="month"):
        inspectorate.visit(date(2019, 1, 1), chosen)


def test_the_reform_ends_districts_and_moves_officials() -> None:
    day = date(2026, 2, 1)
    tables = simulate(seed=2, dossiers=6_000, reform=day).tables
    cut = pd.Timestamp(day, tz="Asia/Ho_Chi_Minh").tz_convert("UTC")
    unit = tables["unit"].to_pandas().set_index("unit_code")
    old = unit[unit.valid_to.notna()]
    heirs = unit[unit.succeeds.notna()]
    assert len(old) > 0
    assert (old.valid_to == cut).all()
    assert (heirs.valid_from == cut).all()
    assert set(heirs.succeeds) == set(old.index)
    events = tables["event"].to_pandas()
    assert (events[events.unit_code.isin(old.index)].happened_at < cut).all()
    assert (events[events.unit_code.isin(heirs.index)].happened_at >= cut).all()
    official = tables["official"].to_pandas()
    places = official.groupby("official_id").unit_code.nunique()
    assert places.max() == 2
    departments = official[official.unit_code.isin(unit[unit.level == "department"].index)]
    assert departments.official_id.isin(places[places == 2].index).any()


def test_a_change_of_process_is_felt_where_it_was_planted() -> None:
    day = date(2026, 2, 1)
    province = simulate(seed=2, dossiers=12_000, change=day)
    rows = province.truth["dossier"].join(province.tables["dossier"], "dossier_id", right_suffix="_row").to_pandas()
    rows = rows[rows.received_at < pd.Timestamp(2026, 7, 1, tz="UTC")]
    land = rows.unit_code == "H99.24"
    after = rows.received_at >= pd.Timestamp(day, tz="UTC")
    assert rows[land & after].late.mean() > rows[land & ~after].late.mean() + 0.15


@pytest.mark.slow
def test_two_hundred_thousand_dossiers_take_less_than_a_minute() -> None:
    from time import process_time

    begin = process_time()
    province = simulate(seed=1, dossiers=200_000)
    assert process_time() - begin < 60
    assert province.tables["event"].num_rows > 1_900_000


def test_who_is_worn_down_withdraws_and_comes_again() -> None:
    tables = simulate(seed=4, dossiers=8_000, culprits={"repeated_supplements": 6}, hard=0, flooded=0).tables
    event = tables["event"].to_pandas()
    gone = event[event.kind == "withdrawn"].set_index("dossier_id").happened_at
    rounds = event[event.kind == "papers_requested"].groupby("dossier_id").size()
    dossier = tables["dossier"].to_pandas().set_index("dossier_id")
    worn = gone.index.intersection(rounds[rounds >= 2].index)
    again = 0
    for code in worn:
        key = dossier.loc[code, ["applicant_id", "procedure_code", "unit_code"]]
        same = dossier[(dossier[["applicant_id", "procedure_code", "unit_code"]] == key).all(axis=1)]
        again += bool((same.submitted_at > gone[code]).any())
    assert again >= max(1, len(worn) // 4)


def test_prevalence_is_what_a_full_pull_by_perfect_eyes_would_find(province: Province) -> None:
    table = province.truth["prevalence"].to_pandas().set_index("month")
    inspectorate = province.inspectorate()
    for month in inspectorate.months()[:2]:
        pool = inspectorate.eligible(month)
        assert table.dossiers[month] >= pool.num_rows
        finding = inspectorate.visit(month, pool)["finding"].to_pandas().drop_duplicates("finding_id")
        found = finding.kind.isin(["harassment", "extra_papers", "tampering"]).sum()
        assert 0.4 * table.harmed[month] < found < 1.2 * table.harmed[month] + 20
    assert 0.004 < table.share.mean() < 0.02


def test_visits_take_place_on_working_days(province: Province) -> None:
    visited = province.tables["inspection"]["visited_at"].to_pylist()
    assert all(VIETNAM.hours(at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()) for at in visited)
    assert len({at.date() for at in visited}) > 100


def test_the_harmed_complain_about_staff_far_more_than_others() -> None:
    province = simulate(seed=8, dossiers=20_000, culprits={"extra_papers": 30}, hard=0, flooded=0, policy=None)
    harmed = province.truth["dossier"].to_pandas().set_index("dossier_id").harm.notna()
    filed = province.tables["complaint"].to_pandas().drop_duplicates("complaint_id")
    meant = province.truth["complaint"].to_pandas().set_index("complaint_id").dossier_id
    staff = filed[filed.topic.isin(["conduct", "extra_papers", "bribe"])]
    of_harmed = harmed.loc[meant.loc[staff.complaint_id]]
    rate, others = of_harmed.sum() / harmed.sum(), (~of_harmed).sum() / (~harmed).sum()
    assert 0.003 < rate < 0.05
    assert rate > 20 * others
