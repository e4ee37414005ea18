"""`/basis`: what *Căn cứ* opens: the directives' own text behind each signal, and what each figure means."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from features.signals.directives import CITED, DATA, DOCUMENTS, INDEX, OWN, RULES
from serving.pages.rendering import render

router = APIRouter(include_in_schema=False)

FIGURES = (
    ("Nguy cơ trễ", "Trong 100 hồ sơ giống hồ sơ này, khoảng bao nhiêu hồ sơ lỡ ngày hẹn trả theo quy định.", "%"),
    ("Thời gian", "Giờ làm việc còn lại đến ngày hẹn, 8 giờ là một ngày; trừ lúc chờ dân.", "giờ, ngày làm việc"),
    ("Chờ người dân", "Đồng hồ dừng: người nộp phải bổ sung hoặc hồ sơ tạm dừng có lý do. Không tính là trễ.", "hồ sơ"),
    ("Mức góp", "Mỗi lý do đẩy điểm lên hay xuống bao nhiêu; không phải nguyên nhân.", "thang lô-ga-rít"),
    ("Gấp bao nhiêu lần", "So với người cùng vị trí, cùng thủ tục; khoảng chứa 1 là chưa khác.", "lần"),
    ("n", "Số hồ sơ mà con số dựa vào. Dưới 20 hồ sơ hoặc dưới 3 người phản ánh: không nêu số.", "hồ sơ"),
    ("Xác suất được chọn", "Cơ hội mà đơn vị hay hồ sơ được chọn kiểm tra trong tháng; một phần luôn bốc ngẫu nhiên.",
     "%"),
    ("Phát hiện dự kiến", "Tổng cơ hội có phát hiện của các cuộc trong kế hoạch.", "phát hiện"),
    ("Điểm tiến độ", "Điểm thời hạn theo cách tính Bộ chỉ số 766: tỷ lệ hồ sơ đúng hạn của kỳ.", "điểm"),
)  # fmt: skip
"""Figure, what it means, its unit."""
OTHERS = (
    (CITED[INDEX], INDEX, "Hồ sơ phải bổ sung quá một lần, hoặc kết thúc sau ngày hẹn, tính là chưa đúng hạn."),
    (CITED[DATA], DATA, "Chỗ số liệu tự mâu thuẫn, như kết thúc trùng từng giây với hạn: đối chiếu sổ và phiếu."),
    (CITED[OWN], OWN, "So sánh để biết nên xem gì trước, như hồ sơ vượt thứ tự; không phải quy định."),
)  # fmt: skip


@router.get("/basis", response_class=HTMLResponse)
def show(request: Request) -> Response:
    """Every rule with its text, document and clause; every figure in plain words."""
    return render(
        request, "basis.html", title="Căn cứ", rules=list(RULES.values()), documents=DOCUMENTS, others=OTHERS,
        figures=FIGURES,
    )  # fmt: skip
