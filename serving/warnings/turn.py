"""One turn of the scheduler: fire the newest list, write digests, escalate, send. Any number may run at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from features.calendar.holiday import as_delivered
from features.calendar.vietnam import VIETNAM
from features.key_file import key_file
from features.record.reading_moment import ReadingMoment
from features.record.record import Record
from models.targets import MAIN
from serving.read.case_file import CaseFiles
from serving.read.delay import DelayPart, Delays
from serving.read.register import Register
from serving.settings import Settings
from serving.state import State
from serving.warnings.channels import opened
from serving.warnings.fire import Fired, fire
from serving.warnings.follow_up import escalate, tell_digests
from serving.warnings.heads import Heads, seated
from serving.warnings.outbox import Sent, send
from serving.warnings.quiet import Quiet
from serving.warnings.rules import WarningRules
from serving.warnings.scoring import Scoring, scoring_at

FRESH = timedelta(days=4)
"""A list older than this (a long weekend) is not fired from: what it says of the time left no longer holds."""
SEED = "warnings.key"


@dataclass(frozen=True)
class TurnResult:
    """What one turn did. fired: None where there was no new list, or none fresh enough.

    behind: until when the record knows, where that is too long ago to warn anybody; None where it is not.
    """

    fired: Fired | None = None
    digests: int = 0
    escalated: int = 0
    sent: Sent = field(default_factory=Sent)
    behind: datetime | None = None


def turn(settings: Settings, state: State, rules: WarningRules, *, now: datetime) -> TurnResult:
    """One turn as of `now` over the newest scored list that was there by then."""
    fired, digests, escalated = None, 0, 0
    scoring = scoring_at(settings.scores, MAIN.name, now, rules.policy)
    record = Record(settings.record_url)
    with record.connect(cutoff=now) as con:
        register = Register.read(con)
        rules = replace(rules, calendar=as_delivered(con, rules.calendar))
        moment = ReadingMoment.read(con, now, rules.calendar)
    if scoring is not None:
        with state.reading() as session:
            heads = Heads(register.tree, seated(session) | set(rules.addresses), register.officials)
        if now - scoring.meta.as_of <= FRESH and not moment.behind:
            seed, helps = key_file(settings.keys / SEED), partial(_helps, record, scoring)
            fired = fire(state, scoring, rules, heads, seed, register.procedures, helps, now=now)
        digests = tell_digests(state, rules, register.procedures, scoring.waiting, now=now)
        escalated = escalate(state, rules, heads, scoring.open - scoring.waiting, register.procedures, now=now)
    sent = send(state, opened(settings, rules, now), Quiet(rules.calendar), now=now)
    return TurnResult(fired, digests, escalated, sent, moment.known_until if moment.behind else None)


def _helps(record: Record, scoring: Scoring, dossier_ids: Sequence[str]) -> dict[str, DelayPart]:
    """Where most of the remaining time is expected, from what was known when the list was made."""
    if not dossier_ids:
        return {}
    as_of = scoring.meta.as_of
    with record.connect(cutoff=as_of) as con:
        cases = CaseFiles.read(con, pa.array(dossier_ids, pa.string()))
        delays = Delays.read(con, as_of, VIETNAM)
    found = {}
    for dossier_id in dossier_ids:
        case = cases.of(dossier_id)
        delay = delays.of(case, as_of) if case is not None and case.events else None
        if delay is not None and delay.parts:
            found[dossier_id] = delay.parts[0]
    return found
