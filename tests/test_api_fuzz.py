"""The API under generated requests, by every role: no crash, no status that its description does not name."""

from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
import schemathesis
from drawn_office import draw_office, seal_plan
from drawn_people import NOW, token
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from serving.api.app import create_app
from serving.rights import Role

pytestmark = pytest.mark.slow

AFTER = NOW + timedelta(days=27)
EXAMPLES = 4  # generated ones, on top of the boundary cases of each operation, for each of eight readers

_installation = draw_office(Path(mkdtemp(prefix="risk-fuzz")))
seal_plan(_installation)
_app = create_app(_installation, now=lambda: AFTER, poll_seconds=3600)
_app.state.refresh()
_tokens = {role: token(_installation, role, now=AFTER, unit="x1" if role is Role.UNIT_HEAD else "*") for role in Role}
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", _app)


@pytest.mark.parametrize("role", [*Role, None], ids=str)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_no_crash_and_no_undocumented_status(case: schemathesis.Case, role: Role | None) -> None:
    headers = {"Authorization": f"Bearer {_tokens[role]}"} if role else {}
    answer = case.call(headers=headers)
    assert answer.status_code < 500 or answer.status_code == 503  # 503: this home has no model to score with
    case.validate_response(answer, checks=[status_code_conformance, content_type_conformance])
