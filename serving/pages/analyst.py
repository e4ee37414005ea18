"""`/analyst`: candidate beside champion and rule, fairness, live figures, drift; why it may or may not be promoted."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from serving.accounts.guard import reader_of
from serving.model_shelf import read_shelf
from serving.pages import model_drawing
from serving.pages.paper import paper
from serving.pages.risk_list import TARGET
from serving.pages.words import LEVELS
from serving.watch_log import read_watches

router = APIRouter(include_in_schema=False)


@router.get("/analyst", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """The models of lateness and how the latest list spreads over the bands of risk."""
    reader = reader_of(request)
    people, serving = request.app.state.people, request.app.state.serving
    shelf = read_shelf(serving.settings.models, TARGET)
    risk_list = serving.risk_list(TARGET)
    rate = people.remembered.upheld_rate(people.state, reader.scope)
    people.receipts.record(
        reader.login,
        "analyst.read",
        {"champion": shelf.champion.version if shelf.champion else ""},
        now=people.now(),
    )
    watches = read_watches(serving.settings.models, TARGET)
    about = shelf.champion.about if shelf.champion else {}
    return paper(
        request,
        "analyst.html",
        title="Mô hình",
        shelf=shelf,
        figures=model_drawing.figure_rows(about.get("figures", {})),
        groups=model_drawing.group_rows(about.get("groups", {})),
        watches=watches,
        live=model_drawing.live_line(watches),
        rate=rate,
        spread=[(band, count) for band, count in zip(LEVELS, risk_list.spread([b.least for b in LEVELS]), strict=True)],
        total=len(risk_list),
        trouble=serving.lists[TARGET].trouble,
        refusal=shelf.refusal or "Người thứ hai xác nhận bằng lệnh risk promote: máy kiểm mọi cửa rồi mới đổi.",
    )
