"""Receipts: who saw which score when, who decided what; a chain that shows any later change.

Every receipt carries an HMAC-SHA256 over its own canonical JSON (RFC 8785: sorted keys, no spaces) and the
HMAC of the receipt before it, so an edited, removed, inserted or swapped row breaks the chain. What a chain
alone cannot show, that its end was cut off or that the whole database was put back to an older state, is
shown by two witnesses outside the database: the anchor, a file with the last link, and the heads, signed with
Ed25519 by the running service every hour and carried elsewhere (`serving.jobs.chain_heads`).
"""

import getpass
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from serving.state import Receipt, ReceiptSubject, ReceiptTail, State
from serving.state.canonical_json import canonical
from serving.state.engine import insert_once
from serving.work.chain_anchor import ChainHead, Link, Witness, silences
from serving.work.witnessed_rows import all_rows, changed_rows, written_rows

FIRST = Link(seq=0, mac="0" * 64)
"""What the first receipt follows."""

_RECEIPT = insert(cast(Table, Receipt.__table__))
_SUBJECT = insert(cast(Table, ReceiptSubject.__table__))
_TAIL = ReceiptTail.__table__.c
_READ_TAIL = select(_TAIL.seq, _TAIL.mac).where(_TAIL.id == 1).with_for_update()
_MOVE_TAIL = (
    update(cast(Table, ReceiptTail.__table__))
    .where(_TAIL.id == 1)
    .values(seq=bindparam("new_seq"), mac=bindparam("new_mac"))
)

_MOST_DETAIL = 20_000  # characters; a receipt names what was seen, it does not archive it
_STRIDE = 5_000
_ADOPTED_AT_ONCE = 300
_TELLS_OF_ROWS = select(Receipt.seq).where(Receipt.detail.contains('"rows":{')).limit(1)


def link_mac(key: bytes, seq: int, at: datetime, actor: str, action: str, detail: str, before: str) -> str:
    """HMAC-SHA256 (hex) of one receipt on top of the link `before` it."""
    body = canonical(
        {"action": action, "actor": actor, "at": at.astimezone(UTC).isoformat(), "detail": detail, "seq": seq}
    )
    return hmac.new(key, before.encode() + body, hashlib.sha256).hexdigest()


def command_actor() -> str:
    """Who acts by command: the account of the machine, which is no account of ours."""
    return f"lệnh:{getpass.getuser()}"[:120]


@dataclass(frozen=True)
class Fault:
    """One thing that verification found: at which receipt (0: none in particular) and what."""

    seq: int
    what: str


class Receipts:
    """The chain of one installation: `append` adds a link, `verify` walks all of them."""

    def __init__(self, state: State, witness: Witness) -> None:
        self._state = state
        self.witness = witness

    def append(
        self,
        session: Session,
        actor: str,
        action: str,
        detail: Mapping[str, Any],
        *,
        now: datetime,
        subjects: Iterable[str] = (),
    ) -> Link:
        """Add a receipt inside the transaction of what it is about, so that both happen or neither does.

        actor: the account's login. subjects: `kind:id` of what it speaks of ("dossier:H1", "official:ab12").
        The digests of the rows that the transaction wrote go into it (`serving.work.witnessed_rows`). The caller hands
        the link to `anchor` once the transaction is committed. ValueError over 20,000 characters of detail.
        """
        rows = written_rows(session, self.witness.key)
        text = canonical({**detail, "rows": rows} if rows else detail).decode()
        if len(text) > _MOST_DETAIL:
            raise ValueError(f"a receipt's detail holds {_MOST_DETAIL} characters, this one has {len(text)}")
        door = session.connection()
        tail = _locked_tail(door)
        seq = tail.seq + 1
        mac = link_mac(self.witness.key, seq, now, actor, action, text, tail.mac)
        receipt = {"seq": seq, "at": now, "actor": actor, "action": action, "detail": text, "mac": mac}
        door.execute(_RECEIPT, receipt)
        spoken_of = [{"subject": subject[:240], "seq": seq} for subject in sorted(set(subjects))]
        if spoken_of:
            door.execute(_SUBJECT, spoken_of)
        door.execute(_MOVE_TAIL, {"new_seq": seq, "new_mac": mac})
        return Link(seq, mac)

    def record(
        self,
        actor: str,
        action: str,
        detail: Mapping[str, Any],
        *,
        now: datetime,
        subjects: Iterable[str] = (),
    ) -> Link | None:
        """Add a receipt in a transaction of its own and anchor it: for what is only looked at.

        Where the state is away the look is spooled beside the anchor, for `unspool`, and None comes back.
        """
        subjects = list(subjects)
        try:
            with self._state.writing() as session:
                link = self.append(session, actor, action, detail, now=now, subjects=subjects)
        except OperationalError:
            self.witness.spool({"actor": actor, "action": action, "detail": detail, "subjects": subjects}, now)
            return None
        self.anchor(link)
        return link

    def unspool(self) -> int:
        """Bring what was looked at while the state was away into the chain, each with its own moment; gives how many.

        Nothing is lost when this is cut short: what was taken in is known by its place in the spool.
        """
        taken = 0
        for name, at, look in self.witness.spooled():
            mark = f"spool:{name}"
            with self._state.writing() as session:
                taken_in = session.scalar(select(ReceiptSubject.seq).where(ReceiptSubject.subject == mark).limit(1))
                if taken_in is None:
                    subjects = [*look["subjects"], mark]
                    link = self.append(
                        session, look["actor"], look["action"], look["detail"], now=at, subjects=subjects
                    )
            if taken_in is None:
                self.anchor(link)
                taken += 1
            self.witness.unspool(name)
        return taken

    def anchor(self, link: Link) -> None:
        """Note outside the database that the chain has come this far; only after the commit."""
        self.witness.anchor(link)

    def sign_head(self, *, now: datetime) -> ChainHead:
        """Sign the end of the chain now and keep it beside the keys, outside the database."""
        return self.witness.sign(self._tail(), now)

    def sign_due(self, *, now: datetime) -> ChainHead | None:
        """The same at the pace of the running service; None while it is not due."""
        return self.witness.sign_due(self._tail(), now)

    def adopt(self, *, now: datetime) -> int:
        """Write receipts for rows older than receipts of rows, once in the life of a chain; gives how many.

        From then on a row that no receipt names is a fault.
        """
        with self._state.writing() as session:
            if session.scalar(_TELLS_OF_ROWS) is not None:
                return 0
            found = sorted(all_rows(session.connection(), self.witness.key))
            link = None
            for start in range(0, len(found), _ADOPTED_AT_ONCE):
                rows = dict(found[start : start + _ADOPTED_AT_ONCE])
                link = self.append(session, "", "row.adopt", {"rows": rows}, now=now)
        if link is not None:
            self.anchor(link)
        return len(found)

    def verify(
        self,
        heads: Iterable[ChainHead] = (),
        *,
        now: datetime | None = None,
        stopped: Sequence[tuple[datetime, datetime]] = (),
    ) -> list[Fault]:
        """Everything that is wrong with the chain and with what its receipts name, oldest first; none: it is sound.

        heads: signed heads kept elsewhere, checked beside those in `RISK_HOME`. now: heads must have come at their
        pace from the first receipt until then; without it their pace is not asked for. stopped: stretches in
        which the service is known to have stood still. At most one fault is given for a broken link: the walk goes
        on from what is stored, so that a single edit is not reported a thousand times.
        """
        own = self.witness.heads()
        witnesses = [*own, *heads]
        faults = [
            Fault(head.link.seq, f"{head.name}: signature is not ours")
            for head in witnesses
            if not self.witness.signed(head)
        ]
        anchored = self.witness.anchored()
        if isinstance(anchored, str):
            faults.append(Fault(0, anchored))
            anchored = None
        wanted = [(head.name, head.link) for head in witnesses if self.witness.signed(head)]
        if anchored is not None:
            wanted.append(("anchor", anchored))
        last = FIRST
        since: datetime | None = None
        told_rows: dict[str, tuple[int, str]] = {}
        for row in self._rows():
            since = since or row.at
            if '"rows":{' in row.detail:
                told_rows |= {name: (row.seq, text) for name, text in json.loads(row.detail)["rows"].items()}
            if row.seq != last.seq + 1:
                faults.append(Fault(row.seq, f"follows receipt {last.seq}: what stood between is missing"))
            mac = link_mac(self.witness.key, row.seq, row.at, row.actor, row.action, row.detail, last.mac)
            if not hmac.compare_digest(mac, row.mac):
                faults.append(Fault(row.seq, "does not follow from the one before: edited, inserted or swapped"))
            last = Link(row.seq, row.mac)
            faults += [
                Fault(row.seq, f"differs from the {name}")
                for name, link in wanted
                if link.seq == row.seq and not hmac.compare_digest(link.mac, row.mac)
            ]
        faults += [
            Fault(
                link.seq,
                f"the {name} knows this one, the chain ends at {last.seq}: cut off, or an old database",
            )
            for name, link in wanted
            if link.seq > last.seq
        ]
        if last.seq and anchored is None and not any(fault.seq == 0 for fault in faults):
            faults.append(Fault(0, "the anchor is gone"))
        if now is not None and since is not None:
            faults += [
                Fault(0, what)
                for what in silences([head for head in own if self.witness.signed(head)], since, now, stopped)
            ]
        if told_rows:
            with self._state.reading() as session:
                changed = list(changed_rows(session.connection(), self.witness.key, told_rows))
            faults += [Fault(seq, what) for seq, what in changed]
        stored = self._tail()
        if stored != last:
            faults.append(Fault(last.seq, f"the chain ends at {last.seq}, its tail says {stored.seq}"))
        return sorted(faults, key=lambda fault: fault.seq)

    def _tail(self) -> Link:
        with self._state.reading() as session:
            tail = session.get(ReceiptTail, 1)
        return Link(tail.seq, tail.mac) if tail else FIRST

    def doing(self, action: str) -> list[Receipt]:
        """All receipts of one action, oldest first."""
        with self._state.reading() as session:
            return list(session.scalars(select(Receipt).where(Receipt.action == action).order_by(Receipt.seq)))

    def signed_around(self, seq: int) -> tuple[datetime | None, datetime | None]:
        """Between which signed moments a receipt came: of the last head before it and the first that has it."""
        heads = [one for one in self.witness.heads() if one.number and self.witness.signed(one)]
        before = [datetime.fromisoformat(one.at) for one in heads if one.link.seq < seq]
        since = [datetime.fromisoformat(one.at) for one in heads if one.link.seq >= seq]
        return max(before, default=None), min(since, default=None)

    def about(self, subject: str, most: int = 50, *, without: Collection[str] = ()) -> list[Receipt]:
        """The latest receipts that speak of a subject, newest first; those of the actions `without` are left out."""
        with self._state.reading() as session:
            return list(
                session.scalars(
                    select(Receipt)
                    .join(ReceiptSubject, ReceiptSubject.seq == Receipt.seq)
                    .where(ReceiptSubject.subject == subject, Receipt.action.not_in(without))
                    .order_by(Receipt.seq.desc())
                    .limit(most)
                )
            )

    def latest(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        before: int | None = None,
        most: int = 50,
        without: Collection[str] = (),
    ) -> list[Receipt]:
        """Receipts, newest first; of one actor or action, and older than `before`, where asked.

        Those of the actions `without` are left out.
        """
        query = select(Receipt).where(Receipt.action.not_in(without)).order_by(Receipt.seq.desc()).limit(most)
        if actor:
            query = query.where(Receipt.actor == actor)
        if action:
            query = query.where(Receipt.action == action)
        if before is not None:
            query = query.where(Receipt.seq < before)
        with self._state.reading() as session:
            return list(session.scalars(query))

    def _rows(self) -> Iterator[Receipt]:
        """All receipts by number, in stretches, so that millions need not be held at once."""
        last = -1
        while True:
            with self._state.reading() as session:
                rows = list(
                    session.scalars(select(Receipt).where(Receipt.seq > last).order_by(Receipt.seq).limit(_STRIDE))
                )
            yield from rows
            if len(rows) < _STRIDE:
                return
            last = rows[-1].seq


def _locked_tail(door: Connection) -> Link:
    """The last link, its row locked until the end of the transaction; made by whichever writer comes first."""
    row = door.execute(_READ_TAIL).first()
    if row is None:  # two first writers at once: one inserts, the other waits for it and inserts nothing
        insert_once(door, ReceiptTail, id=1, seq=FIRST.seq, mac=FIRST.mac)
        row = door.execute(_READ_TAIL).one()
    return Link(row.seq, row.mac)
