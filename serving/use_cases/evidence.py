"""What stands behind a figure of conduct, in the reader's scope; who looked is on record."""

from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from fastapi import Request

from features.signals.acts import SCHEMA
from serving.read.evidence import COLUMN, EvidencePack, Subject, UnlistedPaper, pack, unlisted_papers
from serving.read.problem import Problem
from serving.scoring import conduct_evidence
from serving.scoring.conduct_list_cache import ConductShelf
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.official_names import official_name


def evidence(request: Request, subject: Subject, key: str, family: str, offset: int, size: int) -> EvidencePack:
    """The pack; Problem 404 where no act of the subject lies in the reader's scope."""
    reader, people = reader_of(request), context_of(request).people
    as_of, scores = list_moment(request), context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, as_of, **{COLUMN[subject]: key}))
    if not acts.num_rows:
        raise Problem(404, "No acts stand behind figures of this key.")
    people.receipts.record(
        reader.login, "evidence.read", {"subject": subject, "key": key, "as_of": as_of.isoformat()}, now=people.now(),
        subjects=[f"{subject}:{key}"],
    )  # fmt: skip
    found = pack(acts, conduct_evidence.handled_of(scores, as_of), as_of, subject, key, family, offset, size)
    named = tuple(replace(one, official_name=official_name(request, one.official_id)) for one in found.dossiers)
    return replace(found, dossiers=named)


def unlisted(request: Request) -> list[UnlistedPaper]:
    """The papers beyond published lists by unit, in the reader's scope."""
    scores = context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, list_moment(request), family="papers"))
    return unlisted_papers(pack(acts, None, list_moment(request), "unit", "", "", 0, acts.num_rows).dossiers)


def list_moment(request: Request) -> datetime:
    """The moment of the conduct list that is served; Problem 404 where there is none."""
    shelf: ConductShelf | None = context_of(request).serving.conduct.value
    if shelf is None:
        raise Problem(404, "No conduct list yet.")
    return shelf.as_of


def _mine(request: Request, acts: pa.Table) -> pa.Table:
    scope = reader_of(request).scope_for("harassment.read")
    kept = [scope.covers(unit) for unit in acts["unit_code"].to_pylist()]
    return acts.filter(pa.array(kept, pa.bool_())) if acts.num_rows else SCHEMA.empty_table()
