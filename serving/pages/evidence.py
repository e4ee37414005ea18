"""`/evidence`, `/papers`: the dossiers and acts behind every figure of conduct, and papers that no published list has.

Prints as a field sheet with questions made of the facts. Closed to the units inspected; who looked is on record.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import render
from serving.pages.risk_list import stretch
from serving.pages.sheet_file import Format, Sheet, file_of
from serving.read.evidence import FAMILY_VI, Subject
from serving.scoring.risk_list import MOST_ROWS
from serving.use_cases.app_context import context_of
from serving.use_cases.decisions import undoable_decisions
from serving.use_cases.evidence import counted, evidence, list_moment, unlisted
from serving.use_cases.guard import reader_of
from serving.work.decisions import WORDS

router = APIRouter(include_in_schema=False)

SIZE = 50
SUBJECT_WORDS = {
    "official": lazy("Cán bộ"),
    "unit": lazy("Đơn vị"),
    "procedure": lazy("Thủ tục"),
    "sector": lazy("Lĩnh vực"),
}
Key = Annotated[str, Query(alias="id", min_length=1, max_length=200)]
Family = Annotated[str, Query(max_length=20)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.get("/evidence", response_class=HTMLResponse)
def show(
    request: Request, subject: Subject, key: Key, family: Family = "", offset: Offset = 0,
    every: Annotated[bool, Query(alias="all")] = False,
) -> Response:  # fmt: skip
    """The evidence pack of one official, unit, procedure or sector, in the reader's scope; 404 where there is none.

    every: all dossiers that count for the subject (the n of its figures), whether a signal is among them or not.
    """
    if every:
        return _every(request, subject, key, offset)
    found = evidence(request, subject, key, family, offset, SIZE)
    register = context_of(request).read_model.register
    name = {"unit": register.unit, "procedure": register.procedure}.get(subject, str)(key)
    wishes = {"subject": subject, "id": key, "family": family}
    reader, people = reader_of(request), context_of(request).people
    ids = [one.dossier_id for one in found.dossiers]
    decided = people.remembered.marks(people.state, MAIN.name, ids)[1] if reader.may("pick.read") else {}
    total = sum(found.families.values())
    return render(
        request,
        "evidence.html",
        title=_("Căn cứ của dấu hiệu"),
        pack=found,
        name=name,
        subject_words=SUBJECT_WORDS[subject],
        family=family,
        family_words=FAMILY_VI,
        may_pick=reader.may("decision.write"),
        undo=undoable_decisions(request),
        decided={one: WORDS[kind] for one, kind in decided.items()},
        pages=stretch("/evidence", wishes, offset, len(found.dossiers), SIZE, total),
    )


def _every(request: Request, subject: Subject, key: str, offset: int) -> Response:
    found = counted(request, subject, key)
    wishes = {"subject": subject, "id": key, "all": "true"}
    shown = found[offset : offset + SIZE]
    return render(
        request,
        "handled.html",
        title=_("Hồ sơ được tính"),
        subject=subject,
        subject_words=SUBJECT_WORDS[subject],
        key=key,
        as_of=list_moment(request),
        rows=shown,
        total=len(found),
        family_words=FAMILY_VI,
        pages=stretch("/evidence", wishes, offset, len(shown), SIZE, len(found)),
    )


@router.get("/papers", response_class=HTMLResponse)
def papers(request: Request) -> Response:
    """Which papers beyond the published lists each office asks for, and what they cost in days."""
    listed = context_of(request).serving.conduct.value is not None
    found = unlisted(request) if listed else []
    as_of = list_moment(request) if listed else None
    return render(request, "papers.html", title=_("Giấy tờ ngoài danh mục"), as_of=as_of, papers=found)


@router.get("/papers.{ending}")
def papers_file(request: Request, ending: Format) -> Response:
    """The same as a file, the first 200."""
    listed = context_of(request).serving.conduct.value is not None
    register = context_of(request).read_model.register
    rows = [
        (register.unit(one.unit_code), one.paper, one.dossiers, None if one.days is None else round(one.days, 1))
        for one in (unlisted(request) if listed else [])[:MOST_ROWS]
    ]
    head = ("Đơn vị", "Giấy tờ", "Hồ sơ", "Ngày làm việc, trung bình")
    sheet = Sheet("giay-to-ngoai-danh-muc", "DANH SÁCH", "Giấy tờ ngoài danh mục đã công bố", head, rows)
    return file_of(request, ending, "conduct.export", sheet)
