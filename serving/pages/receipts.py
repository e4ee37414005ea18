"""`/receipts`: who saw which score when, who decided what."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from serving.accounts.guard import reader_of
from serving.pages.paper import paper

router = APIRouter(include_in_schema=False)

ROWS = 50

ACTION_WORDS = {
    "session.start": "Đăng nhập",
    "list.read": "Xem danh sách",
    "list.export": "Xuất danh sách",
    "dossier.read": "Xem hồ sơ",
    "own.read": "Xem hồ sơ của mình",
    "official.read": "Xem trang cán bộ",
    "conduct.read": "Xem dấu hiệu phiền hà",
    "conduct.export": "Xuất dấu hiệu phiền hà",
    "unit.read": "Xem trang đơn vị",
    "board.read": "Xem đơn vị",
    "warning.read": "Xem cảnh báo sớm",
    "warning.write": "Xác nhận cảnh báo sớm",
    "leadership.read": "Xem toàn tỉnh",
    "leadership.export": "Xuất bảng toàn tỉnh",
    "analyst.read": "Xem mô hình",
    "board.export": "Xuất việc của đơn vị",
    "own.export": "Xuất hồ sơ của mình",
    "contest.export": "Xuất giải trình",
    "receipt.export": "Xuất nhật ký",
    "plan.export": "Xuất kế hoạch",
    "plan.read": "Xem kế hoạch",
    "plan.approve": "Duyệt kế hoạch",
    "visit.read": "Xem phiếu kiểm tra",
    "finding.write": "Ghi kết quả kiểm tra",
    "decision.write": "Quyết định về điểm",
    "explanation.read": "Xem phiếu giải trình",
    "explanation.write": "Giải trình hồ sơ trễ",
    "explanation.review": "Thủ trưởng xem xét giải trình",
    "explanation.close": "Cấp trên xem xét giải trình",
    "answer.read": "Xem theo dõi trả lời",
    "apology.write": "Soạn, gửi phiếu xin lỗi",
    "apology.export": "Xuất phiếu xin lỗi",
    "mark.write": "Ghi nhận",
    "remedy.write": "Ghi khắc phục",
    "report.read": "Xem báo cáo",
    "report.export": "Xuất báo cáo",
    "publication.propose": "Đề nghị công bố",
    "publication.approve": "Duyệt công bố",
    "publication.export": "Xuất danh mục công bố",
    "ledger.read": "Xem sổ trách nhiệm",
    "contest.write": "Gửi giải trình",
    "contest.answer": "Trả lời giải trình",
    "account.write": "Sửa tài khoản",
    "token.write": "Sửa khóa máy",
    "model.promote": "Đưa mô hình vào dùng",
}


@router.get("/receipts", response_class=HTMLResponse)
def show(
    request: Request,
    actor: Annotated[str, Query(max_length=120)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    about: Annotated[str, Query(max_length=240)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """Receipts, newest first; of one person, one action, or about one dossier, official or plan."""
    reader_of(request)
    receipts = request.app.state.people.receipts
    if about.strip():
        found = receipts.about(about.strip(), ROWS)
    else:
        found = receipts.latest(actor=actor.strip() or None, action=action or None, before=before, most=ROWS)
    return paper(
        request,
        "receipts.html",
        title="Nhật ký",
        receipts=found,
        words=ACTION_WORDS,
        actor=actor,
        action=action,
        about=about,
        next_before=found[-1].seq if len(found) == ROWS and not about.strip() else None,
    )
