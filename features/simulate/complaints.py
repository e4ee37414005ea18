"""Who complains, where and about what: rare, unevenly reported, sometimes false, sometimes a flood.

Calibrated on domain.md 1.8: about 9.5 complaints in 10,000 dossiers, 2 of them about staff, half answered in
time. Who is harmed reports with a chance that depends on the channel and the place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.simulate.arrivals import COUNTER, ONLINE, Arrivals
from features.simulate.conduct import EXTRA_PAPERS, TAMPERING, Conduct, Harm
from features.simulate.course import Course
from features.simulate.events import NONE, stamps, words
from features.simulate.worktime import DAY, WORKDAY, Seconds, WorkTime
from features.simulate.world import Ints, World

CHANNELS = ("hotline_1022", "portal", "phone", "box", "press", "front")
TOPICS = ("lateness", "conduct", "extra_papers", "bribe", "procedure", "other")
LATENESS, CONDUCT, EXTRA, BRIBE, PROCEDURE, OTHER = range(6)
VERDICTS = ("pending", "upheld", "rejected", "withdrawn")
PENDING, UPHELD, REJECTED = range(3)
STAFF_TOPICS = (CONDUCT, EXTRA, BRIBE)
TEXTS = {
    LATENESS: ("Hồ sơ {code} quá hẹn đã lâu mà chưa có kết quả, gọi điện không ai trả lời.",
               "Tôi nộp hồ sơ {code}, trễ hẹn nhiều ngày không có thư xin lỗi."),
    CONDUCT: ("Cán bộ giải quyết hồ sơ {code} có thái độ gây khó khăn, bắt đi lại nhiều lần.",
              "Hồ sơ {code}: cán bộ nói năng thiếu tôn trọng người dân."),
    EXTRA: ("Hồ sơ {code} bị yêu cầu nộp thêm giấy tờ không có trong danh mục niêm yết.",
            "Cán bộ đòi bổ sung giấy khác nhau mỗi lần cho hồ sơ {code}."),
    BRIBE: ("Hồ sơ {code} chỉ chạy khi nhờ người quen làm dịch vụ.",
            "Tôi được gợi ý bồi dưỡng để hồ sơ {code} được giải quyết nhanh."),
    PROCEDURE: ("Thủ tục của hồ sơ {code} hướng dẫn chưa rõ, đề nghị giải thích.",
                "Đề nghị hướng dẫn thành phần hồ sơ trực tuyến, hồ sơ {code}."),
    OTHER: ("Góp ý về nơi tiếp nhận hồ sơ {code}.", "Cổng dịch vụ báo lỗi khi nộp hồ sơ {code}."),
}  # fmt: skip


@dataclass
class Complaints:
    """One entry a complaint, in order of filing; `answered` −1: never; `false`: a planted flood."""

    dossier: Ints
    official: Ints
    unit: Ints
    complainant: Ints
    filed: Seconds
    due: Seconds
    answered: Seconds
    channel: Ints
    topic: Ints
    verdict: Ints
    anonymous: np.ndarray
    named: np.ndarray
    linked: np.ndarray
    wording: Ints
    false: np.ndarray

    def __len__(self) -> int:
        return len(self.filed)


def draw_complaints(
    rng: np.random.Generator,
    world: World,
    time: WorkTime,
    a: Arrivals,
    c: Course,
    harm: Harm,
    conduct: Conduct,
) -> Complaints:
    """All complaints of the history, the floods against honest officials included."""
    n = len(a)
    place = rng.lognormal(-0.3, 0.75, len(world.share))[a.unit]
    reach = np.select([a.channel == COUNTER, a.channel == ONLINE], [0.8, 1.3], 0.6)
    hurt = (harm.kind >= 0) & (harm.kind != TAMPERING)
    staff = rng.random(n) < place * reach * np.where(hurt, 0.016, 0.00005)
    plain = ~staff & (rng.random(n) < place * (0.00035 + 0.0025 * c.late))
    about_staff = np.where(
        harm.kind == EXTRA_PAPERS, EXTRA, rng.choice([CONDUCT, EXTRA, BRIBE], n, p=[0.6, 0.15, 0.25])
    )
    about = np.where(c.late & (rng.random(n) < 0.8), LATENESS, rng.choice([PROCEDURE, OTHER], n, p=[0.8, 0.2]))
    rows = np.flatnonzero(staff | plain)
    topic = np.where(staff, about_staff, about)[rows]
    late_call = time.wall(np.maximum(c.due, c.started)[rows] + rng.exponential(8 * 3600, len(rows)))
    inside = time.wall(c.started[rows] + rng.random(len(rows)) * (c.ended - c.started)[rows])
    filed = np.where(topic == LATENESS, late_call, inside) + (rng.exponential(2.0, len(rows)) * DAY).astype(np.int64)
    truth = np.where(topic == LATENESS, c.late[rows], np.where(staff[rows], hurt[rows], rng.random(len(rows)) < 0.5))
    flood = _floods(rng, a, conduct)
    rows = np.concatenate([rows, flood[0]])
    filed = np.concatenate([filed, flood[1]])
    topic = np.concatenate([topic, rng.choice(STAFF_TOPICS, len(flood[0]))])
    false = np.repeat([False, True], [len(truth), len(flood[0])])
    truth = np.concatenate([truth, np.zeros(len(flood[0]), bool)])
    complainant = np.where(false, np.concatenate([np.zeros(len(rows) - len(flood[2]), np.int64), flood[2]]), NONE)
    order = np.argsort(filed, kind="stable")
    return _finish(
        rng, time, a, rows[order], filed[order], topic[order], truth[order], false[order], complainant[order]
    )


def _floods(rng: np.random.Generator, a: Arrivals, conduct: Conduct) -> tuple[Ints, Seconds, Ints]:
    """Dossier, moment and person of the false complaints: up to 250 an official, by one to five persons."""
    rows, moments, persons = [], [], []
    for k, official in enumerate(np.flatnonzero(conduct.flooded)):
        theirs = np.flatnonzero(a.specialist == official)
        count = min(int(rng.integers(40, 251)), len(theirs))
        if count == 0:
            continue
        begin = a.received[rng.choice(theirs)]
        rows.append(rng.choice(theirs, count))
        moments.append(begin + (rng.random(count) * 60 * DAY).astype(np.int64))
        persons.append(9_000_000 + 10 * k + rng.integers(0, rng.integers(1, 6), count))
    if not rows:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    return np.concatenate(rows), np.concatenate(moments), np.concatenate(persons)


def _finish(
    rng: np.random.Generator,
    time: WorkTime,
    a: Arrivals,
    rows: Ints,
    filed: Seconds,
    topic: Ints,
    truth: np.ndarray,
    false: np.ndarray,
    complainant: Ints,
) -> Complaints:
    """Who is named, when the answer is due, whether it comes, and what it says."""  # fmt: skip
    n = len(rows)
    due = time.wall(time.work(filed) + 15 * WORKDAY)
    days = np.where(rng.random(n) < 0.52, rng.uniform(2, 15, n), rng.uniform(16, 60, n)) * WORKDAY
    answers = rng.random(n) < 0.85
    answered = np.where(answers, np.maximum(time.wall(time.work(filed) + days), filed + 3600), NONE)
    right = rng.random(n) < np.where(truth, 0.55, 0.04)
    verdict = np.where(answers, np.where(right, UPHELD, REJECTED), PENDING)
    staff = np.isin(topic, STAFF_TOPICS)
    anonymous = rng.random(n) < np.where(staff, 0.35, 0.12)
    person = np.where(complainant == NONE, a.applicant[rows], complainant)
    return Complaints(
        rows, a.specialist[rows], a.unit[rows], person, filed, due, answered,
        rng.choice(len(CHANNELS), n, p=[0.42, 0.35, 0.12, 0.06, 0.02, 0.03]), topic, verdict, anonymous,
        staff & (false | (rng.random(n) < 0.45)), rng.random(n) < np.where(false, 0.3, 0.6),
        rng.integers(0, 2, n), false,
    )  # fmt: skip


def complaint_tables(
    q: Complaints, world: World, dossier_id: list[str], shown: Ints, end: int
) -> tuple[pa.Table, pa.Table]:
    """Canonical `complaint` and its truth (complaint_id, dossier_id, official_id, false).

    `shown[dossier]` is the row of `dossier_id` or −1. A complaint is known when filed; its answer is a
    second row of the same id, known when given.
    """
    recorded = np.flatnonzero((shown[q.dossier] >= 0) & (q.filed < end))
    identity = [f"PA-{k:06d}" for k in range(len(recorded))]
    answered = recorded[(q.answered[recorded] >= 0) & (q.answered[recorded] < end)]
    position = np.full(len(q), NONE)
    position[recorded] = np.arange(len(recorded))
    rows = np.concatenate([recorded, answered])
    answer = np.repeat([False, True], [len(recorded), len(answered)])
    codes = np.where(q.linked[rows], shown[q.dossier[rows]], NONE)
    text = [
        TEXTS[t][w].format(code=dossier_id[d] if d >= 0 else "của tôi")
        for t, w, d in zip(q.topic[rows].tolist(), q.wording[rows].tolist(), codes.tolist(), strict=True)
    ]
    table = pa.table({
        "complaint_id": words(position[rows], identity),
        "filed_at": stamps(q.filed[rows]),
        "known_at": stamps(np.where(answer, q.answered[rows], q.filed[rows])),
        "complainant_id": pa.array(
            [
                None if hidden else f"A{person:07d}"
                for person, hidden in zip(q.complainant[rows], q.anonymous[rows], strict=True)
            ],
            pa.string(),
        ),
        "channel": words(q.channel[rows], CHANNELS),
        "topic": words(q.topic[rows], TOPICS),
        "dossier_id": words(codes, dossier_id),
        "official_id": words(np.where(q.named[rows], q.official[rows], NONE), world.official_id),
        "unit_code": words(q.unit[rows], world.unit_code),
        "anonymous": q.anonymous[rows],
        "due_at": stamps(q.due[rows]),
        "answered_at": stamps(np.where(answer, q.answered[rows], NONE)),
        "verdict": words(np.where(answer, q.verdict[rows], PENDING), VERDICTS),
        "verdict_at": stamps(np.where(answer, q.answered[rows], NONE)),
        "text": text,
    })  # fmt: skip
    truth = pa.table({
        "complaint_id": identity,
        "dossier_id": words(shown[q.dossier[recorded]], dossier_id),
        "official_id": words(q.official[recorded], world.official_id),
        "false": q.false[recorded],
    })  # fmt: skip
    return table, truth
