"""Signals in what is no longer said, and in what is always said: complaints that stop, answers in one sentence: H10.

Fewer complaints are good news where the work changed, so silence counts only about who still handles dossiers, was
complained of often before, and beside peers of whom people go on complaining (suppressed reports: domain.md 4.4).
"""

from collections.abc import Mapping

from features.record.latest import newest
from features.signals.signal import HeldSignal
from features.sources.petition import ANSWER

SILENT_DAYS = 120
"""The last days, in which complaints have stopped."""
STILL_AT_WORK = 5
"""Dossiers with an act of theirs in these days from which somebody still handles dossiers."""
LEAST_ANSWERS = 10
"""Answers in the same words from which they are a template."""


def of_voices(spans: int) -> Mapping[str, str]:
    """The relation `complained_of`: as_of, official_id, unit_code, filed_at, one row a complainant (or nameless day).

    What names no official counts for who had at least half of the dossier (`features.case_state.custody`, attached).
    """
    return {
        "complained_of": f"""
            SELECT q.as_of, coalesce(q.official_id, h.official_id) AS official_id, any_value(q.unit_code) AS unit_code,
                   min(q.filed_at) AS filed_at
            FROM (SELECT m.as_of, q.* FROM as_of_clock m JOIN complaint q ON q.known_at < m.as_of
                       AND q.filed_at < m.as_of {newest("q.complaint_id", alias="q")}) q
            LEFT JOIN custody h ON q.official_id IS NULL AND h.as_of = q.as_of AND h.about = 'complaint'
                 AND h.about_id = q.complaint_id AND h.weight >= 0.5
            WHERE coalesce(q.official_id, h.official_id) IS NOT NULL
            GROUP BY q.as_of, coalesce(q.official_id, h.official_id), CAST(q.filed_at AS DATE),
                     coalesce(q.complainant_id, CAST(CAST(q.filed_at AS DATE) AS VARCHAR))""",
    }


HELD_VOICE = (
    HeldSignal(
        "COMPLAINTS_SILENT", "official",
        f"""SELECT c.official_id AS key, c.unit_code, NULL AS procedure_code, c.as_of AS chance_at,
                   c.filed_at >= c.as_of - INTERVAL {SILENT_DAYS} DAY AS hit
            FROM complained_of c
            WHERE c.filed_at >= $begin AND (NOT EXISTS (SELECT 1 FROM known) OR c.official_id IN (
                SELECT k.official_id FROM known k WHERE k.happened_at >= k.as_of - INTERVAL {SILENT_DAYS} DAY
                GROUP BY k.official_id HAVING count(DISTINCT k.case_no) >= {STILL_AT_WORK}))""",
        f"Phản ánh trong {SILENT_DAYS} ngày qua giảm đột ngột, dù vẫn nhận hồ sơ như trước",
        f"complaints of the last {SILENT_DAYS} days have stopped all at once, though dossiers are handled as before",
        "H9, domain.md 4.4: complaints may be kept from being made", "Thanh tra tỉnh",
        least=10, clearly=None, rarely=0.8, measure="complaints",
    ),
    HeldSignal(
        "ANSWERS_ALIKE", "unit",
        f"""SELECT key, unit_code, procedure_code, chance_at,
                   count(*) OVER (PARTITION BY key, words) >= {LEAST_ANSWERS} AS hit
            FROM (SELECT q.unit_code AS key, q.unit_code, NULL AS procedure_code, q.answered_at AS chance_at,
                         regexp_replace(lower(split_part(q.text, '{ANSWER}', 2)), '[^\\p{{L}}]+', ' ', 'g') AS words
                  FROM as_of_clock m JOIN complaint q ON q.known_at < m.as_of AND q.answered_at < m.as_of
                  WHERE q.unit_code IS NOT NULL AND q.answered_at >= $begin AND contains(q.text, '{ANSWER}')
                  {newest("q.complaint_id", alias="q")})""",
        "Trả lời phản ánh, kiến nghị bằng cùng một câu cho nhiều người",
        "complaints are answered in one and the same sentence",
        "H10: “trả lời chung chung” (S2); S3-15", "Trung tâm Phục vụ hành chính công",
        threshold=15, least=LEAST_ANSWERS, clearly=None, measure="complaints",
    ),
)  # fmt: skip
