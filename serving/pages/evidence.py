"""`/evidence`, `/papers`: the dossiers and acts behind every figure of conduct, and papers that no published list has.

Prints as a field sheet with questions made of the facts. Closed to the units inspected; who looked is on record.
"""

from datetime import datetime
from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from features.signals.acts import SCHEMA
from serving.pages.rendering import render
from serving.pages.risk_list import stretch
from serving.read.evidence import COLUMN, FAMILY_VI, EvidencePack, Subject, UnlistedPaper, pack, unlisted_papers
from serving.read.problem import Problem
from serving.scoring import conduct_evidence
from serving.scoring.conduct_list_cache import ConductShelf
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of

router = APIRouter(include_in_schema=False)

SIZE = 50
SUBJECT_WORDS = {"official": "Cán bộ", "unit": "Đơn vị", "procedure": "Thủ tục", "sector": "Lĩnh vực"}
Key = Annotated[str, Query(alias="id", min_length=1, max_length=200)]
Family = Annotated[str, Query(max_length=20)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("/evidence", response_class=HTMLResponse)
def show(request: Request, subject: Subject, key: Key, family: Family = "", offset: Offset = 0) -> Response:
    """The evidence pack of one official, unit, procedure or sector, in the reader's scope; 404 where there is none."""
    found = evidence(request, subject, key, family, offset, SIZE)
    register = context_of(request).known.register
    name = {"unit": register.unit, "procedure": register.procedure}.get(subject, str)(key)
    wishes = {"subject": subject, "id": key, "family": family}
    total = sum(found.families.values())
    return render(
        request,
        "evidence.html",
        title="Căn cứ của dấu hiệu",
        pack=found,
        name=name,
        subject_words=SUBJECT_WORDS[subject],
        family=family,
        family_words=FAMILY_VI,
        pages=stretch("/evidence", wishes, offset, len(found.dossiers), SIZE, total),
    )


@router.get("/papers", response_class=HTMLResponse)
def papers(request: Request) -> Response:
    """Which papers beyond the published lists each office asks for, and what they cost in days."""
    listed = context_of(request).serving.conduct.value is not None
    found = atlas(request) if listed else []
    as_of = _as_of(request) if listed else None
    return render(request, "papers.html", title="Giấy tờ ngoài danh mục", as_of=as_of, papers=found)


def evidence(request: Request, subject: Subject, key: str, family: str, offset: int, size: int) -> EvidencePack:
    """The pack; Problem 404 where no act of the subject lies in the reader's scope."""
    reader, people = reader_of(request), context_of(request).people
    as_of, scores = _as_of(request), context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, as_of, **{COLUMN[subject]: key}))
    if not acts.num_rows:
        raise Problem(404, "No acts stand behind figures of this key.")
    people.receipts.record(
        reader.login, "evidence.read", {"subject": subject, "key": key, "as_of": as_of.isoformat()}, now=people.now(),
        subjects=[f"{subject}:{key}"],
    )  # fmt: skip
    return pack(acts, conduct_evidence.handled_of(scores, as_of), as_of, subject, key, family, offset, size)


def atlas(request: Request) -> list[UnlistedPaper]:
    """The papers beyond published lists by unit, in the reader's scope."""
    scores = context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, _as_of(request), family="papers"))
    return unlisted_papers(pack(acts, None, _as_of(request), "unit", "", "", 0, acts.num_rows).dossiers)


def _as_of(request: Request) -> datetime:
    shelf: ConductShelf | None = context_of(request).serving.conduct.value
    if shelf is None:
        raise Problem(404, "No conduct list yet.")
    return shelf.as_of


def _mine(request: Request, acts: pa.Table) -> pa.Table:
    scope = reader_of(request).scope_for("harassment.read")
    kept = [scope.covers(unit) for unit in acts["unit_code"].to_pylist()]
    return acts.filter(pa.array(kept, pa.bool_())) if acts.num_rows else SCHEMA.empty_table()
