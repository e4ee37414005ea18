"""What a month's plan of conduct finds beside one of lateness, on a made-up province: the whole way of the product.

Both lists score the same open dossiers at the end of a year; plans are made by the product's rules and drawn with
many seeds; a visit finds what harassment the truth says had happened in the dossiers on its sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from features.calendar.vietnam import VIETNAM
from features.record.delivery import Chunk
from features.record.record import Record
from features.signals.conduct_year import conduct_year
from features.simulate import simulate
from features.simulate.evasion import Evasion
from models.finding_matrix import SHOWN
from models.targets import MAIN
from serving.plan.gather import gather as gather_plan
from serving.plan.plan import make
from serving.plan.rules import Rules
from serving.scoring import conduct_lists
from serving.scoring.batch import features_hash, score_open
from serving.scoring.score_files import ListMeta, write_scores
from tests.bench.replay.conduct_worlds import ARRIVED, AS_OF, END, START
from training.fit import fit
from training.training_set import gather

PLANS = 20
"""Plans drawn of one list: what a plan finds is a mean over its draws."""
MONTH = AS_OF.strftime("%Y-%m")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Found:
    """Means over the draws: dossiers that teams pulled, those of them harassed by the visit, and these a visit."""

    pulled: float
    found: float
    a_visit: float


@dataclass(frozen=True)
class Yield:
    """One seed: open dossiers, how many of them were harassed by the month's end, and what each plan found."""

    seed: int
    open: int
    harassed: int
    conduct: Found
    lateness: Found


def plan_yield(seed: int, dossiers: int, say: Callable[[str], None], honest: float = 0.02) -> Yield:
    """Both plans of the month after the year, on the same province with its usual visits."""
    province = simulate(seed=seed, dossiers=dossiers, start=START, end=END, evasion=Evasion(honest=honest))
    truth = province.truth["dossier"].select(["dossier_id", "harm", "harm_at"]).to_pylist()
    harmed = {row["dossier_id"]: row["harm_at"] for row in truth if row["harm"] is not None}
    with TemporaryDirectory() as folder:
        home = Path(folder)
        record = Record(home / "record")
        chunks = [Chunk(name, table) for name, table in province.tables.items()]
        record.append(chunks, source="simulated", arrived_at=ARRIVED)
        with record.connect(cutoff=AS_OF) as con:
            year = conduct_year(con, AS_OF, SHOWN)
            lines = conduct_lists.lines(con, home / "models", AS_OF, year)
            told = conduct_lists.scored(con, home / "models", AS_OF, lines["dossier"], year, record.version())
            lists = {"conduct": write_scores(home / "scores", *told)}
            model = fit(gather(con, AS_OF, VIETNAM), target=MAIN.name, say=lambda line: None)
            table = score_open(con, AS_OF, model, VIETNAM)
            meta = ListMeta("lateness", AS_OF, "bench", "", record.version(), features_hash(model), table.num_rows)
            lists["lateness"] = write_scores(home / "scores", table, meta)
            found = {name: _found(con, path, harmed) for name, path in lists.items()}
            ids = table["dossier_id"].to_pylist()
    one = Yield(seed, len(ids), sum(key in harmed for key in ids), found["conduct"], found["lateness"])
    say(f"seed {seed}: conduct {one.conduct.a_visit:.2f}, lateness {one.lateness.a_visit:.2f} found a visit")
    return one


def _found(con: object, scores: Path, harmed: dict[str, datetime]) -> Found:
    brief = gather_plan(con, scores, MONTH, VIETNAM, Rules(), ZONE)  # type: ignore[arg-type]
    pulled = found = visits = 0
    for draw in range(PLANS):
        for visit in make(brief, f"{draw:064x}").visits:
            if visit.by == "own_head":
                continue
            at, visits = datetime.fromisoformat(visit.at), visits + 1
            pulled += len(visit.sheet)
            found += sum(line.dossier_id in harmed and harmed[line.dossier_id] < at for line in visit.sheet)
    return Found(pulled / PLANS, found / PLANS, found / max(visits, 1))
