"""How fast and how sturdy the service is on this machine, beside references of the same run: `python -m tests.bench`.

A contender that is compared by processor time or memory runs in a process of its own (`contender`); what comes
out is a `Section` of `models/cards/benchmarks.md` (`section`). `replay` plays policies over histories whose outcomes
are known. None of it ships in the wheel.
"""

from tests.bench import (  # noqa: F401 -- each joins the group
    candidates,
    cluster,
    conduct,
    container,
    deliveries,
    everything,
    faults,
    figures,
    fuzz,
    half_sent,
    hostile,
    labels,
    latency,
    learners,
    matrix,
    model_kills,
    mutants,
    next_day,
    nights,
    overload,
    pages,
    reasons,
    remaining_time,
    replay_commands,
    reports,
    requests,
    rolling,
    scoring,
    unlawful_moves,
    warnings,
    warnings_replay,
)
from tests.bench.group import bench

__all__ = ["bench"]
