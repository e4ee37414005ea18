"""What moved the totals of groups day by day, stored from one build of the matrix to the next.

A total is the sum of the changes before it, and a change stands at the moment from which it was known
(`features.matrix.group_deltas`). So the changes before a day never change while nothing older becomes known, and the
next build needs those dossiers alone that had news since. Keys are kept as texts, for codes are numbered anew by
every build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from features.matrix.group import Group
from features.record.temp_tables import TempTablePipeline

_CODES = {
    "official_no": ("official_code", "official_id"),
    "unit_no": ("unit_code_of", "unit_code"),
    "procedure_no": ("procedure_code_of", "procedure_code"),
    "step_no": ("step_code", "step"),
}
"""Where a key's text stands: the relation of `features.matrix.source_relations.codes`, and its column."""


SLACK = 60
"""Days before `until` of which single days are stored, so that late news of them can still be put in."""


@dataclass
class IncrementalState:
    """The daily changes of every group before the local day `since` (days since 1970), by name of the group.

    `before`: a table a group, its keys as text (`record_no` as it is), `day`, and the measures; none for a
    record that was never built. After a build `found` holds, in the same shape, the changes before `until`. Those
    older than every window and `slack` are one row a key there, on the day of its first change.
    """

    since: int
    until: int
    slack: int = SLACK
    before: Mapping[str, pa.Table] = field(default_factory=dict)
    found: dict[str, pa.Table] = field(default_factory=dict)

    def join(self, bench: TempTablePipeline, groups: Sequence[Group]) -> None:
        """Takes out of `<group>_daily` what is new, and puts in what was stored, by the codes of this build."""
        for group in groups:
            daily, keys = f"{group.name}_daily", ", ".join(group.keys)
            bench.con.execute(f"DELETE FROM {daily} WHERE day < {self.since}")
            new = bench.con.sql(
                f"SELECT {', '.join(map(_text, group.keys))}, d.* EXCLUDE ({keys})"
                f" FROM {daily} d {_joins(group, coded=False)} WHERE d.day < {self.until}"
            ).to_arrow_table()
            before = self.before.get(group.name, new.slice(0, 0))
            if before.num_rows:
                bench.con.register("kept_here", before)
                bench.con.execute(
                    f"INSERT INTO {daily} BY NAME"
                    f" SELECT d.* EXCLUDE ({', '.join(map(_key_column, group.keys))}),"
                    f" {', '.join(map(_number, group.keys))} FROM kept_here d {_joins(group, coded=True)}"
                )
                bench.con.unregister("kept_here")
            self.found[group.name] = self._folded(
                bench, group, pa.concat_tables([before, new.select(before.column_names)])
            )

    def _folded(self, bench: TempTablePipeline, group: Group, changes: pa.Table) -> pa.Table:
        """The changes, with the days that no window will reach again as one row a key."""
        oldest = self.until - self.slack - max((days for _, _, days in group.flows), default=0)
        keys = ", ".join(map(_key_column, group.keys))
        sums = [f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in changes.column_names
                if name != "day" and name not in map(_key_column, group.keys)]  # fmt: skip
        bench.con.register("all_here", changes)
        try:
            return bench.con.sql(
                f"SELECT * FROM all_here WHERE day >= {oldest} UNION ALL BY NAME SELECT"
                f" {', '.join([keys, 'MIN(day) AS day', *sums])} FROM all_here WHERE day < {oldest} GROUP BY {keys}"
            ).to_arrow_table()
        finally:
            bench.con.unregister("all_here")


def _code(key: str) -> tuple[str, str]:
    """The relation and column of a key's text; an attribute's are named after it."""
    attribute = key.removesuffix("_no")
    return _CODES.get(key, (f"{attribute}_code", attribute))


def _key_column(key: str) -> str:
    return key if key == "record_no" else _code(key)[1]


def _text(key: str) -> str:
    return "d.record_no" if key == "record_no" else f"{_code(key)[0]}.{_code(key)[1]}"


def _number(key: str) -> str:
    return "d.record_no" if key == "record_no" else f"{_code(key)[0]}.{key}"


def _joins(group: Group, *, coded: bool) -> str:
    """Joins from keys to their texts, or (`coded`) from texts to this build's keys; who is not asked for is left."""
    return " ".join(
        f"JOIN {relation} ON {relation}.{column if coded else key} = d.{column if coded else key}"
        for key in group.keys
        if key != "record_no"
        for relation, column in [_code(key)]
    )
