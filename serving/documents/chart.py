"""Bar charts in a Word document, as Word draws them itself (DrawingML, ECMA-376 part 1, 21.2): letters stay letters.

The chart holds its values; there is no workbook behind it, so that nothing but the report's own Excel file is edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from docx.document import Document as Doc
    from docx.text.paragraph import Paragraph

_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_C, _A = (
    "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "http://schemas.openxmlformats.org/drawingml/2006/main",
)
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_COLOURS = ("1F4E79", "9DC3E6", "C9C9C9")
"""Of the series; they differ on a black and white printer, too."""
WIDTH = 160  # mm


@dataclass(frozen=True)
class BarChart:
    """Bars side by side for each label. series: name → values, None where there is none; lying: bars lie."""

    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    lying: bool = False

    @property
    def height(self) -> int:
        """Millimetres."""
        return 30 + (9 if self.lying else 4) * len(self.labels) + (0 if self.lying else 25)

    def xml(self) -> str:
        """The chart part."""
        bars = "".join(self._bars(number, name, values) for number, (name, values) in enumerate(self.series))
        where = ("b", "l") if self.lying else ("l", "b")
        order = "maxMin" if self.lying else "minMax"
        legend = '<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>' if len(self.series) > 1 else ""
        return (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><c:chartSpace xmlns:c="{_C}" xmlns:a="{_A}">'
            '<c:roundedCorners val="0"/><c:chart><c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr>'
            '<a:defRPr sz="1200" b="1"/></a:pPr><a:r><a:rPr lang="vi-VN" sz="1200" b="1"/>'
            f"<a:t>{escape(self.title)}</a:t></a:r></a:p></c:rich></c:tx>"
            '<c:overlay val="0"/></c:title><c:autoTitleDeleted val="0"/><c:plotArea><c:layout/><c:barChart>'
            f'<c:barDir val="{"bar" if self.lying else "col"}"/><c:grouping val="clustered"/>'
            f'<c:varyColors val="0"/>{bars}'
            '<c:gapWidth val="60"/><c:axId val="1"/><c:axId val="2"/></c:barChart>'
            f'<c:catAx><c:axId val="1"/><c:scaling><c:orientation val="{order}"/></c:scaling><c:delete val="0"/>'
            f'<c:axPos val="{where[1]}"/><c:crossAx val="2"/></c:catAx>'
            '<c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/><c:min val="0"/></c:scaling>'
            f'<c:delete val="1"/><c:axPos val="{where[0]}"/><c:crossAx val="1"/></c:valAx></c:plotArea>{legend}'
            '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart><c:txPr><a:bodyPr/><a:p><a:pPr>'
            '<a:defRPr sz="1100"><a:latin typeface="Times New Roman"/></a:defRPr></a:pPr>'
            '<a:endParaRPr lang="vi-VN"/></a:p></c:txPr>'
            "</c:chartSpace>"
        )

    def _bars(self, number: int, name: str, values: Sequence[float | None]) -> str:
        points = "".join(
            f'<c:pt idx="{place}"><c:v>{value:.12g}</c:v></c:pt>'
            for place, value in enumerate(values)
            if value is not None
        )
        whole = all(value is None or value == int(value) for value in values)
        form = "[$-42A]#,##0" if whole else "[$-42A]#,##0.0"  # 42A: dots between thousands, as in Vietnamese
        labels = "".join(f'<c:pt idx="{n}"><c:v>{escape(words)}</c:v></c:pt>' for n, words in enumerate(self.labels))
        return (
            f'<c:ser><c:idx val="{number}"/><c:order val="{number}"/><c:tx><c:v>{escape(name)}</c:v></c:tx>'
            f'<c:spPr><a:solidFill><a:srgbClr val="{_COLOURS[number]}"/></a:solidFill></c:spPr>'
            f'<c:invertIfNegative val="0"/><c:dLbls><c:numFmt formatCode={quoteattr(form)} sourceLinked="0"/>'
            '<c:showLegendKey val="0"/><c:showVal val="1"/>'
            '<c:showCatName val="0"/>'
            '<c:showSerName val="0"/><c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>'
            f'<c:cat><c:strLit><c:ptCount val="{len(self.labels)}"/>{labels}</c:strLit></c:cat>'
            f"<c:val><c:numLit><c:formatCode>{escape(form)}</c:formatCode>"
            f'<c:ptCount val="{len(values)}"/>{points}</c:numLit></c:val>'
            "</c:ser>"
        )


def put_charts(document: "Doc", charts: Sequence[BarChart]) -> None:
    """Puts each chart where a paragraph says `mark(number)` and nothing else; a mark without its chart is left out."""
    for paragraph in list(document.paragraphs):
        number = _MARKS.get(paragraph.text.strip())
        if number is not None and number < len(charts):
            _put(document, paragraph, charts[number], number + 1)


def mark(number: int) -> str:
    """What stands in a template's text where chart `number` (from 0) goes."""
    return f"⟦biểu đồ {number}⟧"


_MARKS = {mark(number): number for number in range(20)}


def _put(document: "Doc", paragraph: "Paragraph", chart: BarChart, number: int) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE  # of the extra `reports`
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml
    from docx.shared import Mm

    name = PackURI(f"/word/charts/chart{number}.xml")
    part = Part(name, _TYPE, chart.xml().encode(), document.part.package)
    key = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    for run in list(paragraph.runs):
        run._r.getparent().remove(run._r)
    paragraph.paragraph_format.first_line_indent = Mm(0)
    drawing = (
        f'<w:drawing xmlns:w="{_W}" xmlns:wp="{_WP}" xmlns:a="{_A}" xmlns:c="{_C}" xmlns:r="{_R}">'
        f'<wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{Mm(WIDTH)}" cy="{Mm(chart.height)}"/>'
        f'<wp:docPr id="{1000 + number}" name="Biểu đồ {number}" descr={quoteattr(chart.title)}/>'
        f'<wp:cNvGraphicFramePr/><a:graphic><a:graphicData uri="{_C}"><c:chart r:id="{key}"/></a:graphicData>'
        "</a:graphic></wp:inline></w:drawing>"
    )
    paragraph.add_run()._r.append(parse_xml(drawing))
