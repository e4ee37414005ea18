"""`/warnings/rules`: when a score is worth a warning, how often a head is disturbed, and in which hours."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import CommaNumbers, render
from serving.use_cases.guard import reader_of
from serving.use_cases.warning_rules import WarningRulesWish, rules_now, write_rules
from serving.warnings.rule_sets import policy_of

router = APIRouter(include_in_schema=False)

FIELDS = (
    (
        "a_week",
        lazy("Số cảnh báo riêng một thủ trưởng nhận trong tuần"),
        lazy("phần vượt gộp vào một thư mỗi ngày"),
        "1",
    ),
    ("stay", lazy("Số lần chấm liên tiếp phải vượt ngưỡng"), lazy("tránh báo rồi lại thôi"), "1"),
    ("at_once_hours", lazy("Còn dưới bao nhiêu giờ làm việc thì báo ngay"), lazy("giờ"), "0.5"),
    ("escalate_hours", lazy("Không ai xác nhận sau bao nhiêu giờ làm việc thì báo lên trên"), lazy("giờ"), "0.5"),
    ("levels", lazy("Báo lên nhiều nhất mấy cấp"), lazy("cấp"), "1"),
    ("held_out", lazy("Phần hồ sơ rút ngẫu nhiên để không cảnh báo, đo tác dụng"), lazy("0 đến 0,5"), "0.01"),
    ("c_in", lazy("Chi phí một lần thủ trưởng xem hồ sơ"), lazy("đơn vị tự chọn"), "0.1"),
    ("c_com", lazy("Chi phí thêm khi xem thừa"), lazy("cùng đơn vị"), "0.1"),
    ("c_out", lazy("Chi phí một lần lỡ hẹn"), lazy("cùng đơn vị"), "0.1"),
    ("eff", lazy("Phần lỡ hẹn mà xem sớm tránh được"), lazy("trên 0 đến 1"), "0.05"),
)
"""Field, words, unit and step of each rule on the page."""


class WarningRulesForm(CommaNumbers, WarningRulesWish):
    """The fields of the page."""

    csrf: str = ""
    key: str = Field("", max_length=64)


@router.get("/warnings/rules", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The rules in force, and who changed them when and why."""
    wish, found = rules_now(request)
    return render(
        request, "warning_rules.html", title=_("Quy tắc cảnh báo"), wish=wish, fields=FIELDS,
        threshold=wish.policy().costs.threshold, sets=[(one, policy_of(one)) for one in found],
        may_write=reader_of(request).may("rule.write"),
    )  # fmt: skip


@router.post("/warnings/rules")
def change(request: Request, wish: Annotated[WarningRulesForm, Form()]) -> Response:
    """Put other rules in force from now on."""
    return RedirectResponse(write_rules(request, wish, wish.key, "/warnings/rules"), 303)
