"""`/intake`: a delivery is sent in and looked at before it is taken in; the last ones with what they told."""

import json
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from features.record.delivery import ALARM
from features.spelling.vietnamese_text import ENCODINGS
from serving.language import gettext as _
from serving.pages.rendering import Key, render
from serving.read.intake_words import (
    OWN_WORDS,
    TABLE_WORDS,
    cell_words,
    column_words,
    note_words,
    reject_words,
    source_words,
)
from serving.use_cases.app_context import context_of
from serving.use_cases.upload_intake import deliveries_of, looked_at, looked_at_again, taken_in, upload_of
from serving.work.intake import Preview, mappings_of
from serving.work.uploads import Upload

router = APIRouter(include_in_schema=False)


@router.get("/intake", response_class=HTMLResponse)
def show(request: Request, delivery: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The form, and the last deliveries; `delivery` stands first, with what was set aside of it."""
    lines = deliveries_of(request)
    chosen = next((line for line in lines if line["delivery_id"] == delivery), None)
    serving = context_of(request).serving
    return render(
        request, "intake.html", title=_("Nhận dữ liệu"), sources=source_words(), own=OWN_WORDS, encodings=ENCODINGS,
        names=mappings_of(serving.settings).names(), lines=lines, chosen=chosen,
        rejects=serving.record.rejects(delivery)[:50] if chosen else [], notes=_notes, note_words=note_words,
        reject_words=reject_words, alarm=ALARM,
    )  # fmt: skip


@router.post("/intake", response_class=HTMLResponse)
def look(
    request: Request,
    file: Annotated[UploadFile, File()],
    source: Annotated[str, Form(max_length=20)],
    mapping: Annotated[str, Form(max_length=40_000)] = "",
    name: Annotated[str, Form(max_length=60)] = "",
    encoding: Annotated[str, Form(max_length=10)] = "",
    live: Annotated[bool, Form()] = False,
) -> Response:
    """What would become of the file that was sent in."""
    upload, found = looked_at(
        request, file.file.read(), file.filename or "file", source=source, mapping=mapping, mapping_name=name,
        encoding=encoding, live=live,
    )  # fmt: skip
    return _preview(request, upload, found)


@router.post("/intake/{token}", response_class=HTMLResponse)
def decide(
    request: Request,
    token: str,
    key: Key,
    what: Annotated[str, Form(max_length=10)],
    mapping: Annotated[str, Form(max_length=40_000)] = "",
) -> Response:
    """Look again by the mapping as it was changed, or take the file in as it was looked at."""
    upload = upload_of(request, token)
    if what != "take":
        return _preview(request, *looked_at_again(request, upload, mapping))
    receipt = taken_in(request, upload, key)
    return RedirectResponse(f"/intake?delivery={receipt.delivery_id}", 303)


def _preview(request: Request, upload: Upload, found: Preview) -> Response:
    return render(
        request, "intake_preview.html", title=_("Xem trước"), upload=upload, found=found, source_words=source_words(),
        table_words=TABLE_WORDS, cell_words=cell_words, column_words=column_words, note_words=note_words,
        reject_words=reject_words, alarm=ALARM, mapped=bool(found.mapping),
    )  # fmt: skip


def _notes(line: dict[str, object]) -> dict[str, int]:
    notes: dict[str, int] = json.loads(str(line["notes"]))
    return dict(sorted(notes.items(), key=lambda one: not one[0].startswith(ALARM)))
