"""Chances for the signals of people and units: small populations in which one of six does what a rule looks for.

Each draw gives the rows of one chance: whose it is (1 to 6), the how-manieth, and whether the rule is met in it. All
names carry the population's, so that many populations stand in one record and only their own six are peers.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from features.sources.petition import ANSWER

Rows = dict[str, list[dict[str, Any]]]
Draw = Callable[[str, int, int, bool], Rows]

MONDAY = datetime(2026, 3, 9, 1, tzinfo=UTC)  # 8 o'clock in Hà Nội
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
PEERS = 6


def course(where: str, who: int, number: int, told: str, *, due: float = 14, received: float = 0, **more: Any) -> Rows:
    """A dossier of `where` received on a Monday plus `number` days modulo 10 and `received`.

    `told`: `day kind official [unit]` apart by `;`, days counted from receipt; official `-` is nobody.
    """
    key = f"{where}-{who}-{number}"
    begin = MONDAY + timedelta(days=number % 5 + 7 * (number % 2) + received)
    events = []
    for line in told.split(";"):
        day, kind, official, *rest = line.split()
        events.append(
            {"dossier_id": key, "kind": kind, "happened_at": begin + timedelta(days=float(day)), "step": kind}
            | ({} if official == "-" else {"official_id": f"{where}-{official}"})
            | {"unit_code": f"{where}-U{who}"}
            | dict(part.split("=", 1) for part in rest)
        )
    dossier = {
        "dossier_id": key, "procedure_code": where, "unit_code": f"{where}-U{who}", "received_at": begin,
        "due_at": begin + timedelta(days=due),
    } | more  # fmt: skip
    return {"dossier": [dossier], "event": events}


def slow(where: str, who: int, number: int, hit: bool) -> Rows:
    """Assigned, in hand for 21 days past a promise of 14, or for one."""
    until = 21 if hit else 1
    return course(where, who, number, f"0.01 assigned o{who}; {until} forwarded boss; {until + 0.1} decided boss")


def held(where: str, who: int, number: int, hit: bool) -> Rows:
    """Still in hand since March, or since the last days of May; and one more that went as usual."""
    usual = course(where, who, number + 1000, f"0.01 assigned o{who}; 13 forwarded boss; 13.1 decided boss")
    still = course(where, who, number, f"0.01 assigned o{who}", received=0 if hit else 72)
    return {name: usual[name] + still[name] for name in usual}


def waits(where: str, who: int, number: int, hit: bool) -> Rows:
    """Open since March with a term of seven days, or of a hundred; and one that is set aside, so nobody's backlog."""
    rows = course(where, who, number, "0.01 assigned boss", due=7 if hit else 100)
    if number == 0:
        aside = course(where, who, 3000, "-1 decided boss; 0.01 assigned boss", due=7)
        rows = {name: rows[name] + aside[name] for name in rows}
    return rows


def asked_by_several(where: str, who: int, number: int, hit: bool) -> Rows:
    """A second request for papers, by another official or by the same."""
    other = "p2" if hit else "p1"
    return course(where, who, number, f"1 papers_requested p1; 2 papers_supplied -; 3 papers_requested {other}")


def under_another(where: str, who: int, number: int, hit: bool) -> Rows:
    """A request for papers under an account that never had the dossier, or under that of who has it."""
    account = "x" if hit else "o"
    told = f"0.01 assigned o{who}; 1 papers_requested {account}{who}; 2 papers_supplied o{who}; 3 decided boss"
    return course(where, who, number, told)


def with_agent(where: str, who: int, number: int, hit: bool) -> Rows:
    """An agent's dossier settled in a day while eight earlier ones wait, or where none waits."""
    place = f"{where}-UH" if hit else f"{where}-U{who}"
    rows = course(where, who, number, f"0.01 assigned o{who}; 1 decided o{who}", received=20,
                  agent_id=f"{where}-a{who}", unit_code=place)  # fmt: skip
    if hit and number == 0:
        for waiting in range(8):
            more = course(where, who, 2000 + waiting, "0.01 assigned boss", received=-10, unit_code=place)
            rows = {name: rows[name] + more[name] for name in rows}
    return rows


def agent_at_half(where: str, who: int, number: int, hit: bool) -> Rows:
    """With an agent in a quarter of a day, or in five as the official's other dossiers take."""
    own = course(where, who, number + 1000, f"0.01 assigned o{who}; 5 decided boss")
    until = 0.15 if hit else 5
    theirs = course(where, who, number, f"0.01 assigned o{who}; {until} decided boss", agent_id=f"{where}-a")
    return {name: own[name] + theirs[name] for name in own}


def found(where: str, who: int, number: int, hit: bool) -> Rows:
    """An inspection with a confirmed finding, or one that found nothing."""
    at = MONDAY + timedelta(days=number)
    visit = f"{where}-{who}-{number}"
    finding = {
        "finding_id": visit, "inspection_id": visit, "official_id": f"{where}-o{who}", "confirmed": hit,
        "kind": "harassment" if hit else "none", "confirmed_at": at + timedelta(days=2),
    }  # fmt: skip
    return {
        "inspection": [{"inspection_id": visit, "unit_code": f"{where}-U{who}", "visited_at": at}],
        "finding": [finding],
    }


def found_twice_in_one_visit(where: str, who: int, number: int, hit: bool) -> Rows:
    """The near miss of a second confirmed finding: both are of the same visit."""
    rows = found(where, who, number, hit)
    if hit:
        rows["finding"] = [row | {"finding_id": f"{row['finding_id']}-{n}"} for row in rows["finding"] for n in "ab"]
    return rows


def complaint(where: str, who: int, number: int, hit: bool) -> Rows:
    """A complaint answered three days after or before its term."""
    at = MONDAY + timedelta(days=number)
    due = at + timedelta(days=21)
    row = {
        "complaint_id": f"{where}-{who}-{number}", "filed_at": at, "unit_code": f"{where}-U{who}", "due_at": due,
        "answered_at": due + timedelta(days=3 if hit else -3), "topic": "procedure",
    }  # fmt: skip
    return {"complaint": [row]}


def silent(where: str, who: int, number: int, hit: bool) -> Rows:
    """A complaint about somebody at work: the first official's are all old but for the hits, a third of others' new."""
    new = hit if who == 1 else number % 3 == 0
    at = AS_OF - timedelta(days=5 + 2 * number if new else 130 + 5 * number)
    told = {
        "complaint_id": f"{where}-{who}-{number}", "filed_at": at, "known_at": at, "unit_code": f"{where}-U{who}",
        "official_id": f"{where}-o{who}", "complainant_id": f"{where}-{who}-{number}", "topic": "conduct",
    }  # fmt: skip
    at_work = course(where, who, number, f"0.01 assigned o{who}; 1 decided boss", received=60)
    return at_work | {"complaint": [told]}


def answered_alike(where: str, who: int, number: int, hit: bool) -> Rows:
    """An answer in the one sentence, or in words of its own."""
    rows = complaint(where, who, number, False)
    own = "".join(chr(ord("a") + int(digit)) for digit in f"{who}{number:03d}")
    reply = f"Đơn vị đã tiếp nhận phản ánh số {number}." if hit else f"Về việc của {own}, hồ sơ đã được trả."
    rows["complaint"][0]["text"] = f"Chờ quá lâu.{ANSWER}{reply}"
    return rows


def rated(where: str, who: int, number: int, hit: bool) -> Rows:
    """Rated after the result with 1 or with 5."""
    rows = course(where, who, number, f"0.01 assigned o{who}; 1 decided boss")
    at = rows["event"][-1]["happened_at"] + timedelta(days=1)
    key = rows["dossier"][0]["dossier_id"]
    return rows | {"rating": [{"rating_id": key, "dossier_id": key, "score": 1 if hit else 5, "rated_at": at}]}


def consulted(where: str, who: int, number: int, hit: bool) -> Rows:
    """Asked for a view within five days, given after nine or after three."""
    asked = course(where, who, number, f"1 consulted o{who} to_unit_code={where}-V{who}")
    asked["event"][0]["step_due_at"] = asked["event"][0]["happened_at"] + timedelta(days=5)
    answer = asked["event"][0] | {"kind": "consultation_answered", "unit_code": f"{where}-V{who}"}
    answer |= {"to_unit_code": None, "step_due_at": None, "official_id": None}
    answer["happened_at"] = asked["event"][0]["happened_at"] + timedelta(days=9 if hit else 3)
    return asked | {"event": [*asked["event"], answer]}


def unexplained(where: str, who: int, number: int, hit: bool) -> Rows:
    """A late dossier, without an explanation or with one."""
    rows = course(where, who, number, f"0.01 assigned o{who}; 21 decided boss", due=7)
    if not hit:
        explained = {"dossier_id": rows["dossier"][0]["dossier_id"], "cause": "workload"}
        rows["explanation"] = [explained | {"given_at": rows["event"][-1]["happened_at"] + timedelta(days=2)}]
    return rows | headed(where, who)


def alike(where: str, who: int, number: int, hit: bool) -> Rows:
    """An explanation: the citizen, as always, or one cause after the other."""
    rows = unexplained(where, who, number, False)
    causes = ("citizen", "consultation", "system", "law", "workload")
    rows["explanation"][0]["cause"] = "citizen" if hit else causes[number % 5]
    return rows


def reset(where: str, who: int, number: int, hit: bool) -> Rows:
    """The promise set anew by the head, or by somebody else."""
    by = f"head{who}" if hit else f"o{who}"
    rows = course(where, who, number, f"0.01 assigned o{who}; 3 reset {by}; 5 decided boss")
    rows["event"][1]["due_at"] = rows["dossier"][0]["due_at"] + timedelta(days=9)
    return rows | headed(where, who)


def alert(where: str, who: int, number: int, hit: bool) -> Rows:
    """An alert to the head, never acknowledged or on the next day."""
    at = MONDAY + timedelta(days=number)
    row = {"unit_code": f"{where}-U{who}", "sent_at": at, "acknowledged_at": None if hit else at + timedelta(days=1)}
    return {"alert": [row]} | headed(where, who)


def headed(where: str, who: int) -> Rows:
    """The head of the unit, in office since before."""
    since = MONDAY - timedelta(days=400)
    return {
        "official": [{
            "official_id": f"{where}-head{who}", "unit_code": f"{where}-U{who}", "is_head": True, "valid_from": since
        }]
    }  # fmt: skip


def population(where: str, draw: Draw, hits: int, chances: int) -> Rows:
    """Six with so many chances each; the first of them meets the rule in `hits`, the others never."""
    rows: Rows = {}
    for who in range(1, PEERS + 1):
        for number in range(chances):
            for table, told in draw(where, who, number, who == 1 and number < hits).items():
                rows.setdefault(table, []).extend(told)
    return rows
