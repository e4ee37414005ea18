"""Random secrets and their digests."""

import hashlib
import hmac
import secrets


def new_secret() -> str:
    """A random text of 256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored in place of a random secret. Plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_digest(key: bytes, text: str) -> str:
    """HMAC-SHA256 of a text, in hex: for what could be guessed (login names)."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
