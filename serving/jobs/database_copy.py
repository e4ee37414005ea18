"""A PostgreSQL working state as files and back: each table by COPY, all as they stood at one moment.

`<table>.copy`: text format with the columns named in `tables.json` (https://www.postgresql.org/docs/current/sql-copy.html).
"""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from serving.state import Base, State, head, revision_of, upgrade

TABLES = "tables.json"


def copy_out(state: State, folder: Path) -> dict[str, int]:
    """Writes every table to `folder`, in one snapshot; table → rows. ValueError for tables of another revision."""
    stands = revision_of(state)
    if stands != head():
        raise ValueError(f"the database is at revision {stands}, wanted {head()}: run risk upgrade, then back up")
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {"revision": stands, "columns": {}, "rows": {}}
    with state.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        for table in Base.metadata.sorted_tables:
            manifest["columns"][table.name] = [column.name for column in table.columns]
            manifest["rows"][table.name] = connection.scalar(select(func.count()).select_from(table))
            copying = f"COPY {_named(table.name, manifest)} TO STDOUT"
            with (
                (folder / f"{table.name}.copy").open("wb") as file,
                _driver(connection).cursor() as cursor,
                cursor.copy(copying) as copy,
            ):
                for data in copy:
                    file.write(data)
    (folder / TABLES).write_text(json.dumps(manifest, indent=1, sort_keys=True), "utf-8")
    rows: dict[str, int] = manifest["rows"]
    return rows


def insist_on_empty(state: State) -> None:
    """ValueError where the database holds tables already: a restore never overwrites."""
    if inspect(state.engine).get_table_names():
        raise ValueError("the database of RISK_DATABASE_URL is not empty: restore into an empty one")


def drop_all(state: State) -> None:
    """Empties the database of all its tables."""
    with state.writing() as session:
        for table in inspect(session.connection()).get_table_names():
            session.execute(text(f'DROP TABLE "{table}" CASCADE'))


def copy_in(state: State, folder: Path) -> None:
    """Fills an empty database from the files of `copy_out`, then brings it to today's revision.

    ValueError for a copy of a newer version, or where rows are missing; who restores takes back what came (`drop_all`).
    """
    manifest = json.loads((folder / TABLES).read_text("utf-8"))
    upgrade(state, str(manifest["revision"]))
    with state.writing() as session:
        _fill(session, folder, manifest)
    upgrade(state)


def _fill(session: Session, folder: Path, manifest: dict[str, Any]) -> None:
    connection = session.connection()
    for name in [table.name for table in Base.metadata.sorted_tables if table.name in manifest["columns"]]:
        copying = f"COPY {_named(name, manifest)} FROM STDIN"
        with (
            (folder / f"{name}.copy").open("rb") as file,
            _driver(connection).cursor() as cursor,
            cursor.copy(copying) as copy,
        ):
            while data := file.read(1 << 20):
                copy.write(data)
        rows = connection.scalar(text(f'SELECT count(*) FROM "{name}"'))
        if rows != manifest["rows"][name]:
            raise ValueError(f"the copy of {name} holds {rows} rows, wanted {manifest['rows'][name]}")
        if "id" in manifest["columns"][name]:
            connection.execute(
                text(
                    f'SELECT setval(s, (SELECT coalesce(max(id), 0) + 1 FROM "{name}"), false) '
                    f"FROM (SELECT pg_get_serial_sequence('{name}', 'id') AS s) AS q WHERE s IS NOT NULL"
                )
            )


def _driver(connection: Any) -> Any:
    return connection.connection.driver_connection


def _named(table: str, manifest: dict[str, Any]) -> str:
    """Table and columns for COPY; names of our own tables, never values."""
    mapped = Base.metadata.tables[table]
    columns = [name for name in manifest["columns"][table] if name.isidentifier()]
    return f'"{mapped.name}" ({", ".join(f"{chr(34)}{name}{chr(34)}" for name in columns)})'
