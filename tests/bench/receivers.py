"""A mail server and a webhook receiver of our own, which write down what they were handed."""

import email
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, TCPServer, ThreadingTCPServer
from time import sleep
from typing import Any


@dataclass
class Handed:
    """What came: mails, and webhook calls as (headers, body). note: called with each message's key; pause: seconds
    before an answer; answer: the webhook's status; mail_answer: the mail server's line after a message."""

    note: Callable[[str], None] = lambda key: None
    pause: float = 0.0
    answer: int = 204
    mail_answer: str = "250 taken"
    mails: list[EmailMessage] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def mail_server(handed: Handed) -> Iterator[int]:
    """An SMTP server on a free port of this machine; gives the port."""
    with _serving(_ManyMails(("127.0.0.1", 0), _smtp(handed))) as port:
        yield port


@contextmanager
def webhook_receiver(handed: Handed) -> Iterator[int]:
    """An HTTP server on a free port of this machine that takes any POST; gives the port."""
    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), _http(handed))) as port:
        yield port


class _ManyMails(ThreadingTCPServer):
    """A thread a sender, none of which outlives the process."""

    daemon_threads = True


@contextmanager
def _serving(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    with server:
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _smtp(handed: Handed) -> type[StreamRequestHandler]:
    class Smtp(StreamRequestHandler):
        """As much of RFC 5321 as smtplib speaks."""

        def handle(self) -> None:
            try:
                self._talk()
            except OSError:
                return  # the sender was killed in the middle of a word

        def _talk(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self._say("354 go on")
                    self._take()
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 fine")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                if not line:
                    return  # cut off before the end: not taken
                lines.append(line[1:] if line.startswith(b"..") else line)
            sleep(handed.pause)
            if handed.mail_answer.startswith("2"):
                mail = email.message_from_bytes(b"".join(lines), policy=policy.SMTP)
                assert isinstance(mail, EmailMessage)
                handed.mails.append(mail)
                handed.note(str(mail["Message-ID"]).strip("<>").partition("@")[0])
            self._say(handed.mail_answer)

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    return Smtp


def _http(handed: Handed) -> type[BaseHTTPRequestHandler]:
    class Http(BaseHTTPRequestHandler):
        """Takes every POST."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sleep(handed.pause)
            handed.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if 200 <= handed.answer < 300:
                handed.note(str(json.loads(body)["id"]))
            self.send_response(handed.answer)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing on the terminal."""

    return Http
