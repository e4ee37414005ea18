"""What a signal says, in words: its number, the peers', how many it rests on, and the rule it comes from.

Every sentence begins with whose it is: the dossier, the official, the unit, an agent. The causes are never mixed in
one sentence, and no sentence accuses: it says what was seen and what is usual. How strict an inspecting team is
belongs to none of them and is told apart (`training.severity`).
"""

from collections.abc import Mapping
from typing import Any

from features.signals.directives import basis_vi
from features.signals.evaluate import DOSSIER_SIGNALS
from features.signals.held import HELD_SIGNALS
from features.signals.signal import MEASURES
from features.sources.vietnamese_number import decimal

CAUSES = {
    "dossier": ("Hồ sơ", "Dossier"), "official": ("Cán bộ", "Official"), "unit": ("Đơn vị", "Unit"),
    "agent": ("Người đại diện", "Agent"),
}  # fmt: skip
"""How a sentence names what it speaks of."""

_PEERS = {
    "official": ("người khác cùng thủ tục, quý và đơn vị", "others in the same procedure, quarter and office"),
    "unit": ("đơn vị khác cùng thủ tục, quý và cấp", "other units of the level in the same procedure and quarter"),
    "agent": ("người đại diện khác cùng thủ tục và quý", "other agents in the same procedure and quarter"),
}
_DOSSIER = {signal.name: signal for signal in DOSSIER_SIGNALS}
_HELD = {signal.name: signal for signal in HELD_SIGNALS}


def held_sentence(row: Mapping[str, Any]) -> tuple[str, str]:
    """The sentence of a row of `features.signals.evaluate_held`, in Vietnamese and English."""
    signal = _HELD[row["signal"]]
    whose_vi, whose_en = CAUSES[signal.cause]
    peers_vi, peers_en = _PEERS[signal.cause]
    if row["expected"] is None:
        usual_vi, usual_en = f"chưa có {peers_vi} để so sánh", f"nobody to compare with among {peers_en}"
    else:
        usual_vi = f"{peers_vi} thường có {vi(row['expected'])}"
        usual_en = f"{peers_en} would have {row['expected']:.1f}"
        if row["low"] is not None:
            usual_vi += f" (tỷ số, khoảng 95 %: {vi(row['low'])}–{vi(row['high'])})"
            usual_en += f" (ratio, 95 % interval: {row['low']:.1f} to {row['high']:.1f})"
    vi_said = f"{whose_vi}: {_small(signal.words_vi)}: {row['value']} trong n = {row['n']}; {usual_vi}"
    en_said = f"{whose_en}: {signal.words_en}: {row['value']} of n = {row['n']}; {usual_en}"
    return f"{vi_said}. Căn cứ: {basis_vi(signal.source)}", f"{en_said}. Source: {signal.source}"


def dossier_sentence(name: str, value: float, rate: float, n: int) -> tuple[str, str]:
    """The sentence of a signal of a dossier, in Vietnamese and English.

    `value` as `features.signals.evaluate` gives it, `rate`: share of the dossiers of the same procedure that show it,
    `n`: how many those are.
    """
    signal = _DOSSIER[name]
    whose_vi, whose_en = CAUSES["dossier"]
    unit_vi, unit_en = MEASURES[signal.measure]
    number_vi = f" ({vi(value)} {unit_vi})" if unit_vi else ""
    number_en = f" ({_en(value)} {unit_en})" if unit_en else ""
    vi_said = f"{whose_vi}: {_small(signal.words_vi)}{number_vi}; {vi(rate * 100)} % hồ sơ cùng thủ tục có dấu hiệu này"
    en_said = f"{whose_en}: {signal.words_en}{number_en}; {rate * 100:.1f} % of the dossiers of this procedure show it"
    return f"{vi_said}, n = {n}. Căn cứ: {basis_vi(signal.source)}", f"{en_said}, n = {n}. Source: {signal.source}"


def vi(number: float) -> str:
    """A number as it is written in Vietnamese: whole, or with one place after a comma."""
    return decimal(number, 0 if float(number).is_integer() else 1)


def _en(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:.1f}"


def _small(words: str) -> str:
    return words[0].lower() + words[1:]
