"""The target conduct: where signals say to look, by official, unit and dossier, in the words that a reader sees.

Tiers are never mixed and every line names its own. `signal`: rules that fire on the record, against peers.
`reported`: the yearly forecast of complaints, for records that hold complaints and no dossiers. A line is a
reason to look; no line is a probability that somebody did wrong, and each says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa

from features.complaints import history as complaint_history
from features.signals.conduct_year import ConductYear
from features.signals.directives import basis_vi
from features.signals.sentences import CAUSES, dossier_sentence
from features.sources.vietnamese_number import decimal
from features.spelling.names import is_desk
from models.conduct_peers import PeerComparison
from models.excess import RATIO
from models.official_forecast import OfficialForecast
from models.rarity import Usual

GRAINS = ("official", "unit", "dossier")

_FAMILY_WORDS = {
    "papers": ("yêu cầu bổ sung giấy tờ", "requests for papers"),
    "clock": ("thay đổi hạn trả, tạm dừng hoặc thời điểm kết thúc", "changes to the promise, pauses or the end"),
    "evasion": ("chuyển qua lại, lấy ý kiến ít khi cần", "handing to and fro and unusual consultation"),
    "returns": ("trả lại, rút rồi nộp lại", "returns, and withdrawal before a new submission"),
    "agents": (
        "giải quyết nhanh gấp đôi khi có người đại diện",
        "taking less than half the own usual time once there is an agent",
    ),
}
_FAMILY_SOURCE = {
    "papers": "H1, H5 (S0 1a, S2)",
    "clock": "H2 (S0 1a); T1, T8, domain.md 1.9",
    "evasion": "H14, H15 (S4 1d)",
    "returns": "H3, H4 (S0 2b, S4 1đ)",
    "agents": "H17 (S1 1d); domain.md 4.3",
}
"""Directives and traps that the signals of a family rest on; each signal names its own sentence."""
_PEERS = {
    "official": ("người cùng vị trí làm cùng thủ tục", "people in the same post with the same procedures"),
    "unit": ("đơn vị khác làm cùng thủ tục", "other units with the same procedures"),
}
NOT_A_FINDING = ("Dấu hiệu cần kiểm tra, không phải kết luận", "A reason to look, not a finding")
_NOT_ENOUGH = ("Chưa đủ dữ liệu: dưới 20 hồ sơ", "Not enough data: fewer than 20 dossiers")
_TOO_FEW_VOICES = ("Chưa đủ dữ liệu: dưới 3 người phản ánh", "Not enough data: fewer than 3 people complained")
FEWEST_COMPLAINANTS = 3
"""People whose complaints a figure about an official rests on at the least."""


@dataclass(frozen=True)
class ConductLine:
    """One line of a conduct list: the row of the file, the JSON and the page.

    `score`: official and unit: share of those with the same work whom chance makes stand out less (tier `signal`), or
    the forecast (tier `reported`); dossier: the probability of a finding if pulled (tier `discovered`), or how unusual
    its signals are among its peers, in [0, 1). None: not enough data.
    `low`, `high`: 95 % interval of the ratio to peers, where there is one. `n`: dossiers it rests on. `family`: of
    signals, in which it stands out most; `observed`: dossiers with such signals, `expected`: what peers would have.
    """

    official_id: str | None
    unit_code: str | None
    dossier_id: str | None
    score: float | None
    flag: bool
    n: int
    low: float | None
    high: float | None
    rank: int
    reasons_vi: str
    reasons_en: str
    tier: str
    family: str | None = None
    observed: int | None = None
    expected: float | None = None


def against_peers(standings: Sequence[PeerComparison], grain: str) -> list[ConductLine]:
    """Lines of officials or units (`grain`) from how they stand against their peers."""
    lines = []
    persons = [one for one in standings if grain != "official" or not is_desk(one.key)]
    for rank, one in enumerate(persons, start=1):
        if one.score is None:
            vi, en = _NOT_ENOUGH
        else:
            vi, en = _sentence(one, grain)
        official = one.key if grain == "official" else None
        lines.append(
            ConductLine(official, one.unit_code or None, None, one.score, one.flag, one.n,
                        one.low if one.score is not None else None, one.high if one.score is not None else None,
                        rank, vi, en, "signal", one.family, one.observed if one.score is not None else None,
                        one.expected if one.score is not None else None)
        )  # fmt: skip
    return lines


def dossiers(con: duckdb.DuckDBPyConnection, ids: Sequence[str], year: ConductYear) -> list[ConductLine]:
    """Lines of the dossiers `ids` that show a signal of `year` at its moment, the most unusual first.

    A signal counts as usual or not among the dossiers handled in the year, by procedure. The score is one
    less the product of the peers' rates of the signals shown, as if these were independent: an order, no probability.
    """
    peers = list(dict.fromkeys(year.handled["dossier_id"].to_pylist()))
    open_ones = set(ids)
    shown = year.of_dossiers(con, pa.array(list(open_ones.union(peers)), pa.string()))
    about = {
        key: (procedure or "", unit)
        for key, procedure, unit in con.sql(
            "SELECT dossier_id, arg_max(procedure_code, (known_at, row_id)), arg_max(unit_code, (known_at, row_id))"
            " FROM dossier GROUP BY dossier_id"
        ).fetchall()
    }
    number = {key: nth for nth, key in enumerate(peers)}
    signals = list(zip(*(shown[name].to_pylist() for name in ("dossier_id", "signal", "value")), strict=True))
    of_peers = [(number[key], name) for key, name, _ in signals if key in number]
    usual = Usual.of([about[key][0] for key in number], [row for row, _ in of_peers], [name for _, name in of_peers])
    found: dict[str, list[tuple[float, str, float]]] = {}
    for key, name, value in signals:
        if key in open_ones:
            found.setdefault(key, []).append((usual.rate(about[key][0], name), name, value))
    scored = sorted(((1 - float(np.prod([rate for rate, _, _ in rated])), key) for key, rated in found.items()),
                    key=lambda one: (-one[0], one[1]))  # fmt: skip
    lines = []
    for rank, (score, key) in enumerate(scored, start=1):
        procedure, unit_code = about[key]
        n = usual.sizes.get(procedure, 0)
        sentences = [dossier_sentence(name, value, rate, n) for rate, name, value in sorted(found[key])[:3]]
        vi, en = map(". ".join, zip(*sentences, strict=True))
        lines.append(ConductLine(None, unit_code, key, score, False, n, None, None, rank,
                                 f"{vi}. {NOT_A_FINDING[0]}.", f"{en}. {NOT_A_FINDING[1]}.", "signal"))  # fmt: skip
    return lines


def forecast(con: duckdb.DuckDBPyConnection, model: OfficialForecast, as_of: datetime) -> list[ConductLine]:
    """Lines of everybody in post at `as_of` by the yearly forecast of a tier, highest first; `n` people complained.

    Whoever fewer than three people complained of gets no figure and no order.
    """
    history = complaint_history.build(con, [as_of])
    score = model.score(history)
    reported, peers = history["reported_365d"].to_pylist(), history["unit_reported_365d"].to_pylist()
    ids, where = history["official_id"].to_pylist(), history["unit_code"].to_pylist()
    voices = complaint_history.complainants(con, as_of)
    enough = [voices.get(key, 0) >= FEWEST_COMPLAINANTS for key in ids]
    persons = [i for i in range(len(ids)) if not is_desk(ids[i])]
    order = sorted(persons, key=lambda i: (not enough[i], -score[i] if enough[i] else 0.0, ids[i]))
    lines = []
    for rank, i in enumerate(order, start=1):
        vi, en = _TOO_FEW_VOICES
        if enough[i]:
            vi = f"{int(reported[i])} người phản ánh trong 12 tháng qua; bình quân đơn vị {decimal(peers[i], 2)}"
            en = f"{int(reported[i])} people complained within 12 months; mean of the unit {peers[i]:.2f}"
        vi, en = f"{vi}. {NOT_A_FINDING[0]}.", f"{en}. {NOT_A_FINDING[1]}."
        figure = float(score[i]) if enough[i] else None
        lines.append(
            ConductLine(
                ids[i], where[i], None, figure, False, voices.get(ids[i], 0), None, None, rank, vi, en, model.tier
            )
        )
    return lines


def _sentence(one: PeerComparison, grain: str) -> tuple[str, str]:
    said_vi, said_en = _FAMILY_WORDS[one.family]
    source = _FAMILY_SOURCE[one.family]
    peers_vi, peers_en = _PEERS[grain]
    whose_vi, whose_en = CAUSES[grain]
    vi = (
        f"{whose_vi}: {one.observed} trong n = {one.n} hồ sơ có dấu hiệu về {said_vi};"
        f" {peers_vi} thường có {decimal(one.expected, 1)} (gấp {decimal(one.ratio, 1)} lần,"
        f" khoảng 95 %: {decimal(one.low, 1)}–{decimal(one.high, 1)};"
        f" khả năng gấp hơn {decimal(RATIO, 1)} lần: {_chance(one.above)})."
        f" Căn cứ: {basis_vi(source)}. {NOT_A_FINDING[0]}."
    )
    en = (
        f"{whose_en}: {one.observed} of n = {one.n} dossiers show signals of {said_en};"
        f" {peers_en} would have {one.expected:.1f} (ratio {one.ratio:.1f},"
        f" 95 % interval {one.low:.1f} to {one.high:.1f}; probability of more than {RATIO:.1f}: {_chance(one.above)})."
        f" Source: {source}. {NOT_A_FINDING[1]}."
    )
    return vi, en


def _chance(share: float) -> str:
    return "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"
