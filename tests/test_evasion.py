"""How a made-up province hides what is done in it: accounts, silence, honest acts that look alike; and what holds."""

from datetime import timedelta
from typing import Any, cast

import pandas as pd
import pytest

from features.case_state.kinds import ENTERED
from features.simulate import Province, simulate
from features.simulate.evasion import Evasion
from tests.bench.replay.evasion import HiddenTrial, card, hidden_trial
from tests.bench.replay.plan_yield import Found, Yield

SIZE, SEED = 4_000, 5


def province(**shares: float) -> Province:
    return simulate(seed=SEED, dossiers=SIZE, evasion=Evasion(**shares) if shares else None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain() -> Province:
    return province()


def events(of: Province) -> pd.DataFrame:
    return of.tables["event"].to_pandas()


def acts_in_harmed(of: Province) -> pd.DataFrame:
    """Acts in dossiers that were misused, with the culprit who did so by the truth."""
    truth = of.truth["dossier"].to_pandas()
    harmed = truth[truth.harm.notna() & (truth.harm != "tampering")][["dossier_id", "official_id"]]
    told = events(of)
    return told[told.kind.isin(ENTERED)].merge(harmed, on="dossier_id", suffixes=("", "_culprit"))


def test_nothing_hidden_is_the_plain_province(plain: Province) -> None:
    assert events(province(colleague=0.0)).equals(events(plain))


def test_under_a_colleague_no_act_of_a_culprit_stands_under_their_own_account(plain: Province) -> None:
    own = acts_in_harmed(plain)
    hidden = acts_in_harmed(province(colleague=1.0))
    assert len(own) == len(hidden) > 50
    share = (own.official_id == own.official_id_culprit).mean()
    assert share > 0.4
    assert (hidden.official_id == hidden.official_id_culprit).mean() < 0.1 * share, (
        "but for who sits alone in an office"
    )
    half = acts_in_harmed(province(colleague=0.5))
    assert 0.3 * share < (half.official_id == half.official_id_culprit).mean() < 0.7 * share


def test_what_is_hidden_are_names_alone(plain: Province) -> None:
    hidden = events(province(colleague=1.0))
    for name in ("dossier_id", "kind", "happened_at", "unit_code", "step", "papers"):
        assert hidden[name].equals(events(plain)[name]), name


def test_a_shared_desk_takes_the_acts_of_its_specialists(plain: Province) -> None:
    posts = plain.tables["official"].to_pandas().drop_duplicates("official_id").set_index("official_id").position
    told = events(province(shared=1.0))
    acts = told[told.kind.isin(ENTERED) & told.official_id.notna()]
    usual = events(plain)
    before = usual[usual.kind.isin(ENTERED) & usual.official_id.notna()]
    assert acts.official_id.nunique() < before.official_id.nunique() / 2
    assert set(before.official_id.map(posts).dropna()) == {"Chuyên viên", "Lãnh đạo"}
    assert set(acts.official_id.map(posts).dropna()) == {"Công chức một cửa", "Lãnh đạo"}


def test_suppressed_complaints_stop_in_the_last_days_and_only_about_culprits(plain: Province) -> None:
    silent = province(suppressed=1.0)
    before, after = (one.tables["complaint"].to_pandas().drop_duplicates("complaint_id") for one in (plain, silent))
    assert len(after) <= len(before)
    last = before.filed_at.max() - timedelta(days=125)
    assert (after.filed_at < last).sum() == (before.filed_at < last).sum(), "of the time before, all are there"


def test_honest_officials_do_what_looks_alike_as_often_as_asked(plain: Province) -> None:
    told = events(province(honest=0.03))
    usual = events(plain)
    more = (told.kind == "suspended").sum() - (usual.kind == "suspended").sum()
    assert 0.005 * SIZE < more < 0.05 * SIZE
    assert (told.kind == "reset").sum() > (usual.kind == "reset").sum()


@pytest.mark.parametrize("share", [-0.1, 1.01])
@pytest.mark.parametrize("name", ["colleague", "shared", "suppressed", "honest"])
def test_a_share_is_a_share(name: str, share: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: wanted a share"):
        Evasion(**cast(Any, {name: share}))


def test_the_card_says_what_did_not_hold() -> None:
    trials = [
        HiddenTrial(201, "plain", 0.9, 5, 1), HiddenTrial(201, "half under colleagues", 0.5, 3, 0),
        HiddenTrial(201, "nobody planted", float("nan"), 0, 0), HiddenTrial(202, "plain", 1.0, 6, 2),
    ]  # fmt: skip
    assert [one.holds for one in trials] == [True, False, True, False]
    yields = [Yield(seed, 900, 40, Found(60, more, more / 9), Found(60, 6, 6 / 9)) for seed, more in ((1, 9), (2, 12))]
    told = "\n".join(card(trials, yields, 45_000))
    assert told.count("**no**") == 2
    assert "**plain**: recall 0.95 [0.90, 1.00], lowest 0.90" in told
    assert "findings a visit: 0.50 [0.33, 0.67]" in told


def test_a_world_without_a_demand_is_told_and_held_to_nothing() -> None:
    one = HiddenTrial(201, "80 % of complaints suppressed", 0.4, 3, 0, 0.1, (2, 2))
    assert one.holds
    told = "\n".join(card([one], [], 45_000))
    assert "| – | – |" in told
    assert "silence of complaints: 2 officials, 2 of them culprits" in told


def test_a_small_province_is_read_as_the_service_reads_it() -> None:
    one = hidden_trial(7, 2_500, "nobody planted", Evasion(honest=0.02), 0)
    assert (one.flags, one.false_flags) == (0, 0)
    assert one.recall != one.recall
