"""Backup of an installation while it runs, and its restore: one folder tree in a tar archive, with a hash of each file.

The record is append-only and its tables name their files in their logs, so the logs are copied **before** the data
they name could be followed by more; SQLite databases go through SQLite's own online backup. Keys are in it: keep
the archive as safe as the installation.
"""

import hashlib
import json
import sqlite3
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

MANIFEST = "backup.json"
FORMAT = 1
_LEAVE = (".lock", ".tmp", "-wal", "-shm", "-journal")
_LEAVE_FOLDERS = {"staging", "demo"}


@dataclass(frozen=True)
class Archived:
    """What a backup holds: files and their bytes."""

    files: int
    size: int


def back_up(home: Path, archive: Path) -> Archived:
    """Writes everything under `home` to the tar archive (`.tar` or `.tar.gz`), replaced in one step.

    A database by URL outside `home` has its own backup (pg_dump). FileNotFoundError where there is no home.
    """
    if not home.is_dir():
        raise FileNotFoundError(f"no installation at {home}")
    archive.parent.mkdir(parents=True, exist_ok=True)
    aside = archive.with_name(f".{archive.name}.tmp")
    hashes: dict[str, str] = {}
    size = 0
    try:
        with tarfile.open(aside, "w:gz" if archive.name.endswith("gz") else "w") as tar:
            for path in _files(home, archive):
                data = _content(path)
                if data is None:
                    continue
                name = path.relative_to(home).as_posix()
                hashes[name] = hashlib.sha256(data).hexdigest()
                size += len(data)
                _add(tar, name, data, path.stat().st_mode & 0o777)
            manifest = {"format": FORMAT, "files": hashes}
            _add(tar, MANIFEST, json.dumps(manifest, sort_keys=True).encode(), 0o600)
        aside.replace(archive)
    finally:
        aside.unlink(missing_ok=True)
    return Archived(len(hashes), size)


def restore(archive: Path, home: Path) -> Archived:
    """Unpacks a backup into `home`, which must be empty or absent; every file is checked against its hash.

    ValueError for a damaged or foreign archive; nothing is left behind then.
    """
    if home.exists() and any(home.iterdir()):
        raise ValueError(f"{home} is not empty: restore into an empty folder")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".restore-") as folder:
        aside = Path(folder) / "home"
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(aside, filter="data")
            manifest = json.loads((aside / MANIFEST).read_text("utf-8"))
            wanted: dict[str, str] = manifest["files"]
        except (tarfile.TarError, KeyError, ValueError, OSError, EOFError) as error:
            raise ValueError(f"{archive.name} is not a whole backup: {type(error).__name__}") from error
        came = {path.relative_to(aside).as_posix() for path in aside.rglob("*") if path.is_file()} - {MANIFEST}
        bad = [
            name for name in sorted(wanted.keys() | came) if name not in came or wanted.get(name) != _hash(aside / name)
        ]
        if bad:
            raise ValueError(f"{archive.name}: {len(bad)} files are missing, changed or foreign, {bad[0]} first")
        (aside / MANIFEST).unlink()
        size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
        if home.exists():
            home.rmdir()
        aside.replace(home)
    return Archived(len(wanted), size)


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
    return sorted(found, key=lambda path: "_delta_log" not in path.parts)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if file.read(16) != b"SQLite format 3\x00":
                file.seek(0)
                return file.read()
    except FileNotFoundError:
        return None  # was moved away while we walked: a newer file stands beside it
    with tempfile.NamedTemporaryFile(suffix=".db") as copy:
        source, target = sqlite3.connect(path), sqlite3.connect(copy.name)
        with source, target:
            source.backup(target)
        source.close()
        target.close()
        return Path(copy.name).read_bytes()


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, BytesIO(data))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
