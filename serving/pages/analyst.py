"""`/analyst`: candidate beside champion and rule, backtest, calibration, live figures, drift; and the promotion."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from models.targets import MAIN, TARGETS
from serving.language import LazyText as lazy
from serving.language import chosen
from serving.language import gettext as _
from serving.pages import model_drawing
from serving.pages.conduct import TIER_WORDS
from serving.pages.model_words import GATE_WORDS, feature_words, group_words, member_words, warning_words
from serving.pages.rendering import Key, render
from serving.read.model_registry import damaged_champions, read_conduct_shelf, read_shelf
from serving.read.monitoring_log import read_watches
from serving.read.rolling_log import bands_of, read_rolling
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.looked import note_look
from serving.use_cases.model_work import begin_work, model_work, promote_candidate
from serving.words import LEVELS

router = APIRouter(include_in_schema=False)


SHIPS_WORDS = {
    "model": lazy("mô hình"),
    "rule": lazy("quy tắc đơn giản"),
    "signals": lazy("dấu hiệu, không nói xác suất"),
}


@router.get("/analyst", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The models of the main target and how the latest list spreads over the bands of risk."""
    reader = reader_of(request)
    people, serving = context_of(request).people, context_of(request).serving
    shelf = read_shelf(serving.settings.models, MAIN.name)
    risk_list = serving.risk_list(MAIN.name)
    rate = people.remembered.upheld_rate(people.state, reader.scope)
    note_look(request, "analyst.read", {"champion": shelf.champion.version if shelf.champion else ""})
    watches = read_watches(serving.settings.models, MAIN.name)
    about = shelf.champion.about if shelf.champion else {}
    origins = read_rolling(serving.settings.models, MAIN.name)
    register = context_of(request).read_model.register
    return render(
        request,
        "analyst.html",
        title=_("Mô hình"),
        shelf=shelf,
        damaged=damaged_champions(serving.settings.models),
        figures=model_drawing.figure_rows(about.get("figures", {})),
        groups=model_drawing.group_rows(about.get("groups", {})),
        watches=watches,
        live=model_drawing.live_line(watches),
        drift_warnings=[warning_words(name, register) for name in watches[-1].warnings] if watches else [],
        origins=origins,
        rolled=model_drawing.rolling_line(origins),
        bands=origins[-1].bands if origins else bands_of(about.get("curve", ())),
        beside=model_drawing.beside_rows((shelf.candidate.about.get("champion") or {}) if shelf.candidate else {}),
        gate_words=GATE_WORDS,
        group_words=group_words,
        member_words=member_words,
        feature_words=feature_words,
        rate=rate,
        spread=[(band, count) for band, count in zip(LEVELS, risk_list.spread([b.least for b in LEVELS]), strict=True)],
        total=len(risk_list),
        trouble=serving.lists[MAIN.name].trouble,
        refusal=shelf.refusal,
        refusing=shelf.refusing(reader.login),
        may_promote=reader.may("model.promote"),
        may_train=reader.may("model.train"),
        work=model_work(request),
        conduct=read_conduct_shelf(serving.settings.models),
        tier_words=TIER_WORDS,
        ships_words=SHIPS_WORDS,
        targets={
            **{name: chosen(one.short_vi, one.short_en) for name, one in TARGETS.items()},
            "conduct": _("Dấu hiệu phiền hà"),
        },
    )


@router.post("/analyst/promote")
def promote(
    request: Request,
    sha256: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
) -> Response:
    """Makes the candidate that was seen the champion: the reason is kept first, then the command asks every gate."""
    return RedirectResponse(promote_candidate(request, sha256, reason, key, "/analyst"), 303)


@router.post("/analyst/work")
def work(
    request: Request,
    kind: Annotated[str, Form(max_length=40)],
    target: Annotated[str, Form(max_length=40)],
    reason: Annotated[str, Form(max_length=2000)],
    key: Key,
) -> Response:
    """Begins to train, to judge, to tune or to roll back, in a process of its own; the page says how it stands."""
    return RedirectResponse(begin_work(request, kind, target, reason, key), 303)
