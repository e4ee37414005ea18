"""`/conduct`: officials, units and dossiers by signals of how people were treated; one tier at a time.

An order in which to look, against peers who do the same procedures. Where there is too little behind a line, the
answer is "not enough data" and no figure. Closed to the units inspected.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages import drawing
from serving.pages.rendering import render
from serving.pages.risk_list import MOST_CHOICES, stretch
from serving.scoring.conduct_list_cache import ConductShelf, has_enough_data
from serving.scoring.conduct_news import counts_by_grain
from serving.use_cases.app_context import context_of
from serving.use_cases.conduct import Grain, conduct_lines
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look

router = APIRouter(include_in_schema=False)

ROWS = 25
GRAIN_WORDS = {"official": lazy("Cán bộ"), "unit": lazy("Đơn vị"), "dossier": lazy("Hồ sơ")}
TIER_WORDS = {
    "signal": lazy("Dấu hiệu từ diễn biến hồ sơ"),
    "reported": lazy("Dự báo phản ánh của người dân"),
    "upheld": lazy("Dự báo phản ánh được kết luận có cơ sở"),
    "discovered": lazy("Dự báo phát hiện khi kiểm tra"),
}


@router.get("/conduct", response_class=HTMLResponse)
def show(
    request: Request,
    grain: Grain = "official",
    tier: Annotated[str, Query(max_length=20)] = "",
    unit: Annotated[str, Query(max_length=120)] = "",
    new: bool = False,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """One list of one grain and tier, in the reader's scope."""
    reader = reader_of(request)
    shelf: ConductShelf | None = context_of(request).serving.conduct.value
    chosen, lines = conduct_lines(request, grain, tier, unit, new)
    shown = lines[offset : offset + ROWS]
    note_look(
        request,
        "conduct.read",
        {"grain": grain, "tier": chosen, "as_of": shelf.as_of.isoformat() if shelf else ""},
        [f"official:{line.official_id}" for line in shown if line.official_id],
    )
    rows = [(line, has_enough_data(line), drawing.ratio_span(line.low, line.high)) for line in shown]
    wishes = {"grain": grain, "tier": chosen, "unit": unit} | ({"new": "true"} if new else {})
    newcomers = shelf.newcomers(reader.scope) if shelf else []
    return render(
        request,
        "conduct.html",
        title=_("Dấu hiệu phiền hà"),
        as_of=shelf.as_of if shelf else None,
        lines=rows,
        folds=chosen == "signal",
        flagged=[one for one in rows if one[0].flag and one[1]],
        rest=[one for one in rows if not (one[0].flag and one[1])],
        grain=grain,
        grains=GRAIN_WORDS,
        tier=chosen,
        tiers=[(one, TIER_WORDS.get(one, one)) for one in (shelf.tiers(grain) if shelf else [])],
        unit=unit,
        units=_units(request),
        new=new,
        newcomers=counts_by_grain(newcomers),
        since=shelf.news.since if shelf and shelf.news else None,
        pages=stretch("/conduct", wishes, offset, len(shown), ROWS, len(lines)),
    )


def _units(request: Request) -> list[str] | None:
    """The units to choose from, by name; None where they are too many for a menu."""
    register, scope = context_of(request).read_model.register, reader_of(request).scope
    found = sorted((code for code in register.units if scope.covers(code)), key=register.unit)
    return found if len(found) <= MOST_CHOICES else None
