"""`/sectors`: where late dossiers and harassment gather by field of work, beside the directives' high-risk fields."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from serving.language import gettext as _
from serving.pages.rendering import render
from serving.pages.sheet_file import Cell, Format, Sheet, file_of
from serving.scoring import conduct_evidence
from serving.use_cases.app_context import context_of
from serving.use_cases.looked import note_look

router = APIRouter(include_in_schema=False)

LEAST = 20
"""Dossiers behind a share that is told."""


@router.get("/sectors", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """Every sector with its late share, findings, complaints and signals, each with its interval."""
    serving, read_model = context_of(request).serving, context_of(request).read_model
    shelf = serving.conduct.value
    sectors = conduct_evidence.sectors_of(serving.settings.scores, shelf.as_of) if shelf else []
    note_look(request, "sectors.read", {"n": len(sectors)})
    late = read_model.standing.sectors
    rows = [(one, late.get(one.sector_code)) for one in sectors]
    points = []
    for one, count in rows:
        harassed = one.found if one.found.n else one.signalled
        if count is not None and count.share is not None and harassed is not None:
            points.append((one.sector_code, count.share, harassed.rate))
    most = max([y for *_, y in points], default=1.0) or 1.0
    return render(
        request, "sectors.html", title=_("Theo lĩnh vực"), as_of=shelf.as_of if shelf else None, rows=rows,
        points=[(code, round(20 + 460 * min(x, 1.0), 1), round(200 - 180 * y / most, 1)) for code, x, y in points],
        most=most, least=LEAST,
    )  # fmt: skip


@router.get("/sectors.{ending}")
def sectors_file(request: Request, ending: Format) -> Response:
    """The same as a file, shares in hundredths; no figure where there is too little behind it."""
    serving, read_model = context_of(request).serving, context_of(request).read_model
    shelf = serving.conduct.value
    rows: list[Sequence[Cell]] = []
    for one in conduct_evidence.sectors_of(serving.settings.scores, shelf.as_of) if shelf else []:
        late = read_model.standing.sectors.get(one.sector_code)
        rates = [
            None if rate is None or rate.n < LEAST else round(100 * rate.rate, 1)
            for rate in (one.found, one.signalled, one.reported)
        ]
        share = None if late is None or late.share is None else round(100 * late.share, 1)
        rows.append((read_model.register.sector(one.sector_code), one.directive, one.weight, share, *rates))
    head = ("Lĩnh vực", "Trọng số chỉ thị", "Trọng số dùng", "Trễ hạn (%)", "Phát hiện, mẫu ngẫu nhiên (%)",
            "Có dấu hiệu (%)", "Có phản ánh (%)")  # fmt: skip
    sheet = Sheet("theo-linh-vuc", "BẢNG", "Trễ hạn và dấu hiệu phiền hà theo lĩnh vực", head, rows)
    return file_of(request, ending, "conduct.export", sheet)
