# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Officials against their peers
#
# Which officials' dossiers show signals of a kind, and how many would be usual for people in the same post with the
# same procedures. In a made-up province the truth is known, so the last figure shows who was planted.
# A signal is a reason to look, never a finding.

# %%
import os
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt

from features.record.delivery import Chunk
from features.record.record import Record
from features.signals.handled import handled
from features.simulate import simulate
from models.conduct_peers import officials

# %%
dossiers = int(os.environ.get("RISK_DOSSIERS", "20000"))
province = simulate(seed=2, dossiers=dossiers, start=date(2025, 1, 1), end=date(2026, 1, 1))
record = Record(Path(mkdtemp()) / "record")
chunks = [Chunk(name, table) for name, table in province.tables.items()]
print(record.append(chunks, source="simulated", arrived_at=datetime(2026, 1, 2, tzinfo=UTC)))

# %% [markdown]
# ## Signals charged to acts
# One row an official and dossier; a signal is charged to whoever did the act it rests on.

# %%
acted = handled(record.connect(), datetime(2026, 1, 1, tzinfo=UTC))
position = {row["official_id"]: row["position"] or "" for row in province.tables["official"].to_pylist()}
standings = [one for one in officials(acted, position) if one.score is not None]
for one in standings[:8]:
    print(f"{one.key}  {one.family:8s} {one.observed:4d} of {one.n:5d}, usual {one.expected:6.1f}  flag={one.flag}")

# %% [markdown]
# ## Who stands out
# The posterior interval of observed to expected, for the twenty who stand out most.

# %%
truth = {row["official_id"]: row["culprit"] for row in province.truth["official"].to_pylist()}
top = standings[:20][::-1]
figure, axes = plt.subplots(figsize=(8, 6))
for place, one in enumerate(top):
    colour = "tab:red" if truth.get(one.key) else "tab:blue"
    axes.plot([one.low, one.high], [place, place], color=colour, linewidth=3)
    axes.plot([one.ratio], [place], "o", color=colour)
axes.axvline(1, color="grey", linewidth=1)
axes.set_xscale("log")
axes.set_yticks(range(len(top)), [f"{one.family}, n = {one.n}" for one in top])
axes.set_xlabel("observed ÷ expected, 95 % interval (red: planted)")
planted = sum(bool(truth.get(one.key)) for one in standings)
found = sum(bool(truth.get(one.key)) for one in top)
axes.set_title(f"{found} of {planted} planted officials are among the twenty")
figure.tight_layout()
