"""Local passwords: Argon2id through pwdlib, and what a password must be."""

import secrets
import string
import unicodedata
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 12
LONGEST = 200  # Argon2 hashes everything it is sent; a limit keeps a megabyte from being work

_TOO_COMMON = (
    "matkhau", "password", "passw0rd", "p@ssw0rd", "letmein", "welcome", "iloveyou", "123456", "654321", "987654",
    "qwerty", "qwertz", "azerty", "asdfgh", "zxcvbn", "1q2w3e", "1qaz2wsx", "q1w2e3", "abcdef", "abc123", "111111",
    "000000", "123123", "112233", "anhyeuem",
)  # fmt: skip
_LOCAL = (
    "quantri", "administrator", "thanhtra", "lanhdao", "canbo", "congchuc", "motcua", "dichvucong", "hanhchinh",
    "uybannhandan", "dossier", "vietnam", "hanoi", "saigon", "danang",
)  # fmt: skip
"""Words of the office and the place, which whoever guesses here tries first."""


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


def hash_password(password: str, login: str) -> str:
    """The Argon2id hash of a new password.

    Raises ValueError with what is wanted where it is shorter than 12 characters, longer than 200, contains
    the login name, or is built on one of the strings that guessers try first, by themselves or here, with or without
    marks and spaces (ASVS 5.0, 6.2).
    """
    plain = password.casefold()
    bare = "".join(filter(str.isalnum, unicodedata.normalize("NFD", plain.replace("đ", "d"))))
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}")
    if login.casefold() in plain or any(word in plain or word in bare for word in (*_TOO_COMMON, *_LOCAL)):
        raise ValueError("a password may not contain the login name, a common sequence or a word of the office")
    if len(set(plain)) < 5:
        raise ValueError("a password needs at least 5 different characters")
    return _hasher().hash(password)


def random_password() -> str:
    """A first password to be handed over: 20 letters and digits in fives (about 119 bits), to be copied by hand."""
    signs = string.ascii_letters + string.digits
    return "-".join("".join(secrets.choice(signs) for _ in range(5)) for _ in range(4))


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is right. Without a hash the same work is done, so that time tells nobody who exists."""
    if len(password) > LONGEST:
        return False
    return _hasher().verify(password, hashed or _nobody()) and hashed is not None


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
