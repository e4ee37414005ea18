"""The part of the matrix that the references work out too: 40 features of every grain."""

HOUR = 3.6e9
QUEUE = {"arrived_7": ("arrived", 7), "arrived_30": ("arrived", 30), "arrived_90": ("arrived", 90),
         "closed_90": ("closed", 90), "closed_w_90": ("closed_w", 90), "late_90": ("late", 90),
         "known_90": ("known", 90)}  # fmt: skip
"""Totals of officials, units and procedures over the last so many days: name → (what is summed, days)."""
STEP = {"ended_365": ("ended", 365), "left_w_365": ("left_w", 365)}
"""The same of steps."""

_OWN = ("events", "returns", "steps", "officials", "handovers", "longest_gap_hours", "hours_left", "promise_used",
        "days_left", "silent_hours", "held_hours", "received_weekday", "overall_late_rate")  # fmt: skip
_PAST = ("open", "overdue", "late_rate", "late_rate_90", "known")
_ARRIVED = ("arrived_7", "arrived_30", "arrived_90", "closed_90")

NAMES = (
    *_OWN,
    *(f"{key}_{name}" for key in ("official", "unit") for name in (*_PAST, *_ARRIVED)),
    *(f"procedure_{name}" for name in (*_PAST, "arrived_30", "hours")),
    "step_left_hours",
    "step_late_rate",
)
"""The features, in the order of the references' files."""
