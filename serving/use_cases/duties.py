"""What waits for a reader now: the duties of the role, in the reader's scope, oldest first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.calendar.working_time import HOURS_A_DAY
from models.targets import MAIN
from serving.jobs.job_status import job_promises, job_statuses
from serving.jobs.run_log import RunLog
from serving.jobs.schedule import JobRules
from serving.language import gettext as _
from serving.scoring.risk_list import Filters
from serving.state import PublicationPack
from serving.use_cases.answers import tracked
from serving.use_cases.app_context import context_of
from serving.use_cases.guard import Reader, reader_of
from serving.use_cases.visits import OWN_HEAD, own_inspections, plan_store
from serving.warnings.acknowledgement import WarningStatus, warnings_of
from serving.work import contests, explanations, findings, remediation

_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Duty:
    """One kind of work that waits: how many pieces, since when the oldest, and the button that leads to it."""

    words: str
    count: int
    since: datetime | None
    link: str
    button: str


def duties_of(request: Request) -> list[Duty]:
    """The duties of the reader, oldest first; nothing that the reader may not do is among them."""
    if getattr(request.state, "away", False):
        return []
    reader = reader_of(request)
    with context_of(request).people.state.reading() as session:
        found = [
            *_warnings(session, reader), *_slips(request, session, reader), *_contests(session, reader),
            *_packs(session, reader), *_remedies(request, session, reader), *_visits(request, session, reader),
        ]  # fmt: skip
    for more in (_tracked, _plans, _jobs, _candidate, _conduct):
        found += more(request, reader)
    return sorted((one for one in found if one.count), key=lambda one: (one.since or _LATEST, one.words))


def figures_of(request: Request) -> list[tuple[str, int, str]]:
    """Words, number and address of what stands on the lists that the reader may open."""
    reader, found = reader_of(request), context_of(request).serving.listed(MAIN.name)
    page, right = next(
        ((page, right) for page, right in (("/list", "list.read"), ("/board", "board.read"), ("/own", "own.read"))
         if reader.may(right)), ("", ""),
    )  # fmt: skip
    if found is None or not page:
        return []
    scope = reader.scope_for(right)
    base = Filters(official=scope.official_id, units=None if scope.official_id else scope.units)
    tabs = ("", "?due=overdue", "?due=waiting") if page == "/list" else ("", "", "")
    ahead = found.left_hours(replace(base, ahead=True))
    return [
        (_("còn cứu được"), len(ahead), page + tabs[0]),
        (_("còn dưới một ngày làm việc"), int((ahead < HOURS_A_DAY).sum()), page + ("?order=left" if tabs[1] else "")),
        (_("đã quá hạn"), len(found.places(replace(base, overdue=True))), page + tabs[1]),
        (_("chờ người dân"), len(found.places(replace(base, waiting=True))), page + tabs[2]),
    ]


def _warnings(session: Session, reader: Reader) -> list[Duty]:
    if not reader.may("warning.write"):
        return []
    units = reader.scope_for("warning.write").units
    found = warnings_of(session, units, WarningStatus.OPEN, most=1_000)
    since = min((one.told_at for one in found), default=None)
    return [Duty(_("Cảnh báo chờ xác nhận"), len(found), since, "/warnings", _("Xem và xác nhận"))]


def _slips(request: Request, session: Session, reader: Reader) -> list[Duty]:
    found, now = [], context_of(request).people.now()
    for right, states, words, button in (
        ("explanation.write", ("open", "returned", "refused"), _("Hồ sơ trễ chờ giải trình"), _("Giải trình")),
        ("explanation.review", ("explained",), _("Giải trình chờ thủ trưởng xem xét"), _("Xem xét")),
        ("explanation.close", ("accepted",), _("Giải trình chờ cấp trên kết thúc"), _("Xem xét")),
    ):
        if reader.may(right):
            held = explanations.explanations(session, reader.scope_for(right), now, most=10_000)
            mine = [one.slip.opened_at for one in held if one.state in states]
            link = f"/explanations?state={states[0]}"
            found.append(Duty(words, len(mine), min(mine, default=None), link, button))
    return found


def _contests(session: Session, reader: Reader) -> list[Duty]:
    if not reader.may("contest.answer"):
        return []
    held = contests.contests_in(session, reader.scope_for("contest.answer"))
    mine = [one.opened_at for one in held if one.outcome is None]
    return [Duty(_("Giải trình về điểm chờ trả lời"), len(mine), min(mine, default=None), "/contests", _("Trả lời"))]


def _packs(session: Session, reader: Reader) -> list[Duty]:
    if not reader.may("publication.approve"):
        return []
    query = select(PublicationPack.proposed_at).where(PublicationPack.approved.is_(None))
    mine = list(session.scalars(query))
    return [Duty(_("Danh mục công bố chờ duyệt"), len(mine), min(mine, default=None), "/reports", _("Duyệt"))]


def _remedies(request: Request, session: Session, reader: Reader) -> list[Duty]:
    if not reader.may("remedy.write"):
        return []
    zone = context_of(request).serving.settings.zone
    today = context_of(request).people.now().astimezone(zone).date()
    held = remediation.standing(session, today, reader.scope_for("remedy.write").units)
    soon = [one for one in held if one.state not in ("accepted", "done") and one.due_on <= today + timedelta(days=7)]
    return [Duty(_("Khắc phục đến hạn trong 7 ngày"), len(soon), None, "/remedies", _("Xem"))]


def _visits(request: Request, session: Session, reader: Reader) -> list[Duty]:
    """Begun visits of the last two plans on which something is not yet recorded."""
    visits: list[Mapping[str, Any]]
    if reader.may("finding.write"):
        store, now = plan_store(request), context_of(request).people.now()
        scope, plans = reader.scope_for("finding.write"), store.plans()
        begun = [one for plan in plans[-2:] for one in store.visits(plan, now)]
        visits = [one for one in begun if scope.covers(one["unit_code"]) and one["by"] != OWN_HEAD]
        words, link = _("Cuộc kiểm tra chưa ghi đủ kết quả"), "/plan"
    elif reader.may("self.write"):
        now = context_of(request).people.now()
        visits = [one for one in own_inspections(request) if datetime.fromisoformat(one["at"]) <= now]
        words, link = _("Tự kiểm tra chưa ghi đủ kết quả"), "/self-inspections"
    else:
        return []
    recorded: dict[str, set[str]] = {}
    for one in findings.standing(session, units={visit["unit_code"] for visit in visits}):
        recorded.setdefault(one.inspection_id, set()).add(one.dossier_id)
    left = [
        datetime.fromisoformat(visit["at"]) for visit in visits
        if {line["dossier_id"] for line in visit["sheet"]} - recorded.get(visit["visit_id"], set())
    ]  # fmt: skip
    return [Duty(words, len(left), min(left, default=None), link, _("Ghi kết quả"))]


def _tracked(request: Request, reader: Reader) -> list[Duty]:
    found = []
    if reader.may("apology.write"):
        scope = reader.scope_for("apology.write")
        owed = [one for one in tracked(request).apologies if one.sent_at is None and scope.covers(one.case.unit_code)]
        since = min((one.case.due_at for one in owed if one.case.due_at), default=None)
        found.append(Duty(_("Hồ sơ trễ chưa xin lỗi"), len(owed), since, "/apologies", _("Soạn phiếu xin lỗi")))
    if reader.may("mark.write"):
        scope = reader.scope_for("mark.write")
        late = [one for one in tracked(request).complaints if one.late and scope.covers(one.unit_code)]
        found.append(
            Duty(
                _("Phản ánh quá hạn trả lời"),
                len(late),
                min((one.due_at for one in late), default=None),
                "/complaints",
                _("Xem"),
            )
        )
    return found


def _conduct(request: Request, reader: Reader) -> list[Duty]:
    if not reader.may("harassment.read") or not reader.may("plan.write"):
        return []
    shelf = context_of(request).serving.conduct.value
    found = shelf.newcomers(reader.scope_for("harassment.read")) if shelf else []
    since = shelf.as_of if shelf else None
    return [Duty(_("Dấu hiệu mới cần kiểm tra"), len(found), since, "/conduct?new=true", _("Xem hồ sơ đứng sau"))]


def _plans(request: Request, reader: Reader) -> list[Duty]:
    if not reader.may("plan.approve"):
        return []
    store, receipts = plan_store(request), context_of(request).people.receipts
    waiting = [
        one for one in store.plans()[-2:]
        if not any(receipt.action == "plan.approve" for receipt in receipts.about(f"plan:{one}", most=500))
    ]  # fmt: skip
    link = f"/plan?plan={waiting[0]}" if waiting else "/plan"
    return [Duty(_("Kế hoạch kiểm tra chờ duyệt"), len(waiting), None, link, _("Duyệt"))]


def _jobs(request: Request, reader: Reader) -> list[Duty]:
    if not reader.may("job.read"):
        return []
    serving, people = context_of(request).serving, context_of(request).people
    rules, now = JobRules.of(serving.settings.home, serving.settings.zone), people.now()
    broken = [one for one in job_promises(rules, job_statuses(rules, RunLog(people.state), now), now) if not one.holds]
    return [Duty(_("Cam kết vận hành chưa giữ được"), len(broken), None, "/jobs", _("Xem"))]


def _candidate(request: Request, reader: Reader) -> list[Duty]:
    if not reader.may("model.promote"):
        return []
    folder = context_of(request).serving.settings.models / MAIN.name
    candidate, champion = (_version(folder / f"{name}.json") for name in ("candidate", "champion"))
    waits = candidate is not None and candidate != champion
    return [Duty(_("Mô hình ứng viên chờ xem xét"), int(waits), None, "/analyst", _("So sánh"))]


def _version(pointer: Path) -> object:
    """The version that a pointer names; None where there is none."""
    return json.loads(pointer.read_text("utf-8")).get("version") if pointer.is_file() else None
