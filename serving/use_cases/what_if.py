"""What would help one open dossier, for whoever decides about it: to whom to hand it on, and what that saves."""

from collections import Counter
from typing import Any

from fastapi import Request

from models.targets import MAIN
from serving.scoring.online import Ended, Unready
from serving.scoring.risk_list import MOST_ROWS, Filters, RiskLine
from serving.scoring.what_if import Help, helps
from serving.use_cases.app_context import context_of

CANDIDATES = 5
"""Officials of the unit that are tried, those with the fewest open dossiers first."""


def helps_of(request: Request, line: RiskLine) -> list[Help]:
    """What handing the dossier on would save, most first: to the least loaded officials of its unit, or to one more.

    Nothing where single dossiers cannot be scored at once.
    """
    state = context_of(request).serving
    risk_list = state.risk_list(MAIN.name)
    if line.unit_code is None or line.waits or not state.desk.ready(risk_list.read_at):
        return []
    loads = Counter(
        one.official_id
        for one in risk_list.page(Filters(unit=line.unit_code), 0, MOST_ROWS).lines
        if one.official_id and one.official_id != line.official_id
    )
    officials: list[Any] = [name for name, _ in sorted(loads.items(), key=lambda pair: pair[1])][:CANDIDATES]
    dossier, events = state.desk.history(line.dossier_id)
    if dossier is None:
        return []
    try:
        return helps(state.desk, dossier, events, risk_list.read_at, [*officials, None])
    except (Ended, Unready):
        return []
