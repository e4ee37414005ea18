"""VNPT iGate 2.0 dossiers (domain.md 2.8): the dossier, and its tasks as events.

Dates carry `+0700`. A dossier is the state at the sync, so what it tells of events shares its ids with the
portal's progress feed (`features.sources.row_builder.STATE`).
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from features.case_state.kinds import STOPS, TURNED_AWAY
from features.record.delivery import Chunks
from features.record.schema import ALL_ENDS
from features.sources import FeedOptions
from features.sources.actions import kind_of
from features.sources.json_stream import items
from features.sources.nested import inside, string
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.names import plain

_CHANNELS = (("truc tuyen", "online"), ("buu chinh", "post"), ("truc tiep", "counter"))


def read(path: Path, options: FeedOptions) -> Chunks:
    """The dossiers of the delivery at `path`: JSON, one object or many."""
    yield from harvested(items(path), options, _read)


def _named(value: object) -> str | None:
    """A name, given plainly or as a list of translations."""
    if isinstance(value, list):
        found = [one.get("name") for one in value if isinstance(one, Mapping)]
        return next((name for name in found if isinstance(name, str)), None)
    return value if isinstance(value, str) else _named(inside(value, "name")) if isinstance(value, dict) else None


def _read(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    if "code" not in item or not {"acceptedDate", "appliedDate"} & item.keys():
        harvest.reject("", "an iGate dossier", "an object of another kind")
        return
    dossier_id = harvest.dossier("dossier_id", item.get("code"))
    received = harvest.moment("received_at", item.get("acceptedDate"))
    if dossier_id is None:
        return
    if received is None:
        harvest.reject("received_at", "a dossier that was accepted", item.get("acceptedDate"))
        return
    code = inside(item, "agency", "code")
    unit = harvest.unit(received, name=_named(inside(item, "agency", "name")), code=code, dossier=dossier_id)
    procedure = _procedure(harvest, item)
    if unit is None or procedure is None:
        harvest.reject("unit_code" if unit is None else "procedure_code", "a value", None)
        return
    due = harvest.moment("due_at", item.get("appointmentDate") or item.get("dueDate"))
    who = inside(item, "applicant", "data")
    method = plain(_named(inside(item, "applyMethod")) or "")
    harvest.received(
        dossier_id, unit, received, due, harvest.moment("submitted_at", item.get("appliedDate")),
        procedure_code=procedure,
        channel=next((channel for words, channel in _CHANNELS if words in method), None),
        applicant_id=harvest.people.citizen(
            string(who, "identityNumber"), string(who, "fullname"), string(who, "phoneNumber")
        ),
    )  # fmt: skip
    current = _read_tasks(harvest, dossier_id, unit, item)
    _read_state(harvest, dossier_id, unit, item, current, due)


def _procedure(harvest: RowBuilder, item: Mapping[str, Any]) -> str | None:
    """The procedure's code; its row with the legal term, where the process gives it in working days."""
    code = harvest.text("procedure_code", inside(item, "procedure", "code"))
    sector = harvest.text("sector_code", inside(item, "procedure", "sector", "id"))
    plain_code = harvest.procedure(code, None, None, None)
    process = inside(item, "procedureProcessDefinition", "processDefinition")
    days = inside(process, "processingTime")
    in_days = inside(process, "processingTimeUnit") == "d" and isinstance(days, int | float)
    if plain_code and sector:  # upper case: below every national sector code, where both are known
        name = harvest.text("sector_name", _named(inside(item, "procedure", "sector")))
        harvest.once("sector", sector, sector_code=sector.upper(), sector_name=name)
        harvest.once(
            "procedure", plain_code, procedure_code=plain_code, sector_code=sector.upper(),
            procedure_name=harvest.text("procedure_name", _named(inside(item, "procedure", "translate"))),
            legal_working_days=days if in_days and days >= 0 else None,
        )  # fmt: skip
    return plain_code


def _read_tasks(
    harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any]
) -> tuple[datetime | None, str | None]:
    """An event a task, when it came to its holder; gives moment and holder of the current one's last change."""
    current: tuple[datetime | None, str | None] = (None, None)
    for task in harvest.objects(item, "task"):
        begun = harvest.moment("happened_at", task.get("createdDate"))
        if begun is None:
            if not task.get("createdDate"):  # else the moment has been rejected
                harvest.reject("happened_at", "a task with its moment", None)
            continue
        official = harvest.official(inside(task, "assignee", "fullname"), unit)
        step = harvest.text("step", _named(inside(task, "bpmProcessDefinitionTask", "name")))
        kind = kind_of(step or "") or "assigned"
        harvest.event(
            dossier_id, kind if kind in ("received", "forwarded") else "assigned", begun, unit_code=unit,
            official_id=official, step=step,
        )  # fmt: skip
        if task.get("isCurrent"):
            current = (harvest.moment("happened_at", task.get("updatedDate")) or begun, official)
    return current


def _read_state(
    harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any],
    current: tuple[datetime | None, str | None], due: datetime | None,
) -> None:  # fmt: skip
    """What the dossier's own status says: a pause since the current task changed, a moved promise, the end."""
    changed, official = current
    kind = kind_of(_named(inside(item, "dossierTaskStatus")) or "")
    if kind in STOPS:
        harvest.event(dossier_id, kind, changed, state=True, unit_code=unit, official_id=official)
    moved = harvest.moment("due_at", item.get("dueDate")) if item.get("appointmentDate") else None
    if moved and due and moved != due and changed:
        harvest.event(dossier_id, "reset", changed, unit_code=unit, due_at=moved)
    ended = harvest.moment("happened_at", item.get("completedDate"))
    status = kind_of(_named(inside(item, "dossierStatus")) or "")
    end = status if status in TURNED_AWAY else "decided"
    harvest.event(dossier_id, end, ended, state=True, unit_code=unit)
    returned = harvest.moment("happened_at", item.get("returnedDate"))
    harvest.event(dossier_id, "delivered", returned, state=True, unit_code=unit)
    if status in ALL_ENDS:
        harvest.ended(ended, returned)
