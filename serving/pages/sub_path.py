"""The service under a path of another site (https://tinh.gov.vn/risk/): RISK_ROOT_PATH=/risk.

The proxy takes the path away before it passes a request on; what leads back into the service gets it again here, in one
place: links, forms and sources of pages, and the headers that redirect. Everything else writes paths as if the
service stood alone. Text of people cannot match: quotes in it are escaped.
"""

import re
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LINK = re.compile(rb'(\s(?:href|action|formaction|src|hx-(?:get|post|put|delete|push-url))=")/(?!/)')
_LEADS = ("location", "hx-redirect", "hx-location", "hx-push-url")


class SubPath:
    """Puts `root` (such as /risk) before every path of the service in an answer."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = quote("/" + root.strip("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; a page is held back until it is whole, other answers go as they come."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["outside"] = self.root
        began: Message | None = None
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal began, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in _LEADS:
                    if headers.get(name, "").startswith("/") and not headers[name].startswith("//"):
                        headers[name] = self.root + headers[name]
                if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    began = message
                    return
            elif began is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                whole = _LINK.sub(rb"\1" + self.root.encode() + rb"/", body)
                if "content-length" in (headers := MutableHeaders(scope=began)):
                    length = int(headers["content-length"])  # of a HEAD it is the length of a page that is not sent
                    headers["content-length"] = str(len(whole) if body else length)
                await send(began)
                await send({"type": "http.response.body", "body": whole})
                return
            await send(message)

        await self.app(scope, receive, rewritten)
