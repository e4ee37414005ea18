"""What messages say: procedure, hours, reasons in figures and a link; no names, and no dossier codes unless the rules
allow them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.read.delay import Holder
from serving.scoring.conduct_news import Newcomer, counts_by_grain
from serving.state import EarlyWarning
from serving.words import NOT_A_FINDING, days_left, decimal, step_words

HOLDER_WORDS = {
    Holder.CITIZEN: lazy("người nộp"),
    Holder.OFFICE: lazy("đơn vị thụ lý"),
    Holder.OTHER_OFFICE: lazy("cơ quan được hỏi ý kiến"),
    Holder.SUSPENDED: lazy("đang tạm dừng"),
    Holder.CLOSED: lazy("đã kết thúc, trước khi mở lại"),
}
DETAILED = 10
"""Lines of a digest or escalation that are spelled out; the page has the others."""


@dataclass(frozen=True)
class Text:
    """Subject and body of one message."""

    subject: str
    body: str


def help_of(warning: EarlyWarning) -> str:
    """The step in which most of the remaining time is expected, and with whom; empty where nothing is known."""
    if warning.help_step is None or warning.help_holder is None or warning.help_hours is None:
        return ""
    who = HOLDER_WORDS[Holder(warning.help_holder)]
    return _("bước “{step}” ({who}), dự kiến còn {hours} giờ làm việc").format(
        step=step_words(warning.help_step), who=who, hours=decimal(warning.help_hours)
    )


def single(warning: EarlyWarning, procedure: str, link: str, show_dossier: bool) -> Text:
    """One warning as a message of its own."""
    lines = [_line(warning, procedure, show_dossier)]
    if where := help_of(warning):
        lines.append(f"Nơi rút ngắn được nhiều nhất: {where}.")
    lines += [f"Vì: {reason}" for reason in _figures(warning)]
    subject = f"Cảnh báo sớm: 1 hồ sơ có thể trễ hẹn, {days_left(warning.left_hours)}"
    return _text(subject, lines, f"{link}#w{warning.id}", "Early warning: one dossier may miss its promise.")


def digest(warnings: Sequence[EarlyWarning], procedures: Sequence[str], link: str, show_dossier: bool) -> Text:
    """Many warnings in one message, most urgent first."""
    subject = f"Cảnh báo sớm: {len(warnings)} hồ sơ có thể trễ hẹn (bản gộp)"
    lines = _lines(warnings, procedures, show_dossier)
    return _text(subject, lines, link, f"Digest: {len(warnings)} dossiers may miss their promise.")


def escalation(warnings: Sequence[EarlyWarning], procedures: Sequence[str], link: str, show_dossier: bool) -> Text:
    """Warnings that the heads below have not answered."""
    subject = f"Chuyển cấp trên: {len(warnings)} cảnh báo chưa được đơn vị xác nhận"
    lines = _lines(warnings, procedures, show_dossier)
    return _text(subject, lines, link, f"Escalation: {len(warnings)} warnings without an answer.")


def conduct(
    by_unit: Mapping[str, Sequence[Newcomer]], newcomers: Sequence[Newcomer], link: str, show_dossier: bool
) -> Text:
    """What newly stands out in the lists of conduct, by unit; for those who inspect, without any person."""
    lines = []
    for unit, some in list(by_unit.items())[:DETAILED]:
        codes = ", ".join(one.key for one in some if one.grain == "dossier") if show_dossier else ""
        lines.append(f"- {unit}: {counts_by_grain(some)}" + (f" ({codes})" if codes else ""))
    lines += [f"… và {len(by_unit) - DETAILED} đơn vị khác"] if len(by_unit) > DETAILED else []
    subject = f"Dấu hiệu cần kiểm tra, mới: {counts_by_grain(newcomers)}"
    return _text(subject, lines, link, "New reasons to look; not findings.", "Xem hồ sơ đứng sau")


def _lines(warnings: Sequence[EarlyWarning], procedures: Sequence[str], show_dossier: bool) -> list[str]:
    lines = [
        _line(one, procedure, show_dossier)
        for one, procedure in zip(warnings[:DETAILED], procedures[:DETAILED], strict=True)
    ]
    return lines + ([f"… và {len(warnings) - DETAILED} hồ sơ khác"] if len(warnings) > DETAILED else [])


def _line(warning: EarlyWarning, procedure: str, show_dossier: bool) -> str:
    dossier = f"{warning.dossier_id}: " if show_dossier else ""
    return f"- {dossier}{procedure}; {days_left(warning.left_hours)} làm việc theo hẹn"


def _figures(warning: EarlyWarning) -> list[str]:
    """The reasons that raise the risk and state a number; those that state a code stay on the page."""
    sentences = []
    for reason in json.loads(warning.reasons):
        try:
            float(reason["value"])
        except ValueError:
            continue
        if reason["effect"] > 0:
            sentences.append(str(reason["vi"]))
    return sentences[:2]


def _text(subject: str, lines: list[str], link: str, english: str, asked: str = "Xem và xác nhận") -> Text:
    return Text(subject[:200], "\n".join([*lines, "", f"{asked}: {link}", "", NOT_A_FINDING, english]))
