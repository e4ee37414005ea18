"""Rows whose receipts hold their digests, so that a row changed behind the service's back is named.

Every receipt carries, under `rows`, a keyed digest of each row that its transaction wrote. The last digest told of a
row is what the row must still have. Columns that the service itself fills in later, without anybody's act, are left
out.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session, UOWTransaction

from serving.state import (
    Account,
    ApiToken,
    Apology,
    CaseAssignment,
    Contest,
    Decision,
    ExplanationAct,
    Finding,
    FindingPhoto,
    Mark,
    PublicationPack,
    Remediation,
    RemediationAct,
    ReportText,
    TeamLead,
    WarningRuleSet,
)
from serving.state.base import Base
from serving.state.canonical_json import canonical

WITNESSED: Mapping[type[Base], frozenset[str]] = {
    Account: frozenset(),
    ApiToken: frozenset(),
    Apology: frozenset(),
    CaseAssignment: frozenset(),
    Contest: frozenset({"recomputed_score"}),
    Decision: frozenset(),
    ExplanationAct: frozenset({"delivered_at"}),
    Finding: frozenset({"delivered_at"}),
    FindingPhoto: frozenset({"content"}),  # its sha256 stands beside it
    Mark: frozenset(),
    PublicationPack: frozenset(),
    Remediation: frozenset(),
    RemediationAct: frozenset(),
    ReportText: frozenset(),
    TeamLead: frozenset(),
    WarningRuleSet: frozenset(),
}
"""Table → columns that the digests in receipts leave out."""

_BY_NAME = {table.__tablename__: table for table in WITNESSED}
GONE = ""
"""Stands for the digest of a row that was taken away."""


@event.listens_for(Session, "after_flush")
def _note(session: Session, _: UOWTransaction) -> None:
    """Remembers which witnessed rows this transaction wrote."""
    written = session.info.setdefault("written_rows", {})
    for one in (*session.new, *session.dirty, *session.deleted):
        if type(one) in WITNESSED:
            written[f"{one.__tablename__}:{one.id}"] = None


def written_rows(session: Session, key: bytes) -> dict[str, str]:
    """Row (`table:id`) → digest, of the rows that the session wrote and none of its receipts names yet."""
    session.flush()
    written = session.info.pop("written_rows", {})
    door = session.connection()
    return {name: _digest_of(door, name, key) for name in sorted(written)}


def all_rows(door: Connection, key: bytes) -> Iterator[tuple[str, str]]:
    """Row (`table:id`) and digest, of every witnessed row that is there now."""
    for name, table in _BY_NAME.items():
        for row in door.execute(_columns(table)):
            yield f"{name}:{row.id}", _digest(name, row, key)


def changed_rows(door: Connection, key: bytes, witnessed: Mapping[str, tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The rows that differ from their last receipt, as (number of that receipt, what is wrong).

    witnessed: row → number of the last receipt that names it, and the digest given there.
    """
    found = dict(all_rows(door, key))
    for name in sorted(found.keys() - witnessed.keys()):
        yield 0, f"{name} is told of by no receipt"
    for name, (seq, text) in witnessed.items():
        present = found.get(name, GONE)
        if not hmac.compare_digest(present, text):
            lost = "is gone" if present == GONE else "is not what this receipt told: it was changed since"
            yield seq, f"{name} {lost}"


def _digest_of(door: Connection, name: str, key: bytes) -> str:
    table = _BY_NAME[name.partition(":")[0]]
    row = door.execute(_columns(table).where(table.__table__.c.id == int(name.partition(":")[2]))).first()
    return GONE if row is None else _digest(table.__tablename__, row, key)


def _columns(table: type[Base]) -> Any:
    return select(*(column for column in table.__table__.columns if column.name not in WITNESSED[table]))


def _digest(name: str, row: Any, key: bytes) -> str:
    body = canonical({"table": name, **{column: _plain(value) for column, value in row._mapping.items()}})
    return hmac.new(key, b"row:" + body, hashlib.sha256).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else value
