"""A first draft of a report's text, each sentence made of figures of the same report; people write the final one.

What rose and what fell against the period before, where late dossiers gather by unit, step and accepted cause, and what
follows from that for the month to come. Templates with numbers alone; no model of language has a hand in it.
"""

from collections import Counter
from collections.abc import Callable

from features.sources.vietnamese_number import decimal, places_of
from serving.read.caseload import Case
from serving.reports.answers import ACCEPTED, explained
from serving.reports.dossiers import Keys, late_share
from serving.reports.report import Draft, Figure
from serving.reports.report_context import ReportContext
from serving.words import lowered

MOST_NAMED = 3
"""Units, steps or causes that one sentence names."""


def add_narrative(draft: Draft, basis: ReportContext, keys: Keys) -> None:
    """Sentences on what came and went, on causes, and proposals."""
    load = basis.caseload
    value = {one.en: one for one in draft.figures}
    received, ended, late = value["received"], value["ended"], value["of these late"]
    draft.say(
        "results",
        f"Trong {basis.period.words}, tiếp nhận {number(received.value)} hồ sơ{against(received)}; "
        f"giải quyết xong {number(ended.value)} hồ sơ{against(ended)}.",
        keys.received,
    )
    share, low, high = late_share(load.ended)
    of_share = (
        "" if share is None else f", chiếm {number(share)} % (khoảng tin cậy 95 %: {number(low)}–{number(high)} %)"
    )
    draft.say("results", f"Có {number(late.value)} hồ sơ trễ hẹn{of_share}{against(late)}.", keys.late)
    draft.say(
        "results",
        f"Cuối kỳ còn {number(len(load.open))} hồ sơ đang giải quyết, trong đó {number(len(load.overdue))} hồ sơ đã "
        "quá hạn.",
        keys.overdue,
    )  # fmt: skip
    behind = [*load.ended_late, *load.overdue]
    many = len({case.unit_code for case in load.cases}) > 1
    if many:
        _gather(draft, keys, behind, "theo đơn vị", lambda case: basis.register.unit(case.unit_code))
    _gather(draft, keys, behind, "theo bước xử lý", lambda case: case.step or "chưa rõ bước")
    told = explained(basis)
    causes = Counter(
        told[case.dossier_id][0] for case in behind if told.get(case.dossier_id, ("", ""))[1] == ACCEPTED[True]
    )
    if causes:
        named = ", ".join(f"{lowered(words)} ({count} hồ sơ)" for words, count in causes.most_common(MOST_NAMED))
        draft.say("causes", f"Nguyên nhân trễ hẹn đã được chấp nhận sau giải trình: {named}.", keys.late)
    waited = [case.other_hours for case in behind if case.other_hours > 0]
    if waited:
        draft.say(
            "causes",
            f"{number(len(waited))} trong {number(len(behind))} hồ sơ trễ, quá hạn có thời gian chờ cơ quan phối hợp, "
            f"bình quân {number(round(sum(waited) / len(waited), 1))} giờ làm việc mỗi hồ sơ.",
            keys.late,
        )
    if load.overdue:
        draft.say(
            "proposals",
            f"Giải quyết dứt điểm {number(len(load.overdue))} hồ sơ đã quá hạn; gửi văn bản xin lỗi, hẹn lại ngày trả "
            "kết quả đối với hồ sơ chưa gửi.",
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
        named = ", ".join(f"{words} ({number(count)} hồ sơ)" for words, count in most)
        draft.say("causes", f"{number(len(behind))} hồ sơ trễ, quá hạn; nhiều nhất {what}: {named}.", keys.late)


def against(figure: Figure) -> str:
    """`, tăng 12 (8,1 %) so với kỳ trước`, and so against the same period a year before, where they are known."""
    told = [
        _moved(figure.value, before, words)
        for before, words in ((figure.before, "kỳ trước"), (figure.year_before, "cùng kỳ năm trước"))
    ]
    return "".join(f", {one}" for one in told if one)


def _moved(now: object, before: object, words: str) -> str:
    if not isinstance(now, int | float) or not isinstance(before, int | float):
        return ""
    if now == before:
        return f"bằng {words}"
    by = abs(now - before)
    share = f" ({number(round(100 * by / before, 1))} %)" if before and isinstance(now, int) else ""
    return f"{'tăng' if now > before else 'giảm'} {number(round(by, 2))}{share} so với {words}"


def number(value: object) -> str:
    """A count or share as it is written in Vietnam; – where there is none."""
    return decimal(value, places_of(value)) if isinstance(value, int | float) else "–"
