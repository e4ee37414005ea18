"""The targets of dossiers: one entry each, with cohort, label, horizon, law and words (`models.target.Target`).

All that names a target takes it from here: commands, training, MLflow, cards, scored lists, pages, the API.
"""

from __future__ import annotations

from features.case_state.kinds import MOVES, SUPPLIES
from models.target import Target

LATENESS = Target(
    name="lateness",
    words_vi="Hồ sơ có nguy cơ trễ hẹn theo thời hạn luật định",
    words_en="The dossier may become late by the lawful clock",
    # null while it is open and lawfully not late, for the citizen's time has pushed the promise on; so no landmark of
    # label 1 belongs to a dossier that ended on time
    label="CASE WHEN f.late THEN 1 WHEN f.phase = 'ended' THEN 0 END",
    overdue_is_certain=True,
)

PROMISE_MOVED = Target(
    name="promise_moved",
    words_vi="Cơ quan có thể dời ngày hẹn trả trước khi đến hạn",
    words_en="The office may move its promise before it runs out",
    # extension, apology with a new appointment, reset, reason or none; an extension without a word, told with the
    # papers, books the citizen's time
    given=f"""move AS (
        SELECT * FROM act e
        WHERE kind IN {MOVES} AND due_at IS NOT NULL
          AND NOT (kind = 'extended' AND coalesce(reason, '') = '' AND EXISTS (
              FROM known_event p WHERE p.dossier_id = e.dossier_id AND p.kind IN {SUPPLIES}
                               AND p.happened_at = e.happened_at)))""",
    label="EXISTS (FROM move m WHERE m.nth = a.nth AND m.due_at > s.promised_at)",
)

TARGETS = {target.name: target for target in (LATENESS, PROMISE_MOVED)}
"""Targets of dossiers by name: one cohort, several questions."""

MAIN = LATENESS
"""The target whose list people work with every day, and that commands take where none is named."""
