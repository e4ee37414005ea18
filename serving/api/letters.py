"""Letters on what offices owe, as files."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.read.problem import documented
from serving.use_cases.letters import Packed, letters_response

router = APIRouter(tags=["answers"])


@router.get("/letters/{kind}.{ending}", responses=documented(404, 422), response_class=Response)
def letters(
    request: Request,
    kind: Annotated[str, Path(max_length=20)],
    ending: Packed,
    only: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Letters of a kind (apologies, explanations, minutes, remedies, consultations): one .docx, or a .zip of many.

    only: number of the apology or slip, the visit, the unit that remedies are asked of, or the unit consulted.
    """
    return letters_response(request, kind, ending, only)
