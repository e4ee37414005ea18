"""`risk fairness conduct`: do conduct scores treat groups of officials alike."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment

commands = typer.Typer()
fairness = typer.Typer(no_args_is_help=True)
commands.add_typer(fairness, name="fairness", help="Fairness audits of scores.")


@fairness.command("conduct")
def conduct(
    ctx: typer.Context,
    as_of: Annotated[str, typer.Option(help="The moment of the scores; scored first where that is not done.")],
    card: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
) -> None:
    """Officials' conduct scores and flags by level and region of the unit, sector, tenure, and these crossed.

    Where findings of the following year are in the record, who was found then is the truth.
    """
    import numpy as np

    from features.record.record import Record
    from features.record.utc import naive_utc
    from models.official_events import DISCOVERED
    from serving.cli import conduct as steps
    from serving.scoring import conduct_lists
    from training.conduct_fairness import audit, groups_of, table

    settings = settings_of(ctx)
    at = moment(as_of, settings.zone)
    lines = conduct_lists.read(settings.scores, at, "official")
    if lines is None:
        steps.score(settings, at, lambda line: None)
        lines = conduct_lists.read(settings.scores, at, "official")
    assert lines is not None
    scored = [row for row in lines.to_pylist() if row["score"] is not None]
    ids = [row["official_id"] for row in scored]
    con = Record(settings.record_url).connect()
    begin = naive_utc(at)
    later = con.execute(
        f"SELECT DISTINCT official_id FROM ({DISCOVERED.events}) WHERE happened_at >= ? AND happened_at < ?",
        [begin, begin + steps.HORIZON],
    ).fetchall()
    named = {who for (who,) in later}
    found = audit(
        np.array([row["score"] for row in scored]),
        np.array([row["flag"] for row in scored]),
        np.array([who in named for who in ids]) if named else None,
        groups_of(con, at, ids),
    )
    heading = [f"# Conduct scores by group, {at:%Y-%m-%d}", "", f"{len(ids)} officials with at least 20 dossiers.", ""]
    report = [*heading, *table(found)]
    typer.echo("\n".join(report))
    if card is not None:
        card.write_text("\n".join(report) + "\n", "utf-8")
