"""Vietnamese names of people and offices: one spelling for comparison, placeholders recognised.

The same name arrives in NFC and NFD, with the tone mark on either vowel (`hoà` / `hòa`), with the Icelandic
letter Ð for Đ, cut at 46 characters with `...` (domain.md 1.3), or as a placeholder that is no person
(`Cán bộ một cửa`, traps T3 and T10). `canonical` keeps the diacritics, for they tell people apart;
`folded` drops them, for a second look against a known roster only.
"""

import re
import unicodedata
from functools import lru_cache

CUT = 46
"""Characters of a display name that every source keeps; one source cuts longer names here (domain.md 1.3)."""

_TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
_LATE_TONE = re.compile(rf"([oO])([aAeE])([{_TONES}])(?![^\W\d_])|(?<![qQ])([uU])([yY])([{_TONES}])(?![^\W\d_])")
_SPACE = re.compile(r"\s+")
_CUT_MARK = re.compile(r"\s*(?:\.{2,}|…)\s*$")
_TITLE = re.compile(r"^(?:ông|bà|ong|ba|đ/c|đồng chí)\s*[.:]?\s+", re.IGNORECASE)

PLACEHOLDERS = frozenset(
    {
        "", "-", "n/a", "na", "null", "none", "admin", "administrator", "system", "quan tri", "quan tri vien",
        "quan tri he thong", "he thong", "can bo", "can bo mot cua", "can bo tiep nhan", "can bo xu ly",
        "can bo tiep nhan va tra ket qua", "bo phan mot cua", "bo phan tiep nhan va tra ket qua", "mot cua",
        "chuyen vien", "cong chuc", "cong chuc mot cua", "lanh dao", "van thu", "nguoi dung", "cong dan",
        "mot cua dien tu", "khong xac dinh", "chua xac dinh", "trung tam pvhcc", "tu dong",
        "trung tam phuc vu hanh chinh cong",
    }
)  # fmt: skip
"""Folded names that stand for a desk, a role or the software (T3, T10): never an official, never scored."""


def _early_tone(match: re.Match[str]) -> str:
    """Put the tone of an open oa, oe, uy on the first vowel, the placement most old systems print."""
    first, second, tone = (match.group(1), match.group(2), match.group(3))
    if first is None:
        first, second, tone = match.group(4), match.group(5), match.group(6)
    return first + tone + second


@lru_cache(maxsize=65536)
def tidy(text: str) -> str:
    """The text in NFC, one blank between words, tone marks in one placement, Ð as Đ; case is kept."""
    parts = unicodedata.normalize("NFD", text.replace("Ð", "Đ").replace("ð", "đ"))
    placed = _LATE_TONE.sub(_early_tone, parts)
    return _SPACE.sub(" ", unicodedata.normalize("NFC", placed)).strip()


@lru_cache(maxsize=65536)
def canonical(name: str) -> str:
    """The form of a person's name under which two writings of it are equal.

    Lower case, forms of address off, the cut mark off, at most `CUT` characters: so the name that one source
    cuts and another sends whole has one form, whichever comes first.
    """
    whole = _TITLE.sub("", _CUT_MARK.sub("", tidy(name)))
    return whole.casefold()[:CUT].rstrip()


@lru_cache(maxsize=65536)
def folded(name: str) -> str:
    """`canonical` without any diacritic. Different people may share it: never a key by itself."""
    return plain(canonical(name))


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Any text in lower case without diacritics, its length kept: `Sở Nội vụ` → `so noi vu`."""
    letters = unicodedata.normalize("NFD", tidy(text).casefold().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def is_placeholder(name: str | None) -> bool:
    """Whether the handler's name stands for no person: empty, a desk, a role, the software, or no letters."""
    if name is None:
        return True
    bare = folded(name)
    return bare in PLACEHOLDERS or not any(letter.isalpha() for letter in bare)


def is_desk(official_id: str) -> bool:
    """Whether an official's id, as a canonical feed gives it, is the name of a desk, a role or the software."""
    return folded(official_id) in PLACEHOLDERS


def has_no_diacritics(name: str) -> bool:
    """Whether the name was typed without marks, so that only a roster can tell whose it is."""
    return canonical(name) == folded(name)
