"""Signals about an office: complaints left unanswered, low ratings, late answers to others: H10, H12, H16."""

from features.record.latest import newest
from features.signals.signal import HeldSignal

_OWNER = "Trung tâm Phục vụ hành chính công"

HELD_OFFICE = (
    HeldSignal(
        "COMPLAINTS_UNANSWERED", "unit",
        f"""SELECT q.unit_code AS key, q.unit_code, NULL AS procedure_code, q.due_at AS chance_at,
                  coalesce(CASE WHEN q.answered_at < m.as_of THEN q.answered_at END, m.as_of) > q.due_at AS hit
           FROM as_of_clock m JOIN complaint q ON q.known_at < m.as_of AND q.due_at < m.as_of
           WHERE q.unit_code IS NOT NULL AND q.due_at >= $begin AND coalesce(q.verdict, '') <> 'withdrawn'
           {newest("q.complaint_id", alias="q")}""",
        "Phản ánh về đơn vị chưa được trả lời hoặc trả lời sau hạn",
        "complaints about the unit answered late or not at all",
        "H10: “chấm dứt tình trạng không trả lời” (S2); PAKN terms of DOC766", _OWNER, threshold=5,
    ),
    HeldSignal(
        "RATED_LOW", "unit",
        """SELECT d.unit_code AS key, d.unit_code, d.procedure_code, r.rated_at AS chance_at, r.score <= 2 AS hit
           FROM dossier_now d JOIN standing s ON s.case_no = d.case_no
           JOIN rating r ON r.dossier_id = d.dossier_id AND r.known_at < d.as_of
           WHERE NOT coalesce(r.by_staff, false) AND r.rated_at >= s.end_at AND r.rated_at >= $begin""",
        "Công dân không hài lòng sau khi nhận kết quả",
        "ratings of 1 or 2 by citizens after the result",
        "H12: “mức độ hài lòng của người dân” (S0 2d); ratings by staff or before the end do not count (T6)",
        _OWNER, threshold=5,
    ),
    HeldSignal(
        "CONSULTED_LATE", "unit",
        """SELECT q.to_unit_code AS key, q.to_unit_code AS unit_code, d.procedure_code, q.step_due_at AS chance_at,
                  coalesce(min(a.happened_at) > q.step_due_at, true) AS hit
           FROM known q JOIN dossier_now d ON d.case_no = q.case_no
           LEFT JOIN known a ON a.case_no = q.case_no AND a.kind = 'consultation_answered'
                AND a.happened_at > q.happened_at AND coalesce(a.unit_code = q.to_unit_code, true)
           WHERE q.kind = 'consulted' AND q.to_unit_code IS NOT NULL AND q.step_due_at < q.as_of
             AND q.step_due_at >= $begin
           GROUP BY q.to_unit_code, d.procedure_code, q.step_due_at, q.case_no, q.row_id""",
        "Ý kiến phối hợp được trả lời sau hạn hoặc chưa trả lời",
        "consultations answered after their deadline or not yet",
        "H16: “cơ quan được lấy ý kiến có trách nhiệm trả lời đúng hạn” (S4 1d)", _OWNER, threshold=5,
    ),
)  # fmt: skip
