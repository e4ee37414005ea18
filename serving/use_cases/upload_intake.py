"""An uploaded delivery: looked at, then taken in with a receipt; what page and API share."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request

from features.record.delivery import DeliveryError, DeliveryReceipt
from features.record.record import Record
from features.sources import SOURCES
from features.spelling.vietnamese_text import ENCODINGS
from serving.read.problem import Problem
from serving.settings import Settings
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.idempotent_write import idempotent_write
from serving.work.intake import MAPPED, Preview, mappings_of, preview, take_in
from serving.work.mapping_store import slug
from serving.work.uploads import Upload, Uploads

ACTION = "intake.write"
MOST_MAPPING = 40_000


def looked_at(
    request: Request, data: bytes, name: str, *, source: str, mapping: str, mapping_name: str, encoding: str, live: bool
) -> tuple[Upload, Preview]:
    """Stores the file for a day and previews its delivery; Problem 422 for an unknown source or encoding.

    mapping: TOML; empty: the last version stored as `mapping_name`, else one is proposed.
    """
    if source not in SOURCES or encoding not in ("", *ENCODINGS) or len(mapping) > MOST_MAPPING or not data:
        raise Problem(422, f"A file, a source of {', '.join(SOURCES)} and an encoding of {', '.join(ENCODINGS)}.")
    settings: Settings = context_of(request).serving.settings
    saved = mappings_of(settings).latest(slug(mapping_name)) if mapping_name and not mapping.strip() else None
    options = {"source": source, "mapping": saved.text if saved else mapping.replace("\r\n", "\n"),
            "mapping_name": slug(mapping_name or name) if source in MAPPED else "",
            "encoding": encoding, "live": live}  # fmt: skip
    now = context_of(request).people.now()
    upload = _uploads(settings).add(data, options, login=reader_of(request).login, name=name, now=now)
    return looked_at_again(request, upload)


def looked_at_again(request: Request, upload: Upload, mapping: str | None = None) -> tuple[Upload, Preview]:
    """What would become of a file that is kept, by another mapping where one is given."""
    settings: Settings = context_of(request).serving.settings
    if mapping is not None and len(mapping) <= MOST_MAPPING:
        upload = replace(upload, mapping=mapping.replace("\r\n", "\n"))
    found = preview(
        settings, _uploads(settings).path(upload), upload.source, arrived_at=context_of(request).people.now(),
        live=upload.live, text=upload.mapping if upload.source in MAPPED else "", encoding=upload.encoding,
    )  # fmt: skip
    if upload.source in MAPPED:
        upload = replace(upload, mapping=found.mapping)
    _uploads(settings).change(upload)
    return upload, found


def upload_of(request: Request, token: str) -> Upload:
    """The reader's own upload; Problem 404 where it was taken in, is of somebody else or too old."""
    found = _uploads(context_of(request).serving.settings).get(token, reader_of(request).login)
    if found is None:
        raise Problem(404, "No file of this number waits; send it again.")
    return found


def taken_in(request: Request, upload: Upload, key: str) -> DeliveryReceipt:
    """Takes the file into the record, keeps its mapping as a version and writes the receipt; Problem 422 if refused."""
    settings: Settings = context_of(request).serving.settings
    people, uploads = context_of(request).people, _uploads(settings)
    version = ""
    with TemporaryDirectory(prefix="dossier-risk-") as folder:
        mapping = Path(folder) / "mapping.toml" if upload.source in MAPPED else None
        if mapping is not None:
            mapping.write_text(upload.mapping, "utf-8")
        try:
            receipt = take_in(
                settings, uploads.path(upload), upload.source, arrived_at=people.now(), live=upload.live,
                mapping=mapping, encoding=upload.encoding,
            )  # fmt: skip
        except DeliveryError as error:
            raise Problem(422, str(error)) from error
    if mapping is not None:
        saved = mappings_of(settings).keep(upload.mapping_name, upload.mapping)
        version = f"{saved.name} {saved.version}"
    detail = {"delivery": receipt.delivery_id, "source": upload.source, "read": receipt.read, "taken": receipt.appended,
              "rejected": receipt.rejected} | ({"mapping": version} if version else {})  # fmt: skip
    idempotent_write(request, key, ACTION, f"/intake?delivery={receipt.delivery_id}", lambda _: detail)
    uploads.remove(upload)
    return receipt


def deliveries_of(request: Request, most: int = 20) -> list[dict[str, object]]:
    """The last deliveries of the record, newest first: the lines of `Record.deliveries`."""
    record: Record = context_of(request).serving.record
    lines = record.deliveries()
    rows: list[dict[str, object]] = lines.slice(max(0, lines.num_rows - most)).to_pylist()
    return rows[::-1]


def _uploads(settings: Settings) -> Uploads:
    return Uploads(settings.home / "uploads")
