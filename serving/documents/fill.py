"""Fills a template: in a sandbox, escaped, and into a file whose bytes depend on its content alone."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from serving.documents.chart import BarChart, put_charts
from serving.documents.fixed_zip import fixed_zip

REPORT = Path(__file__).with_name("report.docx")
"""The template of every report."""
MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def fill(template: Path, fields: Mapping[str, Any], charts: Sequence[BarChart] = ()) -> bytes:
    """The .docx of a template with its fields, charts at their marks, tables made to fit; nothing in either is run."""
    from docxtpl import DocxTemplate  # of the extra `reports`

    from serving.documents.grid import fit
    from serving.documents.layout import drop_empty_end

    document = DocxTemplate(template)
    document.render(dict(fields), SandboxedEnvironment(autoescape=True), autoescape=True)
    put_charts(document.docx, charts)
    drop_empty_end(document.docx)
    fit(document.docx)
    out = BytesIO()
    document.save(out)
    return fixed_zip(out.getvalue())


def clean(cell: str) -> str:
    """The cell without characters that XML cannot hold."""
    return "".join(sign for sign in cell if sign >= " " or sign in "\t\n")
