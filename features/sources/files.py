"""Files of a delivery: from a folder, a zip or alone, unpacked as a stream, with bounds against bombs."""

import gzip
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from features.record.delivery import DeliveryError, Reject

MAX_MEMBERS = 20_000
MAX_RATIO = 300
"""Unpacked bytes a packed byte; event logs pack 10 to 60 times, the densest bomb 1,032 times."""
_RATIO_FREE = 256 * 2**20


class BombError(OSError):
    """A packed file that unpacks to far more than data does."""


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery: `name` as people are shown it, `size` in bytes as stored."""

    name: str
    path: Path
    size: int
    inside: str | None = None

    @property
    def plain_name(self) -> str:
        """The file name without folders and `.gz`, in lower case."""
        return PurePosixPath(self.name).name.lower().removesuffix(".gz")

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its unpacked bytes. Reading may raise `features.sources.lines.UNREADABLE`, BombError among it."""
        if self.inside is None:
            with self.path.open("rb") as file, _unpacked(file, self) as unpacked:
                yield unpacked
        else:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.inside) as packed:
                bounded = cast(BinaryIO, _Bounded(packed, self.size))
                with _unpacked(bounded, self) as unpacked:
                    yield unpacked


class _Bounded:
    """Reads through, counting; refuses when `size` packed bytes have given more than data would."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = _RATIO_FREE + MAX_RATIO * size

    def read(self, size: int = -1) -> bytes:
        return self._count(self._file.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._count(self._file.readline(size))

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise BombError(f"a file that unpacks at most {MAX_RATIO} times was wanted")
        return data

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()


@contextmanager
def _unpacked(file: BinaryIO, member: DeliveredFile) -> Iterator[BinaryIO]:
    if not member.name.lower().endswith(".gz"):
        yield file
        return
    with gzip.GzipFile(fileobj=file) as packed:
        yield cast(BinaryIO, _Bounded(cast(IO[bytes], packed), member.size))


def unpacked_to(member: DeliveredFile, folder: Path) -> Path:
    """A file with the member's bytes, unpacked into `folder` where it is packed."""
    if member.inside is None and not member.name.lower().endswith(".gz"):
        return member.path
    path = folder / PurePosixPath(member.plain_name).name
    with member.open() as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, 2**20)
    return path


def left_unread(found: list[DeliveredFile], read: list[DeliveredFile]) -> dict[str, int]:
    """The note on files that a feed found and does not read, with how many; nothing where it reads all."""
    others = len(found) - len(read)
    return {f"{others} files of other kinds not read": others} if others else {}


def members(path: Path) -> tuple[list[DeliveredFile], list[Reject]]:
    """The files of the delivery at `path`, by name, and the members of a zip that are refused.

    A folder is read with the folders below it, without hidden files. DeliveryError where there is nothing.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path).parts))
        return [DeliveredFile(p.relative_to(path).as_posix(), p, p.stat().st_size) for p in files], []
    if not path.exists():
        raise DeliveryError(f"{path.name}: a file or folder was wanted, there is none of this name")
    if path.suffix.lower() == ".zip":
        return _zipped(path)
    return [DeliveredFile(path.name, path, path.stat().st_size)], []


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def _zipped(path: Path) -> tuple[list[DeliveredFile], list[Reject]]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise DeliveryError(f"{path.name}: a zip was wanted, a damaged one came; send it again") from error
    if len(infos) > MAX_MEMBERS:
        raise DeliveryError(f"{path.name}: at most {MAX_MEMBERS} files in a zip were wanted, {len(infos)} came")
    found, refused = [], []
    for info in sorted(infos, key=lambda info: info.filename):
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        name = info.filename.encode("unicode_escape").decode()[:80]
        if _hidden(parts) and ".." not in parts:
            continue
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in info.filename:
            refused.append(Reject(name, 0, "", "a file name inside the zip", "a path that leads out of it"))
        elif info.flag_bits & 1:
            refused.append(Reject(name, 0, "", "a file without password", "an encrypted one"))
        elif stat.S_ISLNK(info.external_attr >> 16):
            refused.append(Reject(name, 0, "", "a file", "a link"))
        else:
            found.append(DeliveredFile(info.filename, path, info.compress_size, inside=info.filename))
    return found, refused
