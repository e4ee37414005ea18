"""The directory of officials' display names: the one place that holds them, in the working state.

Feeds hand names over apart from the record (`Chunk` of table `directory`); pages show them by right.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from features.record.delivery import Chunk
from serving.state.account import OfficialName
from serving.state.engine import State

DIRECTORY = "directory"


class Names:
    """Names met while a delivery is read; `apart` takes them out of its chunks."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, str]] = {}

    def apart(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks for the record; the directory's rows stay here, their rejects go on."""
        for chunk in chunks:
            if chunk.table != DIRECTORY:
                yield chunk
                continue
            self._take(chunk.rows)
            if chunk.rejects:
                yield Chunk("official", [], chunk.rejects, chunk.file, 0, chunk.zone)

    def _take(self, rows: Any) -> None:
        for row in rows:
            earlier = self.entries.get(row["official_id"], ("", ""))
            if len(row["name"]) > len(earlier[1]):  # of a cut and a whole name, the whole one
                self.entries[row["official_id"]] = (row.get("unit_code", ""), row["name"])


def remember(state: State, names: Mapping[str, tuple[str, str]], at: datetime) -> None:
    """Put (unit, name) by official id into the directory; a shorter writing never replaces a longer one."""
    if not names:
        return
    with state.writing() as session:
        ids = list(names)
        for begin in range(0, len(ids), 500):
            part = ids[begin : begin + 500]
            held = {
                one.official_id: one
                for one in session.scalars(select(OfficialName).where(OfficialName.official_id.in_(part)))
            }
            for official_id in part:
                unit, name = names[official_id]
                entry = held.get(official_id)
                if entry is None:
                    session.add(
                        OfficialName(official_id=official_id, unit_code=unit[:120], name=name[:200], updated_at=at)
                    )
                elif len(name) > len(entry.name):
                    entry.name, entry.updated_at = name[:200], at


def officials_by_name(state: State, posts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, str], ...]:
    """(official_id, name, unit_code) of everybody in the directory, in the unit where they were first named and in
    those of `posts` (official_id, unit_code): lets a delivery mean the person that is known.
    """
    with state.reading() as session:
        rows = session.execute(select(OfficialName.official_id, OfficialName.name, OfficialName.unit_code)).all()
    names = {official_id: name for official_id, name, _ in rows}
    also = ((who, names[who], unit) for who, unit in posts if who in names)
    return tuple(dict.fromkeys((*((who, name, unit) for who, name, unit in rows), *also)))
