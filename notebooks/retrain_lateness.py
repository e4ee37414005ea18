# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Retrain lateness and read the result
#
# What an analyst does each month: learn from what was known at a cutoff, ask the gates, and look at what came after.
# It makes up a province; with `RISK_RECORD` set to the folder of a record of your own it reads yours.

# %%
import os
from datetime import UTC, date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt

from features.calendar.vietnam import VIETNAM
from features.record.record import Record
from features.simulate.recorded import made_up_record
from models.cases import landmarks
from training.evaluate import curve
from training.gates import gates_of
from training.run import train
from training.training_set import WEEK, labelled_rows

# %%
home = Path(mkdtemp())
own = os.environ.get("RISK_RECORD")
size = int(os.environ.get("RISK_DOSSIERS", "8000"))
record = Record(own) if own else made_up_record(home, size, date(2025, 1, 1), date(2026, 1, 1), seed=3)
(last,) = record.connect().sql("SELECT max(known_at) FROM event").fetchall()[0]
until = last.replace(tzinfo=UTC)
cutoff = until - timedelta(days=90)

# %% [markdown]
# ## Learn, and ask the gates
# Recipe, blend and calibration are chosen on later slices inside the training period; the gates say by how much.

# %%
trained = train(record, cutoff, home / "models", calendar=VIETNAM)
print("blend:", {name: round(weight, 2) for name, weight in trained.model.weights.items()})
for gate in gates_of(trained.model.about):
    print("holds  " if gate.holds else "REFUSES", gate.name, "·", gate.words)

# %% [markdown]
# ## What came after
# Dossiers open at the weekly landmarks of the next weeks, with labels that have ripened since.

# %%
cases = landmarks(record.connect(cutoff=until), cutoff, cutoff + timedelta(days=45), every=WEEK)
later = labelled_rows(record.connect(cutoff=until), cases, until, VIETNAM)
score, rule = trained.model.probability(later.matrix), trained.model.rule_probability(later.matrix)

# %%
figure, axes = plt.subplots(figsize=(5.5, 5.5))
axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
for name, said in (("model", score), (f"rule: {trained.model.rule}", rule)):
    points = curve(later.label, said)
    axes.plot([one for one, *_ in points], [late for _, late, _ in points], "o-", label=name)
axes.set_xlabel("score, mean of a tenth of the landmarks")
axes.set_ylabel("late")
axes.legend()
top = curve(later.label, score)[-1]
axes.set_title(f"Of the tenth with the highest scores {top[1]:.0%} were late, of all {later.label.mean():.0%}")
figure.tight_layout()
