"""Local passwords: Argon2id through pwdlib, and what a password must be."""

from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 12
LONGEST = 200  # Argon2 hashes everything it is sent; a limit keeps a megabyte from being work

_TOO_COMMON = ("matkhau", "password", "123456", "qwerty", "abcdef", "111111")


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


def hash_password(password: str, login: str) -> str:
    """The Argon2id hash of a new password.

    Raises ValueError with what is wanted where it is shorter than 12 characters, longer than 200, contains
    the login name, or is built on one of the strings that guessers try first (ASVS 5.0, 6.2).
    """
    plain = password.casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}")
    if login.casefold() in plain or any(word in plain for word in _TOO_COMMON):
        raise ValueError("a password may not contain the login name or a common sequence: choose another")
    if len(set(plain)) < 5:
        raise ValueError("a password needs at least 5 different characters")
    return _hasher().hash(password)


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is right.

    Without a hash the same work is done, so that time tells nobody who exists.
    """
    if len(password) > LONGEST:
        return False
    return _hasher().verify(password, hashed or _nobody()) and hashed is not None


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
