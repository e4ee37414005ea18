"""The list of one week on disk: `lists/<target>/<grain>/<week>.json`, made once and never changed.

Its lines stand at the grain of dossiers, officials or units, from one scored list; order with jitter inside bands, caps
per unit and official, shares of teams, what is new. Inside a band of like utility the order is drawn anew each week
from a secret: who watches the lists cannot learn where the threshold lies (service.md, abuse). Without a secret, ties
go by age, then key.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.atomic_file import replace_text
from features.case_state.state import WAITING
from features.key_file import key_file
from features.record.record import Record
from features.record.utc import naive_column
from models.sector_risk import sector_weights
from models.targets import MAIN
from serving.plan.draw import keyed_uniform
from serving.plan.rules import Rules, Team
from serving.scoring.score_files import ListMeta
from serving.settings import Settings
from serving.work.witnessed_files import tell

Grain = Literal["dossier", "official", "unit"]
GRAINS: tuple[Grain, ...] = ("dossier", "official", "unit")

LEAST_DOSSIERS = 20
"""Open dossiers below which an official has no line: too few to say anything about a person."""


@dataclass(frozen=True)
class Entry:
    """One line. key: dossier_id, official_id or unit_code. expected: events expected (a probability for one dossier).

    prior: weight of the sector in the directives, 0–1; utility = expected · (1 + strength · prior), so that the
    order's part that is no evidence can be seen. oldest: when the oldest open dossier was received; breaks ties.
    """

    key: str
    unit_code: str | None
    official_id: str | None
    sector_code: str | None
    expected: float
    prior: float
    utility: float
    n: int
    oldest: datetime | None


_LINES = {
    "dossier": "SELECT dossier_id AS key, unit_code, official_id, sector_code, score AS expected, prior, 1 AS n, "
    "received_at AS oldest FROM line",
    "official": "SELECT official_id AS key, any_value(unit_code ORDER BY unit_code) AS unit_code, official_id, "
    "arg_max(sector_code, prior) AS sector_code, sum(score) AS expected, sum(score * prior) / sum(score) AS prior, "
    "count(*) AS n, min(received_at) AS oldest FROM line WHERE official_id IS NOT NULL "
    "GROUP BY official_id HAVING count(*) >= $least",
    "unit": "SELECT unit_code AS key, unit_code, NULL::VARCHAR AS official_id, "
    "arg_max(sector_code, prior) AS sector_code, "
    "sum(score) AS expected, sum(score * prior) / sum(score) AS prior, count(*) AS n, min(received_at) AS oldest "
    "FROM line WHERE unit_code IS NOT NULL GROUP BY unit_code",
}


def entries(scores: pa.Table, grain: Grain, priors: Mapping[str, float], strength: float = 0.5) -> list[Entry]:
    """All lines of a grain, in no order. scores: columns of `score_files.SCHEMA`.

    priors: prior_weight by sector_code. strength: how much a prior of 1 adds to the utility. Officials with fewer
    than LEAST_DOSSIERS open dossiers have no line. Dossiers whose clock stands are on no list.
    """
    if grain not in GRAINS:
        raise ValueError(f"grain: wanted one of {', '.join(GRAINS)}, got {str(grain)[:20]!r}")
    scores = scores.filter(pc.invert(pc.is_in(scores["phase"], pa.array(WAITING, pa.string()))))
    con = duckdb.connect(config={"threads": 1})
    columns = ["dossier_id", "unit_code", "official_id", "sector_code", "score"]
    con.register("score", scores.select(columns).append_column("received_at", naive_column(scores["received_at"])))
    ordered = dict(sorted(priors.items()))
    con.register("prior", pa.table({"sector_code": list(ordered), "prior": pa.array(ordered.values(), pa.float64())}))
    con.execute(
        "CREATE VIEW line AS SELECT dossier_id, unit_code, official_id, sector_code, greatest(score, 1e-12) AS score, "
        "received_at, coalesce(prior, 0) AS prior FROM score LEFT JOIN prior USING (sector_code)"
    )
    values = {"least": LEAST_DOSSIERS} if grain == "official" else None
    rows: list[dict[str, Any]] = con.sql(_LINES[grain], params=values).to_arrow_table().to_pylist()
    return [Entry(**row, utility=row["expected"] * (1 + strength * row["prior"])) for row in rows]


BAND = 0.9
"""A band reaches down to this part of its best utility."""


@dataclass(frozen=True)
class Line:
    """One line of a list. rank from 1. new: not on the list before; null where there was none."""

    rank: int
    entry: Entry
    team_id: str | None = None
    new: bool | None = None


@dataclass(frozen=True)
class Caps:
    """At most so many lines of one unit and of one official; 0 for no cap."""

    per_unit: int = 0
    per_official: int = 0


def order(entries: Sequence[Entry], secret: str | None = None, week: str = "") -> list[Entry]:
    """The entries by falling utility; ties by age (oldest first), then key. With a secret, jittered in bands."""
    ranked = sorted(entries, key=_plain)
    if secret is None:
        return ranked
    placed: list[Entry] = []
    while len(placed) < len(ranked):
        best = ranked[len(placed)].utility
        band = [entry for entry in ranked[len(placed) :] if entry.utility >= best * BAND]
        placed += sorted(band, key=lambda entry: keyed_uniform(secret, f"list {week}", entry.key))
    return placed


def choose(ordered: Sequence[Entry], size: int, caps: Caps = Caps()) -> list[Line]:
    """The first `size` entries that the caps admit, ranked from 1."""
    units: dict[str, int] = {}
    officials: dict[str, int] = {}
    lines: list[Line] = []
    for entry in ordered:
        if len(lines) == size:
            break
        held = (
            (units, entry.unit_code, caps.per_unit),
            (officials, entry.official_id, caps.per_official),
        )
        if any(cap and name is not None and counts.get(name, 0) >= cap for counts, name, cap in held):
            continue
        for counts, name, _ in held:
            if name is not None:
                counts[name] = counts.get(name, 0) + 1
        lines.append(Line(len(lines) + 1, entry))
    return lines


def share_out(lines: Sequence[Line], teams: Sequence[Team], last: Mapping[str, str]) -> list[Line]:
    """Gives each line to a team, evenly: never to one with a member from the unit, nor to the unit's last team.

    last: team_id that had the unit on the list before. A line that no team may take stays without one.
    """
    load = {team.team_id: 0 for team in teams}
    given: list[Line] = []
    for line in lines:
        unit = line.entry.unit_code
        may = [t.team_id for t in teams if unit not in t.units and last.get(unit or "") != t.team_id]
        team = min(may, key=lambda name: (load[name], name), default=None)
        if team is not None:
            load[team] += 1
        given.append(replace(line, team_id=team))
    return given


def marked_new(lines: Sequence[Line], before: Set[str] | None) -> list[Line]:
    """The lines with `new` set by the keys of the list before; None where there was none."""
    return [replace(line, new=None if before is None else line.entry.key not in before) for line in lines]


def share_new(lines: Sequence[Line]) -> float | None:
    """The share of the list that is new since the last; None where there was none, or no line."""
    marked = [line.new for line in lines if line.new is not None]
    return sum(marked) / len(marked) if marked else None


def _plain(entry: Entry) -> tuple[float, float, str]:
    return (-entry.utility, entry.oldest.timestamp() if entry.oldest else float("inf"), entry.key)


_WEEK = re.compile(r"\d{4}-W\d{2}")


@dataclass(frozen=True)
class WeeklyList:
    """One week's list and what it rests on. new_share: of the lines, since the week before that has a list."""

    target: str
    grain: str
    week: str
    model_version: str
    record_version: int
    as_of: datetime
    strength: float
    lines: list[Line]

    @property
    def new_share(self) -> float | None:
        """Share of the lines that the list before did not have."""
        return share_new(self.lines)

    def as_json(self) -> dict[str, Any]:
        """The list as JSON values."""
        values = asdict(self) | {"as_of": self.as_of.isoformat(), "new_share": self.new_share}
        for line in values["lines"]:
            oldest = line["entry"]["oldest"]
            line["entry"]["oldest"] = oldest.isoformat() if oldest else None
        return values


def make_week(
    settings: Settings,
    scores: pa.Table,
    meta: ListMeta,
    grain: Grain,
    *,
    week: str,
    now: datetime,
    target: str = MAIN.name,
    size: int = 50,
    caps: Caps = Caps(0, 0),
    rules: Rules | None = None,
    jitter: bool = True,
) -> WeeklyList:
    """Makes the list of `week` from scored rows and stores it under `lists/`. now: how late the record is read.

    jitter: the order inside bands of like risk is drawn anew each week. ValueError where another list stands.
    """
    rules = rules or Rules()
    root = settings.home / "lists"
    earlier = before(root, target, grain, week)
    priors = sector_weights(Record(settings.record_url).connect(cutoff=now), now)
    secret = key_file(settings.keys / "lists.key").hex() if jitter else None
    lines = choose(order(entries(scores, grain, priors, rules.prior_strength), secret, week), size, caps)
    last = {line["entry"]["unit_code"]: line["team_id"] for line in earlier["lines"]} if earlier else {}
    lines = share_out(lines, rules.teams, last)
    lines = marked_new(lines, {line["entry"]["key"] for line in earlier["lines"]} if earlier else None)
    made = WeeklyList(target, grain, week, strength=rules.prior_strength, lines=lines, **made_from(meta))
    write(root, made, lambda name, digest: tell(settings, {f"lists/{name}": digest}, now=now))
    return made


def write(root: Path, weekly: WeeklyList, witness: Callable[[str, str], None] | None = None) -> Path:
    """Stores the week's list; ValueError where another one stands: a list that was used is not exchanged.

    witness: is told its path below `root` and its sha256 before it stands there.
    """
    path = path_of(root, weekly.target, weekly.grain, weekly.week)
    text = json.dumps(weekly.as_json(), ensure_ascii=False, indent=1)
    if path.exists() and path.read_text("utf-8") != text:
        raise ValueError(f"the {weekly.grain} list of {weekly.week} stands; lists are made once a week")
    path.parent.mkdir(parents=True, exist_ok=True)
    if witness is not None:
        witness(path.relative_to(root).as_posix(), hashlib.sha256(text.encode()).hexdigest())
    replace_text(path, text)
    return path


def before(root: Path, target: str, grain: str, week: str) -> dict[str, Any] | None:
    """The latest list before `week`, as JSON values; None where there is none."""
    path_of(root, target, grain, week)
    earlier = sorted(path for path in (root / target / grain).glob("*.json") if path.stem < week)
    found: dict[str, Any] | None = json.loads(earlier[-1].read_text("utf-8")) if earlier else None
    return found


def path_of(root: Path, target: str, grain: str, week: str) -> Path:
    """Where a list lies; ValueError for a week in another form than 2026-W49."""
    if not _WEEK.fullmatch(week):
        raise ValueError(f"week: wanted such as 2026-W49, got {week[:20]!r}")
    return root / target / grain / f"{week}.json"


def week_of(day: date) -> str:
    """The ISO week of a day."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def made_from(meta: ListMeta) -> dict[str, Any]:
    """The fields of a list that say what it rests on."""
    return {"model_version": meta.model_version, "record_version": meta.record_version, "as_of": meta.as_of}
