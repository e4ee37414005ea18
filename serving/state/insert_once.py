"""A row that is put in once: SQLite and PostgreSQL say it alike, but each in its own class."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from serving.state.base import Base

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_once(door: Session | Connection, table: type[Base], **values: object) -> bool:
    """Puts a row in unless one with its key stands; whether it did. Of two at once, one waits for the other's end."""
    engine = door.get_bind() if isinstance(door, Session) else door
    put = _INSERT[engine.dialect.name](table).values(**values).on_conflict_do_nothing()
    return door.execute(put.returning(*table.__table__.primary_key)).first() is not None
