"""Heads of the receipt chain: signed at a fixed pace by the running service, and carried out of its reach.

Whoever may change everything on this machine may also take away what it says about itself; so each head goes to every
place that the settings name: a folder (of another machine), a webhook, a mailbox, a time-stamping authority (RFC 3161).
What could not be carried is tried again at the next turn, and is a fault for whoever verifies.
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

import httpx2

from features.atomic_file import replacing
from features.key_file import key_file
from serving.settings import Settings
from serving.state import OutboxMessage
from serving.warnings.channels import Undelivered
from serving.warnings.channels.mail import Mail
from serving.warnings.channels.webhook import WEBHOOK_SECRET, Webhook
from serving.warnings.rules import WarningRules
from serving.work.chain_anchor import ChainHead, Witness
from serving.work.receipts import Receipts

log = logging.getLogger(__name__)

TIMEOUT = 20.0  # seconds
_SHA256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier of SHA-256, DER
_LAGGING = 2
"""Heads that may wait at a place before it is a fault."""

Carrier = Callable[[ChainHead], None]


class ChainHeads:
    """Signs and carries for one server process; others may do the same beside it."""

    def __init__(self, settings: Settings, receipts: Receipts, now: Callable[[], datetime]) -> None:
        self._settings, self._receipts, self._now = settings, receipts, now
        self._carrying = threading.Lock()

    def turn(self) -> ChainHead | None:
        """Signs a head where one is due, and begins to carry what is not outside yet; gives the new head."""
        head = self._receipts.sign_due(now=self._now())
        if self._settings.heads.places and not self._carrying.locked():
            threading.Thread(target=self.carry, daemon=True, name="chain-heads").start()
        return head

    def carry(self) -> None:
        """Carries each head to each place that has not got it, in order; a place that fails waits for the next turn."""
        with self._carrying:
            for place, carrier in carriers(self._settings, self._receipts.witness, self._now).items():
                try:
                    for head in _waiting(self._settings, self._receipts.witness, place):
                        carrier(head)
                        _note(self._settings, place, head.number)
                except (OSError, ValueError, Undelivered, httpx2.HTTPError) as error:
                    log.warning("a head of the receipt chain was not carried to %s: %s", place, type(error).__name__)


def carriers(settings: Settings, witness: Witness, now: Callable[[], datetime]) -> Mapping[str, Carrier]:
    """Place → what carries a head there, of those that the settings name."""
    heads, found = settings.heads, dict[str, Carrier]()
    if (folder := heads.folder) is not None:

        def drop(head: ChainHead) -> None:
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / f"{head.number:08d}.json") as file:
                file.write(f"{head.as_json()}\n".encode())

        found["folder"] = drop
    if heads.webhook:
        rules = WarningRules.from_toml(settings.warnings)
        hook = Webhook(key_file(settings.keys / WEBHOOK_SECRET), now, rules.allow_private)
        found["webhook"] = lambda head: hook(_message(head, "webhook", heads.webhook, now()))
    if heads.mail:
        server = WarningRules.from_toml(settings.warnings).mail
        if server is None:
            raise ValueError("RISK_HEADS_MAIL: warnings.toml names no mail server")
        mail = Mail(server, settings.smtp_password)
        found["mail"] = lambda head: mail(_message(head, "mail", heads.mail, now()))
    if heads.time_stamp:

        def stamp(head: ChainHead) -> None:
            answer = time_stamp(heads.time_stamp, head)
            with replacing(witness.folder / f"{head.number:08d}.tsr") as file:
                file.write(answer)

        found["time_stamp"] = stamp
    return found


def uncarried(settings: Settings, witness: Witness) -> list[str]:
    """Places that the settings name and that more than two heads have not reached."""
    found = []
    for place in settings.heads.places:
        waiting = _waiting(settings, witness, place)
        if len(waiting) > _LAGGING:
            found.append(f"{waiting[0].name} and {len(waiting) - 1} later ones were not carried to the {place}")
    return found


def time_stamp(authority: str, head: ChainHead) -> bytes:
    """The answer of a time-stamping authority (RFC 3161) over the head's SHA-256, as DER, to be kept beside it.

    `openssl ts -verify` checks it without us. ValueError where the authority grants none, or stamps something else.
    """
    digest = bytes.fromhex(head.sha256)
    imprint = _der(0x30, _SHA256 + _der(0x04, digest))
    nonce = _der(0x02, bytes([64 + secrets.randbelow(64)]) + secrets.token_bytes(7))  # positive, and no shorter
    request = _der(0x30, b"\x02\x01\x01" + imprint + nonce + b"\x01\x01\xff")
    answer = httpx2.post(
        authority, content=request, headers={"Content-Type": "application/timestamp-query"}, timeout=TIMEOUT
    ).raise_for_status()
    body = answer.content[:100_000]
    # PKIStatusInfo stands first: granted is 0, granted with modifications 1
    status = body[body.index(b"\x02\x01") + 2] if b"\x02\x01" in body[:16] else 2
    if status > 1 or digest not in body or nonce not in body:
        raise ValueError("the time-stamping authority granted no stamp of this head")
    return body


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content  # all of ours are shorter than 128 bytes


def _message(head: ChainHead, channel: str, address: str, now: datetime) -> OutboxMessage:
    return OutboxMessage(
        key=head.sha256, kind="receipt_head", channel=channel, to_unit="", address=address,
        subject=f"Receipt chain: head {head.number}", body=head.as_json(), created_at=now,
    )  # fmt: skip


def _waiting(settings: Settings, witness: Witness, place: str) -> list[ChainHead]:
    reached = _reached(settings).get(place, 0)
    return [head for head in witness.heads() if head.number > reached]


def _reached(settings: Settings) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads((settings.home / "receipts" / "carried.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _note(settings: Settings, place: str, number: int) -> None:
    reached = _reached(settings) | {place: number}
    with replacing(settings.home / "receipts" / "carried.json") as file:
        file.write(json.dumps(reached, sort_keys=True).encode())
