"""One OpenCPS action row (domain.md 2.1): who did what, and from which step to which."""

from collections.abc import Mapping
from typing import Any

from features.sources.actions import kind_of
from features.sources.opencps_dossier import internal_id
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder

RELEASED = 400
"""Steps from here on hand out a result; a way back from there opens the dossier again (T12)."""
ROLLED_BACK = 2
_WORK = frozenset({"assigned", "forwarded", "received", "note", "resumed", "returned"})


def read_action(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """The event of one action row; its dossier is found by alias, its official's unit in the same delivery."""
    dossier_id = internal_id(item.get("dossierId"))
    at = harvest.moment("happened_at", item.get("createDate"))
    if dossier_id is None or at is None:
        harvest.reject("dossier_id" if dossier_id is None else "happened_at", "a value", None)
        return
    action = scrub(harvest.text("step", item.get("actionName")))
    kind = kind_of(action or "") or "note"
    if item.get("state") == ROLLED_BACK:
        kind = "returned"
    elif kind in _WORK and _step(item.get("fromStepCode")) >= RELEASED > _step(item.get("stepCode")) > 0:
        kind = "reopened"
    unit = harvest.unit_of.get(dossier_id)
    user = item.get("actionUser")
    if unit is None and isinstance(user, str) and user.strip():
        harvest.reject("official_id", "the action's dossier in the same delivery, for its unit", user)
    note = scrub(harvest.text("reason", item.get("actionNote")))
    number = item.get("dossierActionId")
    harvest.event(
        dossier_id, kind, at, official_id=harvest.official(user, unit) if unit else None, unit_code=unit,
        step=(harvest.text("step", item.get("stepName")) or action or "")[:120], reason=note,
        step_due_at=harvest.moment("step_due_at", item.get("dueDate")), id_suffix=f"-{number}" if number else "",
    )  # fmt: skip


def _step(code: object) -> int:
    text = str(code or "")
    return int(text) if text.isascii() and text.isdigit() else 0
