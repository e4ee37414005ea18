"""`/letters/{kind}.docx` and `.zip`: what offices owe, written in the forms of Nghị định 30, many at once."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving.use_cases.letters import Packed, letters_response

router = APIRouter(include_in_schema=False)


@router.get("/letters/{kind}.{ending}")
def letters(request: Request, kind: str, ending: Packed, only: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Letters of a kind in the reader's scope: one document, or a document each."""
    return letters_response(request, kind, ending, only)
