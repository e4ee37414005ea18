"""Random secrets, their digests, and the keys that an installation keeps in `RISK_HOME/keys`."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def new_secret() -> str:
    """A random text of 256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored in place of a random secret.

    Plain SHA-256 is enough: 256 random bits cannot be guessed.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_digest(key: bytes, text: str) -> str:
    """HMAC-SHA256 of a text, in hex: for what could be guessed (login names)."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def key_file(folder: Path, name: str) -> bytes:
    """The 32 random bytes kept in `folder/name`, made on first use, readable by the owner alone.

    Raises PermissionError where others may read the file, ValueError where it is not 32 bytes long.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            # unlike a rename, a link never replaces the key another process has just made
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"key file {name} can be read by others: chmod 600 it")
    key = path.read_bytes()
    if len(key) != 32:
        raise ValueError(f"key file {name} holds {len(key)} bytes, wanted 32: restore it from the backup")
    return key
