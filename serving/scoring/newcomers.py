"""Which dossiers are new on a list: those that the last list of an earlier day did not hold."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from serving.scoring.score_files import ListMeta, stamp

A_DAY = timedelta(hours=20)
"""Lists of one day may come some hours apart; what is older than this is yesterday's."""
OLDEST = timedelta(days=12)
"""Over the longest holiday; against a list before that everything would be new, and nobody told anything."""


def newcomers(scores: Path, meta: ListMeta, dossier_ids: pa.Array) -> frozenset[str]:
    """The ids among `dossier_ids` that are new since yesterday's list; none where there is no earlier list."""
    oldest, latest = stamp(meta.as_of - OLDEST), stamp(meta.as_of - A_DAY)
    lists = (scores / meta.target).glob("*/scores.parquet")
    earlier = sorted(path for path in lists if oldest <= path.parent.name <= latest)
    if not earlier:
        return frozenset()
    listed_before = pq.read_table(earlier[-1], columns=["dossier_id"])["dossier_id"].combine_chunks()
    fresh = pc.filter(dossier_ids, pc.invert(pc.is_in(dossier_ids, value_set=listed_before)))
    return frozenset(fresh.to_pylist())
