"""`risk plan`: commit a seed, make and seal the month's plan, show, reveal and verify it, weigh its value."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.targets import MAIN
from serving.cli.group import asked, settings_of, state_of
from serving.cli.moments import moment, moment_or_now
from serving.cli.receipts import note, open_chain
from serving.cli.targets import CONDUCT
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.plan.store import PlanStore

commands = typer.Typer()
plan = typer.Typer(no_args_is_help=True)
commands.add_typer(plan, name="plan", help="Inspection plans: drawn under quotas, sealed, verifiable.")

Month = Annotated[str, typer.Argument(help="The month, such as 2026-12.")]
PlanId = Annotated[str, typer.Argument(help="The plan, such as 2026-12.")]
At = Annotated[str | None, typer.Option(help="Act as of this moment; the present one where left out.")]
Because = Annotated[str | None, typer.Option(help="Why another plan of the same month is drawn.")]


@plan.command()
def part(
    ctx: typer.Context,
    month: Month,
    by: Annotated[str, typer.Option(help="Login of who gives the part: an inspector or a leader.")],
    say: Annotated[bool, typer.Option("--say", help="Say the words, once both persons have promised theirs.")] = False,
    at: At = None,
) -> None:
    """Give one person's part of the month's seed: words that nobody else knows; two persons, first both promise.

    Password and words are asked for, or read from standard input, a line each.
    """
    from serving.access.account import find_account
    from serving.access.passwords import matches
    from serving.access.permissions import Role, reach_of

    settings = settings_of(ctx)
    password, words = asked("Password"), asked("Words")
    with state_of(settings) as state, state.reading() as session:
        account = find_account(session, by)
    hashed = account.password_hash if account is not None and account.active else None
    if not matches(password, hashed) or account is None or reach_of(Role(account.role), "plan.read") is None:
        raise PermissionError("no account of this name and password may take part in a plan")
    store, now = plan_store(settings), moment_or_now(at, settings.zone)
    if say:
        whole = store.give(month, account.login, words, now)
        typer.echo("all parts are here; run: risk plan commit" if whole else "the other part is still wanted")
    else:
        typer.echo(f"promised for {store.promise(month, account.login, words, now)}; keep the words until both have")


@plan.command()
def commit(ctx: typer.Context, month: Month, because: Because = None, at: At = None) -> None:
    """Fix the seed of the month's plan and print its SHA-256: publish it before anybody looks at scores."""
    settings = settings_of(ctx)
    plan_id, published = plan_store(settings).commit(month, moment_or_now(at, settings.zone), because)
    typer.echo(f"plan={plan_id} seed_sha256={published}")


@plan.command()
def rules(ctx: typer.Context) -> None:
    """Print the rules in force as TOML: edit them and give the file to `risk plan make --rules`."""
    from serving.plan.rules import Rules

    for name, value in Rules().as_json().items():
        if name not in {"teams", "closed", "areas"}:
            typer.echo(f"{name} = {value}")
    typer.echo('\n# closed = days on which a unit cannot be visited\n[closed]\n# "U001" = ["2026-12-24"]')
    typer.echo('\n# areas = which units lie together\n[areas]\n# "U001" = "east"')
    for team in Rules().teams:
        typer.echo(f'\n[[teams]]\nteam_id = "{team.team_id}"\nkind = "{team.kind}"  # home_affairs or centre')
        typer.echo("units = []  # where its members serve: it never visits these")
        typer.echo(f"visits_a_day = {team.visits_a_day}\ndays_a_month = {team.days_a_month}")


@plan.command()
def make(
    ctx: typer.Context,
    month: Month,
    as_of: Annotated[
        str | None, typer.Option(help="Rest on the scored list of this moment; the latest where left out.")
    ] = None,
    target: Annotated[str, typer.Option(help="Which target's scores: one target's, or mix.")] = MAIN.name,
    mix: Annotated[
        str, typer.Option(help="Weights of --target mix, comma-separated: what one finding matters.")
    ] = f"{MAIN.name}=0.5,{CONDUCT}=1",
    rules_file: Annotated[
        Path | None, typer.Option("--rules", help="TOML of rules and teams (see `risk plan rules`).")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Only to make a known plan again.")] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Show quotas, price and guessability; nothing is sealed."),
    ] = False,
    because: Because = None,
    at: At = None,
) -> None:
    """Draw and seal the month's plan from a scored list; says which rule breaks where none is possible."""
    from features.calendar.vietnam import VIETNAM
    from features.record.record import Record
    from serving.plan.eligibility import Infeasible
    from serving.plan.gather import gather
    from serving.plan.mix import MIX, mixed, parts
    from serving.plan.plan import make as draft
    from serving.plan.rendering import price_lines
    from serving.plan.rules import Rules
    from serving.scoring.score_files import latest_path, scores_path
    from serving.work.decisions import waiting_picks

    settings = settings_of(ctx)
    when = moment(as_of, settings.zone) if as_of else None
    if target == MIX:
        if when is not None:
            raise typer.BadParameter("a mix is made of the latest lists; leave --as-of out", param_hint="--as-of")
        scores = mixed(settings.scores, parts(mix))
    else:
        scores = scores_path(settings.scores, target, when) if when else latest_path(settings.scores, target)
    chosen = Rules.from_toml(rules_file) if rules_file else Rules()
    store = plan_store(settings)
    now = moment_or_now(at, settings.zone)
    con = Record(settings.record_url).connect(cutoff=now)
    with state_of(settings) as state, state.reading() as session:
        picked = waiting_picks(session, MAIN.name)
    brief = gather(con, scores, month, VIETNAM, chosen, settings.zone, picked)
    try:
        if preview:
            made: Mapping[str, Any] = draft(brief, secrets.token_hex(32)).as_json()
            published = ""
        else:
            plan_id, published = store.commit(month, now, because, seed)
            made = store.seal(plan_id, brief, now).plan
    except Infeasible as refusal:
        for one in refusal.unmet:
            typer.echo(f"{one.quota}: {one.possible}/{one.wanted} – {one.vi}", err=True)
            typer.echo(f"    {one.en}", err=True)
        typer.echo("no plan was made", err=True)
        raise typer.Exit(1) from None
    for quota in made["quotas"]:
        typer.echo(f"{quota['code']}: {quota['planned']}/{quota['wanted']} – {quota['vi']}")
    for line in price_lines(made):
        typer.echo(line)
    typer.echo("preview: nothing was sealed" if preview else _summary(made) + f" seed_sha256={published}")


@plan.command()
def show(
    ctx: typer.Context,
    plan_id: PlanId,
    visit: Annotated[str | None, typer.Option(help="Show one visit's sheet.")] = None,
    key_holder: Annotated[
        bool,
        typer.Option("--key-holder", help="See what is still sealed; the look is written to the ledger."),
    ] = False,
    at: At = None,
) -> None:
    """Show the visits whose hour has come; the others stay sealed."""
    from serving.plan.rendering import sheet_lines, visit_lines

    settings = settings_of(ctx)
    store, now = plan_store(settings), moment_or_now(at, settings.zone)
    if key_holder:
        store.ledger.append("open", plan_id, now, {})
        visits = list(store.open(plan_id).plan["visits"])
    else:
        visits = store.visits(plan_id, now)
    hidden = len(store.open(plan_id).plan["visits"]) - len(visits)
    chosen = [one for one in visits if visit in (None, one["visit_id"])]
    if visit is not None and not chosen:
        raise LookupError(f"no visit {visit} in what {plan_id} shows now")
    lines = sheet_lines(chosen[0]) if visit is not None else visit_lines(visits)
    for line in [*lines, f"{len(visits)} cuộc đã đến giờ, {hidden} cuộc còn niêm phong / still sealed"]:
        typer.echo(line)


@plan.command()
def reveal(ctx: typer.Context, plan_id: PlanId, at: At = None) -> None:
    """After the last visit: publish seed, brief and plan, so that anybody entitled can make it again."""
    settings = settings_of(ctx)
    store = plan_store(settings)
    folder = store.reveal(plan_id, moment_or_now(at, settings.zone))
    typer.echo(f"{', '.join(sorted(path.name for path in folder.iterdir()))} – seed={store.seed(plan_id)}")


@plan.command()
def verify(ctx: typer.Context, plan_id: PlanId) -> None:
    """Make the plan again from brief and seed and compare every line; exit 1 where anything differs."""
    from serving.plan.verify import verify as check

    settings = settings_of(ctx)
    state, chain = open_chain(settings)
    with state:
        checks = check(plan_store(settings), plan_id, settings.scores if settings.scores.is_dir() else None, chain)
    for one in checks:
        typer.echo(f"{'ok  ' if one.ok else 'FAIL'} {one.name}: {one.words}")
    if not all(one.ok for one in checks):
        raise typer.Exit(1)


@plan.command()
def value(ctx: typer.Context, plan_id: PlanId, at: At = None) -> None:
    """What the plan was expected to find, what each rule costs, and what its visits have found so far."""
    from features.record.record import Record
    from serving.plan.outcome import outcome
    from serving.plan.rendering import price_lines, value_lines

    settings = settings_of(ctx)
    sealed = plan_store(settings).open(plan_id)
    for line in price_lines(sealed.plan):
        typer.echo(line)
    con = Record(settings.record_url).connect(cutoff=moment_or_now(at, settings.zone))
    for line in value_lines(outcome(con, sealed)):
        typer.echo(line)


def plan_store(settings: Settings) -> "PlanStore":
    """The plans of this installation; what is written to their ledger leaves a receipt each."""
    from serving.plan.store import PlanStore

    def tell(line: Mapping[str, Any], sha256: str) -> None:
        detail = {"plan": line["plan_id"], "act": line["act"], "line": line["number"], "sha256": sha256}
        at = datetime.fromisoformat(line["at"])
        note(settings, "plan.write", detail, now=at, subjects=[f"plan:{line['plan_id']}"])

    return PlanStore(settings.home / "plans", settings.keys, tell)


def _summary(made: Any) -> str:
    teams = sum(visit["team_id"] is not None for visit in made["visits"])
    return (
        f"plan={made['plan_id']} visits={len(made['visits'])} team_visits={teams} "
        f"expected={made['expected']:.2f} units={len(made['frame'])}"
    )
