"""The rows of the dossiers that are open, at hand in memory: to ask the record for one costs more than its score."""

from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.case_state.kinds import ended_for_good
from features.matrix.online import Row
from features.record.utc import aware_table

MOST_ROWS = 1_000_000
"""Of a table: about 200 MB. A record with more of open dossiers is asked one by one."""

_OVER = ended_for_good()
_OPEN = {
    "dossier": f"""
        SELECT * FROM dossier_latest ANTI JOIN ({_OVER}) USING (dossier_id)
        ORDER BY dossier_id""",
    "event": f"""
        SELECT * FROM event ANTI JOIN ({_OVER}) USING (dossier_id)
        SEMI JOIN dossier USING (dossier_id) ORDER BY dossier_id""",
    "promise": f"""
        SELECT dossier_id, known_at, due_at FROM dossier ANTI JOIN ({_OVER}) USING (dossier_id)
        WHERE due_at IS NOT NULL ORDER BY dossier_id""",
}


class OpenDossiers:
    """The latest version and the events of every dossier that has not ended; never changes, so threads may share it."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """`con`: of `Record.connect`."""
        counts = [con.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0] for sql in _OPEN.values()]
        few = max(counts) <= MOST_ROWS
        self._tables = {name: _narrow(con.sql(sql)) for name, sql in _OPEN.items()} if few else {}
        self._places = {name: _places(table) for name, table in self._tables.items()}

    def of(self, dossier_id: str) -> tuple[Row, list[Row]] | None:
        """The latest version of a dossier and its events, times aware; None where it is not at hand."""
        dossier, events = (self._rows(name, dossier_id) for name in ("dossier", "event"))
        return (dossier[0], events) if dossier else None

    def promises(self, dossier_id: str) -> list[tuple[datetime, datetime]]:
        """When each row of a dossier was known, and the due moment it gave; none where it is not at hand."""
        return [(row["known_at"], row["due_at"]) for row in self._rows("promise", dossier_id)]

    def _rows(self, name: str, dossier_id: str) -> list[Row]:
        start, stop = self._places.get(name, {}).get(dossier_id, (0, 0))
        if start == stop:
            return []
        rows: list[Row] = self._tables[name].slice(start, stop - start).to_pylist()
        return rows


def _narrow(found: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows, times aware, with texts that repeat stored once."""
    table = aware_table(found.to_arrow_table())
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and pc.count_distinct(table[place]).as_py() < table.num_rows / 4:
            table = table.set_column(place, field.name, table[place].combine_chunks().dictionary_encode())
    return table.combine_chunks()


def _places(table: pa.Table) -> dict[str, tuple[int, int]]:
    """Where the rows of each dossier begin and end, of a table in their order."""
    if not table.num_rows:
        return {}
    ids = table["dossier_id"].cast(pa.string()).combine_chunks()
    runs = pc.run_end_encode(ids, run_end_type=pa.int64())
    ends = runs.run_ends.to_pylist()
    return dict(zip(runs.values.to_pylist(), zip([0, *ends[:-1]], ends, strict=True), strict=True))
