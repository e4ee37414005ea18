# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Audit fairness
#
# Does a score mean the same for every group of dossiers? For each group (channel × kind of applicant) the mean score
# minus the late rate, with an interval. Groups serve this audit; small ones are merged.
# With `RISK_RECORD` set to the folder of a record of your own it reads yours.

# %%
import os
from datetime import UTC, date
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import pyarrow as pa

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from features.simulate.recorded import made_up_record
from training.fairness import as_json, audit, groups_of
from training.fit import SMALL, fit_judged
from training.gates import MOST_GAP, groups_alike
from training.training_set import gather

# %%
own = os.environ.get("RISK_RECORD")
size = int(os.environ.get("RISK_DOSSIERS", "8000"))
record = Record(own) if own else made_up_record(Path(mkdtemp()), size, date(2025, 1, 1), date(2026, 1, 1), seed=3)
(last,) = record.connect().sql("SELECT max(known_at) FROM event").fetchall()[0]
cutoff = last.replace(tzinfo=UTC)
sample = gather(record.connect(cutoff=cutoff), cutoff, VIETNAM)

# %% [markdown]
# ## Scores of dossiers that the model had not learnt
# The judged rows of later slices, scored by models fitted before them.

# %%
model, choices = fit_judged(sample, target="lateness", recipes={"small": SMALL})
judged = sample.take(choices.rows)
group = groups_of(judged.matrix.take(pa.array(range(len(judged)))), judged.dossier)
found = audit(judged.label, choices.score, judged.dossier, group)
for one in found:
    print(f"{one.name:28s} n={one.n:6d} late {one.late:.3f} score {one.score:.3f} listed {one.selected:.1%}")
gate = groups_alike(as_json(found))
print("gate", "holds" if gate.holds else "refuses", "·", gate.words)

# %%
figure, axes = plt.subplots(figsize=(8, 0.5 * len(found) + 1.5))
for place, one in enumerate(found[::-1]):
    axes.plot([one.gap.low, one.gap.high], [place, place], color="tab:blue", linewidth=3)
    axes.plot([one.gap.value], [place], "o", color="tab:blue")
axes.axvspan(-MOST_GAP, MOST_GAP, color="0.92")
axes.axvline(0, color="grey", linewidth=1)
axes.set_yticks(range(len(found)), [f"{one.name} (n = {one.n})" for one in found[::-1]])
axes.set_xlabel("mean score − late rate, 95 % interval; grey: let through by the gate")
worst = max(found, key=lambda one: abs(one.gap.value))
axes.set_title(f"The largest gap is {worst.gap.value:+.1%}, in {worst.name}")
figure.tight_layout()
