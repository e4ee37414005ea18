"""JSON with one text for one content, for whatever is hashed, sealed or signed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def canonical(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Keys sorted, one line, no spaces, UTF-8 (RFC 8785, for text and integers).

    Numbers with a fraction are best given as text: their spelling differs between writers.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
