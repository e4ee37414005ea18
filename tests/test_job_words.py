"""A job's calendar in words."""

import pytest

from serving.jobs.schedule import JOBS
from serving.pages.jobs import cron_words


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("*/5 * * * *", "mỗi 5 phút"),
        ("30 1 * * *", "hằng ngày lúc 01:30"),
        ("0 3 * * mon", "thứ hai lúc 03:00"),
        ("0 * * * *", "mỗi giờ, phút 00"),
        ("15 4 1 * *", "ngày 1 hằng tháng lúc 04:15"),
        ("0 8-17 * * mon-fri", "0 8-17 * * mon-fri"),
    ],
)
def test_a_calendar_reads_as_words(cron: str, words: str) -> None:
    assert cron_words(cron) == words


def test_no_job_of_ours_shows_a_calendar_in_code() -> None:
    assert [job.name for job in JOBS if "*" in cron_words(job.cron)] == []
