"""Signals in one dossier's course that a citizen may have been made to suffer: the flags of samples/20.

Each is a reason to look; the same can come from a hard procedure or a poor form (domain.md 4.4).
"""

from features.case_state.kinds import ASKS
from features.case_state.letters import answers, is_letter
from features.signals.signal import Signal

_OWNER = "Trung tâm Phục vụ hành chính công"
_CLOSE = """
    SELECT q.case_no, min(p.due_w - q.begun_w) AS value FROM pause q JOIN promise p ON p.case_no = q.case_no
      AND p.set_at <= q.begun_at AND (p.until_at IS NULL OR p.until_at > q.begun_at)
    WHERE q.kind = '{kind}' AND p.due_w - q.begun_w >= 0 AND p.due_at > q.begun_at AND p.due_w - q.begun_w <= $threshold
    GROUP BY q.case_no"""

CONDUCT_OF_DOSSIER = (
    Signal(
        "REPEATED_SUPPLEMENT", "dossier",
        """SELECT case_no, count(DISTINCT happened_at) AS value FROM known WHERE kind = 'papers_requested'
           GROUP BY case_no HAVING count(DISTINCT happened_at) > $threshold""",
        "Yêu cầu bổ sung hồ sơ nhiều hơn một lần", "papers were asked for more than once",
        "DOC766 rule 4; H1: “không được tự ý yêu cầu bổ sung hồ sơ” (S0 1a)", _OWNER, threshold=1, measure="times",
    ),
    Signal(
        "PAPERS_ASKED_IN_PARTS", "dossier",
        f"""SELECT a.case_no, count(DISTINCT a.paper) AS value
           FROM (SELECT case_no, happened_at, row_id, min(happened_at) OVER (PARTITION BY case_no) AS first_at,
                        trim(lower(unnest(string_split(papers, ';')))) AS paper
                 FROM known WHERE kind = 'papers_requested' AND papers IS NOT NULL) a
           JOIN dossier_now d ON d.case_no = a.case_no
           JOIN (SELECT procedure_code, max(lower(papers)) AS papers FROM procedure WHERE papers IS NOT NULL
                 GROUP BY procedure_code) p ON p.procedure_code = d.procedure_code
           WHERE a.happened_at > a.first_at AND a.paper <> '' AND contains(p.papers, a.paper) AND NOT EXISTS (
               SELECT 1 FROM known f WHERE f.case_no = a.case_no AND f.kind IN {ASKS}
                 AND f.happened_at < a.happened_at AND contains(lower(coalesce(f.papers, '')), a.paper))
           GROUP BY a.case_no""",
        "Yêu cầu bổ sung lần sau nêu giấy tờ đã công bố mà lần đầu không nêu",
        "a later request names published papers that the first could have named",
        "H1: “không được tự ý yêu cầu bổ sung hồ sơ” (S0 1a)", _OWNER, measure="papers",
    ),
    Signal(
        "SUPPLEMENT_CLOSE_TO_DEADLINE", "dossier", _CLOSE.format(kind="papers_requested"),
        "Yêu cầu bổ sung sát hạn trả", "papers were asked for in the last working hours before the promise",
        "H2 (S0 1a)", _OWNER, threshold=8, measure="hours",
    ),
    Signal(
        "PAUSE_CLOSE_TO_DEADLINE", "dossier", _CLOSE.format(kind="suspended"),
        "Tạm dừng xử lý sát hạn trả", "the clock was stopped in the last working hours before the promise",
        "H2 (S0 1a)", _OWNER, threshold=8, measure="hours",
    ),
    Signal(
        "PAKN_STAFF", "dossier",
        """SELECT c.case_no, count(DISTINCT p.complaint_id) AS value FROM cases_in c
           JOIN complaint p ON p.dossier_id = c.dossier_id AND p.known_at < c.as_of
           WHERE p.topic IN ('conduct', 'bribe') GROUP BY c.case_no""",
        "Có phản ánh về hành vi của cán bộ liên quan hồ sơ", "a complaint on staff conduct names the dossier",
        "H8 (S4); DOC766 PETITION_CLASSIFICATION_STAFF", _OWNER, measure="complaints",
    ),
    Signal(
        "NO_APOLOGY", "dossier",
        f"""SELECT s.case_no, coalesce(s.end_w, s.lawful_w) - s.lawful_w AS value FROM standing s
           WHERE s.late AND NOT EXISTS (SELECT 1 FROM known k WHERE k.case_no = s.case_no AND {answers("k", "s")})""",
        "Trễ hẹn nhưng chưa có thư xin lỗi", "late, and no apology is recorded",
        "H11: “thực hiện Thư xin lỗi … đối với các trường hợp giải quyết hồ sơ trễ hạn” (S3 1l)", _OWNER,
        measure="hours",
    ),
    Signal(
        "LATE_APOLOGY", "dossier",
        f"""SELECT k.case_no, min(k.happened_w - s.lawful_w) AS value
           FROM known k JOIN standing s ON s.case_no = k.case_no WHERE s.late AND {answers("k", "s")}
           GROUP BY k.case_no, s.lawful_at HAVING min(k.happened_at) >= s.lawful_at""",
        "Thư xin lỗi gửi sau khi đã quá hẹn", "the apology came after the promise had passed", "H11 (S3 1l)", _OWNER,
        measure="hours",
    ),
    Signal(
        "APOLOGY_PROMISE_BROKEN", "dossier",
        f"""SELECT k.case_no, 1 AS value FROM known k JOIN standing s ON s.case_no = k.case_no
           WHERE {is_letter("k")} AND k.due_at < coalesce(s.end_at, s.as_of) GROUP BY k.case_no""",
        "Ngày hẹn lại trong thư xin lỗi cũng không được giữ", "the date promised in the apology was missed too",
        "H11 (S3 1l)", _OWNER,
    ),
    Signal(
        "CONSULTATION_LATE", "dossier",
        """SELECT q.case_no, count(*) AS value FROM known q LEFT JOIN (
               SELECT a.case_no, a.unit_code, a.happened_at FROM known a WHERE a.kind = 'consultation_answered') a
             ON a.case_no = q.case_no AND a.happened_at > q.happened_at AND coalesce(a.unit_code = q.to_unit_code, true)
           WHERE q.kind = 'consulted' AND q.step_due_at < coalesce(a.happened_at, q.as_of) GROUP BY q.case_no""",
        "Cơ quan được lấy ý kiến trả lời sau hạn", "the consulted office answered after its deadline",
        "H16: “cơ quan được lấy ý kiến có trách nhiệm trả lời đúng hạn” (S4 1d)", _OWNER, measure="times",
    ),
    Signal(
        "DOC_OUTSIDE_PUBLISHED_LIST", "dossier",
        """SELECT case_no, count(*) AS value FROM (
               SELECT case_no FROM known WHERE regexp_matches(coalesce(reason, ''),
                 '(không có trong|ngoài)( danh mục)? (thành phần|danh mục)', 'i')
               UNION ALL
               SELECT k.case_no FROM (
                   SELECT case_no, trim(lower(unnest(string_split(papers, ';')))) AS paper FROM known
                   WHERE kind = 'papers_requested' AND papers IS NOT NULL) k
               JOIN dossier_now d ON d.case_no = k.case_no
               JOIN (SELECT procedure_code, max(lower(papers)) AS papers FROM procedure WHERE papers IS NOT NULL
                     GROUP BY procedure_code) p ON p.procedure_code = d.procedure_code
               WHERE k.paper <> '' AND NOT contains(p.papers, k.paper)
           ) GROUP BY case_no""",
        "Yêu cầu giấy tờ ngoài thành phần hồ sơ đã công bố", "a paper outside the published list was asked for",
        "H5: “làm phát sinh thêm … hồ sơ, giấy tờ … không đúng quy định” (S2)", _OWNER, measure="papers",
    ),
    Signal(
        "RECEIPT_SLOW", "dossier",
        """SELECT case_no, received_w - submitted_w AS value FROM dossier_now
           WHERE channel = 'online' AND received_w - submitted_w > $threshold""",
        "Hồ sơ trực tuyến được tiếp nhận sau quá 8 giờ làm việc",
        "an online dossier waited more than 8 working hours to be received",
        "domain.md 3.1 [K: 8 working hours, to be verified]", _OWNER, threshold=8, measure="hours",
    ),
)  # fmt: skip
