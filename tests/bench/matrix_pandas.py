"""The references in pandas: the features of `matrix_polars`, with grouped sums, running sums and `merge_asof`.

`build` is tuned by hand like the one in polars; `build_plainly` takes the totals as one writes them first: anew for
every day that is asked.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.part_of_matrix import HOUR, NAMES, QUEUE, STEP
from tests.bench.worked_time import DAY, local_day, worked

Totals = Callable[[pd.DataFrame, pd.DataFrame, str, dict[str, tuple[str, int]]], pd.DataFrame]
"""The totals of each case's group before its local day, of (cases, changes, key, flows)."""


def build(folder: str, out: str) -> int:
    """Writes the reference's cells of the cases in `folder` to the Parquet file `out`; gives the number of rows."""
    return _build(folder, out, _totals)


def build_plainly(folder: str, out: str) -> int:
    """`build` without the trick that makes the totals of many days cheap."""
    return _build(folder, out, _totals_anew)


def _build(folder: str, out: str, totals: Totals) -> int:
    dossiers, events = _dossiers(Path(folder)), _events(Path(folder))
    events = _running(events.merge(dossiers[["dossier_id", "d", "due"]], on="dossier_id").drop(columns="dossier_id"))
    dossiers = _closed(dossiers, events)
    cases = _cases(Path(folder), dossiers, events)
    outcome = dossiers[["outcome_day", "late"]].set_axis(["day", "late"], axis=1).assign(record=0, known=1)
    record = totals(cases, outcome, "record", {})
    cells = [_own(cases)]
    overall = record["late"] / record["known"].where(record["known"] != 0)
    cells.append(overall.rename("overall_late_rate").to_frame())
    for key, changes, flows in (
        ("official", _of_officials(dossiers, events), QUEUE),
        ("unit", _of_group(dossiers, "unit"), QUEUE),
        ("procedure", _of_group(dossiers, "procedure"), QUEUE),
        ("step", _of_steps(dossiers, events), STEP),
    ):
        cells.append(_of_totals(key, totals(cases, changes, key, flows), overall))
    pd.concat(cells, axis=1)[list(NAMES)].to_parquet(out)
    return len(cases)


def _dossiers(folder: Path) -> pd.DataFrame:
    told = pd.read_parquet(folder / "dossier.parquet",
                           columns=["dossier_id", "unit_code", "procedure_code", "received_at", "due_at"])  # fmt: skip
    return pd.DataFrame({
        "dossier_id": told["dossier_id"], "d": np.arange(len(told)),
        "unit": pd.factorize(told["unit_code"])[0], "procedure": pd.factorize(told["procedure_code"])[0],
        "received": _us(told["received_at"]), "due": _us(told["due_at"]),
    })  # fmt: skip


def _events(folder: Path) -> pd.DataFrame:
    told = pd.read_parquet(folder / "event.parquet",
                           columns=["dossier_id", "kind", "happened_at", "official_id", "step"])  # fmt: skip
    return pd.DataFrame({
        "dossier_id": told["dossier_id"], "happened": _us(told["happened_at"]), "decided": told["kind"] == "decided",
        "returned": told["kind"] == "returned", "official": pd.factorize(told["official_id"])[0],
        "step": pd.factorize(told["step"])[0],
    })  # fmt: skip


def _us(column: pd.Series) -> np.ndarray:
    moments: np.ndarray = column.to_numpy().astype("datetime64[us]").astype("int64")
    return moments


def _running(events: pd.DataFrame) -> pd.DataFrame:
    """Events in order with what had happened in their dossier up to them."""
    events = events.sort_values(["d", "happened"], ignore_index=True)
    events["w"], events["day"] = worked(events["happened"].to_numpy()), local_day(events["happened"].to_numpy())
    events["first"] = events["d"] != events["d"].shift(1)
    events["last_official"] = events["official"].shift(1).where(~events["first"])
    gap = (events["w"] - events["w"].shift(1)).where(~events["first"])
    events["step_new"] = ~(events["d"] * 1024 + events["step"]).duplicated()
    events["official_new"] = ~(events["d"] * 65536 + events["official"]).duplicated()
    events["handover"] = (events["official"] != events["last_official"]) & ~events["first"]
    of = events["d"].to_numpy()
    events["events"] = events.groupby(of).cumcount() + 1
    for name, column in (("returns", "returned"), ("steps", "step_new"), ("officials", "official_new"),
                         ("handovers", "handover")):  # fmt: skip
        events[name] = events[column].astype("int64").groupby(of).cumsum()
    events["longest_gap"] = gap.groupby(of).cummax()
    events["held_w"] = events["w"].where(events["first"] | events["handover"]).ffill()
    return events


def _closed(dossiers: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Dossiers with their end, outcome and the working times of both."""
    ends = events.loc[events["decided"], ["d", "happened", "w", "day"]]
    made = dossiers.merge(ends.set_axis(["d", "end", "end_w", "end_day"], axis=1), on="d")
    made["late"] = (made["end"] > made["due"]).astype("int64")
    made["outcome_at"] = made[["end", "due"]].min(axis=1)
    for name in ("received", "due", "outcome_at"):
        at = made[name].to_numpy()
        made[f"{name.removesuffix('_at')}_w"], made[f"{name.removesuffix('_at')}_day"] = worked(at), local_day(at)
    return made


def _cases(folder: Path, dossiers: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The cases in their order, with what was known of their dossiers."""
    told = pd.read_parquet(folder / "cases.parquet")
    as_of = _us(told["as_of"])
    cases = pd.DataFrame({"dossier_id": told["dossier_id"], "as_of": as_of, "as_of_w": worked(as_of),
                          "day": local_day(as_of), "record": 0})  # fmt: skip
    cases = cases.merge(
        dossiers[["dossier_id", "d", "unit", "procedure", "due", "due_w", "received_w", "received_day"]],
        on="dossier_id", how="left",
    ).drop(columns="dossier_id")  # fmt: skip
    last = events[["d", "happened", "w", "official", "step", "events", "returns", "steps", "officials",
                   "handovers", "longest_gap", "held_w"]]  # fmt: skip
    cases["case_no"] = np.arange(len(cases))
    found = pd.merge_asof(
        cases.sort_values("as_of"), last.sort_values("happened"), left_on="as_of", right_on="happened", by="d",
        allow_exact_matches=False,
    )  # fmt: skip
    return found.sort_values("case_no", ignore_index=True)


def _of_group(dossiers: pd.DataFrame, key: str) -> pd.DataFrame:
    """Daily changes of units or procedures: a dossier stays where it was received."""
    closed_w = (dossiers["end_w"] - dossiers["received_w"]).clip(lower=0)
    late = dossiers[dossiers["due"] < dossiers["end"]]
    return pd.concat([
        pd.DataFrame({key: dossiers[key], "day": dossiers["received_day"], "open": 1, "arrived": 1}),
        pd.DataFrame({key: dossiers[key], "day": dossiers["end_day"], "open": -1, "closed": 1, "closed_w": closed_w,
                      "overdue": -dossiers["late"]}),
        pd.DataFrame({key: dossiers[key], "day": dossiers["outcome_day"], "late": dossiers["late"], "known": 1}),
        pd.DataFrame({key: late[key], "day": late["due_day"], "overdue": 1}),
    ]).fillna(0)  # fmt: skip


def _of_officials(dossiers: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Daily changes of officials: whoever names himself last holds the dossier; all who did answer for its outcome."""
    over = (events["happened"] > events["due"]).astype("int64")
    running = (~events["decided"]).astype("int64")
    taken = events["first"] | events["handover"]
    left = events["last_official"].notna() & (events["handover"] | events["decided"])
    ends = events[events["decided"]]
    late = dossiers.loc[dossiers["due"] < dossiers["end"], ["d", "due", "due_day"]].sort_values("due")
    passed = pd.merge_asof(
        late, events[["d", "happened", "official"]].sort_values("happened"), left_on="due", right_on="happened", by="d"
    )
    answers = events.loc[events["official_new"], ["d", "official", "happened"]].merge(
        dossiers[["d", "outcome_at", "late"]], on="d"
    )
    at = answers[["outcome_at", "happened"]].max(axis=1).to_numpy()
    return pd.concat([
        pd.DataFrame({"official": events["official"], "day": events["day"], "open": running, "arrived": 1,
                      "overdue": over * running})[taken],
        pd.DataFrame({"official": events["last_official"], "day": events["day"], "open": -1, "overdue": -over})[left],
        pd.DataFrame({"official": ends["official"], "day": ends["day"], "closed": 1}),
        pd.DataFrame({"official": passed["official"], "day": passed["due_day"], "overdue": 1}),
        pd.DataFrame({"official": answers["official"], "day": local_day(at), "late": answers["late"], "known": 1}),
    ]).fillna(0)  # fmt: skip


def _of_steps(dossiers: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Daily changes of steps: the outcome after a first visit, and the working time from it to the end."""
    visits = events.loc[events["step_new"], ["d", "step", "happened", "w"]].merge(
        dossiers[["d", "outcome_at", "late", "end_w", "end_day"]], on="d"
    )
    at = visits[["outcome_at", "happened"]].max(axis=1).to_numpy()
    left_w = (visits["end_w"] - visits["w"]).clip(lower=0)
    return pd.concat([
        pd.DataFrame({"step": visits["step"], "day": local_day(at), "late": visits["late"], "known": 1}),
        pd.DataFrame({"step": visits["step"], "day": visits["end_day"], "ended": 1, "left_w": left_w}),
    ]).fillna(0)  # fmt: skip


def _totals(cases: pd.DataFrame, changes: pd.DataFrame, key: str, flows: dict[str, tuple[str, int]]) -> pd.DataFrame:
    """The totals of each case's group before its local day: sums since ever, and of the last so many days."""
    values = [name for name in changes.columns if name not in (key, "day")]
    daily = changes.astype("int64").groupby([key, "day"], as_index=False)[values].sum()
    flows = {name: flow for name, flow in flows.items() if flow[0] in values}
    booked = [daily.assign(**{name: daily[column] for name, (column, _) in flows.items()})]
    for days in sorted({days for _, days in flows.values()}):
        gone = {name: -daily[column] for name, (column, after) in flows.items() if after == days}
        booked.append(pd.DataFrame({key: daily[key], "day": daily["day"] + days, **gone}))
    totals = [*values, *flows]
    book = pd.concat(booked).fillna(0).astype("int64").groupby([key, "day"], as_index=False)[totals].sum()
    book[totals] = book.groupby(key)[totals].cumsum()
    asked = pd.DataFrame({key: cases[key].astype("int64"), "day": cases["day"] - 1, "case_no": cases["case_no"]})
    found = pd.merge_asof(asked.sort_values("day"), book.sort_values("day"), on="day", by=key)
    return found.sort_values("case_no", ignore_index=True)[totals].fillna(0)


def _totals_anew(
    cases: pd.DataFrame, changes: pd.DataFrame, key: str, flows: dict[str, tuple[str, int]]
) -> pd.DataFrame:
    """The same, day by day over all changes before it."""
    values = [name for name in changes.columns if name not in (key, "day")]
    changes = changes.astype("int64")
    flows = {name: flow for name, flow in flows.items() if flow[0] in values}
    found = []
    for day in np.unique(cases["day"]):
        asked, before = cases[cases["day"] == day], changes[changes["day"] < day]
        totals = before.groupby(key)[values].sum()
        for days in sorted({days for _, days in flows.values()}):
            mine = {name: column for name, (column, after) in flows.items() if after == days}
            recent = before[before["day"] >= day - days].groupby(key)[list(mine.values())].sum()
            totals = totals.join(recent.set_axis(list(mine), axis=1))
        found.append(asked[[key, "case_no"]].astype("int64").join(totals, on=key))
    rows: pd.DataFrame = pd.concat(found).sort_values("case_no", ignore_index=True)
    return rows[[*values, *flows]].fillna(0)


def _own(cases: pd.DataFrame) -> pd.DataFrame:
    counts = ("events", "returns", "steps", "officials", "handovers")
    term = cases["due_w"] - cases["received_w"]
    return pd.DataFrame({
        **{name: cases[name].astype(float) for name in counts},
        "longest_gap_hours": cases["longest_gap"] / HOUR,
        "hours_left": (cases["due_w"] - cases["as_of_w"]) / HOUR,
        "promise_used": (cases["as_of_w"] - cases["received_w"]) / term.where(term != 0),
        "days_left": (cases["due"] - cases["as_of"]) / DAY,
        "silent_hours": (cases["as_of_w"] - cases["w"]) / HOUR,
        "held_hours": (cases["as_of_w"] - cases["held_w"]) / HOUR,
        "received_weekday": ((cases["received_day"] + 3) % 7).astype(float),
    })  # fmt: skip


def _of_totals(key: str, t: pd.DataFrame, overall: pd.Series) -> pd.DataFrame:
    def share(part: pd.Series, of: str) -> pd.Series:
        return part / t[of].where(t[of] != 0)

    late_rate = (t["late"] + 20 * overall) / (t["known"] + 20)
    if key == "step":
        made = {"left_hours": share(t["left_w_365"] / HOUR, "ended_365"), "late_rate": late_rate}
    else:
        made = {"open": t["open"], "overdue": share(t["overdue"], "open"), "late_rate": late_rate,
                "late_rate_90": (t["late_90"] + 20 * overall) / (t["known_90"] + 20), "known": t["known"]}  # fmt: skip
        if key == "procedure":
            made |= {"arrived_30": t["arrived_30"], "hours": share(t["closed_w_90"] / HOUR, "closed_90")}
        else:
            made |= {name: t[name] for name in ("arrived_7", "arrived_30", "arrived_90", "closed_90")}
    return pd.DataFrame({f"{key}_{name}": value.astype(float) for name, value in made.items()})
