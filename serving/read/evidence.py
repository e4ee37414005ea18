"""The evidence pack: from a figure about an official, unit, procedure or sector to the dossiers and acts behind it.

Every number is a count over `features.signals.acts`; the comparison says what others in the same post made of the same
procedures; the questions are made of these very facts, ask openly, and accuse nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean
from typing import Any, Literal

import duckdb
import pyarrow as pa

from features.calendar.working_time import HOURS_A_DAY
from features.signals import DOSSIER_SIGNALS
from features.signals.handled import CHARGED
from serving.language import LazyText as lazy
from serving.language import chosen
from serving.language import gettext as _

Subject = Literal["official", "unit", "procedure", "sector"]
COLUMN: Mapping[str, str] = {
    "official": "official_id", "unit": "unit_code", "procedure": "procedure_code", "sector": "sector_code",
}  # fmt: skip
FAMILY_VI = {
    "papers": lazy("yêu cầu bổ sung giấy tờ"),
    "clock": lazy("đổi hạn trả, tạm dừng, thời điểm kết thúc"),
    "evasion": lazy("chuyển qua lại, lấy ý kiến ít khi cần"),
    "returns": lazy("trả lại, rút rồi nộp lại"),
    "agents": lazy("nhanh hơn hẳn khi có người đại diện"),
}
_RULES = {signal.name: signal for signal in DOSSIER_SIGNALS}
SIGNAL = "signal:"
_PAPER = lazy(
    "bị yêu cầu “{}”, không có trong thành phần hồ sơ đã công bố: căn cứ nào, ai yêu cầu, sao không yêu cầu một lần?"
)
_SIGNAL = lazy("có dấu hiệu “{}”: mỗi hồ sơ diễn ra thế nào, lý do là gì và ai quyết định, giấy tờ nào chứng minh?")
_DOUBT = lazy(
    "có thao tác ghi dưới tài khoản của người không giữ hồ sơ: ai đã thao tác, tài khoản được giao, cho mượn hay dùng"
    " chung?"
)
_SPOKEN = lazy(
    "có phản ánh của người dân: đã xác minh với người phản ánh (không nêu tên tại đơn vị) và trả lời cụ thể chưa?"
)


@dataclass(frozen=True)
class Act:
    """One act, signal or complaint: `act` a kind of event, `signal:<name>` or `complaint`; `vi`: a signal's words.

    All words here are in the language spoken.
    """

    act: str
    happened_at: datetime | None
    account_id: str | None
    detail: str | None
    unlisted: tuple[str, ...]
    days: float | None
    vi: str | None


@dataclass(frozen=True)
class EvidenceDossier:
    """One dossier behind a figure, charged to an official in one family. doubtful: who acted is not clear."""

    dossier_id: str
    official_id: str
    unit_code: str | None
    procedure_code: str | None
    family: str
    doubtful: bool
    acts: tuple[Act, ...]
    official_name: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One procedure in one family: `k` of `n` dossiers here, `peers_k` of `peers_n` of `people` others in that post."""

    family: str
    procedure_code: str | None
    n: int
    k: int
    peers_n: int
    peers_k: int
    people: int


@dataclass(frozen=True)
class UnlistedPaper:
    """A paper that a unit asked for and no published list has: in how many dossiers, at what cost in working days."""

    unit_code: str | None
    paper: str
    dossiers: int
    days: float | None


@dataclass(frozen=True)
class FactQuestion:
    """A question for the field made of counted facts, in the language spoken, and the first dossiers to pull for it."""

    vi: str
    dossiers: tuple[str, ...]


@dataclass(frozen=True)
class EvidencePack:
    """Everything behind the figures of one subject as of one moment. A reason to look, never a finding."""

    as_of: datetime
    subject: str
    key: str
    families: dict[str, int]
    total: int
    comparison: tuple[Comparison, ...]
    papers: tuple[UnlistedPaper, ...]
    questions: tuple[FactQuestion, ...]
    dossiers: tuple[EvidenceDossier, ...]


def pack(
    acts: pa.Table, handled: pa.Table | None, as_of: datetime, subject: Subject, key: str, family: str = "",
    offset: int = 0, size: int = 50,
) -> EvidencePack:  # fmt: skip
    """The pack of a subject. `acts`: the rows of its scope and key; `handled`: of everybody, with `position`.

    `family`: of signals, all where empty. Dossiers from `offset` on, at most `size`; counts are of all.
    """
    grouped: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in acts.to_pylist():
        if family in ("", row["family"]):
            grouped[row["official_id"], row["dossier_id"], row["family"]].append(row)
    charges = [_dossier(rows) for _, rows in sorted(grouped.items())]
    charges.sort(key=lambda one: (one.doubtful, one.dossier_id, one.family))
    counted = {name: len({one.dossier_id for one in charges if one.family == name}) for name in CHARGED}
    return EvidencePack(
        as_of, subject, key, {name: number for name, number in counted.items() if number},
        len({one.dossier_id for one in charges}),
        tuple(_comparison(handled, subject, key, [name for name, number in counted.items() if number])),
        tuple(unlisted_papers(charges)), tuple(_questions(charges)), tuple(charges[offset : offset + size]),
    )  # fmt: skip


def unlisted_papers(charges: Iterable[EvidenceDossier]) -> list[UnlistedPaper]:
    """Which papers on no published list each unit asked for, most dossiers first."""
    found: dict[tuple[str | None, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in charges:
        for act in one.acts:
            for paper in act.unlisted:
                days = found[one.unit_code, paper][one.dossier_id]
                if act.days is not None:
                    days.append(act.days)
    papers = []
    for (unit, paper), dossiers in found.items():
        days = [day for some in dossiers.values() for day in some]
        papers.append(UnlistedPaper(unit, paper, len(dossiers), mean(days) if days else None))
    return sorted(papers, key=lambda one: (-one.dossiers, one.unit_code or "", one.paper))


def _dossier(rows: Sequence[Mapping[str, Any]]) -> EvidenceDossier:
    first = rows[0]
    acts = []
    for row in rows:
        name = row["act"].removeprefix(SIGNAL) if row["act"].startswith(SIGNAL) else None
        days = None if row["hours"] is None else row["hours"] / HOURS_A_DAY
        vi = chosen(_RULES[name].words_vi, _RULES[name].words_en) if name in _RULES else None
        unlisted = tuple(row["unlisted"] or ())
        acts.append(Act(row["act"], row["happened_at"], row["account_id"], row["detail"], unlisted, days, vi))
    return EvidenceDossier(first["dossier_id"], first["official_id"], first["unit_code"], first["procedure_code"],
                           first["family"], first["doubtful"], tuple(acts))  # fmt: skip


def _questions(charges: Sequence[EvidenceDossier]) -> list[FactQuestion]:
    """Questions of the facts, the most frequent first: each paper beyond the list, each signal, acts under others."""
    by_paper: dict[str, dict[str, None]] = defaultdict(dict)
    by_signal: dict[str, dict[str, None]] = defaultdict(dict)
    doubtful: dict[str, None] = {}
    spoken: dict[str, None] = {}
    for one in charges:
        if one.doubtful:
            doubtful[one.dossier_id] = None
        for act in one.acts:
            for paper in act.unlisted:
                by_paper[paper][one.dossier_id] = None
            if act.act == "complaint":
                spoken[one.dossier_id] = None
            elif act.act.startswith(SIGNAL):
                by_signal[act.act.removeprefix(SIGNAL)][one.dossier_id] = None
    questions = [
        (_("{n} hồ sơ {words}").format(n=len(ids), words=_PAPER.format(paper)), ids) for paper, ids in by_paper.items()
    ]
    questions += [
        (
            _("{n} hồ sơ {words}").format(
                n=len(ids), words=_SIGNAL.format(chosen(_RULES[name].words_vi, _RULES[name].words_en).lower())
            ),
            ids,
        )
        for name, ids in by_signal.items()
        if name in _RULES
    ]
    questions.sort(key=lambda one: -len(one[1]))
    questions += [
        (_("{n} hồ sơ {words}").format(n=len(ids), words=words), ids)
        for ids, words in ((doubtful, _DOUBT), (spoken, _SPOKEN))
        if ids
    ]
    return [FactQuestion(vi, tuple(ids)[:10]) for vi, ids in questions]


def _comparison(handled: pa.Table | None, subject: Subject, key: str, families: Sequence[str]) -> list[Comparison]:
    if handled is None or subject == "sector" or not families:
        return []
    mine = f"{COLUMN[subject]} = $key"
    with duckdb.connect() as con:
        con.register("handled", handled)
        comparisons = []
        for family in families:
            if family not in handled.column_names:
                continue
            rows = con.execute(
                f"""
                WITH post AS (SELECT DISTINCT position FROM handled WHERE {mine}),
                     own AS (SELECT procedure_code, count({family}) AS n, count(*) FILTER ({family}) AS k FROM handled
                             WHERE {mine} GROUP BY ALL),
                     others AS (SELECT procedure_code, count({family}) AS n, count(*) FILTER ({family}) AS k,
                                       count(DISTINCT official_id) AS people
                                FROM handled JOIN post USING (position) WHERE NOT coalesce({mine}, false) GROUP BY ALL)
                SELECT o.procedure_code, o.n, o.k, coalesce(p.n, 0), coalesce(p.k, 0), coalesce(p.people, 0)
                FROM own o LEFT JOIN others p ON p.procedure_code IS NOT DISTINCT FROM o.procedure_code
                WHERE o.k > 0 ORDER BY o.k DESC, o.procedure_code LIMIT 20""",
                {"key": key},
            ).fetchall()
            comparisons += [Comparison(family, *row) for row in rows]
    return comparisons
