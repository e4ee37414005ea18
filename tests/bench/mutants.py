"""Takes one guard away at a time, in a copy of the tree: the test that is said to prove it must fail.

    python -m tests.bench.mutants OUT.md [WORD]

WORD: only the guards whose threat holds it. The table goes to OUT.md; exit 1 where a test passes without its guard.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """A guard and its proof. wanted: the text that stands there; mutated: what takes its place."""

    threat: str
    path: str
    wanted: str
    mutated: str
    test: str


MUTANTS = (
    Mutant(
        "cutting the receipts' end", "serving/work/chain_anchor.py",
        "if end - start - known > LONGEST_SILENCE:", "if False:",
        "tests/test_chain_heads.py::test_a_cut_tail_is_found_though_anchor_tail_and_all_heads_went_with_it",
    ),
    Mutant(
        "heads taken away", "serving/work/chain_anchor.py",
        "if (head.number, head.previous) != wanted:", "if False:",
        "tests/test_chain_heads.py::test_heads_taken_from_the_end_or_the_middle_are_missed",
    ),
    Mutant(
        "webhooks into the inner network", "serving/warnings/channels/webhook.py",
        "and not found.is_multicast and not wrapped)", "and not found.is_multicast)",
        "tests/test_webhook_limits.py::test_wrapped_and_inner_addresses_are_refused",
    ),
    Mutant(
        "a slow receiver", "serving/warnings/send.py",
        "MOST_AT_ONCE = 64", "MOST_AT_ONCE = 1",
        "tests/test_webhook_limits.py::test_a_slow_receiver_delays_nobody_else",
    ),
    Mutant(
        "a sealed plan swapped", "serving/plan/verify.py",
        "if parts is None or len(promised) < 2:",
        "if parts is None or len(promised) < 2:\n        return Check(name, True, '')\n    if False:",
        "tests/test_plan_swap.py::test_a_plan_sealed_anew_with_a_chosen_seed_and_an_earlier_date_is_found",
    ),
    Mutant(
        "a plan's ledger cut", "serving/plan/verify.py",
        "    return sorted(lost) + [", "    return [",
        "tests/test_plan_swap.py::test_the_end_of_the_ledger_cannot_be_cut",
    ),
    Mutant(
        "a body that trickles", "serving/api/limits.py",
        "async with asyncio.timeout_at(ends):", "async with asyncio.timeout(None):",
        "tests/test_proxy_trust.py::test_a_body_that_trickles_is_ended_in_time",
    ),
    Mutant(
        "an audit that asked nobody", ".ci/audit",
        "return bool(packages) and", "return True or",
        "tests/test_audit.py::test_an_audit_that_skipped_every_package_is_none",
    ),
    Mutant(
        "a backup that was edited", "serving/jobs/archive.py",
        "        Ed25519PrivateKey.from_private_bytes(key).public_key().verify(signature, _SIGNED + told)\n", "",
        "tests/test_backup.py::test_edited_content_is_refused_though_its_hashes_fit",
    ),
    Mutant(
        "the inspected reading their own selection", "serving/work/decisions.py",
        "tracks = list(Track) if picks else [Track.UNIT]", "tracks = list(Track)",
        "tests/test_picks.py::test_nothing_that_the_inspected_may_read_changes_with_a_pick",
    ),
    Mutant(
        "a head undoing a pick", "serving/work/decisions.py",
        "return Track.UNIT if reach_of(role, \"pick.read\") is None else Track.INSPECTION", "return Track.INSPECTION",
        "tests/test_picks.py::test_a_head_neither_undoes_a_pick_nor_makes_one",
    ),
    Mutant(
        "a stolen token", "serving/access/guard.py",
        "if by_token and action in IN_PERSON:", "if False:",
        "tests/test_access_misuse.py::test_no_token_makes_another_that_outlives_it",
    ),
)  # fmt: skip


def killed(mutant: Mutant) -> bool:
    """Whether the test fails once the guard is gone. ValueError where the guard is not where the table says."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", "var", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=ignored, symlinks=True)
        path = copy / mutant.path
        text = path.read_text("utf-8")
        if text.count(mutant.wanted) != 1:
            raise ValueError(f"{mutant.path}: wanted once {mutant.wanted!r}, found {text.count(mutant.wanted)}")
        path.write_text(text.replace(mutant.wanted, mutant.mutated), "utf-8")
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", mutant.test]
        done = subprocess.run(
            words, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise ValueError(f"{mutant.test} did not run: {done.stdout[-500:]}")
        return done.returncode == 1


def main(out: Path, word: str = "") -> int:
    """Runs the mutants and writes their table."""
    lines = ["| threat | guard taken away | test | found |", "|---|---|---|---|"]
    survivors = 0
    for mutant in MUTANTS:
        if word not in mutant.threat:
            continue
        found = killed(mutant)
        survivors += not found
        guard = mutant.wanted.strip().replace("|", "\\|")
        lines.append(
            f"| {mutant.threat} | `{mutant.path}`: `{guard}` | `{mutant.test}` | {'yes' if found else '**no**'} |"
        )
        print(lines[-1], flush=True)
    out.write_text("\n".join(lines) + "\n", "utf-8")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
