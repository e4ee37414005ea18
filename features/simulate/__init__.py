"""A made-up Vietnamese province with queues, habits and culprits: the only place where the truth is known."""

from features.simulate.province import Province, simulate

__all__ = ["Province", "simulate"]
