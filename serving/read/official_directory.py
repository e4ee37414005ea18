"""What officials are called: the directory of names as a process holds it, and the words for who stands in none."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.language import LazyText as lazy
from serving.language import gettext as _
from serving.read.register import Register
from serving.state import OfficialName, State

NOBODY = lazy("chưa rõ")


def called(official_id: str | None, names: Mapping[str, str], register: Register) -> str:
    """By the directory, else by number within their unit; never by an opaque key."""
    if official_id is None:
        return NOBODY
    if official_id in names:
        return names[official_id]
    number = register.numbers.get(official_id)
    if number is None:
        return _("Cán bộ chưa có trong danh bạ")
    return _("Cán bộ số {number}, {unit}").format(number=number, unit=register.unit(register.officials[official_id]))


def names_in(session: Session) -> dict[str, str]:
    """All names by official_id."""
    return {row.official_id: row.name for row in session.execute(select(OfficialName.official_id, OfficialName.name))}


class OfficialDirectory:
    """One per server process: the names by official_id, read again when a delivery brought others."""

    def __init__(self) -> None:
        self.names: Mapping[str, str] = {}
        self._seen: tuple[int, datetime | None] | None = None

    def refresh(self, state: State) -> None:
        """Reads the names again where their number or the newest change differs."""
        with state.reading() as session:
            row = session.execute(select(func.count(), func.max(OfficialName.updated_at))).one()
            seen = (row[0], row[1])
            if seen != self._seen:
                self.names, self._seen = names_in(session), seen
