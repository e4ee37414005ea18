"""Lines of dossiers: by the probability of a finding where a model ships, else by signals, saying that they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import duckdb
import pyarrow as pa

from features.signals.sentences import CAUSES
from features.sources.vietnamese_number import decimal
from models import finding_matrix
from models.conduct import NOT_A_FINDING, ConductLine
from models.reasons import DECLARED, reasons
from models.risk_model import RiskModel, Scores

NO_PROBABILITY = (
    "Chưa đủ phát hiện từ mẫu ngẫu nhiên: xếp theo dấu hiệu, điểm không phải là xác suất",
    "Too few findings in the random share: signals rank, the score is no probability",
)
NOT_BETTER = (
    "Mô hình chưa tốt hơn dấu hiệu trên mẫu ngẫu nhiên: xếp theo dấu hiệu, điểm không phải là xác suất",
    "The model does not beat the signals on the random share: signals rank, the score is no probability",
)


def without_probability(lines: Sequence[ConductLine], ships: str) -> list[ConductLine]:
    """The lines of the signals, each with why it has no probability. `ships`: rule, or signals (too few)."""
    vi, en = NOT_BETTER if ships == "rule" else NO_PROBABILITY
    return [replace(line, reasons_vi=f"{line.reasons_vi} {vi}.", reasons_en=f"{line.reasons_en} {en}.")
            for line in lines]  # fmt: skip


def by_model(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], lines: Sequence[ConductLine], model: RiskModel, as_of: datetime
) -> list[ConductLine]:
    """Every dossier of `ids` by its probability of a finding if pulled by a middling team, highest first.

    `lines`: what the signals say of those that show any; their sentences follow the model's.
    """
    if not len(ids):
        return []
    cases = pa.table({
        "dossier_id": pa.array(list(ids), pa.string()),
        "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC")),
    })  # fmt: skip
    matrix, _ = finding_matrix.build(con, cases)
    scores = model.score(matrix)
    course = _of_course(scores, matrix)
    signals = {line.dossier_id: line for line in lines}
    units, beyond = matrix["unit_code"].to_pylist(), matrix["hands_found_beyond"].to_pylist()
    n, usual = int(model.about["judged"]), float(model.about["rate"])
    order = sorted(range(len(ids)), key=lambda i: (-scores.probability[i], ids[i]))
    ranked = []
    for rank, i in enumerate(order, start=1):
        p = float(scores.probability[i])
        chance_vi = (
            f"{CAUSES['dossier'][0]}: nếu kiểm tra, khả năng có phát hiện {decimal(100 * p)} %"
            f" (hồ sơ rút ngẫu nhiên: {decimal(100 * usual)} %, n = {n})"
        )
        chance_en = (
            f"{CAUSES['dossier'][1]}: if pulled, a finding has a chance of {100 * p:.1f} %"
            f" (dossiers drawn at random: {100 * usual:.1f} %, n = {n})"
        )
        vi, en = [chance_vi], [chance_en]
        if beyond[i] > 0:
            vi.append("Các lần kiểm tra trước, đã trừ mức nghiêm của đoàn, phát hiện nhiều hơn thường lệ ở nơi xử lý")
            en.append("Earlier visits, less the strictness of their teams, found more than usual where it was handled")
        if ids[i] in signals:
            line = signals[ids[i]]
            vi.append(line.reasons_vi.removesuffix(f" {NOT_A_FINDING[0]}.").rstrip("."))
            en.append(line.reasons_en.removesuffix(f" {NOT_A_FINDING[1]}.").rstrip("."))
        elif course[i][0]:
            vi.append(course[i][0])
            en.append(course[i][1])
        ranked.append(ConductLine(None, units[i], ids[i], p, False, n, None, None, rank,
                                f"{'. '.join(vi)}. {NOT_A_FINDING[0]}.", f"{'. '.join(en)}. {NOT_A_FINDING[1]}.",
                                "discovered"))  # fmt: skip
    return ranked


def _of_course(scores: Scores, matrix: pa.Table) -> list[tuple[str, str]]:
    """The strongest sentence about each dossier's course; the signals have sentences of their own."""
    of_course = [nth for nth, name in enumerate(scores.features) if name in DECLARED]
    part = replace(
        scores,
        contributions=scores.contributions[:, of_course],
        features=tuple(scores.features[nth] for nth in of_course),
    )
    return [(found[0].vi, found[0].en) if found else ("", "") for found in reasons(part, matrix, top=1)]
