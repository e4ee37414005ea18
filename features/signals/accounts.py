"""Under whose account an act was entered, and who had the dossier in hand: where the two differ, the actor is in doubt.

A dossier is given into somebody's hand by `assigned`. An act by an account to which the dossier was never assigned,
while it lay with another official, is doubtful where that other is in the same post, or goes on with the dossier
afterwards as though nothing had changed hands: colleagues lend accounts, offices share one. Whoever signs or refuses
does so by office, and a head moves promises and dossiers of others by right; neither is in doubt. One-stop desks hold
no dossier in this sense. Doubtful acts count for whoever had the dossier, and never raise a flag about a person.
"""

from collections.abc import Mapping

from features.case_state.kinds import ENTERED, PROLONGS
from features.record.schema import ALL_ENDS
from features.signals.signal import HeldSignal

_BY_OFFICE = (*ALL_ENDS, "received", "assigned", "note", "apologised")
_BY_RIGHT = (*PROLONGS, "forwarded", "consulted", "returned")
_DESK = "một cửa"
LENT_CASES, LENT_BY = 10, 2
"""Dossiers and holders from which on an account that acts for others counts as lent: none of its acts on dossiers of
others is then its owner's beyond doubt."""


def of_accounts(spans: int) -> Mapping[str, str]:
    """The relation `act_in_custody`: the columns of `known`, with official_id the one who is charged, account_id the
    one under whom the act was entered, and doubtful.
    """
    return {
        "post_told": f"""
            SELECT official_id, any_value(position ORDER BY position) AS position, bool_or(coalesce(is_head, false))
                   AS is_head, bool_or(lower(coalesce(position, '')) LIKE '%{_DESK}%') AS is_desk
            FROM official GROUP BY official_id""",
        "given": """
            SELECT case_no, official_id, min(happened_at) AS first_at FROM known
            WHERE kind = 'assigned' AND official_id IS NOT NULL GROUP BY ALL""",
        "seen_last": """
            SELECT case_no, official_id, max(happened_at) AS last_at FROM known
            WHERE official_id IS NOT NULL GROUP BY ALL""",
        "act_of_other": f"""
            SELECT k.*, h.official_id AS holder_id,
                   k.kind NOT IN {_BY_OFFICE} AND NOT (coalesce(p.is_head, false) AND k.kind IN {_BY_RIGHT}) AS of_hand,
                   of_hand AND coalesce(h.official_id <> k.official_id, false)
                   AND coalesce(y.first_at > k.happened_at, true) AND NOT coalesce(q.is_desk, false) AS of_other,
                   coalesce(p.position = q.position, false) OR coalesce(l.last_at > k.happened_at, false) AS unmoved
            FROM known k
            ASOF LEFT JOIN (SELECT case_no, official_id, happened_at FROM known
                            WHERE kind = 'assigned' AND official_id IS NOT NULL) h
                 ON h.case_no = k.case_no AND h.happened_at <= k.happened_at
            LEFT JOIN given y ON y.case_no = k.case_no AND y.official_id = k.official_id
            LEFT JOIN seen_last l ON l.case_no = k.case_no AND l.official_id = h.official_id
            LEFT JOIN post_told p ON p.official_id = k.official_id
            LEFT JOIN post_told q ON q.official_id = h.official_id
            WHERE k.official_id IS NOT NULL""",
        "lent_account": f"""
            SELECT official_id FROM act_of_other WHERE of_other AND unmoved GROUP BY official_id
            HAVING count(DISTINCT case_no) >= {LENT_CASES} AND count(DISTINCT holder_id) >= {LENT_BY}""",
        "act_in_custody": """
            SELECT * EXCLUDE (official_id, holder_id, of_hand, of_other, unmoved, lent),
                   CASE WHEN of_other AND doubtful THEN holder_id ELSE official_id END AS official_id,
                   official_id AS account_id
            FROM (SELECT a.*, n.official_id IS NOT NULL AS lent,
                         (of_other AND unmoved) OR (of_hand AND n.official_id IS NOT NULL) AS doubtful
                  FROM act_of_other a LEFT JOIN lent_account n ON n.official_id = a.official_id)""",
    }


ACCOUNTS = (
    HeldSignal(
        "ACTS_UNDER_OTHERS", "unit",
        f"""SELECT k.unit_code AS key, k.unit_code, d.procedure_code, k.happened_at AS chance_at, k.doubtful AS hit
            FROM act_in_custody k JOIN dossier_now d ON d.case_no = k.case_no
            WHERE k.kind IN {ENTERED}
              AND k.happened_at >= $begin AND k.unit_code IS NOT NULL""",
        "Thao tác ghi dưới tài khoản của người không giữ hồ sơ nên chưa rõ ai đã làm",
        "acts are entered under accounts of people who did not have the dossier, so who acted is not clear",
        "H17: “có tổ chức” (S1 1d); S0 1a “trách nhiệm cá nhân trong từng hồ sơ”", "Thanh tra tỉnh",
        threshold=5, clearly=1.5,
    ),
)  # fmt: skip
