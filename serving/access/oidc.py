"""Login through the province's identity provider: OpenID Connect, authorization code with PKCE.

OpenID Connect Core 1.0 (3.1.3.7 for what is checked of an ID token), RFC 7636 (PKCE), RFC 9700 (state bound
to the browser, exact redirect URI). The provider says who somebody is; the role comes from our own account.
"""

import hmac
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete

from serving.access.secret import digest, new_secret
from serving.settings import OidcSettings
from serving.state import LoginFlow, State

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # never none, never an HMAC under the client's secret
FLOW_LIFE = timedelta(minutes=10)
_SKEW = timedelta(minutes=2)
_TIMEOUT = 10.0


class ProviderError(Exception):
    """The provider's answer does not hold; the message is for the log, the person goes back to the door."""


@dataclass(frozen=True)
class Identity:
    """Who came back from the provider, and the page they wanted before."""

    issuer: str
    subject: str
    next_path: str


class Provider:
    """The provider's side of a login; metadata and keys are fetched once and again when a key is unknown."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._fetching = threading.Lock()

    def begin(self, state: State, browser: str, redirect_uri: str, next_path: str, *, now: datetime) -> str:
        """The address to send the browser to. `browser` is a secret that its cookie holds until it comes back."""
        metadata = self._discover()
        flow_state, nonce, verifier = new_secret(), new_secret(), new_secret()
        with state.writing() as session:
            session.execute(delete(LoginFlow).where(LoginFlow.expires_at <= now))
            session.add(
                LoginFlow(
                    state_hash=digest(flow_state),
                    browser_hash=digest(browser),
                    nonce=nonce,
                    verifier=verifier,
                    next_path=next_path,
                    expires_at=now + FLOW_LIFE,
                )
            )
        url: str = httpx2.URL(
            metadata["authorization_endpoint"],
            params={
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": redirect_uri,
                "scope": "openid",
                "state": flow_state,
                "nonce": nonce,
                "code_challenge": create_s256_code_challenge(verifier),
                "code_challenge_method": "S256",
            },
        ).__str__()
        return url

    def finish(
        self, state: State, browser: str, flow_state: str, code: str, redirect_uri: str, *, now: datetime
    ) -> Identity:
        """Who came back. A flow is used up by the first try, right or wrong.

        Raises ProviderError for an unknown, used or foreign state, and where the token endpoint or the ID
        token does not hold (signature, algorithm, issuer, audience, expiry, nonce).
        """
        with state.writing() as session:
            flow = session.get(LoginFlow, digest(flow_state))
            if flow is not None:
                session.delete(flow)
        if flow is None or flow.expires_at <= now:
            raise ProviderError("state: unknown, used or too old")
        if not hmac.compare_digest(flow.browser_hash, digest(browser)):
            raise ProviderError("state: begun in another browser")
        token = self._exchange(code, flow.verifier, redirect_uri)
        claims = self._claims(token, now)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode()):
            raise ProviderError("nonce: another login's token")
        return Identity(self.settings.issuer, str(claims["sub"]), flow.next_path)

    def _exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        settings = self.settings
        try:
            with OAuth2Client(settings.client_id, settings.client_secret, timeout=_TIMEOUT) as client:
                answer = client.fetch_token(
                    self._discover()["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect_uri,
                    code_verifier=verifier,
                )
        except Exception as error:  # authlib raises its own, httpx's and JSON's errors here
            raise ProviderError(f"token endpoint: {type(error).__name__}") from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("token endpoint: no id_token")
        return token

    def _claims(self, token: str, now: datetime) -> dict[str, Any]:
        settings = self.settings
        try:
            decoded = self._decode(token)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(f"id_token: {type(error).__name__}") from error
        claims = decoded.claims
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else list(audience or [])
        faults = {
            "iss": claims.get("iss") != settings.issuer,
            "aud": settings.client_id not in audiences,
            "azp": (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != settings.client_id,
            "exp": _number(claims.get("exp"), 0) <= (now - _SKEW).timestamp(),
            "iat": _number(claims.get("iat"), float("inf")) > (now + _SKEW).timestamp(),
            "sub": not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 200,
        }
        if any(faults.values()):
            raise ProviderError(f"id_token: {', '.join(name for name, wrong in faults.items() if wrong)}")
        return dict(claims)

    def _decode(self, token: str) -> jwt.Token:
        keys = self._key_set(fresh=False)
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # the provider may have changed its keys since
            return jwt.decode(token, self._key_set(fresh=True), algorithms=ALGORITHMS)

    def _discover(self) -> dict[str, Any]:
        with self._fetching:
            if self._metadata is None:
                found = _get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self.settings.issuer:
                    raise ProviderError("metadata: another issuer")
                self._metadata = found
            return self._metadata

    def _key_set(self, fresh: bool) -> KeySet:
        if self._keys is None or fresh:
            self._keys = KeySet.import_key_set(_get(self._discover()["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys


def _get(url: str) -> dict[str, Any]:
    try:
        answer = httpx2.get(url, timeout=_TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderError(f"provider: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise ProviderError("provider: wanted a JSON object")
    return found


def _number(value: object, missing: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else missing
