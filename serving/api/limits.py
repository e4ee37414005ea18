"""The limit on what a request may send."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problem import Problem, problem_response

MOST_BYTES = 10_000_000


class BodyLimit:
    """Refuses bodies above `MOST_BYTES` with 413, by the length announced or by what really comes."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, counting its body; one that announces too much is not read at all."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        detail = f"wanted a body of at most {self.most_bytes} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.most_bytes:
            await problem_response(413, detail, {"Connection": "close"})(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most_bytes:
                raise Problem(413, detail, {"Connection": "close"})
            return message

        await self.app(scope, counted, send)
