"""`GET /api/v1/jobs`: what the service does by itself, and how it went."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from serving.api.answer import answer
from serving.jobs.job_status import JobStatus, job_statuses
from serving.jobs.run_log import RunLog
from serving.jobs.schedule import JobRules
from serving.read.problem import documented
from serving.use_cases.app_context import context_of

router = APIRouter(tags=["jobs"])


@dataclass(frozen=True)
class Jobs:
    """Every job that is switched on, in the order in which those that are due together begin."""

    jobs: list[JobStatus]


@router.get("/jobs", response_model=Jobs, responses=documented(503))
def list_jobs(request: Request) -> Response:
    """Last and next run of each job, how long it took, what came of it."""
    settings, people = context_of(request).serving.settings, context_of(request).people
    rules = JobRules.of(settings.home, settings.zone)
    return answer(Jobs(job_statuses(rules, RunLog(people.state), people.now())))
