"""What the jobs do that take in, learn from or watch: the part that the command line alone may call."""

import time
from datetime import datetime

from models.targets import MAIN
from serving.jobs.actions import ACTIONS, monitored
from serving.jobs.runner import Action, insist_on_space
from serving.jobs.schedule import JobRules
from serving.settings import Settings

REST = 2.0
"""Seconds for which a file must not change to be taken for whole."""


def intake(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Takes in what lies in the inbox and has come to rest; stops before the disk is full."""
    from features.record.delivery import DeliveryReceipt
    from serving.jobs.folder_watcher import FolderWatcher
    from serving.work.intake import take_in

    settings.home.mkdir(parents=True, exist_ok=True)
    insist_on_space(rules, settings.home)
    box = FolderWatcher(rules.inbox, lambda path, source: take_in(settings, path, source, arrived_at=now, live=True))
    taken = list(box.look(now))
    if box.waiting:
        time.sleep(REST)
        taken += box.look(now)
    rows = sum(one.receipt.appended for one in taken if isinstance(one.receipt, DeliveryReceipt))
    return f"{len(taken)} files, {rows} new rows, {sum(one.receipt is None for one in taken)} refused"


def score(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Scores what was open at the slot, or where the record ends if it has fallen behind, for each target."""
    from features.calendar.vietnam import VIETNAM
    from features.record.reading_moment import ReadingMoment
    from features.record.record import Record
    from serving.cli.targets import ready_targets, steps

    with Record(settings.record_url).connect(cutoff=slot) as con:
        as_of = ReadingMoment.read(con, slot, VIETNAM).as_of
    latest = _latest(settings)
    if latest is not None and latest > as_of:  # the clock was set back: an older list must not take its place
        return f"a newer list stands, of {latest.isoformat()}"
    lines = [
        f"{target}: {steps(target).score(settings, as_of, lambda line: None).rpartition(': ')[2]}"
        for target in ready_targets(settings)
    ]
    return "; ".join(lines) or "no champion yet: risk train, risk promote"


def monitor(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Watches the newest list for drift and silence, once."""
    from serving.cli.watching import TARGET, WATCH_LOG, watched

    at = _latest(settings)
    if at is None:
        return "no list yet"
    if monitored(settings.models / TARGET / WATCH_LOG, at):
        return "this list is watched already"
    try:
        return list(watched(settings, at))[-1]
    except FileNotFoundError:
        return "no champion yet"


def level(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Takes the champion's scores to the level of the outcomes known at the slot."""
    from serving.cli.watching import leveled

    try:
        return leveled(settings, slot)
    except FileNotFoundError:
        return "no champion yet"
    except ValueError as error:  # a champion of before: its scores stand as they are until the next training
        return str(error)


def _latest(settings: Settings) -> datetime | None:
    """The moment of the newest list; None where there is none."""
    from serving.scoring.score_files import latest_path, read_scores

    try:
        return read_scores(latest_path(settings.scores, MAIN.name))[1].as_of
    except FileNotFoundError:
        return None


def action_of(name: str) -> Action:
    """What the job called `name` does."""
    ours: dict[str, Action] = {"intake": intake, "level": level, "score": score, "monitor": monitor}
    return ours.get(name) or ACTIONS[name]
