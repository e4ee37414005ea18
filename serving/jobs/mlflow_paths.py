"""Paths in a local `mlflow.db`: MLflow keeps them absolute, so a home that moved is mended by rewriting them."""

import sqlite3
from pathlib import Path

COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
    ("trace_tags", "value"),
    ("datasets", "dataset_source"),
)
"""Where MLflow 3 keeps locations of artefacts; columns that a version does not have are passed over."""

FOLDER = "mlartifacts"


def relocate(home: Path) -> int:
    """Makes locations that end in another home's `mlartifacts/…` those of `home`; how many were changed.

    Nothing where there is no `mlflow.db`: a tracking server keeps its own.
    """
    database = home / "mlflow.db"
    if not database.exists():
        return 0
    here, changed = (home.resolve() / FOLDER).as_uri(), 0
    con = sqlite3.connect(database, timeout=30)
    try:
        with con:
            for table, column in COLUMNS:
                if column not in {row[1] for row in con.execute(f"PRAGMA table_info({table})")}:
                    continue
                olds = con.execute(
                    f"SELECT DISTINCT {column} FROM {table} WHERE {column} LIKE 'file:///%/{FOLDER}%'"
                ).fetchall()
                for (old,) in olds:
                    root, _, rest = old.rpartition(f"/{FOLDER}")
                    new = here + rest
                    if f"{root}/{FOLDER}" != here and rest[:1] in ("", "/"):
                        done = con.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, old))
                        changed += done.rowcount
    finally:
        con.close()
    return changed
