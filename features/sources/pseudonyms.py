"""Keyed pseudonyms: whom a row is about, without saying who.

A person's name or number becomes the first 80 bits of HMAC-SHA256 under a secret that never leaves the machine's
`keys/` folder. The same person gives the same pseudonym in every delivery, so deliveries may come in any
order; without the key no list of all identity numbers turns a pseudonym back (Luật 91/2025/QH15, data
minimisation: domain.md 3.6).
"""

import hashlib
import hmac

from features.spelling.names import canonical, is_placeholder

_UNKNOWN_IDENTITIES = frozenset({"", "0", "000000001", "000000000", "000000000001", "000000000000", "123456789"})
"""Fillers that systems send for an unknown identity number (T10)."""


def identity_is_missing(number: str | None) -> bool:
    """Whether the identity number is empty or a known filler (T10), and so names nobody."""
    return number is None or number.strip() in _UNKNOWN_IDENTITIES


class Pseudonyms:
    """Opaque identifiers under one key. Results are remembered, since a delivery repeats the same few names."""

    def __init__(self, key: bytes) -> None:
        self._base = hmac.new(key, digestmod=hashlib.sha256)
        self._officials: dict[tuple[str, str], str | None] = {}

    def _digest(self, kind: str, *parts: str) -> str:
        seal = self._base.copy()
        seal.update("\x1f".join((kind, *parts)).encode("utf-8", "surrogatepass"))
        return seal.hexdigest()[:20]

    def official(self, name: str | None, unit_code: str | None) -> str | None:
        """`o-…` for the person of that name in that unit; None for a placeholder, which is nobody.

        The unit is part of the key: the same name in two units is two people. Writings of one name
        (`features.spelling.names.canonical`) give one key.
        """
        key = (name or "", unit_code or "")
        if key not in self._officials:
            self._officials[key] = (
                None
                if name is None or is_placeholder(name)
                else "o-" + self._digest("official", canonical(name), key[1])
            )
        return self._officials[key]

    def citizen(self, number: str | None, name: str | None = None, phone: str | None = None) -> str | None:
        """`c-…` by identity number, else by name and phone together; None where both are missing."""
        if not identity_is_missing(number):
            assert number is not None
            return "c-" + self._digest("identity", "".join(number.split()))
        digits = "".join(letter for letter in phone or "" if letter.isdigit())
        if digits and name and not is_placeholder(name):
            return "c-" + self._digest("contact", canonical(name), digits)
        return None

    def account(self, account: str | None) -> str | None:
        """`a-…` for a login name or account id of unknown nature; None where empty."""
        text = (account or "").strip()
        return "a-" + self._digest("account", text.casefold()) if text else None
