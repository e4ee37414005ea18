"""A port that nobody listens on, for servers that a benchmark or a test starts."""

import socket


def free_port() -> int:
    """A free port of this machine at the moment it is asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
