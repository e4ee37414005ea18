"""The targets of dossiers: one entry each, with cohort, label, horizon, law and words (`models.target.Target`).

All that names a target takes it from here: commands, training, MLflow, cards, scored lists, pages, the API.
"""

from __future__ import annotations

from features.case_state.kinds import MOVES
from models.target import Target

LATENESS = Target(
    name="lateness",
    words_vi="Hồ sơ có nguy cơ trễ hẹn theo thời hạn luật định",
    words_en="The dossier may become late by the lawful clock",
    short_vi="Nguy cơ trễ hạn",
    short_en="Risk of being late",
    past_vi="trễ hạn",
    past_en="late",
    # null while it is open and lawfully not late, for the citizen's time has pushed the promise on; so no landmark of
    # label 1 belongs to a dossier that ended on time
    label="CASE WHEN f.late THEN 1 WHEN f.phase = 'ended' THEN 0 END",
    overdue_is_certain=True,
)

PROMISE_MOVED = Target(
    name="promise_moved",
    words_vi="Cơ quan có thể dời ngày hẹn trả trước khi đến hạn",
    words_en="The office may move its promise before it runs out",
    short_vi="Hạn trả bị dời",
    short_en="Promised date moved",
    past_vi="bị dời ngày hẹn",
    past_en="had their promise moved",
    # extension, apology with a new appointment, reset, reason or none
    given=f"move AS (FROM act WHERE kind IN {MOVES} AND due_at IS NOT NULL)",
    label="EXISTS (FROM move m WHERE m.nth = a.nth AND m.due_at > s.promised_at)",
)

RETURNED_WRONGLY = Target(
    name="returned_wrongly",
    words_vi="Hồ sơ có thể bị yêu cầu giấy tờ ngoài thành phần đã công bố, hoặc bị yêu cầu bổ sung quá số lần",
    words_en="Papers outside the published list may be asked for, or papers asked for more often than is allowed",
    short_vi="Giấy tờ ngoài danh mục",
    short_en="Papers outside the list",
    past_vi="bị yêu cầu giấy tờ ngoài thành phần hoặc quá số lần",
    past_en="were asked for papers outside the list or too often",
    law="Nghị định 118/2025/NĐ-CP, Nghị định 61/2018/NĐ-CP Điều 17 (hướng dẫn bổ sung một lần), QĐ 766/QĐ-TTg",
    # the list and the number of times are those of the procedure's rows in force at the request; once where no number
    # is told (there is none for all procedures, QĐ 766 counts from the second), and without a published list only a
    # request too many can be wrong
    given="""request AS (
        SELECT *, row_number() OVER (PARTITION BY dossier_id ORDER BY happened_at) AS time
        FROM (SELECT dossier_id, happened_at, string_agg(lower(papers), ';') AS papers FROM known_event
              WHERE kind = 'papers_requested' GROUP BY ALL)
    ),
    published AS (
        SELECT procedure_code, valid_from, valid_to, lower(papers) AS papers, max_supplements AS times
        FROM procedure WHERE known_at < $cutoff
    ),
    judged AS (
        SELECT q.dossier_id, q.happened_at, q.time > coalesce(max(p.times), 1) AS too_often,
               list_filter(string_split(any_value(q.papers), ';'), lambda x: trim(x) <> ''
                   AND NOT contains(string_agg(p.papers, ';'), trim(x))) AS unlisted
        FROM request q JOIN (SELECT DISTINCT dossier_id, procedure_code FROM asked a JOIN known_then USING (nth)) d
             USING (dossier_id)
        LEFT JOIN published p ON p.procedure_code = d.procedure_code
             AND coalesce(p.valid_from <= q.happened_at, true) AND coalesce(p.valid_to > q.happened_at, true)
        GROUP BY q.dossier_id, q.happened_at, q.time
    )""",
    label="""EXISTS (FROM judged j JOIN act q ON q.dossier_id = j.dossier_id AND q.happened_at = j.happened_at
                    WHERE q.nth = a.nth AND q.kind = 'papers_requested' AND (j.too_often OR len(j.unlisted) > 0))""",
)

TARGETS = {target.name: target for target in (LATENESS, PROMISE_MOVED, RETURNED_WRONGLY)}
"""Targets of dossiers by name: one cohort, several questions."""

MAIN = LATENESS
"""The target whose list people work with every day, and that commands take where none is named."""
