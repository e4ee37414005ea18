"""Until when a password that somebody else gave may be exchanged for one's own."""

import sqlalchemy as sa
from alembic import op

from serving.state.base import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("temporary_until", Moment(), nullable=True))


def downgrade() -> None:
    op.drop_column("account", "temporary_until")
