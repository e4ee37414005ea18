"""What is worth a look in one dossier's data or course at a moment, and the lists of conduct against peers."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from features.record.record import Record
from features.signals import DOSSIER_SIGNALS, evaluate
from models.conduct import ConductLine
from models.sector_risk import SectorRisk
from serving.api.answer import answer
from serving.read.evidence import EvidencePack, Subject, UnlistedPaper
from serving.read.problem import Problem, documented
from serving.scoring import conduct_evidence
from serving.scoring.conduct_list_cache import has_enough_data
from serving.use_cases.app_context import context_of, serving
from serving.use_cases.conduct import Grain, conduct_lines
from serving.use_cases.evidence import evidence, unlisted
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import looked, note_look
from serving.use_cases.official_names import official_name
from serving.use_cases.served_state import Serving

router = APIRouter(tags=["signals"])
_RULES = {signal.name: signal for signal in DOSSIER_SIGNALS}
_TOO_LITTLE: dict[str, Any] = {
    "score": None, "flag": False, "low": None, "high": None, "reasons_vi": "Chưa đủ dữ liệu",
    "reasons_en": "Not enough data",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One signal that holds: the rule's code and words, the number that measures it, what the rule rests on."""

    code: str
    value: float
    vi: str
    en: str
    source: str
    owner: str


@dataclass(frozen=True)
class SignalsAnswer:
    """The signals of one dossier at `as_of`. A signal is a reason to look, never a finding about a person."""

    dossier_id: str
    as_of: datetime
    signals: list[Shown]


@dataclass(frozen=True)
class NamedLine(ConductLine):
    """A line of conduct with the official's name, for who may see it."""

    official_name: str | None = None


@router.get("/signals/{dossier_id:path}", response_model=SignalsAnswer, responses=documented(404, 422, 503))
async def show_signals(
    request: Request,
    dossier_id: Annotated[str, Path(max_length=200)],
    state: Annotated[Serving, Depends(serving)],
    as_of: Annotated[datetime | None, Query(description="aware; default: now")] = None,
) -> Response:
    """The signals of a dossier of the record; an id unknown by then or out of the reader's scope answers 404."""
    at = as_of or state.now()
    if at.tzinfo is None:
        raise Problem(422, "as_of: wanted a time with an offset, such as 2026-03-01T08:00:00+07:00")
    unit, signals = await run_in_threadpool(_signals, state, dossier_id, at)
    if unit is None or not reader_of(request).scope.covers(unit, None):
        raise Problem(404, "No dossier of this id was known then.")
    await looked(request, "harassment.read", {"dossier": dossier_id}, [f"dossier:{dossier_id}"])
    return answer(SignalsAnswer(dossier_id, at, signals))


@router.get("/conduct", response_model=list[NamedLine], responses=documented(422))
def list_conduct(
    request: Request,
    grain: Grain = "official",
    tier: Annotated[str, Query(max_length=20)] = "",
    unit: Annotated[str, Query(max_length=120)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """200 lines of one conduct list from `offset`, of one tier; no figure where there is too little behind a line."""
    chosen, lines = conduct_lines(request, grain, tier, unit)
    shown = lines[offset : offset + 200]
    note_look(
        request,
        "conduct.read",
        {"grain": grain, "tier": chosen},
        [f"official:{line.official_id}" for line in shown if line.official_id],
    )
    return answer(
        [
            NamedLine(
                **vars(line if has_enough_data(line) else replace(line, **_TOO_LITTLE)),
                official_name=official_name(request, line.official_id) if line.official_id else None,
            )
            for line in shown
        ]
    )


@router.get("/evidence", response_model=EvidencePack, responses=documented(404, 422))
def show_evidence(
    request: Request,
    subject: Subject,
    key: Annotated[str, Query(alias="id", min_length=1, max_length=200)],
    family: Annotated[str, Query(max_length=20)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The dossiers and acts behind the figures of an official, unit, procedure or sector; 200 from `offset`."""
    return answer(evidence(request, subject, key, family, offset, 200))


@router.get("/sectors", response_model=list[SectorRisk])
def list_sectors(request: Request) -> Response:
    """Every sector with the directives' weight and the shares of findings, signals and complaints, with intervals."""
    state = context_of(request).serving
    shelf = state.conduct.value
    found = conduct_evidence.sectors_of(state.settings.scores, shelf.as_of) if shelf else []
    note_look(request, "sectors.read", {"n": len(found)})
    return answer(found)


@router.get("/papers", response_model=list[UnlistedPaper], responses=documented(404))
def list_papers(request: Request) -> Response:
    """Papers on no published list by the unit that asked for them, with dossiers and the citizen's working days."""
    return answer(unlisted(request))


def _signals(state: Serving, dossier_id: str, at: datetime) -> tuple[str | None, list[Shown]]:
    """The dossier's unit, None where it was not known, and its signals."""
    with Record(state.settings.record_url).connect(cutoff=at) as con:
        found = con.execute("SELECT unit_code FROM dossier_latest WHERE dossier_id = ?", [dossier_id]).fetchall()
        if not found:
            return None, []
        cases = pa.table({"dossier_id": [dossier_id], "as_of": pa.array([at], pa.timestamp("us", "UTC"))})
        rows = evaluate(con, cases).to_pylist()
    rules = [(_RULES[row["signal"]], row["value"]) for row in rows]
    shown = [Shown(one.name, value, one.words_vi, one.words_en, one.source, one.owner) for one, value in rules]
    return str(found[0][0]), shown
