"""A small province for page tests: a record, a scored list over it, and its settings."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from features.record.delivery import Chunk
from features.record.record import Record
from serving.plan.plan_input import PlanInput, Pull, Source, UnitBrief
from serving.plan.rules import Rules, Team
from serving.plan.store import PlanStore
from serving.scoring.score_files import SCHEMA, ListMeta, write_scores
from serving.settings import Settings
from tests.drawn_scores import remaining

AS_OF = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
UNITS = [
    ("tinh", "Ủy ban nhân dân tỉnh", None, "province"),
    ("x1", "Phường Sông Hồng", "tinh", "commune"),
    ("x2", "Xã Đồng Tâm", "tinh", "commune"),
    ("x3", "Xã Núi Thành", "tinh", "commune"),
    ("x1.1", "Tổ một cửa Phường Sông Hồng", "x1", "other"),
]
SECTORS = [("DD", "Đất đai"), ("XD", "Xây dựng"), ("HT", "Hộ tịch")]
PROCEDURES = [
    ("1.001000", "Đăng ký biến động quyền sử dụng đất", "DD", 10.0),
    ("1.002000", "Cấp giấy phép xây dựng nhà ở riêng lẻ", "XD", 15.0),
    ("1.003000", "Đăng ký khai sinh", "HT", 1.0),
]
OPEN = 90
CLOSED = 240
VI = (
    "Hồ sơ đã dùng 92 % thời gian được hẹn, góp phần làm tăng nguy cơ",
    "Người giữ hồ sơ đang giữ 43 hồ sơ, gấp 2,1 lần thường lệ của đơn vị",
    "Hồ sơ ở bước Thẩm định 6,5 ngày; thường lệ 2,0 ngày",
)
EN = (
    "92 % of the promised time is used",
    "The holder has 43 dossiers, 2.1 times the usual",
    "6.5 days in this step",
)


def settings_of(home: Path) -> Settings:
    return Settings(
        home=home,
        record_url=str(home / "record"),
        database_url=f"sqlite:///{home / 'state.db'}",
        mlflow_url="",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
    )


def draw_office(home: Path, *, dossiers: int = OPEN) -> Settings:
    """Writes record and scores of the office under `home`; the unit of dossier n is x1, x2.

    X3 or x1.1 in turn.
    """
    settings = settings_of(home)
    rng = np.random.default_rng(7)
    rows: list[dict[str, object]] = []
    events: list[dict[str, object]] = []
    for number in range(dossiers + CLOSED):
        closed = number >= dossiers
        received = AS_OF - timedelta(days=int(rng.integers(40, 300) if closed else rng.integers(1, 20)))
        key = dossier_id(number)
        unit = unit_of(number)
        due = received + timedelta(days=12)
        rows.append(
            {
                "dossier_id": key,
                "procedure_code": PROCEDURES[number % 3][0],
                "unit_code": unit,
                "channel": "online",
                "applicant_id": "c-secret",
                "applicant_kind": "citizen",
                "received_at": received,
                "due_at": due,
            }
        )
        course = [
            ("received", 0.0, None),
            ("assigned", 4.0, "Thẩm định"),
            ("papers_requested", 30.0, "Thẩm định"),
            ("papers_supplied", 70.0, "Thẩm định"),
            ("forwarded", 90.0, "Ký duyệt"),
        ]
        if closed:
            course.append(("decided", float(rng.integers(100, 400)), None))
        for kind, hours, step in course:
            at = received + timedelta(hours=hours)
            if at < AS_OF:
                events.append(
                    {
                        "dossier_id": key,
                        "kind": kind,
                        "happened_at": at,
                        "official_id": official_of(number),
                        "unit_code": unit,
                        "step": step,
                        "papers": "Bản vẽ; Đơn đề nghị" if "papers" in kind else None,
                    }
                )
    chunks = [
        Chunk(
            "unit",
            [dict(zip(("unit_code", "unit_name", "parent_code", "level"), row, strict=True)) for row in UNITS],
            [],
        ),
        Chunk("sector", [dict(zip(("sector_code", "sector_name"), row, strict=True)) for row in SECTORS], []),
        Chunk(
            "procedure",
            [
                dict(
                    zip(
                        ("procedure_code", "procedure_name", "sector_code", "legal_working_days"),
                        row,
                        strict=True,
                    )
                )
                for row in PROCEDURES
            ],
            [],
        ),
        Chunk("official", [{"official_id": f"o{n}", "unit_code": unit_of(n)} for n in range(1, 9)], []),
        Chunk("dossier", rows, []),
        Chunk("event", events, []),
    ]
    Record(settings.record_url).append(chunks, source="canonical", arrived_at=AS_OF)
    store_scores(settings, rows[:dossiers])
    return settings


def rows_of(dossiers: int) -> list[dict[str, object]]:
    """The rows of the open dossiers, as `store_scores` wants them; their promises lie around AS_OF."""
    return [
        {
            "dossier_id": dossier_id(number),
            "procedure_code": PROCEDURES[number % 3][0],
            "unit_code": unit_of(number),
            "received_at": AS_OF - timedelta(days=10),
            "due_at": AS_OF + timedelta(days=2),
        }
        for number in range(dossiers)
    ]


def seal_plan(settings: Settings) -> str:
    """Seals a plan for March 2026 over the office's units; its visits begin on 2 March."""
    units = tuple(
        UnitBrief(
            code,
            name,
            2.0,
            0.8,
            None,
            None,
            False,
            tuple(
                Pull(dossier_id(n), official_of(n), round(0.9 - n / 100, 4), ("share_of_term",))
                for n in range(OPEN)
                if unit_of(n) == code
            ),
        )
        for code, name, _, _ in UNITS
        if code != "tinh"
    )
    days = tuple(day for day in (date(2026, 3, 2) + timedelta(n) for n in range(30)) if day.weekday() < 5)
    source = Source("lateness", AS_OF.isoformat(), "20260302-1", "ab", "cd", 1, "ef")
    teams = (
        Team("snv", "home_affairs", units=(), visits_a_day=2, days_a_month=4),
        Team("tt-1", "centre", units=(), visits_a_day=2, days_a_month=4),
    )
    rules = Rules(teams=teams, high_risk_visits=1, surprise=0.0)  # both of the two units are visited
    brief = PlanInput("2026-03", "Asia/Ho_Chi_Minh", days, units, rules, source)
    store = PlanStore(settings.home / "plans", settings.keys)
    plan_id, _ = store.commit("2026-03", AS_OF, seed="a seed for tests")
    store.seal(plan_id, brief, AS_OF)
    return plan_id


def dossier_id(number: int) -> str:
    return f"H99.13-260914-{number:04d}"


def unit_of(number: int) -> str:
    return ("x1", "x2", "x3", "x1.1")[number % 4]


def official_of(number: int) -> str:
    return f"o{1 + number % 8}"


def store_scores(
    settings: Settings, rows: list[dict[str, object]], as_of: datetime = AS_OF, shift: float = 0.0
) -> None:
    n = len(rows)
    score = np.clip(np.linspace(0.93, 0.02, n) + shift, 0.001, 0.999)
    log_odds = np.log(score / (1 - score))
    reasons = [
        {"code": code, "effect": effect, "value": value, "usual": usual, "n": 120, "vi": vi, "en": en}
        for code, effect, value, usual, vi, en in zip(
            ("promise_used", "holder_queue", "step_age"),
            (0.9, 0.5, -0.3),
            ("92 %", "43", "6,5"),
            ("50 %", "20", "2,0"),
            VI,
            EN,
            strict=True,
        )
    ]
    left = np.linspace(-30, 90, n)
    table = pa.table(
        {
            "dossier_id": [row["dossier_id"] for row in rows],
            "unit_code": [row["unit_code"] for row in rows],
            "official_id": [official_of(number) for number in range(n)],
            "procedure_code": [row["procedure_code"] for row in rows],
            "sector_code": [PROCEDURES[number % 3][2] for number in range(n)],
            "as_of": [as_of] * n,
            "score": score,
            "log_odds": log_odds,
            "base": np.full(n, -1.8),
            "rank": np.arange(1, n + 1),
            "left_hours": left,
            "due_at": [row["due_at"] for row in rows],
            "received_at": [row["received_at"] for row in rows],
            "step": ["Thẩm định"] * n,
            "reasons": [reasons] * n,
            "phase": ["running"] * n,
            "remaining": [remaining(hours) for hours in left],
            "score_low": np.where(np.arange(n) % 7 == 3, score * 0.6, score * 0.95),
            "score_high": np.where(np.arange(n) % 7 == 3, 0.5 + score / 2, score * 0.95 + 0.05),
        }
    ).cast(SCHEMA)
    write_scores(settings.scores, table, ListMeta("lateness", as_of, "20260302-1", "ab" * 32, 1, "cd" * 32, n))
