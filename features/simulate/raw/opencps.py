"""A department's dossiers as OpenCPS gives them (domain.md 2.1–2.6): REST rows with their action rows.

Dossier dates are `dd/MM/yyyy HH:mm:ss`; action dates end in a `Z` that is none, they are local time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.record.schema import ENDS
from features.simulate.raw.portal import DESK, Directory

Row = Mapping[str, Any]
STATUS = {
    "decided": "releasing", "delivered": "done", "refused": "denied", "withdrawn": "cancelled",
    "papers_requested": "waiting",
}  # fmt: skip


def _day(moment: Any) -> str:
    return "" if moment is None or moment != moment else f"{moment:%d/%m/%Y %H:%M:%S}"


def _false_z(moment: Any) -> str | None:
    return None if moment is None or moment != moment else f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def dossier(row: Row, events: Sequence[Row], due: Any, book: Directory) -> dict[str, Any]:
    """One dossier with all its actions, as of the export. `due`: its last promise; moments are local."""
    name, identity, phone, address = book.citizens.person(row["applicant_id"])
    agent = book.citizens.person(row["agent_id"]) if row["agent_id"] else None
    sector, sector_name = book.sector[row["procedure_code"]]
    ended = next((event["happened_at"] for event in reversed(events) if event["kind"] in ENDS), None)
    finished = next((event["happened_at"] for event in reversed(events) if event["kind"] == "delivered"), None)
    last = [event["kind"] for event in events if event["kind"] in STATUS or event["kind"] == "papers_supplied"]
    status = STATUS.get(last[-1], "processing") if last else "processing"
    if status in ("denied", "cancelled"):
        finished = ended
    item = {
        "dossierId": 700_000 + int(row["number"]),
        "referenceUid": f"a1b2c3d4-0000-0000-0000-{int(row['number']):012d}",
        "serviceCode": f"{row['procedure_code']}.000.00.00.H99",
        "serviceName": row["procedure_name"],
        "domainCode": sector,
        "domainName": sector_name,
        "govAgencyCode": f"000.00.{row['unit_code'].split('.')[-1]}.H99",
        "govAgencyName": book.unit[row["unit_code"]],
        "applicantName": name,
        "applicantIdType": "business" if row["applicant_kind"] == "business" else "citizen",
        "applicantIdNo": identity,
        "address": address,
        "contactName": name,
        "contactTelNo": phone,
        "dossierNo": row["dossier_id"],
        "submitDate": _day(row["submitted_at"]),
        "receiveDate": _day(row["received_at"]),
        "dueDate": _day(due),
        "releaseDate": _day(ended),
        "finishDate": _day(finished),
        "dossierStatus": status,
        "online": row["channel"] == "online",
        "fromViaPostal": 1 if row["channel"] == "post" else 0,
        "systemId": 1,
        "actions": [_action(row, k, event, book) for k, event in enumerate(events)],
    }
    if agent:
        item |= {"delegateName": agent[0], "delegateIdNo": agent[1]}
    return item


def _action(row: Row, k: int, event: Row, book: Directory) -> dict[str, Any]:
    return {
        "dossierActionId": int(row["number"]) * 100 + k + 1,
        "dossierId": 700_000 + int(row["number"]),
        "previousActionId": int(row["number"]) * 100 + k if k else 0,
        "actionCode": "1100" if k == 0 else "2200",
        "actionUser": book.official.get(event["official_id"] or "", DESK),
        "actionName": event["step"],
        "actionNote": event["papers"] or event["reason"] or "",
        "actionOverdue": 0,
        "pending": False,
        "dueDate": _false_z(event["step_due_at"]),
        "state": 1,
        "createDate": _false_z(event["happened_at"]),
    }
