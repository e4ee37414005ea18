"""Reference pages made of the code: `python -m tests.generated_docs` writes docs/reference/, a test compares.

What can be read off a declaration is not written a second time by hand: tables of the record, features, signals,
settings, commands, routes and who may call them.
"""

import inspect
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from typer.main import get_command

from features.matrix.batch import FEATURES
from features.matrix.declaration import Grain
from features.record.schema import TABLES
from features.signals.evaluate import DOSSIER_SIGNALS
from features.signals.held import HELD_SIGNALS
from features.sources import SOURCES
from models.targets import TARGETS
from serving.access.permissions import GRANTS, Role
from serving.access.route_table import PUBLIC, ROUTES
from serving.app import create_app
from serving.cli import app as command_line
from serving.documents import letterhead
from serving.jobs import schedule
from serving.plan.rules import Rules, Team
from serving.reports.make import KINDS
from serving.settings import ENVIRONMENT, Settings
from serving.warnings import rules as warning_rules
from serving.warnings.policy import Costs, Policy

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- made by `python -m tests.generated_docs`: change the code, not this page -->\n"


def cell(value: object) -> str:
    """A value as a cell of a Markdown table, in one line."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def form(module: Any) -> str:
    """The docstring of a module: what stands in it is the form of its file."""
    return f"```text\n{inspect.getdoc(module)}\n```\n"


def defaults(kind: Any) -> str:
    """The fields of a dataclass with their defaults, under what its docstring says of them."""
    rows = []
    for one in fields(kind):
        value = one.default if one.default is not MISSING else "must be given"
        value = one.default_factory() if one.default_factory is not MISSING else value
        rows.append((f"`{one.name}`", "none" if value in ("", {}, ()) else value))
    return f"{inspect.getdoc(kind)}\n\n" + table(("field", "default"), rows)


def data_dictionary() -> str:
    """Every canonical table and column."""
    parts = [
        "# Data dictionary\n",
        f"{inspect.getdoc(inspect.getmodule(type(next(iter(TABLES.values()))))) or ''}\n",
        (
            "`known_at` is when the record first could know a row; `delivery_id` and `version` are added to every row. "
            "Each table has a view `<table>_latest` with the version that stands (`features/record/latest.py`).\n"
        ),
    ]
    for one in TABLES.values():
        more = " Columns that are not named here are kept as `x_…`." if one.attributes else ""
        keys = ", ".join(f"`{name}`" for name in one.key)
        parts.append(f"## {one.name}\n\n{one.words.capitalize()}. Key: {keys}.{more}\n")
        rows = []
        for column in one.columns:
            limits = ", ".join(f"`{choice}`" for choice in column.choices)
            if column.low is not None or column.high is not None:
                limits = f"{'' if column.low is None else column.low} … {'' if column.high is None else column.high}"
            marks = ", ".join(word for word, on in (("required", column.required), ("personal", column.personal)) if on)
            rows.append((f"`{column.name}`", column.type, marks, column.words, limits))
        parts.append(table(("column", "type", "", "what", "values"), rows))
    return "\n".join(parts)


def configuration() -> str:
    """Variables of the environment, and the files of settings under RISK_HOME."""
    jobs = [(f"`{job.name}`", job.vi, f"{job.en}", f"`{job.cron}`", job.most) for job in schedule.JOBS]
    return "\n".join((
        "# Configuration\n",
        "## Environment\n",
        (
            "Under systemd they stand in `/etc/risk/risk.env` (mode 600), under compose in `risk.env` beside the file; "
            "`serving/deploy/risk.env.example` is the form. `H` is RISK_HOME.\n"
        ),
        table(("variable", "what", "where it is left out"), ((f"`{v.name}`", v.words, v.default) for v in ENVIRONMENT)),
        "## `H/jobs.toml`: what runs by itself\n",
        form(schedule),
        table(("job", "việc", "what", "calendar", "most"), jobs),
        "## `H/warnings.toml`: early warnings\n",
        form(warning_rules),
        f"### `[policy]`\n\n{defaults(Policy)}",
        f"### `[policy.costs]`\n\n{defaults(Costs)}",
        f"### `[mail]`\n\n{defaults(warning_rules.MailServer)}",
        "## `H/letterheads.toml`: who issues documents\n",
        form(letterhead),
        "## Rules of an inspection plan (`risk plan make --rules FILE`)\n",
        defaults(Rules),
        f"### `[[teams]]`\n\n{defaults(Team)}",
    ))  # fmt: skip


def commands() -> str:
    """Every command with its arguments and options."""
    parts = ["# Commands\n", "Times are ISO 8601; without an offset they are local. `--home H` may stand anywhere.\n"]
    root: Any = get_command(command_line)
    parts.append(table(("option of all", "what"), _options(root)))
    for name, command in sorted(root.commands.items()):
        below = getattr(command, "commands", {})
        parts.append(f"## risk {name}\n\n{_help(command)}\n")
        if not below:
            parts.append(_usage(f"risk {name}", command))
        for word, one in sorted(below.items()):
            parts.append(f"### risk {name} {word}\n\n{_help(one)}\n\n{_usage(f'risk {name} {word}', one)}")
    return "\n".join(parts)


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _usage(typed: str, command: Any) -> str:
    words = [(one.metavar or one.name or "").upper() for one in command.params if one.param_type_name == "argument"]
    return f"`{' '.join((typed, *words))}`\n\n" + table(("option", "what"), _options(command))


def _options(command: Any) -> list[tuple[str, str]]:
    """Options as they are typed, with what they are for and what holds where they are left out."""
    rows = []
    for one in command.params:
        if one.param_type_name != "option" or one.hidden or one.name == "help":
            continue
        told = [one.help or ""]
        if one.required:
            told.append("Must be given.")
        elif one.default not in (None, False, "") and not callable(one.default):
            told.append(f"(`{getattr(one.default, 'value', one.default)}`)")
        rows.append((", ".join(f"`{word}`" for word in (*one.opts, *one.secondary_opts)), " ".join(told)))
    return rows


def feature_catalogue() -> str:
    """Every declared feature, by the relation that it is read from."""
    parts = [
        "# Features\n",
        (
            f"{len(FEATURES)} declared columns of the matrix; a record's own attributes (`x_…`) add theirs. "
            "Monotone: more never lowers (+1) or never raises (−1) the score. Trust below 1: it depends on how well a "
            "source keeps it. Reasons are told by group.\n"
        ),
    ]
    for grain in Grain:
        mine = [one for one in FEATURES if one.grain is grain]
        rows = [
            (
                f"`{f.name}`",
                f.words_vi,
                f.words_en,
                f.group,
                f.law,
                f.no_history,
                f"{f.monotone:+d}" if f.monotone else "",
                f.trust,
            )
            for f in mine
        ]
        head = ("name", "tiếng Việt", "English", "group", "law", "no history means", "monotone", "trust")
        if rows:
            parts.append(f"## {grain.value}\n\n{table(head, rows)}")
    return "\n".join(parts)


def signal_catalogue() -> str:
    """Every declared signal: what it shows, and what it rests on."""
    head = ("signal", "about", "tiếng Việt", "English", "threshold", "rests on", "owner")
    parts = [
        "# Signals\n",
        "A signal is a reason to look, never a finding about a person.\n",
    ]
    for title, signals in (("Of a dossier", DOSSIER_SIGNALS), ("Of officials, units, heads, agents", HELD_SIGNALS)):
        rows = [
            (
                f"`{s.name}`",
                s.grain,
                s.words_vi,
                s.words_en,
                "" if s.threshold is None else s.threshold,
                s.source,
                s.owner,
            )
            for s in signals
        ]
        parts.append(f"## {title}\n\n{table(head, rows)}")
    return "\n".join(parts)


def sources_and_reports() -> str:
    """What is predicted, what may be delivered, and what may be asked for."""
    targets = [
        (f"`{one.name}`", one.words_vi, one.words_en, one.law, one.horizon, f"`{one.cohort}`")
        for one in TARGETS.values()
    ]
    sources = [(f"`{one.name}`", one.words, f"`{one.module}`") for one in SOURCES.values()]
    kinds = [(f"`{name}`", one.vi, one.en, one.months, "yes" if one.of_unit else "") for name, one in KINDS.items()]
    return "\n".join((
        "# Targets, sources and reports\n",
        "## Targets\n", table(("target", "tiếng Việt", "English", "law", "horizon", "cohort"), targets),
        "## Sources\n", table(("source", "what", "module"), sources),
        "## Kinds of report\n", table(("kind", "tiếng Việt", "English", "months", "of one unit"), kinds),
    ))  # fmt: skip


def api() -> str:
    """Every route with the roles that may call it, and what it does."""
    with tempfile.TemporaryDirectory() as home:
        described = create_app(Settings.from_env(Path(home)), poll_seconds=3600).openapi()["paths"]
    told = {
        f"{method.upper()} {path}": one.get("description", one.get("summary", "")).split("\n\n")[0]
        for path, methods in described.items()
        for method, one in methods.items()
    }
    rows = [
        (route, "anybody" if action == PUBLIC else _reaches(action), told.get(route.replace(":path}", "}"), ""))
        for route, action in ROUTES.items()
    ]
    machine = [(f"`{route}`", who, what) for route, who, what in rows if " /api/" in route or " /portal/" in route]
    pages = [(f"`{route}`", who) for route, who, _ in rows if " /api/" not in route and " /portal/" not in route]
    return "\n".join((
        "# API and pages\n",
        (
            "The API is described by itself at `GET /api/v1/openapi.json`; errors are RFC 9457 problem details. "
            "Programs send `Authorization: Bearer TOKEN`; tokens are made on the page `/tokens`. How far a right goes: "
            "province, subtree (the account's unit and what stands below it), own (what the official handled).\n"
        ),
        "## API\n", table(("route", "who", "what"), machine),
        "## Pages\n", table(("route", "who"), pages),
    ))  # fmt: skip


def _reaches(action: str) -> str:
    grants = GRANTS.get(action, {})
    return ", ".join(f"{role.value} ({grants[role].value})" for role in Role if role in grants) or "nobody"


PAGES: dict[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "configuration.md": configuration,
    "commands.md": commands,
    "features.md": feature_catalogue,
    "signals.md": signal_catalogue,
    "sources-and-reports.md": sources_and_reports,
    "api.md": api,
}
"""Generated pages by file name under docs/reference/."""


def page(name: str) -> str:
    """The page as it has to stand."""
    return MADE + PAGES[name]().rstrip() + "\n"


if __name__ == "__main__":
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for file in PAGES:
        (REFERENCE / file).write_text(page(file), "utf-8")
        sys.stdout.write(f"{REFERENCE / file}\n")
