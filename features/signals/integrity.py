"""Signals that the data contradict themselves: how "late" gets hidden (traps T1–T12 of domain.md 1.9)."""

from features.case_state.kinds import STOPS, claims_end
from features.record.schema import ENDS, WORK
from features.signals.signal import Signal

_OWNER = "Kiểm soát TTHC, Văn phòng UBND tỉnh"
_AT_RECEIPT = f"(k.kind IN {ENDS} OR {claims_end('k.event_id')}) AND k.happened_at = d.received_at"

INTEGRITY = (
    Signal(
        "END_EQUALS_DUE", "dossier",
        f"""SELECT DISTINCT k.case_no, 1 AS value FROM known k JOIN promise p ON p.case_no = k.case_no
            AND p.set_at < k.happened_at AND p.due_at = k.happened_at WHERE k.kind IN {ENDS}""",
        "Thời điểm kết thúc xử lý trùng từng giây với thời điểm hẹn trả",
        "the end of processing equals the promised moment to the second", "T1, domain.md 1.9", _OWNER,
    ),
    Signal(
        "EVENT_AFTER_END", "dossier",
        f"""SELECT w.case_no, max(w.happened_w - e.happened_w) AS value
            FROM known e JOIN known w ON w.case_no = e.case_no AND w.happened_at > e.happened_at
                 AND w.kind IN {WORK} AND NOT (w.kind = 'forwarded' AND coalesce(w.step, '') ILIKE '%kết quả%')
            WHERE e.kind IN {ENDS} AND NOT EXISTS (
                SELECT 1 FROM known r WHERE r.case_no = e.case_no AND r.kind = 'reopened'
                  AND NOT r.row_id LIKE '%-reopened'
                  AND r.happened_at > e.happened_at AND r.happened_at <= w.happened_at)
            GROUP BY w.case_no""",
        "Vẫn còn thao tác xử lý sau thời điểm ghi là đã kết thúc",
        "work went on after the recorded end of processing", "T1, domain.md 1.9", _OWNER, measure="hours",
    ),
    Signal(
        "END_EQUALS_RECEIPT", "dossier",
        f"""SELECT DISTINCT k.case_no, 1 AS value FROM known k JOIN dossier_now d ON d.case_no = k.case_no
            WHERE {_AT_RECEIPT} AND d.due_at IS NOT NULL""",
        "Thời điểm kết thúc xử lý trùng với thời điểm tiếp nhận",
        "the end of processing equals the moment of receipt", "T2, domain.md 1.9", _OWNER,
    ),
    Signal(
        "MASKED_STATUS", "dossier",
        f"""SELECT DISTINCT k.case_no, 1 AS value FROM known k JOIN dossier_now d ON d.case_no = k.case_no
            WHERE {_AT_RECEIPT} AND EXISTS (
                SELECT 1 FROM known w WHERE w.case_no = k.case_no AND w.happened_at > k.happened_at
                  AND w.kind IN {STOPS})""",
        "Hồ sơ đang dừng chờ nhưng được báo là đã xử lý xong",
        "a dossier that waits was reported as finished", "T2, domain.md 1.9", _OWNER,
    ),
    Signal(
        "NO_DUE_DATE", "dossier",
        f"""SELECT DISTINCT k.case_no, 1 AS value FROM known k JOIN dossier_now d ON d.case_no = k.case_no
            WHERE {_AT_RECEIPT} AND d.due_at IS NULL""",
        "Hồ sơ không có ngày hẹn trả, được ghi kết thúc ngay khi tiếp nhận",
        "no promise, and an end recorded at the moment of receipt", "T4, domain.md 1.9; DOC766 rule 7", _OWNER,
    ),
    Signal(
        "ON_TIME_BY_DATE_ONLY", "dossier",
        """SELECT case_no, epoch(first_end_at - due_at) / 3600 AS value FROM standing WHERE first_end_at > due_at
           AND date_trunc('day', first_end_at + INTERVAL 7 HOUR) = date_trunc('day', due_at + INTERVAL 7 HOUR)""",
        "Kết thúc sau giờ hẹn trong cùng ngày hẹn: đúng hạn nếu chỉ so ngày",
        "ended after the promised hour on the promised day: on time by date alone", "T5, domain.md 1.9", _OWNER,
        measure="clock_hours",
    ),
    Signal(
        "RATING_BEFORE_RESOLUTION", "dossier",
        """SELECT s.case_no, count(*) AS value FROM standing s JOIN cases_in c ON c.case_no = s.case_no
           JOIN rating r ON r.dossier_id = c.dossier_id AND r.known_at < s.as_of
           WHERE r.rated_at < coalesce(s.end_at, s.as_of) GROUP BY s.case_no""",
        "Đánh giá hài lòng được ghi trước khi giải quyết xong",
        "satisfaction was rated before the dossier was settled", "T6, domain.md 1.9", _OWNER, measure="times",
    ),
    Signal(
        "OTHER_CODE", "dossier",
        """SELECT DISTINCT c.case_no, 1 AS value FROM cases_in c JOIN alias a ON a.dossier_id = c.dossier_id
           WHERE a.known_at < c.as_of AND NOT contains(a.other_id, ':')""",
        "Mã hồ sơ gửi lên Cổng khác mã tại đơn vị",
        "the portal knows the dossier under another code", "T7, domain.md 1.9", _OWNER,
    ),
    Signal(
        "DUE_RESET", "dossier",
        """SELECT case_no, count(*) AS value FROM (
               SELECT case_no, row_id FROM known WHERE kind = 'reset'
               UNION ALL
               SELECT v.case_no, v.row_id FROM (
                   SELECT *, lag(due_at) OVER syncs AS before_at, lag(known_at) OVER syncs AS before_known FROM version
                   WINDOW syncs AS (PARTITION BY case_no ORDER BY known_at, row_id)) v
               WHERE v.due_at <> v.before_at AND v.known_at > v.before_known AND NOT EXISTS (
                 SELECT 1 FROM known k WHERE k.case_no = v.case_no AND (k.due_at = v.due_at OR
                   (k.kind IN ('papers_supplied', 'extended', 'apologised') AND k.happened_at < v.known_at
                    AND k.happened_at > v.known_at - INTERVAL 2 DAY)))
           ) GROUP BY case_no""",
        "Hạn trả được đặt lại mà không có bổ sung, gia hạn hay xin lỗi kèm theo",
        "the promise was set anew without supplement, extension or apology", "T8, domain.md 1.9", _OWNER,
        measure="times",
    ),
    Signal(
        "DUE_EXTENDED_MORE_THAN_CITIZEN_TIME", "dossier",
        """SELECT p.case_no, max((p.due_w - p.before_w) - (q.ended_w - q.begun_w)) AS value
           FROM promise p JOIN pause q ON q.case_no = p.case_no AND q.ended_at = p.set_at
           WHERE p.before_w IS NOT NULL AND (p.due_w - p.before_w) - (q.ended_w - q.begun_w) > $threshold
           GROUP BY p.case_no""",
        "Hạn trả được lùi nhiều hơn thời gian công dân bổ sung",
        "the promise moved by more than the citizen's own time", "T9, domain.md 1.9; DOC766 rule 5", _OWNER,
        threshold=8.0, measure="hours",
    ),
    Signal(
        "PLACEHOLDER_ID", "dossier",
        "SELECT case_no, 1 AS value FROM dossier_now WHERE x_identity_placeholder = 1",
        "Số giấy tờ của chủ hồ sơ là số giả định",
        "the owner's identity number is a filler", "T10, domain.md 1.9", _OWNER,
    ),
    Signal(
        "SUBMITTED_COPIED", "dossier",
        "SELECT case_no, 1 AS value FROM dossier_now WHERE x_submitted_copied = 1",
        "Thời điểm nộp trực tuyến trùng thời điểm tiếp nhận, không đo được thời gian chờ",
        "online submission copied from receipt: the wait before receipt cannot be told", "T11, domain.md 1.9", _OWNER,
    ),
    Signal(
        "REOPENED", "dossier",
        f"""SELECT r.case_no, count(DISTINCT r.happened_at) AS value FROM known r
            WHERE r.kind = 'reopened' AND (NOT r.row_id LIKE '%-reopened' OR EXISTS (
                SELECT 1 FROM known e WHERE e.case_no = r.case_no AND e.kind IN {ENDS}
                  AND e.happened_at > r.happened_at))
            GROUP BY r.case_no""",
        "Hồ sơ đã kết thúc được đưa trở lại xử lý",
        "a finished dossier went back to work", "T12, domain.md 1.9", _OWNER, measure="times",
    ),
    Signal(
        "CONFLICTING_REWRITE", "dossier",
        """SELECT case_no, greatest(count(DISTINCT received_at), count(DISTINCT procedure_code),
                  count(DISTINCT unit_code)) AS value FROM version GROUP BY case_no
           HAVING count(DISTINCT received_at) > 1 OR count(DISTINCT procedure_code) > 1
                  OR count(DISTINCT unit_code) > 1""",
        "Các lần đồng bộ ghi khác nhau về ngày tiếp nhận, thủ tục hoặc đơn vị",
        "syncs disagree on receipt, procedure or unit", "conflicting rewrites; domain.md 6", _OWNER, measure="versions",
    ),
)  # fmt: skip
