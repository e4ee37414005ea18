"""How the server speaks HTTP by itself: what a connection may wait for, whom it believes about its client.

A proxy in front has such limits too; a server that is reached past it, or has none, is not filled by connections that
say nothing to the end.
"""

from asyncio import Transport
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From the first byte of a request, or from the connection, to the end of its headers."""
LEFT_SECONDS = 5.0
"""For the rest of a body that nobody reads any more, once the answer has gone out."""
IDLE_SECONDS = 20
"""How long a connection without a request is held."""


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with an end to half-sent headers and to bodies that trickle in after their answer.

    uvicorn itself ends idle connections alone, and each byte begins its count anew. A body that somebody still reads
    has the limits of `serving.api.limits.BodyLimit`, which can answer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self._in_head = False
        self._in_body = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._end_in(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the waiting."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; where no request has come of it yet, the wait goes on, however many bytes there are."""
        super().data_received(data)
        answered = self.cycle is None or self.cycle.response_complete
        if self._deadline is None and (self._in_head or (answered and not self._in_body)):
            self._end_in(HEAD_SECONDS)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The headers are there in time."""
        self._in_head, self._in_body = False, True
        self._in_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there to its end."""
        self._in_body = False
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is out; what is left of the body is not waited for long."""
        super().on_response_complete()
        if self._in_body and not self.transport.is_closing():
            self._end_in(LEFT_SECONDS)

    def _end_in(self, seconds: float) -> None:
        self._in_time()
        self._deadline = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def server_options(trusted_proxies: str) -> dict[str, Any]:
    """What uvicorn is run with, wherever it is. trusted_proxies: addresses or networks, with commas."""
    return {
        "http": DeadlineProtocol,
        "ws": "none",
        "log_config": None,  # the app logs, a JSON object a line
        "access_log": False,
        "timeout_keep_alive": IDLE_SECONDS,
        # a process that imports on a busy machine is slow, not dead: killed after the usual 5 s it would never start
        "timeout_worker_healthcheck": 60,
        "limit_concurrency": 512,
        "server_header": False,
        "proxy_headers": True,
        "forwarded_allow_ips": trusted_proxies,
    }
