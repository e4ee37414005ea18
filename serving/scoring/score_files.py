"""Scored lists on disk: `scores/<target>/<as_of>/scores.parquet` + `meta.json`, and `latest.json` beside
them.

The Parquet file carries its own description in its metadata and is replaced in one step, so that a reader
sees an old list or a new one, whole, whatever the writer is doing or however it died. `meta.json` says the
same for people and other tools.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_file import replace_text, replacing

REASON = pa.struct(
    [
        ("code", pa.string()),
        ("effect", pa.float64()),
        ("value", pa.string()),
        ("usual", pa.string()),
        ("n", pa.int64()),
        ("vi", pa.string()),
        ("en", pa.string()),
    ]
)

REMAINING = pa.struct(
    [
        *((name, pa.float64()) for name in ("hours", "low", "high", "late_low", "late_high", "expected_late")),
        ("open_by_day", pa.list_(pa.float64())),
    ]
)
"""`models.remaining_time.Remaining`."""

SCHEMA = pa.schema(
    [
        ("dossier_id", pa.string()),
        ("unit_code", pa.string()),
        ("official_id", pa.string()),
        ("procedure_code", pa.string()),
        ("sector_code", pa.string()),
        ("as_of", pa.timestamp("us", "UTC")),
        ("score", pa.float64()),
        ("log_odds", pa.float64()),
        ("base", pa.float64()),
        ("rank", pa.int64()),
        ("left_hours", pa.float64()),
        ("due_at", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")),
        ("step", pa.string()),
        ("reasons", pa.list_(REASON)),
        ("phase", pa.string()),
        ("remaining", REMAINING),
        ("score_low", pa.float64()),
        ("score_high", pa.float64()),
    ]
)
"""One row an open dossier, by rank. `due_at` is the lawful promise, `left_hours` working hours to it, negative where
it is overdue; `phase` is of `features.case_state.state.Phase`: while the clock stands a dossier is never overdue.
`remaining` is null where the model tells no time; `score_low` and `score_high`, the range of the score, where it tells
none or the promise has passed.
"""

ADDED = ("phase", "remaining", "score_low", "score_high")
"""Columns that lists of earlier versions do not have."""

_META = b"dossier-risk"


@dataclass(frozen=True)
class ListMeta:
    """What a scored list is: its target and moment, and the model, record and features that made it.

    rule: true where the simple rule stood in for a model ("quy tắc"). misfits: of a column how many dossiers had a cell
    that is no number where the model wants one, and so unknown. level: the moment at which the offsets in the model
    were estimated (`models.level`), in ISO 8601; None at the level of the training.
    """

    target: str
    as_of: datetime
    model_version: str
    model_sha256: str
    record_version: int
    features_hash: str
    n: int
    rule: bool = False
    misfits: Mapping[str, int] = field(default_factory=dict)
    level: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, the time in ISO 8601."""
        return {**asdict(self), "as_of": self.as_of.astimezone(UTC).isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "ListMeta":
        """The description that `as_json` wrote."""
        return cls(**{**values, "as_of": datetime.fromisoformat(values["as_of"])})


_STAMP = "%Y%m%dT%H%M%SZ"


def stamp(as_of: datetime) -> str:
    """The folder name of a list: its moment in UTC, to the second."""
    return as_of.astimezone(UTC).strftime(_STAMP)


def stamped(name: str) -> datetime:
    """The moment (UTC) of a list's folder name; ValueError for another name."""
    return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)


def scores_path(root: Path, target: str, as_of: datetime) -> Path:
    """Where the list of `target` at `as_of` lies under the scores folder `root`."""
    return list_folder(root, target, as_of) / "scores.parquet"


def list_folder(root: Path, target: str, as_of: datetime) -> Path:
    """The folder of what was made for `target` at `as_of`."""
    return root / target / stamp(as_of)


def write_scores(root: Path, table: pa.Table, meta: ListMeta, latest: bool = True) -> Path:
    """Stores a scored list (columns of SCHEMA, in rank order) and, unless `latest` is false, makes it the
    latest.

    Safe against a kill at any point: files are written aside, flushed, and moved into place.
    """
    path = scores_path(root, meta.target, meta.as_of)
    text = json.dumps(meta.as_json(), ensure_ascii=False, indent=1)
    described = in_schema(table).replace_schema_metadata({_META: text.encode()})
    replace_table(path, described, row_group_size=20_000)
    replace_text(path.with_name("meta.json"), text)
    if latest:
        pointer = {"as_of": meta.as_json()["as_of"], "folder": path.parent.name}
        replace_text(root / meta.target / "latest.json", json.dumps(pointer))
    return path


def read_scores(path: Path) -> tuple[pa.Table, ListMeta]:
    """The list at `path` and its description.

    Raises FileNotFoundError where there is none, ValueError where the file is damaged or foreign.
    """
    try:
        table = pq.read_table(path, memory_map=False)
        metadata = table.schema.metadata or {}
        meta = ListMeta.from_json(json.loads(metadata[_META]))
        return in_schema(table), meta
    except FileNotFoundError:
        raise FileNotFoundError(f"no scored list at {path.parent}; run: risk score --as-of T") from None
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path.name} of {path.parent.name} is not a whole scored list: {type(error).__name__}"
        ) from error


def in_schema(table: pa.Table) -> pa.Table:
    """The table with the columns of SCHEMA; those that lists of earlier versions lack are null."""
    for name in ADDED:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, SCHEMA.field(name).type))
    return table.select(SCHEMA.names).cast(SCHEMA)


def latest_path(root: Path, target: str) -> Path:
    """Where the latest list of `target` lies; FileNotFoundError says how to make one."""
    pointer = root / target / "latest.json"
    try:
        folder = str(json.loads(pointer.read_text("utf-8"))["folder"])
    except FileNotFoundError:
        raise FileNotFoundError(f"no scored list of {target} yet; run: risk score --as-of T") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{pointer.name} of {target} is damaged; run: risk score --as-of T") from error
    return root / target / Path(folder).name / "scores.parquet"


def replace_table(path: Path, table: pa.Table, row_group_size: int | None = None) -> None:
    """Puts a Parquet file at `path` in one step; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        pq.write_table(table, file, compression="zstd", row_group_size=row_group_size)
