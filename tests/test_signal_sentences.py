"""Every sentence of every signal: whose it is, its value, the peers', n and the rule's source; and no accusation."""

import re

import pytest

from features.signals import DOSSIER_SIGNALS, HELD_SIGNALS, HeldSignal, Signal
from features.signals.directives import basis_vi
from features.signals.handled import CHARGED
from features.signals.sentences import CAUSES, dossier_sentence, held_sentence
from features.signals.signal import MEASURES
from models.conduct import _FAMILY_SOURCE, against_peers
from models.conduct_peers import PeerComparison
from tests.test_wording import FORBIDDEN

LETTER = r"[^\W\d_]"


def told_once(sentence: str, causes: tuple[str, ...]) -> str:
    """The cause with which the sentence begins; no other cause begins a part of it."""
    begins = [cause for cause in causes if re.search(rf"(^|[.;] ){cause}:", sentence)]
    assert len(begins) == 1
    assert sentence.startswith(f"{begins[0]}:")
    return begins[0]


@pytest.mark.parametrize("signal", HELD_SIGNALS, ids=lambda signal: signal.name)
def test_a_signal_of_people_and_units_says_all_it_must(signal: HeldSignal) -> None:
    row = {"signal": signal.name, "value": 17, "n": 43, "expected": 6.25, "low": 1.51, "high": 4.26}
    vi, en = held_sentence(row)
    assert told_once(vi, tuple(cause for cause, _ in CAUSES.values())) == CAUSES[signal.cause][0]
    assert told_once(en, tuple(cause for _, cause in CAUSES.values())) == CAUSES[signal.cause][1]
    for part in ("17 trong n = 43", "6,2", "1,5–4,3", basis_vi(signal.source), "Căn cứ"):
        assert part in vi
    for part in ("17 of n = 43", "6.2", "1.5 to 4.3", signal.source, "Source"):
        assert part in en
    assert "domain.md" not in vi
    assert not FORBIDDEN.search(vi.replace(basis_vi(signal.source), ""))
    assert not FORBIDDEN.search(en.replace(signal.source, ""))


@pytest.mark.parametrize("signal", HELD_SIGNALS, ids=lambda signal: signal.name)
def test_without_peers_the_sentence_says_so(signal: HeldSignal) -> None:
    row = {"signal": signal.name, "value": 2, "n": 5, "expected": None, "low": None, "high": None}
    vi, en = held_sentence(row)
    assert "chưa có" in vi
    assert "nobody to compare with" in en
    assert "None" not in vi + en


@pytest.mark.parametrize("signal", DOSSIER_SIGNALS, ids=lambda signal: signal.name)
def test_a_signal_of_a_dossier_says_all_it_must(signal: Signal) -> None:
    vi, en = dossier_sentence(signal.name, 12.5, 0.034, 211)
    assert told_once(vi, tuple(cause for cause, _ in CAUSES.values())) == "Hồ sơ"
    unit_vi, unit_en = MEASURES[signal.measure]
    if signal.measure != "yes":
        assert f"(12,5 {unit_vi})" in vi
        assert f"(12.5 {unit_en})" in en
    for part in ("3,4 %", "n = 211", basis_vi(signal.source)):
        assert part in vi
    for part in ("3.4 %", "n = 211", signal.source):
        assert part in en
    assert "domain.md" not in vi
    assert not FORBIDDEN.search(vi.replace(basis_vi(signal.source), ""))
    assert not FORBIDDEN.search(en.replace(signal.source, ""))


@pytest.mark.parametrize("grain", ["official", "unit"])
@pytest.mark.parametrize("family", CHARGED)
def test_a_line_against_peers_says_all_it_must(grain: str, family: str) -> None:
    one = PeerComparison("k", "U", family, 0.97, True, False, 43, 17, 6.25, 2.7, 1.51, 4.26, 0.931)
    (line,) = against_peers([one], grain)
    for part in (
        f"{CAUSES[grain][0]}: 17 trong n = 43",
        "6,2",
        "1,5–4,3",
        "1,5 lần: 93 %",
        f"Căn cứ: {basis_vi(_FAMILY_SOURCE[family])}",
        "không phải kết luận",
    ):
        assert part in line.reasons_vi
    for part in (
        f"{CAUSES[grain][1]}: 17 of n = 43",
        "6.2",
        "1.5 to 4.3",
        "more than 1.5: 93 %",
        "Source: H",
        "not a finding",
    ):
        assert part in line.reasons_en
    assert not FORBIDDEN.search(line.reasons_vi)


def test_readers_are_told_document_and_clause_and_never_our_codes() -> None:
    from features.signals.directives import CITED

    assert basis_vi("H1, H5 (S0 1a, S2)") == (
        "không tự ý yêu cầu bổ sung (Chỉ thị trách nhiệm cá nhân, Hà Nội, mục 1a); "
        "không thêm giấy tờ, điều kiện (Chỉ thị 15/CT-UBND, Hà Nội)"
    )
    sources = {signal.source for signal in (*DOSSIER_SIGNALS, *HELD_SIGNALS)} | set(_FAMILY_SOURCE.values())
    for source in sources:
        told = basis_vi(source)
        assert not re.search(r"\b[HST]\d|DOC766|domain", told), source
        assert any(cited in told for cited in CITED) or "mục" in told, source
