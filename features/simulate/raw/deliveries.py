"""Puts raw items into the files that sources deliver: a folder a day, shuffled, some late, some twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.simulate.catalogue import PROCEDURES, SECTORS
from features.simulate.province import Province
from features.simulate.raw import opencps, portal
from features.simulate.raw.people import Citizens, official_names
from features.simulate.raw.planted import LOCAL, Planted, plant
from features.simulate.raw.portal import Directory
from features.simulate.raw.voices import petition, ratings

REFERENCE = ("sector", "procedure", "holiday", "outage")
INSPECTORATE = ("inspection", "finding", "explanation")
"""Delivered as canonical tables without officials: whom a dossier concerns is for the record to find out."""
SESSION = "00000000-0000-0000-0000-000000000000"
LEVELS = {"province": "PROVINCE", "department": "AGENCY", "commune": "COMMUNE"}
LATE, TWICE = 0.03, 0.04
"""Shares of the daily progress files that come some days late, and of all daily files that come twice."""


def write_raw(province: Province, folder: Path) -> Planted:
    """Write the history as its sources would deliver it; gives what a faithful reader must end up with.

    The people named in it are added to the province's truth: `person` (citizens with name, identity, phone),
    `name` (officials with display names). Deterministic by the province's seed.
    """
    rng = np.random.default_rng([province.seed, 766])
    planted = plant(province)
    names = official_names(rng, sorted(set(province.tables["official"]["official_id"].to_pylist())))
    units = dict(zip(*(province.tables["unit"][c].to_pylist() for c in ("unit_code", "unit_name")), strict=True))
    sectors = {p.code: (p.sector, SECTORS[p.sector][0]) for p in PROCEDURES}
    book = Directory(names, units, sectors, Citizens(province.seed))
    for place, tables in (("reference", REFERENCE), ("inspectorate", INSPECTORATE)):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for name in tables:
            if (table := province.tables.get(name)) is not None:
                columns = [column for column in table.column_names if column != "official_id"]
                pq.write_table(table.select(columns), folder / place / f"{name}.parquet")
    _write(folder / "roster" / "roster.json", _roster(province, names))
    _write_dossiers(rng, planted, book, folder)
    _write_voices(province, planted, book, folder)
    province.truth["person"] = book.citizens.table()
    province.truth["name"] = pa.table({"official_id": list(names), "name": list(names.values())})
    return planted


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(content))


def _roster(province: Province, names: dict[str, str]) -> dict[str, Any]:
    """Units and officials as samples/16 proposes; days are local, `valid_to` the last one in force."""

    def first(moment: Any) -> str | None:
        return None if moment is None else str((pd.Timestamp(moment) + LOCAL).date())

    def last(moment: Any) -> str | None:
        return None if moment is None else str((pd.Timestamp(moment) + LOCAL).date() - timedelta(days=1))

    units = [
        {
            "code": unit["unit_code"], "name": unit["unit_name"],
            "level": LEVELS.get(unit["level"], "DISTRICT"),
            "parent": unit["parent_code"],
            "valid_from": first(unit["valid_from"]), "valid_to": last(unit["valid_to"]),
            "old_codes": [], "succeeds": [unit["succeeds"]] if unit["succeeds"] else [],
        }
        for unit in province.tables["unit"].to_pylist()
    ]  # fmt: skip
    officials = [
        {
            "id": row["official_id"], "display_names": [names[row["official_id"]]], "account": None,
            "unit": row["unit_code"], "room": None, "position": row["position"], "is_head": row["is_head"],
            "from": first(row["valid_from"]), "to": last(row["valid_to"]),
        }
        for row in province.tables["official"].to_pylist()
    ]  # fmt: skip
    return {"units": units, "officials": officials}


def _cases(planted: Planted) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[tuple[Any, Any]]]]:
    """Every dossier with its events and moves of the promise, all moments local, missing cells None."""
    local = [_localised(frame) for frame in (planted.dossier, planted.event, planted.moves)]
    rows = local[0].assign(number=np.arange(len(local[0])))
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in _records(local[1]):
        events[event["dossier_id"]].append(event)
    moves: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for move in local[2].sort_values("happened_at", kind="stable").itertuples(index=False):
        moves[str(move.dossier_id)].append((move.happened_at, move.due_at))
    for row in _records(rows):
        yield row, events[row["dossier_id"]], moves[row["dossier_id"]]


def _localised(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            # plain datetimes: they are formatted some hundred thousand times, pandas' own are slow at that
            moments = (column + LOCAL).dt.tz_localize(None).array.to_pydatetime()
            column = pd.Series(moments, index=column.index, dtype=object)
        column = column.astype(object)
        columns[name] = column.where(column.notna(), None)
    return pd.DataFrame(columns)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _write_dossiers(rng: np.random.Generator, planted: Planted, book: Directory, folder: Path) -> None:
    """Portal files by day and service, and the OpenCPS export. Items are kept as bytes: there are many."""
    daily: dict[tuple[date, str], list[bytes]] = defaultdict(list)
    exported: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row, events, moves in _cases(planted):
        if row["system"] == "opencps":
            due = moves[-1][1] if moves else row["due_at"]
            exported[row["unit_code"]].append(opencps.dossier(row, events, due, book))
            continue
        for day, service, item in portal.steps(row, events, book):
            daily[day, service].append(orjson.dumps(item))
        for day, update, item in portal.states(row, events, moves, book):
            daily[day, f"DongBoHoSoMC_{update}"].append(orjson.dumps(item))
    for unit, dossiers in sorted(exported.items()):
        _write(folder / "opencps" / f"{unit}.json", dossiers)
    for day, service in sorted(daily):
        items = daily[day, service]
        content = _envelope(service, [items[k] for k in rng.permutation(len(items))])
        late = service == "CapNhatTienDoHoSoMC" and rng.random() < LATE
        arrival = day + timedelta(days=int(rng.integers(2, 6))) if late else day
        place = folder / "dvcqg" / arrival.isoformat()
        place.mkdir(parents=True, exist_ok=True)
        tail = f"_tre{(arrival - day).days}" if late else ""
        (place / f"{service}{tail}.json").write_bytes(content)
        if rng.random() < TWICE:
            (place / f"{service}{tail}_lan2.json").write_bytes(content)


def _envelope(service: str, items: list[bytes]) -> bytes:
    """The portal's envelope (domain.md 1.1); apologies and consultations come bare."""
    data = b"[" + b",\n".join(items) + b"]"
    if not service.startswith(("DongBo", "CapNhat")):
        return data
    name, _, updating = service.partition("_")
    head: dict[str, str] = {"session": SESSION, "madonvi": "000.00.00.H99", "service": name}
    if updating:
        head["isUpdating"] = updating
    return orjson.dumps(head)[:-1] + b',"data":' + data + b"}"


def _write_voices(province: Province, planted: Planted, book: Directory, folder: Path) -> None:
    """Complaints and ratings by month of filing."""
    complaints: dict[str, list[dict[str, Any]]] = defaultdict(list)
    versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _records(_localised(province.tables["complaint"].to_pandas())):
        versions[row["complaint_id"]].append(row)
    for rows in versions.values():
        rows.sort(key=lambda row: row["known_at"])
        item = petition(rows[0], rows[-1], book.unit, book.citizens)
        complaints[f"{rows[0]['filed_at']:%Y-%m}"].append(item)
    for month, items in complaints.items():
        _write(folder / "petition" / f"{month}.json", items)
    owners = planted.dossier[["dossier_id", "applicant_id"]]
    rated = _localised(province.tables["rating"].to_pandas().merge(owners, on="dossier_id"))
    by_month: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in ratings(_records(rated), book.citizens):
        by_month[item["ThoiGianDanhGia"][:7]].append(item)
    for month, items in by_month.items():
        _write(folder / "rating" / f"{month}.json", items)
