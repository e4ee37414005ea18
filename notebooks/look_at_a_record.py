# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Look at a record
#
# What was delivered, when it could be known, and where dossiers run late. It makes up a province and reads that;
# with `RISK_RECORD` set to the folder of a record of your own (`RISK_HOME/record`) it reads yours.

# %%
import os
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt

from features.record.delivery import Chunk
from features.record.record import Record
from features.simulate import simulate

# %% [markdown]
# ## The record
# Everything is appended, nothing changed; `version` counts the deliveries and names what a training run saw.

# %%
folder = os.environ.get("RISK_RECORD")
if folder is None:
    dossiers = int(os.environ.get("RISK_DOSSIERS", "20000"))
    province = simulate(seed=1, dossiers=dossiers, start=date(2025, 1, 1), end=date(2026, 1, 1))
    folder = str(Path(mkdtemp()) / "record")
    chunks = [Chunk(name, table) for name, table in province.tables.items()]
    print(Record(folder).append(chunks, source="simulated", arrived_at=datetime(2026, 1, 2, tzinfo=UTC)))
con = Record(folder).connect()
print("version", Record(folder).version())

# %% [markdown]
# ## Where dossiers run late
# Late: the processing end lies after the first promise. Dossiers without an end or a promise are left out here;
# the model's own label is more careful (`models/cases.py`).

# %%
late = con.sql("""
    WITH course AS (
        SELECT dossier_id, min(happened_at) FILTER (kind IN ('refused', 'decided', 'withdrawn')) AS end_at
        FROM event GROUP BY dossier_id
    ), last_version AS (
        SELECT dossier_id, arg_max(procedure_code, (known_at, row_id)) AS procedure_code,
               min(due_at) AS due_at, min(received_at) AS received_at
        FROM dossier GROUP BY dossier_id
    )
    SELECT coalesce(s.sector_name, p.sector_code, '?') AS sector, count(*) AS dossiers,
           avg(CAST(c.end_at > v.due_at AS DOUBLE)) AS late
    FROM last_version v JOIN course c USING (dossier_id)
    LEFT JOIN procedure p USING (procedure_code) LEFT JOIN sector s USING (sector_code)
    WHERE c.end_at IS NOT NULL AND v.due_at IS NOT NULL
    GROUP BY sector ORDER BY late DESC
""").fetchall()

# %%
figure, axes = plt.subplots(figsize=(8, 0.35 * len(late) + 1))
axes.barh([f"{sector} (n = {n})" for sector, n, _ in late][::-1], [100 * share for *_, share in late][::-1])
axes.set_xlabel("late, % of ended dossiers with a promise")
axes.set_title(f"One sector is late {late[0][2]:.0%} of the time, another {late[-1][2]:.0%}")
figure.tight_layout()
