"""`/basis`: what *Căn cứ* opens: the directives' own text behind each signal, and what each figure means."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from features.signals.directives import CITED, DATA, DOCUMENTS, INDEX, OWN, RULES
from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.pages.rendering import render

router = APIRouter(include_in_schema=False)

FIGURES = (
    (
        lazy("Nguy cơ trễ"),
        lazy("Trong 100 hồ sơ giống hồ sơ này, khoảng bao nhiêu hồ sơ lỡ ngày hẹn trả theo quy định."),
        "%",
    ),
    (
        lazy("Thời gian"),
        lazy("Giờ làm việc còn lại đến ngày hẹn, 8 giờ là một ngày; trừ lúc chờ dân."),
        lazy("giờ, ngày làm việc"),
    ),
    (
        lazy("Chờ người dân"),
        lazy("Đồng hồ dừng: người nộp phải bổ sung hoặc hồ sơ tạm dừng có lý do. Không tính là trễ."),
        lazy("hồ sơ"),
    ),
    (
        lazy("Mức góp"),
        lazy("Mỗi lý do đẩy điểm lên hay xuống bao nhiêu; không phải nguyên nhân."),
        lazy("thang lô-ga-rít"),
    ),
    (
        lazy("Gấp bao nhiêu lần"),
        lazy("So với người cùng vị trí, cùng thủ tục; khoảng chứa 1 là chưa khác."),
        lazy("lần"),
    ),
    ("n", lazy("Số hồ sơ mà con số dựa vào. Dưới 20 hồ sơ hoặc dưới 3 người phản ánh: không nêu số."), lazy("hồ sơ")),
    (
        lazy("Xác suất được chọn"),
        lazy("Cơ hội mà đơn vị hay hồ sơ được chọn kiểm tra trong tháng; một phần luôn bốc ngẫu nhiên."),
        "%",
    ),
    (lazy("Phát hiện dự kiến"), lazy("Tổng cơ hội có phát hiện của các cuộc trong kế hoạch."), lazy("phát hiện")),
    (
        lazy("Điểm tiến độ"),
        lazy("Điểm thời hạn theo cách tính Bộ chỉ số 766: tỷ lệ hồ sơ đúng hạn của kỳ."),
        lazy("điểm"),
    ),
)
"""Figure, what it means, its unit."""
OTHERS = (
    (CITED[INDEX], INDEX, lazy("Hồ sơ phải bổ sung quá một lần, hoặc kết thúc sau ngày hẹn, tính là chưa đúng hạn.")),
    (CITED[DATA], DATA, lazy("Chỗ số liệu tự mâu thuẫn, như kết thúc trùng từng giây với hạn: đối chiếu sổ và phiếu.")),
    (CITED[OWN], OWN, lazy("So sánh để biết nên xem gì trước, như hồ sơ vượt thứ tự; không phải quy định.")),
)  # fmt: skip


@router.get("/basis", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """Every rule with its text, document and clause; every figure in plain words."""
    return render(
        request, "basis.html", title=_("Căn cứ"), rules=list(RULES.values()), documents=DOCUMENTS, others=OTHERS,
        figures=FIGURES,
    )  # fmt: skip
