"""saved views, work given to people, leads of teams, rules of warning, photos of findings."""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _account(table: str, column: str, nullable: bool = False) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    key = sa.ForeignKeyConstraint([column], ["account.id"], name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, sa.Integer(), nullable=nullable), key


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    _table(
        "saved_view",
        *_account("saved_view", "account_id"),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.String(length=1000), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.UniqueConstraint("account_id", "page", "name", name="uq_saved_view_name"),
    )
    _table(
        "case_assignment",
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("official_id", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("assigned_at", Moment(), nullable=False),
        *_account("case_assignment", "assigned_by"),
    )
    op.create_index("ix_case_assignment_subject", "case_assignment", ["subject"])
    op.create_index("ix_case_assignment_unit_code", "case_assignment", ["unit_code"])
    _table(
        "team_lead",
        sa.Column("team_id", sa.String(length=120), nullable=False),
        *_account("team_lead", "account_id", nullable=True),
        sa.Column("set_at", Moment(), nullable=False),
        *_account("team_lead", "set_by"),
    )
    op.create_index("ix_team_lead_team_id", "team_lead", ["team_id"])
    _table(
        "warning_rule_set",
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        *_account("warning_rule_set", "set_by"),
    )
    _table(
        "finding_photo",
        sa.Column("finding_id", sa.String(length=300), nullable=False),
        sa.Column("unit_code", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        *_account("finding_photo", "added_by"),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        *_account("finding_photo", "withdrawn_by", nullable=True),
    )
    op.create_index("ix_finding_photo_finding_id", "finding_photo", ["finding_id"])
    op.create_index("ix_finding_photo_unit_code", "finding_photo", ["unit_code"])


def downgrade() -> None:
    for table in ("finding_photo", "warning_rule_set", "team_lead", "case_assignment", "saved_view"):
        op.drop_table(table)
