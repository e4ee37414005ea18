"""`/dossier`: one dossier, why it stands where it stands, its clock and timeline."""

import re
from dataclasses import replace
from math import exp
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.language import gettext as _
from serving.pages import drawing
from serving.pages.rendering import render
from serving.read.evidence import FAMILY_VI
from serving.read.finding_words import KIND_WORDS
from serving.read.receipt_words import ACTION_WORDS
from serving.read.responsibility import ledger
from serving.state import Contest, Decision, Finding, Receipt
from serving.use_cases.app_context import context_of
from serving.use_cases.decisions import undoable_decisions
from serving.use_cases.dossiers import case_in_scope, line_in_scope, open_line
from serving.use_cases.evidence import signs_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.remedies import remedies_of
from serving.use_cases.results import findings_about
from serving.use_cases.what_if import helps_of
from serving.warnings.acknowledgement import WarningLine, warnings_about
from serving.warnings.words import HOLDER_WORDS
from serving.words import EVENT_WORDS, hours_between
from serving.work import contests, decisions, remediation

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Query(alias="id", max_length=200)]
DAYS_SHOWN = (1, 2, 3, 5, 7, 10, 15, 20)
"""Working days ahead for which the chance to be still open is shown."""
MOST_HELPS = 3
_LONG_NUMBER = re.compile(r"\d{9,}")  # identity and phone numbers have 9 to 12 digits


@router.get("/dossier", response_class=HTMLResponse)
def show(request: Request, dossier_id: Id) -> Response:
    """One dossier in the reader's scope; of one that has ended what the record, the findings and the decisions tell."""
    if open_line(request, dossier_id) is None:
        return _ended(request, dossier_id)
    reader = reader_of(request)
    people, read_model = context_of(request).people, context_of(request).read_model
    line, case = line_in_scope(request, dossier_id)
    risk_list = context_of(request).serving.risk_list(MAIN.name)
    meta, read_at = risk_list.meta, risk_list.read_at
    frozen, _decided = people.remembered.marks(people.state, MAIN.name, [dossier_id])
    contested: list[Contest] = []
    decided: list[Decision] = []
    seen: list[Receipt] = []
    warned: list[WarningLine] = []
    found: list[Finding] = []
    if not getattr(request.state, "away", False):
        with people.state.reading() as session:
            contested = contests.of_dossier(session, dossier_id)
            picks = reader.scope_for("pick.read").covers(line.unit_code, line.official_id)
            decided = decisions.of_dossier(session, dossier_id, picks=picks)
            warned = warnings_about(session, dossier_id, people.now())
            found = findings_about(request, session, dossier_id=dossier_id)
        if reader.may("receipt.read"):
            seen = people.receipts.about(f"dossier:{dossier_id}", most=8)
    may_decide = reader.scope_for("decision.write").covers(line.unit_code, line.official_id)
    sees = reader.scope_for("harassment.read").covers(line.unit_code, line.official_id)
    shows_helps = reader.scope_for("what_if.read").covers(line.unit_code, line.official_id)
    shelf = context_of(request).serving.conduct.value
    shown = replace(
        line, score=frozen.get(dossier_id, line.score), reasons=list(map(read_model.register.named, line.reasons))
    )
    note_look(
        request,
        "dossier.read",
        {
            "as_of": meta.as_of.isoformat(),
            "model": meta.model_version,
            "dossier": dossier_id,
            "score": f"{shown.score:.6f}",
        },
        [f"dossier:{dossier_id}", *([f"official:{line.official_id}"] if line.official_id else [])],
    )
    return render(
        request,
        "dossier.html",
        title=_("Hồ sơ {dossier_id}").format(dossier_id=dossier_id),
        line=shown,
        case=case,
        base=1 / (1 + exp(-line.base)),
        frozen=dossier_id in frozen,
        bars=drawing.bars(shown.reasons),
        clock=drawing.clock(case, case.state(read_at, read_model.calendar), line.due_at) if case else None,
        spans=drawing.step_spans(case, read_at, read_model.calendar) if case else [],
        ledger=ledger(case, read_at, read_model.calendar) if case else None,
        warned=warned,
        papers=_harmless,
        sees=sees,
        days_ahead=DAYS_SHOWN,
        helps=helps_of(request, line)[:MOST_HELPS] if shows_helps else [],
        hours_between=hours_between,
        signals=shelf.of("dossier", dossier_id) if shelf and sees else None,
        event_words=EVENT_WORDS,
        holder_words=HOLDER_WORDS,
        procedure=read_model.standing.procedures.get(line.procedure_code or ""),
        contests=contested,
        **_acted_on(request, dossier_id, found, decided),
        decision_words={kind: decisions.WORDS[kind] for kind in decisions.KINDS[decisions.track_of(reader.role)]},
        may_decide=may_decide,
        may_contest=reader.scope_for("contest.write").covers(line.unit_code, line.official_id),
        seen=seen,
        action_words=ACTION_WORDS,
    )


def _acted_on(request: Request, dossier_id: str, found: list[Finding], decided: list[Decision]) -> dict[str, Any]:
    """What people did about a dossier, for its page, open or ended: findings, remedies, decisions, undo."""
    undo = undoable_decisions(request)
    return {
        "found": found, "kinds": KIND_WORDS, "states": remediation.STATES,
        "remedies": remedies_of(request, [one.finding_id for one in found]),
        "decided": [(decisions.WORDS[decisions.DecisionKind(one.kind)], one) for one in decided],
        "undo": undo if any(one.dossier_id == dossier_id for one in undo) else (),
    }  # fmt: skip


def _ended(request: Request, dossier_id: str) -> Response:
    """The page of a dossier that is on no list: no score stands, nothing is predicted."""
    reader, people, read_model = reader_of(request), context_of(request).people, context_of(request).read_model
    case, held = case_in_scope(request, dossier_id)
    until = read_model.moment.as_of
    state = case.state(until, read_model.calendar)
    sees = reader.scope_for("harassment.read").covers(case.unit_code)
    decided: list[Decision] = []
    found: list[Finding] = []
    if not getattr(request.state, "away", False):
        with people.state.reading() as session:
            picks = reader.scope_for("pick.read").covers(case.unit_code)
            decided = decisions.of_dossier(session, dossier_id, picks=picks)
            found = findings_about(request, session, dossier_id=dossier_id)
    holders = list(dict.fromkeys(one.official_id for one in case.events if one.official_id))
    note_look(
        request,
        "dossier.read",
        {"dossier": dossier_id, "until": until.isoformat()},
        [f"dossier:{dossier_id}", *(f"official:{one}" for one in holders)],
    )
    may_pick = decisions.DecisionKind.PICK in decisions.KINDS[decisions.track_of(reader.role)]
    return render(
        request,
        "dossier_ended.html",
        title=_("Hồ sơ {dossier_id}").format(dossier_id=dossier_id),
        case=case,
        state=state,
        spans=drawing.step_spans(case, state.ended_at or until, read_model.calendar),
        ledger=held,
        holder_words=HOLDER_WORDS,
        event_words=EVENT_WORDS,
        papers=_harmless,
        sees=sees,
        signs=signs_of(request, dossier_id) if sees else [],
        family_words=FAMILY_VI,
        **_acted_on(request, dossier_id, found, decided),
        may_pick=may_pick and reader.scope_for("decision.write").covers(case.unit_code),
    )


def _harmless(papers: str | None) -> str:
    """Names of papers without any long number in them, whoever typed it there."""
    return _LONG_NUMBER.sub("…", papers or "")
