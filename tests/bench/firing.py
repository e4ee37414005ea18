"""The rules of `serving.warnings.firing` over a whole history in memory: for replays and as an oracle of the tests."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from serving.warnings.firing import OpenDossier, Promise, Streak, above, counted, ripe, share_out
from serving.warnings.policy import Policy


@dataclass
class Firing:
    """What has fired so far."""

    policy: Policy
    streaks: dict[str, Streak] = field(default_factory=dict)
    fired: set[Promise] = field(default_factory=set)
    spent: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def look(
        self, scoring: Iterable[OpenDossier], week: str, weekday: int, held_out: Collection[str] = ()
    ) -> tuple[list[OpenDossier], list[OpenDossier]]:
        """Single warnings and digest lines of one scoring; dossiers in `held_out` fire but are not told."""
        over = above(scoring, self.policy)
        self.streaks = counted(over, self.streaks)
        found = ripe(over, self.streaks, self.policy, self.fired)
        self.fired |= {(one.dossier_id, one.due_at) for one in found}
        told = [one for one in found if one.dossier_id not in held_out]
        heads = {one.head: self.spent[one.head, week] for one in told}
        single, digest = share_out(told, heads, self.policy.allowance(weekday))
        for one in single:
            self.spent[one.head, week] += 1
        return single, digest
