"""explanations apologies marks reports publication packs."""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    with op.batch_alter_table("explanation_slip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_explanation_slip_official_id"), ["official_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_explanation_slip_unit_code"), ["unit_code"], unique=False)
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
    with op.batch_alter_table("explanation_act", schema=None) as batch_op:
        batch_op.create_index("ix_explanation_act_slip_id", ["slip_id"], unique=False)
    op.create_table(
        "apology",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dossier_id", sa.String(length=200), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("old_due_at", Moment(), nullable=True),
        sa.Column("new_due_at", Moment(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("drafted_at", Moment(), nullable=False),
        sa.Column("drafted_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["drafted_by"], ["account.id"], name=op.f("fk_apology_drafted_by")),
        sa.ForeignKeyConstraint(["sent_by"], ["account.id"], name=op.f("fk_apology_sent_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apology")),
    )
    with op.batch_alter_table("apology", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apology_dossier_id"), ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_apology_unit_code"), ["unit_code"], unique=False)
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("marked_at", Moment(), nullable=False),
        sa.Column("marked_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["marked_by"], ["account.id"], name=op.f("fk_mark_marked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
    )
    with op.batch_alter_table("mark", schema=None) as batch_op:
        batch_op.create_index("ix_mark_subject", ["subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_mark_unit_code"), ["unit_code"], unique=False)
    op.create_table(
        "publication_pack",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("as_of", Moment(), nullable=False),
        sa.Column("record_version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", Moment(), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_publication_pack_decided_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["account.id"], name=op.f("fk_publication_pack_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication_pack")),
    )
    with op.batch_alter_table("publication_pack", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publication_pack_month"), ["month"], unique=False)
    op.create_table(
        "report_made",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("as_of", Moment(), nullable=False),
        sa.Column("record_version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_report_made_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_made")),
        sa.UniqueConstraint("kind", "month", "unit_code", "as_of", name="uq_report_made_of"),
    )


def downgrade() -> None:
    op.drop_table("report_made")
    op.drop_table("publication_pack")
    op.drop_table("mark")
    op.drop_table("apology")
    op.drop_table("explanation_act")
    op.drop_table("explanation_slip")
