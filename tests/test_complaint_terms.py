"""A complaint keeps the terms of the law that was in force when it was filed."""

from datetime import UTC, date, datetime

import pytest

from features.calendar.vietnam import VIETNAM
from serving.work import complaints
from serving.work.complaints import TERMS, TermsInForce, terms_of

SHORTER = TermsInForce(date(2026, 7, 1), "a later decree", {"refused": 2, "asked": 3, "handled": 10, "published": 2})


@pytest.mark.parametrize(
    ("filed_at", "handled"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), 15),
        (datetime(2026, 6, 30, 16, 59, tzinfo=UTC), 15),  # 23:59 of 30 June in Vietnam
        (datetime(2026, 6, 30, 17, 0, tzinfo=UTC), 10),  # midnight of 1 July
    ],
)
def test_terms_change_on_the_local_day_of_force(
    monkeypatch: pytest.MonkeyPatch, filed_at: datetime, handled: int
) -> None:
    monkeypatch.setattr(complaints, "TERMS", (*TERMS, SHORTER))
    assert terms_of(filed_at, VIETNAM)["handled"] == handled


def test_terms_stand_oldest_first_and_tell_of_every_step() -> None:
    days = [one.valid_from for one in TERMS]
    assert days == sorted(set(days))
    assert days[0] == date.min
    assert all(set(one.days) == set(complaints.STEPS) and one.source for one in TERMS)
