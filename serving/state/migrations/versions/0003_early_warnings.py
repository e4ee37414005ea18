"""early warnings and the outbox of messages to heads."""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("to_unit", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("leased_until", Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("dead_at", Moment(), nullable=True),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_message_key")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_message_to_unit"), ["to_unit"], unique=False)
        batch_op.create_index("ix_outbox_message_waiting", ["sent_at", "dead_at", "not_before"], unique=False)
    op.create_table(
        "warning_scoring",
        sa.Column("target", sa.String(length=60), nullable=False),
        sa.Column("as_of", Moment(), nullable=False),
        sa.Column("fired_at", Moment(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("n_open", sa.Integer(), nullable=False),
        sa.Column("n_over", sa.Integer(), nullable=False),
        sa.Column("n_fired", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target", "as_of", name=op.f("pk_warning_scoring")),
    )
    op.create_table(
        "warning_streak",
        sa.Column("target", sa.String(length=60), nullable=False),
        sa.Column("dossier_id", sa.String(length=200), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("over", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target", "dossier_id", name=op.f("pk_warning_streak")),
    )
    op.create_table(
        "early_warning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=60), nullable=False),
        sa.Column("dossier_id", sa.String(length=200), nullable=False),
        sa.Column("procedure_code", sa.String(length=200), nullable=True),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("official_id", sa.String(length=200), nullable=True),
        sa.Column("head_unit", sa.String(length=120), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("as_of", Moment(), nullable=False),
        sa.Column("fired_at", Moment(), nullable=False),
        sa.Column("model_version", sa.String(length=120), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("left_hours", sa.Double(), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=True),
        sa.Column("help_step", sa.String(length=200), nullable=True),
        sa.Column("help_holder", sa.String(length=20), nullable=True),
        sa.Column("help_hours", sa.Double(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("arm", sa.String(length=10), nullable=False),
        sa.Column("draw", sa.Double(), nullable=False),
        sa.Column("held_out_share", sa.Double(), nullable=False),
        sa.Column("manner", sa.String(length=10), nullable=True),
        sa.Column("week", sa.String(length=10), nullable=True),
        sa.Column("told_at", Moment(), nullable=True),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.Column("acknowledged_by", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["account.id"], name=op.f("fk_early_warning_acknowledged_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_warning")),
        sa.UniqueConstraint("key", name=op.f("uq_early_warning_key")),
    )
    with op.batch_alter_table("early_warning", schema=None) as batch_op:
        batch_op.create_index("ix_early_warning_dossier_id", ["dossier_id"], unique=False)
        batch_op.create_index("ix_early_warning_head_unit_week", ["head_unit", "week"], unique=False)
        batch_op.create_index(batch_op.f("ix_early_warning_unit_code"), ["unit_code"], unique=False)
    op.create_table(
        "warning_escalation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("warning_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("to_unit", sa.String(length=120), nullable=False),
        sa.Column("escalated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["warning_id"], ["early_warning.id"], name=op.f("fk_warning_escalation_warning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning_escalation")),
        sa.UniqueConstraint("warning_id", "level", name="uq_warning_escalation_level"),
    )
    with op.batch_alter_table("warning_escalation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_warning_escalation_to_unit"), ["to_unit"], unique=False)


def downgrade() -> None:
    for table in ("warning_escalation", "early_warning", "warning_streak", "warning_scoring", "outbox_message"):
        op.drop_table(table)
