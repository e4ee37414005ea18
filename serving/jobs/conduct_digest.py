"""The digest of conduct for those who inspect: what newly stands out, once a list, to the addresses of their units.

Never to heads: whoever is inspected does not learn what brings an inspection. A message holds no person, and dossier
codes only where the rules allow them; who it is stands behind the login, in the reader's scope. Each digest leaves a
receipt that names those it was about.
"""

from collections import defaultdict
from datetime import datetime

from features.record.record import Record
from serving.access.permissions import Reach, scope_of
from serving.read.register import Register
from serving.scoring.conduct_news import ConductNews, Newcomer, conduct_news
from serving.settings import Settings
from serving.state import State
from serving.warnings import outbox, words
from serving.warnings.fire import alone
from serving.warnings.quiet import Quiet
from serving.warnings.rules import WarningRules
from serving.warnings.turn import FRESH, TurnResult, turn
from serving.work.chain_anchor import Witness
from serving.work.receipts import Receipts

ACTOR = "risk warn"
"""Under whose name the receipts stand: nobody's act, the scheduler's."""


def take_turn(settings: Settings, state: State, rules: WarningRules, *, now: datetime) -> tuple[TurnResult, int]:
    """Puts in the digests of conduct, then one turn of the warnings, which sends them; how many digests were made."""
    news = conduct_news(settings.scores, now)
    made = 0
    if news is not None and now - news.as_of <= FRESH and rules.inspectors:
        with Record(settings.record_url).connect(cutoff=now) as con:
            register = Register.read(con)
        receipts = Receipts(state, Witness(settings.keys, settings.home / "receipts"))
        made = tell_inspectors(state, receipts, rules, news, register, now=now)
    return turn(settings, state, rules, now=now), made


def tell_inspectors(
    state: State, receipts: Receipts, rules: WarningRules, news: ConductNews, register: Register, *, now: datetime
) -> int:
    """Puts in one digest for the inspectors of each unit with addresses; gives how many were made.

    The news of one moment's lists is sent once to each address. Nothing in quiet hours.
    """
    if not Quiet(rules.calendar).open(now):
        return 0
    made, link = 0, None  # the last receipt's
    with state.writing() as session:
        alone(session)
        for unit_code in sorted(rules.inspectors):
            mine = news.within(scope_of(Reach.SUBTREE, unit_code, None, register.tree))
            if not mine:
                continue
            text = words.conduct(
                _by_unit(mine, register), mine, f"{rules.base_url}/conduct?new=true", rules.show_dossier
            )
            about = f"conduct {news.as_of.isoformat()}"
            if not outbox.put(
                session, rules, about, "conduct", unit_code, text, now=now, not_before=now, to_inspectors=True
            ):
                continue
            made += 1
            link = receipts.append(
                session, ACTOR, "conduct.digest", {"as_of": news.as_of.isoformat(), "to": unit_code, "n": len(mine)},
                now=now, subjects=[f"{one.grain}:{one.key}" for one in mine],
            )  # fmt: skip
    if link is not None:
        receipts.anchor(link)
    return made


def _by_unit(newcomers: list[Newcomer], register: Register) -> dict[str, list[Newcomer]]:
    """Name of the unit → its newcomers, most first."""
    found: dict[str, list[Newcomer]] = defaultdict(list)
    for one in newcomers:
        found[register.unit(one.unit_code) if one.unit_code else "–"].append(one)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))
