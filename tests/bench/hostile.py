"""`requests`: requests drawn over all routes, bodies and roles; none may be answered by a 5xx."""

import dataclasses
import enum
import json
import random
import re
import string
import traceback
import typing
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import typer

from serving.cli.group import settings_of
from serving.settings import Settings
from tests.bench.group import Card, bench, tell
from tests.bench.section import Figure, Section

HOSTILE: tuple[Any, ...] = (
    "", " ", "\x00", "\x00never seen", "%00", "../../etc/passwd", "'; DROP TABLE finding; --", "<script>x</script>",
    "=cmd|' /C calc'!A0", "𝔘" * 600, "a" * 20_000, "\u202e\u0301", "null", "NaN", "-1", "0", "1e400", "9" * 400,
    "2026-13", "0000-00", "9999-12", "2026-02-30", "9999-12-31T23:59:59.999999-14:00", "1-01-01T00:00:00+14:00",
    "2026-02-01", "infinity", "*", "{}", "[]", "on", "\r\nX-Evil: 1", "%", "%c0%af", "\ud800",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, 1, 2, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf"), 0.5,
)  # fmt: skip
READY = "GET /api/v1/ready"
KINDS = ("form", "multipart", "json", "raw", "none", "deep")


@dataclass(frozen=True)
class Seat:
    """One who asks. headers: what shows who it is; csrf: the key of the forms, empty for a token."""

    role: str
    headers: Mapping[str, str]
    csrf: str = ""


@dataclass
class Answers:
    """How requests were answered: by role and status; faults: what got a 5xx, and by which exception.

    not_ready: the 503 with which `READY` says that a promise is broken.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    not_ready: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.statuses.values())


@dataclass(frozen=True)
class Slot:
    """One value that a route takes. place: query, header, form or json; choices: what is documented for it."""

    name: str
    place: str
    choices: tuple[Any, ...] = ()
    file: bool = False


@bench.command("requests")
def requests(
    ctx: typer.Context,
    card: Card = None,
    count: Annotated[int, typer.Option(help="Requests.", min=1)] = 10_000,
    dossiers: Annotated[int, typer.Option(help="Size of the made-up province.", min=400)] = 1_200,
    seed: int = 1,
) -> None:
    """Requests over every route, method and body, by every role, by session and by token; a 5xx fails."""
    from tests.bench.installation import install

    with TemporaryDirectory(prefix="risk-requests-") as folder:
        there = install(settings_of(ctx), Path(folder), dossiers)
        answers = drawn_requests(there, count, seed)
    for fault in answers.faults[:50]:
        typer.echo(fault, err=True)
    tell([section(answers, count)], card)


def section(answers: Answers, count: int) -> Section:
    """The figures of a campaign."""
    by_hundred = Counter[int]()
    for (_, status), number in answers.statuses.items():
        by_hundred[status // 100] += number
    figures = [Figure(f"answered {hundred}xx", "", [number]) for hundred, number in sorted(by_hundred.items())]
    roles = Counter[str]()
    for (role, _), number in answers.statuses.items():
        roles[role] += number
    figures += [Figure(f"asked by {role}", "", [number]) for role, number in sorted(roles.items())]
    figures += [
        Figure("requests", "", [answers.total], None, f"at least {count:,}", answers.total >= count),
        Figure("routes asked", "", [len(answers.routes)], None, "all", len(answers.routes) == len(_rules())),
        Figure("503 of /ready: a promise is broken", "", [answers.not_ready]),
        Figure("other 5xx", "", [len(answers.faults)], None, "0", not answers.faults),
    ]
    return Section("Requests over all routes, bodies and roles", "Drawn by `tests/bench/hostile.py`.", figures)


def drawn_requests(settings: Settings, count: int, seed: int, now: datetime | None = None) -> Answers:
    """Asks the app over an installation; every route at least once where `count` allows it."""
    from fastapi.testclient import TestClient

    from serving.access.route_table import templates
    from serving.app import create_app

    moment = now or datetime.now(UTC)
    app = create_app(settings, now=lambda: moment, poll_seconds=3600)
    chance, answers = random.Random(seed), Answers()
    raised: list[BaseException] = []
    with ExitStack() as stack:
        client = stack.enter_context(
            TestClient(_Heard(app, raised), raise_server_exceptions=False, follow_redirects=False)
        )
        app.state.context.refresh()
        known = _known_values(app)
        routes = {f"{method} {one.path}": one.route for one in templates(app) for method in one.methods}
        rules = [rule for rule in _rules() if rule in routes]
        # a command that would start a process of its own is asked, and not run
        stack.enter_context(patch("subprocess.Popen", side_effect=OSError("no processes in this campaign")))
        seats: list[Seat] = []
        for number in range(count):
            if number % 100 == 0:
                seats = _seats(app, moment, number // 100)
            rule = rules[number % len(rules)] if number < 2 * len(rules) else chance.choice(rules)
            seat = chance.choice(_entitled(rule, seats) if chance.random() < 0.7 else seats)
            words = _request(chance, rule, _slots(routes[rule]), seat, known)
            raised.clear()
            answer = client.request(**words)
            answers.statuses[seat.role, answer.status_code] += 1
            answers.routes[rule] += 1
            if answer.status_code == 503 and rule == READY:
                answers.not_ready += 1  # its documented answer: what is made up is old by the time it is asked
            elif answer.status_code >= 500:
                why = (
                    "".join(traceback.format_exception_only(raised[-1])).strip()[:300] if raised else answer.text[:200]
                )
                where = traceback.extract_tb(raised[-1].__traceback__)[-1] if raised else None
                at = f" at {Path(where.filename).name}:{where.lineno}" if where else ""
                told = {key: str(value)[:150] for key, value in words.items() if key not in ("headers", "method")}
                answers.faults.append(f"{answer.status_code} {rule} by {seat.role}: {why}{at} | {told}")
    return answers


class _Heard:
    """The app, with what it raises written down before the client swallows it."""

    def __init__(self, app: Any, raised: list[BaseException]) -> None:
        self._app, self._raised = app, raised

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._raised.append(error)
            raise


def _why(error: BaseException) -> str:
    """The exception and the last three places of ours that it came through."""
    ours = [one for one in traceback.extract_tb(error.__traceback__) if "site-packages" not in one.filename]
    at = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in ours[:-4:-1])
    return "".join(traceback.format_exception_only(error)).strip()[:300] + f" at {at}"


def _rules() -> list[str]:
    from serving.access.route_table import ROUTES

    return sorted(ROUTES)


@cache
def _hashed() -> str:
    from serving.access.passwords import hash_password

    return hash_password("Sông Hồng chảy qua 36 phố", "nobody")  # once: a hash is dear by design


def _seats(app: Any, now: datetime, turn: int) -> list[Seat]:
    """A session and a token of each role, in a unit where the role is of one; and nobody."""
    from serving.access.account import add_account
    from serving.access.permissions import GRANTS, IN_PERSON, Role, reach_of
    from serving.access.session import find_session, start_session
    from serving.access.token import issue_token
    from serving.use_cases.guard import COOKIE

    people, register = app.state.context.people, app.state.context.read_model.register
    official, unit = next(iter(register.officials.items()), (None, next(iter(register.units))))
    found = [Seat("nobody", {}), Seat("nobody", {"Authorization": "Bearer risk_nonsense"})]
    with people.state.writing() as session:
        for role in Role:
            login = f"{role.value}.{turn}"  # an account anew: the last one may have been closed by the administrator
            in_unit = role in (Role.UNIT_HEAD, Role.OFFICIAL)
            with patch("serving.access.account.hash_password", lambda *_: _hashed()):
                account = add_account(
                    session, login, "Máy", role, now=now, unit_code=unit if in_unit else "*",
                    official_id=official if role is Role.OFFICIAL else None, password="Sông Hồng chảy qua 36 phố",
                )  # fmt: skip
            actions = frozenset(action for action in GRANTS if reach_of(role, action) and action not in IN_PERSON)
            bearer = issue_token(session, account, "campaign", actions, now=now, expires_at=now + timedelta(days=9))
            secret = start_session(session, account, now=now)
            session.flush()
            csrf = getattr(find_session(session, secret, now=now), "csrf", "")
            found.append(Seat(role.value, {"Authorization": f"Bearer {bearer}"}))
            found.append(Seat(role.value, {"Cookie": f"{COOKIE}={secret}"}, csrf))
    return found


def _entitled(rule: str, seats: Sequence[Seat]) -> Sequence[Seat]:
    """Those whose role may do it, so that what stands behind the rights is met; all where nobody may."""
    from serving.access.permissions import Role, reach_of
    from serving.access.route_table import ROUTES

    may = [one for one in seats if one.role in set(Role) and reach_of(Role(one.role), ROUTES[rule]) is not None]
    return may or seats


def _known_values(app: Any) -> dict[str, tuple[str, ...]]:
    """Values that lead somewhere: ids of the record, by what their names hold."""
    context = app.state.context
    latest = context.serving.lists["lateness"].value
    dossiers = tuple(map(str, latest.table["dossier_id"].to_pylist()[:40])) if hasattr(latest, "table") else ()
    register = context.read_model.register
    with context.trackers.record.connect() as con:
        procedures = tuple(row[0] for row in con.execute("SELECT procedure_code FROM procedure LIMIT 9").fetchall())
        dossiers = dossiers or tuple(
            row[0] for row in con.execute("SELECT dossier_id FROM dossier LIMIT 40").fetchall()
        )
    month = context.people.now() - timedelta(days=40)
    return {
        "dossier": dossiers, "official": tuple(register.officials)[:20], "unit": tuple(register.units)[:20],
        "procedure": procedures, "month": (f"{month:%Y-%m}",), "as_of": (context.people.now().isoformat(),),
        "id": tuple("123"), "kind": ("centre", "unit", "mission", "official", "harassment", "pick", "dismiss"),
        "ending": ("xlsx", "docx", "csv", "parquet"), "source": ("canonical", "dvcqg", "table"),
    }  # fmt: skip


def _slots(route: Any) -> list[Slot]:
    """What a route takes, of itself and of what it depends on."""
    found: list[Slot] = []

    def look(dependant: Any) -> None:
        for place in ("query", "header"):
            for one in getattr(dependant, f"{place}_params"):
                found.append(Slot(one.alias, place, _choices(one.field_info.annotation)))
        for one in dependant.body_params:
            kind = one.field_info.annotation
            shape = next((part for part in (kind, *typing.get_args(kind)) if dataclasses.is_dataclass(part)), None)
            if shape is not None:
                hints = typing.get_type_hints(shape)
                found.extend(Slot(name, "json", _choices(hint)) for name, hint in hints.items())
            elif hasattr(kind, "model_fields"):
                found.extend(Slot(name, "json", _choices(of.annotation)) for name, of in kind.model_fields.items())
            else:
                form = "Form" in type(one.field_info).__name__ or "File" in type(one.field_info).__name__
                found.append(Slot(one.alias, "form" if form else "json", _choices(kind), "UploadFile" in str(kind)))
        for one in dependant.dependencies:
            look(one)

    look(route.dependant)
    return found


def _choices(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(one.value for one in kind)
    if kind is bool:
        return ("true", "false")
    return tuple(choice for part in typing.get_args(kind) for choice in _choices(part))


def _value(chance: random.Random, slot: Slot, known: Mapping[str, Sequence[str]], text: bool) -> Any:
    """A documented or known value in two of three cases, else whatever comes."""
    if chance.random() < 0.67:
        if slot.choices:
            return chance.choice(slot.choices)
        for word, values in known.items():
            if word in slot.name and values:
                return chance.choice(values)
        if not text and chance.random() < 0.5:
            return chance.choice([1, True, None, 12.5, "2026-02-10T08:00:00+07:00"])
        return chance.choice(["đã đối chiếu hồ sơ", "1", "2026-02-10T08:00:00+07:00", "k" * 32, "true"])
    drawn = chance.choice(HOSTILE + (() if text else (*NUMBERS, None, True, [], {}, [{}], ["a", 1])))
    return drawn.encode("utf-8", "replace").decode() if text and isinstance(drawn, str) else drawn


def _request(
    chance: random.Random, rule: str, slots: Sequence[Slot], seat: Seat, known: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    method, path = rule.split(" ", 1)
    for whole, name in re.findall(r"(\{(\w+)(?::\w+)?\})", path):
        path = path.replace(whole, quote(str(_value(chance, Slot(name, "query"), known, True))[:300], safe="/"))
    if chance.random() < 0.04:
        method = chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    headers = dict(seat.headers)
    if chance.random() < 0.2:
        headers["Accept"] = chance.choice(["application/json", "text/html", "*/*", "nonsense"])
    if chance.random() < 0.1:
        headers["HX-Request"] = "true"
    taken = [slot for slot in slots if chance.random() < 0.9]
    query = [(slot.name, str(_value(chance, slot, known, True))) for slot in taken if slot.place == "query"]
    if chance.random() < 0.1:
        query.append((chance.choice(["page", "size", "sort", "x"]), str(chance.choice(HOSTILE[:25]))))
    for slot in taken:
        if slot.place == "header" and slot.name.lower() != "authorization":
            drawn = chance.choice(["k" * 30, "".join(chance.choices(string.ascii_lowercase, k=30)), "x", ""])
            headers[slot.name] = drawn
    words: dict[str, Any] = {"method": method, "url": path + (f"?{urlencode(query)}" if query else "")}
    if method not in ("GET", "HEAD", "OPTIONS"):
        words |= _body(chance, [slot for slot in taken if slot.place in ("form", "json")], seat, known, headers)
    return words | {"headers": headers}


def _body(
    chance: random.Random, slots: Sequence[Slot], seat: Seat, known: Mapping[str, Sequence[str]],
    headers: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    wanted = "json" if any(slot.place == "json" for slot in slots) or not seat.csrf else "form"
    kind = wanted if chance.random() < 0.8 else chance.choice(KINDS)
    if kind == "form" and any(slot.file for slot in slots):
        kind = "multipart"
    if kind in ("form", "multipart"):
        form = {slot.name: _value(chance, slot, known, True) for slot in slots if not slot.file}
        if seat.csrf and chance.random() < 0.95:
            form["csrf"] = seat.csrf
        if chance.random() < 0.9:
            form.setdefault("key", "".join(chance.choices(string.ascii_lowercase, k=32)))
        if kind == "form":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return {"content": urlencode({name: str(value) for name, value in form.items()}).encode()}
        content = chance.choice([b"", b"a;b\n1;2\n", b"PK\x03\x04 no zip", b"\xff\xfe\x00", b"<x>" * 999, b"{}\n[]"])
        name = chance.choice(["a.csv", "a.xlsx", "a.zip", "../../x", "\u202e.json", "a.jsonl"])
        files = {slot.name: (name, content) for slot in slots if slot.file} or {"other": (name, content)}
        return {"data": {key: str(value) for key, value in form.items()}, "files": files}
    if kind == "none":
        return {}
    headers["Content-Type"] = chance.choice(
        ["application/json"] * 8 + ["text/plain", "application/x-www-form-urlencoded"]
    )
    if kind == "raw":
        return {"content": chance.choice([b"", b"{", b"\xff\xfe", b"\x00" * 99, b"null", b"[]", b"7", b'"x"'])}
    if kind == "deep":
        return {"content": b"[" * 5_000 + b"]" * 5_000}
    body = {slot.name: _value(chance, slot, known, False) for slot in slots if slot.place == "json"}
    if chance.random() < 0.2:
        body[chance.choice(["x_whatever", "as_of", "__class__"])] = chance.choice(NUMBERS)
    return {"content": json.dumps(body).encode()}
