"""Totals of groups of dossiers (of an official, unit, procedure, step) at day grain.

A total for a case is what was known **before the local day of its `as_of` began**: daily sums of what changed,
added up over the days before, looked up by equality. So one pass over days serves any number of cases, and
nothing of the day itself is seen, the case's own doings of that day included.
"""

from __future__ import annotations

from dataclasses import dataclass

RECENT = 90  # days


@dataclass(frozen=True)
class Group:
    """Dossiers that share `keys`; `source` is a relation of changes with the keys and `day`.

    `stocks` are added up since the record began, `flows` over the last so many days; both name the column they
    give and the expression that is summed. `empty` is the key of no group (nobody holds it): it has no totals.
    """

    name: str
    keys: tuple[str, ...]
    source: str
    stocks: tuple[tuple[str, str], ...] = ()
    flows: tuple[tuple[str, str, int], ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the totals."""
        return [name for name, _ in self.stocks] + [name for name, _, _ in self.flows] + ["days_seen"]

    def relations(self) -> dict[str, str]:
        """The relation `name` (one row for each key and day that a case asks for) and those it rests on."""
        keys = ", ".join(self.keys)
        named = " AND ".join(f"{key} <> ''" for key in self.keys if key != "everything") or "TRUE"
        daily = {expression: f"d{n}" for n, expression in enumerate(
            dict.fromkeys([e for _, e in self.stocks] + [e for _, e, _ in self.flows]))}
        sums = ", ".join(f"CAST(SUM({expression}) AS BIGINT) AS {name}" for expression, name in daily.items())
        again = ", ".join(f"SUM({name}) AS {name}" for name in daily.values())
        zeros = ", ".join("0" for _ in daily)
        over = f"OVER (PARTITION BY {keys} ORDER BY day"
        totals = [f"CAST(COALESCE(SUM({daily[e]}) {over} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
                  f" AS BIGINT) AS {name}" for name, e in self.stocks]
        totals += [f"CAST(COALESCE(SUM({daily[e]}) {over} RANGE BETWEEN {days} PRECEDING AND 1 PRECEDING), 0)"
                   f" AS BIGINT) AS {name}" for name, e, days in self.flows]
        first = (f"day - MIN(CASE WHEN moved = 1 THEN day END) {over}"
                 " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS days_seen")
        name = self.name
        return {
            f"{name}_asked": f"SELECT DISTINCT {keys}, day FROM standing WHERE {named}",  # noqa: S608
            f"{name}_daily": f"SELECT {keys}, day, {sums} FROM {self.source} WHERE {named} GROUP BY {keys}, day",  # noqa: S608
            f"{name}_days": f"""
                SELECT {keys}, day, {again}, MAX(moved) AS moved, MAX(asked) AS asked
                FROM (SELECT *, 1 AS moved, 0 AS asked FROM {name}_daily
                      UNION ALL SELECT *, {zeros}, 0, 1 FROM {name}_asked) u
                GROUP BY {keys}, day""",  # noqa: S608
            f"{name}_totals": f"SELECT {keys}, day, asked, {', '.join([*totals, first])} FROM {name}_days",  # noqa: S608
            name: f"SELECT * FROM {name}_totals WHERE asked = 1",  # noqa: S608
        }


def queue(name: str, keys: tuple[str, ...], arrived: str) -> Group:
    """Work of a group: open and overdue now, arrivals of 7, 30 and 90 days, closings of 90 days and their hours."""
    return Group(
        name, keys, "movement",
        stocks=(("open", "open"), ("overdue", "overdue")),
        flows=(("arrived_7", arrived, 7), ("arrived_30", arrived, 30), ("arrived_90", arrived, 90),
               ("closed_90", "closed", RECENT), ("closed_w_90", "closed_w", RECENT)),
    )


def history(name: str, keys: tuple[str, ...], source: str) -> Group:
    """Outcomes of a group: how many are known and how many of them late, ever and in the last 90 days."""
    return Group(
        name, keys, source,
        stocks=(("known", "known"), ("late", "late")),
        flows=(("known_90", "known", RECENT), ("late_90", "late", RECENT)),
    )
