"""Made-up names, identity numbers and phones: nobody's, but findable, so that a test can look for leaks.

Citizens and officials draw from different family names, so that a name found somewhere says whose it is.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

OFFICIAL_FAMILIES = (
    "Nguyễn",
    "Lê",
    "Phạm",
    "Hoàng",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Trịnh",
)
CITIZEN_FAMILIES = (
    "Âu",
    "Bạch",
    "Cù",
    "Diệp",
    "Giáp",
    "Khúc",
    "Lỗ",
    "Mạc",
    "Nghiêm",
    "Ông",
    "Quách",
    "Tôn",
    "Ứng",
)
MIDDLES = (
    "Văn",
    "Thị",
    "Hữu",
    "Ngọc",
    "Đức",
    "Minh",
    "Thanh",
    "Quốc",
    "Kim",
    "Xuân",
    "Thu",
    "Anh",
    "Bảo",
    "Gia",
)
GIVENS = (
    "Thử", "Mẫu", "Dụ", "Giả", "Hư", "Cấu", "Ví", "Trình", "Chậm", "Cửa", "Phường",
    "Chủ", "Hoà", "Thuỷ", "Quý", "Lụa", "Bằng", "Cường", "Dũng", "Giang", "Hạnh", "Khoa",
    "Liên", "Mai", "Nam", "Oanh", "Phúc", "Quân", "Sơn", "Tâm",
)  # fmt: skip


def _name(families: tuple[str, ...], number: int) -> str:
    """The number-th name: all of them differ until families × middles × middles × givens are used up."""
    number, given = divmod(number, len(GIVENS))
    number, middle = divmod(number, len(MIDDLES))
    number, family = divmod(number, len(families))
    second = "" if number == 0 else f" {MIDDLES[(number - 1) % len(MIDDLES)]}"
    return f"{families[family]} {MIDDLES[middle]}{second} {GIVENS[given]}"


def official_names(rng: np.random.Generator, official_id: list[str]) -> dict[str, str]:
    """A display name for every official; three in a hundred share theirs with somebody, mostly elsewhere."""
    numbers = rng.permutation(len(OFFICIAL_FAMILIES) * len(MIDDLES) * len(GIVENS))
    chosen = np.resize(numbers, len(official_id))
    twins = np.flatnonzero(rng.random(len(official_id)) < 0.03)
    chosen[twins] = chosen[(twins + 57) % len(chosen)]
    return {who: _name(OFFICIAL_FAMILIES, int(n)) for who, n in zip(official_id, chosen, strict=True)}


class Citizens:
    """Applicants and agents by their opaque id in the canonical tables."""

    def __init__(self, seed: int) -> None:
        self._shift = int(np.random.default_rng([seed, 99]).integers(1, 4_000_000))
        self._met: dict[str, tuple[str, str, str, str]] = {}

    def person(self, who: str) -> tuple[str, str, str, str]:
        """Name, identity number (12 digits), phone and address of one person."""
        if who not in self._met:
            number = int(who[1:]) + (5_000_000 if who[0] == "G" else 0)
            mixed = (number * 7_368_787 + self._shift) % 1_000_000_007
            self._met[who] = (
                _name(CITIZEN_FAMILIES, number),
                f"099{mixed:09d}"[:12],
                f"09{(mixed * 31 + number) % 100_000_000:08d}",
                f"Số {mixed % 300 + 1}, tổ {number % 20 + 1}, xã Tân Mẫu, tỉnh Minh Hải",
            )
        return self._met[who]

    def table(self) -> pa.Table:
        """Everybody who was named in a delivery: person_id, name, identity, phone."""
        return pa.table({
            "person_id": list(self._met),
            "name": [name for name, *_ in self._met.values()],
            "identity": [identity for _, identity, *_ in self._met.values()],
            "phone": [phone for _, _, phone, _ in self._met.values()],
        })  # fmt: skip
