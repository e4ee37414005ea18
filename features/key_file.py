"""The secrets that an installation keeps in its `keys/` folder, one file each."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


def key_file(path: Path) -> bytes:
    """The 32 random bytes at `path`, made on first use with rights 0600 in a folder of 0700.

    Two processes that start at once get the same key: it is written whole under another name and put in place only
    where none stands. Raises PermissionError where others may read it, ValueError where it has another length.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)  # unlike a rename it never replaces the key that another process has just made
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"the key {path.name} may be read by others; wanted rights 0600: chmod 600 it")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key {path.name} has {len(key)} bytes, wanted {KEY_BYTES}: restore it from the backup")
    return key
