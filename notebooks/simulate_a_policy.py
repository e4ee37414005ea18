# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Simulate a policy
#
# Which way of choosing visits finds much, and still knows how much there is? In a made-up province the truth is known:
# every policy is replayed month by month, and sees only what its own visits brought.
# With `RISK_DOSSIERS` the province gets another size; a replay needs a truth, so it has no path of one's own.

# %%
import os
from datetime import date

import matplotlib.pyplot as plt
import numpy as np

from features.simulate import simulate
from tests.bench.replay.policies import FlooredPower, Greedy, Practice
from tests.bench.replay.policy import Policy
from tests.bench.replay.province import World, run

# %%
size = int(os.environ.get("RISK_DOSSIERS", "20000"))
made = simulate(4, size, date(2025, 1, 1), date(2026, 1, 1), policy=None)
world = World.of(made.tables, made.inspectorate)

# %% [markdown]
# ## Four policies, the same budget
# Present practice, the highest risk, pure chance, and a draw that rises with risk and keeps a random share.

# %%
policies: list[Policy] = [
    Practice(),
    Greedy(),
    FlooredPower("all at random", random_share=1.0, power=0.0),
    FlooredPower("20 % random, tempered", random_share=0.2, power=4.0),
]
found, error = {}, {}
for policy in policies:
    cycles = run(world, policy, 0.1, seed=1).cycles
    found[policy.name] = sum(cycle.found for cycle in cycles) / max(sum(cycle.looked for cycle in cycles), 1)
    told = [(cycle.any.naive, cycle.any.weighted, cycle.any.truth) for cycle in cycles]
    naive, weighted, truth = np.nanmean(np.array(told, float), axis=0)
    error[policy.name] = (naive if policy.name == "greedy" else weighted) / truth - 1
    print(f"{policy.name:24s} hit rate {found[policy.name]:.1%}, prevalence off by {error[policy.name]:+.0%}")

# %%
figure, axes = plt.subplots(figsize=(7.5, 4))
for name in found:
    axes.plot([100 * found[name]], [100 * error[name]], "o", markersize=9)
    axes.annotate(name, (100 * found[name], 100 * error[name]), xytext=(6, 6), textcoords="offset points")
axes.axhline(0, color="grey", linewidth=1)
axes.margins(0.25)
axes.set_xlabel("visits that find something, %")
axes.set_ylabel("error of the estimated prevalence, %")
best = max(found, key=found.__getitem__)
axes.set_title(f"{best} finds most; a draw also knows how much there is")
figure.tight_layout()
