"""A small OpenID Connect provider on a local port: discovery, keys, authorization with PKCE, token.

And its faults.

What it checks is what a provider checks (RFC 6749, RFC 7636): client, redirect URI, single use of the code,
verifier. `spoil` changes the claims or the token before it goes out, for the tests of what must be refused.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT = ("risk-client", "a secret of the client")


class Provider:
    """One provider; `subject` is who logs in at it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.clock = clock
        self.subject = "canbo-1"
        self.codes: dict[str, dict[str, str]] = {}
        self.spoil: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.algorithm = "RS256"
        self.signer: Any = self.key
        self.issuer = ""

    def authorize(self, query: dict[str, str]) -> str:
        assert query["client_id"] == CLIENT[0]
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or basic != ":".join(CLIENT)
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return None
        now = int(self.clock())
        claims = {"iss": self.issuer, "aud": CLIENT[0], "sub": self.subject, "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"]}  # fmt: skip
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.encode(self.spoil(claims))}

    def encode(self, claims: dict[str, Any]) -> str:
        if self.algorithm == "none":
            parts = ({"alg": "none", "typ": "JWT"}, claims)
            return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."
        header = {"alg": self.algorithm, "kid": "k1"}
        return jwt.encode(header, claims, self.signer, algorithms=[self.algorithm])


def secret_as_key() -> OctKey:
    """The client's secret as a signing key, as an attacker of HS256 confusion would use it."""
    return OctKey.import_key(CLIENT[1].ljust(32, "x"))


@contextmanager
def running(clock: Callable[[], float]) -> Iterator[Provider]:
    """A provider that answers on a free local port."""
    provider = Provider(clock)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/.well-known/openid-configuration":
                ends = {
                    name: f"{provider.issuer}/{name.split('_')[0]}"
                    for name in ("authorization_endpoint", "token_endpoint")
                }
                self._json({"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/jwks", **ends})
            elif url.path == "/jwks":
                self._json({"keys": [provider.key.as_dict(private=False)]})
            else:
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answer = provider.token(form, self.headers.get("Authorization", ""))
            self._json(answer or {"error": "invalid_grant"}, 200 if answer else 400)

        def _json(self, value: dict[str, Any], status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
