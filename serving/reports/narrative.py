"""A first draft of a report's text, each sentence made of figures of the same report; people write the final one.

What rose and what fell against the period before, where late dossiers gather by unit, step and accepted cause, and what
follows from that for the month to come. Templates with numbers alone; no model of language has a hand in it.
"""

from collections import Counter
from collections.abc import Callable

from serving.read.caseload import Case
from serving.reports.dossiers import Keys, late_share
from serving.reports.report import Draft
from serving.reports.report_context import ReportContext

MOST_NAMED = 3
"""Units, steps or causes that one sentence names."""


def add_narrative(draft: Draft, basis: ReportContext, keys: Keys) -> None:
    """Sentences on what came and went, on causes, and proposals."""
    load = basis.caseload
    value = {one.en: one for one in draft.figures}
    received, ended, late = value["received"], value["ended"], value["of these late"]
    draft.say(
        "results",
        f"Trong {basis.period.words}, tiếp nhận {received.value} hồ sơ{_against(received.value, received.before)}; "
        f"giải quyết xong {ended.value} hồ sơ{_against(ended.value, ended.before)}.",
        keys.received,
    )
    share, low, high = late_share(load.ended)
    of_share = "" if share is None else f", chiếm {_n(share)} % (khoảng tin cậy 95 %: {_n(low)}–{_n(high)} %)"
    draft.say("results", f"Có {late.value} hồ sơ trễ hẹn{of_share}{_against(late.value, late.before)}.", keys.late)
    draft.say(
        "results",
        f"Cuối kỳ còn {len(load.open)} hồ sơ đang giải quyết, trong đó {len(load.overdue)} hồ sơ đã quá hạn.",
        keys.overdue,
    )  # fmt: skip
    behind = [*load.ended_late, *load.overdue]
    many = len({case.unit_code for case in load.cases}) > 1
    if many:
        _gather(draft, keys, behind, "theo đơn vị", lambda case: basis.register.unit(case.unit_code))
    _gather(draft, keys, behind, "theo bước xử lý", lambda case: case.step or "chưa rõ bước")
    waited = [case.other_hours for case in behind if case.other_hours > 0]
    if waited:
        draft.say(
            "causes",
            f"{len(waited)} trong {len(behind)} hồ sơ trễ, quá hạn có thời gian chờ cơ quan phối hợp, bình quân "
            f"{_n(round(sum(waited) / len(waited), 1))} giờ làm việc mỗi hồ sơ.",
            keys.late,
        )
    if load.overdue:
        draft.say(
            "proposals",
            f"Giải quyết dứt điểm {len(load.overdue)} hồ sơ đã quá hạn; gửi văn bản xin lỗi, hẹn lại ngày trả kết quả "
            "đối với hồ sơ chưa gửi.",
            keys.overdue,
        )  # fmt: skip
    units = Counter(case.unit_code for case in behind).most_common(MOST_NAMED)
    if units and not many:
        words = "Rà soát nguyên nhân trễ hẹn ở từng bước, phân công lại việc quá hạn và báo cáo biện pháp khắc phục."
        draft.say("proposals", words, keys.late)
    elif units:
        named = ", ".join(basis.register.unit(code) for code, _ in units)
        draft.say(
            "proposals", f"Đề nghị {named} rà soát nguyên nhân trễ hẹn và báo cáo biện pháp khắc phục.", keys.late
        )


def _gather(draft: Draft, keys: Keys, behind: list[Case], what: str, name: Callable[[Case], str]) -> None:
    most = Counter(name(case) for case in behind).most_common(MOST_NAMED)
    if most:
        named = "; ".join(f"{words}: {number}" for words, number in most)
        draft.say("causes", f"Hồ sơ trễ, quá hạn tập trung {what}: {named} (trong {len(behind)} hồ sơ).", keys.late)


def _against(now: object, before: object) -> str:
    """`, tăng 12 (8,1 %) so với kỳ trước`; nothing where the period before is not known."""
    if not isinstance(now, int) or not isinstance(before, int):
        return ""
    if now == before:
        return ", bằng kỳ trước"
    share = f" ({_n(round(100 * abs(now - before) / before, 1))} %)" if before else ""
    return f", {'tăng' if now > before else 'giảm'} {abs(now - before)}{share} so với kỳ trước"


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:g}".replace(".", ",")
