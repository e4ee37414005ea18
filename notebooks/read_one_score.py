# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Read one score
#
# Where a score comes from: the sum of what each fact of the dossier adds, against an ordinary dossier. The bars are
# exact: together with the base they are the log-odds of the score.
# With `RISK_RECORD` set to the folder of a record of your own it reads yours.

# %%
import os
from datetime import UTC, date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

from features.calendar.vietnam import VIETNAM
from features.matrix.batch import build
from features.record.record import Record
from features.simulate.recorded import made_up_record
from models.cases import cohort
from models.reasons import reasons
from training.fit import SMALL, fit
from training.training_set import gather

# %%
home = Path(mkdtemp())
own = os.environ.get("RISK_RECORD")
size = int(os.environ.get("RISK_DOSSIERS", "8000"))
record = Record(own) if own else made_up_record(home, size, date(2025, 1, 1), date(2026, 1, 1), seed=3)
(last,) = record.connect().sql("SELECT max(known_at) FROM event").fetchall()[0]
as_of = last.replace(tzinfo=UTC) - timedelta(days=10)
con = record.connect(cutoff=as_of)
model = fit(gather(con, as_of, VIETNAM), target="lateness", recipes={"small": SMALL})

# %% [markdown]
# ## The dossiers open now, and the one with the highest score

# %%
matrix = build(con, cohort(con, as_of), calendar=VIETNAM)
scores = model.score(matrix)
place = int(np.argmax(scores.probability))
name, share = matrix["dossier_id"][place].as_py(), 100 * scores.probability[place]
print(f"{name}: of 100 dossiers like this about {share:.0f} are late")
for one in reasons(scores, matrix)[place]:
    print("·", one.vi, "·", one.en)

# %% [markdown]
# ## What adds up to it

# %%
terms = scores.contributions[place]
assert abs(scores.base + terms.sum() - scores.log_odds[place]) < 1e-9
strongest = np.argsort(-np.abs(terms))[:10][::-1]
figure, axes = plt.subplots(figsize=(8, 4.5))
axes.barh(
    [f"{scores.features[at]} = {matrix[scores.features[at]][place].as_py()}" for at in strongest],
    terms[strongest],
    color=["tab:red" if terms[at] > 0 else "tab:blue" for at in strongest],
)
axes.axvline(0, color="grey", linewidth=1)
axes.set_xlabel(f"adds to the log-odds; an ordinary dossier has {scores.base:+.2f}")
first = scores.features[strongest[-1]]
axes.set_title(f"{scores.probability[place]:.0%}, most of all because of {first}")
figure.tight_layout()
