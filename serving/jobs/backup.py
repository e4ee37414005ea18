"""Backup of an installation while it runs, and its restore: one tar archive with a hash of each file.

| in the archive | what |
|---|---|
| as under RISK_HOME | models, lists, plans, receipts; SQLite databases by SQLite's own online backup |
| `record/…` | the record, wherever it lies (RISK_RECORD_URL: folder or object store), each table as of one version |
| `_database/…` | a working state elsewhere (RISK_DATABASE_URL): PostgreSQL by COPY in one snapshot, or a SQLite file |
| `backup.json` | the manifest, last: what there is, of which version, with SHA-256 of each file |

It is complete or there is none: what can't be read is an error. A record comes back wherever the settings want it, a
database where its kind (SQLite, PostgreSQL) is the settings'. A tracking server by URL keeps its own copies. Keys are
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
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, make_url, select

from features.key_file import key_file
from features.record.record import Record
from serving.jobs.archive import SCRATCH, Part, all_files, opened, pack, unpack
from serving.jobs.database_copy import copy_in, copy_out, drop_all, insist_on_empty
from serving.jobs.key_copy import put_keys
from serving.jobs.mlflow_paths import relocate
from serving.jobs.record_copy import files_of, insist_on_no_record, local_folder, put, take_away
from serving.jobs.restore_journal import PREFIX, Journal, interrupted, no_room, sole_restore
from serving.settings import Settings
from serving.state import State, head, open_state
from serving.state.receipt import Receipt

RECORD, DATABASE = "record", "_database"
_RECORD_ELSEWHERE = "_record"
"""Where archives of before November 2026 hold a record that lay outside the home."""
SQLITE = "state.db"
SIGNING = "backup.key"
"""The key that archives are signed with."""
_MOUNTED = {"backups", "inbox", "lost+found"}
"""What may lie in a home that is restored into: other disks are mounted there."""
_LEAVE = (".lock", ".tmp", "-wal", "-shm", "-journal", ".turn")
_LEAVE_FOLDERS = {"keys", "staging", "demo", "backups", "inbox", RECORD, _RECORD_ELSEWHERE, DATABASE}


@dataclass(frozen=True)
class Archived:
    """What a backup holds: files, their bytes, and the version of the record (0: it is empty)."""

    files: int
    size: int
    record_version: int

    def __str__(self) -> str:
        return f"{self.files} files, {self.size / 1e6:.1f} MB, record at version {self.record_version}"


def back_up(settings: Settings, archive: Path, *, now: datetime) -> Archived:
    """Writes the installation to the tar archive (`.tar` or `.tar.gz`, for its owner alone), replaced in one step.

    FileNotFoundError where there is no home; what can't be read raises as it does.
    """
    home = settings.home
    if not home.is_dir():
        raise FileNotFoundError(f"no installation at {home}")
    version = Record(settings.record_url).version()
    about = {
        "made_at": now.isoformat(), "version": version_of("dossier-risk"), "revision": head(), "home": str(home),
        "record_version": version, **_elsewhere(settings),
    }  # fmt: skip
    return Archived(*pack(archive, _parts(settings, archive), about, key_file(settings.keys / SIGNING)), version)


def restore(archive: Path, settings: Settings, keys: Mapping[str, bytes]) -> Archived:
    """Unpacks a backup into the home, database and record of the settings, each of which must be empty or absent.

    keys: name → content of the installation's keys (`serving.jobs.key_copy.open_keys`); they come back with the data.
    Every file is checked against its signed hash before anything is put in place. MLflow's paths become those of the
    new home. ValueError for a damaged, edited or foreign archive, and where the settings name another kind of database
    than the backup holds.
    """
    home = settings.home
    with sole_restore(home):
        for killed in interrupted(home):
            _take_back(killed, settings)
        _insist_on_no_home(home)
        insist_on_no_record(settings.record_url)
        # within the home: it may be a mount of its own, in a folder that is not its owner's
        folder = Path(tempfile.mkdtemp(dir=home, prefix=PREFIX))
        try:
            restored = _put_in_place(archive, settings, keys, folder)
        except BaseException as error:
            _take_back(folder, settings)
            no_room(error, home)
            raise
    return restored


def _put_in_place(archive: Path, settings: Settings, keys: Mapping[str, bytes], folder: Path) -> Archived:
    """Unpacks and checks in `folder` (of the home), then moves; what is moved is in the folder's journal before."""
    home, aside = settings.home, folder / "home"
    manifest = unpack(archive, aside, keys[SIGNING])
    restored = Archived(
        len(manifest["files"]), sum(path.stat().st_size for path in all_files(aside)), _record_version(manifest)
    )
    database, record = _Database(settings), _record_in(aside)
    database.insist_on(manifest)
    elsewhere = local_folder(settings.record_url) != home / RECORD
    names = {path.name for path in aside.iterdir()} - {_RECORD_ELSEWHERE, DATABASE}
    names |= {RECORD, SQLITE, settings.keys.name}
    Journal(sorted(names), settings.record_url if elsewhere and record.is_dir() else None, database.name).write(folder)
    if elsewhere and record.is_dir():
        put(settings.record_url, record)
        shutil.rmtree(record)
    elif record.is_dir():
        record.rename(aside / RECORD)
    database.restore(aside)
    put_keys(aside / settings.keys.name, keys)
    for path in sorted(aside.iterdir(), key=lambda path: path.name == SQLITE):  # a half home has no accounts
        path.replace(home / path.name)
    relocate(home)
    Journal.remove(folder)
    shutil.rmtree(folder)
    return restored


def _take_back(folder: Path, settings: Settings) -> None:
    """Home, record and database as they were before the restore that wrote `folder`: empty; then `folder` goes too."""
    journal = Journal.read(folder)
    if journal is not None:
        database = _Database(settings)
        if journal.database != database.name or journal.record not in (None, settings.record_url):
            raise ValueError(
                f"a restore into {settings.home} was stopped halfway, with other settings: give it RISK_RECORD_URL and "
                f"RISK_DATABASE_URL as it had them ({journal.record or 'no record elsewhere'}, {journal.database})"
            )
        if database.used_since(Journal.written_at(folder)):
            raise ValueError(
                f"a restore into {settings.home} was stopped halfway, and {journal.database} has been in use since: it "
                f"is left as it is. If it is to stay, delete {folder} and restore with another home and database"
            )
        database.empty()
        if journal.record is not None:
            take_away(journal.record)
        for path in (settings.home / f"{name}{ending}" for name in journal.names for ending in ("", *_LEAVE)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        Journal.remove(folder)
    shutil.rmtree(folder)


def _insist_on_no_home(home: Path) -> None:
    """ValueError where something but other disks lies in the home."""
    found = sorted(path.name for path in home.iterdir())
    there = [name for name in found if name not in _MOUNTED and not name.startswith(".")]  # a user's home has .profile
    if there:
        raise ValueError(f"{home} is not empty ({there[0]}): restore into an empty folder")


def drill(archive: Path, folder: Path, key: bytes) -> str:
    """Unpacks under `folder` and opens what came: the record's version, the lists, the database; in a line of counts.

    A PostgreSQL state is read through as files, for a drill has no server of its own. ValueError where something of
    the archive is not as its manifest says.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".drill-") as under:
        aside = Path(under) / "home"
        manifest = unpack(archive, aside, key)
        record = Record(_record_in(aside))
        if record.version() < _record_version(manifest):  # what came meanwhile may be in it
            raise ValueError(f"the record restored is at {record.version()}, wanted {manifest['record_version']}")
        with record.connect() as con:
            dossiers = con.execute("SELECT count(*) FROM dossier").fetchall()[0][0] if record.version() else 0
        tables = "–"
        sqlite = next((path for path in (aside / SQLITE, aside / DATABASE / SQLITE) if path.exists()), None)
        if sqlite is not None:
            open_state(f"sqlite:///{sqlite}").close()
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


class _Database:
    """The working state of the settings as a backup sees it: a SQLite file, in the home or not, or PostgreSQL."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.database_url
        with State(self.url) as state:
            self.file = Path(str(state.url.database)).absolute() if state.sqlite else None
        self.inside = self.file == settings.home / SQLITE

    @property
    def name(self) -> str:
        """Its URL without the password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def used_since(self, moment: datetime) -> bool:
        """Whether anybody was there after `moment`: whoever looks at or does something leaves a receipt."""
        if self.inside or (self.file is not None and not self.file.exists()):
            return False
        with State(self.url) as state, state.reading() as session:
            if not inspect(session.connection()).has_table(Receipt.__tablename__):
                return False
            return session.scalar(select(Receipt.seq).where(Receipt.at > moment).limit(1)) is not None

    def empty(self) -> None:
        """Takes away what a restore put there, where that is not in the home."""
        if self.file is None:
            with State(self.url) as state:
                drop_all(state)
        elif not self.inside:
            for ending in ("", *_LEAVE):
                self.file.with_name(f"{self.file.name}{ending}").unlink(missing_ok=True)

    @property
    def kind(self) -> str:
        """As the manifest tells of it."""
        return "home" if self.inside else "sqlite" if self.file else "postgresql"

    def insist_on(self, manifest: Mapping[str, Any]) -> None:
        """ValueError where this is another kind than the backup's, whose rows would be lost, or is not empty."""
        held = manifest.get("database", "home")
        if (held == "postgresql") != (self.kind == "postgresql"):
            raise ValueError(
                f"the database of this backup is kept as '{held}', RISK_DATABASE_URL asks for '{self.kind}'"
            )
        if self.file is None:
            with State(self.url) as state:
                insist_on_empty(state)
        elif not self.inside and self.file.exists():
            raise ValueError(f"{self.file} exists: restore never overwrites a database")

    def parts(self, scratch: Path) -> Iterator[Part]:
        """Its files, where it does not lie in the home; copied under `scratch` first."""
        if self.inside:
            return
        with open_state(self.url) as state, tempfile.TemporaryDirectory(dir=scratch, prefix=SCRATCH) as folder:
            if self.file is None:
                copy_out(state, Path(folder))
            paths = [self.file] if self.file else sorted(Path(folder).iterdir())
            for path in paths:
                with opened(path, scratch) as file:
                    assert file is not None, "open_state has made it, or copy_out"
                    yield f"{DATABASE}/{SQLITE if self.file else path.name}", 0o600, file

    def restore(self, aside: Path) -> None:
        """Puts what an archive holds of it where the settings want it."""
        came = aside / DATABASE
        if self.file is None:
            with State(self.url) as state:
                copy_in(state, came)
        else:
            found = next((path for path in (came / SQLITE, aside / SQLITE) if path.exists()), None)
            if found is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(found, aside / SQLITE if self.inside else self.file)
        shutil.rmtree(came, ignore_errors=True)


def _elsewhere(settings: Settings) -> dict[str, str]:
    """Where record and database lie: in the home, or which kind elsewhere."""
    record = local_folder(settings.record_url)
    return {
        "record": "home" if record == settings.home / RECORD else "folder" if record else "store",
        "database": _Database(settings).kind,
        "mlflow": "home" if settings.mlflow_url.startswith("sqlite") else "server",
    }


def _record_in(aside: Path) -> Path:
    """Where an archive that was unpacked holds its record."""
    old = aside / _RECORD_ELSEWHERE
    return old if old.is_dir() else aside / RECORD


def _record_version(manifest: Mapping[str, Any]) -> int:
    return int(manifest.get("record_version", 0))


def _parts(settings: Settings, archive: Path) -> Iterator[Part]:
    """Name, mode and content of everything to keep; the record first, what tells of it later."""
    for name, file in files_of(settings.record_url, archive.parent):
        yield f"{RECORD}/{name}", 0o600, file
    database = _Database(settings)
    for path in _files(settings.home, archive):
        if path == settings.home / SQLITE and not database.inside:
            continue
        with opened(path, archive.parent) as content:
            if content is not None:
                yield path.relative_to(settings.home).as_posix(), path.stat().st_mode & 0o777, content
    yield from database.parts(archive.parent)


def _files(home: Path, archive: Path) -> list[Path]:
    """The files of the home to keep, but for the record's."""
    return [
        path
        for path in sorted(home.rglob("*"))
        if path.is_file()
        and not path.name.endswith(_LEAVE)
        and not any(part.startswith(".") for part in path.relative_to(home).parts)
        and path.resolve() != archive.resolve()
        and path.relative_to(home).parts[0] not in _LEAVE_FOLDERS
        and "staging" not in path.relative_to(home).parts[:2]
    ]
