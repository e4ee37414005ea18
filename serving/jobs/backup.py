"""Backup of an installation while it runs, and its restore: one tar archive with a hash of each file.

| in the archive | what |
|---|---|
| as under RISK_HOME | record, models, lists, plans, receipts; SQLite databases by SQLite's own online backup |
| `_record/…` | a record elsewhere (RISK_RECORD_URL: another folder, an object store) |
| `_database/…` | a working state elsewhere (RISK_DATABASE_URL): PostgreSQL by COPY in one snapshot, or a SQLite file |
| `backup.json` | the manifest, last: what there is, of which version, with SHA-256 of each file |

It is complete or there is none: what can't be read is an error. A tracking server by URL keeps its own copies. Keys are
not in it: they go to a file of their own, encrypted under a word that is kept elsewhere (`serving.jobs.key_copy`), and
the archive is signed with one of them.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as version_of
from io import BytesIO
from pathlib import Path
from typing import Any

from features.key_file import key_file
from features.record.record import Record
from serving.jobs.archive import Part, all_files, opened, pack, unpack
from serving.jobs.database_copy import copy_in, copy_out, insist_on_empty
from serving.jobs.key_copy import put_keys
from serving.jobs.mlflow_paths import relocate
from serving.jobs.record_copy import files_of, local_folder, order, put
from serving.settings import Settings
from serving.state import State, head, open_state

RECORD, DATABASE = "_record", "_database"
SQLITE = "state.db"
SIGNING = "backup.key"
"""The key that archives are signed with."""
_LEAVE = (".lock", ".tmp", "-wal", "-shm", "-journal", ".turn")
_LEAVE_FOLDERS = {"keys", "staging", "demo", "backups", "inbox", RECORD, DATABASE}


@dataclass(frozen=True)
class Archived:
    """What a backup holds: files and their bytes."""

    files: int
    size: int


def back_up(settings: Settings, archive: Path, *, now: datetime) -> Archived:
    """Writes the installation to the tar archive (`.tar` or `.tar.gz`, for its owner alone), replaced in one step.

    FileNotFoundError where there is no home; what can't be read raises as it does.
    """
    home = settings.home
    if not home.is_dir():
        raise FileNotFoundError(f"no installation at {home}")
    about = {
        "made_at": now.isoformat(), "version": version_of("dossier-risk"), "revision": head(), "home": str(home),
        "record_version": Record(settings.record_url).version(), **_elsewhere(settings),
    }  # fmt: skip
    return Archived(*pack(archive, _parts(settings, archive), about, key_file(settings.keys / SIGNING)))


def restore(archive: Path, settings: Settings, keys: Mapping[str, bytes]) -> Archived:
    """Unpacks a backup into the home, database and record of the settings, each of which must be empty or absent.

    keys: name → content of the installation's keys (`serving.jobs.key_copy.open_keys`); they come back with the data.
    Every file is checked against its signed hash before anything is put in place. MLflow's paths become those of the
    new home. ValueError for a damaged, edited or foreign archive, and where the settings name another kind of database
    or record than the backup holds.
    """
    home = settings.home
    if home.exists() and any(home.iterdir()):
        raise ValueError(f"{home} is not empty: restore into an empty folder")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".restore-") as folder:
        aside = Path(folder) / "home"
        manifest = unpack(archive, aside, keys[SIGNING])
        kept = Archived(len(manifest["files"]), sum(path.stat().st_size for path in all_files(aside)))
        _insist_on_places(manifest, settings)
        if (aside / RECORD).is_dir():
            put(settings.record_url, aside / RECORD)
            shutil.rmtree(aside / RECORD)
        if (aside / DATABASE).is_dir():
            _restore_database(settings, aside / DATABASE)
            shutil.rmtree(aside / DATABASE)
        put_keys(aside / "keys", keys)
        if home.exists():
            home.rmdir()
        aside.replace(home)
    relocate(home)
    return kept


def drill(archive: Path, folder: Path, key: bytes) -> str:
    """Unpacks under `folder` and opens what came: the record's version, the lists, the database; in a line of counts.

    A PostgreSQL state is read through as files, for a drill has no server of its own. ValueError where something of
    the archive is not as its manifest says.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".drill-") as under:
        aside = Path(under) / "home"
        manifest = unpack(archive, aside, key)
        record = Record(aside / RECORD if (aside / RECORD).is_dir() else aside / "record")
        if record.version() < int(manifest.get("record_version", 0)):  # what came meanwhile may be in it
            raise ValueError(f"the record restored is at {record.version()}, wanted {manifest['record_version']}")
        with record.connect() as con:
            dossiers = con.execute("SELECT count(*) FROM dossier").fetchall()[0][0] if record.version() else 0
        tables = "–"
        sqlite = next((path for path in (aside / SQLITE, aside / DATABASE / SQLITE) if path.exists()), None)
        if sqlite is not None:
            state = open_state(f"sqlite:///{sqlite}")
            state.close()
            tables = "opens"
        elif (aside / DATABASE).is_dir():
            rows = json.loads((aside / DATABASE / "tables.json").read_text("utf-8"))["rows"]
            for name, count in rows.items():
                with (aside / DATABASE / f"{name}.copy").open("rb") as file:
                    if sum(1 for _ in file) != count:
                        raise ValueError(f"the copy of {name} does not hold its {count} rows")
            tables = f"{sum(rows.values())} rows"
        lists = len(list((aside / "scores").glob("*/latest.json")))
    return f"{len(manifest['files'])} files whole, {dossiers} dossier rows, {lists} lists, database {tables}"


def _elsewhere(settings: Settings) -> dict[str, str]:
    """Where record and database lie: in the home, or which kind elsewhere."""
    record, database = local_folder(settings.record_url), State(settings.database_url)
    inside = database.sqlite and Path(str(database.url.database)).absolute() == settings.home / SQLITE
    kind = "sqlite" if database.sqlite else "postgresql"
    database.close()
    return {
        "record": "home" if record == settings.home / "record" else "folder" if record else "store",
        "database": "home" if inside else kind,
        "mlflow": "home" if settings.mlflow_url.startswith("sqlite") else "server",
    }


def _parts(settings: Settings, archive: Path) -> Iterator[Part]:
    """Name, mode and content of everything to keep; the log of deliveries first, data last."""
    where = _elsewhere(settings)
    if where["record"] != "home":
        root, names = files_of(settings.record_url)
        for name in names:
            with root.open_input_stream(name) as stream:
                yield f"{RECORD}/{name}", 0o600, BytesIO(stream.read())
    for path in _files(settings.home, archive):
        with opened(path) as file:
            if file is not None:
                yield path.relative_to(settings.home).as_posix(), path.stat().st_mode & 0o777, file
    if where["database"] == "home":
        return
    state = open_state(settings.database_url)
    try:
        with tempfile.TemporaryDirectory() as folder:
            if state.sqlite:
                with opened(Path(str(state.url.database))) as file:
                    assert file is not None, "open_state has made it"
                    yield f"{DATABASE}/{SQLITE}", 0o600, file
            else:
                copy_out(state, Path(folder))
                for path in sorted(Path(folder).iterdir()):
                    with path.open("rb") as file:
                        yield f"{DATABASE}/{path.name}", 0o600, file
    finally:
        state.close()


def _files(home: Path, archive: Path) -> list[Path]:
    """The files to keep: logs of Delta tables first, so that every file they name is among those that follow."""
    found = [
        path
        for path in sorted(home.rglob("*"))
        if path.is_file()
        and not path.name.endswith(_LEAVE)
        and not any(part.startswith(".") for part in path.relative_to(home).parts)
        and path.resolve() != archive.resolve()
        and path.relative_to(home).parts[0] not in _LEAVE_FOLDERS
        and "staging" not in path.relative_to(home).parts[:2]
    ]
    return sorted(found, key=lambda path: order(path.relative_to(home).as_posix().removeprefix("record/")))


def _insist_on_places(manifest: dict[str, Any], settings: Settings) -> None:
    """ValueError where record or database of the settings is another kind than the backup's: it would be lost."""
    here = _elsewhere(settings)
    for what, variable in (("record", "RISK_RECORD_URL"), ("database", "RISK_DATABASE_URL")):
        held = manifest.get(what, "home")
        if (held == "home") != (here[what] == "home") or (what == "database" and held != here[what]):
            raise ValueError(f"the {what} of this backup is kept as '{held}', {variable} asks for '{here[what]}'")


def _restore_database(settings: Settings, folder: Path) -> None:
    state = State(settings.database_url)
    try:
        if not state.sqlite:
            insist_on_empty(state)
            copy_in(state, folder)
            return
        target = Path(str(state.url.database))
        if target.exists():
            raise ValueError(f"{target} exists: restore never overwrites a database")
        shutil.copyfile(folder / SQLITE, target)
    finally:
        state.close()
