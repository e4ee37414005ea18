"""Ends in a delivery that lie before the receipt of their dossier: errors of clocks, or of somebody's hand.

What such an end means is the case state's to say (`features.case_state.state`); here it is told on the receipt.
"""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.record.delta import DeltaFiles
from features.record.schema import ALL_ENDS, SKEW
from features.record.staging import Staging

_MINUTES = int(SKEW.total_seconds() // 60)
BEFORE = f"event: an end more than {_MINUTES} minutes before receipt; the dossier is set aside, neither open nor late"
SKEWED = f"event: an end up to {_MINUTES} minutes before receipt, by two clocks; it counts at receipt"

_COUNT = f"""
    WITH received AS (SELECT dossier_id, min(received_at) AS received_at FROM dossiers GROUP BY dossier_id)
    SELECT count(*) FILTER (e.happened_at < r.received_at - INTERVAL {_MINUTES} MINUTE),
           count(*) FILTER (e.happened_at >= r.received_at - INTERVAL {_MINUTES} MINUTE)
    FROM ends e JOIN received r USING (dossier_id) WHERE e.happened_at < r.received_at
"""


def early_ends(staging: Staging, held: DeltaFiles, visible: set[str], *, live: bool) -> dict[str, int]:
    """Notes on the ends of the delivery that lie before receipt, with how many there are.

    Receipts are looked up in the delivery and in the record; of a few rows that came live in the delivery alone, for
    who posts one event does not wait for a look through all dossiers.
    """
    few = staging.few()
    if few is not None:
        if "event" not in few or not pc.any(pc.is_in(few["event"]["kind"], pa.array(ALL_ENDS))).as_py():
            return {}
    elif "event" not in staging.files():
        return {}
    with duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2, "memory_limit": "512MB"}) as con:
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        staged = {}
        for name in ("event", "dossier"):
            if few is not None:
                staged[name] = con.from_arrow(few[name]) if name in few else None
            else:
                files = staging.files().get(name)
                staged[name] = con.read_parquet([str(file) for file in files], union_by_name=True) if files else None
        assert staged["event"] is not None, "there are events"
        staged["event"].filter(f"kind IN {ALL_ENDS}").project("dossier_id, happened_at").create_view("ends")
        parts = [staged["dossier"]] if staged["dossier"] is not None else []
        if not (live and few is not None) and (rows := held.relation(con, visible)) is not None:
            parts.append(rows.filter("dossier_id IN (SELECT dossier_id FROM ends)"))
        if not parts:
            return {}
        dossiers = parts[0].project("dossier_id, received_at")
        for part in parts[1:]:
            dossiers = dossiers.union(part.project("dossier_id, received_at"))
        dossiers.create_view("dossiers")
        before, skewed = con.execute(_COUNT).fetchall()[0]
    return {note: count for note, count in ((BEFORE, before), (SKEWED, skewed)) if count}
