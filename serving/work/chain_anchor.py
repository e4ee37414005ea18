"""What stands outside the database and knows how far the chain of receipts has come: key, anchor.

Signed heads.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.atomic_file import replacing
from features.key_file import key_file

_ANCHOR_LENGTH = 160


@dataclass(frozen=True)
class Link:
    """The number and the HMAC (hex) of one receipt."""

    seq: int
    mac: str


@dataclass(frozen=True)
class Head:
    """The end of the chain on one day, signed: may be printed, mailed, kept by somebody else."""

    day: str
    link: Link
    signature: str

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps({"day": self.day, "seq": self.link.seq, "mac": self.link.mac, "signature": self.signature})

    @classmethod
    def from_json(cls, text: str) -> "Head":
        """The head that `as_json` wrote; ValueError where the text is something else."""
        try:
            value = json.loads(text)
            return cls(str(value["day"]), Link(int(value["seq"]), str(value["mac"])), str(value["signature"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a signed head: wanted JSON with day, seq, mac, signature") from error


class Witness:
    """Keys, anchor and heads of one installation.

    keys: folder of secret keys (`receipts.key` for the chain, `heads.key` for signatures). folder: where the
    anchor and the heads are kept; another disk or machine than the database's is best.
    """

    def __init__(self, keys: Path, folder: Path) -> None:
        self.key = key_file(keys / "receipts.key")
        self._signer = Ed25519PrivateKey.from_private_bytes(key_file(keys / "heads.key"))
        self._anchor = folder / "anchor"
        self._heads = folder / "heads"
        self._spool = folder / "spool"
        self._heads.mkdir(parents=True, exist_ok=True)

    def anchor(self, link: Link) -> None:
        """Note the link if it is further than the one noted: threads and processes may come out of order."""
        descriptor = os.open(self._anchor, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = self._read(file.read())
            if isinstance(known, str) or (known is not None and known.seq >= link.seq):
                return  # a damaged anchor stays as it is, for `verify` to tell
            body = f"{link.seq} {link.mac}"
            os.pwrite(file.fileno(), f"{body} {self._mac(body)}".ljust(_ANCHOR_LENGTH).encode(), 0)

    def anchored(self) -> Link | str | None:
        """The furthest link noted; None where none was yet; a text where the anchor was tampered with."""
        try:
            return self._read(self._anchor.read_bytes())
        except FileNotFoundError:
            return "the anchor is gone" if any(self._heads.iterdir()) else None

    def sign(self, link: Link, now: datetime) -> Head:
        """Sign the end of the chain and keep it in `heads/`, one file a day (UTC).

        The day's last one stays.
        """
        day = now.astimezone(UTC).date().isoformat()
        head = Head(day, link, self._signer.sign(_told(day, link)).hex())
        with replacing(self._heads / f"{day}.json") as file:
            file.write(f"{head.as_json()}\n".encode())
        return head

    def heads(self) -> list[Head]:
        """The heads kept here, oldest first. ValueError where a file is not a head."""
        return [Head.from_json(path.read_text("utf-8")) for path in sorted(self._heads.glob("*.json"))]

    def signed(self, head: Head) -> bool:
        """Whether the head's signature is ours."""
        try:
            self._signer.public_key().verify(bytes.fromhex(head.signature), _told(head.day, head.link))
        except (InvalidSignature, ValueError):
            return False
        return True

    def spool(self, look: Mapping[str, Any], at: datetime) -> None:
        """Keep one look whose receipt could not be written: a file of its own, flushed, with a mac over it."""
        body = json.dumps({"at": at.astimezone(UTC).isoformat(), "look": look}, ensure_ascii=False, sort_keys=True)
        self._spool.mkdir(exist_ok=True)
        path = self._spool / f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:12]}.json"
        with replacing(path) as file:
            file.write(f"{self._mac(body)} {body}\n".encode())

    def spooled(self) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
        """Name, moment and content of what is in the spool, oldest first; a file that we did not write stays there."""
        for path in sorted(self._spool.glob("*.json")):
            mac, _, body = path.read_text("utf-8").strip().partition(" ")
            if hmac.compare_digest(self._mac(body), mac):
                told = json.loads(body)
                yield path.stem, datetime.fromisoformat(told["at"]), told["look"]

    def unspool(self, name: str) -> None:
        """Take one look out of the spool; another process may have done so already."""
        (self._spool / f"{name}.json").unlink(missing_ok=True)

    def _read(self, content: bytes) -> Link | str | None:
        if not content:
            return None
        words = content.decode("ascii", "replace").split()
        if len(words) != 3 or not hmac.compare_digest(self._mac(" ".join(words[:2])), words[2]):
            return "the anchor was changed by somebody without the key"
        return Link(int(words[0]), words[1])

    def _mac(self, body: str) -> str:
        return hmac.new(self.key, b"anchor:" + body.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _told(day: str, link: Link) -> bytes:
    return f"dossier-risk head {day} {link.seq} {link.mac}".encode()
