"""An installation of 22 November 2026 whose 0004 still said `explanation_ticket` gets today's tables.

0004 was edited in place that day, so a database that had run it before holds other names than the code asks for, under
the same revision. What was entered there is copied; a database that ran 0004 as it stands now is left alone.
"""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SLIP = "id, dossier_id, unit_code, official_id, step, missed_due_at, over_hours, outage_hours, opened_at, answer_due_at"
ACT = "act, cause, text, acted_at, acted_by, delivered_at"


def upgrade() -> None:
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("explanation_ticket"):
        return
    op.create_table(
        "explanation_slip",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.String(length=200), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("official_id", sa.String(length=200), nullable=True),
        sa.Column("step", sa.String(length=200), nullable=True),
        sa.Column("missed_due_at", Moment(), nullable=False),
        sa.Column("over_hours", sa.Double(), nullable=False),
        sa.Column("outage_hours", sa.Double(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("answer_due_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanation_slip")),
        sa.UniqueConstraint("dossier_id", name=op.f("uq_explanation_slip_dossier_id")),
    )
    op.execute(f"INSERT INTO explanation_slip ({SLIP}) SELECT {SLIP} FROM explanation_ticket")
    op.rename_table("explanation_act", "explanation_act_early")
    if connection.dialect.name == "postgresql":  # names of constraints are one a schema there
        op.execute("ALTER TABLE explanation_act_early RENAME CONSTRAINT pk_explanation_act TO pk_explanation_act_early")
        op.execute(
            "ALTER TABLE explanation_act_early RENAME CONSTRAINT fk_explanation_act_acted_by TO fk_early_acted_by"
        )
    op.create_table(
        "explanation_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slip_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("acted_at", Moment(), nullable=False),
        sa.Column("acted_by", sa.Integer(), nullable=True),
        sa.Column("delivered_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["acted_by"], ["account.id"], name=op.f("fk_explanation_act_acted_by")),
        sa.ForeignKeyConstraint(["slip_id"], ["explanation_slip.id"], name=op.f("fk_explanation_act_slip_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanation_act")),
    )
    op.execute(
        f"INSERT INTO explanation_act (id, slip_id, {ACT}) SELECT id, ticket_id, {ACT} FROM explanation_act_early"
    )
    op.drop_table("explanation_act_early")
    op.drop_table("explanation_ticket")
    op.create_index(op.f("ix_explanation_act_slip_id"), "explanation_act", ["slip_id"])
    op.create_index(op.f("ix_explanation_slip_official_id"), "explanation_slip", ["official_id"])
    op.create_index(op.f("ix_explanation_slip_unit_code"), "explanation_slip", ["unit_code"])
    if connection.dialect.name == "postgresql":  # rows came with their numbers: the next one follows them
        for table in ("explanation_slip", "explanation_act"):
            op.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                f"(SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"
            )


def downgrade() -> None:
    """Nothing: 0004 takes back the tables of today."""
