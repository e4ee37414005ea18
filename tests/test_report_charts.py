"""Charts of reports: Word's own, with the figures of the report; where there is nothing to compare there is none."""

import re
import zipfile
from io import BytesIO
from zoneinfo import ZoneInfo

import docx

from serving.documents.chart import BarChart, mark, put_charts
from serving.documents.letterhead import Letterheads
from serving.read.register import Register
from serving.reports.report import Column, Figure, Sentence, Table
from serving.reports.word_file import charts_of, write_report
from tests.test_small_numbers import report_of

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIGURES = (Figure("Tiếp nhận", "received", 386, "", 341, None), Figure("Trễ", "of these late", 9, "", 12, None))
UNITS = Table("Đơn vị có hồ sơ trễ", "units", (Column("Đơn vị"), Column("Trễ hẹn")),
              (("Phường <A>", 5), ("Xã B & C", 4), ("Xã D", 0)))  # fmt: skip


def test_a_chart_holds_the_figures_of_the_report() -> None:
    report = report_of(figures=FIGURES, tables=(UNITS,), sentences=(Sentence("results", "Một câu."),))
    came, late = charts_of(report)
    assert came.labels == ("Tiếp nhận", "Trễ hẹn")
    assert came.series == (("Kỳ này", (386.0, 9.0)), ("Kỳ trước", (341.0, 12.0))), "no year before: no bars for it"
    assert (late.labels, late.series) == (("Phường <A>", "Xã B & C"), (("Trễ hẹn", (5.0, 4.0)),)), "no bar of none"
    content = write_report(report, ZONE, Letterheads().of(Register(), ""))
    assert content == write_report(report, ZONE, Letterheads().of(Register(), "")), "equal reports, equal bytes"
    with zipfile.ZipFile(BytesIO(content)) as file:
        charts = sorted(name for name in file.namelist() if name.startswith("word/charts/"))
        assert len(charts) == 2
        first, second = (file.read(name).decode() for name in charts)
    assert re.findall(r"<c:v>([\d.]+)</c:v>", first) == ["386", "9", "341", "12"]
    assert "Phường &lt;A&gt;" in second
    assert "Xã B &amp; C" in second
    text = "\n".join(one.text for one in docx.Document(BytesIO(content)).paragraphs)
    assert "⟦" not in text


def test_a_large_count_is_told_whole_and_a_share_with_one_decimal() -> None:
    counts = BarChart("Tiếp nhận", ("A", "B"), (("Kỳ này", (1234567.0, None)),)).xml()
    assert "<c:v>1234567</c:v>" in counts
    assert 'formatCode="[$-42A]#,##0"' in counts
    assert 'formatCode="[$-42A]#,##0.0"' in BarChart("Tỷ lệ", ("A",), (("Kỳ này", (12.5,)),)).xml()


def test_without_figures_to_compare_there_is_no_chart() -> None:
    assert charts_of(report_of(figures=(Figure("Điểm", "points", 12.5),))) == []
    alone = Table("t", "t", (Column("Đơn vị"), Column("Trễ hẹn")), (("Xã A", 5), ("Xã B", 0)))
    assert charts_of(report_of(tables=(alone,))) == [], "one bar compares nothing"


def test_a_mark_in_what_people_type_is_text_where_no_chart_goes() -> None:
    document = docx.Document()
    document.add_paragraph(mark(7))
    document.add_paragraph(f"xem {mark(0)}")
    put_charts(document, [BarChart("t", ("a",), (("s", (1.0,)),))])
    assert [one.text for one in document.paragraphs] == [mark(7), f"xem {mark(0)}"]
