"""`risk bench`: how fast and how sturdy the service is on this machine, beside references of the same run.

A contender that is compared by processor time or memory runs in a process of its own (`contender`); what comes
out is a `Section` of `models/cards/benchmarks.md` (`section`).
"""

from serving.cli.bench import (  # noqa: F401 -- each joins the group
    cluster,
    everything,
    faults,
    figures,
    fuzz,
    latency,
    matrix,
    model_kills,
    next_day,
    overload,
    pages,
    requests,
    rolling,
    scoring,
    warnings,
)
from serving.cli.bench.group import bench, commands

__all__ = ["bench", "commands"]
