"""Puts the pages on the app: routes, vendored files, headers, and errors that a person can read."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from features.record.delta import RecordUnreachable
from models.targets import MAIN
from serving.language import LazyText as lazy
from serving.language import speak
from serving.pages import (
    account,
    analyst,
    answers,
    apology,
    basis,
    board,
    cases,
    conduct,
    contest,
    decision,
    dossier,
    evidence,
    explanations,
    export,
    export_answers,
    intake,
    jobs,
    leadership,
    letters,
    official,
    offline,
    own,
    plan,
    receipts,
    remedies,
    reports,
    results,
    risk_list,
    saved_views,
    sectors,
    self_inspections,
    today,
    unit,
    warning_rules,
    warnings,
    what_if,
)
from serving.pages import login as door
from serving.pages.after_saving import SENT_HERE, AfterSaving
from serving.pages.headers import Headers
from serving.pages.refusals import cause_of, field_of, wrong_fields
from serving.pages.rendering import render
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import LoginNeeded, PasswordNeeded, asked_language

NOUNS = (
    door,
    today,
    risk_list,
    saved_views,
    sectors,
    conduct,
    unit,
    dossier,
    evidence,
    decision,
    contest,
    own,
    official,
    board,
    what_if,
    offline,
    plan,
    results,
    self_inspections,
    basis,
    leadership,
    analyst,
    receipts,
    jobs,
    account,
    intake,
    export,
    export_answers,
    warnings,
    warning_rules,
    explanations,
    cases,
    answers,
    apology,
    remedies,
    letters,
    reports,
)

TROUBLE: dict[int, tuple[str, str]] = {
    400: (lazy("Yêu cầu chưa đúng"), lazy("Hãy quay lại và kiểm tra những gì đã nhập.")),
    403: (lazy("Không được phép"), lazy("Vai trò của bạn không có quyền này, hoặc biểu mẫu đã cũ: hãy mở lại trang.")),
    404: (lazy("Không tìm thấy"), lazy("Không có trang hay hồ sơ này trong phạm vi của bạn.")),
    405: (lazy("Không được phép"), lazy("Trang này không nhận thao tác đó.")),
    413: (lazy("Quá lớn"), lazy("Nội dung gửi lên vượt 10 MB.")),
    422: (lazy("Chưa đúng"), lazy("Có ô nhập chưa đúng. Hãy quay lại và kiểm tra.")),
    501: (lazy("Chưa cài phần này"), lazy("Bản cài đặt này không ghi được tệp loại này. Hãy báo người vận hành.")),
    503: (
        lazy("Tạm dừng"),
        lazy("Chưa phục vụ được yêu cầu này. Hãy thử lại sau ít phút; nội dung đã nhập vẫn còn ở trang trước."),
    ),
}
AWAY: tuple[str, str] = (
    lazy("Tạm thời không kết nối được cơ sở dữ liệu"),
    lazy(
        "Trang này cần cơ sở dữ liệu nên chưa mở được. Hãy thử lại sau ít phút; nội dung đã nhập vẫn còn ở trang trước."
    ),
)
STORE_AWAY: tuple[str, str] = (
    lazy("Tạm thời không đọc được kho dữ liệu"),
    lazy(
        "Trang này cần kho dữ liệu nên chưa mở được. Hãy thử lại sau ít phút; nội dung đã nhập vẫn còn ở trang trước."
    ),
)
UNSCORED: tuple[str, str] = (
    lazy("Chưa có danh sách"),
    lazy("Chưa chấm điểm lần nào. Danh sách hiện sau lần chấm đầu tiên."),
)
UNEXPECTED: tuple[str, str] = (lazy("Có lỗi"), lazy("Máy chủ gặp lỗi; sự việc đã được ghi lại."))
READ_ON = frozenset({"/list", "/board", "/conduct", "/leadership", "/analyst"})
"""Pages that can be read while the working state is away (`serving.work.fallback_cache`)."""


def install(app: FastAPI) -> None:
    """Adds everything to `app`, on top of the API's own errors, which stay as they are under /api/."""
    for noun in NOUNS:
        app.include_router(noun.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_middleware(AfterSaving)
    app.add_middleware(Headers)
    away: tuple[type[Exception], ...] = (OperationalError, RecordUnreachable)
    for kind in (HTTPException, RequestValidationError, *away, ModuleNotFoundError, Exception):
        app.add_exception_handler(kind, _for_people(app.exception_handlers[kind]))

    @app.exception_handler(LoginNeeded)
    async def to_the_door(request: Request, error: LoginNeeded) -> Response:
        if request.headers.get("HX-Request"):
            return Response(status_code=401, headers={"HX-Redirect": error.location})
        return RedirectResponse(error.location, 303)

    @app.exception_handler(PasswordNeeded)
    async def to_an_own_password(request: Request, error: PasswordNeeded) -> Response:
        return RedirectResponse("/password", 303)


def refused_at_fields(error: Exception, answer: Response, what: str) -> Response:
    """What a form that stays on its page gets (`static/forms.js`): one sentence, and which fields it is about."""
    fields: dict[str, str] = {}
    if isinstance(error, RequestValidationError):
        fields = wrong_fields(error.errors())
    elif isinstance(error, HTTPException) and (field := field_of(str(error.detail))):
        fields = {field: what}
    return JSONResponse({"message": what, "fields": fields}, answer.status_code)


def _for_people(machine: Callable[..., Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The handler that answers programs with `machine`'s problem details and people with a page."""

    async def handler(request: Request, error: Exception) -> Response:
        answer: Response = await machine(request, error)
        if request.url.path.startswith("/api/") or "Authorization" in request.headers:
            return answer
        if not hasattr(request.state, "reader"):
            speak(asked_language(request))
        title, what = TROUBLE.get(answer.status_code, UNEXPECTED)
        away = isinstance(error, OperationalError)
        if away:
            title, what = AWAY
        elif isinstance(error, RecordUnreachable):
            title, what = STORE_AWAY
        elif answer.status_code == 503 and context_of(request).serving.lists[MAIN.name].value is None:
            title, what = UNSCORED
        elif answer.status_code in (400, 403, 404, 422) and isinstance(error, HTTPException):
            what = cause_of(str(error.detail)) or what
        if request.headers.get(SENT_HERE):
            return refused_at_fields(error, answer, what)
        still = READ_ON if away else frozenset()
        shown = render(request, "error.html", answer.status_code, title=title, what=what, still=still)
        for name in ("retry-after", "allow"):
            if name in answer.headers:
                shown.headers[name] = answer.headers[name]
        return shown

    return handler
