"""`risk complaints`: complaints sorted for those who answer them; never a score about a person."""

from pathlib import Path
from typing import Annotated

import typer

from serving.cli.group import settings_of
from serving.cli.moments import moment, moment_or_now

commands = typer.Typer()
complaints = typer.Typer(no_args_is_help=True)
commands.add_typer(complaints, name="complaints", help="Complaints: read for triage.")

_SHOWN = 20


@complaints.command("triage")
def triage(
    ctx: typer.Context,
    as_of: Annotated[str | None, typer.Option(help="What was known before this moment; now where left out.")] = None,
    since: Annotated[str | None, typer.Option(help="Filed from this moment on; a year back where left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .parquet or .xlsx.")] = None,
) -> None:
    """Sort complaints by topic, dossier, copies, floods and the day an answer is due; unanswered ones first."""
    from collections import Counter

    import pyarrow as pa

    from features.complaints import triage as run
    from features.record.record import Record
    from serving.documents.table_file import write_table

    settings = settings_of(ctx)
    at = moment_or_now(as_of, settings.zone)
    found = run(Record(settings.record_url).connect(), at, moment(since, settings.zone) if since else None)
    rows = found.to_pylist()
    topics = Counter(row["topic_text"] or row["topic"] or "other" for row in rows)
    floods = {row["flood"]: (row["flood_filed"], row["flood_people"]) for row in rows if row["flood"]}
    for row in rows[:_SHOWN] if out is None else ():
        due = row["due_at"].astimezone(settings.zone).strftime("%d/%m/%Y") if row["due_at"] else "–"
        marks = [f"như / as {row['same_as']}"] * bool(row["same_as"]) + [f"đợt / flood {row['flood']}"] * bool(
            row["flood"]
        )
        typer.echo(
            f"{row['complaint_id']}  {row['topic_text'] or row['topic'] or 'other'}  {row['unit_code'] or '–'}  "
            f"{row['dossier_id'] or '–'}  hạn / due {due}{'  ' if marks else ''}{', '.join(marks)}"
        )
    if out is not None:
        flat = {
            name: pa.array(["; ".join(cell) for cell in found[name].to_pylist()], pa.string())
            if pa.types.is_list(found.schema.field(name).type)
            else found[name]
            for name in found.column_names
        }
        write_table(pa.table(flat), out, settings.zone, title="complaints")
    counts = ", ".join(f"{name}={count}" for name, count in sorted(topics.items()))
    typer.echo(
        f"complaints={len(rows)} unanswered={sum(row['answered_at'] is None for row in rows)}"
        f" copies={sum(row['same_as'] is not None for row in rows)} floods={len(floods)} {counts}".rstrip()
    )
