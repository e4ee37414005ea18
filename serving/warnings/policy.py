"""When a score is worth a warning, how often a head is disturbed, and who is held out to measure the effect."""

from dataclasses import dataclass, field

MOST_HELD_OUT = 0.5


@dataclass(frozen=True)
class Costs:
    """What acting and not acting cost, in one unit of choice.

    c_in: the head looking into a dossier. c_com: what a needless look costs beside (haste, good will). c_out: a
    promise missed. eff: the share of misses that a look prevents, in (0, 1].
    """

    c_in: float = 1.0
    c_out: float = 8.0
    c_com: float = 0.5
    eff: float = 0.5

    def __post_init__(self) -> None:
        """Refuses costs under which no warning ever pays."""
        if min(self.c_in, self.c_com) < 0 or self.c_out <= 0 or not 0 < self.eff <= 1:
            raise ValueError("costs: wanted c_in ≥ 0, c_com ≥ 0, c_out > 0 and eff in (0, 1]")
        if self.threshold >= 1:
            raise ValueError(
                f"costs: a warning costs more than it saves (threshold {self.threshold:.2f}): wanted c_in < eff · c_out"
            )

    @property
    def threshold(self) -> float:
        """The probability above which a warning costs less than silence.

        (c_in + c_com) / (eff·c_out + c_com): with a warning a miss costs c_in + (1 − eff)·c_out and a kept promise
        c_in + c_com; without one c_out and nothing (Teinemaa, Tax, de Leoni, Dumas, Maggi 2018, "Alarm-based
        prescriptive process monitoring").
        """
        return (self.c_in + self.c_com) / (self.eff * self.c_out + self.c_com)


@dataclass(frozen=True)
class Policy:
    """The rules of warning.

    stay: a dossier fires when it has stood above the threshold in so many scorings in a row (firing delay against
    flicker; Fahrenkrog-Petersen et al. 2022); with fewer than `at_once_hours` working hours left it fires at once,
    for the next scoring would come too late. a_week: single warnings a head gets in a week at most; the rest goes
    into one digest a day. held_out: share of dossiers whose warnings a draw holds back. escalate_hours:
    working hours without acknowledgement after which the head above is warned; levels: how many heads up.
    """

    costs: Costs = field(default_factory=Costs)
    stay: int = 2
    at_once_hours: float = 8.0
    a_week: int = 10
    held_out: float = 0.1
    escalate_hours: float = 8.0
    levels: int = 2

    def __post_init__(self) -> None:
        """Refuses rules that cannot be followed, by name."""
        for name, least in (("stay", 1), ("a_week", 0), ("levels", 0), ("at_once_hours", 0), ("escalate_hours", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: wanted at least {least}, got {getattr(self, name)}")
        if not 0 <= self.held_out <= MOST_HELD_OUT:
            raise ValueError(f"held_out: wanted 0 to {MOST_HELD_OUT}, got {self.held_out}")

    def allowance(self, weekday: int) -> int:
        """Single warnings that one head may have got by the end of a weekday (0: Monday).

        A fifth of the budget a working day, what is left over carried on: a flood on Monday leaves room for Friday.
        """
        return min(self.a_week, -(-self.a_week * min(weekday + 1, 5) // 5))
