"""whose choice a decision is: of those who inspect, or of the unit."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decision", sa.Column("track", sa.String(length=20), nullable=False, server_default="inspection"))
    op.execute(
        "UPDATE decision SET track = 'unit' WHERE decided_by IN"
        " (SELECT id FROM account WHERE role NOT IN ('inspector', 'leader'))"
    )


def downgrade() -> None:
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_column("track")
