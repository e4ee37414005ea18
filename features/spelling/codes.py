"""Codes of dossiers, units and procedures: every form of one code to a single form.

Forms are those of domain.md 2.9 (Quyết định 20/2020/QĐ-TTg, amended by 09/2025/QĐ-TTg). Units come as
`000.00.24.H99` (levels from right to left) and `H99.24`; a dossier code is `<unit>-<yyMMdd>-<sequence>`;
a procedure code is `1.001612`, locally with `.000.00.00.H48` behind.
"""

import re
from datetime import date
from functools import lru_cache

_OLD_UNIT = re.compile(r"^(\d{3})\.(\d{2})\.(\d{2})\.([HG]\d{2})$", re.IGNORECASE)
_NEW_UNIT = re.compile(r"^[HG]\d{2}(?:\.\d{1,3}){0,3}$", re.IGNORECASE)
_DOSSIER = re.compile(
    r"(?<![\w.])((?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3})\s?[-–]\s?(\d{6})\s?[-–]\s?(\d{3,6})(?![\w-])",
    re.IGNORECASE,
)
_PROCEDURE = re.compile(r"^\s*(\d{1,2}\.\d{6})(?:\.\d{3}\.\d{2}\.\d{2}\.[HG]\d{2})?\s*$", re.IGNORECASE)


@lru_cache(maxsize=65536)
def unit_code(code: str) -> str:
    """One form of a unit's code: `000.00.24.H99` → `H99.24`, `000.17.22.H56` → `H56.22.17`.

    Nothing is read into the numbers; which unit succeeds which is a matter of `unit_book`. A code in no known
    form comes back trimmed.
    """
    text = code.strip()
    old = _OLD_UNIT.match(text)
    if old:
        low, middle, unit, province = old.groups()
        levels = [province.upper(), unit, middle, low]
        while len(levels) > 1 and not levels[-1].strip("0"):
            levels.pop()
        return ".".join(levels)
    return text.upper() if _NEW_UNIT.match(text) else text


@lru_cache(maxsize=65536)
def dossier_code(code: str) -> str:
    """One form of a dossier's code: its unit part as `unit_code` gives it; foreign forms come back trimmed."""
    text = code.strip()
    match = _DOSSIER.fullmatch(text)
    if match is None:
        return text
    unit, day, sequence = match.groups()
    return f"{unit_code(unit.upper())}-{day}-{sequence}"


@lru_cache(maxsize=65536)
def unit_of_dossier(code: str) -> str | None:
    """The unit part of a dossier's code, or None where the code is in another form."""
    match = _DOSSIER.fullmatch(code.strip())
    return unit_code(match.group(1).upper()) if match else None


def dossier_codes_in(text: str) -> list[str]:
    """Every dossier code named in free text, in order, each once."""
    found = (f"{unit_code(unit.upper())}-{day}-{seq}" for unit, day, seq in _DOSSIER.findall(text))
    return list(dict.fromkeys(found))


def without_codes(text: str) -> str:
    """The text with a blank in the place of every dossier code."""
    return _DOSSIER.sub(" ", text)


@lru_cache(maxsize=65536)
def procedure_code(code: str) -> str:
    """The national part of a procedure's code (`1.001612.000.00.00.H48` → `1.001612`); others trimmed."""
    match = _PROCEDURE.match(code)
    return match.group(1) if match else code.strip()


_CUT = re.compile(r"(\d{1,2})\.(\d{1,5})")


@lru_cache(maxsize=65536)
def padded_procedure(code: object) -> str:
    """A procedure's code in its published form `d.dddddd`, where a spreadsheet dropped zeros at its end.

    A whole number stays one, with or without `.0`; codes of other forms come back as `procedure_code` has them.

    >>> padded_procedure("2.00052"), padded_procedure("1.0122"), padded_procedure("5.0"), padded_procedure("TTHC-7")
    ('2.000520', '1.012200', '5', 'TTHC-7')
    """
    text = procedure_code(str(code))
    cut = _CUT.fullmatch(text)
    if cut is None:
        return text
    return cut[1] if not cut[2].strip("0") else f"{cut[1]}.{cut[2]:0<6}"


_CODE_DAY = re.compile(r"-(\d{2})(\d{2})(\d{2})-")


def day_of_code(code: str) -> date | None:
    """The day that a dossier's code was given on, by its middle part; None for codes of other forms."""
    match = _CODE_DAY.search(code)
    try:
        return date(2000 + int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def swapped(day: date) -> date | None:
    """The day with day and month exchanged, as a spreadsheet set to another country reads it; None where there is none.

    >>> swapped(date(2026, 3, 2)), swapped(date(2026, 3, 20))
    (datetime.date(2026, 2, 3), None)
    """
    return day.replace(month=day.day, day=day.month) if day.day <= 12 else None
