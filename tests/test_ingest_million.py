"""A million portal events in one envelope: a minute of processor time, less than a gigabyte."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.drawn_record import progress

EVENTS = 1_000_000
STEPS = (
    (2, "Tiếp nhận hồ sơ"), (4, "Thẩm định hồ sơ"), (4, "Trình lãnh đạo ký"), (5, "Yêu cầu bổ sung giấy tờ"),
    (4, "Công dân đã gửi bổ sung"), (9, "Ký, ban hành kết quả"), (10, "Trả kết quả"),
)  # fmt: skip
NAMES = [f"{family} {middle} {given}" for family in ("Nguyễn", "Lê", "Phạm", "Võ") for middle in ("Văn", "Thị", "Đức")
         for given in ("An", "Bình", "Chi", "Dũng", "Giang", "Hà")]  # fmt: skip
RUN = """
import resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from tests.bench.contender import peak_kilobytes
from serving.work.intake import take_in
from serving.settings import Settings
home, path = map(Path, sys.argv[1:])
receipt = take_in(Settings.from_env(home), path, "dvcqg", arrived_at=datetime(2027, 1, 1, tzinfo=UTC))
used = resource.getrusage(resource.RUSAGE_SELF)
print(receipt, used.ru_utime + used.ru_stime, peak_kilobytes())
"""


def envelope() -> Iterator[bytes]:
    yield b'{"session":"s","madonvi":"000.00.24.H99","service":"CapNhatTienDoHoSoMC","data":['
    for number in range(EVENTS):
        dossier, step = divmod(number, 10)
        status, action = STEPS[step % 7]
        day = f"2026{(dossier // 12000) % 12 + 1:02d}{(dossier // 400) % 26 + 1:02d}"
        at = f"{day}{8 + step:02d}{dossier % 60:02d}{(dossier // 60) % 60:02d}"
        code = f"H99.{dossier % 140 + 1}-{day[2:]}-{dossier % 100000:05d}"
        item = orjson.dumps(progress(code, at, status, action, NAMES[(dossier * 7 + step) % len(NAMES)]))
        yield item if number == 0 else b"," + item
    yield b"]}"


@pytest.mark.slow
def test_a_million_events_in_a_minute_and_a_gigabyte(tmp_path: Path) -> None:
    """Processor seconds of the whole process, for others may use the machine: on two cores the wall clock is less."""
    with (tmp_path / "big.json").open("wb") as file:
        file.writelines(envelope())
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "home"), str(tmp_path / "big.json")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    *receipt, seconds, kilobytes = done.stdout.split()[-6:]
    assert receipt == ["read=1000000", "appended=1000000", "known=0", "rejected=0"]
    assert float(seconds) < 60
    assert int(kilobytes) < 1_000_000
