"""Rows of the risk list as they read, cached once rendered: the same first pages are what everybody asks for.

A row depends on its line, on names, on the conduct lists and on what people decided about it; when a list or the
names are replaced, everything kept is forgotten.
"""

from functools import lru_cache
from typing import Any

from fastapi import Request
from markupsafe import Markup

from serving.language import language
from serving.pages.rendering import templates
from serving.read.register import Register
from serving.scoring.conduct_list_cache import ConductShelf
from serving.scoring.risk_list import RiskLine, RiskList
from serving.use_cases.app_context import context_of

_CACHED = 10_000  # about 1.2 KB each


class ListRows:
    """The rows of one list with the names and conduct lists of one moment."""

    def __init__(self, risk_list: RiskList, register: Register, conduct: ConductShelf | None, zone: str) -> None:
        self.made_of = (risk_list, register, conduct)
        self._macro: Any = templates(zone).get_template("list_row.html").module
        self._row = lru_cache(maxsize=_CACHED)(self._render)

    def row(
        self, dossier_id: str, frozen: float | None, decided: str, holder: str, drawn: bool, may_pick: bool, sees: bool
    ) -> Markup:
        """One row. frozen: the score that stands still, if any; holder: who has it, as the reader may see them; sees:
        whether signals of conduct are shown.
        """
        return self._row(language(), dossier_id, frozen, decided, holder, drawn, may_pick, sees)

    def _render(
        self,
        _language: str,
        dossier_id: str,
        frozen: float | None,
        decided: str,
        holder: str,
        drawn: bool,
        may_pick: bool,
        sees: bool,
    ) -> Markup:
        risk_list, register, conduct = self.made_of
        line: RiskLine | None = risk_list.line(dossier_id)
        assert line is not None  # the page was made of this list
        signals = conduct.of("dossier", dossier_id) if conduct and sees else None
        return Markup(
            self._macro.row(
                line, line.score if frozen is None else frozen, frozen is not None, decided, holder, register,
                dossier_id in risk_list.newcomers, drawn, may_pick, sees, signals,
            )
        )  # fmt: skip


def list_rows(request: Request, risk_list: RiskList) -> ListRows:
    """The rows that this process caches for the list at hand."""
    state, context = request.app.state, context_of(request)
    wanted = (risk_list, context.read_model.register, context.serving.conduct.value)
    cached: ListRows | None = getattr(state, "list_rows", None)
    if cached is None or any(mine is not theirs for mine, theirs in zip(cached.made_of, wanted, strict=True)):
        cached = state.list_rows = ListRows(*wanted, context.serving.settings.zone.key)
    return cached
