"""The receiving side of the national portal's own exchange (domain.md 1.1): what one-stop systems push.

A one-stop system that pushes to the portal pushes here by changing an address. Its session is an access token of
its account, good for a working day; its dossiers and events are known from the moment they come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from features.record.delivery import DeliveryReceipt, Reject
from features.record.record import Record
from features.sources import FeedOptions
from features.sources.dvcqg import read_items
from features.sources.json_stream import Item
from features.spelling.codes import dossier_code
from serving.access.login import LoginOrigin, TooMany, log_in
from serving.access.permissions import Role, reach_of
from serving.access.token import find_token, issue_token
from serving.settings import Settings
from serving.state import State
from serving.state.official_names import Names, remember
from serving.work.intake import with_reference
from serving.work.receipts import Receipts

ACTION = "delivery.write"
SESSION_LIFE = timedelta(hours=10)
SOURCE = "dvcqg"
WRITES = ("DongBoHoSoMC", "CapNhatTienDoHoSoMC", "CapNhatTienTrinh", "CapNhatTrangThai")
LOOKS_UP = "TraCuuHoSo"
OK, REFUSED, NO_SESSION, EXISTS, UNKNOWN = "0", "1", "401", "-3", "-1"
SHOWN = 20
"""Refused rows that an answer shows; all of them are stored with the delivery."""


@dataclass(frozen=True)
class Answer:
    """What the portal's protocol answers: `error_code`, "0" where all went well, and a message in Vietnamese."""

    error_code: str
    message: str
    result: tuple[dict[str, Any], ...] = ()


class Portal:
    """The exchange over one installation. `key`: under which typed login names are stored (`log_in`)."""

    def __init__(self, settings: Settings, state: State, key: bytes, receipts: Receipts) -> None:
        self._settings, self._state, self._key, self._receipts = settings, state, key, receipts
        self._record = Record(settings.record_url)

    def log_in(self, username: str, password: str, address: str, now: datetime) -> str | None:
        """A new session for an account that may deliver; None where name, password or right are missing."""
        account = log_in(self._state, username, password, LoginOrigin(address), key=self._key, now=now)
        if account is None:
            self._receipts.record("", "session.refused", {"by": "portal"}, now=now)
        if account is None or isinstance(account, TooMany) or reach_of(Role(account.role), ACTION) is None:
            return None
        with self._state.writing() as session:
            until = now + SESSION_LIFE
            token = issue_token(session, account, "portal", frozenset({ACTION}), now=now, expires_at=until)
            link = self._receipts.append(session, account.login, "session.start", {"by": "portal"}, now=now)
        self._receipts.anchor(link)
        return token

    def answer(self, envelope: dict[str, Any], now: datetime) -> Answer:
        """What becomes of one envelope: its rows are in the record when the answer says so."""
        token = envelope.get("session")
        with self._state.reading() as session:
            grant = find_token(session, token, now=now) if isinstance(token, str) else None
        if grant is None or ACTION not in grant.actions:
            return Answer(NO_SESSION, "Phiên làm việc không hợp lệ hoặc đã hết hạn")
        service = envelope.get("service")
        if service == LOOKS_UP:
            code = dossier_code(str(envelope.get("mahoso") or ""))
            if self._held([code]):
                return Answer(OK, "Tìm thấy hồ sơ", ({"MaHoSo": code},))
            return Answer(UNKNOWN, "Không tìm thấy hồ sơ")
        if service not in WRITES:
            return Answer(REFUSED, f"Dịch vụ không được hỗ trợ; có: {', '.join((*WRITES, LOOKS_UP))}")
        data = envelope.get("data")
        if not isinstance(data, list) or not data:
            return Answer(REFUSED, "Thiếu trường data: cần một danh sách hồ sơ hoặc sự kiện")
        if service == WRITES[0] and str(envelope.get("isUpdating")).lower() == "false":
            codes = [dossier_code(str(item.get("MaHoSo"))) for item in data if isinstance(item, dict)]
            if held := self._held(codes):
                return Answer(EXISTS, f"Mã hồ sơ {held[0]} đã tồn tại")
        copied = ("madonvi", "service", "isUpdating")
        header: dict[str, Any] = {name: envelope[name] for name in copied if name in envelope}
        receipt, rejects = self._take(data, header, now)
        if not receipt.rejected:
            return Answer(OK, f"Đồng bộ thành công: {receipt}")
        shown = tuple(
            {"dong": reject.line, "truong": reject.column, "can": reject.wanted, "nhan": reject.came}
            for reject in rejects[:SHOWN]
        )
        return Answer(REFUSED, f"Có {receipt.rejected} mục bị từ chối, các mục khác đã nhận: {receipt}", shown)

    def _held(self, codes: list[str]) -> list[str]:
        """Those of these dossiers that the record holds."""
        with self._record.connect() as con:
            rows = con.execute(
                "SELECT DISTINCT dossier_id FROM dossier WHERE list_contains($codes, dossier_id) ORDER BY 1",
                {"codes": codes},
            ).fetchall()
        return [row[0] for row in rows]

    def _take(self, data: list[Any], header: dict[str, Any], now: datetime) -> tuple[DeliveryReceipt, list[Reject]]:
        options = FeedOptions(zone=self._settings.zone.key, arrived_at=now)
        options = with_reference(options, self._settings, self._record, self._state)
        found = (
            Item(SOURCE, number, value, header)
            if isinstance(value, dict)
            else Item(SOURCE, number, None, header, came=f"a JSON {type(value).__name__}")
            for number, value in enumerate(data, 1)
        )
        names = Names()
        chunks = names.apart(read_items(found, options))
        receipt = self._record.append(chunks, source=SOURCE, arrived_at=now, live=True)
        remember(self._state, names.entries, now)
        return receipt, self._record.rejects(receipt.delivery_id) if receipt.rejected else []
