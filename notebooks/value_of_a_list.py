# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The value of a list
#
# How many late dossiers a list holds, and what its findings say about all that were not looked at. Only a draw with
# known probabilities can say it: the mean of a list made by risk alone is far off.
# With `RISK_RECORD` set to the folder of a record of your own it reads yours.

# %%
import os
from datetime import UTC, date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from features.simulate.recorded import made_up_record
from models.cases import landmarks
from models.value import doubly_robust, hajek
from tests.bench.replay.policies import FlooredPower, Greedy
from training.fit import SMALL, fit
from training.training_set import WEEK, gather, labelled_rows

# %%
own = os.environ.get("RISK_RECORD")
size = int(os.environ.get("RISK_DOSSIERS", "8000"))
record = Record(own) if own else made_up_record(Path(mkdtemp()), size, date(2025, 1, 1), date(2026, 1, 1), seed=3)
(last,) = record.connect().sql("SELECT max(known_at) FROM event").fetchall()[0]
until = last.replace(tzinfo=UTC)
cutoff = until - timedelta(days=120)
model = fit(gather(record.connect(cutoff=cutoff), cutoff, VIETNAM), target="lateness", recipes={"small": SMALL})

# %% [markdown]
# ## Everything that could be listed, with what became of it

# %%
con = record.connect(cutoff=until)
pool = labelled_rows(con, landmarks(con, cutoff, cutoff + timedelta(days=60), every=WEEK), until, VIETNAM)
score = model.probability(pool.matrix)
budget = max(20, len(pool) // 10)
names = [str(row) for row in range(len(pool))]
groups = np.zeros(len(pool), np.int64)

# %% [markdown]
# ## Two lists of the same length
# Greedy takes the highest scores; the tempered draw gives everyone a known chance that rises with the score.

# %%
told = {}
for policy in (Greedy(), FlooredPower("draw", random_share=0.2, power=4.0)):
    chosen = policy.choose(score, groups, names, budget, "notebook")
    late = pool.label[chosen.rows]
    told[policy.name] = (late, chosen)
    print(f"{policy.name}: {late.sum():.0f} late of {budget}")
late, chosen = told["draw"]
estimates = {
    "mean of the greedy list": told["greedy"][0].mean(),
    "mean of the draw": late.mean(),
    "Hájek": hajek(late, chosen.probability[chosen.rows]),
    "doubly robust": doubly_robust(late, chosen.probability[chosen.rows], score[chosen.rows], score),
}

# %%
figure, axes = plt.subplots(figsize=(8, 3))
for place, said in enumerate(reversed(estimates.values())):
    value = said if isinstance(said, float) else said.value
    axes.plot([value], [place], "o", color="tab:blue")
    if not isinstance(said, float):
        axes.plot([said.low, said.high], [place, place], color="tab:blue", linewidth=3)
axes.axvline(pool.label.mean(), color="tab:red", linewidth=1)
axes.set_yticks(range(len(estimates)), list(reversed(estimates)))
axes.set_xlabel("share late of everything open (red: the truth)")
axes.set_title(f"The list holds {told['greedy'][0].mean():.0%} late; of all, {pool.label.mean():.0%} are")
figure.tight_layout()
