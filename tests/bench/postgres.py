"""A PostgreSQL server of our own for a while: to stop it at once under load, and see what is left."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.port import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Where Debian puts them; PostgreSQL refuses to run as root, so root starts it as the user postgres."""


class Cluster:
    """One server: `start`, `stop_at_once` (as a machine that loses its power), `url`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"postgresql://risk@127.0.0.1:{port}/postgres"
        self._folder = folder
        who = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        self._as_user: dict[str, Any] = {"user": who.pw_uid, "group": who.pw_gid} if os.geteuid() == 0 else {}
        shutil.chown(folder, who.pw_uid, who.pw_gid)
        self._options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "risk", "--no-sync")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", self._options, "start")

    def stop_at_once(self) -> None:
        """Stops without a checkpoint; the next start recovers from the log."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([str(BINARIES[-1] / program), *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self._folder, **self._as_user)  # fmt: skip


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A started server, removed at the end. FileNotFoundError where PostgreSQL is not installed."""
    if not BINARIES:
        raise FileNotFoundError("no PostgreSQL under /usr/lib/postgresql; install the package postgresql")
    folder = Path(tempfile.mkdtemp(prefix="risk-pg"))
    made = Cluster(folder, free_port())
    made.start()
    try:
        yield made
    finally:
        made.stop_at_once()
        shutil.rmtree(folder, ignore_errors=True)
