"""A report as an Excel workbook: the figures, how they are counted, a sheet a table, and the rows of every figure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from serving.documents.fixed_zip import fixed_zip
from serving.reports.report import Cell, Column, Report

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPLANATION = "Giải thích"
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # a file tells what it rests on, not when it was written
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_workbook(report: Report, zone: ZoneInfo) -> bytes:
    """The .xlsx; equal reports give equal bytes."""
    import xlsxwriter  # of the extra `reports`

    out = BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        book.set_properties({"title": report.vi, "comments": basis_words(report, zone), "created": _CREATED})
        _Book(book, report, zone).write()
    return fixed_zip(out.getvalue())


def basis_words(report: Report, zone: ZoneInfo) -> str:
    """What the report rests on, in one line."""
    return (
        f"Số liệu biết đến {report.as_of.astimezone(zone):%d/%m/%Y %H:%M} (as_of {report.as_of.isoformat()}), "
        f"phiên bản dữ liệu {report.record_version}, mã nội dung {report.sha256[:16]}"
    )


class _Book:
    """The workbook being written, with its few formats."""

    def __init__(self, book: "Workbook", report: Report, zone: ZoneInfo) -> None:
        self._book, self._report, self._zone = book, report, zone
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._link = book.add_format({"font_color": "#0b4f9c", "underline": 1})
        self._time = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        self._day = book.add_format({"num_format": "dd/mm/yyyy"})
        self._count = book.add_format({"num_format": "#,##0"})
        self._number = book.add_format({"num_format": "#,##0.0#"})
        self._total = book.add_format({"bold": True, "num_format": "#,##0", "top": 1})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._tables = [f"B{number}" for number in range(1, len(report.tables) + 1)]

    def write(self) -> None:
        """All sheets: the front, the tables, the rows."""
        self._front(self._book.add_worksheet("Báo cáo"))
        self._explain(self._book.add_worksheet(EXPLANATION))
        for name, table in zip(self._tables, self._report.tables, strict=True):
            sheet = self._book.add_worksheet(name)
            sheet.write_string(0, 0, table.vi, self._title)
            sheet.write_string(1, 0, table.note)
            self._grid(sheet, 3, table.columns, table.lines, table.total)
        for rows in self._report.rows:
            sheet = self._book.add_worksheet(rows.key)
            sheet.write_string(0, 0, f"{rows.key}: {rows.words} ({rows.number})", self._title)
            sheet.write_url(1, 0, "internal:'Báo cáo'!A1", self._link, "← Báo cáo")
            if rows.left:
                sheet.write_string(2, 0, f"Còn {rows.left} dòng không liệt kê: lập báo cáo của từng đơn vị để xem đủ.")
            self._grid(sheet, 3, tuple(Column(words) for words in rows.head), rows.lines)

    def _front(self, sheet: "Worksheet") -> None:
        report = self._report
        sheet.set_column(0, 0, 60)
        sheet.set_column(1, 4, 20)
        known = f"Số liệu biết đến {report.as_of.astimezone(self._zone):%d/%m/%Y %H:%M}."
        top = (report.vi, f"{report.scope}, {report.period.words}", known, *report.notes)
        for line, text in enumerate(top):
            sheet.write_string(line, 0, text, self._title if line == 0 else None)
        line = len(top) + 1
        for place, words in enumerate(("Chỉ tiêu", "Kỳ này", "Kỳ trước", "Cùng kỳ năm trước", "Căn cứ")):
            sheet.write_string(line, place, words, self._bold)
        sheet.freeze_panes(line + 1, 1)
        for figure in report.figures:
            line += 1
            sheet.write_string(line, 0, figure.vi)
            for place, value in enumerate((figure.value, figure.before, figure.year_before), 1):
                self._cell(sheet, line, place, value)
            self._to_rows(sheet, line, 4, figure.rows)
        line += 2
        sheet.write_url(line, 0, f"internal:'{EXPLANATION}'!A1", self._link, "Cách đếm từng chỉ tiêu")
        line += 1
        for name, table in zip(self._tables, report.tables, strict=True):
            sheet.write_url(line, 0, f"internal:'{name}'!A1", self._link, f"{name}: {table.vi}")
            line += 1

    def _explain(self, sheet: "Worksheet") -> None:
        """How each figure is counted, and what the report rests on."""
        sheet.set_column(0, 0, 50)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, "Cách đếm từng chỉ tiêu", self._title)
        for place, words in enumerate(("Chỉ tiêu", "Cách đếm")):
            sheet.write_string(2, place, words, self._bold)
        sheet.freeze_panes(3, 0)
        line = 2
        for figure in self._report.figures:
            line += 1
            sheet.write_string(line, 0, figure.vi, self._wrapped)
            sheet.write_string(line, 1, EXPLAINED.get(figure.en, ""), self._wrapped)
        told = (
            "Kỳ trước: kỳ liền trước dài bằng kỳ này; để trống nơi dữ liệu không có trọn kỳ đó.",
            "Căn cứ: mỗi chỉ tiêu dẫn tới trang tính có từng dòng đã đếm.",
            basis_words(self._report, self._zone),
        )
        for place, words in enumerate(told, line + 2):
            sheet.write_string(place, 0, words)

    def _grid(
        self, sheet: "Worksheet", top: int, columns: Sequence[Column], lines: Sequence[Sequence[Cell]],
        total: Sequence[Cell] = (),
    ) -> None:  # fmt: skip
        """A head, above it the links to the rows that a column was counted from; a total whose counts are formulas."""
        for place, column in enumerate(columns):
            self._to_rows(sheet, top - 1, place, column.rows)
            sheet.write_string(top, place, column.words, self._bold)
            sheet.set_column(place, place, 34 if place == 0 else 18)
        from xlsxwriter.utility import xl_rowcol_to_cell

        for number, line in enumerate(lines, top + 1):
            for place, value in enumerate(line):
                self._cell(sheet, number, place, value)
        for place, value in enumerate(total):
            if isinstance(value, int) and lines:
                first, last = (xl_rowcol_to_cell(top + row, place) for row in (1, len(lines)))
                formula = f"=SUBTOTAL(109,{first}:{last})"
                sheet.write_formula(top + len(lines) + 1, place, formula, self._total, value)
            else:
                self._cell(sheet, top + len(lines) + 1, place, value)
        sheet.freeze_panes(top + 1, 0)
        if lines:
            sheet.autofilter(top, 0, top + len(lines), len(columns) - 1)

    def _to_rows(self, sheet: "Worksheet", line: int, place: int, key: str) -> None:
        if key:
            sheet.write_url(line, place, f"internal:'{key}'!A1", self._link, f"→ {key}")

    def _cell(self, sheet: "Worksheet", line: int, place: int, value: Cell) -> None:
        if isinstance(value, datetime):
            sheet.write_datetime(line, place, value.astimezone(self._zone).replace(tzinfo=None), self._time)
        elif isinstance(value, date):
            sheet.write_datetime(line, place, datetime.combine(value, datetime.min.time()), self._day)
        elif isinstance(value, str):
            sheet.write_string(line, place, value[:32_767])
        elif value is not None:
            sheet.write_number(line, place, value, self._count if isinstance(value, int) else self._number)


_LATE = "quá hạn theo hẹn trả đúng luật (hẹn lần đầu, cộng thời gian chờ người dân và một lần gia hạn có lý do)"
EXPLAINED: Mapping[str, str] = {
    "received": "Hồ sơ có ngày tiếp nhận trong kỳ.",
    "ended": "Hồ sơ có kết quả, bị từ chối hoặc được rút trong kỳ; hồ sơ mở lại trong 30 ngày tính theo lần xong cuối.",
    "of these late": f"Hồ sơ xong trong kỳ mà {_LATE}.",
    "open at the end": "Hồ sơ đã tiếp nhận mà đến cuối kỳ chưa xong.",
    "of these overdue": f"Hồ sơ chưa xong, đồng hồ đang chạy, đã {_LATE}.",
    "of these waiting for the citizen": "Hồ sơ chưa xong, đang chờ người dân bổ sung hoặc tạm dừng: đồng hồ dừng.",
    "ended past the first promise": "Hồ sơ xong trong kỳ sau ngày hẹn đầu tiên, kể cả khi đã hẹn lại đúng quy định.",
    "set aside: the end lies before the receipt": "Hồ sơ mà nguồn ghi kết thúc trước khi tiếp nhận: không đếm vào đâu.",
    "late of ended, per cent": "Trễ hẹn / hồ sơ xong có hẹn trả; chỉ nêu khi có từ 20 hồ sơ xong.",
    "95 % interval from": "Đầu dưới khoảng tin cậy 95 % (Wilson) của tỷ lệ trễ hẹn.",
    "95 % interval to": "Đầu trên khoảng tin cậy 95 % (Wilson) của tỷ lệ trễ hẹn.",
    "progress points of the index 766": "20 × hồ sơ đúng hạn / hồ sơ tiếp nhận, đếm theo QĐ 766/QĐ-TTg.",
    "progress points": "20 × hồ sơ đúng hạn / hồ sơ tiếp nhận, đếm theo QĐ 766/QĐ-TTg.",
    "overdue as 766 counts": "Hồ sơ tiếp nhận trong kỳ mà cách đếm của QĐ 766/QĐ-TTg tính là quá hạn.",
    "dossiers that the events class otherwise": "Hồ sơ mà cách đếm 766 và các sự kiện cho kết quả khác nhau.",
    "points by the events": "Như điểm tiến độ, nhưng đúng hạn hay không tính theo các sự kiện trong hồ sơ.",
    "counts of the sources compared": "Số liệu tổng hợp mà hệ thống nguồn tự báo, đặt cạnh số đếm từ hồ sơ.",
    "gap left unexplained": "Tổng chênh lệch giữa số nguồn báo và số đếm mà không rõ nguyên nhân.",
    "passages of steps": "Mỗi lần một hồ sơ qua một bước trong kỳ là một lượt.",
    "passages that nobody holds by name": "Lượt qua bước mà nguồn không ghi người giữ.",
    "passages past the step's term": "Lượt kéo dài quá hạn riêng của bước.",
    "late dossiers explained": "Hồ sơ trễ, quá hạn của kỳ đã có giải trình đến cuối kỳ.",
    "late dossiers without an explanation": "Hồ sơ trễ, quá hạn của kỳ chưa có giải trình.",
    "late dossiers by holder": f"Hồ sơ {_LATE}; người giữ là người giữ lúc hạn qua đi.",
    "apologies owed": "Hồ sơ trễ phải có văn bản xin lỗi và hẹn lại (NĐ 118/2025/NĐ-CP).",
    "of these not sent": "Hồ sơ phải xin lỗi mà chưa có văn bản gửi đi.",
    "new day missed": "Hồ sơ đã xin lỗi, hẹn lại mà ngày hẹn mới cũng không giữ được.",
    "consultations": "Mỗi lần hỏi ý kiến một cơ quan khác về một hồ sơ, còn mở hoặc được trả lời trong kỳ.",
    "of these late or overdue": "Lượt hỏi được trả lời sau hạn, hoặc quá hạn chưa trả lời.",
    "complaints filed": "Phản ánh, kiến nghị gửi trong kỳ.",
    "complaints answered": "Phản ánh, kiến nghị được trả lời trong kỳ.",
    "in time, per cent": "Phản ánh trả lời trong hạn / phản ánh đã trả lời trong kỳ.",
    "complaints overdue": "Phản ánh quá hạn mà cuối kỳ chưa trả lời.",
    "sent back twice or more": "Trả lại, yêu cầu bổ sung, từ chối rồi nộp lại: cộng từ 2 lần trở lên.",
    "of these not reviewed yet": "Hồ sơ bị trả nhiều lần mà chưa ai xem xét nguyên nhân.",
    "of these through an official's fault, after review": "Người có thẩm quyền đã xem xét và ghi là do cán bộ.",
    "ratings by citizens after the end": "Người dân đánh giá sau khi có kết quả; không gồm đánh giá do cán bộ nhập.",
    "visits": "Cuộc kiểm tra diễn ra trong kỳ.",
    "dossiers found clean": "Hồ sơ đã kiểm tra, kết quả là không có vấn đề.",
    "confirmed findings": "Kết luận có vấn đề được người có thẩm quyền xác nhận trong kỳ; chỉ chúng nêu tên.",
    "findings waiting": "Kết luận có vấn đề chưa được xác nhận: chỉ đếm, không nêu tên.",
    "findings not confirmed": "Kết luận mà người có thẩm quyền xác định là không đúng: chỉ đếm, không nêu tên ở đâu.",
    "remedies demanded": "Việc phải khắc phục sau kiểm tra đã giao đến cuối kỳ; bỏ việc dựa trên kết luận không đúng.",
    "missions": "Một đoàn kiểm tra trong một ngày là một đợt.",
    "least asked for": "Số đợt ít nhất mà chỉ thị yêu cầu trong kỳ.",
    "units with dossiers not visited": "Đơn vị có hồ sơ trong kỳ mà chưa có cuộc kiểm tra nào.",
    "warnings nobody acknowledged": "Cảnh báo sớm gửi trong kỳ mà cuối kỳ chưa ai xác nhận đã đọc.",
    "explanations overdue": "Phiếu giải trình quá hạn mà cuối kỳ chưa có giải trình.",
    "units that stand out": "Đơn vị mà cả khoảng tin cậy của tỷ lệ làm tốt 12 tháng nằm trên mức chung.",
    "officials that stand out": "Cán bộ mà cả khoảng tin cậy của tỷ lệ làm tốt 12 tháng nằm trên mức chung.",
}
"""One sentence a figure."""
