"""Webhooks: no wrapped address, one limit over the whole call, and a slow receiver delays nobody else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.calendar.vietnam import VIETNAM
from serving.state import OutboxMessage, open_state
from serving.warnings.channels import Undelivered, webhook
from serving.warnings.channels.webhook import Webhook, public
from serving.warnings.outbox import send
from serving.warnings.quiet import Quiet

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1", "::10.0.0.1", "::ffff:10.0.0.1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "::8.8.8.8", "::ffff:0:127.0.0.1", "2002:0a00:0001::1", "2001:0:1::1",
        "::1", "::", "fe80::1%eth0", "fd00::1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    ],
)  # fmt: skip
def test_wrapped_and_inner_addresses_are_refused(address: str) -> None:
    assert not public(address)
    host = address.partition("%")[0]
    with pytest.raises(Undelivered, match="not a public one"):
        Webhook(b"s" * 32, lambda: MONDAY)(message(f"https://[{host}]/" if ":" in host else f"https://{host}/"))


def test_open_addresses_pass() -> None:
    assert public("8.8.8.8")
    assert public("2606:4700::1111")


def message(address: str, number: int = 0) -> OutboxMessage:
    return OutboxMessage(
        key=f"k{number}-{address}"[:64], kind="warning", channel="webhook", to_unit="x1", address=address, subject="s",
        body="b", created_at=MONDAY, not_before=MONDAY, attempts=0, trouble="",
    )  # fmt: skip


@contextmanager
def trickling(every: float) -> Iterator[str]:
    """A receiver that sends its answer one byte at a time and never ends."""
    door = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                taken, _ = door.accept()
                threading.Thread(target=drip, args=(taken,), daemon=True).start()

    def drip(taken: socket.socket) -> None:
        with taken, suppress(OSError):
            taken.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.is_set():
                taken.sendall(b"x")
                time.sleep(every)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{door.getsockname()[1]}/"
    over.set()
    with suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)
    door.close()


def test_the_limit_holds_over_the_whole_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 1.0)
    begun = time.monotonic()
    with trickling(0.05) as address, pytest.raises(Undelivered, match="no answer within 1 seconds"):
        Webhook(b"s" * 32, lambda: MONDAY, allow_private=True)(message(address))
    assert time.monotonic() - begun < 5


def test_a_slow_receiver_delays_nobody_else(tmp_path: Path) -> None:
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    with state.writing() as session:
        for number in range(4):
            session.add(message("slow", number))
        for number in range(6):
            session.add(message(f"quick{number % 2}", number))
    released, arrived, waited = threading.Event(), [], []

    def channel(one: OutboxMessage) -> None:
        if one.address == "slow":
            waited.append(released.wait(20))
            raise Undelivered("too slow")
        arrived.append(one.key)
        if len(arrived) == 6:
            released.set()

    done = send(state, {"webhook": channel}, Quiet(VIETNAM), now=MONDAY)
    assert waited == [True], "the quick ones came meanwhile"
    assert (done.sent, done.failed) == (6, 1), "the slow one is asked once a turn"
    with state.reading() as session:
        waiting = list(session.query(OutboxMessage).filter(OutboxMessage.sent_at.is_(None)))
    assert len(waiting) == 4
    assert max(one.not_before for one in waiting) > MONDAY + timedelta(minutes=1)
    state.close()
