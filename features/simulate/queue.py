"""First come, first served desks, for all officials at once (Lindley's recursion)."""

from __future__ import annotations

import numpy as np

from features.simulate.world import Floats, Ints


def first_come_first_served(desk: Ints, arrival: Floats, service: Floats) -> Floats:
    """When each job begins to be served at its own desk.

    The end of job i at one desk is D_i = max(A_i, D_{i-1}) + S_i (Lindley 1952); unrolled,
    D_i = C_i + max over j ≤ i of (A_j − C_{j−1}) with C the running sum of service, so one running
    maximum per desk gives all of them without a loop over jobs. Ties in arrival keep the given order.
    """
    order = np.lexsort((arrival, desk))
    a, s, d = arrival[order], service[order], desk[order]
    run = np.cumsum(s)
    first = np.flatnonzero(np.r_[True, d[1:] != d[:-1]])
    group = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(d)]))
    before = run - s - (run[first] - s[first])[group]
    # a step between groups larger than any value inside one keeps a single running maximum from leaking over
    slack = a - before
    lift = (float(slack.max() - slack.min()) + 1.0) * group
    begin = np.maximum.accumulate(slack + lift) - lift + before
    out: Floats = np.empty(len(begin))
    out[order] = begin
    return out
