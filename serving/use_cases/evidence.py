"""What stands behind a figure of conduct, in the reader's scope; who looked is on record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import Request

from features.signals.acts import SCHEMA
from features.signals.handled import CHARGED
from serving.language import gettext as _
from serving.read.evidence import (
    COLUMN,
    EvidenceDossier,
    EvidencePack,
    FactQuestion,
    Subject,
    UnlistedPaper,
    pack,
    unlisted_papers,
)
from serving.read.problem import Problem
from serving.scoring import conduct_evidence
from serving.scoring.conduct_list_cache import ConductShelf
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.official_names import official_name


def evidence(request: Request, subject: Subject, key: str, family: str, offset: int, size: int) -> EvidencePack:
    """The pack; Problem 404 where no dossier of the subject in the reader's scope counts for its figures."""
    as_of, scores = list_moment(request), context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, as_of, **{COLUMN[subject]: key}))
    if not acts.num_rows and not _handled(request, subject, key) and not _listed(request, subject, key):
        raise Problem(404, "No dossiers stand behind figures of this key.")
    _note(request, subject, key)
    found = pack(acts, conduct_evidence.handled_of(scores, as_of), as_of, subject, key, family, offset, size)
    named = tuple(replace(one, official_name=official_name(request, one.official_id)) for one in found.dossiers)
    return replace(found, dossiers=named)


Counted = tuple[str, str | None, str, tuple[str, ...]]
"""A dossier that counts: id, procedure, official, and the families of signals that it shows."""


def counted(request: Request, subject: Subject, key: str) -> list[Counted]:
    """Every dossier that counts for a subject, in the reader's scope, those with signals first; 404 where none does."""
    found = _handled(request, subject, key)
    if not found and not _listed(request, subject, key):
        raise Problem(404, "No dossiers count for this key.")
    _note(request, subject, key)
    return found


def _listed(request: Request, subject: Subject, key: str) -> bool:
    """Whether a list that the reader sees has a line of the subject: its link leads to an empty page, not to none."""
    shelf: ConductShelf | None = context_of(request).serving.conduct.value
    line = shelf.of(subject, key) if shelf is not None and subject in ("official", "unit") else None
    return line is not None and reader_of(request).scope_for("harassment.read").covers(line.unit_code)


def facts_of_unit(request: Request, unit_code: str) -> tuple[list[FactQuestion], dict[str, list[str]]]:
    """Questions for a visit made of what the data show at the unit; dossier → what is asked about it alone.

    Empty where there is no conduct list, or where the reader may not read such signals.
    """
    if context_of(request).serving.conduct.value is None or not reader_of(request).may("harassment.read"):
        return [], {}
    as_of, scores = list_moment(request), context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, as_of, unit_code=unit_code))
    found = pack(acts, None, as_of, "unit", unit_code).questions
    each: dict[str, list[str]] = {}
    for key in dict.fromkeys(acts["dossier_id"].to_pylist()):
        own = acts.filter(pc.equal(acts["dossier_id"], key))
        each[key] = [one.vi.removeprefix(_("1 hồ sơ ")) for one in pack(own, None, as_of, "unit", unit_code).questions]
    return list(found), each


def signs_of(request: Request, dossier_id: str) -> Sequence[EvidenceDossier]:
    """What one dossier is evidence of, by who it is charged to; nothing where it shows no sign or no list is made."""
    if context_of(request).serving.conduct.value is None:
        return []
    as_of, scores = list_moment(request), context_of(request).serving.settings.scores
    acts = _mine(request, conduct_evidence.acts_of(scores, as_of, dossier_id=dossier_id))
    return pack(acts, None, as_of, "unit", "", "", 0, acts.num_rows).dossiers


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


def _handled(request: Request, subject: Subject, key: str) -> list[Counted]:
    table = conduct_evidence.handled_of(context_of(request).serving.settings.scores, list_moment(request))
    if table is None or COLUMN[subject] not in table.column_names:
        return []
    scope = reader_of(request).scope_for("harassment.read")
    rows: dict[tuple[str, str], tuple[str | None, set[str]]] = {}
    for row in table.filter(pc.equal(table[COLUMN[subject]], key)).to_pylist():
        if scope.covers(row["unit_code"]):
            _, shown = rows.setdefault((row["dossier_id"], row["official_id"]), (row["procedure_code"], set()))
            shown |= {name for name in CHARGED if row[name]}
    return [
        (dossier, procedure, who, tuple(sorted(shown)))
        for (dossier, who), (procedure, shown) in sorted(rows.items(), key=lambda one: (not one[1][1], one[0]))
    ]


def _note(request: Request, subject: str, key: str) -> None:
    as_of = list_moment(request).isoformat()
    note_look(request, "evidence.read", {"subject": subject, "key": key, "as_of": as_of}, [f"{subject}:{key}"])


def _mine(request: Request, acts: pa.Table) -> pa.Table:
    scope = reader_of(request).scope_for("harassment.read")
    covered = [scope.covers(unit) for unit in acts["unit_code"].to_pylist()]
    return acts.filter(pa.array(covered, pa.bool_())) if acts.num_rows else SCHEMA.empty_table()
