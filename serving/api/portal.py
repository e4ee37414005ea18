"""`POST /portal/login` and `POST /portal/service`: the national portal's exchange, as a one-stop system speaks it.

Answers are those of the portal: always a JSON object with `error_code`, the failure within it.
"""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from features.record.delivery import DeliveryError
from serving.jobs.portal import NO_SESSION, REFUSED, Answer, Portal
from serving.use_cases.app_context import context_of

router = APIRouter(prefix="/portal", tags=["portal"])


def _portal(request: Request) -> Portal:
    people = context_of(request).people
    return Portal(context_of(request).serving.settings, people.state, people.login_key, people.receipts)


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


@router.post("/login")
async def log_in(request: Request) -> JSONResponse:
    """A session for `{"username", "password"}`: `{"session", "error_code": 0}`."""
    body = await _object(request) or {}
    name, word = body.get("username"), body.get("password")
    session = None
    if isinstance(name, str) and isinstance(word, str) and len(name) <= 200 and len(word) <= 5000:
        address = request.client.host if request.client else "unknown"
        now = context_of(request).people.now()
        session = await run_in_threadpool(_portal(request).log_in, name, word, address, now)
    if session is None:
        return JSONResponse(
            {"session": "", "error_code": 401, "message": "Sai tài khoản, mật khẩu hoặc không có quyền"}
        )
    return JSONResponse({"session": session, "error_code": 0})


@router.post("/service")
async def take_envelope(request: Request) -> JSONResponse:
    """One envelope `{"session", "madonvi", "service", "isUpdating", "data"}`; rows are kept before the answer."""
    envelope = await _object(request)
    if envelope is None:
        return _as_json(Answer(REFUSED, "Nội dung không phải một đối tượng JSON"))
    now = context_of(request).people.now()
    try:
        found = await run_in_threadpool(_portal(request).answer, envelope, now)
    except DeliveryError as error:
        found = Answer(REFUSED, str(error))
    return _as_json(found)


def _as_json(answer: Answer) -> JSONResponse:
    body: dict[str, Any] = {"error_code": answer.error_code, "message": answer.message}
    if answer.result:
        body["result"] = list(answer.result)
    return JSONResponse(body, status_code=401 if answer.error_code == NO_SESSION else 200)
