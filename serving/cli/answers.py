"""`risk answers`: open explanation slips, list what is still owed, write letters of apology."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from serving.cli.group import settings_of, state_of
from serving.cli.moments import moment_or_now
from serving.cli.receipts import note
from serving.settings import Settings

if TYPE_CHECKING:
    from features.record.reading_moment import ReadingMoment
    from features.record.record import Record
    from serving.state import State
    from serving.work.trackers import Tracked

commands = typer.Typer()
answers = typer.Typer(no_args_is_help=True)
commands.add_typer(answers, name="answers", help="What late dossiers still owe: explanations, apologies, answers.")

AsOf = Annotated[str | None, typer.Option(help="As known before this moment; the present one where left out.")]
Unit = Annotated[str, typer.Option(help="Only this unit and all below it.")]


@answers.command("open")
def open_all(ctx: typer.Context, as_of: AsOf = None) -> None:
    """Open a slip for each late dossier that has none, and hand what was explained to the record; run it daily."""
    from serving.access.permissions import Scope
    from serving.work.explanations import deliver_explanations, explanations

    now = moment_or_now(as_of, settings_of(ctx).zone)
    with _state(settings_of(ctx)) as (state, record):
        tracked = _tracked(record, state, now)
        receipt = deliver_explanations(state, record, now=now)
        with state.reading() as session:
            found = explanations(session, Scope(None), now, most=10**9)
    note(settings_of(ctx), "explanation.write", {"slips": len(found)}, now=now)
    _say_until(tracked.moment, settings_of(ctx).zone)
    waiting = sum(one.state in ("open", "returned", "refused") for one in found)
    typer.echo(f"slips={len(found)} waiting={waiting} overdue={sum(one.overdue for one in found)}")
    typer.echo(str(receipt) if receipt else "nothing waits")


@answers.command("explanations")
def list_explanations(ctx: typer.Context, as_of: AsOf = None, unit: Unit = "") -> None:
    """List explanation slips, those that wait longest first."""
    from serving.access.permissions import Scope
    from serving.work.explanations import STATES, explanations

    now = moment_or_now(as_of, settings_of(ctx).zone)
    note(settings_of(ctx), "explanation.read", {"page": "risk answers explanations", "unit": unit}, now=now)
    with _state(settings_of(ctx)) as (state, record):
        units = _units(record, unit, now)
        with state.reading() as session:
            for one in explanations(session, Scope(units), now):
                late = "  quá hạn" if one.overdue else ""
                typer.echo(f"{one.slip.id}  {one.slip.unit_code}  {one.slip.dossier_id}  {STATES[one.state]}{late}")


@answers.command("apologies")
def list_apologies(ctx: typer.Context, as_of: AsOf = None, unit: Unit = "") -> None:
    """List dossiers that an apology is owed for: sent or not, and whether the new day was kept."""
    from serving.work.apologies import PROMISES

    now = moment_or_now(as_of, settings_of(ctx).zone)
    note(settings_of(ctx), "answer.read", {"page": "risk answers apologies", "unit": unit}, now=now)
    with _state(settings_of(ctx)) as (state, record):
        units = _units(record, unit, now)
        tracked = _tracked(record, state, now)
        _say_until(tracked.moment, settings_of(ctx).zone)
        for one in tracked.apologies:
            if units is None or one.case.unit_code in units:
                sent = "đã xin lỗi" if one.sent_at else "chưa xin lỗi"
                typer.echo(f"{one.case.unit_code}  {one.case.dossier_id}  {sent}  {PROMISES[one.promise]}")


@answers.command("consultations")
def list_consultations(ctx: typer.Context, as_of: AsOf = None) -> None:
    """List consulted agencies: how often asked, late, unanswered past the term, mean working hours."""
    from serving.work.consultations import answerers

    now = moment_or_now(as_of, settings_of(ctx).zone)
    note(settings_of(ctx), "answer.read", {"page": "risk answers consultations"}, now=now)
    with _state(settings_of(ctx)) as (state, record):
        tracked = _tracked(record, state, now)
        _say_until(tracked.moment, settings_of(ctx).zone)
        for one in answerers(tracked.consultations):
            typer.echo(
                f"{one.unit_code}  asked={one.asked} late={one.late} overdue={one.overdue} hours={one.hours:.1f}"
            )


@answers.command("complaints")
def list_complaints(ctx: typer.Context, as_of: AsOf = None, unit: Unit = "") -> None:
    """List complaints by their terms (2, 5, 15, 2 working days), those that wait first."""
    from serving.work.complaints import STATES

    settings, now = settings_of(ctx), moment_or_now(as_of, settings_of(ctx).zone)
    note(settings, "answer.read", {"page": "risk answers complaints", "unit": unit}, now=now)
    with _state(settings) as (state, record):
        units = _units(record, unit, now)
        tracked = _tracked(record, state, now)
        _say_until(tracked.moment, settings.zone)
        for one in tracked.complaints:
            if units is None or one.unit_code in units:
                due = one.due_at.astimezone(settings.zone)
                typer.echo(f"{one.complaint_id}  {one.unit_code or '–'}  {due:%d/%m/%Y}  {STATES[one.state]}")


@answers.command("letters")
def write_letters(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="apologies, explanations, minutes, remedies, consultations.")],
    out: Annotated[Path, typer.Option(help="File to write: .docx for all in one document, .zip for one each.")],
    only: Annotated[str, typer.Option(help="Number, visit or unit: this one alone.")] = "",
    as_of: AsOf = None,
    unit: Unit = "",
) -> None:
    """Write what is owed in the forms of Nghị định 30: letters of apology, slips, minutes, requests, reminders."""
    from serving.access.permissions import Scope
    from serving.cli.plan import plan_store
    from serving.documents.letter import in_many_files, in_one_file
    from serving.documents.letterhead import Letterheads
    from serving.read.official_directory import called, names_in
    from serving.read.register import Register
    from serving.reports.letters import LetterDesk, letters_of

    if out.suffix.lower() not in (".docx", ".zip"):
        raise ValueError(f"wanted a file ending in .docx or .zip, got {out.name!r}")
    settings, now = settings_of(ctx), moment_or_now(as_of, settings_of(ctx).zone)
    store = plan_store(settings)
    plans = store.plans()
    visits = store.visits(plans[-1], now) if plans and kind == "minutes" else []
    with _state(settings) as (state, record):
        scope = Scope(_units(record, unit, now))
        tracked = _tracked(record, state, now)
        with record.connect(cutoff=now) as con, state.reading() as session:
            register, names = Register.read(con), names_in(session)
            desk = LetterDesk(
                register, Letterheads.read(settings.home), settings.zone, now,
                lambda official: called(official, names, register),
            )  # fmt: skip
            mine = [one for one in visits if scope.covers(one["unit_code"])]
            found = letters_of(kind, desk, session, tracked, scope, only=only, visits=mine)
    if not found:
        raise LookupError("nothing to write")
    note(settings, "letter.export", {"kind": kind, "letters": len(found), "as": out.suffix}, now=now)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(in_one_file(found) if out.suffix.lower() == ".docx" else in_many_files(found))
    typer.echo(f"letters={len(found)} out={out}")


@answers.command("ledger")
def show_ledger(
    ctx: typer.Context, dossier: Annotated[str, typer.Argument(help="The dossier, open or ended.")], as_of: AsOf = None
) -> None:
    """Show who held a dossier, in which step, how many working hours, how many past the promise, and its warnings."""
    from features.calendar.vietnam import VIETNAM
    from features.record.reading_moment import ReadingMoment
    from serving.read.responsibility import read_ledger
    from serving.warnings.acknowledgement import warnings_about

    settings, now = settings_of(ctx), moment_or_now(as_of, settings_of(ctx).zone)
    with _state(settings) as (state, record):
        with record.connect(cutoff=now) as con:
            moment = ReadingMoment.read(con, now, VIETNAM)
        found = read_ledger(record, dossier, moment.as_of, VIETNAM)
        with state.reading() as session:
            warned = warnings_about(session, dossier, now)
    if found is None:
        raise LookupError(f"no dossier {dossier}")
    note(settings, "ledger.read", {"dossier": dossier}, now=now, subjects=[f"dossier:{dossier}"])
    _say_until(moment, settings.zone)
    for stay in found[1].stays:
        since = stay.since.astimezone(settings.zone)
        who = stay.official_id or stay.holder.value
        typer.echo(
            f"{since:%d/%m/%Y %H:%M}  {stay.step}  {stay.unit_code or '–'}  {who}  {stay.hours:.1f} h"
            + (f"  ({stay.past_due_hours:.1f} h past the promise)" if stay.past_due_hours else "")
        )
    for one in warned:
        answered = one.acknowledged_at is not None and one.acknowledged_at < now
        typer.echo(
            f"{one.told_at.astimezone(settings.zone):%d/%m/%Y %H:%M}  warned the head of {one.head_unit}: "
            + (f"acknowledged, {one.note}" if answered else f"not answered, escalated {one.level} levels")
        )


@contextmanager
def _state(settings: Settings) -> Iterator["tuple[State, Record]"]:
    from features.record.record import Record

    with state_of(settings) as state:
        yield state, Record(settings.record_url)


def _tracked(record: "Record", state: "State", now: datetime) -> "Tracked":
    from features.calendar.vietnam import VIETNAM
    from serving.work.trackers import read_tracked

    return read_tracked(record, state, VIETNAM, now)


def _say_until(moment: "ReadingMoment", zone: ZoneInfo) -> None:
    if moment.behind and moment.known_until is not None:
        until = moment.known_until.astimezone(zone)
        typer.echo(f"dữ liệu chỉ đến / the record knows until {until:%d/%m/%Y %H:%M}: read as of then, nothing opened")


def _units(record: "Record", unit: str, now: datetime) -> frozenset[str] | None:
    from serving.read.register import Register

    if not unit:
        return None
    with record.connect(cutoff=now) as con:
        return Register.read(con).tree.subtree(unit)
