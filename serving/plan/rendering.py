"""What a plan looks like on paper and at the terminal: visits, sheets, prices, value. Vietnamese first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from features.sources.vietnamese_number import decimal
from models.value import Estimate
from serving.plan.outcome import Outcome
from serving.plan.sheet import questions

BY = {
    "own_head": ("Thủ trưởng đơn vị tự kiểm tra", "own head"),
    "home_affairs": ("Đoàn Sở Nội vụ", "Home Affairs"),
    "centre": ("Đoàn Trung tâm", "Centre"),
}
CHOSEN = {
    "pick": ("người kiểm tra chọn", "picked by an inspector"),
    "score": ("theo mức rủi ro", "by risk"),
    "draw": ("bốc ngẫu nhiên", "drawn"),
    "periodic": ("định kỳ hằng tháng", "monthly"),
}


def visit_lines(visits: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a visit: hour, who, unit, why it was chosen."""
    lines = []
    for visit in visits:
        at = datetime.fromisoformat(visit["at"]).strftime("%d/%m/%Y %H:%M")
        who = BY[visit["by"]][0] + (f" {visit['team_id']}" if visit["team_id"] else "")
        chosen = f"{CHOSEN[visit['chosen_by']][0]}, xác suất {decimal(visit['probability'], 3)}"
        lines.append(f"{at}  {visit['unit_code']}  {who}  ({chosen})  [{visit['visit_id']}]")
    return lines


def sheet_lines(visit: Mapping[str, Any]) -> list[str]:
    """The sheet of one visit: each dossier to pull with its chance, questions and what to look at."""
    lines = [*visit_lines([visit]), "Hồ sơ cần rút / dossiers to pull:"]
    for place, line in enumerate(visit["sheet"], 1):
        chosen = CHOSEN[line["chosen_by"]]
        chance = decimal(line["probability"], 3)
        lines.append(f"{place:2d}. {line['dossier_id']}  {chosen[0]} / {chosen[1]}, p = {chance}")
        for one in questions(() if line["chosen_by"] == "draw" else line["reasons"]):
            lines.append(f"      – {one.vi} Xem: {one.look_vi}.")
            lines.append(f"        {one.en} Look at: {one.look_en}.")
    return [*lines, "Điểm rủi ro chỉ gợi ý thứ tự kiểm tra; không phải kết luận vi phạm."]


def price_lines(plan: Mapping[str, Any]) -> list[str]:
    """What the plan expects beside other policies, and what each rule costs, in expected findings."""
    lines = [f"Kỳ vọng / expected: {decimal(plan['expected'], 2)} phát hiện trong các cuộc của đoàn"]
    for price in plan["prices"]:
        cost = "" if price["cost"] is None else f"; giá / cost {decimal(price['cost'], 2)}"
        lines.append(f"  {price['vi']} / {price['en']}: {decimal(price['findings'], 2)}{cost}")
    if plan.get("guessable") is not None:
        lines.append(
            "Người biết mọi xác suất đoán trúng nhiều nhất / guessable at most by who knows all chances, AUC: "
            f"{decimal(plan['guessable'], 2)}"
        )
    return lines


def value_lines(found: Outcome) -> list[str]:
    """What the visits have found so far, as estimates of the whole, with intervals."""
    loop = found.loop
    low, high = (decimal(100 * bound, 1) for bound in found.bounds)
    lines = [
        f"Đã có kết quả / reported: {found.visits} cuộc, {found.pulled} hồ sơ, {found.found} có phát hiện",
        f"Tỷ lệ chung, Hajek: {_estimate(found.hajek)}",
        f"Tỷ lệ chung, doubly robust: {_estimate(found.robust)}",
        f"Phần ngẫu nhiên / random share: {_estimate(found.random_share)}",
        f"Biên khi lựa chọn lệch gấp đôi / bounds, odds off by 2: {low}–{high} %",
        f"Rút theo rủi ro / by risk: {_rate(loop.targeted)}; ngẫu nhiên / drawn: {_rate(loop.random)}",
    ]
    if loop.repeats is not None:
        lines.append(f"Lặp lại danh sách trước / repeats: {decimal(100 * loop.repeats, 0)} %")
    lines.append(f"Chưa từng kiểm tra / never visited: {len(loop.never)} đơn vị")
    if loop.guessable is not None:
        lines.append(f"Khả năng bị đoán trước / guessable, AUC: {decimal(loop.guessable, 2)} (mục tiêu ≤ 0,75)")
    return lines


def _estimate(one: Estimate) -> str:
    if one.n < 2:
        return f"chưa đủ dữ liệu / not enough data (n = {one.n})"
    low, high = max(one.low, 0.0), min(one.high, 1.0)
    shown = [decimal(100 * value, 1) for value in (one.value, low, high)]
    return f"{shown[0]} % ({shown[1]}–{shown[2]} %), n = {one.n}"


def _rate(one: Any) -> str:
    if not one.n:
        return "chưa có / none yet"
    shown = [decimal(100 * value, 1) for value in (one.rate, one.low, one.high)]
    return f"{shown[0]} % ({shown[1]}–{shown[2]} %), n = {one.n}"
