"""What every page is written on: templates, filters, the menu by rights, the footer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Form, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from pydantic import BaseModel, ValidationInfo, field_validator

from models.targets import MAIN
from serving import words
from serving.access.permissions import Role
from serving.access.secret import new_secret
from serving.language import LANGUAGES, SOURCE, chosen, gettext, language
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages import conduct_words
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
    MenuItem("/", lazy("Hôm nay"), "home.read"),
    MenuItem("/board", lazy("Đơn vị tôi"), "board.read"),
    MenuItem("/warnings", lazy("Cảnh báo"), "warning.read"),
    MenuItem("/own", lazy("Hồ sơ của tôi"), "own.read"),
    MenuItem("/list", lazy("Hồ sơ"), "list.read"),
    MenuItem("/conduct", lazy("Phiền hà"), "harassment.read"),
    MenuItem("/plan", lazy("Kiểm tra"), "plan.read"),
    MenuItem("/self-inspections", lazy("Tự kiểm tra"), "self.read"),
    MenuItem("/contests", lazy("Ý kiến"), "contest.read"),
    MenuItem("/cases", lazy("Việc của đơn vị"), "case.read"),
    MenuItem("/explanations", lazy("Hồ sơ trễ"), "explanation.read"),
    MenuItem("/reports", lazy("Báo cáo"), "report.read"),
    MenuItem("/leadership", lazy("Toàn tỉnh"), "leadership.read"),
    MenuItem("/analyst", lazy("Mô hình"), "analyst.read"),
    MenuItem("/receipts", lazy("Nhật ký"), "receipt.read"),
    MenuItem("/warnings/rules", lazy("Quy tắc cảnh báo"), "rule.write"),
    MenuItem("/jobs", lazy("Việc tự chạy"), "job.read"),
    MenuItem("/intake", lazy("Nhận dữ liệu"), "intake.write"),
    MenuItem("/accounts", lazy("Tài khoản"), "account.write"),
)


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


_LETTER = r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"  # without × and ÷, which stand among them
_NAME = re.compile(rf"[\w.]*{_LETTER}[\w.]*(?:.*{_LETTER}\w*)?")
"""From the first to the last word of a text with a letter that English does not have."""


def in_both(one: Any) -> str:
    """Of what carries its words in both languages (`vi`, `en`) those of the language spoken."""
    return names_marked(chosen(one["vi"], one["en"]) if isinstance(one, Mapping) else chosen(one.vi, one.en))


def names_marked(text: str) -> str:
    """An English text with the Vietnamese name in it, such as a step's, marked as one."""
    found = None if language() == SOURCE else _NAME.search(text)
    if found is None:
        return text
    return Markup("{}{}{}").format(text[: found.start()], vietnamese(found[0]), text[found.end() :])


def brief_reason(text: str) -> str:
    """`words.brief_reason` of a text or of one with marks in it."""
    brief = words.brief_reason(text)
    return Markup(brief) if isinstance(text, Markup) else brief


def vietnamese(text: Any) -> Any:
    """A name, or what people wrote: Vietnamese in every language, and marked so for screen readers (WCAG 3.1.2)."""
    return (
        text if language() == SOURCE or isinstance(text, Markup) else Markup('<span lang="vi">{}</span>').format(text)
    )


def official_said(request: Request, official_id: str | None) -> str:
    """An official as the reader may see them; the name, or of who goes by number the unit's, is marked Vietnamese."""
    name, register = official_name(request, official_id), context_of(request).read_model.register
    if language() == SOURCE or official_id is None:
        return name
    unit = register.unit(register.officials.get(official_id))
    head, found, _rest = name.rpartition(unit)
    return Markup("{}{}").format(head, vietnamese(unit)) if found else Markup(vietnamese(name))


def vietnamese_within() -> Markup:
    """The same as an attribute, for an element that holds nothing else and can hold no span."""
    return Markup() if language() == SOURCE else Markup(' lang="vi"')


@cache
def templates(zone: str) -> Environment:
    """The templates, with the filters of `words` for readers in `zone`."""
    clock = words.Clockface(ZoneInfo(zone))
    env = Environment(
        loader=PackageLoader("serving.pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.install_gettext_callables(gettext, lambda one, many, n: one if n == 1 else many, newstyle=True)  # type: ignore[attr-defined]
    env.filters |= {
        "decimal": words.decimal,
        "comma": lambda number: words.point(f"{number:g}"),
        "in_both": in_both,
        "spoken": lambda pair: chosen(*pair),
        "vi": vietnamese,
        "calendar_day": words.calendar_day,
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
        "brief_reason": brief_reason,
        "names_marked": names_marked,
        "brief_id": words.brief_id,
        "step_words": lambda step: (
            vietnamese(step) if step and step not in words.EVENT_WORDS else words.step_words(step)
        ),
        "sign_of_dossier": words.sign_of_dossier,
        "with_basis": conduct_words.with_basis,
        "reasons_of": conduct_words.reasons_of,
        "first_and_more": conduct_words.first_and_more,
        "brief_sign": conduct_words.brief_sign,
    }
    env.globals |= {"NOT_A_FINDING": words.NOT_A_FINDING, "ROLE_WORDS": {role.value: role.words for role in Role}}
    env.globals |= {
        "EVENT_WORDS": words.EVENT_WORDS,
        "LANGUAGES": LANGUAGES,
        "language": language,
        "vi_within": vietnamese_within,
    }
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
    context.setdefault("title", _("Rủi ro hồ sơ"))

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
            stay=request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.method == "GET" and status < 400
            else "/",
            register=read_model.register,
            opens_official=opens_official,
            official_name=partial(official_said, request),
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
