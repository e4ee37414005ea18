"""What a signal is: a declared rule that points at something to look into, never a verdict.

A signal's SQL names the relations of `features.signals.relations`, in which the cutoff lives: nothing known at or
after a case's `as_of` is there. So no signal can look ahead, and one test of the relations covers them all.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

MEASURES: dict[str, tuple[str, str]] = {
    "yes": ("", ""), "times": ("lần", "times"), "hours": ("giờ làm việc", "working hours"),
    "clock_hours": ("giờ", "hours"), "days": ("ngày", "days"), "points": ("điểm", "points"),
    "dossiers": ("hồ sơ", "dossiers"), "complaints": ("phản ánh", "complaints"), "papers": ("loại giấy tờ", "papers"),
    "units": ("cơ quan", "offices"), "versions": ("bản ghi khác nhau", "versions that differ"),
}  # fmt: skip
"""What the number of a signal counts, in readers' words; `yes`: it only says that the signal holds."""

Grain = Literal["dossier", "unit", "official", "head", "agent"]


@dataclass(frozen=True)
class Signal:
    """One declared rule.

    name: its code, as answers and pages show it.
    grain: what a case is: a dossier, a unit or an official, as of a moment.
    sql: a SELECT of `case_no` and `value` (a number that measures it) over the relations; `$threshold` stands for
        the threshold. A case that the SELECT leaves out does not show the signal.
    words_vi, words_en: what was seen, without accusing anybody.
    measure: what the value counts, of `MEASURES`.
    source: law, directive or trap it rests on. owner: the office that answers for the rule.
    valid_from, valid_to: the rule holds for moments in [valid_from, valid_to); None is open.
    """

    name: str
    grain: Grain
    sql: str
    words_vi: str
    words_en: str
    source: str
    owner: str
    threshold: float | None = None
    measure: str = "yes"
    valid_from: date = date(2018, 1, 1)
    valid_to: date | None = None

    def text(self) -> str:
        """The SQL with the threshold in its place."""
        return self.sql if self.threshold is None else self.sql.replace("$threshold", repr(float(self.threshold)))


@dataclass(frozen=True)
class HeldSignal(Signal):
    """One declared rule about an official, a unit, its head or an agent, held against their peers.

    sql: a SELECT of `key` (whom it is about), `unit_code`, `procedure_code`, `chance_at` and `hit` (boolean), one
        row for each chance at which the rule could have been met; `$begin` is the first moment that counts.
    threshold: hits that it takes. days: how far it looks back. least: fewer chances than this give no signal.
    clearly: how many times what the peers would have the hits must exceed, even at the lower end of the 95 %
        interval; None: the hits count by themselves, peers are shown beside.
    rarely: how many times what the peers would have the hits must stay under, even at the upper end; None: not asked.
    cause: what it is about where causes are separated: the official, the unit, or the agent.
    """

    days: int = 365
    least: int = 20
    clearly: float | None = 1.0
    rarely: float | None = None

    @property
    def back(self) -> timedelta:
        """How far it looks back."""
        return timedelta(days=self.days)

    @property
    def cause(self) -> str:
        """Whose doing the signal speaks of; a head answers for the unit."""
        return "unit" if self.grain == "head" else self.grain
