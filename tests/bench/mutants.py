"""`mutants`: takes one guard away at a time, in a copy of the tree: the test that is said to prove it must fail.

Every row of `serving/SECURITY.md` has at least one. A test that fails with its guard in place proves nothing: all are
run first in the untouched copy.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.group import bench

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "models" / "cards" / "mutants.md"
SECURITY = ROOT / "serving" / "SECURITY.md"


LONGEST = 600.0
"""Seconds that a test may take on a busy machine."""
HUNG = -1
"""Stands for the exit status of a test that did not end: without its guard it waits for ever, so it does not pass."""


@dataclass(frozen=True)
class Mutant:
    """A guard and its proof. threat: the bold words of its row in `serving/SECURITY.md`. wanted: the text that stands
    there, once; mutated: what takes its place."""

    threat: str
    path: str
    wanted: str
    mutated: str
    test: str


MUTANTS = (
    Mutant(
        "Cutting the receipts' end", "serving/work/chain_anchor.py",
        "if end - start - stood_still > LONGEST_SILENCE:", "if False:",
        "tests/test_chain_heads.py::test_a_cut_tail_is_found_though_anchor_tail_and_all_heads_went_with_it",
    ),
    Mutant(
        "Cutting the receipts' end", "serving/work/chain_anchor.py",
        "if (head.number, head.previous) != wanted:", "if False:",
        "tests/test_chain_heads.py::test_heads_taken_from_the_end_or_the_middle_are_missed",
    ),
    Mutant(
        "Webhooks into the inner network", "serving/warnings/channels/webhook.py",
        "and not found.is_multicast and not wrapped)", "and not found.is_multicast)",
        "tests/test_webhook_limits.py::test_wrapped_and_inner_addresses_are_refused",
    ),
    Mutant(
        "Webhooks into the inner network", "serving/warnings/outbox.py",
        "MOST_AT_ONCE = 64", "MOST_AT_ONCE = 1",
        "tests/test_webhook_limits.py::test_a_slow_receiver_delays_nobody_else",
    ),
    Mutant(
        "A sealed plan swapped", "serving/plan/verify.py",
        "if parts is None or len(promised) < 2:",
        "if parts is None or len(promised) < 2:\n        return Check(name, True, '')\n    if False:",
        "tests/test_plan_swap.py::test_a_plan_sealed_anew_with_a_chosen_seed_and_an_earlier_date_is_found",
    ),
    Mutant(
        "A sealed plan swapped", "serving/plan/verify.py",
        "    return sorted(lost) + [", "    return [",
        "tests/test_plan_swap.py::test_the_end_of_the_ledger_cannot_be_cut",
    ),
    Mutant(
        "A forged client address", "serving/api/limits.py",
        "async with asyncio.timeout_at(began + min(self.seconds, self.grace + came / LEAST_RATE)):",
        "async with asyncio.timeout(None):",
        "tests/test_proxy_trust.py::test_a_body_that_trickles_is_ended_in_time",
    ),
    Mutant(
        "A known hole in a package", ".ci/audit",
        "return bool(packages) and", "return True or",
        "tests/test_audit.py::test_an_audit_that_skipped_every_package_is_none",
    ),
    Mutant(
        "A backup that was changed", "serving/jobs/archive.py",
        "        Ed25519PrivateKey.from_private_bytes(key).public_key().verify(signature, _SIGNED + signed)\n", "",
        "tests/test_backup.py::test_edited_content_is_refused_though_its_hashes_fit",
    ),
    Mutant(
        "The inspected reading their own selection", "serving/work/decisions.py",
        "tracks = list(Track) if picks else [Track.UNIT]", "tracks = list(Track)",
        "tests/test_picks.py::test_nothing_that_the_inspected_may_read_changes_with_a_pick",
    ),
    Mutant(
        "The inspected reading their own selection", "serving/work/decisions.py",
        "return Track.UNIT if reach_of(role, \"pick.read\") is None else Track.INSPECTION", "return Track.INSPECTION",
        "tests/test_picks.py::test_a_head_neither_undoes_a_pick_nor_makes_one",
    ),
    Mutant(
        "A stolen token or password", "serving/use_cases/guard.py",
        "if by_token and action in IN_PERSON:", "if False:",
        "tests/test_access_misuse.py::test_no_token_makes_another_that_outlives_it",
    ),
    Mutant(
        "A flood of complaints", "features/complaints/history.py",
        "WHERE upheld OR (copies <= {BURST} AND (anonymous OR filed <= {BURST}))", "WHERE true",
        "tests/test_complaint_history.py::test_five_hundred_complaints_by_one_person_and_fifty_by_five_count_nothing",
    ),
    Mutant(
        "Closing and reopening, pausing, late requests, splitting", "features/signals/integrity.py",
        "p.due_at = k.happened_at WHERE k.kind IN {ENDS}", "p.due_at = k.happened_at WHERE false",
        "tests/test_signals_integrity.py::test_signal_fires_and_near_miss_is_silent",
    ),
    Mutant(
        "Rewriting the past", "features/record/views.py",
        "known_at HAVING count(*) > 1", "known_at HAVING count(*) > 9",
        "tests/test_record.py::test_two_stories_of_one_moment_are_kept_and_flagged",
    ),
    Mutant(
        "Learning who is inspected", "serving/plan/store.py",
        "if datetime.fromisoformat(visit[\"at\"]) <= at]", "if visit]",
        "tests/test_pages.py::test_a_visit_before_its_hour_answers_like_an_absent_one",
    ),
    Mutant(
        "Changing what was concluded", "serving/work/witnessed_rows.py",
        "if not hmac.compare_digest(present, text):", "if False:",
        "tests/test_chain_heads.py::test_a_row_changed_behind_its_receipt_is_named",
    ),
    Mutant(
        "A list or model exchanged", "serving/work/witnessed_files.py",
        "elif _sha256(path) != wanted:", "elif False:",
        "tests/test_witnessed_files.py::test_a_list_that_is_exchanged_a_model_slipped_in_or_a_week_taken_away_is_named",
    ),
    Mutant(
        "A list or model exchanged", "serving/work/witnessed_files.py",
        "for name in there if name not in witnessed]", "for name in there if False]",
        "tests/test_witnessed_files.py::test_what_was_there_is_adopted_once_and_what_comes_later_is_not",
    ),
    Mutant(
        "Acting or reading unseen", "serving/use_cases/looked.py",
        "    people.receipts.record(reader_of(request).login, action, detail, now=people.now(), subjects=subjects)",
        "    return",
        "tests/test_chain_heads.py::test_every_read_of_persons_by_the_api_leaves_a_receipt",
    ),
    Mutant(
        "A curious insider", "serving/use_cases/dossiers.py",
        "return line if line is not None and scope.covers(line.unit_code, line.official_id) else None", "return line",
        "tests/test_rights.py::test_an_id_outside_the_scope_answers_like_an_absent_one",
    ),
    Mutant(
        "A curious insider", "serving/use_cases/guard.py",
        "    if action is None:\n        raise HTTPException(403, \"No rule allows this.\")",
        "    action = action or \"session.end\"",
        "tests/test_rights.py::test_a_route_without_a_rule_is_closed_to_all",
    ),
    Mutant(
        "A stolen token or password", "serving/access/login.py",
        "    if oldest is not None:", "    if False:",
        "tests/test_accounts.py::test_guessing_is_stopped_and_opens_again_after_the_window",
    ),
    Mutant(
        "A forged login", "serving/access/oidc.py",
        "\"aud\": settings.client_id not in audiences,", "\"aud\": False,",
        "tests/test_oidc.py::test_a_token_that_does_not_hold_is_refused",
    ),
    Mutant(
        "A malicious or damaged model", "models/artefact.py",
        "    if came != wanted:", "    if False:",
        "tests/test_artefact.py::test_every_changed_byte_of_a_file_is_found",
    ),
    Mutant(
        "Hostile deliveries", "features/sources/files.py",
        "        if self._left < 0:", "        if False:",
        "tests/test_bad_input.py::test_a_bomb_is_refused_and_the_rest_lands",
    ),
    Mutant(
        "SQL in a delivery or request", "serving/access/account.py",
        "select(Account).where(Account.login == normal_login(login))",
        "select(Account).where(__import__(\"sqlalchemy\").text(f\"login = '{normal_login(login)}'\"))",
        "tests/test_accounts.py::test_a_login_name_is_a_value_and_never_sql",
    ),
    Mutant(
        "Formulas", "serving/documents/table_file.py",
        "return \"'\" + text if text.startswith(_FORMULA) else text", "return text",
        "tests/test_export.py::test_no_cell_of_csv_begins_a_formula",
    ),
    Mutant(
        "Scripts in what people type", "serving/pages/rendering.py",
        "autoescape=select_autoescape(default=True)", "autoescape=False",
        "tests/test_pages.py::test_what_people_type_is_shown_as_text",
    ),
    Mutant(
        "Scripts in what people type", "serving/use_cases/guard.py",
        "await _meant(request, reader.csrf)", "pass",
        "tests/test_rights.py::test_a_form_without_its_key_or_from_another_site_has_no_effect",
    ),
    Mutant(
        "Forged log lines", "serving/log_lines.py",
        "return json.dumps(fields, ensure_ascii=False)", "return str(told[\"message\"])",
        "tests/test_watch.py::test_a_log_message_can_not_forge_a_line_and_an_exception_tells_no_words",
    ),
    Mutant(
        "Overload and huge uploads", "serving/api/watch.py",
        "if self._in_work > self.most_at_once and", "if False and",
        "tests/test_watch.py::test_too_many_at_once_are_told_to_come_back_and_health_is_not",
    ),
    Mutant(
        "Overload and huge uploads", "serving/api/limits.py",
        "if self._in_work[person] >= most:", "if False:",
        "tests/test_limits.py::test_one_token_leaves_room_for_others_and_is_itself_again_at_once",
    ),
    Mutant(
        "Sudden ends", "features/record/delta.py",
        "        if visible is not None:  # a file", "        if False:  # a file",
        "tests/test_record_appends.py::test_a_full_disk_leaves_the_record_as_it_was",
    ),
    Mutant(
        "A backup that was changed", "serving/jobs/archive.py",
        "if not entry.isreg() or left < 0 or number > MOST_FILES:", "if not entry.isreg():",
        "tests/test_backup.py::test_what_a_restore_writes_is_bounded",
    ),
    Mutant(
        "Values nobody foresaw", "serving/api/posted.py",
        "Attribute = str | int | float | bool | None",
        "Attribute = Any",
        "tests/test_api.py::test_a_key_outside_the_contract_is_refused_by_name",
    ),
    Mutant(
        "A forged client address", "serving/connections.py",
        "self._deadline = self.loop.call_later(seconds, self.timeout_keep_alive_handler)", "self._deadline = None",
        "tests/test_connections.py::test_who_does_not_say_to_the_end_is_let_go",
    ),
    Mutant(
        "A forged client address", "serving/connections.py",
        "\"forwarded_allow_ips\": trusted_proxies,", "\"forwarded_allow_ips\": \"*\",",
        "tests/test_connections.py::test_a_proxy_elsewhere_says_who_the_client_is_and_a_stranger_does_not",
    ),
    Mutant(
        "A forged client address", "serving/deploy/nginx.conf",
        "proxy_request_buffering off;", "proxy_request_buffering on;",
        "tests/test_proxy.py::test_a_body_that_trickles_through_the_proxy_is_ended",
    ),
    Mutant(
        "Telling of few people", "serving/reports/small_numbers.py",
        "min(one.high, band.high - (least - one.low)) - max(one.low, band.low - (most - one.high)) + 1 >= K", "True",
        "tests/test_small_numbers.py::test_no_sum_or_whole_minus_parts_leaves_fewer_than_k_counts",
    ),
    Mutant(
        "Telling of few people", "serving/reports/small_numbers.py",
        "return cls(low, low + width - 1)", "return cls(count, count)",
        "tests/test_small_numbers.py::test_no_difference_of_two_months_or_complement_leaves_fewer_than_k",
    ),
    Mutant(
        "Telling of few people", "serving/reports/publication.py",
        "        if first is not None:", "        if False:",
        "tests/test_small_numbers.py::test_a_second_pack_of_a_month_repeats_its_counts",
    ),
    Mutant(
        "Telling of few people", "serving/reports/small_numbers.py",
        "return isinstance(cell, int | float)", "return False",
        "tests/test_small_numbers.py::test_a_bare_number_or_a_list_of_dossiers_stops_a_publication",
    ),
)  # fmt: skip


def threats() -> list[str]:
    """The bold words of every row of `serving/SECURITY.md`."""
    return re.findall(r"^\| \*\*(.+?)\*\*", SECURITY.read_text("utf-8"), re.MULTILINE)


def _ran(tree: Path, tests: list[str]) -> tuple[int, str]:
    """The exit status of pytest in a tree, and the end of what it said."""
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(
            words, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST * len(tests)
        )
    except subprocess.TimeoutExpired:
        return HUNG, "it did not end"
    return done.returncode, done.stdout[-800:]


def killed(tree: Path, mutant: Mutant) -> bool:
    """Whether the test fails once the guard is gone from a copy of the tree, which is put back as it was.

    ValueError where the guard is not where the table says, or the test did not run.
    """
    path = tree / mutant.path
    text = path.read_text("utf-8")
    if text.count(mutant.wanted) != 1:
        raise ValueError(f"{mutant.path}: wanted once {mutant.wanted!r}, found {text.count(mutant.wanted)}")
    path.write_text(text.replace(mutant.wanted, mutant.mutated), "utf-8")
    try:
        status, said = _ran(tree, [mutant.test])
    finally:
        path.write_text(text, "utf-8")
    if status not in (0, 1, HUNG):
        raise ValueError(f"{mutant.test} did not run: {said}")
    return status != 0


@bench.command("mutants")
def mutants(
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = TABLE,
    word: Annotated[str, typer.Option(help="Only guards whose threat holds it; then nothing is written.")] = "",
    go_on: Annotated[bool, typer.Option("--go-on", help="Leave out those that the table has as found.")] = False,
) -> None:
    """Takes each guard away and runs the test that is said to prove it; exit 1 where one passes without its guard."""
    stands = out.read_text("utf-8").splitlines() if go_on else []
    found = {one: True for one in MUTANTS if _row(one, True) in stands}
    asked = [one for one in MUTANTS if word in one.threat and one not in found]
    with tempfile.TemporaryDirectory(prefix="risk-mutants-") as folder:
        tree = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", "var", ".*_cache", "__pycache__", ".venv", "node_modules")
        shutil.copytree(ROOT, tree, ignore=ignored, symlinks=True)
        status, said = _ran(tree, sorted({one.test for one in asked}))
        if status:
            raise typer.BadParameter(f"with every guard in place the tests fail: {said}")
        for mutant in asked:
            found[mutant] = killed(tree, mutant)
            typer.echo(_row(mutant, found[mutant]))
            if not word:
                out.write_text(table(found), "utf-8")  # as far as it has come: a whole run takes long
    if not all(found.values()):
        raise typer.Exit(1)


def table(found: Mapping[Mutant, bool]) -> str:
    """The card: every guard, whether its test failed without it, or that it was not run."""
    about = f"Written by `python -m tests.bench mutants`: {len(found)} of {len(MUTANTS)} guards run,"
    about += f" {sum(found.values())} found by the test that names them."
    lines = [
        "# Guards taken away",
        "",
        about,
        "",
        "| threat | guard taken away | test | found |",
        "|---|---|---|---|",
        *(_row(one, found.get(one)) for one in MUTANTS),
    ]
    return "\n".join(lines) + "\n"


def _row(mutant: Mutant, found: bool | None) -> str:
    guard = re.sub(r"\s+", " ", mutant.wanted).strip().replace("|", "\\|")
    told = "not run" if found is None else "yes" if found else "**no**"
    return f"| {mutant.threat} | `{mutant.path}`: `{guard}` | `{mutant.test}` | {told} |"
