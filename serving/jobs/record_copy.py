"""A record outside the home, in a folder or an object store, as files and back.

The log of `delivery` is read first: whatever a line of it tells of was written before that line, so the tables that are
read later hold it.
"""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

FIRST = "delivery/_delta_log/"


def files_of(url: str) -> tuple[Any, list[str]]:
    """A file system rooted at the record and the paths of its files, in the order to read them in.

    OSError where the store can't be read: a backup is complete or it is none.
    """
    import pyarrow.fs as pafs

    found = [one.path.lstrip("/") for one in _root(url).get_file_info(pafs.FileSelector("", recursive=True))
             if one.type == pafs.FileType.File]  # fmt: skip
    return _root(url), sorted((one for one in found if wanted(one)), key=order)


def order(path: str) -> tuple[bool, bool, str]:
    """Sorts by: log of deliveries, other logs, data."""
    return not path.startswith(FIRST), "_delta_log" not in path, path


def wanted(path: str) -> bool:
    """Whether a file of the record belongs into a copy."""
    return not path.startswith("staging/") and not path.endswith((".lock", ".tmp"))


def put(url: str, folder: Path) -> None:
    """Writes the files under `folder` to the record at `url`; ValueError where something lies there."""
    import pyarrow.fs as pafs

    local = local_folder(url)
    if local is not None:
        if local.exists() and any(local.iterdir()):
            raise ValueError(f"{local} is not empty: restore into an empty record")
        shutil.copytree(folder, local, dirs_exist_ok=True)
        return
    target = _root(url)
    if target.get_file_info(pafs.FileSelector("", recursive=True)):
        raise ValueError("the record of RISK_RECORD_URL is not empty: restore into an empty one")
    names = sorted((path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()), key=order)
    for name in reversed(names):  # a reader sees a delivery when all of it is there
        with target.open_output_stream(name) as out, (folder / name).open("rb") as file:
            shutil.copyfileobj(file, out)


def local_folder(url: str) -> Path | None:
    """The folder of a record, None for an object store."""
    if "://" not in url:
        return Path(url).absolute()
    parts = urlparse(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _root(url: str) -> Any:
    import pyarrow.fs as pafs
    from deltalake.fs import DeltaStorageHandler

    local = local_folder(url)
    if local is not None:
        return pafs.SubTreeFileSystem(str(local), pafs.LocalFileSystem())
    return pafs.PyFileSystem(DeltaStorageHandler(url))
