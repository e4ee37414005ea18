"""Complaints read for triage: topic, codes, copies, floods. They help to sort an inbox and score nobody."""

from features.complaints.triage import triage

__all__ = ["triage"]
