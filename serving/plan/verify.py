"""Was this plan drawn, or picked by hand? Makes it again from brief and seed and compares line by line."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from serving.plan.draw import seed_hash
from serving.plan.ledger import PlanLedger
from serving.plan.plan import make
from serving.plan.plan_input import PlanInput
from serving.plan.store import PlanStore, SealedPlan, part_hash, seed_of
from serving.state.canonical_json import digest
from serving.work.receipts import Receipts


@dataclass(frozen=True)
class Check:
    """One thing that was compared. ok: whether it holds; words: what was found."""

    name: str
    ok: bool
    words: str


def verify(store: PlanStore, plan_id: str, scores: Path | None = None, receipts: Receipts | None = None) -> list[Check]:
    """All checks of one sealed plan. Holds with the revealed files alone, or before that with the keys.

    scores: folder of scored lists; where the one that the plan rests on is still there, it is compared too. receipts:
    the chain of the installation, which knows every line of the ledger and when it came.
    Raises FileNotFoundError for an unknown plan.
    """
    commits, seals = store.ledger.of(plan_id, "commit"), store.ledger.of(plan_id, "seal")
    if not seals:
        raise FileNotFoundError(f"no plan {plan_id}; known: {', '.join(store.plans()) or 'none'}")
    broken = store.ledger.broken()
    chain = "whole" if broken is None else f"line {broken} does not continue the one before"
    checks = [Check("ledger", broken is None, chain)]
    first = bool(commits) and commits[0]["number"] < seals[0]["number"]
    checks.append(
        Check(
            "committed first",
            first,
            "the seed was fixed before the plan" if first else "no commitment before the seal",
        )
    )
    seed = store.seed(plan_id)
    if seed is None:
        return [*checks, Check("seed", False, "neither revealed nor among the keys")]
    same = first and seed_hash(seed) == commits[0]["facts"]["seed_sha256"]
    checks.append(Check("seed", same, "has the committed hash" if same else "is not the one that was committed"))
    if same:
        checks.append(_origin(store, plan_id, seed))
    if receipts is not None:
        checks.append(_receipts(store, plan_id, receipts))
    sealed, damage = _plan_and_brief(store, plan_id)
    if sealed is None:
        return [*checks, Check("files", False, damage)]
    facts = seals[0]["facts"]
    checks.append(_equal("brief", digest(sealed.brief), facts["brief_sha256"]))
    checks.append(_equal("plan", digest(sealed.plan), facts["plan_sha256"]))
    checks.append(_drawn(sealed, seed, plan_id))
    if scores is not None:
        checks += _scores(sealed, scores)
    return checks


def _origin(store: PlanStore, plan_id: str, seed: str) -> Check:
    """Whether the seed comes from parts that two persons had fixed before either gave theirs away."""
    promised = {line["facts"]["by"]: line for line in store.ledger.of(plan_id, "part")}
    given = [line["number"] for line in store.ledger.of(plan_id, "given")]
    parts = store.parts(plan_id)
    name = "seed origin"
    if parts is None or len(promised) < 2:
        return Check(name, False, "not from parts of two persons: whoever holds the keys may have chosen it")
    if parts.keys() != promised.keys() or any(
        part_hash(plan_id, by, parts[by]) != line["facts"]["sha256"] for by, line in promised.items()
    ):
        return Check(name, False, "the parts are not those that were promised")
    if not given or max(line["number"] for line in promised.values()) > min(given):
        return Check(name, False, "a part was promised after another had been said")
    if seed_of(plan_id, parts) != seed:
        return Check(name, False, "the seed is not what the parts give")
    return Check(name, True, f"from the parts of {' and '.join(sorted(parts))}")


def _receipts(store: PlanStore, plan_id: str, receipts: Receipts) -> Check:
    """Whether the chain of receipts knows this very ledger, and the hour of its seal."""
    name = "receipts"
    wrong = ledger_faults(store.ledger, receipts)
    if wrong:
        return Check(name, False, wrong[0])
    number = store.ledger.of(plan_id, "seal")[0]["number"]
    at = datetime.fromisoformat(store.ledger.of(plan_id, "seal")[0]["at"])
    after, before = receipts.signed_around(witnessed_lines(receipts)[number][1])
    if (after is not None and at < after) or (before is not None and at > before):
        return Check(name, False, "the seal bears another hour than the signed heads around its receipt")
    since = f" after {after.isoformat(timespec='minutes')}" if after else ""
    return Check(name, True, f"every line has its receipt; sealed{since}, by the signed heads")


def witnessed_lines(receipts: Receipts) -> dict[int, tuple[str, int]]:
    """Line of the ledger → its hash and the number of the last receipt that names it."""
    witnessed = {}
    for one in receipts.doing("plan.write"):
        line = json.loads(one.detail)
        if "line" in line:  # who seals on a page leaves a receipt of the whole act beside those of the ledger's lines
            witnessed[int(line["line"])] = (str(line["sha256"]), one.seq)
    return witnessed


def ledger_faults(ledger: PlanLedger, receipts: Receipts) -> list[str]:
    """Where the ledger is not the one that the receipts name: lines gone, changed, or without a receipt."""
    witnessed = witnessed_lines(receipts)
    lines = {line["number"]: digest(line) for line in ledger.lines()}
    gone = witnessed.keys() - lines.keys()
    lost = [f"line {number} of the plans' ledger, known to a receipt, is gone" for number in gone]
    return sorted(lost) + [
        f"line {number} of the plans' ledger is not the one that has a receipt"
        for number, text in lines.items()
        if number not in witnessed or witnessed[number][0] != text
    ]


def _plan_and_brief(store: PlanStore, plan_id: str) -> tuple[SealedPlan | None, str]:
    """The plan as revealed, else as sealed; None and why where a file cannot be read."""
    brief, plan = store.revealed(plan_id, "brief.json"), store.revealed(plan_id, "plan.jsonl")
    try:
        if brief is None or plan is None:
            return store.open(plan_id), ""
        head, *visits = [json.loads(line) for line in plan.read_text("utf-8").splitlines()]
        return SealedPlan({**head, "visits": visits}, json.loads(brief.read_text("utf-8"))), ""
    except ValueError as error:
        return None, str(error)[:200]


def _drawn(sealed: SealedPlan, seed: str, plan_id: str) -> Check:
    """Whether brief and seed give these very lines."""
    try:
        again = make(PlanInput.from_json(sealed.brief), seed, plan_id)
    except (ValueError, KeyError, TypeError) as error:
        return Check("drawn", False, f"the brief gives no plan: {str(error)[:150]}")
    made = json.loads(again.text())
    if "guessable" not in sealed.plan:  # plans of before that figure
        del made["guessable"]
    wanted = SealedPlan(made, sealed.brief).lines()
    found = sealed.lines()
    for number, (line, other) in enumerate(zip(wanted, found, strict=False), 1):
        if line != other:
            return Check("drawn", False, f"line {number} is not what brief and seed give")
    if len(wanted) != len(found):
        return Check("drawn", False, f"{len(found)} lines, brief and seed give {len(wanted)}")
    return Check("drawn", True, f"brief and seed give all {len(wanted)} lines")


def _scores(sealed: SealedPlan, scores: Path) -> list[Check]:
    source = sealed.plan["source"]
    for path in sorted((scores / source["target"]).glob("*/scores.parquet")):
        if hashlib.sha256(path.read_bytes()).hexdigest() == source["scores_sha256"]:
            return [Check("scores", True, f"the scored list {path.parent.name} is the one used")]
    return [Check("scores", False, "the scored list that the brief names is not among those kept")]


def _equal(name: str, found: str, sealed: str) -> Check:
    return Check(name, found == sealed, "as sealed" if found == sealed else "is not the one that was sealed")
