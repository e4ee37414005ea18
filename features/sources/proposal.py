"""A mapping proposed for a table that nobody has mapped yet: which column is probably which, and how sure that is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from functools import lru_cache

from features.spelling.names import plain

SURE, LIKELY = 0.9, 0.72

USUAL: dict[str, tuple[str, ...]] = {
    "dossier.dossier_id": ("mã hồ sơ", "số hồ sơ", "mã số hồ sơ", "số biên nhận", "mã biên nhận", "dossier_id"),
    "dossier.procedure_code": ("mã tthc", "mã thủ tục", "mã thủ tục hành chính", "thủ tục", "procedure_code"),
    "dossier.unit_code": ("mã đơn vị", "mã cơ quan", "đơn vị xử lý", "cơ quan giải quyết", "đơn vị", "unit_code"),
    "dossier.received_at": ("ngày tiếp nhận", "thời gian tiếp nhận", "ngày nhận", "ngày nhận hồ sơ", "received_at"),
    "dossier.due_at": (
        "ngày hẹn trả", "ngày hẹn trả kết quả", "hạn trả", "hẹn trả", "hạn xử lý", "hạn giải quyết", "due_at"),
    "dossier.submitted_at": ("ngày nộp", "ngày gửi", "thời gian nộp", "submitted_at"),
    "dossier.channel": ("hình thức nộp", "kênh tiếp nhận", "hình thức tiếp nhận", "channel"),
    "unit.unit_name": ("tên đơn vị", "tên cơ quan", "unit_name"),
    "procedure.procedure_name": ("tên thủ tục", "tên tthc", "tên thủ tục hành chính", "procedure_name"),
    "procedure.sector_code": ("mã lĩnh vực", "lĩnh vực", "sector_code"),
    "event.happened_at": ("ngày xử lý", "thời điểm xử lý", "time:timestamp", "happened_at"),
    "event.activity": ("bước xử lý", "hoạt động", "nội dung xử lý", "concept:name", "step"),
    "ended_at": ("ngày trả kết quả", "ngày kết thúc", "ngày hoàn thành", "ngày có kết quả"),
}  # fmt: skip
"""Headers that offices use for a column; the last is the contract's own."""

FORMS = (
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2}"), "%d/%m/%Y %H:%M:%S"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}"), "%d/%m/%Y %H:%M"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%d/%m/%Y"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "%d-%m-%Y"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{14}"), "%Y%m%d%H%M%S"),
    (re.compile(r"[34]\d{4}(\.\d+)?"), "excel"),
)


@dataclass(frozen=True)
class ProposedColumn:
    """One column of the contract, the header it probably stands under, how sure that is (0–1), the form of times."""

    column: str
    header: str
    confidence: float
    format: str = ""

    @property
    def words(self) -> str:
        """How sure, in words."""
        return "chắc" if self.confidence >= SURE else "có lẽ" if self.confidence >= LIKELY else "không rõ"


def headers_in_use() -> set[str]:
    """Every header that is looked for, to find the line that is the header."""
    return {name for names in USUAL.values() for name in names}


def propose(header: Sequence[str], samples: Sequence[Sequence[object]]) -> list[ProposedColumn]:
    """For every column of the contract the header that fits best, each header once. `samples`: the first rows."""
    scored = sorted(
        ((_likeness(name, usual), column, name) for column, names in USUAL.items() for usual in names
         for name in dict.fromkeys(header) if name),
        key=lambda one: -one[0],
    )  # fmt: skip
    found: dict[str, ProposedColumn] = {}
    taken: set[str] = set()
    for score, column, name in scored:
        if score >= LIKELY and column not in found and name not in taken:
            cells = [row[header.index(name)] for row in samples if header.index(name) < len(row)]
            found[column] = ProposedColumn(column, name, round(score, 2), form_of(cells) if _is_time(column) else "")
            taken.add(name)
    return [found[column] for column in USUAL if column in found]


def form_of(cells: Sequence[object]) -> str:
    """The `format` in which most cells of a column of times are written; empty for ISO 8601 and for cells of dates."""
    texts = [str(cell).strip() for cell in cells if cell not in (None, "") and not isinstance(cell, (date, datetime))]
    return next(
        (form for shape, form in FORMS if texts and 2 * sum(map(bool, map(shape.fullmatch, texts))) > len(texts)), ""
    )


def mapping_text(columns: Sequence[ProposedColumn]) -> str:
    """The mapping of the proposal, as TOML to be read, changed and stored."""
    by = {one.column: one for one in columns}
    tables: dict[str, list[str]] = {"unit": [], "procedure": [], "dossier": []}
    if unit := by.get("dossier.unit_code"):
        tables["unit"].append(f"unit_code = {_source(unit)}")
    if (procedure := by.get("dossier.procedure_code")) and "procedure.sector_code" in by:
        tables["procedure"].append(f"procedure_code = {_source(procedure)}")
    for one in columns:
        table, _, column = one.column.partition(".")
        if table in tables and (table == "dossier" or tables[table]):
            tables[table].append(f"{column} = {_source(one)}")
    parts = [f"[{table}]\n" + "\n".join(lines) for table, lines in tables.items() if lines]
    if ended := by.get("ended_at"):
        parts.append(f"# {ended.header}: nếu là ngày kết thúc, khai thêm [event] và [[case_event]]")
    return "\n\n".join(parts) + "\n"


def _source(one: ProposedColumn) -> str:
    name = '"' + one.header.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f'{{ from = {name}, format = "{one.format}" }}' if one.format else name


def _is_time(column: str) -> bool:
    return column.endswith("_at")


@lru_cache(maxsize=16384)
def _likeness(header: str, usual: str) -> float:
    one, two = plain(header).strip(" .:*"), plain(usual)
    return 1.0 if one == two else 0.98 * SequenceMatcher(None, one, two).ratio()
