"""The draw of dossiers whose warnings are held back, so that what warnings do can be measured.

The draw hangs on a secret seed and the dossier alone: asked again, after a restart, by another process or for a
later promise of the same dossier, it falls the same way, and nobody without the seed can tell how.
"""

import hashlib
import hmac


def draw(seed: bytes, target: str, dossier_id: str) -> float:
    """A number in [0, 1), uniform over dossiers; below the share held out, the warning is not sent."""
    digest = hmac.new(seed, f"{target}\0{dossier_id}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
