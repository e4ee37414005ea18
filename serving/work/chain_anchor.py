"""What stands outside the database and knows how far the chain of receipts has come: key, anchor.

Signed heads, which the running service makes at a fixed pace: where they are wanting, somebody took them away, or the
service stood still, and whoever verifies has to know of it.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.atomic_file import replacing
from features.key_file import key_file

_ANCHOR_LENGTH = 160
HEAD_EVERY = timedelta(hours=1)
"""The pace at which the running service signs heads."""
_NUMBERED = "[0-9]" * 8 + ".json"
LONGEST_SILENCE = 2 * HEAD_EVERY
"""Longer without a head is a fault."""


@dataclass(frozen=True)
class Link:
    """The number and the HMAC (hex) of one receipt."""

    seq: int
    mac: str


@dataclass(frozen=True)
class ChainHead:
    """The end of the chain at a moment, signed: may be printed, mailed, kept by somebody else.

    number: heads count from 1; 0 is one of the daily heads of before. at: the moment, ISO 8601, UTC. previous:
    SHA-256 of the head before it, so that none can be left out.
    """

    day: str
    link: Link
    signature: str
    number: int = 0
    at: str = ""
    previous: str = ""

    def as_json(self) -> str:
        """One line of JSON."""
        numbered = {"number": self.number, "at": self.at, "previous": self.previous} if self.number else {}
        fields = {"day": self.day, "seq": self.link.seq, "mac": self.link.mac, "signature": self.signature}
        return json.dumps(fields | numbered)

    @property
    def name(self) -> str:
        """What the head is called in a fault."""
        return f"head {self.number} of {self.at}" if self.number else f"head of {self.day}"

    @property
    def sha256(self) -> str:
        """What the next head carries of this one."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()

    def signed_text(self) -> bytes:
        """What the signature is over."""
        words = ["dossier-risk head", self.day, str(self.link.seq), self.link.mac]
        if self.number:
            words += [str(self.number), self.at, self.previous]
        return " ".join(words).encode()

    @classmethod
    def from_json(cls, text: str) -> "ChainHead":
        """The head that `as_json` wrote; ValueError where the text is something else."""
        try:
            value = json.loads(text)
            return cls(
                str(value["day"]), Link(int(value["seq"]), str(value["mac"])), str(value["signature"]),
                int(value.get("number", 0)), str(value.get("at", "")), str(value.get("previous", "")),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a signed head: wanted JSON with day, seq, mac, signature") from error


class Witness:
    """Keys, anchor and heads of one installation.

    keys: folder of secret keys (`receipts.key` for the chain, `heads.key` for signatures). folder: where the
    anchor and the heads are kept; another disk or machine than the database's is best. FileNotFoundError where the
    keys of a chain that stands are gone: new ones would make every receipt a false one.
    """

    def __init__(self, keys: Path, folder: Path) -> None:
        for name in ("receipts.key", "heads.key"):
            if (folder / "anchor").exists() and not (keys / name).exists():
                raise FileNotFoundError(f"{keys / name} is gone, receipts were made with it: risk restore-keys FILE")
        self.key = key_file(keys / "receipts.key")
        self._signer = Ed25519PrivateKey.from_private_bytes(key_file(keys / "heads.key"))
        self._anchor = folder / "anchor"
        self.folder = self._heads = folder / "heads"
        self._spool = folder / "spool"
        self._heads.mkdir(parents=True, exist_ok=True)

    def anchor(self, link: Link) -> None:
        """Note the link if it is further than the one noted: threads and processes may come out of order."""
        descriptor = os.open(self._anchor, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            noted = self._read(file.read())
            if isinstance(noted, str) or (noted is not None and noted.seq >= link.seq):
                return  # a damaged anchor stays as it is, for `verify` to find
            body = f"{link.seq} {link.mac}"
            os.pwrite(file.fileno(), f"{body} {self._mac(body)}".ljust(_ANCHOR_LENGTH).encode(), 0)

    def anchored(self) -> Link | str | None:
        """The furthest link noted; None where none was yet; a text where the anchor was tampered with."""
        try:
            return self._read(self._anchor.read_bytes())
        except FileNotFoundError:
            return "the anchor is gone" if any(self._heads.glob("*.json")) else None

    def sign(self, link: Link, now: datetime) -> ChainHead:
        """Sign the end of the chain and keep it in `heads/`, one file a head, each on top of the one before."""
        with self._in_line():
            return self._sign(link, now)

    def sign_due(self, link: Link, now: datetime) -> ChainHead | None:
        """Sign where the last head is `HEAD_EVERY` old; None where it is not. One of several processes does."""
        with self._in_line():
            last = self.last()
            if last is not None and now - datetime.fromisoformat(last.at) < HEAD_EVERY:
                return None
            return self._sign(link, now)

    def last(self) -> ChainHead | None:
        """The newest head, None before the first."""
        names = sorted(self._heads.glob(_NUMBERED))
        return ChainHead.from_json(names[-1].read_text("utf-8")) if names else None

    def heads(self) -> list[ChainHead]:
        """The heads kept here, oldest first. ValueError where a file is not a head."""
        found = [ChainHead.from_json(path.read_text("utf-8")) for path in self._heads.glob("*.json")]
        return sorted(found, key=lambda head: (head.number, head.day))

    def _sign(self, link: Link, now: datetime) -> ChainHead:
        before = self.last()
        at = now.astimezone(UTC)
        head = ChainHead(
            at.date().isoformat(), link, "", before.number + 1 if before else 1, at.isoformat(timespec="seconds"),
            before.sha256 if before else "",
        )  # fmt: skip
        head = replace(head, signature=self._signer.sign(head.signed_text()).hex())
        with replacing(self._heads / f"{head.number:08d}.json") as file:
            file.write(f"{head.as_json()}\n".encode())
        return head

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """One signer at a time, over all processes."""
        descriptor = os.open(self._heads / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def signed(self, head: ChainHead) -> bool:
        """Whether the head's signature is ours."""
        try:
            self._signer.public_key().verify(bytes.fromhex(head.signature), head.signed_text())
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
                entry = json.loads(body)
                yield path.stem, datetime.fromisoformat(entry["at"]), entry["look"]

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


def silences(
    heads: Sequence[ChainHead], since: datetime, until: datetime, stopped: Sequence[tuple[datetime, datetime]] = ()
) -> list[str]:
    """What is wrong with the row of heads between two moments: numbers left out, and stretches without any.

    stopped: from when until when the service is known to have stood still.
    """
    faults = []
    numbered = sorted((head for head in heads if head.number), key=lambda head: head.number)
    for before, head in zip([None, *numbered], numbered, strict=False):
        wanted = (before.number + 1, before.sha256) if before else (1, "")
        if (head.number, head.previous) != wanted:
            faults.append(f"{head.name} does not follow {before.name if before else 'nothing'}: heads were taken away")
    moments = [since, *(datetime.fromisoformat(head.at) for head in numbered), until]
    for start, end in pairwise(moments):
        stood_still = sum((max(timedelta(), min(end, b) - max(start, a)) for a, b in stopped), timedelta())
        if end - start - stood_still > LONGEST_SILENCE:
            between = " and ".join(one.isoformat(timespec="minutes") for one in (start, end))
            faults.append(f"no head between {between}")
    return faults
