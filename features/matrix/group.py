"""Totals of groups of dossiers (of an official, unit, procedure, step) at day grain.

A total for a case is what was known **before the local day of its `as_of` began**; nothing of the day itself is
seen, the case's own doings of that day included. Every total is a plain sum of changes: what leaves a window of
90 days is a change too, 90 days later. So changes are booked on the first asked day after them, added up, and
looked up by equality, for one moment or a thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

RECENT = 90  # days

ASKED_DAY = """
    SELECT local_day AS day,
           MIN(CASE WHEN asked = 1 THEN local_day END)
               OVER (ORDER BY local_day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_day
    FROM (SELECT w.local_day, MAX(CASE WHEN c.day IS NULL THEN 0 ELSE 1 END) AS asked
          FROM (SELECT DISTINCT local_day FROM working_day) w
          LEFT JOIN (SELECT DISTINCT day FROM asked) c ON c.day = w.local_day
          GROUP BY w.local_day) d
"""
"""Every day with the first day after it on which a case asks."""


@dataclass(frozen=True)
class Group:
    """Dossiers that share `keys` (codes above 0); `source` is a relation of changes with the keys and `day`.

    `stocks` are added up since the record began, `flows` over the last so many days: name of the total and the
    column that is summed. Every group also has `first_day`, the day of its first change.
    """

    name: str
    keys: tuple[str, ...]
    source: str
    stocks: tuple[tuple[str, str], ...] = ()
    flows: tuple[tuple[str, str, int], ...] = ()

    def columns(self) -> list[str]:
        """Names of the totals."""
        return [name for name, _ in self.stocks] + [name for name, _, _ in self.flows]

    def only(self, names: Collection[str]) -> Group:
        """The group with those totals alone that are named."""
        return replace(self, stocks=tuple(t for t in self.stocks if t[0] in names),
                       flows=tuple(t for t in self.flows if t[0] in names))  # fmt: skip

    def daily(self) -> str:
        """SQL of the changes of each day."""
        measures = dict.fromkeys([m for _, m in self.stocks] + [m for _, m, _ in self.flows])
        listed = [*self.keys, "day", *(f"CAST(SUM({m}) AS BIGINT) AS {m}" for m in measures)]
        return f"SELECT {', '.join(listed)} FROM {self.source} WHERE {self._named()} GROUP BY ALL"

    def totals(self) -> dict[str, str]:
        """The relations that make the totals (`name`) of the changes of each day (`<name>_daily`)."""
        keys = list(self.keys)
        totals = self.columns()
        grown = [*(f"SUM({m})" for _, m in self.stocks), *(f"SUM({m})" for _, m, _ in self.flows)]
        booked = [self._branch([*grown, "MIN(d.day)"], 0, "TRUE")]
        for days in dict.fromkeys(days for _, _, days in self.flows):
            gone = ["0"] * len(self.stocks) + [f"-SUM({m})" if d == days else "0" for _, m, d in self.flows]
            moving = " OR ".join(f"{m} <> 0" for _, m, d in self.flows if d == days)
            booked.append(self._branch([*gone, "NULL"], days, f"({moving})"))
        booked.append(
            _select(
                [*keys, "day", *("0" for _ in totals), "NULL"],
                f"(SELECT DISTINCT {', '.join(keys)}, day FROM standing WHERE {self._named()}) s",
            )
        )
        over = f"OVER (PARTITION BY {', '.join(keys)} ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        return {
            f"{self.name}_booked": _select(
                [*keys, "day", *(f"CAST(SUM({t}) AS BIGINT) AS {t}" for t in totals), "MIN(first_day) AS first_day"],
                f"({' UNION ALL '.join(booked)}) b GROUP BY {', '.join(keys)}, day"),
            self.name: _select(
                [*keys, "day", *(f"CAST(SUM({t}) {over} AS BIGINT) AS {t}" for t in totals),
                 f"MIN(first_day) {over} AS first_day"], f"{self.name}_booked"),
        }  # fmt: skip

    def _branch(self, sums: Sequence[str], days: int, where: str) -> str:
        """SQL of what the daily changes, `days` later, change on each asked day; summed for itself, for few columns."""
        named = [*(f"d.{key}" for key in self.keys), "a.next_day"]
        columns = [f"{sql} AS {name}" for sql, name in zip(sums, [*self.columns(), "first_day"], strict=True)]
        return _select(
            [*named[:-1], "a.next_day AS day", *columns],
            f"{self.name}_daily d JOIN asked_day a ON a.day = d.day + {days}"
            f" WHERE a.next_day IS NOT NULL AND {where} GROUP BY {', '.join(named)}",
        )

    def _named(self) -> str:
        return " AND ".join(f"{key} > 0" for key in self.keys)


def _select(columns: Sequence[str], source: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {source}"


def queue(name: str, key: str, arrived: str) -> Group:
    """Work of a group: open and overdue now, arrivals of 7, 30, 90 days, closings of 90 days and their hours."""
    return Group(
        name, (key,), "change",
        stocks=(("open", "open"), ("overdue", "overdue")),
        flows=(("arrived_7", arrived, 7), ("arrived_30", arrived, 30), ("arrived_90", arrived, 90),
               ("closed_90", "closed", RECENT), ("closed_w_90", "closed_w", RECENT)),
    )  # fmt: skip


def past(name: str, keys: tuple[str, ...], source: str) -> Group:
    """Outcomes of a group: how many are known and how many of them late, ever and in the last 90 days."""
    return Group(
        name, keys, source,
        stocks=(("known", "known"), ("late", "late")),
        flows=(("known_90", "known", RECENT), ("late_90", "late", RECENT)),
    )  # fmt: skip


def steps(name: str, keys: tuple[str, ...]) -> Group:
    """Outcomes after a step, and of a year the working time from it to the end."""
    return Group(
        name, keys, "step_outcome",
        stocks=(("known", "known"), ("late", "late")),
        flows=(("ended_365", "ended", 365), ("left_w_365", "left_w", 365)),
    )  # fmt: skip
