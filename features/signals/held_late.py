"""Signals of repeatedly late dossiers and backlog, by official and unit: H6, H7, H21 of domain.md 4.1.

Being late is charged by step (`features.signals.hands`): to whoever had a late dossier in hand for longer than nine in
ten of the others need for the same step and procedure, not to everybody through whose hands it went.
"""

from features.signals.signal import HeldSignal

_OWNER = "Trung tâm Phục vụ hành chính công"
_SLOW = """
    SELECT y.{key} AS key, {unit} AS unit_code, y.procedure_code, max(coalesce(y.handed_at, y.as_of)) AS chance_at,
           coalesce(bool_or(y.long), false) AND bool_or(coalesce(s.late, false)) AS hit
    FROM stay y JOIN standing s ON s.case_no = y.case_no
    WHERE y.{key} IS NOT NULL AND coalesce(y.handed_at, y.as_of) >= $begin
    GROUP BY y.{key}, y.procedure_code, y.case_no HAVING count(y.long) > 0"""
_OFFICIAL = _SLOW.format(key="official_id", unit="arg_max(y.unit_code, y.taken_at)")
_UNIT = _SLOW.format(key="unit_code", unit="y.unit_code")
_H6 = "H6: “nhiều lần để xảy ra tình trạng chậm trễ” (S2)"

HELD_LATE = (
    HeldSignal(
        "LATE_STEPS_3M", "official", _OFFICIAL,
        "Hồ sơ trễ hẹn có bước nằm trong tay lâu hơn thường lệ, trong 3 tháng qua",
        "late dossiers that stayed in hand for longer than usual, in the last 3 months",
        _H6, _OWNER, threshold=5, days=91, clearly=1.5,
    ),
    HeldSignal(
        "LATE_STEPS_6M", "official", _OFFICIAL,
        "Hồ sơ trễ hẹn có bước nằm trong tay lâu hơn thường lệ, trong 6 tháng qua",
        "late dossiers that stayed in hand for longer than usual, in the last 6 months",
        _H6, _OWNER, threshold=8, days=182, clearly=1.5,
    ),
    HeldSignal(
        "LATE_SHARE_HIGH", "official", _OFFICIAL,
        "Tỷ lệ hồ sơ trễ hẹn do bước trong tay kéo dài cao hơn thường lệ, trong 12 tháng qua",
        "a high share of dossiers late while they stayed in hand for long, in the last 12 months",
        "H7: “tỷ lệ hồ sơ chậm trễ cao” (S0 3d)", _OWNER, threshold=8, clearly=2.0,
    ),
    HeldSignal(
        "LATE_STEPS_3M_UNIT", "unit", _UNIT,
        "Hồ sơ trễ hẹn có bước tại đơn vị lâu hơn thường lệ, trong 3 tháng qua",
        "late dossiers with a step in the unit that took longer than usual, in the last 3 months",
        _H6, _OWNER, threshold=10, days=91, clearly=1.5,
    ),
    HeldSignal(
        "LATE_STEPS_6M_UNIT", "unit", _UNIT,
        "Hồ sơ trễ hẹn có bước tại đơn vị lâu hơn thường lệ, trong 6 tháng qua",
        "late dossiers with a step in the unit that took longer than usual, in the last 6 months",
        _H6, _OWNER, threshold=15, days=182, clearly=1.5,
    ),
    HeldSignal(
        "BACKLOG_HELD", "official",
        """SELECT official_id AS key, unit_code, procedure_code, as_of AS chance_at, coalesce(long, false) AS hit
           FROM stay WHERE handed_at IS NULL""",
        "Hồ sơ đang nằm trong tay lâu hơn thường lệ của bước đó",
        "dossiers in hand now for longer than the step usually takes",
        "H21: “hồ sơ … còn tồn đọng” (S3 5a)", _OWNER, threshold=5,
    ),
    HeldSignal(
        "BACKLOG", "unit",
        """SELECT d.unit_code AS key, d.unit_code, d.procedure_code, d.as_of AS chance_at,
                  s.taken_w > 2 * (s.first_w - d.received_w) AS hit
           FROM dossier_now d JOIN standing s ON s.case_no = d.case_no
           WHERE s.is_open AND s.paused_since IS NULL AND s.first_w > d.received_w""",
        "Hồ sơ đang giải quyết đã quá hai lần thời hạn đã hẹn",
        "open dossiers older than twice their promised term",
        "H21: “giải quyết hồ sơ … còn tồn đọng” (S3 5a)", _OWNER, threshold=5,
    ),
)  # fmt: skip
