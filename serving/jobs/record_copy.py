"""A record, in a folder or an object store, as files and back.

Of each table the log up to one version and the data files that this version names, whoever writes meanwhile.
`delivery` is looked at first: whatever a line of it names was written before that line, so the tables that are
looked at later hold it.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlparse

from features.record.delta import Storage
from features.record.record import Record

FIRST = "delivery"
LOG = "_delta_log"
_VERSION = re.compile(r"(\d{20})\.")
_IN_MEMORY = 64 * 2**20
_PIECE = 8 * 2**20


def files_of(url: str, scratch: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Path and content of each file, one after the other; big ones are copied into the folder `scratch` first.

    OSError where the store or a file that a table names can't be read: a backup is complete or it is none.
    """
    root = _root(url)
    if not _listed(root, ""):
        return
    names = _table(root, url, FIRST)
    tables = sorted(_listed(root, "", folders=True))
    for name in [*names, *(name for table in tables if table != FIRST for name in _table(root, url, table))]:
        with tempfile.SpooledTemporaryFile(
            max_size=_IN_MEMORY, dir=str(scratch)
        ) as file:  # read once, whole: a store is asked for no pieces
            with root.open_input_stream(name, compression=None) as stream:
                shutil.copyfileobj(stream, file, _PIECE)
            yield name, file  # type: ignore[misc]


def put(url: str, folder: Path) -> None:
    """Writes the files under `folder` to the record at `url`, which `insist_on_no_record` has seen to be empty."""
    local = local_folder(url)
    if local is not None:
        aside = _beside(local)
        shutil.copytree(folder, aside)
        aside.replace(local)
        return
    target = _root(url)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    # a reader sees a table when all of it is there, and a delivery when all tables are
    for name in sorted(names, key=lambda name: (name.startswith(f"{FIRST}/"), LOG in name, name)):
        # deltalake's streams take bytes alone: Arrow gives them those of what it has buffered, so a piece must fit in
        out = target.open_output_stream(name, compression=None, buffer_size=2 * _PIECE)
        with out, (folder / name).open("rb") as file:
            shutil.copyfileobj(file, out, _PIECE)


def take_away(url: str) -> None:
    """Removes what `put` wrote to `url`, all of it or a part: for a restore that did not come to its end."""
    local = local_folder(url)
    if local is not None:
        for folder in (local, _beside(local)):
            shutil.rmtree(folder, ignore_errors=True)
        return
    import pyarrow.fs as pafs

    root = _root(url)
    for one in root.get_file_info(pafs.FileSelector("", allow_not_found=True, recursive=True)):
        if one.type == pafs.FileType.File:
            root.delete_file(one.path)


def insist_on_no_record(url: str) -> None:
    """ValueError where something lies at `url`: a restore never overwrites."""
    if _listed(_root(url), ""):
        raise ValueError(
            f"the record {local_folder(url) or url} is not empty: restore into an empty one (RISK_RECORD_URL)"
        )


def local_folder(url: str) -> Path | None:
    """The folder of a record, None for an object store."""
    if "://" not in url:
        return Path(url).absolute()
    parts = urlparse(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _beside(local: Path) -> Path:
    """Where the record's files lie until all are there."""
    return local.with_name(f".{local.name}.restoring")


def _table(root: Any, url: str, name: str) -> list[str]:
    """The files of a table as it stands now: log, then data; none where no table is."""
    files = Record(url).table(name)
    table = files.open()
    if table is None:
        return []
    log = [
        path
        for path in _listed(root, f"{name}/{LOG}")
        if (match := _VERSION.match(path.rpartition("/")[2])) and int(match[1]) <= table.version()
    ]
    paths, _ = files.paths(None, table)
    return [*sorted(log), *(f"{name}{path.removeprefix(files.url)}" for path in paths)]


def _listed(root: Any, folder: str, *, folders: bool = False) -> list[str]:
    """Paths right under a folder: of everything, or of folders alone."""
    import pyarrow.fs as pafs

    return [
        one.path.lstrip("/")
        for one in root.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
        if not folders or one.type == pafs.FileType.Directory
    ]


def _root(url: str) -> Any:
    import pyarrow.fs as pafs
    from deltalake.fs import DeltaStorageHandler

    local = local_folder(url)
    if local is not None:
        return pafs.SubTreeFileSystem(str(local), pafs.LocalFileSystem())
    return pafs.PyFileSystem(DeltaStorageHandler(url, Storage(url).options))
