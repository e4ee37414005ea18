"""`/api/v1/deliveries`: a file is sent in and looked at, then confirmed; nothing is taken in unseen."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Path, Request, Response, UploadFile

from features.record.delivery import Reject
from features.record.dry_run import DryRun
from features.sources.proposal import ProposedColumn
from serving.api.answer import answer
from serving.read.problem import documented
from serving.use_cases.app_context import context_of
from serving.use_cases.looked import note_look
from serving.use_cases.upload_intake import deliveries_of, looked_at, taken_in, upload_of

router = APIRouter(tags=["deliveries"])

Key = Annotated[str, Header(alias="Idempotency-Key", pattern="^[A-Za-z0-9_-]{20,64}$")]


@dataclass(frozen=True)
class PreviewAnswer:
    """What would become of a delivery. `token`: confirms it within a day. `refused`: why nothing of it can be read."""

    token: str
    source: str
    files: tuple[str, ...]
    mapping: str
    proposal: tuple[ProposedColumn, ...]
    outcome: DryRun | None
    refused: str


@dataclass(frozen=True)
class DeliveryAnswer:
    """What became of a delivery; `read` is the sum of the others. `notes` with how many rows or cells each concerns."""

    delivery_id: str
    version: int
    read: int
    appended: int
    known: int
    rejected: int
    notes: dict[str, int]


@router.get("/deliveries", response_model=list[dict[str, Any]])
def list_deliveries(request: Request) -> Response:
    """The last 20 deliveries, newest first, with what was appended, known and set aside."""
    found = deliveries_of(request)
    note_look(request, "intake.read", {"listed": len(found)})
    return answer(found)


@router.get("/deliveries/{delivery_id}/rejects", response_model=list[Reject], responses=documented(422))
def list_rejects(request: Request, delivery_id: Annotated[str, Path(max_length=40)]) -> Response:
    """The first 200 rows of a delivery that were set aside, each with its reason."""
    found = context_of(request).serving.record.rejects(delivery_id)[:200]
    note_look(request, "intake.read", {"delivery": delivery_id, "rows": len(found)})
    return answer(found)


@router.post("/deliveries/preview", responses={200: {"model": PreviewAnswer}, **documented(400, 403, 413, 422)})
def look(
    request: Request,
    file: Annotated[UploadFile, File(description="The delivery: one file or a zip.")],
    source: Annotated[str, Form(max_length=20)] = "table",
    mapping: Annotated[str, Form(max_length=40_000, description="TOML; empty: as kept, else proposed.")] = "",
    name: Annotated[str, Form(max_length=60, description="Name under which the mapping is kept.")] = "",
    encoding: Annotated[str, Form(max_length=10)] = "",
    live: Annotated[bool, Form()] = False,
) -> Response:
    """What was recognised, the mapping with how sure it is, first rows, what would be refused, lost and changed."""
    upload, found = looked_at(
        request, file.file.read(), file.filename or "file", source=source, mapping=mapping, mapping_name=name,
        encoding=encoding, live=live,
    )  # fmt: skip
    return answer(
        PreviewAnswer(
            upload.token, found.source, found.files, found.mapping, found.proposal, found.outcome, found.refused
        )
    )


@router.post("/deliveries/{token}/confirm", responses={200: {"model": DeliveryAnswer}, **documented(403, 404, 422)})
def confirm(request: Request, token: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], key: Key) -> Response:
    """Takes the file in that was looked at; a second time it is not there any more (404)."""
    made = taken_in(request, upload_of(request, token), key)
    return answer(
        DeliveryAnswer(
            made.delivery_id, made.version, made.read, made.appended, made.duplicates, made.rejected, dict(made.counts)
        )
    )
