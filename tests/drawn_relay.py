"""A relay before a server of a test, in a process of its own, that holds back every byte while a file says so."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Relay:
    """address: where it listens; it hangs while the file `held` is there."""

    address: str
    held: Path

    def hang(self) -> None:
        """From now on connections are taken and nothing is answered."""
        self.held.touch()

    def go_on(self) -> None:
        """What was held back is sent on."""
        self.held.unlink(missing_ok=True)


@contextmanager
def relayed(address: str, folder: Path) -> Iterator[Relay]:
    """A relay before `http://127.0.0.1:PORT`; no thread of the test, for a client may hold the interpreter's lock."""
    held = folder / "held"
    process = subprocess.Popen(
        [sys.executable, "-S", __file__, address.rpartition(":")[2], str(held)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Relay(f"http://127.0.0.1:{process.stdout.readline().strip()}", held)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _pass_on(source: socket.socket, target: socket.socket, held: Path) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            while held.exists():
                time.sleep(0.05)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _run(port: int, held: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        client, _ = listening.accept()
        threading.Thread(target=_join, args=(client, port, held), daemon=True).start()


def _join(client: socket.socket, port: int, held: Path) -> None:
    while held.exists():
        time.sleep(0.05)
    server = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=_pass_on, args=(server, client, held), daemon=True).start()
    _pass_on(client, server, held)


if __name__ == "__main__":
    _run(int(sys.argv[1]), Path(sys.argv[2]))
