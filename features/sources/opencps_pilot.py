"""The OpenCPS pilot of 2016: its database tables as Parquet (`dossiers`, `actions`, `serviceinfo`), one file each.

An older schema than v2: numbers for statuses and officials, `receiveDatetime`, `estimateDatetime`,
`finishDatetime` as text, action rows by `dossierId`. Dossiers that were never received have no clock and are kept
aside, and so are actions of no dossier.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from features.record.delivery import Chunks, DeliveryError
from features.sources import FeedOptions
from features.sources.actions import kind_of
from features.sources.json_stream import Item
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder

TABLES = ("serviceinfo", "dossiers", "actions")
STATUS_REFUSED = "9"


def read_pilot(path: Path, options: FeedOptions) -> Chunks:
    """The dossiers and events of the pilot's tables in the folder `path`, or of one of them."""
    folder = path if path.is_dir() else path.parent
    named = TABLES if path.is_dir() else (path.stem,)
    if not any((folder / f"{name}.parquet").exists() for name in named if name in TABLES):
        raise DeliveryError(f"opencps: {', '.join(f'{name}.parquet' for name in TABLES)} were wanted, none came")
    harvest = RowBuilder(options)
    services: dict[str, Mapping[str, Any]] = {}
    for name in named:
        for number, row in _rows(folder / f"{name}.parquet"):
            yield from harvest.begin(Item(f"{name}.parquet", number, {}))
            if name == "serviceinfo":
                services[str(row.get("serviceinfoId"))] = row
            elif name == "dossiers":
                _read_dossier(harvest, row, services)
            elif name == "actions":
                _read_action(harvest, row)
    yield from harvest.chunks()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of one table with their numbers from 1; a table that is not there has none."""
    if path.exists():
        yield from enumerate(pq.read_table(path).to_pylist(), 1)


def _read_dossier(harvest: RowBuilder, row: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> None:
    number = str(row.get("dossierId") or "")
    code = row.get("receptionNo") or (f"opencps-{number}" if number else None)
    received = harvest.moment("received_at", row.get("receiveDatetime"))
    dossier_id = harvest.dossier("dossier_id", code)
    service = services.get(str(row.get("serviceInfoId")), {})
    procedure = harvest.procedure(
        service.get("serviceNo") or row.get("serviceInfoId"), service.get("serviceName"),
        service.get("domainCode"), None,
    )  # fmt: skip
    unit = harvest.unit(received, name=row.get("govAgencyName"), code=row.get("govAgencyCode")) if received else None
    if dossier_id is None or received is None or procedure is None or unit is None:
        harvest.reject("received_at", "a dossier with receipt, procedure and agency", None)
        return
    harvest.unit_of[f"opencps:{number}"] = unit
    harvest.once("alias", number, dossier_id=dossier_id, other_id=f"opencps:{number}", known_at=received)
    due = harvest.moment("due_at", row.get("estimateDatetime"))
    if due and due < received:
        harvest.reject("due_at", "not before received_at", due)
        due = None
    submitted = harvest.moment("submitted_at", row.get("submitDatetime"))
    harvest.row(
        "dossier", dossier_id=dossier_id, procedure_code=procedure, unit_code=unit, received_at=received, due_at=due,
        submitted_at=submitted if submitted and submitted <= received else None,
    )  # fmt: skip
    finished = harvest.moment("happened_at", row.get("finishDatetime"))
    kind = "refused" if str(row.get("dossierStatus")) == STATUS_REFUSED else "decided"
    harvest.event(dossier_id, kind, finished, state=True, unit_code=unit)


def _read_action(harvest: RowBuilder, row: Mapping[str, Any]) -> None:
    at = harvest.moment("happened_at", row.get("actionDatetime") or row.get("createDate"))
    number = row.get("dossierId")
    if at is None or not number:
        harvest.reject("dossier_id" if at else "happened_at", "an action with its dossier and moment", None)
        return
    action = scrub(harvest.text("step", row.get("actionName"))) or ""
    step = scrub(harvest.text("step", row.get("stepName"))) or action
    unit = harvest.unit_of.get(f"opencps:{number}")
    user = str(row.get("actionUserId") or "0")
    harvest.event(
        f"opencps:{number}", kind_of(action) or kind_of(step) or "note", at, unit_code=unit, step=step[:120],
        official_id=harvest.people.official(f"tài khoản {user}", unit) if unit and user != "0" else None,
        reason=scrub(harvest.text("reason", row.get("actionNote"))), id_suffix=f"-{row.get('actionHistoryId')}",
    )  # fmt: skip
