"""findings remediations."""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding_id", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.String(length=200), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("team_id", sa.String(length=120), nullable=True),
        sa.Column("planned_at", Moment(), nullable=True),
        sa.Column("visited_at", Moment(), nullable=False),
        sa.Column("unit_chosen_by", sa.String(length=20), nullable=False),
        sa.Column("unit_probability", sa.Double(), nullable=True),
        sa.Column("dossier_id", sa.String(length=200), nullable=False),
        sa.Column("official_id", sa.String(length=200), nullable=True),
        sa.Column("chosen_by", sa.String(length=20), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=True),
        sa.Column("step", sa.String(length=200), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.Column("delivered_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["recorded_by"], ["account.id"], name=op.f("fk_finding_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("finding_id", "version", name="uq_finding_version"),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index("ix_finding_inspection_id", ["inspection_id"], unique=False)
        batch_op.create_index("ix_finding_dossier_id", ["dossier_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_unit_code"), ["unit_code"], unique=False)
    op.create_table(
        "remediation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding_id", sa.String(length=300), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"], name=op.f("fk_remediation_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remediation")),
    )
    with op.batch_alter_table("remediation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remediation_finding_id"), ["finding_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_remediation_unit_code"), ["unit_code"], unique=False)
    op.create_table(
        "remediation_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("remediation_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("acted_at", Moment(), nullable=False),
        sa.Column("acted_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["acted_by"], ["account.id"], name=op.f("fk_remediation_act_acted_by")),
        sa.ForeignKeyConstraint(["remediation_id"], ["remediation.id"], name=op.f("fk_remediation_act_remediation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remediation_act")),
    )
    with op.batch_alter_table("remediation_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remediation_act_remediation_id"), ["remediation_id"], unique=False)


def downgrade() -> None:
    op.drop_table("remediation_act")
    op.drop_table("remediation")
    op.drop_table("finding")
