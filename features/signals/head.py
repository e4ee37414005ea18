"""Signals about what a head lets stand: late dossiers nobody explains, explanations all alike, resets, alerts: H18.

A head answers for the unit from the day of taking office (roster of the feed contract); what lay there before is
not counted. Where nobody in the province explains, everybody's share is the same and nobody stands out.
"""

from collections.abc import Mapping

from features.record.latest import newest
from features.record.schema import ENDS
from features.signals.signal import HeldSignal

_OWNER = "Sở Nội vụ"
_H18 = "H18: “không kịp thời xử lý hoặc có dấu hiệu bao che” (S0 1đ)"
EXPLAIN_WITHIN = 15
"""Days after the missed promise within which a unit is asked to explain."""
ANSWER_WITHIN = 3
"""Days within which a head is asked to acknowledge an alert."""


def of_heads(spans: int) -> Mapping[str, str]:
    """The relation `head` (official_id, unit_code, since): who heads each unit at `as_of`, and since when."""
    return {
        "head": f"""
            SELECT o.official_id, o.unit_code, coalesce(o.valid_from, TIMESTAMP '1990-01-01') AS since
            FROM official o JOIN as_of_clock m ON o.known_at < m.as_of
                 AND coalesce(o.valid_from < m.as_of, true) AND coalesce(o.valid_to > m.as_of, true)
            WHERE o.is_head
            {newest("o.unit_code", alias="o", first="o.valid_from DESC NULLS LAST")}""",
        "excused": """
            SELECT x.dossier_id, arg_min(x.cause, (x.known_at, x.row_id)) AS cause, min(x.given_at) AS given_at
            FROM explanation x JOIN as_of_clock m ON x.known_at < m.as_of GROUP BY x.dossier_id""",
    }


HEAD = (
    HeldSignal(
        "HEAD_LATE_UNEXPLAINED", "head",
        f"""SELECT h.official_id AS key, h.unit_code, d.procedure_code, s.lawful_at AS chance_at,
                   x.dossier_id IS NULL AS hit
            FROM standing s JOIN dossier_now d ON d.case_no = s.case_no
            JOIN head h ON h.unit_code = d.unit_code AND s.lawful_at >= h.since
            LEFT JOIN excused x ON x.dossier_id = d.dossier_id
            WHERE s.late AND s.lawful_at >= $begin AND s.lawful_at < s.as_of - INTERVAL {EXPLAIN_WITHIN} DAY""",
        "Hồ sơ trễ hẹn của đơn vị chưa có giải trình",
        "late dossiers of the unit without an explanation",
        f"{_H18}; S0 1d: explanation of each late dossier", _OWNER, threshold=10, clearly=1.2,
    ),
    HeldSignal(
        "HEAD_EXPLAINED_ALIKE", "head",
        """SELECT e.key, e.unit_code, e.procedure_code, e.chance_at,
                  e.cause = mode(e.cause) OVER (PARTITION BY e.key) AS hit
           FROM (SELECT h.official_id AS key, h.unit_code, d.procedure_code, x.given_at AS chance_at, x.cause
                 FROM excused x JOIN dossier_now d ON d.dossier_id = x.dossier_id
                 JOIN head h ON h.unit_code = d.unit_code AND x.given_at >= h.since
                 WHERE x.cause IS NOT NULL AND x.given_at >= $begin) e""",
        "Giải trình của đơn vị hầu như luôn nêu cùng một nguyên nhân",
        "the unit's explanations nearly always name the same cause",
        _H18, _OWNER, threshold=15, clearly=1.2,
    ),
    HeldSignal(
        "HEAD_RESET", "head",
        f"""SELECT h.official_id AS key, h.unit_code, d.procedure_code, max(k.happened_at) AS chance_at,
                   bool_or(k.official_id = h.official_id AND (k.kind = 'reset' OR (
                       k.kind IN {ENDS} AND k.happened_at = p.due_at))) AS hit
            FROM known k JOIN dossier_now d ON d.case_no = k.case_no JOIN head h ON h.unit_code = d.unit_code
            LEFT JOIN promise p ON p.case_no = k.case_no AND p.set_at < k.happened_at
                 AND (p.until_at IS NULL OR p.until_at >= k.happened_at)
            WHERE k.happened_at >= $begin AND k.happened_at >= h.since
            GROUP BY h.official_id, h.unit_code, d.procedure_code, k.case_no""",
        "Hạn trả được đặt lại hoặc ngày kết thúc trùng từng giây với hẹn trả, do người đứng đầu thao tác",
        "the promise was reset, or an end equals it to the second, by the head's own hand",
        f"{_H18}; T1, domain.md 1.9", _OWNER, threshold=3, clearly=1.5,
    ),
    HeldSignal(
        "HEAD_ALERTS_UNANSWERED", "head",
        f"""SELECT h.official_id AS key, h.unit_code, NULL AS procedure_code, a.sent_at AS chance_at,
                   coalesce(a.acknowledged_at > a.sent_at + INTERVAL {ANSWER_WITHIN} DAY, true) AS hit
            FROM alerted a JOIN head h ON h.unit_code = a.unit_code AND a.sent_at >= h.since
            WHERE a.sent_at >= $begin AND a.sent_at < a.as_of - INTERVAL {ANSWER_WITHIN} DAY""",
        "Cảnh báo gửi đến đơn vị chưa được người đứng đầu xác nhận trong 3 ngày",
        "alerts to the unit that the head did not acknowledge within 3 days",
        _H18, _OWNER, threshold=5, clearly=1.2,
    ),
)  # fmt: skip
