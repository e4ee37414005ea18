"""`/warnings.xlsx`, `/explanations.docx`, `/complaints.xlsx`, …: what offices owe, as a file under the page's scope."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from serving import words
from serving.pages.sheet_file import Format, Sheet, file_of
from serving.read.finding_words import CAUSE_WORDS, CONFIRMED_WORDS, KIND_WORDS
from serving.scoring.risk_list import MOST_ROWS
from serving.use_cases.answers import apologies_in, complaints_in, consultations_in, returned_in
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import reader_of
from serving.use_cases.official_names import official_name
from serving.use_cases.remedies import remedies_in, remedies_of
from serving.use_cases.results import results_in
from serving.warnings.acknowledgement import WarningStatus, warnings_of
from serving.work import apologies, complaints, consultations, explanations
from serving.work.complaints import TOPIC_WORDS
from serving.work.remediation import STATES as REMEDY_STATES

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=200)]


@router.get("/warnings.{ending}")
def warnings(request: Request, ending: Format, standing: WarningStatus = WarningStatus.OPEN) -> Response:
    """The first 200 early warnings of the reader's units."""
    clock, register = _clock(request), context_of(request).read_model.register
    with context_of(request).people.state.reading() as session:
        found = warnings_of(session, reader_of(request).scope.units, standing, most=MOST_ROWS)
    head = ("Mã hồ sơ", "Thủ tục", "Đơn vị", "Báo lúc", "Hạn", "Còn lại lúc báo", "Nguy cơ trễ (%)",
            "Nơi rút ngắn được nhiều nhất", "Xác nhận lúc", "Việc sẽ làm")  # fmt: skip
    rows = [
        (one.dossier_id, register.procedure(one.procedure_code), register.unit(one.head_unit),
         clock.moment(one.told_at), clock.moment(one.due_at), words.days_left(one.left_hours),
         round(100 * one.score, 1), one.helps, clock.moment(one.acknowledged_at), one.note)
        for one in found
    ]  # fmt: skip
    sheet = Sheet("canh-bao-som", "DANH SÁCH", "Cảnh báo sớm gửi người đứng đầu", head, rows)
    return file_of(request, ending, "warning.export", sheet)


@router.get("/explanations.{ending}")
def explanation_list(request: Request, ending: Format) -> Response:
    """The first 200 explanation slips, those that wait longest first."""
    clock, register, people = _clock(request), context_of(request).read_model.register, context_of(request).people
    context_of(request).trackers.of()
    with people.state.reading() as session:
        found = explanations.explanations(session, reader_of(request).scope, people.now(), most=MOST_ROWS)
    head = ("Mã hồ sơ", "Đơn vị", "Bước", "Hẹn trả", "Quá (giờ làm việc)", "Giải trình trước", "Tình trạng",
            "Nguyên nhân", "Giải trình")  # fmt: skip
    rows = [
        (one.slip.dossier_id, register.unit(one.slip.unit_code), words.step_words(one.slip.step),
         clock.moment(one.slip.missed_due_at), round(one.slip.over_hours, 1), clock.moment(one.slip.answer_due_at),
         explanations.STATES[one.state], CAUSE_WORDS[one.cause] if one.cause else "", one.text)
        for one in found
    ]  # fmt: skip
    sheet = Sheet("giai-trinh-ho-so-tre", "DANH SÁCH", "Giải trình hồ sơ trễ hẹn", head, rows)
    return file_of(request, ending, "explanation.export", sheet)


@router.get("/apologies.{ending}")
def apology_list(request: Request, ending: Format) -> Response:
    """The first 200 dossiers for which an apology is owed."""
    clock, register = _clock(request), context_of(request).read_model.register
    head = ("Mã hồ sơ", "Đơn vị", "Hẹn lần đầu", "Xin lỗi lúc", "Hẹn mới", "Kết quả", "Số lần hẹn lại")
    rows = [
        (one.case.dossier_id, register.unit(one.case.unit_code), clock.moment(one.case.first_due_at),
         clock.moment(one.sent_at), clock.moment(one.new_due_at), apologies.PROMISES[one.promise], one.times)
        for one in apologies_in(request)[:MOST_ROWS]
    ]  # fmt: skip
    return file_of(request, ending, "answer.export", Sheet("xin-loi", "DANH SÁCH", "Xin lỗi và hẹn lại", head, rows))


@router.get("/consultations.{ending}")
def consultation_list(request: Request, ending: Format) -> Response:
    """The first 200 consultations."""
    clock, register = _clock(request), context_of(request).read_model.register
    head = ("Mã hồ sơ", "Đơn vị hỏi", "Cơ quan được hỏi", "Hỏi lúc", "Hạn", "Trả lời lúc", "Tình trạng")
    rows = [
        (one.dossier_id, register.unit(one.lead_unit), register.unit(one.asked_unit), clock.moment(one.asked_at),
         clock.moment(one.due_at), clock.moment(one.answered_at), consultations.STATES[one.state])
        for one in consultations_in(request)[:MOST_ROWS]
    ]  # fmt: skip
    sheet = Sheet("lay-y-kien", "DANH SÁCH", "Lấy ý kiến phối hợp", head, rows)
    return file_of(request, ending, "answer.export", sheet)


@router.get("/complaints.{ending}")
def complaint_list(request: Request, ending: Format) -> Response:
    """The first 200 complaints by their terms; never who complained, nor the words."""
    clock, register = _clock(request), context_of(request).read_model.register
    sorted_by = context_of(request).trackers.sorting()
    head = ("Phản ánh", "Đơn vị", "Nội dung về", "Giống phản ánh", "Trong đợt", "Gửi lúc", "Hạn xử lý", "Trả lời lúc",
            "Tình trạng")  # fmt: skip
    rows = []
    for one in complaints_in(request)[:MOST_ROWS]:
        among = sorted_by.get(one.complaint_id)
        sorting = (TOPIC_WORDS[among.topic], among.same_as or "", among.flood or "") if among else ("", "", "")
        rows.append(
            (one.complaint_id, register.unit(one.unit_code), *sorting, clock.moment(one.filed_at),
             clock.moment(one.due_at), clock.moment(one.answered_at), complaints.STATES[one.state])
        )  # fmt: skip
    sheet = Sheet("phan-anh", "DANH SÁCH", "Phản ánh, kiến nghị theo hạn", head, rows)
    return file_of(request, ending, "answer.export", sheet)


@router.get("/returns.{ending}")
def return_list(request: Request, ending: Format) -> Response:
    """The first 200 dossiers that were sent back twice or more."""
    register = context_of(request).read_model.register
    rows = [
        (case.dossier_id, register.unit(case.unit_code), register.procedure(case.procedure_code), case.times_back,
         case.former or "")
        for case in returned_in(request)[:MOST_ROWS]
    ]  # fmt: skip
    head = ("Mã hồ sơ", "Đơn vị", "Thủ tục", "Số lần", "Hồ sơ trước")
    sheet = Sheet("ho-so-bi-tra", "DANH SÁCH", "Hồ sơ bị trả nhiều lần", head, rows)
    return file_of(request, ending, "answer.export", sheet)


@router.get("/remedies.{ending}")
def remedy_list(request: Request, ending: Format) -> Response:
    """The first 200 remedies."""
    register = context_of(request).read_model.register
    rows = [
        (one.what, register.unit(one.unit_code), _day(one.due_on), REMEDY_STATES[one.state], one.finding_id)
        for one in remedies_in(request)[:MOST_ROWS]
    ]
    head = ("Việc phải làm", "Đơn vị", "Hạn", "Tình trạng", "Kết luận")
    sheet = Sheet("khac-phuc", "DANH SÁCH", "Khắc phục sau kiểm tra", head, rows)
    return file_of(request, ending, "answer.export", sheet)


@router.get("/results.{ending}")
def result_list(request: Request, ending: Format, kind: Text = "", dossier: Text = "") -> Response:
    """The first 200 findings, under the same filters as the page; what was found not to hold leaves in no file."""
    clock, register = _clock(request), context_of(request).read_model.register
    held = [one for one in results_in(request, dossier) if one.confirmed is not False]
    found = [one for one in held if not kind or one.kind == kind][:MOST_ROWS]
    demanded = remedies_of(request, [one.finding_id for one in found])
    rows = [
        (one.dossier_id, register.unit(one.unit_code),
         official_name(request, one.official_id) if one.official_id else "",
         clock.moment(one.visited_at), KIND_WORDS[one.kind], one.severity,
         CONFIRMED_WORDS[one.confirmed] if one.kind != "none" else "",
         CAUSE_WORDS[one.cause] if one.cause else "", one.evidence,
         "; ".join(f"{what.what} ({_day(what.due_on)})" for what in demanded.get(one.finding_id, ())))
        for one in found
    ]  # fmt: skip
    head = ("Mã hồ sơ", "Đơn vị", "Người giữ", "Kiểm tra lúc", "Kết quả", "Mức độ", "Xác nhận", "Nguyên nhân",
            "Đã thấy gì", "Phải khắc phục (hạn)")  # fmt: skip
    sheet = Sheet("ket-qua-kiem-tra", "DANH SÁCH", "Kết quả kiểm tra", head, rows)
    return file_of(request, ending, "finding.export", sheet)


def _clock(request: Request) -> words.Clockface:
    return words.Clockface(context_of(request).serving.settings.zone)


def _day(day: date) -> str:
    return words.iso_day(day.isoformat())
