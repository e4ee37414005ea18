"""Complaints: 1022-type platforms and one-stop systems' own forms (domain.md 1.6).

Whom a complaint is about stands in its text, if anywhere: the dossier's code is looked for there. Who complains
becomes an opaque id, nothing at all where the complaint is anonymous; the text is kept scrubbed
(`features.sources.redact`), the office's answer behind the mark `ANSWER`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from features.record.delivery import Chunks
from features.sources import FeedOptions
from features.sources.json_stream import items
from features.sources.redact import scrub
from features.sources.row_builder import RowBuilder, harvested
from features.spelling.codes import dossier_codes_in
from features.spelling.names import plain

ANSWER = "\n[trả lời] "
_CHANNELS = (
    ("1022", "hotline_1022"), ("dvcqg", "portal"), ("cong dich vu cong", "portal"), ("cong thong tin", "portal"),
    ("dien thoai", "phone"), ("duong day nong", "phone"), ("hom thu", "box"), ("thu gop y", "box"),
    ("bao chi", "press"), ("mat tran", "front"), ("ung dung", "portal"), ("cong", "portal"),
)  # fmt: skip
_ANSWERED = ("resultDate", "processedDate", "finishedDate", "completedDate", "NgayTraLoi")


def read(path: Path, options: FeedOptions) -> Chunks:
    """The complaints of the delivery at `path`: JSON, one object or many."""
    yield from harvested(items(path), options, _read)


def _read(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    if "createdDate" in item:
        _read_petition(harvest, item)
    elif "NgayGui" in item:
        _read_form(harvest, item)
    else:
        harvest.reject("", "a complaint with createdDate or NgayGui", "an object of another kind")


def _string(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def _read_petition(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """One `PhanAnh` of a 1022-type platform."""
    filed = harvest.moment("filed_at", item.get("createdDate"))
    complaint_id = _string(item, "code") or str(item.get("id") or "")
    if filed is None or not complaint_id:
        harvest.reject("complaint_id" if filed else "filed_at", "a value", None)
        return
    reporter = item.get("reporter")
    anonymous = item.get("isAnonymous") is True
    tags = item.get("tag")
    names = [_string(tag, "name") for tag in (tags if isinstance(tags, list) else [tags])]
    _row(
        harvest, complaint_id[:100], filed, (_string(item, "title"), _string(item, "description")),
        _string(item, "result"), tuple(names),
        channel=_channel(_string(item, "receptionMethodDescription")), anonymous=anonymous,
        who=tuple(_string(reporter, name) for name in ("identityId", "fullname", "phone", "address")),
        agency=_string(item.get("agency"), "name"), due_at=harvest.moment("due_at", item.get("dueDate")),
        answered_at=_answered(harvest, item), verdict=_verdict(item.get("status")),
    )  # fmt: skip


def _read_form(harvest: RowBuilder, item: Mapping[str, Any]) -> None:
    """One `PhanAnhKienNghi` of a one-stop system's own form."""
    filed = harvest.moment("filed_at", item.get("NgayGui"))
    if filed is None:
        harvest.reject("filed_at", "a value", None)
        return
    who = tuple(_string(item, name) for name in ("", "HoTen", "SoDienThoai", "DiaChi"))
    complaint_id = str(item.get("Id") or "") or (
        "f-" + (harvest.people.account(f"{_string(item, 'UserId')}{filed}{_string(item, 'TieuDe')}") or "")[2:]
    )
    _row(
        harvest, complaint_id[:100], filed, (_string(item, "TieuDe"), _string(item, "NoiDung")),
        _string(item, "NoiDungTraLoi"), (), channel="portal", anonymous=not any(who), who=who, agency="",
        due_at=None, answered_at=_answered(harvest, item), verdict=None,
    )  # fmt: skip


def _row(
    harvest: RowBuilder, complaint_id: str, filed: datetime, title_and_body: tuple[str, str], answer: str,
    tags: tuple[str, ...], *, channel: str, anonymous: bool, who: tuple[str, ...], agency: str, due_at: datetime | None,
    answered_at: datetime | None, verdict: str | None,
) -> None:  # fmt: skip
    title, body = (harvest.text("text", part) or "" for part in title_and_body)
    codes = dossier_codes_in(f"{title} {body}")
    identity, name, phone, address = who
    text = scrub(f"{title}. {body}", who) or ""
    reply = scrub(harvest.text("text", answer), who)
    ordered = {"due_at": due_at, "answered_at": answered_at}
    for column, moment in ordered.items():
        if moment is not None and moment < filed:
            harvest.reject(column, "not before filed_at", moment)
            ordered[column] = None
    harvest.row(
        "complaint", complaint_id=complaint_id, filed_at=filed, channel=channel, anonymous=anonymous,
        complainant_id=None if anonymous else harvest.people.citizen(identity, name, phone or address),
        topic=topic(tags, f"{title} {body}"), dossier_id=codes[0] if codes else None,
        unit_code=harvest.unit(filed, name=agency, dossier=codes[0] if codes else ""), due_at=ordered["due_at"],
        answered_at=ordered["answered_at"], verdict=verdict, text=f"{text}{ANSWER}{reply}" if reply else text,
    )  # fmt: skip


def _channel(words: str) -> str:
    method = plain(words)
    return next((channel for part, channel in _CHANNELS if part in method), "other")


def _verdict(status: object) -> str | None:
    """Status 1, 2: open; 4: taken back; 3, processed, says that there is an answer, not what it found."""
    return {"1": "pending", "2": "pending", "4": "withdrawn"}.get(str(status))


def _answered(harvest: RowBuilder, item: Mapping[str, Any]) -> datetime | None:
    """When the complaint was answered: the platform's own date, else its last step once it is processed."""
    for name in _ANSWERED:
        if item.get(name):
            return harvest.moment("answered_at", item[name])
    steps = item.get("history")
    if str(item.get("status")) != "3" or not isinstance(steps, list):
        return None
    moments = [harvest.moment("answered_at", step.get("date")) for step in steps if isinstance(step, Mapping)]
    return max((moment for moment in moments if moment), default=None)


_TAGS = (
    ("conduct", r"hanh vi|can bo|cong chuc|thai do"),
    ("lateness", r"cham|tre han|qua han"),
    ("procedure", r"quy dinh|thu tuc hanh chinh"),
)
_WORDS = (
    ("bribe", r"hoi lo|dua tien|doi tien|voi vinh|boi duong|phong bi|boi tron|lot tay|chung chi tien|tien ngoai"),
    (
        "extra_papers",
        (
            r"khong co trong (?:danh muc|thanh phan)|giay to ngoai|them giay|yeu cau them|ngoai quy dinh"
            r"|bo sung (?:nhieu|hai|ba) lan"
        ),
    ),
    ("conduct", r"thai do|quat|mang|cua quyen|hach sach|sach nhieu|nhung nhieu|phien ha|ne tranh|dun day|gay kho"),
    ("lateness", r"cham|tre|qua han|qua hen|chua (?:giai quyet|tra|co ket qua)|keo dai"),
    ("procedure", r"thu tuc|quy dinh|huong dan|mau don"),
)


@lru_cache(maxsize=4096)
def topic(tags: tuple[str, ...], text: str) -> str:
    """One of the topics of the feed contract; `other` where neither tag nor words show it."""
    named = plain(" ".join(tags))
    for found, pattern in _TAGS if named.strip() else ():
        if re.search(pattern, named):
            return found
    words = plain(text)
    return next((found for found, pattern in _WORDS if re.search(pattern, words)), "other")
