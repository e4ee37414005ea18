"""A unit's work as cases, each with holder, term and state: warnings, explanations, apologies, complaints,
consultations and remedies of a reader's scope; given to people, done together, undone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from fastapi import Request
from sqlalchemy.orm import Session

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.read.problem import Problem
from serving.state import CaseAssignment
from serving.use_cases.answers import tracked
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.warnings.acknowledgement import WarningStatus, warnings_of
from serving.work import apologies, assignments, complaints, consultations, explanations, remediation

KINDS = {
    "warning": lazy("Cảnh báo"),
    "explanation": lazy("Giải trình"),
    "apology": lazy("Xin lỗi"),
    "complaint": lazy("Phản ánh"),
    "consultation": lazy("Lấy ý kiến"),
    "remedy": lazy("Khắc phục"),
}
PAGES = {
    "warning": "/warnings", "explanation": "/explanations", "apology": "/apologies", "complaint": "/complaints",
    "consultation": "/consultations", "remedy": "/remedies",
}  # fmt: skip
_RIGHTS = {"warning": "warning.read", "explanation": "explanation.read"}
_LATEST = datetime.max.replace(tzinfo=UTC)
MOST = 200


@dataclass(frozen=True)
class UnitCase:
    """One piece of work that waits.

    subject: what it is called by, `kind:number`. dossier_id: None for a complaint, whose dossier would tell who spoke.
    official_id: whom it was given to, else who holds the dossier; given: whether it was given. term: until when; None
    where there is none. late: the term is past. state: in words. about: what a remedy demands, else empty.
    """

    subject: str
    kind: str
    unit_code: str
    dossier_id: str | None
    official_id: str | None
    term: datetime | None
    state: str
    late: bool
    given: bool = False
    about: str = ""

    @property
    def name(self) -> str:
        """What a person calls it: what must be put right, else the dossier's code or the complaint's number."""
        return self.about or self.dossier_id or self.subject.partition(":")[2]


def cases_of(request: Request) -> list[UnitCase]:
    """The cases of the reader's scope that wait, those with the earliest term first; an official's are their own."""
    reader, now = reader_of(request), context_of(request).people.now()
    everything = replace(reader.scope_for("case.read"), official_id=None)
    own = reader.scope_for("case.read").official_id
    with context_of(request).people.state.reading() as session:
        found = [*_asked(session, reader, now, own), *_owed(request, reader, own), *_remedies(request, session)]
        given = assignments.holders(session, [one.subject for one in found])
    held = [_held(one, given.get(one.subject)) for one in found]
    if own is not None:
        held = [one for one in held if one.official_id == own and (one.given or one.kind == "explanation")]
    else:
        held = [one for one in held if everything.covers(one.unit_code)]
    return sorted(held, key=lambda one: (one.term or _LATEST, one.subject))


def may_see(reader: Reader, kind: str) -> bool:
    """Whether the page of a kind of case opens for the reader."""
    return reader.may(_RIGHTS.get(kind, "answer.read"))


def filtered(found: Iterable[UnitCase], kind: str, state: str, holder: str, unit: str) -> list[UnitCase]:
    """The cases of one kind, holder and unit; state: `late`, or `free` for those that nobody was given."""
    return [
        one for one in found
        if (not kind or one.kind == kind) and (not unit or one.unit_code == unit)
        and (not holder or one.official_id == holder)
        and (state != "late" or one.late) and (state != "free" or not one.given)
    ]  # fmt: skip


def assignable(request: Request) -> Mapping[str, str]:
    """official_id → unit_code of the officials to whom the reader may give work."""
    scope = reader_of(request).scope_for("case.assign")
    register = context_of(request).read_model.register
    return {key: unit for key, unit in register.officials.items() if scope.covers(unit) and key not in register.gone}


def write_assignment(
    request: Request, subjects: Sequence[str], official_id: str, note: str, key: str, back: str
) -> str:  # fmt: skip
    """Gives ticked cases to an official of the reader's units, or takes them back (an empty one)."""
    reader, people = reader_of(request), context_of(request).people
    if official_id and official_id not in assignable(request):
        raise Problem(422, "official: wanted an official of your units.")
    chosen = _chosen(request, subjects)

    def effect(session: Session) -> dict[str, object]:
        units = {one.subject: one.unit_code for one in chosen}
        assignments.assign(session, units, official_id or None, note, now=people.now(), by=reader.account_id)
        return {"official": official_id, "listed": len(units), "note": note.strip()}

    return idempotent_write(request, key, "case.assign", back, effect, _subjects(chosen))


def undo_assignment(request: Request, key: str, back: str) -> str:
    """Puts the reader's last giving back, within an hour."""
    reader, people = reader_of(request), context_of(request).people

    def effect(session: Session) -> dict[str, object]:
        rows = assignments.undo(session, reader.account_id, now=people.now())
        return {"revoked": [one.subject for one in rows]}

    return idempotent_write(request, key, "case.assign", back, effect)


def can_undo(request: Request) -> list[CaseAssignment]:
    """What the reader's last giving was, while it can be undone."""
    people = context_of(request).people
    with people.state.reading() as session:
        return assignments.latest_of(session, reader_of(request).account_id, people.now())


def draft_apologies(
    request: Request, subjects: Sequence[str], new_due_at: datetime, reason: str, key: str, back: str
) -> str:  # fmt: skip
    """Drafts a letter for each ticked late dossier, or for all that have none where none is ticked; one receipt.

    422 where no dossier is left without a letter.
    """
    reader, people = reader_of(request), context_of(request).people
    scope = reader.scope_for("apology.write")
    owed = {
        f"apology:{one.case.dossier_id}": one.case
        for one in tracked(request).apologies if one.sent_at is None and scope.covers(one.case.unit_code)
    }  # fmt: skip
    wanted = [one for one in subjects if one.startswith("apology:")]
    if unknown := [one for one in wanted if one not in owed]:
        raise Problem(404, f"{len(unknown)} of the ticked lines are no late dossier without an apology.")
    cases = [owed[one] for one in dict.fromkeys(wanted)] or list(owed.values())

    def effect(session: Session) -> dict[str, object]:
        before = apologies.letters(session, [case.dossier_id for case in cases])
        fresh = [case for case in cases if case.dossier_id not in before]
        if not fresh:
            raise ValueError("every late dossier has a letter already")
        for case in fresh:
            apologies.draft(
                session, case.dossier_id, case.unit_code, case.due_at, new_due_at, reason, now=people.now(),
                by=reader.account_id,
            )  # fmt: skip
        return {"dossiers": [case.dossier_id for case in fresh], "new_due_at": new_due_at.isoformat()}

    led = idempotent_write(
        request, key, "apology.write", back, effect, [f"dossier:{case.dossier_id}" for case in cases]
    )
    context_of(request).trackers.of(anew=True)
    return led


def _chosen(request: Request, subjects: Sequence[str]) -> list[UnitCase]:
    """The ticked cases, in the scope in which the reader may give work; 404 where one is not there."""
    scope = reader_of(request).scope_for("case.assign")
    by_subject = {one.subject: one for one in cases_of(request) if scope.covers(one.unit_code)}
    wanted = list(dict.fromkeys(subjects))[:MOST]
    if any(one not in by_subject for one in wanted):
        raise Problem(404, "No case of this number.")
    return [by_subject[one] for one in wanted]


def _subjects(chosen: Iterable[UnitCase]) -> list[str]:
    return [f"dossier:{one.dossier_id}" for one in chosen if one.dossier_id]


def _held(one: UnitCase, given: CaseAssignment | None) -> UnitCase:
    if given is None or given.official_id is None:
        return one
    return replace(one, official_id=given.official_id, given=True)


def _asked(
    session: Session, reader: Reader, now: datetime, own: str | None
) -> Iterator[UnitCase]:  # fmt: skip
    """Warnings that wait for an answer, and slips that are not closed."""
    if own is not None or reader.may("warning.read"):
        units = None if own is not None else reader.scope_for("warning.read").units
        for line in warnings_of(session, units, WarningStatus.OPEN, most=1_000):
            yield UnitCase(
                f"warning:{line.id}", "warning", line.head_unit, line.dossier_id, line.official_id, line.due_at,
                _("Chờ xác nhận"), line.due_at < now,
            )  # fmt: skip
    scope = reader.scope_for("explanation.read")
    if own is None or scope.official_id is not None:
        for one in explanations.explanations(session, scope, now, most=1_000):
            if one.state not in ("closed", "excused"):
                yield UnitCase(
                    f"explanation:{one.slip.id}", "explanation", one.slip.unit_code, one.slip.dossier_id,
                    one.slip.official_id, one.slip.answer_due_at, explanations.STATES[one.state], one.overdue,
                )  # fmt: skip


def _owed(request: Request, reader: Reader, own: str | None) -> Iterator[UnitCase]:
    """Apologies not sent, complaints and consultations that wait."""
    if own is None and not reader.may("answer.read"):
        return
    held = tracked(request)
    for one in held.apologies:
        if one.sent_at is None:
            yield UnitCase(
                f"apology:{one.case.dossier_id}", "apology", one.case.unit_code, one.case.dossier_id,
                one.case.official_id, one.case.lawful_due_at, _("Chưa xin lỗi"), True,
            )  # fmt: skip
    for complaint in held.complaints:
        published = complaint.clocks.get("published") if complaint.state == "handled" else None
        if complaint.state in ("open", "overdue") or (published and not published.done_at):
            owed = published or complaint
            yield UnitCase(
                complaint.subject, "complaint", complaint.unit_code or "", None, None, owed.due_at,
                complaints.STATES[complaint.state], owed.late,
            )  # fmt: skip
    for asked in held.consultations:
        if asked.state in ("open", "overdue"):
            scope = reader.scope_for("case.read")
            mine = asked.asked_unit is not None and scope.covers(asked.asked_unit)
            yield UnitCase(
                asked.subject, "consultation", asked.asked_unit if mine and asked.asked_unit else asked.lead_unit,
                asked.dossier_id, asked.official_id, asked.due_at,
                consultations.STATES[asked.state] if mine else _("Chờ đơn vị khác trả lời"), asked.state == "overdue",
            )  # fmt: skip


def _remedies(request: Request, session: Session) -> Iterator[UnitCase]:
    zone, now = context_of(request).serving.settings.zone, context_of(request).people.now()
    for one in remediation.standing(session, now.astimezone(zone).date()):
        if one.state != "done":
            term = datetime.combine(one.due_on, time.max, zone)
            yield UnitCase(
                f"remedy:{one.remediation_id}", "remedy", one.unit_code, None, None, term,
                remediation.STATES[one.state], one.state == "overdue", about=one.what,
            )  # fmt: skip
