"""What `risk demo` fills a fresh home with beside its lists: accounts of all six roles, and a month of their work.

All of it goes the ways that pages and commands go, with a receipt for each act, in the name of the account that does
such a thing. The moments are those at which the demo runs; only the visits stand where the plan put them.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.calendar.vietnam import VIETNAM
from models.targets import MAIN
from serving.cli.target_steps import Say
from serving.plan.rules import Rules
from serving.read.finding_words import LATE
from serving.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from serving.scoring.risk_list import RiskList
    from serving.state import State
    from serving.work.receipts import Receipts
    from serving.work.trackers import Tracked

VISITS = 4
"""Begun visits of which findings are recorded."""
PULLED = 5
"""Dossiers recorded at each of them."""
RULES = (Rules(), Rules(min_gap_days=20), Rules(min_gap_days=0), Rules(min_gap_days=0, high_risk_visits=0, visits=4))
"""Tried in turn: a small province may have no unit left to visit under the directives' own rules."""
EARLY = 10
"""Up to this day of the month the month before gets a plan too, so that there are visits to show."""

FIRST = {
    "inspector": "Danh sách: hồ sơ còn cứu được; rồi Kiểm tra: mở một cuộc đã đến giờ",
    "unit_head": "Hôm nay: cảnh báo chờ xác nhận, hồ sơ phải giải trình, tự kiểm tra của đơn vị",
    "official": "Hồ sơ của tôi; giải trình một hồ sơ trễ",
    "analyst": "Mô hình: bản đang dùng, ứng viên, các cửa kiểm",
    "leader": "Toàn tỉnh; duyệt danh mục công bố đang chờ ở Báo cáo",
    "administrator": "Nhận dữ liệu, việc tự chạy, tài khoản, nhật ký",
}
"""Role → what to try first."""


@dataclass(frozen=True)
class Login:
    """How to log in as one role, and what to try first."""

    login: str
    password: str
    role: str
    first: str


class DemoMonth:
    """Fills one home. `as_of`: of its lists; `now`: when the acts are done."""

    def __init__(self, settings: Settings, as_of: datetime, say: Say) -> None:
        self._settings, self._as_of, self._say = settings, as_of, say
        self._state: State
        self._chain: Receipts
        self._who: dict[str, tuple[int, str]] = {}  # role → account id and login

    def fill(self) -> list[Login]:
        """Makes the accounts and the month; the logins, none where the home has accounts already."""
        from serving.cli.receipts import open_chain

        self._state, self._chain = open_chain(self._settings)
        try:
            logins = self._accounts()
            if logins:
                with self._part("kế hoạch và kết quả kiểm tra"):
                    self._inspect()
                with self._part("cảnh báo"):
                    self._warn()
                with self._part("giải trình, xin lỗi, phản ánh"):
                    self._answer()
                with self._part("báo cáo và danh mục công bố"):
                    self._report()
            return logins
        finally:
            self._state.close()

    @contextmanager
    def _part(self, what: str) -> Iterator[None]:
        """A province may hold nothing for one part: the others are shown all the same, and this one is told."""
        try:
            yield
        except (ValueError, LookupError) as error:
            self._say(f"{what}: {error}")
        else:
            self._say(what)

    def _act(
        self, role: str, action: str, effect: "Callable[[Session, int, datetime], Mapping[str, Any]]",
        subjects: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """One act of the account of `role`, with its receipt in the same transaction."""
        account_id, login = self._who[role]
        now = datetime.now(UTC)
        with self._state.writing() as session:
            detail = effect(session, account_id, now)
            link = self._chain.append(session, login, action, detail, now=now, subjects=subjects)
        self._chain.anchor(link)

    def _list(self) -> "RiskList":
        from serving.scoring.risk_list import latest_list

        return latest_list(self._settings.scores, MAIN.name)

    def _accounts(self) -> list[Login]:
        from sqlalchemy import select

        from serving.access.account import add_account
        from serving.access.permissions import EVERY_UNIT, Role
        from serving.read.official_directory import names_in
        from serving.state import Account
        from serving.work.receipts import command_actor

        with self._state.reading() as session:
            if session.scalar(select(Account.id).limit(1)) is not None:
                return []
            names = names_in(session)
        unit, official = self._busiest(names)
        self._unit = unit
        password = secrets.token_urlsafe(12)
        wanted = (
            (Role.INSPECTOR, "demo", "Thanh tra mẫu", EVERY_UNIT, None),
            (Role.UNIT_HEAD, "thu-truong", "Thủ trưởng mẫu", unit, None),
            (Role.OFFICIAL, "can-bo", names.get(official, "Cán bộ mẫu"), unit, official),
            (Role.ANALYST, "phan-tich", "Phân tích viên mẫu", EVERY_UNIT, None),
            (Role.LEADER, "lanh-dao", "Lãnh đạo mẫu", EVERY_UNIT, None),
            (Role.ADMINISTRATOR, "quan-tri", "Quản trị mẫu", EVERY_UNIT, None),
        )
        now = datetime.now(UTC)
        for role, login, name, place, person in wanted:
            with self._state.writing() as session:
                made: Account = add_account(
                    session, login, name, role, now=now, unit_code=place, official_id=person, password=password
                )
                self._who[role.value] = made.id, login
                detail = {"made": login, "role": role.value, "unit": place}
                link = self._chain.append(session, command_actor(), "account.write", detail, now=now)
            self._chain.anchor(link)
        return [Login(login, password, role.words, FIRST[role]) for role, login, *_ in wanted]

    def _busiest(self, names: Mapping[str, str]) -> tuple[str, str]:
        """The unit with the most open dossiers and, of its officials, a named one who holds the most."""
        from serving.scoring.risk_list import MOST_ROWS, Filters

        found = self._list()
        lines = found.page(Filters(waiting=None), size=min(MOST_ROWS, max(1, len(found)))).lines
        held = [line for line in lines if line.unit_code and line.official_id]
        if not held:
            raise ValueError("no open dossier names its unit and who holds it")
        unit = Counter(line.unit_code for line in held).most_common(1)[0][0]
        here = [line.official_id for line in held if line.unit_code == unit]
        named = [one for one in here if one in names] or here
        return str(unit), str(Counter(named).most_common(1)[0][0])

    def _inspect(self) -> None:
        today = datetime.now(self._settings.zone)
        months = [today.replace(day=1)]
        if today.day <= EARLY:
            months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
        for first in months:
            self._plan(first.replace(hour=0, minute=0, second=0, microsecond=0))

    def _plan(self, first: datetime) -> None:
        """The plan of a month from what was known when it began, approved; findings of visits whose hour has come."""
        from features.record.record import Record
        from serving.cli.plan import plan_store
        from serving.plan.eligibility import Infeasible
        from serving.plan.gather import gather

        settings, now = self._settings, datetime.now(UTC)
        month = f"{first:%Y-%m}"
        cutoff = min(first, self._as_of)
        scores = self._score(cutoff)
        record = Record(settings.record_url)
        store = plan_store(settings)
        plan_id, _ = store.commit(month, now)
        sealed = None
        for rules in RULES:
            with record.connect(cutoff=cutoff) as con:
                brief = gather(con, scores, month, VIETNAM, rules, settings.zone)
            try:
                sealed = store.seal(plan_id, brief, now)
            except Infeasible as refusal:
                self._say("; ".join(one.vi for one in refusal.unmet))
            else:
                break
        if sealed is None:
            raise ValueError("no plan keeps all quotas in so small a province")
        detail = {"plan": plan_id, "sha256": store.seal_of(plan_id)}
        self._act("leader", "plan.approve", lambda *_: detail, [f"plan:{plan_id}"])
        self._say(f"kế hoạch {plan_id}: {len(sealed.plan['visits'])} cuộc, đã niêm phong và duyệt")
        begun = sorted(store.visits(plan_id, now), key=lambda one: (one["by"] == "own_head", one["at"]))
        self._findings(begun[:VISITS])

    def _score(self, as_of: datetime) -> Path:
        """The list of an earlier moment, which is not the one that is served."""
        from serving.scoring.batch import score_record
        from serving.work.witnessed_files import digests, tell

        _, scores = score_record(self._settings, as_of, VIETNAM, latest=False)
        tell(self._settings, digests(self._settings.home, [scores]), now=datetime.now(UTC))
        return scores

    def _findings(self, visits: list[dict[str, Any]]) -> None:
        from features.record.record import Record
        from serving.plan.sampled_dossiers import pulled_at
        from serving.work import findings, remediation

        late = self._tracked().late
        demanded = False
        for visit in visits:
            for number, line in enumerate(visit["sheet"][:PULLED]):
                key = line["dossier_id"]
                found = (
                    findings.Conclusion(LATE, 1, True, "Nhật ký xử lý của hồ sơ, đối chiếu tại chỗ", "workload")
                    if key in late
                    else findings.Conclusion("extra_papers", 1, None, "Phiếu yêu cầu bổ sung lưu trong hồ sơ")
                    if number == 3
                    else findings.Conclusion("none")
                )

                def record_finding(
                    session: "Session", by: int, now: datetime, visit: dict[str, Any] = visit, key: str = key,
                    found: findings.Conclusion = found,
                ) -> Mapping[str, Any]:  # fmt: skip
                    findings.add(session, pulled_at(visit, key), found, now=now, by=by)
                    return {"visit": visit["visit_id"], "dossier": key, "kind": found.kind}

                about = [f"dossier:{key}", f"visit:{visit['visit_id']}"]
                self._act("inspector", "finding.write", record_finding, about)
                if found.kind != "none" and not demanded:
                    demanded = True
                    name = f"{visit['visit_id']}/{key}"
                    until = (datetime.now(self._settings.zone) + timedelta(days=14)).date()

                    def demand(
                        session: "Session", by: int, now: datetime, name: str = name, until: date = until
                    ) -> Mapping[str, Any]:
                        what = "Niêm yết lại thành phần hồ sơ, hẹn trả đúng hạn"
                        remediation.demand(session, name, what, until, now=now, by=by)
                        return {"finding": name, "until": until.isoformat()}

                    self._act("inspector", "remedy.write", demand)
        findings.deliver(self._state, Record(self._settings.record_url), now=datetime.now(UTC))
        self._say(f"kết quả của {len(visits)} cuộc kiểm tra")

    def _warn(self) -> None:
        """The list of a day before, then today's: what stands above the threshold in both is told to heads."""
        from serving.jobs.conduct_digest import take_turn
        from serving.warnings.rules import WarningRules

        rules, now = WarningRules.from_toml(self._settings.warnings), datetime.now(UTC)
        before = self._as_of - timedelta(days=1)
        self._score(before)
        for moment in (before + timedelta(hours=1), now):
            done, _ = take_turn(self._settings, self._state, rules, now=moment)
        if done.fired is not None:
            self._say(f"{done.fired.single} cảnh báo cho người đứng đầu")

    def _tracked(self) -> "Tracked":
        from features.record.record import Record
        from serving.work.trackers import read_tracked

        record = Record(self._settings.record_url)
        return read_tracked(record, self._state, VIETNAM, datetime.now(UTC))

    def _answer(self) -> None:
        """One explanation given and accepted, one waiting; one letter of apology sent; the first complaint answered."""
        from serving.access.permissions import Scope
        from serving.state import Account, Apology, ExplanationSlip
        from serving.work import annotations, apologies, explanations

        tracked = self._tracked()
        with self._state.reading() as session:
            head = session.get_one(Account, self._who["unit_head"][0])
            person = session.get_one(Account, self._who["official"][0]).official_id
            unit, now = head.unit_code, datetime.now(UTC)
            open_slips = explanations.explanations(session, Scope(frozenset({unit})), now, state="open")
            mine = [one.slip.id for one in open_slips if one.slip.official_id == person]
            slips = (mine or [one.slip.id for one in open_slips])[:2]
        for number, slip_id in enumerate(slips):

            def explain(session: "Session", by: int, now: datetime, slip_id: int = slip_id) -> Mapping[str, Any]:
                slip = session.get_one(ExplanationSlip, slip_id)
                explanations.explain(
                    session, slip, "workload", "Trong tuần có nhiều hồ sơ cùng đến hạn", now=now, by=by
                )
                return {"slip": slip_id, "dossier": slip.dossier_id, "cause": "workload"}

            def accept(session: "Session", by: int, now: datetime, slip_id: int = slip_id) -> Mapping[str, Any]:
                slip = session.get_one(ExplanationSlip, slip_id)
                explanations.review(session, slip, "accepted", "Đã phân thêm người hỗ trợ", now=now, by=by)
                return {"slip": slip_id, "dossier": slip.dossier_id, "outcome": "accepted"}

            self._act("official", "explanation.write", explain)
            if number == 0:
                self._act("unit_head", "explanation.review", accept)
        owed = [one.case for one in tracked.apologies if one.sent_at is None]
        for case in [*(one for one in owed if one.unit_code == unit), *owed][:1]:

            def apologise(session: "Session", by: int, now: datetime, case: Any = case) -> Mapping[str, Any]:
                new_day = now + timedelta(days=5)
                letter = apologies.draft(
                    session, case.dossier_id, case.unit_code, case.due_at, new_day,
                    "Hồ sơ phải xác minh thực địa lâu hơn dự kiến", now=now, by=by,
                )  # fmt: skip
                apologies.send(session.get_one(Apology, letter.id), now=now, by=by)
                return {"dossier": case.dossier_id, "new_due_at": new_day.isoformat()}

            self._act("unit_head", "apology.write", apologise, [f"dossier:{case.dossier_id}"])
        for complaint in [one for one in tracked.complaints if one.unit_code][:1]:

            def answer(session: "Session", by: int, now: datetime, complaint: Any = complaint) -> Mapping[str, Any]:
                words = "Đã làm việc với người phản ánh và trả lời bằng văn bản"
                annotations.add_mark(
                    session, complaint.subject, complaint.unit_code, "handled", "done", words, now=now, by=by
                )
                return {"subject": complaint.subject, "field": "handled", "value": "done"}

            self._act("inspector", "mark.write", answer, [complaint.subject])

    def _report(self) -> None:
        """The last month's report of the head's unit, and what could be published, not yet approved."""
        from features.record.record import Record
        from serving.reports import publication
        from serving.reports.make import make_again

        record, now = Record(self._settings.record_url), datetime.now(UTC)
        month = f"{datetime.now(self._settings.zone).replace(day=1) - timedelta(days=1):%Y-%m}"
        inspector = self._who["inspector"][0]
        make_again(record, self._state, "unit", month, now, VIETNAM, now=now, unit_code=self._unit, by=inspector)

        def propose(session: "Session", by: int, now: datetime) -> Mapping[str, Any]:
            reason = "Kết quả theo dõi hằng tháng, đề nghị công bố trên Cổng"
            pack = publication.propose(record, session, month, now, VIETNAM, reason, by=by, now=now)
            return {"pack": pack.id, "month": month, "sha256": pack.sha256}

        self._act("inspector", "publication.propose", propose)
