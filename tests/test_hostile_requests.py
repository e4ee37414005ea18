"""Requests drawn over all routes, bodies and roles: every one is answered, none by a 5xx."""

import pytest

from serving.access.permissions import Role
from tests.bench.hostile import drawn_requests
from tests.drawn_model import drawn_model, ship
from tests.drawn_office import seal_plan
from tests.drawn_people import NOW, staffed_office


@pytest.mark.slow
def test_no_request_is_answered_by_a_fault(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = staffed_office(tmp_path_factory.mktemp("office"))
    seal_plan(settings)
    ship(settings.models, drawn_model(), "v1")
    answers = drawn_requests(settings, 1_500, seed=2, now=NOW)
    assert answers.faults == []
    assert {role for role, _ in answers.statuses} == {*Role, "nobody"}
    hundreds = {status // 100 for _, status in answers.statuses}
    assert hundreds >= {2, 3, 4}
    assert sum(count for (_, status), count in answers.statuses.items() if status in (200, 303)) > 300
