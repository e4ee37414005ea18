"""The reference in polars: a third of the matrix, tuned by hand to the drawn record as one would write it once.

It uses what the drawn record spares it (`drawn_record`): nothing is known late, told twice or reopened. Totals of
groups are daily changes, what leaves a window being a change too, summed up and found by one asof join a group.
"""

from pathlib import Path

import polars as pl

from tests.bench.part_of_matrix import HOUR, NAMES, QUEUE, STEP
from tests.bench.worked_time import DAY, local_day, worked


def build(folder: str, out: str) -> int:
    """Writes the reference's cells of the cases in `folder` to the Parquet file `out`; gives the number of rows."""
    dossiers, events = _dossiers(Path(folder)), _events(Path(folder))
    events = _running(events.join(dossiers.select("dossier_id", "d", "due"), on="dossier_id").drop("dossier_id"))
    dossiers = _closed(dossiers, events)
    cases = _cases(Path(folder), dossiers, events)
    outcome = dossiers.select("unit", "procedure", "late", day="outcome_day", record=pl.lit(0), known=pl.lit(1))
    record = _totals(cases, outcome.select("record", "day", "known", "late"), "record", {})
    cases = cases.with_columns(record_known=record["known"], record_late=record["late"])
    cells = [cases.select(**_own(), overall_late_rate=pl.col("record_late") / pl.col("record_known"))]
    for key, changes, flows in (
        ("official", _of_officials(dossiers, events), QUEUE),
        ("unit", _of_group(dossiers, "unit"), QUEUE),
        ("procedure", _of_group(dossiers, "procedure"), QUEUE),
        ("step", _of_steps(dossiers, events), STEP),
    ):
        totals = _totals(cases, changes, key, flows).with_columns(cases["record_known"], cases["record_late"])
        cells.append(totals.select(**_of_totals(key)))
    pl.concat(cells, how="horizontal").select(NAMES).write_parquet(out)
    return int(cases.height)


def _dossiers(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "dossier.parquet").select(
        "dossier_id", unit=_code("unit_code"), procedure=_code("procedure_code"),
        received=pl.col("received_at").dt.epoch("us"), due=pl.col("due_at").dt.epoch("us"),
    ).with_row_index("d").with_columns(pl.col("d").cast(pl.Int64))  # fmt: skip


def _events(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(
        folder / "event.parquet", columns=["dossier_id", "kind", "happened_at", "official_id", "step"]
    ).select(
        "dossier_id", happened=pl.col("happened_at").dt.epoch("us"), decided=pl.col("kind") == "decided",
        returned=pl.col("kind") == "returned", official=_code("official_id"), step=_code("step"),
    )  # fmt: skip


def _code(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Categorical).to_physical().cast(pl.Int64)


def _moments(frame: pl.DataFrame, column: str, **made: str) -> pl.DataFrame:
    """The frame with working time (`w`) and local day (`day`) of a column of moments, under the names given."""
    at = frame[column].to_numpy()
    functions = {"w": worked, "day": local_day}
    return frame.with_columns(pl.Series(name, functions[kind](at)) for kind, name in made.items())


def _running(events: pl.DataFrame) -> pl.DataFrame:
    """Events in order with what had happened in their dossier up to them."""
    events = _moments(events.sort("d", "happened"), "happened", w="w", day="day")
    first = (pl.col("d") != pl.col("d").shift(1)).fill_null(True)
    events = events.with_columns(
        first=first,
        last_official=pl.when(~first).then(pl.col("official").shift(1)),
        gap=pl.when(~first).then(pl.col("w") - pl.col("w").shift(1)),
        step_new=(pl.col("d") * 1024 + pl.col("step")).is_first_distinct(),
        official_new=(pl.col("d") * 65536 + pl.col("official")).is_first_distinct(),
    ).with_columns(handover=(pl.col("official") != pl.col("last_official")).fill_null(False))
    return events.with_columns(
        events=pl.int_range(1, pl.len() + 1).over("d"),
        **{name: pl.col(column).cast(pl.Int64).cum_sum().over("d") for name, column in
           {"returns": "returned", "steps": "step_new", "officials": "official_new",
            "handovers": "handover"}.items()},
        longest_gap=pl.col("gap").cum_max().over("d"),
        held_w=pl.when(pl.col("first") | pl.col("handover")).then(pl.col("w")).forward_fill(),
    )  # fmt: skip


def _closed(dossiers: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Dossiers with their end, outcome and the working times of both."""
    ends = events.filter("decided").select("d", end="happened", end_w="w", end_day="day")
    made = dossiers.join(ends, on="d", maintain_order="left").with_columns(
        late=(pl.col("end") > pl.col("due")).cast(pl.Int64), outcome_at=pl.min_horizontal("end", "due")
    )
    made = _moments(made, "received", w="received_w", day="received_day")
    return _moments(_moments(made, "due", w="due_w", day="due_day"), "outcome_at", day="outcome_day")


def _cases(folder: Path, dossiers: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The cases in their order, with what was known of their dossiers."""
    cases = pl.read_parquet(folder / "cases.parquet").select("dossier_id", as_of=pl.col("as_of").dt.epoch("us"))
    cases = _moments(cases.with_row_index("case_no"), "as_of", w="as_of_w", day="day")
    known = dossiers.select("dossier_id", "d", "unit", "procedure", "due", "due_w", "received_w", "received_day")
    told = events.select("d", "happened", "w", "official", "step", "events", "returns", "steps", "officials",
                         "handovers", "longest_gap", "held_w")  # fmt: skip
    found = cases.join(known, on="dossier_id").sort("as_of").join_asof(
        told.sort("happened"), left_on="as_of", right_on="happened", by="d", allow_exact_matches=False,
        check_sortedness=False,
    )  # fmt: skip
    return found.sort("case_no").with_columns(record=pl.lit(0))


def _of_group(dossiers: pl.DataFrame, key: str) -> pl.DataFrame:
    """Daily changes of units or procedures: a dossier stays where it was received."""
    closed_w = (pl.col("end_w") - pl.col("received_w")).clip(0)
    overdue = dossiers.filter(pl.col("due") < pl.col("end"))
    return pl.concat([
        dossiers.select(key, day="received_day", open=pl.lit(1), arrived=pl.lit(1)),
        dossiers.select(key, day="end_day", open=pl.lit(-1), closed=pl.lit(1), closed_w=closed_w,
                        overdue=-pl.col("late")),
        dossiers.select(key, "late", day="outcome_day", known=pl.lit(1)),
        overdue.select(key, day="due_day", overdue=pl.lit(1)),
    ], how="diagonal_relaxed")  # fmt: skip


def _of_officials(dossiers: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Daily changes of officials: whoever names himself last holds the dossier; all who did answer for its outcome."""
    over = (pl.col("happened") > pl.col("due")).cast(pl.Int64)
    running = (~pl.col("decided")).cast(pl.Int64)
    taken = events.filter(pl.col("first") | pl.col("handover"))
    left = events.filter(pl.col("last_official").is_not_null() & (pl.col("handover") | pl.col("decided")))
    late = dossiers.filter(pl.col("due") < pl.col("end")).select("d", "due", "due_day").sort("due")
    passed = late.join_asof(events.select("d", "happened", "official").sort("happened"), left_on="due",
                            right_on="happened", by="d", check_sortedness=False)  # fmt: skip
    answers = events.filter("official_new").select("d", "official", "happened").join(
        dossiers.select("d", "outcome_at", "late"), on="d"
    )  # fmt: skip
    answers = answers.with_columns(at=pl.max_horizontal("outcome_at", "happened"))
    return pl.concat([
        taken.select("official", "day", open=running, arrived=pl.lit(1), overdue=over * running),
        left.select("day", official="last_official", open=pl.lit(-1), overdue=-over),
        events.filter("decided").select("official", "day", closed=pl.lit(1)),
        passed.select("official", day="due_day", overdue=pl.lit(1)),
        _moments(answers, "at", day="day").select("official", "day", "late", known=pl.lit(1)),
    ], how="diagonal_relaxed")  # fmt: skip


def _of_steps(dossiers: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Daily changes of steps: the outcome after a first visit, and the working time from it to the end."""
    visits = events.filter("step_new").select("d", "step", "happened", "w").join(
        dossiers.select("d", "outcome_at", "late", "end_w", "end_day"), on="d"
    )  # fmt: skip
    visits = visits.with_columns(at=pl.max_horizontal("outcome_at", "happened"))
    return pl.concat([
        _moments(visits, "at", day="day").select("step", "day", "late", known=pl.lit(1)),
        visits.select("step", day="end_day", ended=pl.lit(1), left_w=(pl.col("end_w") - pl.col("w")).clip(0)),
    ], how="diagonal_relaxed")  # fmt: skip


def _totals(cases: pl.DataFrame, changes: pl.DataFrame, key: str, flows: dict[str, tuple[str, int]]) -> pl.DataFrame:
    """The totals of each case's group before its local day: sums since ever, and of the last so many days."""
    values = [name for name in changes.columns if name not in (key, "day")]
    daily = changes.group_by(key, "day").agg(pl.col(values).sum())
    flows = {name: flow for name, flow in flows.items() if flow[0] in values}
    booked = [daily.with_columns(**{name: pl.col(column) for name, (column, _) in flows.items()})]
    for days in sorted({days for _, days in flows.values()}):
        gone = {name: -pl.col(column) for name, (column, after) in flows.items() if after == days}
        booked.append(daily.select(key, pl.col("day") + days, **gone))
    totals = [*values, *flows]
    book = pl.concat(booked, how="diagonal_relaxed").group_by(key, "day").agg(pl.col(totals).sum()).sort(key, "day")
    book = book.with_columns(pl.col(totals).cum_sum().over(key)).sort("day")
    asked = cases.select(key, before=pl.col("day") - 1)
    found = asked.unique().sort("before").join_asof(
        book, left_on="before", right_on="day", by=key, check_sortedness=False
    )  # fmt: skip
    return asked.join(found, on=[key, "before"], maintain_order="left").with_columns(pl.col(totals).fill_null(0))


def _own() -> dict[str, pl.Expr]:
    counts = ("events", "returns", "steps", "officials", "handovers")
    return {
        **{name: pl.col(name).cast(pl.Float64) for name in counts},
        "longest_gap_hours": pl.col("longest_gap") / HOUR,
        "hours_left": (pl.col("due_w") - pl.col("as_of_w")) / HOUR,
        "promise_used": (pl.col("as_of_w") - pl.col("received_w"))
        / pl.when(pl.col("due_w") != pl.col("received_w")).then(pl.col("due_w") - pl.col("received_w")),
        "days_left": (pl.col("due") - pl.col("as_of")) / DAY,
        "silent_hours": (pl.col("as_of_w") - pl.col("w")) / HOUR,
        "held_hours": (pl.col("as_of_w") - pl.col("held_w")) / HOUR,
        "received_weekday": ((pl.col("received_day") + 3) % 7).cast(pl.Float64),
    }


def _of_totals(key: str) -> dict[str, pl.Expr]:
    def rate(late: str, known: str) -> pl.Expr:
        return (pl.col(late) + 20 * pl.col("record_late") / pl.col("record_known")) / (pl.col(known) + 20)

    def share(part: pl.Expr, of: str) -> pl.Expr:
        return part / pl.when(pl.col(of) != 0).then(pl.col(of))

    number = {name: pl.col(name).cast(pl.Float64) for name in ("arrived_7", "arrived_30", "arrived_90", "closed_90")}
    if key == "step":
        made = {"left_hours": share(pl.col("left_w_365") / HOUR, "ended_365"), "late_rate": rate("late", "known")}
    else:
        made = {
            "open": pl.col("open").cast(pl.Float64), "overdue": share(pl.col("overdue"), "open"),
            "late_rate": rate("late", "known"), "late_rate_90": rate("late_90", "known_90"),
            "known": pl.col("known").cast(pl.Float64),
        }  # fmt: skip
        if key == "procedure":
            made |= {"arrived_30": number["arrived_30"], "hours": share(pl.col("closed_w_90") / HOUR, "closed_90")}
        else:
            made |= number
    return {f"{key}_{name}": value for name, value in made.items()}
