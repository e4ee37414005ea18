"""A tar archive whose last file is a manifest with the SHA-256 of all others: written in one step, whole or refused."""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.atomic_file import NO_ROOM

MANIFEST, SIGNATURE = "backup.json", "backup.sig"
FORMAT = 3
MOST_FILES = 2_000_000
MOST_RATIO = 200
"""How many times its own size an archive may unpack to, beyond a first gigabyte."""
_SIGNED = b"dossier-risk backup "
_SAFE: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Debian 12's Python (3.11.2) knows no filters: what matters here, names and modes of plain files, is looked at too."""

SCRATCH = ".risk-"
"""How files begin that lie beside an archive while it is made: there is room where it shall lie."""

Part = tuple[str, int, IO[bytes]]
"""Name, mode and content of a file."""


def pack(archive: Path, parts: Iterable[Part], about: Mapping[str, Any], key: bytes) -> tuple[int, int]:
    """Writes parts, manifest (`about` and the hashes) and its signature, for the owner alone; how many files and bytes.

    key: 32 bytes, of Ed25519; whoever unpacks needs it, and whoever has it not can't change what is in here.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    aside = archive.with_name(f".{archive.name}.tmp")
    hashes: dict[str, str] = {}
    size = 0
    try:
        with aside.open("wb") as out:
            aside.chmod(0o600)
            with tarfile.open(fileobj=out, mode="w:gz" if archive.name.endswith("gz") else "w") as tar:
                for name, mode, file in parts:
                    hashes[name], length = _add(tar, name, mode, file)
                    size += length
                manifest = json.dumps({"format": FORMAT, **about, "files": hashes}, sort_keys=True).encode()
                _add(tar, MANIFEST, 0o600, BytesIO(manifest))
                _add(tar, SIGNATURE, 0o600, BytesIO(Ed25519PrivateKey.from_private_bytes(key).sign(_SIGNED + manifest)))
        aside.replace(archive)
    finally:
        aside.unlink(missing_ok=True)
    return len(hashes), size


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[IO[bytes] | None]:
    """The content of a file, a database as it stands at one moment (copied into the folder `scratch` first); None
    where it was moved away while we walked."""
    try:
        with path.open("rb") as file:
            if file.read(16) != b"SQLite format 3\x00":
                file.seek(0)
                yield file
                return
    except FileNotFoundError:
        yield None
        return
    with tempfile.NamedTemporaryFile(dir=scratch, prefix=SCRATCH, suffix=".tmp") as copy:
        source, target = sqlite3.connect(path), sqlite3.connect(copy.name)
        with source, target:
            source.backup(target)
        source.close()
        target.close()
        with Path(copy.name).open("rb") as file:
            yield file


def _add(tar: tarfile.TarFile, name: str, mode: int, file: IO[bytes]) -> tuple[str, int]:
    """Adds a file that may grow meanwhile, as long as it was at first; its SHA-256 and length."""
    size = file.seek(0, 2)
    file.seek(0)
    hashing = _Hashing(file, size)
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    tar.addfile(entry, hashing)  # type: ignore[arg-type]
    return hashing.sha256.hexdigest(), size


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self.sha256 = file, size, hashlib.sha256()

    def read(self, most: int) -> bytes:
        data = self._file.read(min(most, self._left))
        self._left -= len(data)
        self.sha256.update(data)
        return data


def unpack(archive: Path, aside: Path, key: bytes) -> dict[str, Any]:
    """Unpacks into `aside` and gives the manifest, every file checked; ValueError for anything that is not whole.

    What comes is bounded before it is written: plain files alone, no more than the disk holds and the archive's size
    explains. key: the one it was packed with; without its signature nothing is believed.
    """
    try:
        with tarfile.open(archive) as tar:
            left = 2**30 + MOST_RATIO * archive.stat().st_size
            for number, entry in enumerate(tar):
                left -= entry.size
                if not entry.isreg() or left < 0 or number > MOST_FILES:
                    raise ValueError("wanted plain files, no more than an archive of this size holds")
                if entry.size > shutil.disk_usage(aside.parent).free:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(aside))
                parts = Path(entry.name).parts
                if ".." in parts or Path(entry.name).is_absolute():
                    raise ValueError("wanted names within the folder")
                entry.mode &= 0o755
                tar.extract(entry, aside, **_SAFE)
        signed = (aside / MANIFEST).read_bytes()
        manifest: dict[str, Any] = json.loads(signed)
        wanted: dict[str, str] = manifest["files"]
        signature = (aside / SIGNATURE).read_bytes() if (aside / SIGNATURE).exists() else b""
        Ed25519PrivateKey.from_private_bytes(key).public_key().verify(signature, _SIGNED + signed)
    except InvalidSignature as error:
        raise ValueError(f"{archive.name} is not signed with the key at hand: edited, or of another place") from error
    except (tarfile.TarError, KeyError, ValueError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        raise ValueError(f"{archive.name} is not a whole backup: {type(error).__name__}") from error
    if int(manifest.get("format", 1)) > FORMAT:
        raise ValueError(f"{archive.name} is of a newer version ({manifest.get('version')}): restore with that one")
    came = {path.relative_to(aside).as_posix() for path in all_files(aside)} - {MANIFEST, SIGNATURE}
    bad = [name for name in sorted(wanted.keys() | came) if name not in came or wanted.get(name) != _hash(aside / name)]
    if bad:
        raise ValueError(f"{archive.name}: {len(bad)} files are missing, changed or foreign, {bad[0]} first")
    (aside / MANIFEST).unlink()
    (aside / SIGNATURE).unlink()
    return manifest


def all_files(folder: Path) -> Iterator[Path]:
    """Every file under a folder."""
    return (path for path in folder.rglob("*") if path.is_file())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
