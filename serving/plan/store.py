"""Plans on disk: the seed committed first, the plan sealed until its visits, seed and brief revealed after.

| file under `plans/<plan_id>/` | when | who can read it |
|---|---|---|
| lines `part`, `given` in the ledger | first | anybody: who gave a part of the seed, its SHA-256 |
| a line `commit` in `plans/ledger.jsonl` | before scores are looked at | anybody: SHA-256 of the seed |
| `plan.sealed` | made | who holds `keys/plans.key` (AES-SIV, so that the same plan gives the same bytes) |
| a line `seal` in the ledger | made | anybody: SHA-256 of plan and brief |
| `seed.txt`, `parts.json`, `brief.json`, `plan.jsonl` | at the end | anybody entitled: enough to make the plan again |
"""

import hashlib
import json
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from features.atomic_file import replacing
from features.key_file import key_file
from serving.plan.draw import seed_hash
from serving.plan.ledger import PlanLedger, Teller
from serving.plan.plan import make
from serving.plan.plan_input import PlanInput
from serving.state.canonical_json import canonical, digest

LEAST_PART = 16
"""Characters of one person's part of a seed."""


class Sealed(PermissionError):
    """Something of a plan was asked for before its hour."""


@dataclass(frozen=True)
class SealedPlan:
    """A plan as it is stored: its JSON values and the brief it was made from."""

    plan: Mapping[str, Any]
    brief: Mapping[str, Any]

    def lines(self) -> list[bytes]:
        """The plan as it is revealed: the head, then one canonical JSON line a visit."""
        head = {key: value for key, value in self.plan.items() if key != "visits"}
        return [canonical(head), *(canonical(visit) for visit in self.plan["visits"])]

    def ends_at(self) -> datetime:
        """The hour of the last visit; the epoch of a plan without visits is its month's first day."""
        hours = [visit["at"] for visit in self.plan["visits"]]
        return datetime.fromisoformat(max(hours) if hours else f"{self.plan['month']}-01T00:00:00+00:00")


class PlanStore:
    """The plans of one installation. keys: folder of the secret key and of seeds not yet revealed."""

    def __init__(self, plans: Path, keys: Path, teller: Teller | None = None) -> None:
        self.folder = plans
        self._keys = keys
        self.ledger = PlanLedger(plans, teller)

    def promise(self, month: str, by: str, words: str, at: datetime) -> str:
        """One person fixes their part of the seed of the month's next plan: its hash is published, the words are not.

        Nobody can choose the seed then: whoever speaks first does not know the other's words, and nobody can exchange
        their own. ValueError for a second part of one person, for fewer than 16 characters, and once a seed stands.
        """
        plan_id = self._next(month)
        if self.ledger.of(plan_id, "commit"):
            raise ValueError(f"the seed of {plan_id} is fixed already")
        if by in self._promised(plan_id):
            raise ValueError(f"{by} has given a part to {plan_id} already; the other one is another person's")
        if len(words) < LEAST_PART:
            raise ValueError(f"a part has at least {LEAST_PART} characters that nobody can guess")
        self.ledger.append("part", plan_id, at, {"by": by, "sha256": part_hash(plan_id, by, words)})
        return plan_id

    def give(self, month: str, by: str, words: str, at: datetime) -> bool:
        """The person says the words that were promised, once two persons have promised; True: all parts are here.

        ValueError where they are others, or where the second person has not promised yet.
        """
        plan_id = self._next(month)
        promised = self._promised(plan_id)
        if len(promised) < 2:
            raise ValueError(f"{plan_id} has the part of {len(promised)} person; the words wait for the second")
        if promised.get(by) != part_hash(plan_id, by, words):
            raise ValueError("these are not the words that were promised")
        path = self._part_path(plan_id, by)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, words.encode(), mode=0o600)
            self.ledger.append("given", plan_id, at, {"by": by})
        return all(self._part_path(plan_id, one).exists() for one in promised)

    def parts(self, plan_id: str) -> dict[str, str] | None:
        """The words of each person who gave a part, for who holds the keys, or as revealed; None without any."""
        revealed = self._dir(plan_id) / "parts.json"
        if revealed.exists():
            found: dict[str, str] = json.loads(revealed.read_text("utf-8"))
            return found
        promised = self._promised(plan_id)
        if not promised or not all(self._part_path(plan_id, one).exists() for one in promised):
            return None
        return {one: self._part_path(plan_id, one).read_text("utf-8") for one in promised}

    def _next(self, month: str) -> str:
        number = 1
        while self.ledger.of(_plan_id(month, number), "seal"):
            number += 1
        return _plan_id(month, number)

    def _promised(self, plan_id: str) -> dict[str, str]:
        return {line["facts"]["by"]: line["facts"]["sha256"] for line in self.ledger.of(plan_id, "part")}

    def _part_path(self, plan_id: str, by: str) -> Path:
        return self._keys / "plan-seeds" / f"{plan_id}.{digest({'by': by})[:16]}.part"

    def commit(self, month: str, at: datetime, because: str | None = None, seed: str | None = None) -> tuple[str, str]:
        """Fixes the seed of the month's next plan before it is made; gives (plan_id, SHA-256 of the seed).

        It is made of the parts of two persons where they promised some (`promise`, `give`), and drawn here else, which
        `verify` does not take for chosen by nobody. A seed that waits unused is kept: nobody can try several. Once a
        plan is sealed, another one for the same month needs `because`, and is numbered. seed: only to make a known
        plan again.
        """
        plan_id = self._next(month)
        if plan_id != month and not because:
            raise ValueError(f"a plan of {month} is sealed; say --because to draw another")
        promised, parts = self._promised(plan_id), self.parts(plan_id)
        if promised and parts is None:
            raise ValueError(f"not all of {', '.join(promised)} have said the words of their parts yet")
        if parts is not None:
            seed = seed_of(plan_id, parts)
        path = self._seed_path(plan_id)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, (seed or secrets.token_hex(32)).encode(), mode=0o600)
        elif seed is not None and seed != self._seed(plan_id):
            raise ValueError(f"another seed was already committed for {plan_id}; it cannot be exchanged")
        published = seed_hash(self._seed(plan_id))
        if not self.ledger.of(plan_id, "commit"):
            facts = {"seed_sha256": published, "because": because or "", "persons": sorted(promised)}
            self.ledger.append("commit", plan_id, at, facts)
        return plan_id, published

    def seal(self, plan_id: str, brief: PlanInput, at: datetime) -> SealedPlan:
        """Makes the plan from `brief` and the committed seed, and seals both; Infeasible leaves nothing."""
        if not self.ledger.of(plan_id, "commit"):
            raise ValueError(f"no seed was committed for {plan_id}; run: risk plan commit")
        if self.ledger.of(plan_id, "seal"):
            raise ValueError(f"{plan_id} is already sealed")
        plan = make(brief, self._seed(plan_id), plan_id)
        sealed = SealedPlan(json.loads(plan.text()), brief.sorted().as_json())
        text = zlib.compress(canonical({"plan": sealed.plan, "brief": sealed.brief}), 6)
        self._dir(plan_id).mkdir(parents=True, exist_ok=True)
        _write(self._dir(plan_id) / "plan.sealed", self._cipher().encrypt(text, [plan_id.encode()]))
        facts = {
            "plan_sha256": digest(sealed.plan),
            "brief_sha256": digest(sealed.brief),
            "visits": len(sealed.plan["visits"]),
            "source": sealed.plan["source"],
        }
        self.ledger.append("seal", plan_id, at, facts)
        return sealed

    def open(self, plan_id: str) -> SealedPlan:
        """The whole plan, for who holds the key. FileNotFoundError; ValueError where it was changed."""
        path = self._dir(plan_id) / "plan.sealed"
        if not path.exists():
            raise FileNotFoundError(f"no plan {plan_id}; known: {', '.join(self.plans()) or 'none'}")
        try:
            text = self._cipher().decrypt(path.read_bytes(), [plan_id.encode()])
        except InvalidTag:
            raise ValueError(f"plan.sealed of {plan_id} was changed, or sealed with another key") from None
        return SealedPlan(**json.loads(zlib.decompress(text)))

    def visits(self, plan_id: str, at: datetime) -> list[dict[str, Any]]:
        """The visits whose hour has come by `at`; all others stay sealed."""
        return [visit for visit in self.open(plan_id).plan["visits"] if datetime.fromisoformat(visit["at"]) <= at]

    def reveal(self, plan_id: str, at: datetime) -> Path:
        """Writes seed, brief and plan in the open; Sealed before the last visit has begun."""
        sealed = self.open(plan_id)
        if at < sealed.ends_at():
            raise Sealed(f"{plan_id} is sealed until its last visit at {sealed.ends_at().isoformat()}")
        folder = self._dir(plan_id)
        _write(folder / "seed.txt", self._seed(plan_id).encode() + b"\n")
        if (parts := self.parts(plan_id)) is not None:
            _write(folder / "parts.json", canonical(parts) + b"\n")
        _write(folder / "brief.json", canonical(sealed.brief) + b"\n")
        _write(folder / "plan.jsonl", b"".join(line + b"\n" for line in sealed.lines()))
        if not self.ledger.of(plan_id, "reveal"):
            self.ledger.append("reveal", plan_id, at, {"seed": self._seed(plan_id)})
        return folder

    def seal_of(self, plan_id: str) -> str | None:
        """What approvals are bound to: the hash of the ledger's line of the last seal, None before it.

        ValueError where the plan that is kept is not the one that was sealed.
        """
        seals = self.ledger.of(plan_id, "seal")
        if not seals:
            return None
        if digest(self.open(plan_id).plan) != seals[-1]["facts"]["plan_sha256"]:
            raise ValueError(f"{plan_id} is not the plan that was sealed")
        return digest(seals[-1])

    def plans(self) -> list[str]:
        """The ids of the sealed plans, ascending."""
        return sorted({line["plan_id"] for line in self.ledger.lines() if line["act"] == "seal"})

    def seed(self, plan_id: str) -> str | None:
        """The seed: as revealed, else for who holds the keys; None where neither is at hand."""
        revealed = self._dir(plan_id) / "seed.txt"
        if revealed.exists():
            return revealed.read_text("utf-8").strip()
        return self._seed(plan_id) if self._seed_path(plan_id).exists() else None

    def revealed(self, plan_id: str, name: str) -> Path | None:
        """The path of a revealed file, None before the reveal."""
        path = self._dir(plan_id) / name
        return path if path.exists() else None

    def _dir(self, plan_id: str) -> Path:
        if not plan_id.replace("-", "").isdigit():
            raise ValueError(f"wanted a plan id such as 2026-12 or 2026-12-2, got {plan_id[:40]!r}")
        return self.folder / plan_id

    def _seed_path(self, plan_id: str) -> Path:
        return self._keys / "plan-seeds" / f"{plan_id}.seed"

    def _seed(self, plan_id: str) -> str:
        return self._seed_path(plan_id).read_text("utf-8").strip()

    def _cipher(self) -> AESSIV:
        return AESSIV(key_file(self._keys / "plans.key"))


def part_hash(plan_id: str, by: str, words: str) -> str:
    """What is published of one person's part before the words are said."""
    return hashlib.sha256("\0".join(("dossier-risk part", plan_id, by, words)).encode()).hexdigest()


def seed_of(plan_id: str, parts: Mapping[str, str]) -> str:
    """The seed of a plan from the words of all persons."""
    parts_in_order = [word for by in sorted(parts) for word in (by, parts[by])]
    return hashlib.sha256("\0".join(("dossier-risk seed", plan_id, *parts_in_order)).encode()).hexdigest()


def _plan_id(month: str, number: int) -> str:
    return month if number == 1 else f"{month}-{number}"


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Puts a file in place whole: a kill leaves the old one, or none."""
    with replacing(path, mode) as file:
        file.write(content)
