"""The house rules that a reader relies on: who may import whom, one word for one thing, small modules, no clock."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from features.case_state.kinds import STOPS
from features.record.schema import ALL_ENDS, ENDS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("features", "models", "training", "serving")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONGEST = 400  # fewer notions are worth more than shorter files

NO_ROOM = {
    "utils", "util", "common", "core", "service", "services", "repository", "repositories", "schemas", "helper",
    "helpers", "misc", "manager", "managers", "stuff", "shared", "lib",
}  # fmt: skip
"""Names that say nothing about what lies in a module."""

GLOSSARY = {
    "dossier": {"ticket", "casefile", "case_id", "file_no", "application_id", "dossier_no"},
    "official": {"employee", "civil_servant", "clerk_id", "bureaucrat", "staff_id", "officer_id"},
    "unit": {"department_id", "office_id", "agency_id", "bureau", "org_id"},
    "procedure": {"service_code", "process_code", "procedure_id"},
    "sector": {"field_code", "domain_code", "sector_id"},
    "record": {"event_store", "data_lake", "warehouse"},
    "delivery": {"ingestion", "shipment"},
    "as_of": {"asof", "as_of_date", "snapshot_date", "reference_date", "ref_date"},
    "cutoff": {"cut_off", "cutoff_date", "cutoff_time"},
    "known_at": {"knowledge_date", "ingested_at", "recorded_time", "known_time"},
    "happened_at": {"event_time", "occurred_at", "event_ts"},
    "lateness": {"tardiness", "delay_risk", "overdue_risk"},
    "harassment": {"corruption", "guilt", "suspicion"},
    "feature": {"predictor", "covariate"},
    "matrix": {"feature_matrix", "design_matrix", "feature_table", "feature_df"},
    "champion": {"best_model", "prod_model", "production_model"},
    "candidate": {"challenger"},
    "risk list": {"watchlist", "blacklist", "hitlist"},
    "inspection plan": {"visit_plan", "raid"},
    "draw": {"lottery", "raffle"},
    "receipt": {"audit_log", "audit_trail"},
}
"""The words of design.md, and what nobody may call the same thing."""

AT_THE_EDGE = ("serving/cli/", "serving/settings.py", "serving/app.py", "serving/use_cases/served_state.py")
"""Where the wall clock may be read: the command line and the app. Everybody else is given the time."""

WRITTEN = {".py", ".md", ".toml", ".html", ".css", ".js", ".svg", ".json", ".txt", ".csv", ".yml", ""}

CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
    ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("pd", "Timestamp.now"),
}  # fmt: skip


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), where(path))


def defined_names(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Names that a module gives: functions, classes, arguments, variables, fields."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno


def words(name: str) -> str:
    """`name` as its words: `_CaseFileNo` is `_case_file_no_`."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    return f"_{parts}_"


def test_rooms_import_only_what_they_may() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    assert {room for contract in contracts for room in contract.get("source_modules", ())} >= set(ROOMS)


def test_no_two_modules_and_no_two_packages_import_each_other() -> None:
    graph = grimp.build_graph(*ROOMS)
    imports = {(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)}
    packages = {".".join(name.split(".")[:2]) for name in graph.modules if name.count(".") > 1}
    between = {(".".join(one.split(".")[:2]), ".".join(other.split(".")[:2])) for one, other in imports}
    between = {(one, other) for one, other in between if one != other and {one, other} <= packages}
    both = [pair for found in (imports, between) for pair in found if pair[::-1] in found and pair[0] < pair[1]]
    assert not both, f"move what both need below them: {both}"


def test_a_public_class_name_stands_in_one_file() -> None:
    files: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files.setdefault(node.name, []).append(where(path))
    several = {name: places for name, places in files.items() if len(places) > 1}
    assert len(several) <= 5, f"name the thing, not its kind: {several}"


def test_few_files_name_a_target() -> None:
    """The registry does, and what speaks of findings and complaints about being late; all others ask the registry."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in WRITTEN and path.is_file()]
    naming = [
        where(path) for path in files if "lateness" in path.read_text("utf-8").lower() and "cards" not in path.parts
    ]
    assert len(naming) <= 15, f"ask models.targets: {naming}"


@pytest.mark.parametrize("path", MODULES, ids=where)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST, f"{where(path)}: one noun a module, at most {LONGEST} lines"
    assert not text.strip() or ast.get_docstring(tree(path)), f"{where(path)}: a docstring says what is here"


def test_no_module_has_a_name_that_says_nothing() -> None:
    folders = {folder for path in MODULES for folder in path.relative_to(ROOT).parts}
    assert not {name.removesuffix(".py") for name in folders} & NO_ROOM


def test_one_word_for_one_thing() -> None:
    banned = {f"_{synonym}_": word for word, synonyms in GLOSSARY.items() for synonym in synonyms}
    pattern = re.compile("|".join(map(re.escape, banned)))
    wrong = [
        f"{where(path)}:{line}: {name} — the house says {banned[match[0]]}"
        for path in MODULES
        for name, line in defined_names(tree(path))
        if (match := pattern.search(words(name)))
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_below_the_command_line_reads_the_wall_clock() -> None:
    wrong = []
    for path in MODULES:
        if where(path).startswith(AT_THE_EDGE):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value).rpartition(".")[2]
                if (owner, node.attr) in CLOCKS or (owner, node.attr) == ("Timestamp", "now"):
                    wrong.append(f"{where(path)}:{node.lineno}: {owner}.{node.attr}")
    assert not wrong, "time is an argument:\n" + "\n".join(wrong)


def test_sql_reads_no_clock_either() -> None:
    clock = re.compile(r"\b(current_date|current_timestamp|now\(\)|today\(\)|get_current_timestamp)", re.IGNORECASE)
    wrong = [
        f"{where(path)}:{node.lineno}"
        for path in MODULES
        if not where(path).startswith(AT_THE_EDGE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and clock.search(node.value)
    ]
    assert not wrong, "\n".join(wrong)


def test_one_module_says_which_version_of_a_row_stands() -> None:
    order = re.compile(r"known_at\s+DESC", re.IGNORECASE)
    assert [where(path) for path in MODULES if order.search(path.read_text("utf-8"))] == ["features/record/latest.py"]


KINDS_ARE_NAMED_IN = {"features/record/schema.py", "features/case_state/kinds.py"}


def literal_lists(module: ast.Module) -> Iterator[tuple[int, set[str]]]:
    """Lists of words that stand in a module, as Python (a tuple, list or set) or in its SQL (`IN ('a', 'b')`)."""
    for node in ast.walk(module):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            words = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(words) == len(node.elts):
                yield node.lineno, set(words)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in re.finditer(r"\((\s*'\w+'(?:,\s*'\w+')+\s*)\)", node.value):
                yield node.lineno, set(re.findall(r"\w+", found[1]))


def test_kinds_that_end_or_stop_a_clock_are_listed_in_one_place() -> None:
    """Whoever lists them again forgets one: such lists stand in `case_state.kinds` and `record.schema`."""
    wrong = {}
    for path in MODULES:
        for line, words in literal_lists(tree(path)):
            ends = len(words) > 1 and (words <= set(ALL_ENDS) or words >= set(ENDS))
            if ends or words >= set(STOPS):
                wrong[where(path)] = f"{where(path)}:{line}: {sorted(words)}"
    found = {name: said for name, said in wrong.items() if name not in KINDS_ARE_NAMED_IN}
    assert not found, "take them from case_state.kinds or record.schema:\n" + "\n".join(found.values())


def test_nothing_that_runs_code_from_a_file_is_loaded() -> None:
    banned = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
    wrong = []
    for path in MODULES:
        for node in ast.walk(tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{where(path)}:{node.lineno}" for name in names if name.split(".")[0] in banned]  # type: ignore[attr-defined]
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec", "os.system"):
                wrong.append(f"{where(path)}:{node.lineno}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_unfinished() -> None:
    wrong = []
    for path in MODULES:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError", line):
                wrong.append(f"{where(path)}:{number}: {line.strip()[:60]}")
    assert not wrong, "\n".join(wrong)


def _ours() -> Iterator[Path]:
    """Every text file that we wrote."""
    for folder in (ROOT / name for name in (*ROOMS, "notebooks", "tests", "docs", ".ci")):
        for path in folder.rglob("*"):
            hidden = any(part.startswith((".", "__")) for part in path.relative_to(folder).parts[:-1])
            if path.is_file() and path.suffix in WRITTEN and not hidden:
                yield path
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml"))


def test_no_path_of_somebodys_machine_and_no_secret_is_in_the_tree() -> None:
    machine = re.compile(
        r"/(?:home|Users)/[a-z]\w+/|/ro[o]t/|/wor[k]/(?:main|shared|contract)|[A-Z]:\\\\Users"
        r"|-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----"
    )
    wrong = []
    for path in _ours():
        text = path.read_text("utf-8", errors="ignore")
        wrong += [f"{where(path)}: {match[0]}" for match in machine.finditer(text)]
    assert not wrong, "\n".join(wrong)


def test_words_shown_to_people_accuse_nobody() -> None:
    """A score is a reason to look: "dấu hiệu cần kiểm tra", and "vi phạm" only where it is denied."""
    accusing = re.compile(r"(?<!kết luận )(?<!kết luận là )(?<!khẳng định )\bvi phạm\b", re.IGNORECASE)
    serving = ROOT / "serving"
    pages = [
        *serving.rglob("*.html"),
        *(serving / "pages").rglob("*.py"),
        *(serving / "read").glob("*_words.py"),
        serving / "words.py",
    ]
    wrong = [
        f"{where(path)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if accusing.search(line)
    ]
    assert not wrong, "\n".join(wrong)
