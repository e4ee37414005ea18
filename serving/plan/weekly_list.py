"""The list of one week on disk: `lists/<target>/<grain>/<week>.json`, made once and never changed."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.atomic_file import replace_text
from features.key_file import key_file
from features.record.record import Record
from models.sector_risk import sector_weights
from models.targets import MAIN
from serving.plan.list_choice import Caps, Line, choose, marked_new, order, share_new, share_out
from serving.plan.list_entry import Grain, entries
from serving.plan.rules import Rules
from serving.scoring.score_files import ListMeta
from serving.settings import Settings
from serving.work.witnessed_files import tell

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
