"""Signals in what citizens, the press and the front say of a dossier: complaints, their answers, ratings.

One complaint is never proof: these point at a dossier, and never count towards a score about a person.
"""

from features.record.latest import newest
from features.signals.signal import Signal

_OWNER = "Trung tâm Phục vụ hành chính công"
_COMPLAINT = f"""cases_in c JOIN (
               SELECT i.case_no, q.* FROM cases_in i
               JOIN complaint q ON q.dossier_id = i.dossier_id AND q.known_at < i.as_of
               {newest("i.case_no", "q.complaint_id", alias="q")}
           ) p ON p.case_no = c.case_no"""
"""Every complaint on a case in its latest known version: the one with the answer, once it is known."""

_ANSWERED = "CASE WHEN p.answered_at < c.as_of THEN p.answered_at END"

VOICE = (
    Signal(
        "COMPLAINT_DELAY", "dossier",
        f"""SELECT c.case_no, count(DISTINCT p.complaint_id) AS value FROM {_COMPLAINT}
            WHERE p.topic IN ('lateness', 'procedure', 'extra_papers') GROUP BY c.case_no""",
        "Có phản ánh về chậm trễ, phiền hà liên quan hồ sơ", "a complaint on delay or trouble names the dossier",
        "H9: “phản ánh, kiến nghị … liên quan đến việc chậm trễ, phiền hà” (S0 1a)", _OWNER, measure="complaints",
    ),
    Signal(
        "COMPLAINT_CONDUCT", "dossier",
        f"""SELECT c.case_no, count(DISTINCT p.complaint_id) AS value FROM {_COMPLAINT}
            WHERE p.topic = 'conduct' GROUP BY c.case_no""",
        "Có phản ánh về thái độ giao tiếp liên quan hồ sơ",
        "a complaint on how people were spoken to names the dossier",
        "H13: “thái độ thiếu chuẩn mực khi giao tiếp” (S3 1l)", _OWNER, measure="complaints",
    ),
    Signal(
        "COMPLAINT_UNANSWERED", "dossier",
        f"""SELECT c.case_no, max(epoch(coalesce({_ANSWERED}, c.as_of)) - epoch(p.due_at)) / 86400 AS value
            FROM {_COMPLAINT} WHERE p.due_at < coalesce({_ANSWERED}, c.as_of) GROUP BY c.case_no""",
        "Phản ánh chưa được trả lời hoặc trả lời sau hạn", "a complaint was answered late or not at all",
        "H10: “chấm dứt tình trạng không trả lời” (S2); PAKN terms of DOC766", _OWNER, measure="days",
    ),
    Signal(
        "COMPLAINT_EXTERNAL", "dossier",
        f"""SELECT c.case_no, count(DISTINCT p.complaint_id) AS value FROM {_COMPLAINT}
            WHERE p.channel IN ('press', 'front') GROUP BY c.case_no""",
        "Mặt trận, đoàn thể hoặc báo chí phản ánh về hồ sơ", "the Front, an organisation or the press told of it",
        "H20 (S1 13, 14)", _OWNER, measure="complaints",
    ),
    Signal(
        "COMPLAINT_REPEATED", "dossier",
        f"""SELECT c.case_no, count(DISTINCT p.complaint_id) AS value FROM {_COMPLAINT}
            GROUP BY c.case_no HAVING count(DISTINCT p.complaint_id) > $threshold""",
        "Hồ sơ bị phản ánh nhiều lần", "the dossier was complained about more than once",
        "H22: “các trường hợp gây bức xúc cho người dân” (S3 1h)", _OWNER, threshold=1, measure="complaints",
    ),
    Signal(
        "LOW_RATING", "dossier",
        """SELECT c.case_no, min(r.score) AS value FROM cases_in c JOIN standing s ON s.case_no = c.case_no
           JOIN rating r ON r.dossier_id = c.dossier_id AND r.known_at < c.as_of
           WHERE NOT coalesce(r.by_staff, false) AND r.rated_at >= s.end_at AND r.score <= $threshold
           GROUP BY c.case_no""",
        "Công dân không hài lòng sau khi nhận kết quả", "rated low by the citizen after the result",
        "H12: “mức độ hài lòng của người dân” (S0 2d); ratings by staff or before the end do not count (T6)",
        _OWNER, threshold=2, measure="points",
    ),
)  # fmt: skip
