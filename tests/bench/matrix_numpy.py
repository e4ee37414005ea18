"""The reference in numpy over pyarrow's reading: the features of `matrix_polars`, nothing but arrays.

It spares itself what the drawn record spares it (`drawn_record`), and more: every dossier ends, officials and days are
so few that totals are one dense table of group × day, summed along the days.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.bench.part_of_matrix import HOUR, NAMES, QUEUE, STEP
from tests.bench.worked_time import DAY, local_day, worked

Columns = dict[str, np.ndarray]
Changes = tuple[np.ndarray, np.ndarray, Columns]
"""Groups, days, and what changes in them."""
_ONE = np.ones(1, np.int64)


def build(folder: str, out: str) -> int:
    """Writes the reference's cells of the cases in `folder` to the Parquet file `out`; gives the number of rows."""
    dossiers, ids = _dossiers(Path(folder))
    events = _running(_events(Path(folder), ids))
    _closed(dossiers, events)
    cases = _cases(Path(folder), ids, dossiers, events)
    days = (int(dossiers["received_day"].min()), int(cases["day"].max()) + 1)
    outcome = {"known": _ONE, "late": dossiers["late"]}
    zero = np.zeros_like
    record = _totals(
        zero(cases["d"]), cases["day"], [(zero(dossiers["unit"]), dossiers["outcome_day"], outcome)], {}, days
    )
    overall = _share(record["late"], record["known"])
    cells = _own(cases) | {"overall_late_rate": overall}
    for key, changes, flows in (
        ("official", _of_officials(dossiers, events), QUEUE),
        ("unit", _of_group(dossiers, "unit"), QUEUE),
        ("procedure", _of_group(dossiers, "procedure"), QUEUE),
        ("step", _of_steps(dossiers, events), STEP),
    ):
        cells |= _of_totals(key, _totals(cases[key], cases["day"], changes, flows, days), overall)
    pq.write_table(pa.table({name: cells[name] for name in NAMES}), out, use_dictionary=False)
    return len(cases["d"])


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    codes = column.combine_chunks().dictionary_encode().indices
    return np.asarray(codes.to_numpy(zero_copy_only=False).astype(np.int64))


def _us(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy())


def _dossiers(folder: Path) -> tuple[Columns, pa.Array]:
    told = pq.read_table(folder / "dossier.parquet",
                         columns=["dossier_id", "unit_code", "procedure_code", "received_at", "due_at"])  # fmt: skip
    found = {
        "unit": _codes(told["unit_code"]), "procedure": _codes(told["procedure_code"]),
        "received": _us(told["received_at"]), "due": _us(told["due_at"]),
    }  # fmt: skip
    return found, told["dossier_id"].combine_chunks()


def _events(folder: Path, ids: pa.Array) -> Columns:
    told = pq.read_table(folder / "event.parquet",
                         columns=["dossier_id", "kind", "happened_at", "official_id", "step"])  # fmt: skip
    d, happened = _places(told["dossier_id"], ids), _us(told["happened_at"])
    order = np.lexsort((happened, d))
    columns = {
        "d": d, "happened": happened, "official": _codes(told["official_id"]), "step": _codes(told["step"]),
        **{kind: pc.equal(told["kind"], kind).to_numpy() for kind in ("decided", "returned")},
    }  # fmt: skip
    return {name: values[order] for name, values in columns.items()}


def _places(column: pa.ChunkedArray, ids: pa.Array) -> np.ndarray:
    return np.asarray(pc.index_in(column, value_set=ids).to_numpy().astype(np.int64))


def _running(events: Columns) -> Columns:
    """Events with what had happened in their dossier up to them."""
    d, official = events["d"], events["official"]
    w = events["w"] = worked(events["happened"])
    events["day"] = local_day(events["happened"])
    first = events["first"] = np.append(True, d[1:] != d[:-1])
    heads = np.flatnonzero(first)
    begin = np.repeat(heads, np.diff(np.append(heads, len(d))))
    last = events["last_official"] = np.where(first, -1, np.roll(official, 1))
    handover = events["handover"] = ~first & (official != last)
    events["step_new"], events["official_new"] = (
        _first_seen(d * 65536 + events[name]) for name in ("step", "official")
    )
    at = np.arange(len(d))
    events["events"] = at - begin + 1
    for name, mark in (("returns", "returned"), ("steps", "step_new"), ("officials", "official_new"),
                       ("handovers", "handover")):  # fmt: skip
        total = np.cumsum(events[mark], dtype=np.int64)
        events[name] = total - (total[begin] - events[mark][begin])
    gap = np.where(first, -1, w - np.roll(w, 1))
    beyond = int(gap.max()) + 2
    events["longest_gap"] = np.maximum.accumulate(gap + d * beyond) - d * beyond
    events["held_w"] = w[np.maximum.accumulate(np.where(first | handover, at, 0))]
    return events


def _first_seen(key: np.ndarray) -> np.ndarray:
    seen = np.zeros(len(key), bool)
    seen[np.unique(key, return_index=True)[1]] = True
    return seen


def _closed(dossiers: Columns, events: Columns) -> None:
    """Brings the end and outcome of every dossier and the working times of both."""
    ends = events["decided"]
    for name, source in (("end", "happened"), ("end_w", "w"), ("end_day", "day")):
        dossiers[name] = np.empty(len(dossiers["due"]), np.int64)
        dossiers[name][events["d"][ends]] = events[source][ends]
    dossiers["late"] = (dossiers["end"] > dossiers["due"]).astype(np.int64)
    dossiers["outcome"] = np.minimum(dossiers["end"], dossiers["due"])
    for name in ("received", "due", "outcome"):
        dossiers[f"{name}_day"] = local_day(dossiers[name])
    for name in ("received", "due"):
        dossiers[f"{name}_w"] = worked(dossiers[name])


def _cases(folder: Path, ids: pa.Array, dossiers: Columns, events: Columns) -> Columns:
    """The cases in their order, with what was known of their dossiers: of each the last event before its `as_of`."""
    told = pq.read_table(folder / "cases.parquet")
    d, as_of = _places(told["dossier_id"], ids), _us(told["as_of"])
    received = dossiers["received"]
    age = as_of - received[d]
    most = int(age.max()) + 1
    since = np.minimum(events["happened"] - received[events["d"]], most - 1) + events["d"] * most
    last = np.searchsorted(since, age + d * most) - 1
    found = {name: dossiers[name][d] for name in ("unit", "procedure", "due", "due_w", "received_w", "received_day")}
    found |= {name: events[name][last] for name in ("w", "official", "step", "events", "returns", "steps", "officials",
                                                    "handovers", "longest_gap", "held_w")}  # fmt: skip
    return found | {"d": d, "as_of": as_of, "as_of_w": worked(as_of), "day": local_day(as_of)}


def _of_group(dossiers: Columns, key: str) -> list[Changes]:
    """Daily changes of units or procedures: a dossier stays where it was received."""
    of, late = dossiers[key], np.flatnonzero(dossiers["late"])
    closed_w = np.maximum(dossiers["end_w"] - dossiers["received_w"], 0)
    ended = {"open": -_ONE, "closed": _ONE, "closed_w": closed_w, "overdue": -dossiers["late"]}
    return [
        (of, dossiers["received_day"], {"open": _ONE, "arrived": _ONE}),
        (of, dossiers["end_day"], ended),
        (of, dossiers["outcome_day"], {"late": dossiers["late"], "known": _ONE}),
        (of[late], dossiers["due_day"][late], {"overdue": _ONE}),
    ]


def _of_officials(dossiers: Columns, events: Columns) -> list[Changes]:
    """Daily changes of officials: whoever names himself last holds the dossier; all who did answer for its outcome."""
    d, day, official = events["d"], events["day"], events["official"]
    over, running = events["happened"] > dossiers["due"][d], ~events["decided"]
    taken = np.flatnonzero(events["first"] | events["handover"])
    left = np.flatnonzero((events["last_official"] >= 0) & (events["handover"] | ~running))
    ends = np.flatnonzero(~running)
    late = np.flatnonzero(dossiers["late"])
    before = np.add.reduceat(~over, np.flatnonzero(events["first"]))  # events up to the promise, dossier by dossier
    holder = official[np.flatnonzero(events["first"]) + before - 1][late]
    new = np.flatnonzero(events["official_new"])
    answered = np.maximum(dossiers["outcome"][d[new]], events["happened"][new])
    opened = {"open": running[taken], "arrived": _ONE, "overdue": (over & running)[taken]}
    return [
        (official[taken], day[taken], opened),
        (events["last_official"][left], day[left], {"open": -_ONE, "overdue": -over[left].astype(np.int64)}),
        (official[ends], day[ends], {"closed": _ONE}),
        (holder, dossiers["due_day"][late], {"overdue": _ONE}),
        (official[new], local_day(answered), {"late": dossiers["late"][d[new]], "known": _ONE}),
    ]


def _of_steps(dossiers: Columns, events: Columns) -> list[Changes]:
    """Daily changes of steps: the outcome after a first visit, and the working time from it to the end."""
    new = np.flatnonzero(events["step_new"])
    d, step = events["d"][new], events["step"][new]
    at = np.maximum(dossiers["outcome"][d], events["happened"][new])
    left_w = np.maximum(dossiers["end_w"][d] - events["w"][new], 0)
    return [
        (step, local_day(at), {"late": dossiers["late"][d], "known": _ONE}),
        (step, dossiers["end_day"][d], {"ended": _ONE, "left_w": left_w}),
    ]


def _totals(
    asked: np.ndarray, day: np.ndarray, changes: list[Changes], flows: dict[str, tuple[str, int]], days: tuple[int, int]
) -> Columns:
    """The totals of each case's group before its local day: sums since ever, and of the last so many days."""
    first, end = days
    width, number = end - first, int(max(asked.max(), *(of.max() for of, _, _ in changes))) + 1
    tables: Columns = {}
    for of, at, values in changes:
        ours = np.flatnonzero(at < end)
        place = of[ours] * width + at[ours] - first
        for name, value in values.items():
            weights = None if value is _ONE else np.broadcast_to(value, of.shape)[ours].astype(float)
            sums = np.bincount(place, weights, number * width).astype(np.int64)  # a day's sum is exact in 53 bits
            tables[name] = tables[name] + sums if name in tables else sums
    since = {name: np.cumsum(table.reshape(number, width), axis=1).ravel() for name, table in tables.items()}
    place, age = asked * width + day - first - 1, day - first - 1

    def at_day(name: str, back: int) -> np.ndarray:
        return np.where(age >= back, since[name][np.maximum(place - back, 0)], 0)

    found = {name: at_day(name, 0) for name in since}
    return found | {name: at_day(source, 0) - at_day(source, back) for name, (source, back) in flows.items()
                    if source in since}  # fmt: skip


def _share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, of, out=np.full(len(part), np.nan), where=of != 0))


def _own(cases: Columns) -> Columns:
    counts = ("events", "returns", "steps", "officials", "handovers")
    return {
        **{name: cases[name].astype(float) for name in counts},
        "longest_gap_hours": np.where(cases["longest_gap"] < 0, np.nan, cases["longest_gap"] / HOUR),
        "hours_left": (cases["due_w"] - cases["as_of_w"]) / HOUR,
        "promise_used": _share(cases["as_of_w"] - cases["received_w"], cases["due_w"] - cases["received_w"]),
        "days_left": (cases["due"] - cases["as_of"]) / DAY,
        "silent_hours": (cases["as_of_w"] - cases["w"]) / HOUR,
        "held_hours": (cases["as_of_w"] - cases["held_w"]) / HOUR,
        "received_weekday": ((cases["received_day"] + 3) % 7).astype(float),
    }


def _of_totals(key: str, t: Columns, overall: np.ndarray) -> Columns:
    made: Columns = {"late_rate": (t["late"] + 20 * overall) / (t["known"] + 20)}
    if key == "step":
        made["left_hours"] = _share(t["left_w_365"] / HOUR, t["ended_365"])
    else:
        made |= {"open": t["open"], "overdue": _share(t["overdue"], t["open"]), "known": t["known"],
                 "late_rate_90": (t["late_90"] + 20 * overall) / (t["known_90"] + 20)}  # fmt: skip
        if key == "procedure":
            made |= {"arrived_30": t["arrived_30"], "hours": _share(t["closed_w_90"] / HOUR, t["closed_90"])}
        else:
            made |= {name: t[name] for name in ("arrived_7", "arrived_30", "arrived_90", "closed_90")}
    return {f"{key}_{name}": value.astype(float) for name, value in made.items()}
