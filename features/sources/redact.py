"""Free text without the people in it: names, numbers and addresses of electronic mail taken out.

Officials write citizens' names into notes and complainants their own numbers into complaints. Before such a
text may stand in the record, identity, tax and phone numbers, mail addresses, account handles and what reads
like a Vietnamese person's name are replaced by a mark. Dossier codes stay: they are what a complaint is about.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from features.spelling.codes import _DOSSIER
from features.spelling.names import folded, plain, tidy

LONGEST = 1000
"""Characters of a text that remain."""

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"\bhttps?://\S+", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w])\+?\d(?:[\s.\-–()]{0,2}\d){7,14}(?!\w)")
_LONG_DIGITS = re.compile(r"\d{8,}")
_LETTER = r"[^\W\d_]"
_UPPER = "A-ZÀ-ÖØ-ÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ"
_SURNAMES = frozenset({
    "nguyen", "tran", "le", "pham", "huynh", "hoang", "phan", "vu", "vo", "dang", "bui", "do", "ho", "ngo", "duong",
    "ly", "dinh", "dao", "doan", "trinh", "truong", "lam", "mai", "phung", "luong", "cao", "chau", "ta", "luu", "tong",
    "thai", "ton", "ha", "kieu", "quach", "khuc", "mac", "vuong", "la", "nghiem", "thach", "son", "danh", "au", "bach",
    "banh", "bo", "cam", "can", "chu", "chung", "cu", "cung", "diep", "giang", "giap", "han", "hua", "kha", "khong",
    "khuong", "khu", "lieu", "lo", "loi", "luc", "lu", "ma", "man", "nham", "ninh", "nong", "ong", "pho", "phi", "quan",
    "sam", "si", "sung", "tang", "tao", "than", "thi", "thieu", "tiet", "to", "trang", "tu", "ung", "uong", "vi",
    "viem", "vien", "y", "h'",
})  # fmt: skip
_CAPITALISED = re.compile(rf"(?<![\w])[{_UPPER}]{_LETTER}*'?{_LETTER}*(?:\s+[{_UPPER}]{_LETTER}*)+(?![\w])")
_ADDRESSED = re.compile(
    rf"\b(ông|bà|anh|chị|cô|chú|bác|em|cháu|cụ|Ông|Bà|Anh|Chị|Cô|Chú|Bác|Em|Cụ)\s+((?:[{_UPPER}]{_LETTER}*)(?:\s+[{_UPPER}]{_LETTER}*)*)"
)
_FIRM = re.compile(r"\b(?:công ty|cty|doanh nghiệp|hộ kinh doanh|dntn|hkd)\b[^,.;:\n]{0,80}", re.IGNORECASE)


def _codes_aside(text: str) -> tuple[str, list[str]]:
    """The text with its dossier codes replaced by marks that no pattern below touches."""
    codes: list[str] = []

    def put(match: re.Match[str]) -> str:
        codes.append(match.group(0))
        return f"\x00{chr(0xE000 + len(codes) - 1)}\x00"

    return _DOSSIER.sub(put, text), codes


def _unless_no_name(match: re.Match[str]) -> str:
    """A run of capitalised words is a name where it begins with a surname."""
    words = match.group(0).split()
    return "[tên]" if 2 <= len(words) <= 6 and folded(words[0]) in _SURNAMES else match.group(0)


def scrub(text: str | None, secrets: Iterable[str | None] = ()) -> str | None:
    """The text with the people taken out, at most `LONGEST` characters; None where nothing is left.

    `secrets`: names and numbers that the same row gives in fields of their own; taken out wherever they stand, in
    any case and with or without diacritics.
    """
    if not text or not text.strip():
        return None
    return _scrubbed(text, tuple(secrets))


@lru_cache(maxsize=16384)
def _scrubbed(text: str, secrets: tuple[str | None, ...]) -> str | None:
    bare, codes = _codes_aside(tidy(text)[: 4 * LONGEST].replace("\x00", " "))
    for secret in secrets:
        bare = _without(bare, secret)
    bare = _LINK.sub("[liên kết]", _MAIL.sub("[thư điện tử]", bare))
    bare = _LONG_DIGITS.sub("[số]", _NUMBER.sub("[số]", bare))
    bare = _ADDRESSED.sub(r"\1 [tên]", bare)
    bare = _FIRM.sub("[doanh nghiệp]", bare)
    bare = _CAPITALISED.sub(_unless_no_name, bare)
    for at, code in enumerate(codes):
        bare = bare.replace(f"\x00{chr(0xE000 + at)}\x00", code)
    return bare.replace("\x00", "")[:LONGEST].strip() or None


def _without(text: str, secret: str | None) -> str:
    """`text` where `secret` stands nowhere, however it is written."""
    wanted, bare = plain(secret or "").strip(), "".join((plain(letter) or " ")[:1] for letter in text)
    if len(wanted) < 4 or wanted not in bare:
        return text
    parts, at = [], 0
    while (found := bare.find(wanted, at)) >= 0:
        parts += [text[at:found], "[tên]"]
        at = found + len(wanted)
    return "".join(parts) + text[at:]
