"""Signed webhooks, as standardwebhooks.com writes them: id, timestamp and HMAC-SHA256 over both and the body.

The address is resolved once, every result must be a public one, and the connection goes to the address that was
checked: a name that answers differently the second time (DNS rebinding) reaches nothing inside the network.
Redirects are not followed.
"""

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from features.key_file import key_file
from serving.settings import Settings
from serving.state import OutboxMessage
from serving.warnings.channels import Undelivered
from serving.warnings.rules import WarningRules

WEBHOOK_SECRET = "webhook.key"
"""The key that signs, under the folder of keys."""
TIMEOUT = 20.0  # seconds, over the whole call
_WRAPPING = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible (RFC 4291 2.5.5.1)
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a network of its own (RFC 8215)
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
    )
)


@dataclass(frozen=True)
class Webhook:
    """Posts messages as JSON. secret: shared with the receivers; now: the clock; allow_private: also to http and to
    addresses that are not public."""

    secret: bytes
    now: Callable[[], datetime]
    allow_private: bool = False

    def __call__(self, message: OutboxMessage) -> None:
        """Posts one message; `Undelivered` for anything but an answer 2xx."""
        body = json.dumps(
            {
                "id": message.key, "kind": message.kind, "unit_code": message.to_unit, "subject": message.subject,
                "text": message.body, "created_at": message.created_at.isoformat(),
            },
            ensure_ascii=False,
        ).encode()  # fmt: skip
        moment = str(int(self.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": moment,
            "webhook-signature": signature(self.secret, message.key, moment, body),
        }
        status = self._posted(message.address, body, headers)
        if not 200 <= status < 300:
            raise Undelivered(f"the receiver answered {status}")

    def _posted(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; `TIMEOUT` holds for name, connection and answer together, however they trickle."""
        calls: list[http.client.HTTPConnection] = []
        done: Future[int] = Future()

        def call() -> None:
            try:
                connection, path = self._connection(address)
                calls.append(connection)
                connection.request("POST", path, body, headers)
                done.set_result(connection.getresponse().status)
            except Exception as error:  # raised by whoever waits
                done.set_exception(error)
            finally:
                for one in calls:
                    one.close()

        threading.Thread(target=call, daemon=True, name="webhook").start()
        try:
            return done.result(TIMEOUT)
        except FutureTimeout:
            for one in calls:
                if one.sock is not None:
                    with suppress(OSError):
                        one.sock.shutdown(socket.SHUT_RDWR)
            raise Undelivered(f"webhook: no answer within {TIMEOUT:g} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            raise Undelivered(f"webhook: {type(error).__name__}") from error

    def _connection(self, address: str) -> tuple[http.client.HTTPConnection, str]:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise Undelivered("webhook: not an address") from error
        schemes = ("https", "http") if self.allow_private else ("https",)
        if parts.scheme not in schemes or not host or parts.username is not None:
            raise Undelivered(f"webhook: wanted {' or '.join(schemes)}://host/…, without a password in it")
        port = port or (443 if parts.scheme == "https" else 80)
        checked = self._checked(host, port)
        kind = _Pinned if parts.scheme == "http" else _PinnedTls
        return kind(host, port, checked), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _checked(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Undelivered("webhook: the name does not resolve") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self.allow_private and not all(public(address) for address in addresses):
            raise Undelivered("webhook: the address is not a public one")
        return addresses[0]


def signature(secret: bytes, key: str, moment: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    signed = hmac.new(secret, f"{key}.{moment}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def public(address: str) -> bool:
    """Whether an IP address is one of the open internet.

    One that wraps an IPv4 address in IPv6 is not: translators on the way decide where such a call ends.
    """
    found: Any = ipaddress.ip_address(address.partition("%")[0])
    wrapped = found.version == 6 and any(found in net for net in _WRAPPING)
    return bool(found.is_global and not found.is_multicast and not wrapped)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, under the name that was asked for."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._address = address

    def connect(self) -> None:
        """Connects to the checked address; names are not looked up again."""
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT)


class _PinnedTls(_Pinned):
    """The same under TLS: the certificate must be of the name."""

    def connect(self) -> None:
        """Connects and shakes hands."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def open_channel(settings: Settings, rules: WarningRules, now: datetime) -> Webhook:
    """The channel; `now` is what its messages are stamped with."""
    return Webhook(key_file(settings.keys / WEBHOOK_SECRET), lambda: now, rules.allow_private)
