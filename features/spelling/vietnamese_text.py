"""Vietnamese text as bytes: UTF-8 accepted, older encodings refused by name, and converted where somebody says which.

TCVN3 (ABC) and VNI put Vietnamese letters on Latin code points, so nothing in the bytes fails to decode as
Latin-1, and a guess would quietly turn names into other names. They are refused with a word on what to do.
"""

import re
import unicodedata
from functools import lru_cache

from charset_normalizer import from_bytes

_TCVN3 = re.compile(r"[A-Za-z][¨©ª«¬®¸µ¶·¹¾»¼½Æ¢§Î×ØÜÞ£¤¥¦]|[¨©ª«¬®µ¶·¹»¼½¾][A-Za-z]")
_VNI = re.compile(r"[AaEeOo][ÂâÊêÔô]|[AaEeOoUuYyIiÖöÔô][ÙùØøÛûÏï]|[Ññ][aeiouAEIOU]")
"""Pairs of letters that Unicode Vietnamese never has: there `oà` and `uâ` are plain words."""
_TELLS_VIETNAMESE = re.compile(r"[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")


LEGACY = f"{_TCVN3.pattern}|{_VNI.pattern}"
"""What text in either has somewhere; proper text may, too, and `suspect` tells them apart."""


@lru_cache(maxsize=65536)
def suspect(text: str) -> str | None:
    """The older encoding that already decoded text shows the marks of, or None.

    Long enough evidence only: two hits, and no letter that proper Vietnamese alone has.
    """
    if text.isascii():
        return None
    plain = unicodedata.normalize("NFC", text)
    if len(_TCVN3.findall(plain)) >= 2:
        return "TCVN3 (ABC)"
    if _TELLS_VIETNAMESE.search(plain) is None and len(_VNI.findall(plain)) >= 2:
        return "VNI"
    return None


def encoding_of(raw: bytes) -> str:
    """The best name for bytes that are not UTF-8, for the message of a refusal."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or raw[1:40:2].count(b"\0") > 10:
        return "UTF-16"
    if _is_1258(raw):
        return "Windows-1258"
    if named := suspect(raw.decode("latin-1")):
        return named
    guess = from_bytes(raw[:8_192], enable_fallback=False).best()
    return f"no UTF-8 (it looks like {guess.encoding})" if guess else "no UTF-8 (Windows-1258 or Latin-1)"


def _is_1258(raw: bytes) -> bool:
    """Windows-1258 writes tones as marks behind their vowel, where no other encoding has them."""
    text = raw.decode("cp1258", "replace")
    marks = [text[max(place - 1, 0)] for place, letter in enumerate(text) if letter in _TONES]
    return len(marks) >= 2 and sum(letter in _VOWELS for letter in marks) >= 0.9 * len(marks)


_TONES = "\u0300\u0301\u0303\u0309\u0323"
_VOWELS = frozenset("aăâeêioôơuưyAĂÂEÊIOÔƠUƯY")

ENCODINGS = {"cp1258": "cp1258", "tcvn3": "latin-1", "vni": "latin-1"}
"""Older encodings that can be asked for, and the codec that gives their code points."""

_TCVN3_LETTERS = str.maketrans(
    "¸µ¶·¹¨¾»¼½Æ©ÊÇÈÉËÐÌÎÏÑªÕÒÓÔÖÝ×ØÜÞãßáâä«èåæçé¬íêëìîóïñòô\u00adøõö÷ùýúûüþ®¡¢£¤¥¦§",
    "áàảãạăắằẳẵặâấầẩẫậéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵđĂÂÊÔƠƯĐ",
)
_VNI_LETTERS = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI_LETTERS |= {old.upper(): new.upper() for old, new in _VNI_LETTERS.items()}
_VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323", "ê": "\u0306", "é": "\u0306\u0301",
    "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303", "ë": "\u0306\u0323", "â": "\u0302",
    "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303", "ä": "\u0302\u0323",
}  # fmt: skip
_VNI_MARKS |= {mark.upper(): to for mark, to in _VNI_MARKS.items()}
_VNI_PAIR = re.compile(f"([aAeEoOuUyYôÔöÖ])([{''.join(_VNI_MARKS)}])|[{''.join(_VNI_LETTERS)}]")


def is_legacy(encoding: str) -> bool:
    """Whether the encoding is one whose text decodes as something else, so that its letters have to be exchanged."""
    return encoding in ("tcvn3", "vni")


def converted(text: str, encoding: str) -> str:
    """Text of an older encoding, decoded as Latin-1, in Unicode (NFC); text that is proper Vietnamese stays.

    >>> converted("Së Tµi nguyªn", "tcvn3"), converted("Sôû Taøi nguyeân", "vni"), converted("Sở", "tcvn3")
    ('Sở Tài nguyên', 'Sở Tài nguyên', 'Sở')
    """
    if text.isascii() or _TELLS_VIETNAMESE.search(unicodedata.normalize("NFC", text)):
        return unicodedata.normalize("NFC", text)
    if encoding == "tcvn3":
        return text.translate(_TCVN3_LETTERS)
    if encoding == "vni":
        return unicodedata.normalize("NFC", _VNI_PAIR.sub(_of_vni, text))
    return unicodedata.normalize("NFC", text)


def _of_vni(match: re.Match[str]) -> str:
    letter, mark = match.group(1), match.group(2)
    if letter is None:
        return _VNI_LETTERS[match.group(0)]
    return _VNI_LETTERS.get(letter, letter) + _VNI_MARKS[mark]
