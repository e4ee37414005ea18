"""What the jobs do that need nothing but the service itself; the command line adds those that learn or take in."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete

from features.atomic_file import replacing
from features.calendar.vietnam import VIETNAM
from features.key_file import key_file
from features.record.record import Record
from models.targets import MAIN
from serving.jobs.backup import SIGNING, back_up, drill
from serving.jobs.run_log import RunLog
from serving.jobs.runner import Action, insist_on_space
from serving.jobs.schedule import FRESH, JobRules
from serving.settings import Settings
from serving.state import LoginFailure, LoginFlow, LoginSession, open_state

ARCHIVE = "risk-*.tar.gz"
LONGEST = timedelta(days=1)
"""No backup and no drill takes so long."""


def weekly(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """The lists of the slot's week, each made once; ValueError where no scored list is fresh enough for them."""
    from serving.plan.weekly_list import GRAINS, make_week, path_of, week_of
    from serving.scoring.score_files import latest_path, read_scores

    week = week_of(slot.astimezone(rules.zone).date())
    scores, meta = read_scores(latest_path(settings.scores, MAIN.name))
    if slot - meta.as_of > FRESH:
        raise ValueError(f"the latest list is of {meta.as_of.isoformat()}: too old for {week}; score first")
    made = []
    for grain in GRAINS:
        if not path_of(settings.home / "lists", MAIN.name, grain, week).exists():
            made.append(f"{len(make_week(settings, scores, meta, grain, week=week, now=now).lines)} of {grain}")
    return f"{week}: " + (", ".join(made) if made else "stands already")


def warn(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """One turn of warnings; rules in RISK_HOME/warnings.toml."""
    from serving.jobs.conduct_digest import take_turn
    from serving.warnings.rule_sets import rules_in_force

    with open_state(settings.database_url) as state:
        done, conduct = take_turn(settings, state, rules_in_force(state, settings.warnings), now=now)
    fired = "no new list" if done.fired is None else f"{done.fired.single} fired, {done.fired.held_out} held out"
    return (
        f"{fired}; {done.escalated} escalated, {conduct} of conduct, {done.sent.sent} sent, {done.sent.failed} not sent"
    )


def monthly(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Drafts of the reports of the month before the slot, as known at the slot; those that stand are left."""
    from serving.reports.files import issuer_of, report_file
    from serving.reports.make import KINDS, make_again

    record = Record(settings.record_url)
    if not record.version():
        return "the record is empty: nothing to report of"
    month = f"{slot.astimezone(rules.zone).replace(day=1) - timedelta(days=1):%Y-%m}"
    folder = settings.home / "reports" / "drafts" / month
    folder.mkdir(parents=True, exist_ok=True)
    made, drafted = 0, [name for name, kind in KINDS.items() if kind.monthly]
    with open_state(settings.database_url) as state:
        for kind in drafted:
            path = folder / f"{kind}.docx"
            if path.exists():
                continue
            report = make_again(record, state, kind, month, slot, VIETNAM, now=now)
            issuer = issuer_of(report, record, settings.home)
            with replacing(path, 0o600) as file:
                file.write(report_file(report, path.suffix, settings.zone, issuer))
            made += 1
    return f"{month}: {made} drafts of {len(drafted)}"


def sign_head(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Signs a head of the chain of receipts where the service has not, and carries what is not outside yet.

    OSError where heads lag at a place that the settings name.
    """
    from serving.jobs.chain_heads import ChainHeads, uncarried
    from serving.work.chain_anchor import Witness
    from serving.work.receipts import Receipts

    with open_state(settings.database_url) as state:
        receipts = Receipts(state, Witness(settings.keys, settings.home / "receipts"))
        head = receipts.sign_due(now=now)
        ChainHeads(settings, receipts, lambda: now).carry()
        if lag := uncarried(settings, receipts.witness):
            raise OSError("; ".join(lag))
    signed = "no head was due" if head is None else f"{head.name}: receipt {head.link.seq} signed"
    return f"{signed}; carried to: {', '.join(settings.heads.places) or 'nowhere (RISK_HEADS_…)'}"


def keep_backup(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """One archive of the whole installation, named by its slot."""
    rules.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    archive = rules.backups / f"risk-{slot:%Y%m%dT%H%M%SZ}.tar.gz"
    if archive.exists():
        return f"{archive.name} stands already"
    last = archives(rules)
    insist_on_space(rules, rules.backups, last[-1].stat().st_size if last else 0)
    archived = back_up(settings, archive, now=now)
    return f"{archive.name}: {archived}"


def restore_drill(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Restores the newest archive aside, opens everything in it, and removes it again."""
    found = archives(rules)
    if not found:
        raise FileNotFoundError(f"no backup in {rules.backups}: run risk jobs run backup")
    insist_on_space(rules, rules.backups, 3 * found[-1].stat().st_size)
    return f"{found[-1].name}: {drill(found[-1], rules.backups, key_file(settings.keys / SIGNING))}"


def retain(settings: Settings, rules: JobRules, slot: datetime, now: datetime) -> str:
    """Removes what has had its time: old archives, ended logins, old runs of jobs, what kills left lying about."""
    before = now - rules.keep
    old = archives(rules)[: -rules.keep_backups]
    for archive in old:
        archive.unlink(missing_ok=True)
    for aside in (*rules.backups.glob(".drill-*"), *rules.backups.glob(".risk-*")):
        if now - datetime.fromtimestamp(aside.stat().st_mtime, UTC) > LONGEST:  # nobody works in it any more
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink(missing_ok=True)
    with open_state(settings.database_url) as state:
        runs = RunLog(state).forget(before)
        with state.writing() as session:
            gone = [
                session.execute(delete(LoginFailure).where(LoginFailure.at < before)),
                session.execute(delete(LoginFlow).where(LoginFlow.expires_at < before)),
                session.execute(delete(LoginSession).where(LoginSession.seen_at < before)),
            ]
    logins = sum(int(getattr(one, "rowcount", 0)) for one in gone)
    return f"{len(old)} archives, {runs} runs, {logins} logins removed"


def archives(rules: JobRules) -> list[Path]:
    """The archives of the backup folder, the oldest first."""
    return sorted(rules.backups.glob(ARCHIVE))


def monitored(path: Path, at: datetime) -> bool:
    """Whether the last line of a watch's log is of the moment `at`."""
    from features.atomic_file import whole_lines

    lines = whole_lines(path)
    return bool(lines) and datetime.fromisoformat(json.loads(lines[-1])["as_of"]) == at


ACTIONS: Mapping[str, Action] = {
    "weekly": weekly,
    "warnings": warn,
    "monthly": monthly,
    "heads": sign_head,
    "backup": keep_backup,
    "drill": restore_drill,
    "retention": retain,
}
