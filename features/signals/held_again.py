"""Signals of what comes again or together: a second confirmed finding, one pattern in a chain, one agent: H17.

Confirmed findings are the strongest tier and agents the weakest of these: an agent whose dossiers go first may only
bring them complete. So each says how often the same happens to others (domain.md 4.3, 4.4).
"""

from collections.abc import Mapping

from features.record.latest import newest
from features.signals.signal import HeldSignal

_OWNER = "Thanh tra tỉnh"
_H17 = "H17: “đặc biệt là các trường hợp tái phạm, có tổ chức” (S1 1d)"
_FOUND = f"""
    SELECT {{key}} AS key, any_value(v.unit_code) AS unit_code, NULL AS procedure_code,
           max(coalesce(f.confirmed_at, f.known_at)) AS chance_at,
           bool_or(coalesce(f.confirmed, false)
                   AND f.kind IN ('harassment', 'extra_papers', 'wrongful_return', 'tampering')) AS hit
    FROM (SELECT q.* FROM as_of_clock m JOIN finding q ON q.known_at < m.as_of
          {newest("q.finding_id", alias="q")}) f
    JOIN (SELECT inspection_id, arg_max(i.unit_code, (i.known_at, i.row_id)) AS unit_code
          FROM inspection i JOIN as_of_clock m ON i.known_at < m.as_of GROUP BY inspection_id) v
         ON v.inspection_id = f.inspection_id
    WHERE {{key}} IS NOT NULL AND coalesce(f.confirmed_at, f.known_at) >= $begin
    GROUP BY {{key}}, f.inspection_id"""


def of_agents(spans: int) -> Mapping[str, str]:
    """Relations for signals on agents: `in_hand`, `agent_pace`, `overtaking`, on those of `features.signals.hands`.

    in_hand: own working hours of each official in each ended dossier. agent_pace: of those with an agent, whether
    they took less than half of the same official's usual for the procedure without one. overtaking: how many earlier
    dossiers of the same unit and procedure, none of them halted for papers, a dossier with an agent was settled before.
    """
    return {
        "in_hand": """
            SELECT w.case_no, w.official_id, arg_max(w.unit_code, w.taken_at) AS unit_code, w.procedure_code,
                   d.agent_id, s.end_at, sum(w.hours ORDER BY w.turn_no) AS hours
            FROM own_time w JOIN dossier_now d ON d.case_no = w.case_no
            JOIN standing s ON s.case_no = w.case_no AND s.end_at IS NOT NULL
            GROUP BY w.case_no, w.official_id, w.procedure_code, d.agent_id, s.end_at""",
        "agent_pace": """
            SELECT h.case_no, h.official_id, h.unit_code, h.procedure_code, h.end_at, h.hours < 0.5 * o.usual AS hit
            FROM in_hand h JOIN (
                SELECT official_id, procedure_code, median(hours) AS usual FROM in_hand
                WHERE agent_id IS NULL GROUP BY ALL HAVING count(*) >= 5 AND median(hours) >= 2) o
              ON o.official_id = h.official_id AND o.procedure_code = h.procedure_code
            WHERE h.agent_id IS NOT NULL""",
        "overtaking": """
            SELECT d.case_no, count(*) AS overtaken FROM dossier_now d
            JOIN standing s ON s.case_no = d.case_no AND s.end_at IS NOT NULL
            JOIN dossier_now x ON x.unit_code = d.unit_code AND x.procedure_code = d.procedure_code
                 AND x.received_at < d.received_at AND x.received_at > d.received_at - INTERVAL 60 DAY
            JOIN standing t ON t.case_no = x.case_no
            WHERE d.agent_id IS NOT NULL AND coalesce(t.end_at, d.as_of) > s.end_at
              AND x.case_no NOT IN (SELECT case_no FROM pause)
            GROUP BY d.case_no""",
    }


HELD_AGAIN = (
    HeldSignal(
        "FOUND_AGAIN", "official", _FOUND.format(key="f.official_id"),
        "Từ hai đợt kiểm tra trở lên có kết luận được xác nhận liên quan việc giải quyết",
        "two or more inspections ended in a confirmed finding on dossiers handled",
        _H17, _OWNER, threshold=2, days=1095, least=2, clearly=None,
    ),
    HeldSignal(
        "FOUND_AGAIN_UNIT", "unit", _FOUND.format(key="v.unit_code"),
        "Nhiều đợt kiểm tra tại đơn vị có kết luận được xác nhận",
        "several inspections of the unit ended in a confirmed finding",
        _H17, _OWNER, threshold=2, days=1095, least=2,
    ),
    HeldSignal(
        "PAPERS_ASKED_BY_SEVERAL", "unit",
        """SELECT d.unit_code AS key, d.unit_code, d.procedure_code, d.received_at AS chance_at,
                  count(DISTINCT k.official_id) FILTER (k.kind = 'papers_requested') > 1 AS hit
           FROM dossier_now d JOIN known k ON k.case_no = d.case_no
           WHERE d.received_at >= $begin GROUP BY d.case_no, d.unit_code, d.procedure_code, d.received_at""",
        "Một hồ sơ bị nhiều cán bộ trong cùng dây chuyền lần lượt yêu cầu bổ sung",
        "several officials of one chain asked for papers in the same dossier, one after another",
        _H17, _OWNER, threshold=5, clearly=1.5,
    ),
    HeldSignal(
        "AGENT_FIRST", "agent",
        """SELECT d.agent_id AS key, d.unit_code, d.procedure_code, s.end_at AS chance_at,
                  coalesce(j.overtaken > 5, false) AS hit
           FROM dossier_now d JOIN standing s ON s.case_no = d.case_no AND s.end_at IS NOT NULL
           LEFT JOIN overtaking j ON j.case_no = d.case_no
           WHERE d.agent_id IS NOT NULL AND s.end_at >= $begin""",
        "Hồ sơ do người đại diện này nộp được giải quyết trước nhiều hồ sơ cùng loại đến trước",
        "dossiers of this agent are settled before many earlier ones of the same kind",
        f"{_H17}; domain.md 4.3, queue jumping", _OWNER, threshold=5, clearly=1.5,
    ),
    HeldSignal(
        "AGENT_FIRST_WITH", "official",
        """SELECT h.official_id AS key, h.unit_code, h.procedure_code, h.end_at AS chance_at,
                  coalesce(j.overtaken > 5, false) AS hit
           FROM (SELECT * FROM in_hand QUALIFY row_number() OVER (
                     PARTITION BY case_no ORDER BY hours DESC, official_id) = 1) h
           LEFT JOIN overtaking j ON j.case_no = h.case_no
           WHERE h.agent_id IS NOT NULL AND h.end_at >= $begin""",
        "Hồ sơ có người đại diện được giải quyết trước nhiều hồ sơ cùng loại đến trước",
        "dossiers with an agent are settled before many earlier ones of the same kind",
        f"{_H17}; domain.md 4.3, queue jumping", _OWNER, threshold=5, clearly=1.5,
    ),
    HeldSignal(
        "AGENT_HALF_TIME", "official",
        """SELECT official_id AS key, unit_code, procedure_code, end_at AS chance_at, hit
           FROM agent_pace WHERE end_at >= $begin""",
        "Hồ sơ có người đại diện xong nhanh hơn một nửa thời gian của hồ sơ không có người đại diện",
        "dossiers with an agent take less than half the time of the same official's dossiers without one",
        "domain.md 4.3: times of one official that differ between applicants", _OWNER, threshold=5, clearly=1.5,
    ),
)  # fmt: skip
