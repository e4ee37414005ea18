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
    import pyarrow as pa

    from features.record.record import Record
    from features.record.utc import naive_utc
    from models.official_events import DISCOVERED, labels
    from serving.cli import conduct as steps
    from serving.scoring import conduct_lists
    from training.conduct_fairness import audit, groups_of, table
    from training.official_forecast import probable

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
    # a finding that names nobody counts for whoever more likely than not had the dossier, as the forecast is judged
    cases = pa.table({"official_id": ids, "as_of": pa.array([naive_utc(at)] * len(ids), pa.timestamp("us"))})
    truth = probable(labels(con, cases, DISCOVERED, steps.HORIZON, at + steps.HORIZON))
    found = audit(
        np.array([row["score"] for row in scored]),
        np.array([row["flag"] for row in scored]),
        truth if truth.any() else None,
        groups_of(con, at, ids),
    )
    heading = [f"# Conduct scores by group, {at:%Y-%m-%d}", "", f"{len(ids)} officials with at least 20 dossiers.", ""]
    report = [*heading, *table(found)]
    typer.echo("\n".join(report))
    if card is not None:
        card.write_text("\n".join(report) + "\n", "utf-8")
