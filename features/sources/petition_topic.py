"""What a complaint is about, by the platform's tag, else by its words. Helps triage; scores nobody."""

import re
from functools import lru_cache

from features.spelling.names import plain

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
