"""What handing work on would change: one open dossier, or the open dossiers of a unit together."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.api.answer import answer
from serving.read.problem import documented
from serving.use_cases.looked import note_look
from serving.use_cases.what_if import MOST_ASKED, DossierWhatIf, UnitWhatIf, dossier_what_if, unit_what_if

router = APIRouter(prefix="/what-if", tags=["what-if"])


@router.get("", response_model=UnitWhatIf, responses=documented(404, 422, 503))
def of_unit(request: Request, unit: Annotated[str, Query(max_length=200)]) -> Response:
    """Which dossiers of a unit to hand to whom, and what one person more would save, by scoring again.

    Of at most 200 open dossiers whose promise lies ahead. An estimate with its range, never a promise.
    """
    found = unit_what_if(request, unit)
    note_look(request, "what_if.read", {"unit": unit, "rows": found.looked_at}, found.subjects)
    return answer(found)


@router.get("/{dossier_id:path}", response_model=DossierWhatIf, responses=documented(404, 422, 503))
def of_dossier(
    request: Request,
    dossier_id: Annotated[str, Path(max_length=200)],
    official_id: Annotated[list[str], Query(max_length=MOST_ASKED)] = [],  # noqa: B006
) -> Response:
    """What handing an open dossier to officials of its unit would change, and to a person who is new.

    Without `official_id` those of its unit who hold the fewest are tried. No options for a dossier whose clock stands,
    whose promise has passed or that nobody holds.
    """
    found = dossier_what_if(request, dossier_id, official_id)
    about = [f"dossier:{dossier_id}", *(f"official:{one.official_id}" for one in found.options if one.official_id)]
    note_look(request, "what_if.read", {"dossier": dossier_id}, about)
    return answer(found)
