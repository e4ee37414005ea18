"""What every page is written on: templates, filters, the menu by rights, the footer."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Form, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from pydantic import BaseModel, ValidationInfo, field_validator

from features.signals.directives import CITED
from features.sources.vietnamese_number import decimal
from models.targets import MAIN
from serving import words
from serving.access.permissions import Role
from serving.access.secret import new_secret
from serving.pages.after_saving import done_just_now, forget
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import Reader
from serving.use_cases.official_names import official_name
from serving.work.decisions import WORDS as DECISION_WORDS

Key = Annotated[str, Form(max_length=64)]
"""What makes a second sending of a form harmless (`serving.use_cases.idempotent_write`)."""


@dataclass(frozen=True)
class MenuItem:
    """One entry of the menu: where it leads, its words, and the action it needs."""

    path: str
    words: str
    action: str


MENU = (
    MenuItem("/", "Hôm nay", "home.read"),
    MenuItem("/board", "Đơn vị tôi", "board.read"),
    MenuItem("/warnings", "Cảnh báo", "warning.read"),
    MenuItem("/own", "Hồ sơ của tôi", "own.read"),
    MenuItem("/list", "Hồ sơ", "list.read"),
    MenuItem("/conduct", "Phiền hà", "harassment.read"),
    MenuItem("/plan", "Kiểm tra", "plan.read"),
    MenuItem("/self-inspections", "Tự kiểm tra", "self.read"),
    MenuItem("/contests", "Ý kiến", "contest.read"),
    MenuItem("/cases", "Việc của đơn vị", "case.read"),
    MenuItem("/explanations", "Hồ sơ trễ", "explanation.read"),
    MenuItem("/reports", "Báo cáo", "report.read"),
    MenuItem("/leadership", "Toàn tỉnh", "leadership.read"),
    MenuItem("/analyst", "Mô hình", "analyst.read"),
    MenuItem("/receipts", "Nhật ký", "receipt.read"),
    MenuItem("/warnings/rules", "Quy tắc cảnh báo", "rule.write"),
    MenuItem("/jobs", "Việc tự chạy", "job.read"),
    MenuItem("/intake", "Nhận dữ liệu", "intake.write"),
    MenuItem("/accounts", "Tài khoản", "account.write"),
)


_CITED = re.compile("|".join(re.escape(str(escape(one))) for one in sorted(CITED, key=len, reverse=True)))
_ANCHORS = {str(escape(words)): anchor for words, anchor in CITED.items()}


def with_basis(text: str) -> Markup:
    """A reason with a link from each rule it cites to the directive's text."""
    return Markup(_CITED.sub(lambda found: f'<a href="/basis#{_ANCHORS[found[0]]}">{found[0]}</a>', str(escape(text))))


def local_moment(request: Request, text: str) -> datetime:
    """A moment as a field of a form tells it, local to the readers; what is none lies in the past."""
    zone = context_of(request).serving.settings.zone
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min.replace(tzinfo=zone)  # refused as a moment that does not lie ahead
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


class CommaNumbers(BaseModel):
    """A form whose numbers may be written as in Vietnam: 0,5 is taken as 0.5."""

    @field_validator("*", mode="before")
    @classmethod
    def _point(cls, value: Any, info: ValidationInfo) -> Any:
        number = isinstance(value, str) and cls.model_fields[str(info.field_name)].annotation is float
        return value.replace(",", ".") if number and value.count(",") == 1 and "." not in value else value


@cache
def templates(zone: str) -> Environment:
    """The templates, with the filters of `words` for readers in `zone`."""
    clock = words.Clockface(ZoneInfo(zone))
    env = Environment(
        loader=PackageLoader("serving.pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters |= {
        "decimal": decimal,
        "comma": lambda number: f"{number:g}".replace(".", ","),
        "percent": words.percent,
        "in_hundred": words.in_hundred,
        "figure": words.figure,
        "days_left": words.days_left,
        "against_promise": words.against_promise,
        "wide_range": words.wide_range,
        "day": clock.day,
        "moment": clock.moment,
        "iso_moment": clock.iso_moment,
        "iso_day": words.iso_day,
        "level": words.level,
        "brief_reason": words.brief_reason,
        "brief_id": words.brief_id,
        "step_words": words.step_words,
        "sign_of_dossier": words.sign_of_dossier,
        "with_basis": with_basis,
    }
    env.globals |= {"NOT_A_FINDING": words.NOT_A_FINDING, "ROLE_WORDS": {role.value: role.words for role in Role}}
    env.globals["DECISION_WORDS"] = {kind.value: labels for kind, labels in DECISION_WORDS.items()}
    return env


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The answer with one page. `form_key` is fresh on every page: a form sent twice carries it twice."""
    people = context_of(request).people
    serving = context_of(request).serving
    reader: Reader | None = getattr(request.state, "reader", None)
    main_list = serving.lists.get(MAIN.name)
    listed = serving.listed(MAIN.name)
    read_model = context_of(request).read_model
    context.setdefault("title", "Rủi ro hồ sơ")

    def opens_official(official_id: str | None) -> bool:
        """Whether the official's page would open for the reader: a link that leads to a closed door is none."""
        unit = read_model.register.officials.get(official_id or "")
        return reader is not None and unit is not None and reader.scope_for("official.read").covers(unit)

    done = done_just_now(request)
    html = (
        templates(serving.settings.zone.key)
        .get_template(template)
        .render(
            reader=reader,
            menu=[door for door in MENU if reader and reader.may(door.action)],
            here=request.url.path,
            register=read_model.register,
            opens_official=opens_official,
            official_name=partial(official_name, request),
            meta=listed.meta if listed else None,
            read_at=listed.read_at if listed else None,
            list_trouble=main_list.trouble if main_list and main_list.value else None,
            reading=read_model.moment,
            form_key=new_secret(),
            done=done,
            away_since=people.remembered.at if getattr(request.state, "away", False) else None,
            **context,
        )
    )
    answer = HTMLResponse(html, status)
    if done is not None:
        forget(answer)
    return answer
