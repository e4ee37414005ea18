"""Signals in how offices and officials handled a dossier: returns, needless consultation, overtaking, silence.

Each is a reason to look; the same can come from a hard case or an office without people (domain.md 4.4).
Where a source never tells reasons, their absence says nothing, so the rules on missing reasons want one reason
told by the same office.
"""

from features.case_state.kinds import PROLONGS, SENDS_BACK, STOPS
from features.record.schema import ALL_ENDS, ENDS
from features.signals.signal import Signal

_OWNER = "Trung tâm Phục vụ hành chính công"
_TELLS_REASONS = """EXISTS (SELECT 1 FROM event_then r WHERE r.unit_code = k.unit_code AND r.known_at < k.as_of
                 AND r.kind = k.kind AND r.reason <> '')"""
_SAME_MATTER = """dossier_now d JOIN dossier_then p ON p.applicant_id = d.applicant_id
           AND p.procedure_code = d.procedure_code AND p.dossier_id <> d.dossier_id AND p.known_at < d.as_of
           AND p.received_at < d.received_at
           JOIN event_then e ON e.dossier_id = p.dossier_id AND e.known_at < d.as_of"""

HANDLING = (
    Signal(
        "PROLONGED_WITHOUT_REASON", "dossier",
        f"""SELECT k.case_no, count(*) AS value FROM known k
            WHERE k.kind IN {PROLONGS} AND coalesce(k.reason, '') = '' AND {_TELLS_REASONS}
            GROUP BY k.case_no""",
        "Gia hạn, đặt lại hạn hoặc tạm dừng mà không ghi lý do",
        "the promise was moved or the clock stopped without a reason told",
        "H2: “kéo dài thời gian giải quyết không có lý do chính đáng” (S0 1a)", _OWNER, measure="times",
    ),
    Signal(
        "RETURNED_REPEATEDLY", "dossier",
        f"""SELECT d.case_no, count(DISTINCT p.dossier_id) AS value FROM {_SAME_MATTER}
            WHERE e.kind IN {SENDS_BACK} AND p.received_at > d.received_at - INTERVAL 180 DAY
            GROUP BY d.case_no HAVING count(DISTINCT p.dossier_id) > $threshold""",
        "Hồ sơ cùng người nộp, cùng thủ tục đã bị trả lại nhiều lần trước đó",
        "the same applicant's dossiers of this procedure were returned more than once before",
        "H3: “hồ sơ bị trả lại nhiều lần do lỗi chủ quan của cán bộ” (S0 2b); the cause wants human review",
        _OWNER, threshold=1, measure="dossiers",
    ),
    Signal(
        "WITHDRAWN_AND_RESUBMITTED", "dossier",
        f"""SELECT d.case_no, count(DISTINCT p.dossier_id) AS value FROM {_SAME_MATTER}
            WHERE e.kind = 'withdrawn' AND e.happened_at > d.received_at - INTERVAL 30 DAY
              AND EXISTS (SELECT 1 FROM event_then q WHERE q.dossier_id = p.dossier_id AND q.kind = 'papers_requested'
                          AND q.happened_at < e.happened_at AND q.known_at < d.as_of)
            GROUP BY d.case_no""",
        "Người nộp rút hồ sơ sau khi bị yêu cầu bổ sung rồi nộp lại hồ sơ mới cùng thủ tục",
        "after a request for papers the applicant withdrew and handed in anew: the clock began again",
        "domain.md 4.3, clock laundering", _OWNER, measure="dossiers",
    ),
    Signal(
        "RETURN_WITHOUT_REASON", "dossier",
        f"""SELECT k.case_no, count(*) AS value FROM known k
            WHERE k.kind IN {SENDS_BACK} AND coalesce(k.reason, '') = '' AND {_TELLS_REASONS}
            GROUP BY k.case_no""",
        "Trả hoặc từ chối hồ sơ mà không ghi lý do", "returned or refused without a reason told",
        "H4: “trả hồ sơ không đúng quy định” (S4 1đ)", _OWNER, measure="times",
    ),
    Signal(
        "REFUSED_AFTER_DUE", "dossier",
        f"""SELECT k.case_no, max(k.happened_w - s.lawful_w) AS value
            FROM known k JOIN standing s ON s.case_no = k.case_no
            WHERE k.kind IN {SENDS_BACK} AND s.late AND k.happened_at > s.lawful_at GROUP BY k.case_no""",
        "Trả hoặc từ chối hồ sơ sau khi đã quá hẹn", "returned or refused after the promise had passed",
        "H4 (S4 1đ); domain.md 4.3", _OWNER, measure="hours",
    ),
    Signal(
        "PING_PONG", "dossier",
        """SELECT case_no, count(*) - (count(DISTINCT official_id) - 1) AS value FROM (
               SELECT case_no, official_id, lag(official_id) OVER (
                   PARTITION BY case_no ORDER BY happened_at, known_at, row_id) AS before_id
               FROM known WHERE official_id IS NOT NULL)
           WHERE official_id <> before_id GROUP BY case_no
           HAVING count(*) - (count(DISTINCT official_id) - 1) > $threshold""",
        "Hồ sơ bị chuyển qua lại nhiều lần giữa các cán bộ",
        "the dossier went back to earlier holders again and again",
        "H14: “đùn đẩy trách nhiệm” (S4)", _OWNER, threshold=3, measure="times",
    ),
    Signal(
        "IDLE_IN_ONE_HAND", "dossier",
        f"""SELECT g.case_no, max(g.gap_w) AS value FROM (
               SELECT case_no, kind, lead(happened_w) OVER (
                   PARTITION BY case_no ORDER BY happened_at, known_at, row_id) - happened_w AS gap_w
               FROM known) g
           JOIN standing s ON s.case_no = g.case_no
           WHERE g.kind NOT IN {(*STOPS, "consulted", *ALL_ENDS)}
             AND g.gap_w > greatest(24, $threshold * (s.first_w - s.received_w))
           GROUP BY g.case_no""",
        "Hồ sơ nằm yên trong thời gian dài khi đang thuộc trách nhiệm của cơ quan",
        "the dossier lay still for most of its term while the office was to act",
        "H14 (S4); domain.md 4.1", _OWNER, threshold=0.8, measure="hours",
    ),
    Signal(
        "CONSULTATION_UNUSUAL", "dossier",
        """SELECT k.case_no, count(DISTINCT k.to_unit_code) AS value FROM known k
           JOIN dossier_now d ON d.case_no = k.case_no
           JOIN (SELECT m.as_of, p.procedure_code, count(DISTINCT q.dossier_id) AS consulted
                 FROM (SELECT DISTINCT as_of FROM cases_in) m JOIN event_then q ON q.kind = 'consulted'
                      AND q.known_at < m.as_of
                 JOIN (SELECT DISTINCT dossier_id, procedure_code FROM dossier_then) p ON p.dossier_id = q.dossier_id
                 GROUP BY ALL) u ON u.as_of = k.as_of AND u.procedure_code = d.procedure_code
           LEFT JOIN (SELECT m.as_of, p.procedure_code, q.to_unit_code, count(DISTINCT q.dossier_id) AS asked
                 FROM (SELECT DISTINCT as_of FROM cases_in) m JOIN event_then q ON q.kind = 'consulted'
                      AND q.known_at < m.as_of
                 JOIN (SELECT DISTINCT dossier_id, procedure_code FROM dossier_then) p ON p.dossier_id = q.dossier_id
                 GROUP BY ALL) s ON s.as_of = k.as_of AND s.procedure_code = d.procedure_code
                 AND s.to_unit_code = k.to_unit_code
           WHERE k.kind = 'consulted' AND k.to_unit_code IS NOT NULL AND u.consulted >= 20
             AND s.asked < $threshold * u.consulted
           GROUP BY k.case_no""",
        "Lấy ý kiến cơ quan mà thủ tục này hầu như không bao giờ cần",
        "an office was consulted that this procedure hardly ever asks",
        "H15: “không lấy ý kiến phối hợp của cơ quan không liên quan hoặc không cần thiết” (S4 1d)",
        _OWNER, threshold=0.05, measure="units",
    ),
    Signal(
        "CONSULTATION_VAGUE", "dossier",
        """SELECT case_no, count(*) AS value FROM known WHERE kind = 'consultation_answered'
             AND length(trim(coalesce(reason, ''))) BETWEEN 1 AND 60
             AND regexp_matches(lower(reason), '(theo quy định|không có ý kiến|tùy|đề nghị .*xem xét|nghiên cứu)')
           GROUP BY case_no""",
        "Ý kiến trả lời phối hợp chung chung", "the consulted office answered in general terms",
        "H16: “không trả lời chung chung” (S4 1d)", _OWNER, measure="times",
    ),
    Signal(
        "QUEUE_JUMPED", "dossier",
        f"""SELECT d.case_no, count(*) AS value FROM dossier_now d
           JOIN standing s ON s.case_no = d.case_no AND s.end_at IS NOT NULL
           JOIN (SELECT m.as_of, x.dossier_id, arg_max(x.procedure_code, (x.known_at, x.row_id)) AS procedure_code,
                        arg_max(x.unit_code, (x.known_at, x.row_id)) AS unit_code, min(x.received_at) AS received_at
                 FROM (SELECT DISTINCT as_of FROM cases_in) m JOIN dossier_then x ON x.known_at < m.as_of
                 GROUP BY m.as_of, x.dossier_id) o
             ON o.as_of = d.as_of AND o.procedure_code = d.procedure_code AND o.unit_code = d.unit_code
            AND o.received_at < d.received_at AND o.received_at > d.received_at - INTERVAL 60 DAY
           LEFT JOIN (SELECT m.as_of, v.dossier_id,
                        min(v.happened_at) FILTER (v.kind IN {ENDS}) AS end_at,
                        bool_or(v.kind IN {STOPS}) AS stopped
                 FROM (SELECT DISTINCT as_of FROM cases_in) m JOIN event_then v ON v.known_at < m.as_of
                 GROUP BY m.as_of, v.dossier_id) e ON e.as_of = o.as_of AND e.dossier_id = o.dossier_id
           WHERE d.agent_id IS NOT NULL AND NOT coalesce(e.stopped, false)
             AND coalesce(e.end_at, d.as_of) > s.end_at
           GROUP BY d.case_no HAVING count(*) > $threshold""",
        "Hồ sơ nộp qua người đại diện được giải quyết trước nhiều hồ sơ cùng loại đến trước",
        "handed in by an agent and settled before many earlier dossiers of the same kind",
        "domain.md 4.3, queue jumping", _OWNER, threshold=5, measure="dossiers",
    ),
)  # fmt: skip
