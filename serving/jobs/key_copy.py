"""The keys of an installation in one encrypted file, apart from its data: whoever finds a backup reads no secret.

The file is a JSON head (the cost and salt of scrypt, RFC 7914) in its first line, then AES-256-GCM over a JSON of names
and contents; the head is bound to it. The word is stored elsewhere, on paper if need be: without it nothing opens.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from features.atomic_file import replacing

LEAST_WORD = 16
"""Characters of the word."""
_COST = 2**15
_MOST_COST = 2**20
_NONCE = 12


def close_keys(keys: Path, out: Path, word: str) -> int:
    """Writes every key of the folder to `out`, for its owner alone; how many. ValueError for too short a word."""
    if len(word) < LEAST_WORD:
        raise ValueError(f"the word that closes the keys has at least {LEAST_WORD} characters")
    held = {path.relative_to(keys).as_posix(): path.read_bytes() for path in sorted(keys.rglob("*")) if path.is_file()}
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE)
    head = json.dumps({"kdf": "scrypt", "n": _COST, "r": 8, "p": 1, "salt": salt.hex()}).encode()
    body = json.dumps({name: base64.b64encode(content).decode() for name, content in held.items()}).encode()
    with replacing(out, 0o600) as file:
        file.write(head + b"\n" + nonce + AESGCM(_stretched(word, salt, _COST)).encrypt(nonce, body, head))
    return len(held)


def open_keys(path: Path, word: str) -> dict[str, bytes]:
    """Name → content of the keys in a file. ValueError for another word, and for a file that was changed."""
    head, _, rest = path.read_bytes().partition(b"\n")
    try:
        header = json.loads(head)
        cost = int(header["n"])
        if not 2 <= cost <= _MOST_COST:
            raise ValueError("a cost that we never write")
        key = _stretched(word, bytes.fromhex(header["salt"]), cost)
        held: dict[str, str] = json.loads(AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], head))
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} does not open with this word, or was changed") from error
    return {name: base64.b64decode(content) for name, content in held.items()}


def put_missing(folder: Path, keys: Mapping[str, bytes]) -> list[str]:
    """Puts back the keys that are not in the folder; their names. Those that are there stay as they are.

    ValueError where one that is there is another than in the copy: which of the two is right, nobody here can know.
    """
    there = {name for name in keys if (folder / name).exists()}
    if other := sorted(name for name in there if (folder / name).read_bytes() != keys[name]):
        raise ValueError(f"{', '.join(other)}: another key stands here; move it aside first, and nothing was put back")
    missing = sorted(keys.keys() - there)
    put_keys(folder, {name: keys[name] for name in missing})
    return missing


def put_keys(folder: Path, keys: Mapping[str, bytes]) -> None:
    """Puts keys back into a folder, for their owner alone."""
    for name, content in keys.items():
        path = folder / name
        if ".." in path.parts or not path.is_relative_to(folder):
            raise ValueError("a key's name leads out of its folder")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)


def _stretched(word: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(word.encode())
