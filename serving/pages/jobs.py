"""`/jobs`: what the service does by itself, how it went, and which promise does not hold."""

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from models.targets import MAIN
from serving.jobs.job_status import data_promise, job_promises, job_statuses, list_promise
from serving.jobs.run_log import RunLog
from serving.jobs.schedule import JobRules
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import render
from serving.use_cases.app_context import context_of

router = APIRouter(include_in_schema=False)

OUTCOMES = {
    "done": "Xong",
    "running": lazy("Đang chạy"),
    "failed": lazy("Chưa xong, sẽ thử lại"),
    "killed": lazy("Bị ngắt, sẽ làm lại"),
    None: lazy("Chưa chạy lần nào"),
}
PROMISES = {"data": lazy("Dữ liệu"), "list": lazy("Danh sách"), "jobs": lazy("Việc tự chạy"), "backup": lazy("Sao lưu")}
CAUSES = {
    "data": {
        None: lazy("chưa nhận dữ liệu lần nào"),
        False: lazy("lâu hơn hạn đã hứa chưa có tin mới: nguồn có còn gửi không?"),
    },
    "list": {
        None: lazy("chưa chấm điểm lần nào"),
        False: lazy("danh sách cũ hơn hạn đã hứa, hoặc chưa có: xem việc chấm điểm"),
    },
    "jobs": {
        None: lazy("tiến trình tự chạy chưa được bật trên máy chủ"),
        False: lazy("có việc trễ lịch: xem bảng dưới"),
    },
    "backup": {None: lazy("chưa sao lưu, hoặc đã tắt"), False: lazy("bản sao lưu cũ hơn hạn đã hứa, hoặc chưa có")},
}
"""Promise → whether it holds (None: nothing was promised yet) → why, for people."""


_EVERY_MINUTES = re.compile(r"\*/(\d+) \* \* \* \*")
_HOURLY = re.compile(r"(\d+) \* \* \* \*")
_AT = re.compile(r"(\d+) (\d+) (\*|\d+) \* (\*|[a-z]{3})")
_WEEKDAYS = {
    "mon": lazy("thứ hai"),
    "tue": lazy("thứ ba"),
    "wed": lazy("thứ tư"),
    "thu": lazy("thứ năm"),
    "fri": lazy("thứ sáu"),
    "sat": lazy("thứ bảy"),
    "sun": lazy("chủ nhật"),
}


def cron_words(cron: str) -> str:
    """A calendar of five fields in words: `30 1 * * *` → hằng ngày lúc 01:30; one of another kind as it is written."""
    if every := _EVERY_MINUTES.fullmatch(cron):
        return _("mỗi {every} phút").format(every=every[1])
    if hourly := _HOURLY.fullmatch(cron):
        return _("mỗi giờ, phút {minute}").format(minute=format(int(hourly[1]), "02d"))
    found = _AT.fullmatch(cron)
    if found is None or found[4] not in ("*", *_WEEKDAYS):
        return cron
    minute, hour, day, weekday = found.groups()
    days = _("ngày {day} hằng tháng").format(day=day) if day != "*" else _WEEKDAYS.get(weekday, _("hằng ngày"))
    return _("{days} lúc {hour}:{minute}").format(
        days=days, hour=format(int(hour), "02d"), minute=format(int(minute), "02d")
    )


@router.get("/jobs", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """Every job with its last run and the next."""
    context = context_of(request)
    serving, people, read_model = context.serving, context.people, context.read_model
    rules, now = JobRules.of(serving.settings.home, serving.settings.zone), people.now()
    statuses = job_statuses(rules, RunLog(people.state), now)
    latest = serving.lists[MAIN.name].value
    promises = [
        data_promise(rules, read_model.register.data_until, read_model.calendar, now),
        list_promise(rules, latest.meta.as_of if latest else None, now),
        *job_promises(rules, statuses, now),
    ]
    return render(
        request,
        "jobs.html",
        title=_("Việc tự chạy"),
        jobs=statuses,
        promises=promises,
        outcomes=OUTCOMES,
        cron_words=cron_words,
        promise_words=PROMISES,
        causes=CAUSES,
    )
