"""Vietnamese text as bytes: UTF-8 accepted, older encodings refused by name.

TCVN3 (ABC) and VNI put Vietnamese letters on Latin code points, so nothing in the bytes fails to decode as
Latin-1, and a guess would quietly turn names into other names. They are refused with a word on what to do.
"""

import re
import unicodedata
from functools import lru_cache

_TCVN3 = re.compile(r"[A-Za-z][¨©ª«¬®¸µ¶·¹¾»¼½Æ¢§Î×ØÜÞ£¤¥¦]|[¨©ª«¬®µ¶·¹»¼½¾][A-Za-z]")
_VNI = re.compile(r"[AaEeOo][ÂâÊêÔô]|[AaEeOoUuYyIiÖöÔô][ÙùØøÛûÏï]|[Ññ][aeiouAEIOU]")
"""Pairs of letters that Unicode Vietnamese never has: there `oà` and `uâ` are plain words."""
_TELLS_VIETNAMESE = re.compile(r"[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")


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
    return suspect(raw.decode("latin-1")) or "no UTF-8 (Windows-1258 or Latin-1)"
