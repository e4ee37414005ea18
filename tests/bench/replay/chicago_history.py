"""Chicago's food inspections as cases: what was known of each place, corrected for earlier teams' severity.

An earlier visit counts by what it found beyond what its team finds on average: a clean visit by a strict team
says more than one by a lax team. Visits of which the team is not known say nothing here.
Source: City of Chicago, `food-inspections-evaluation`; columns as in `data/README.md`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

PLACE = (
    "ageAtInspection", "consumption_on_premises_incidental_activity", "tobacco_retail_over_counter",
    "heat_burglary", "heat_sanitation", "heat_garbage", "package_goods", "limited_business_license",
    "outdoor_patio", "public_place_of_amusement", "tavern", "caterers_liquor_license", "risk_class",
)  # fmt: skip
"""Facts on the place and its surroundings. The day's weather is left out: it belongs to the date, not the
place, and in a reordering the date is what is chosen."""

RAW_PAST = ("pastSerious", "pastCritical", "pastFail", "pastMinor", "firstRecord", "timeSinceLast")
"""The city's own history columns: what the last visit found, whoever came."""

KINDS = ("critical", "serious", "minor", "failed")
CORRECTED_PAST = (*(f"beyond_{kind}" for kind in KINDS), "visits", "days_since")
AROUND = ("around_critical", "around_serious")
"""The same over all places of the postcode: what earlier visits found beyond their teams' averages."""

HALF_LIFE = 730
"""Days after which an earlier visit to a place counts half."""
PRIOR_VISITS = 2.0
"""Weight of an ordinary past, in visits, for one place."""
PRIOR_AROUND = 50.0
"""The same for a postcode."""
PRIOR_TEAM = 30.0
"""The same for the average of a team."""


def load(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cases (the model table) and all canvass visits, each by day, from the parquet files in `folder`.

    FileNotFoundError where the files are not there. Both have `place`, `day` (ordinal), `team`, `postcode`;
    cases also `found` (1 where a critical violation was found) and the city's columns; visits KINDS.
    """
    cases = pd.read_parquet(folder / "model_table.parquet")
    canvass = pd.read_parquet(folder / "canvass_inspections.parquet")
    groups = pd.read_parquet(folder / "inspector_groups.parquet")
    team = dict(zip(groups["inspectionID"], groups["sanitarian"].astype(object), strict=True))
    team |= dict(zip(cases["Inspection_ID"], cases["Inspector_Assigned"].astype(object), strict=True))
    visits = pd.DataFrame(
        {
            "visit_id": canvass["Inspection_ID"],
            "place": canvass["License"],
            "day": _ordinal(canvass["Inspection_Date"]),
            "team": canvass["Inspection_ID"].map(team),
            "postcode": canvass["Zip"],
            "risk_class": canvass["Risk"].astype(object).str.extract(r"(\d)", expand=False).astype(float),
            "critical": (canvass["criticalCount"] > 0).astype(float),
            "serious": (canvass["seriousCount"] > 0).astype(float),
            "minor": canvass["minorCount"].astype(float),
            "failed": canvass["fail_flag"].astype(float),
        }
    )
    place = visits.set_index("visit_id")[["postcode", "risk_class"]]
    taken = [name for name in (*PLACE, *RAW_PAST) if name in cases.columns]
    table = (
        cases[taken]
        .astype(float)
        .assign(
            visit_id=cases["Inspection_ID"],
            place=cases["License"].astype(float),
            day=_ordinal(cases["Inspection_Date"]),
            team=cases["Inspector_Assigned"].astype(object),
            found=cases["criticalFound"].astype(int),
            city_score=cases["score"],
            official=cases["Test"].astype(bool),
        )
    )
    table = table.join(place, on="visit_id")
    order = ["day", "visit_id"]
    return table.sort_values(order, ignore_index=True), visits.sort_values(order, ignore_index=True)


def with_history(cases: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """The cases with CORRECTED_PAST and AROUND, each from visits of earlier days alone."""
    told = visits[visits["team"].notna()].reset_index(drop=True)
    told = told.join(_expected(told))
    return cases.join(_own_past(cases, visits, told)).join(_around(cases, told))


def _expected(told: pd.DataFrame) -> pd.DataFrame:
    """What each visit's team found on average in the quarters before (the first quarter takes its own)."""
    quarter = (told["day"] - told["day"].min()) // 91
    out = pd.DataFrame(index=told.index, columns=[f"usual_{kind}" for kind in KINDS], dtype=float)
    for number in sorted(quarter.unique()):
        before = told[quarter < number] if number else told[quarter == 0]
        overall = before[list(KINDS)].mean()
        by_team = before.groupby("team")[list(KINDS)].agg(["sum", "count"])
        here = told.index[quarter == number]
        for kind in KINDS:
            found, n = by_team[kind, "sum"], by_team[kind, "count"]
            usual = (found + PRIOR_TEAM * overall[kind]) / (n + PRIOR_TEAM)
            out.loc[here, f"usual_{kind}"] = told.loc[here, "team"].map(usual).fillna(overall[kind]).to_numpy()
    return out


def _own_past(cases: pd.DataFrame, visits: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Per case: log of found against expected at this place, visits so far, days since the last."""
    seen = _earlier(cases, visits)
    past = pd.DataFrame(index=cases.index)
    past["visits"] = seen.groupby("case").size().reindex(cases.index, fill_value=0).astype(float)
    past["days_since"] = seen.groupby("case")["age"].min().reindex(cases.index)
    seen = _earlier(cases, told)
    fading = 0.5 ** (seen["age"] / HALF_LIFE)
    for kind in KINDS:
        prior = PRIOR_VISITS * told[kind].mean()
        found = (fading * seen[kind]).groupby(seen["case"]).sum().reindex(cases.index, fill_value=0.0)
        usual = (fading * seen[f"usual_{kind}"]).groupby(seen["case"]).sum().reindex(cases.index, fill_value=0.0)
        past[f"beyond_{kind}"] = np.log((found + prior) / (usual + prior))
    return past


def _earlier(cases: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """One row a pair of case and earlier visit to the same place, with its `age` in days."""
    own = pd.DataFrame({"place": cases["place"], "on": cases["day"], "case": cases.index})
    pairs = own.merge(visits, on="place")
    pairs["age"] = pairs["on"] - pairs["day"]
    return pairs[pairs["age"] > 0]


def _around(cases: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Per case: log of found against expected over the postcode's earlier visits."""
    kinds = ("critical", "serious")
    columns = [name for kind in kinds for name in (kind, f"usual_{kind}")]
    daily = told.groupby(["postcode", "day"])[columns].sum()
    so_far = daily.groupby(level=0).cumsum().reset_index().sort_values("day")
    own = cases[["postcode", "day"]].assign(case=cases.index).sort_values("day")
    met = pd.merge_asof(own, so_far, on="day", by="postcode", allow_exact_matches=False)
    met = met.set_index("case").reindex(cases.index)[columns].fillna(0.0)
    around = pd.DataFrame(index=cases.index)
    for kind in kinds:
        prior = PRIOR_AROUND * told[kind].mean()
        around[f"around_{kind}"] = np.log((met[kind] + prior) / (met[f"usual_{kind}"] + prior))
    return around


def _ordinal(dates: pd.Series) -> np.ndarray:
    days: np.ndarray = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    return days
