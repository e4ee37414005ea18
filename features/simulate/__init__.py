"""A made-up Vietnamese province with queues, habits and culprits: the only place where the truth is known.

province = simulate(seed=1, dossiers=20_000)
province.write(folder)                   # a canonical feed
province.truth["official"]               # who was planted as what
inspectorate = province.inspectorate()   # replay another inspection policy, month by month
"""

from features.simulate.conduct import KINDS
from features.simulate.inspection import Inspectorate, Policy, every_unit_monthly
from features.simulate.province import Province
from features.simulate.simulation import simulate

__all__ = ["KINDS", "Inspectorate", "Policy", "Province", "every_unit_monthly", "simulate"]
