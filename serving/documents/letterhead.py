"""Who issues a document: the superior body, the issuer, place, addressee, recipients and signer of each unit.

Layout and words of Nghị định 30/2020/NĐ-CP, Phụ lục I. An installation states them in `letterheads.toml` under its
home, one table a unit code, `default` for all, `kind.<report kind>` for reports of the whole province; what is not
stated follows from the register: the parent is the superior body, the level names the signer.

    [default]
    place = "Minh Hải"
    ["H99.04"]
    symbol = "SXD"
    authority = "KT. GIÁM ĐỐC\\nPHÓ GIÁM ĐỐC"
    signer = "Nguyễn Văn A"
    recipients = ["Như trên", "Văn phòng UBND tỉnh", "Lưu: VT, VP"]
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from serving.documents.fill import clean
from serving.read.register import Register, UnitEntry

FILE = "letterheads.toml"
COMMITTEE = "Ủy ban nhân dân"
_AUTHORITY = {"province": "CHỦ TỊCH", "commune": "CHỦ TỊCH", "department": "GIÁM ĐỐC"}
_PROVINCE_WIDE = {
    "mission": ("Sở Nội vụ", "GIÁM ĐỐC"),
}
"""Reports of the whole province that another body than the Centre issues: its name and who signs."""
_SMALL_WORDS = ("và", "của")
"""Left out of an issuer's symbol: Sở Nông nghiệp và Môi trường is SNNMT."""
_CENTRE = ("Trung tâm Phục vụ hành chính công", "GIÁM ĐỐC")


@dataclass(frozen=True)
class Letterhead:
    """What stands above and below a document's text.

    symbol: the issuer's in the number, such as `SXD`. authority: a line each, such as `KT. GIÁM ĐỐC` above `PHÓ GIÁM
    ĐỐC`.
    """

    superior: str
    issuer: str
    symbol: str
    place: str
    addressee: str
    recipients: tuple[str, ...]
    authority: str
    signer: str = ""

    def fields(self, day: date) -> dict[str, Any]:
        """The template's fields that every document shares: head, number, place and day, recipients, signer."""
        place = f"{self.place}, " if self.place else ""
        return {
            "superior": clean(self.superior.upper()),
            "issuer": clean(self.issuer.upper()),
            "symbol": clean(self.symbol),
            "place_and_day": clean(f"{place}ngày {day:%d} tháng {day:%m} năm {day.year}"),
            "recipients": [clean(one) for one in self.recipients],
            "authority": [clean(one) for one in self.authority.split("\n")],
            "signer": clean(self.signer),
        }


@dataclass(frozen=True)
class Letterheads:
    """The letterheads of an installation: what it states, over what its register implies."""

    stated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, home: Path) -> "Letterheads":
        """Of `letterheads.toml` in the home; none stated where there is no such file.

        ValueError, naming table and key, for a key that a letterhead does not have or a value that is no text.
        """
        path = home / FILE
        if not path.exists():
            return cls()
        document = tomllib.loads(path.read_text("utf-8"))
        kinds = document.pop("kind", {})
        stated = {**document, **{f"kind.{kind}": table for kind, table in kinds.items()}}
        allowed = {one.name for one in fields(Letterhead)}
        for name, table in stated.items():
            for key, value in table.items():
                texts = value if key == "recipients" else [value]
                if key not in allowed or not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
                    raise ValueError(f"{FILE}, [{name}] {key}: wanted one of {', '.join(sorted(allowed))} with text")
        return cls(stated)

    def of(self, register: Register, unit_code: str, kind: str = "") -> Letterhead:
        """The letterhead of a unit; without a unit, of whoever issues a report of this kind for the whole province."""
        root = next((one for one in register.units.values() if one.level == "province"), None)
        province = _bare(root.name) if root else ""
        committee = f"{COMMITTEE} tỉnh {province}" if province else f"{COMMITTEE} tỉnh"
        unit = register.units.get(unit_code)
        if unit is not None:
            derived = _of_unit(unit, register, committee, province)
        else:
            issuer, authority = _PROVINCE_WIDE.get(kind, _CENTRE)
            derived = _head(committee, issuer, authority, province, committee)
        for name in ("default", unit_code or f"kind.{kind}"):
            given: dict[str, Any] = dict(self.stated.get(name, {}))
            if "recipients" in given:
                given["recipients"] = tuple(given["recipients"])
            derived = replace(derived, **given)
        return derived


def _of_unit(unit: UnitEntry, register: Register, committee: str, province: str) -> Letterhead:
    if unit.level == "province":
        return _head("", committee, _AUTHORITY["province"], province, "Văn phòng Chính phủ")
    if unit.level == "commune":
        own = unit.name.removeprefix("UBND ").removeprefix(f"{COMMITTEE} ")
        issuer = f"{COMMITTEE} {own[:1].lower()}{own[1:]}"
        return _head(committee, issuer, _AUTHORITY["commune"], _bare(own), committee)
    parent = register.units.get(unit.parent_code or "")
    superior = committee if parent is None or parent.level == "province" else parent.name
    issuer = unit.name.removesuffix(f" tỉnh {province}")  # whose it is, its superior's name says
    return _head(superior, issuer, _AUTHORITY.get(unit.level or "", "THỦ TRƯỞNG ĐƠN VỊ"), province, superior)


def _head(superior: str, issuer: str, authority: str, place: str, addressee: str) -> Letterhead:
    named = [word for word in issuer.replace("-", " ").split() if word[0].isalpha() and word not in _SMALL_WORDS]
    initials = "".join(word[0] for word in named).upper()
    symbol = "UBND" if issuer.startswith(COMMITTEE) else initials  # a committee's leaves out whose it is
    recipients = ("Như trên", f"Lưu: VT, {symbol}")
    return Letterhead(superior, issuer, symbol, place, addressee, recipients, authority)


def _bare(name: str) -> str:
    """A place's own name, without what it is and what stands in brackets: `UBND tỉnh Minh Hải` → `Minh Hải`."""
    name = name.partition(" (")[0]
    name = name.removeprefix(f"{COMMITTEE} ").removeprefix("UBND ")
    for what in ("tỉnh ", "thành phố ", "xã ", "phường ", "đặc khu ", "thị trấn "):
        if name.lower().startswith(what):
            return name[len(what) :]
    return name
