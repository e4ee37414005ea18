"""One OpenCPS dossier as its REST list gives it (domain.md 2.1–2.5): the row, and its dates as events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from features.sources.actions import kind_of
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder

ENDS = {"denied": "refused", "unresolved": "refused", "cancelled": "withdrawn"}
"""How a dossier of this status ended; every other ended one was decided."""
ENDED = frozenset({*ENDS, "releasing", "done"})
"""Statuses of which OpenCPS sets one of the dates of an end (domain.md 2.3)."""


def internal_id(value: object) -> str | None:
    """The id under which action rows name a dossier; an alias leads to the dossier's code."""
    return f"opencps:{value}" if isinstance(value, int | str) and str(value).strip() else None


def read_dossier(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """The rows of one dossier. One that was not received, or has no number yet, is rejected."""
    dossier_id = harvest.dossier("dossier_id", item.get("dossierNo"))
    received = harvest.moment("received_at", item.get("receiveDate"))
    if dossier_id is None:
        return
    if received is None:
        harvest.reject("received_at", "a dossier that was received", item.get("receiveDate"))
        return
    unit = harvest.unit(received, name=item.get("govAgencyName"), code=item.get("govAgencyCode"), dossier=dossier_id)
    procedure = harvest.procedure(
        item.get("serviceCode"), item.get("serviceName"), item.get("domainCode"), item.get("domainName")
    )
    if unit is None or procedure is None:
        harvest.reject("unit_code" if unit is None else "procedure_code", "a value", None)
        return
    internal = internal_id(item.get("dossierId"))
    if internal:
        harvest.unit_of[internal] = unit
        harvest.once("alias", internal, dossier_id=dossier_id, other_id=internal, known_at=received)
    name, phone = (
        value if isinstance(value := item.get(key), str) else None for key in ("applicantName", "contactTelNo")
    )
    number = str(item.get("applicantIdNo") or "") or None
    agent = item.get("delegateIdNo")
    harvest.received(
        dossier_id, unit, received, harvest.moment("due_at", item.get("dueDate")),
        harvest.moment("submitted_at", item.get("submitDate")), procedure_code=procedure, channel=_channel(item),
        applicant_id=harvest.people.citizen(number, name, phone),
        applicant_kind={"citizen": "citizen", "business": "business"}.get(str(item.get("applicantIdType"))),
        agent_id=harvest.people.citizen(agent) if isinstance(agent, str) and agent != number else None,
    )  # fmt: skip
    _read_ends(harvest, dossier_id, unit, item)
    _read_last_action(harvest, dossier_id, unit, item, (name, number, phone))


def _channel(item: Mapping[str, Any]) -> str:
    if str(item.get("fromViaPostal") or "0") == "1":
        return "post"
    return "online" if item.get("online") in (True, 1, "1", "true") else "counter"


def _read_ends(harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any]) -> None:
    """releaseDate ends the processing, finishDate the return (domain.md 2.3)."""
    status = str(item.get("dossierStatus"))
    kind = ENDS.get(status, "decided")
    released = harvest.moment("happened_at", item.get("releaseDate"))
    finished = harvest.moment("happened_at", item.get("finishDate"))
    ended: datetime | None = released or (finished if kind != "decided" else None)
    harvest.event(dossier_id, kind, ended, state=True, unit_code=unit)
    if kind == "decided":
        harvest.event(dossier_id, "delivered", finished, state=True, unit_code=unit)
    if status in ENDED:
        harvest.ended(released, finished)


def _read_last_action(
    harvest: RowBuilder, dossier_id: str, unit: str, item: Mapping[str, Any], people: tuple[str | None, ...]
) -> None:
    """The last action of the list row: all there is from a system that never sends its action rows."""
    done = harvest.moment("happened_at", item.get("lastActionDate"))
    action = scrub(harvest.text("step", item.get("lastActionName")), people)
    if done is not None and action:
        harvest.event(
            dossier_id, kind_of(action) or "note", done, state=True, unit_code=unit, step=action[:120],
            official_id=harvest.official(item.get("lastActionUser"), unit),
        )  # fmt: skip
