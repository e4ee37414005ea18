"""The API under generated requests, by every role: no crash, no status that its description does not name."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from serving.access.permissions import Role
from serving.app import create_app
from serving.jobs import model_jobs
from serving.jobs.run_log import DONE
from tests.bench.fuzz import Started
from tests.drawn_office import draw_office, seal_plan
from tests.drawn_people import NOW, token

pytestmark = pytest.mark.slow

AFTER = NOW + timedelta(days=27)
EXAMPLES = int(os.environ.get("RISK_FUZZ_EXAMPLES", "4"))
"""Generated ones, on top of the boundary cases of each operation, for each of seven readers; 40 make over 5,000 cases:
`RISK_FUZZ_EXAMPLES=40 pytest tests/test_api_fuzz.py --slow -s`, which prints the count."""

_installation = draw_office(Path(mkdtemp(prefix="risk-fuzz")))
seal_plan(_installation)
_app = Started(create_app(_installation, now=lambda: AFTER, poll_seconds=3600))
_tokens = {role: token(_installation, role, now=AFTER, unit="x1" if role is Role.UNIT_HEAD else "*") for role in Role}
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", _app)


asked: Counter[str] = Counter()
"""Cases by reader and by the hundred of the status that answered them."""


@pytest.fixture(scope="module", autouse=True)
def learns_nothing() -> Iterator[None]:
    """Work on models that a request begins would go on for half an hour beside the other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_jobs, "_command", lambda home, words: (DONE, ""))
        yield


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """Prints how many cases were asked of whom, and how they were answered."""
    yield
    cases = sum(count for name, count in asked.items() if not name.startswith("status"))
    print(f"\nschemathesis: {cases} cases, {dict(sorted(asked.items()))}", file=sys.stderr)
    assert cases >= 7 * len(list(schema.get_all_operations()))


@pytest.mark.parametrize("role", [*Role, None], ids=str)
@schema.parametrize()
@settings(max_examples=EXAMPLES, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_crash_and_no_undocumented_status(case: schemathesis.Case, role: Role | None) -> None:
    headers = {"Authorization": f"Bearer {_tokens[role]}"} if role else {}
    answer = case.call(headers=headers)
    asked.update([str(role), f"status {answer.status_code // 100}xx"])
    assert answer.status_code < 500 or answer.status_code == 503  # 503: this home has no model to score with
    case.validate_response(answer, checks=[status_code_conformance, content_type_conformance])
